//! What people see of a resource in each of its states. The fixtures are resources as the runner has them.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop at once, also in its helpers"
)]

use std::path::Path;

use serde_json::Value;
use sluice_api::blue_green::Color;
use sluice_cli::view::describe::describe;
use sluice_cli::view::events::{EventLine, events};
use sluice_cli::view::history::history;
use sluice_cli::view::resource::{flink_deployments, resources};
use sluice_cli::view::transition::{change_line, live};
use sluice_cli::view::verdict::{Wanted, judge};
use sluice_cli::view::{Clock, Palette, Snapshot};

/// Every fixture, in the order of a resource's life.
const STATES: [&str; 10] = [
    "untouched",
    "initializing",
    "active",
    "savepointing",
    "transitioning",
    "awaiting-promotion",
    "aborted-kept",
    "suspended",
    "stopping",
    "advanced-returning",
];

/// The fixtures' present: noon.
fn clock() -> Clock {
    Clock {
        now: "2026-11-21T12:00:00Z".parse().unwrap(),
        zone: jiff::tz::TimeZone::UTC,
    }
}

fn fixture(name: &str) -> Snapshot {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/{name}.yaml"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut snapshot = Snapshot::default();
    let mut documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
    for document in &mut documents {
        match document["kind"].as_str().unwrap() {
            "FlinkBlueGreenDeployment" => {
                snapshot.resource = sluice_api::read_blue_green(document).unwrap();
                // A fixture that lost a field by a typing error would show less, and nobody would see it.
                let written = serde_json::to_value(&snapshot.resource).unwrap();
                for (key, value) in document["status"].as_object().into_iter().flatten() {
                    assert!(
                        written["status"].get(key).is_some(),
                        "{name}: {key} = {value} was not understood"
                    );
                }
            }
            "FlinkDeployment" => {
                let child = sluice_api::read_flink_deployment(document).unwrap();
                let color = Color::BOTH
                    .into_iter()
                    .find(|color| child.metadata.name.as_deref() == Some(&color.child_name("orders")))
                    .unwrap();
                match color {
                    Color::Blue => snapshot.blue = Some(child),
                    Color::Green => snapshot.green = Some(child),
                }
            }
            "Events" => snapshot.events = serde_json::from_value(document["items"].take()).unwrap(),
            other => unreachable!("a fixture holds {other}"),
        }
    }
    snapshot.endpoint = Some("http://127.0.0.1:18081".to_owned());
    snapshot
}

/// The same view of every state, each under its name.
fn of_every_state(view: impl Fn(&Snapshot) -> String) -> String {
    STATES
        .iter()
        .map(|state| format!("== {state}\n{}\n", view(&fixture(state)).trim_end()))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_table_tells_each_state_apart() {
    let all: Vec<Snapshot> = STATES
        .iter()
        .map(|state| {
            let mut snapshot = fixture(state);
            snapshot.resource.metadata.name = Some((*state).to_owned());
            snapshot
        })
        .collect();
    insta::assert_snapshot!(resources(&all, true, Palette::Plain, &clock()));
    assert_eq!(
        resources(&[], false, Palette::Plain, &clock()),
        "No FlinkBlueGreenDeployments.\n"
    );
}

#[test]
fn the_live_view_says_what_is_awaited_and_until_when() {
    insta::assert_snapshot!(of_every_state(|snapshot| live(
        snapshot,
        Palette::Plain,
        &clock(),
        80
    )));
}

#[test]
fn the_live_view_fits_a_terminal_of_any_width() {
    for columns in [20, 40, 80, 132] {
        for state in STATES {
            let shown = live(&fixture(state), Palette::Plain, &clock(), columns);
            for line in shown.lines() {
                assert!(line.chars().count() <= columns, "{state}, {columns}: {line}");
            }
        }
    }
    // At the usual width nothing that a person has to act on is cut off.
    let shown = live(&fixture("aborted-kept"), Palette::Plain, &clock(), 80);
    let words: Vec<&str> = shown.split_whitespace().collect();
    assert!(
        words
            .join(" ")
            .contains("within 10 min: The job jar has no main class."),
        "{shown}"
    );
}

#[test]
fn a_log_of_changes_has_one_line_for_each_and_nothing_that_only_time_changes() {
    insta::assert_snapshot!(of_every_state(|snapshot| change_line(snapshot, &clock())));
    let mut later = clock();
    later.now += jiff::SignedDuration::from_secs(30);
    for state in STATES {
        let snapshot = fixture(state);
        assert_eq!(
            change_line(&snapshot, &clock()),
            change_line(&snapshot, &later),
            "{state}"
        );
    }
}

#[test]
fn a_description_has_all_that_is_known() {
    for state in ["active", "aborted-kept", "transitioning"] {
        insta::assert_snapshot!(
            format!("describe-{state}"),
            describe(&fixture(state), Palette::Plain, &clock())
        );
    }
}

#[test]
fn history_and_events_are_tables() {
    let active = fixture("active");
    let aborted = fixture("aborted-kept");
    let entries = |snapshot: &Snapshot| snapshot.resource.status.clone().unwrap().history;
    insta::assert_snapshot!(history(&entries(&active), Palette::Plain, &clock()));
    insta::assert_snapshot!(history(&entries(&aborted), Palette::Plain, &clock()));
    let all: Vec<EventLine> = [active.events, aborted.events].concat();
    insta::assert_snapshot!(events(&all, true, Palette::Plain, &clock()));
    assert_eq!(
        history(&[], Palette::Plain, &clock()),
        "No transition has ended yet.\n"
    );
}

#[test]
fn children_are_listed_with_their_jobs() {
    let snapshot = fixture("transitioning");
    let children = [snapshot.blue.unwrap(), snapshot.green.unwrap()];
    insta::assert_snapshot!(flink_deployments(&children, Palette::Plain, &clock()));
}

#[test]
fn scripts_are_told_whether_a_resource_is_as_wanted() {
    insta::assert_snapshot!(of_every_state(|snapshot| {
        [Wanted::Active, Wanted::Promotion, Wanted::Suspended]
            .map(|wanted| format!("{wanted:?}: {:?}\n", judge(&snapshot.resource, wanted)))
            .concat()
    }));
}

#[test]
fn an_edit_that_nobody_has_looked_at_yet_is_not_taken_for_done() {
    let mut snapshot = fixture("active");
    snapshot.resource.metadata.generation = Some(4);
    insta::assert_snapshot!(format!("{:?}", judge(&snapshot.resource, Wanted::Active)), @r#"NotYet("orders is ACTIVE_GREEN; its present specification has not been looked at yet.")"#);
}

#[test]
fn colours_add_nothing_that_the_text_does_not_say() {
    for state in STATES {
        let snapshot = fixture(state);
        let (plain, colored) = [Palette::Plain, Palette::Colored]
            .map(|palette| live(&snapshot, palette, &clock(), 80))
            .into();
        assert_ne!(plain, colored, "{state}");
        assert_eq!(console::strip_ansi_codes(&colored), plain, "{state}");
    }
}
