//! The status: lost, damaged, another operator's; what it says, and how often it is written.

use serde_json::{Value, json};
use sluice_core::Color;
use sluice_core::bluegreen::record::State;

use super::{active, active_green, advanced, condition, lineage, told};
use crate::support::fixtures::resource_text;
use crate::support::shell::Simulation;

// `observedGeneration` and all five conditions from the first write on.
#[test]
fn u10_generation_and_conditions_are_there_from_the_first_write() {
    let mut simulation = Simulation::new();
    simulation.world.create(&resource_text("savepoint"));
    simulation.look();
    let status = simulation.world.status();
    assert_eq!(status.observed_generation, Some(1));
    let kinds: Vec<&str> = status
        .conditions
        .iter()
        .map(|condition| condition.type_.as_str())
        .collect();
    assert_eq!(
        kinds,
        [
            "Available",
            "Progressing",
            "Degraded",
            "SpecValid",
            "HandoverReady"
        ]
    );
    simulation.settle(40);
    simulation.world.configure("promotion", "MANUAL");
    simulation.wait(5);
    assert_eq!(simulation.world.status().observed_generation, Some(2));
}

// A lost status with green active: rebuilt, nothing is deployed, nothing deleted.
#[test]
fn r02_row_34_a_lost_status_is_rebuilt_and_no_state_is_lost() {
    let mut simulation = active_green("savepoint");
    simulation.world.edit_status(|status| *status = Value::Null);
    simulation.wait(60);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
    assert_eq!(simulation.world.created, [1, 2]);
    assert_eq!(
        condition(&simulation, "Available"),
        "True JobRunning green serves"
    );
    simulation.world.set_image("app:3");
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_eq!(lineage(&simulation, Color::Blue), [1, 2, 3]);
}

// Lost at any moment of an upgrade, BASIC and ADVANCED: the state is never lost, and the wish is reached.
#[test]
fn r02_row_34_a_status_lost_at_any_moment_loses_no_state() {
    for mode in ["BASIC", "ADVANCED"] {
        for moment in 0..16 {
            let mut simulation = if mode == "BASIC" {
                active_green("savepoint")
            } else {
                advanced()
            };
            simulation.one_writer = false;
            simulation.world.set_image("app:7");
            (0..moment).for_each(|_| simulation.tick());
            simulation.world.edit_status(|status| *status = Value::Null);
            simulation.wait(300);
            let log = || simulation.log.join("\n");
            let Some(color) = simulation.world.settled_on() else {
                panic!("{mode}, {moment}: not settled\n{}", log());
            };
            assert_eq!(
                lineage(&simulation, color).first(),
                Some(&1),
                "{mode}, {moment}\n{}",
                log()
            );
            assert_eq!(
                simulation.serving_image().as_deref(),
                Some("app:7"),
                "{mode}, {moment}\n{}",
                log()
            );
            assert!(
                condition(&simulation, "Available").starts_with("True"),
                "{mode}, {moment}\n{}",
                log()
            );
        }
    }
}

// Half of it wiped, or edited by hand: read leniently, repaired, and nothing is deployed from nothing.
#[test]
fn row_35_a_damaged_status_is_repaired() {
    for (field, value) in [
        ("blueGreenState", json!("PURPLE")),
        ("blueGreenState", Value::Null),
        ("abortTimestamp", json!("yesterday")),
        ("lastReconciledSpec", json!("{")),
        ("lastReconciledSpec", Value::Null),
        ("transitionNumber", json!("many")),
        ("transition", json!({ "number": 3 })),
        ("jobStatus", json!(17)),
        ("conditions", json!([{ "type": 1 }])),
        ("history", json!({})),
    ] {
        let mut simulation = active_green("savepoint");
        simulation
            .world
            .edit_status(|status| status[field] = value.clone());
        simulation.wait(60);
        assert_eq!(
            simulation.world.settled_on(),
            Some(Color::Green),
            "{field}: {value}"
        );
        assert_eq!(simulation.world.created, [1, 2], "{field}: {value}");
        simulation.world.set_image("app:3");
        assert_eq!(simulation.settle(60), Color::Blue, "{field}: {value}");
        assert_eq!(lineage(&simulation, Color::Blue), [1, 2, 3], "{field}: {value}");
    }
}

// The status is written when something has changed, not for a timestamp.
#[test]
fn r12_waiting_writes_nothing_and_a_transition_writes_little() {
    let mut simulation = active("savepoint");
    let (writes, statuses) = (simulation.world.writes, simulation.statuses);
    simulation.world.set_image("app:2");
    simulation.settle(60);
    assert!(
        simulation.world.writes - writes <= 12,
        "{}",
        simulation.world.writes - writes
    );
    assert!(simulation.statuses > statuses);
    // Settled: looked at again and again, nothing is written.
    let writes = simulation.world.writes;
    for _ in 0..20 {
        simulation.world.changed = true;
        simulation.tick();
    }
    assert_eq!(simulation.world.writes, writes);
    // Waiting: neither.
    simulation.world.set_image("app:stuck");
    simulation.until_step("Deploying");
    simulation.wait(10);
    let writes = simulation.world.writes;
    simulation.wait(30);
    assert_eq!(simulation.world.writes, writes);
}

/// The status as upstream's operator writes it.
fn upstream(state: &str, spec: &Value) -> Value {
    json!({
        "jobStatus": { "state": "RUNNING" },
        "blueGreenState": state,
        "lastReconciledSpec": json!({ "spec": spec }).to_string(),
        "lastReconciledTimestamp": "2026-01-01T00:00:00Z",
        "abortTimestamp": "1970-01-01T00:00:00Z",
        "deploymentReadyTimestamp": "1970-01-01T00:00:00Z"
    })
}

/// What upstream's operator leaves: children without our label, a status without our fields.
fn left_by_upstream(simulation: &mut Simulation, state: &str) {
    for color in Color::BOTH {
        simulation.world.edit_child(color, |child| {
            child
                .metadata
                .labels
                .as_mut()
                .unwrap()
                .remove(sluice_api::metadata::LABEL_TRANSITION);
        });
    }
    let spec = serde_json::to_value(&simulation.world.resource().spec).unwrap();
    simulation
        .world
        .edit_status(|status| *status = upstream(state, &spec));
    simulation.forget();
}

// Taken over from upstream when settled: nothing moves.
#[test]
fn row_63_taken_over_when_settled_nothing_moves() {
    for (settled, state) in [
        (active as fn(&str) -> Simulation, "ACTIVE_BLUE"),
        (active_green, "ACTIVE_GREEN"),
    ] {
        let mut simulation = settled("savepoint");
        assert!(simulation.quiet_within(40));
        left_by_upstream(&mut simulation, state);
        let children = simulation.world.children.clone();
        simulation.wait(60);
        assert_eq!(simulation.world.children, children);
        let status = simulation.world.status();
        assert_eq!(
            serde_json::to_value(status.blue_green_state).unwrap(),
            json!(state)
        );
    }
}

// Taken over in the middle of a transition: it goes on, from the colour that serves.
#[test]
fn row_63_taken_over_in_mid_transition_it_goes_on() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Deploying");
    left_by_upstream(&mut simulation, "TRANSITIONING_TO_GREEN");
    assert_eq!(simulation.settle(60), Color::Green);
    // A child of upstream's bears no number of ours.
    assert_eq!(lineage(&simulation, Color::Green), [1, 0]);
    assert_eq!(told(&simulation, "TakenOver"), 1);
    // And a status of ours is readable for upstream: its own fields are there.
    let status = serde_json::to_value(simulation.world.status()).unwrap();
    for field in [
        "jobStatus",
        "blueGreenState",
        "lastReconciledSpec",
        "abortTimestamp",
    ] {
        assert!(!status[field].is_null(), "{field}");
    }
}

// Taken over while upstream changes its only child in place (TRANSITIONING to the colour that serves): whatever comes of
// it, that child holds all the state: no fresh deployment, no replacement.
#[test]
fn r01_row_63_taken_over_while_the_only_child_is_changed_in_place() {
    for fix in [false, true] {
        let mut simulation = active_green("savepoint");
        simulation.world.cluster_mut(Color::Green).unwrap().failed_by_hand = true;
        simulation.wait(10);
        left_by_upstream(&mut simulation, "TRANSITIONING_TO_GREEN");
        simulation.wait(if fix { 10 } else { 700 });
        simulation.world.set_image("app:3");
        simulation.wait(900);
        let log = simulation.log.join("\n");
        let State::Active(color) = simulation.world.record().state else {
            panic!("{log}");
        };
        assert_eq!(lineage(&simulation, color).first(), Some(&1), "{log}");
    }
}

// The key under `configuration` does what `spec.transitionMode` does, where a CRD prunes that field; nothing is BASIC.
#[test]
fn row_64_the_key_works_where_the_field_is_pruned() {
    let mut simulation = active("savepoint");
    assert!(condition(&simulation, "HandoverReady").contains("transitionMode is BASIC"));
    simulation.world.configure("transition-mode", "ADVANCED");
    simulation.wait(5);
    assert!(condition(&simulation, "HandoverReady").starts_with("True StrategySavepoint"));
    simulation.world.set_image("app:2");
    simulation.until_step("Stopping");
    assert_eq!(simulation.settle(60), Color::Green);
}
