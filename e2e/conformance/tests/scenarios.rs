//! The scenario files as they are in the repository.

use std::collections::BTreeSet;

use sluice_conformance::scenario::{self, Step};

#[test]
fn every_file_is_a_scenario_of_its_own_name() {
    let all = scenario::read_all(scenario::directory()).unwrap();
    assert!(all.len() >= 50, "only {} scenarios were found", all.len());
    for scenario in &all {
        assert!(
            scenario.about.trim().ends_with('.'),
            "{}: `about` is a sentence",
            scenario.name
        );
        let checks = scenario
            .steps
            .iter()
            .filter(|step| matches!(step, Step::Wait(_) | Step::Expect(_) | Step::Hold(_)));
        assert!(checks.count() > 0, "{} expects nothing", scenario.name);
    }
}

#[test]
fn each_defect_that_needs_an_api_server_has_its_scenario() {
    let all = scenario::read_all(scenario::directory()).unwrap();
    let played: BTreeSet<&str> = all
        .iter()
        .filter_map(|scenario| scenario.name.strip_prefix("defect-"))
        .filter_map(|name| name.get(..2))
        .collect();
    for number in ["01", "02", "03", "05", "10", "11", "13", "14"] {
        assert!(played.contains(number), "no scenario plays defect {number}");
    }
}

#[test]
fn a_misspelt_word_is_refused_and_not_passed_over() {
    for wrong in [
        r#"{ "name": "x", "about": "y.", "steps": [{ "wait": { "stat": "ACTIVE_BLUE" } }] }"#,
        r#"{ "name": "x", "about": "y.", "steps": [{ "edit": { "images": "orders:2" } }] }"#,
        r#"{ "name": "x", "about": "y.", "steps": [{ "children": { "blue": { "outcome": "redy" } } }] }"#,
        r#"{ "name": "x", "about": "y.", "steps": [{ "savepoints": { "blue": ["complets"] } }] }"#,
        r#"{ "name": "x", "about": "y.", "steps": [{ "hold": "soon" }] }"#,
    ] {
        assert!(
            serde_json::from_str::<scenario::Scenario>(wrong).is_err(),
            "{wrong}"
        );
    }
}
