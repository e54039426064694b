//! Edits: in the middle of a transition, while the active child is unhealthy, invalid ones, in-place ones.

use serde_json::{Value, json};
use sluice_core::Color;

use super::{active, active_green, condition, error, lineage, told};
use crate::support::fixtures::resource_text;
use crate::support::shell::Simulation;

// After a failed transition nothing restarts the active job in place, not even an ignored key.
#[test]
fn u07_after_a_failed_transition_an_ignored_key_restarts_nothing() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:broken");
    simulation.wait(150);
    simulation.world.set_image("app:1");
    simulation.world.set_child(
        "flinkConfiguration",
        json!({ "state.savepoints.dir": "s3://b/sp", "execution.checkpointing.interval": "10 s", "kubernetes.operator.savepoint.history.max.count": "5" }),
    );
    simulation.wait(60);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    assert_eq!(error(&simulation), "");
    let uid = simulation.world.uid_of("app-blue").unwrap();
    assert_eq!(
        simulation.world.deployed[&uid].starts, 1,
        "patched, not restarted"
    );
}

// The active child is unhealthy: an edit gets through, from its last completed checkpoint; a second one behaves the same.
#[test]
fn u08_row_41_an_edit_gets_through_while_the_active_child_is_unhealthy() {
    let mut simulation = active("savepoint");
    simulation.world.cluster_mut(Color::Blue).unwrap().failed_by_hand = true;
    simulation.wait(10);
    for image in ["app:broken", "app:2"] {
        simulation.world.set_image(image);
        simulation.wait(120);
    }
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(lineage(&simulation, Color::Green), [1, 3]);
}

// Unhealthy and without any checkpoint: a person is told what to do, and it helps.
#[test]
fn u08_row_41_without_a_checkpoint_the_remedy_that_is_told_helps() {
    for mode in ["BASIC", "ADVANCED"] {
        let mut simulation = active("savepoint");
        simulation.world.set(&["transitionMode"], json!(mode));
        let blue = simulation.world.cluster_mut(Color::Blue).unwrap();
        blue.failed_by_hand = true;
        blue.checkpoint = None;
        simulation.world.set_image("app:2");
        simulation.wait(120);
        assert_eq!(simulation.world.created, [1], "{mode}");
        simulation
            .world
            .set_child("job/initialSavepointPath", "s3://b/users");
        simulation.world.set_child("job/savepointRedeployNonce", 1);
        assert_eq!(simulation.settle(60), Color::Green, "{mode}");
        assert_eq!(lineage(&simulation, Color::Green)[0], 1000, "{mode}");
    }
}

// A rejected specification is never written back: no effect can write it, and the user's stands as it was.
#[test]
fn u14_a_rejected_specification_is_not_written_back() {
    let mut simulation = active("savepoint");
    simulation.world.set_child("job/parallelism", 0);
    let before = simulation.world.resource().spec.clone();
    simulation.wait(60);
    assert_eq!(simulation.world.resource().spec, before);
    assert!(condition(&simulation, "SpecValid").starts_with("False Invalid"));
}

// An aborted in-place change of ACTIVE_GREEN leaves green active, with its state; no fresh blue ever.
#[test]
fn r01_an_aborted_in_place_change_of_green_leaves_green_active() {
    let mut simulation = active_green("savepoint");
    simulation.world.cluster_mut(Color::Green).unwrap().failed_by_hand = true;
    simulation.wait(10);
    simulation.world.set_child("job/allowNonRestoredState", true);
    simulation.until_step("InPlace");
    simulation.wait(120);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
    assert_eq!(told(&simulation, "ChildChangeFailed"), 1);
    // The next edit does not begin from nothing either.
    simulation.world.cluster_mut(Color::Green).unwrap().failed_by_hand = false;
    simulation.wait(10);
    simulation.world.set_image("app:3");
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_eq!(lineage(&simulation, Color::Blue)[..2], [1, 2]);
}

// A resume that fails goes back to SUSPENDED, the state kept; so does an edit while suspended.
#[test]
fn r01_row_44_a_resume_that_fails_goes_back_to_suspended_with_its_state() {
    let mut simulation = active_green("savepoint");
    simulation.world.set_child("job/state", "suspended");
    simulation.settle(60);
    simulation.world.set_image("app:broken");
    simulation.world.set_child("job/state", "running");
    simulation.wait(150);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
    assert!(condition(&simulation, "Degraded").starts_with("True"));
    // The version is withdrawn, and green resumes from where it was.
    simulation.world.set_image("app:2");
    simulation.wait(120);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
    assert_eq!(lineage(&simulation, Color::Green)[..2], [1, 2]);
    assert_eq!(
        condition(&simulation, "Available"),
        "True JobRunning green serves"
    );
}

// A bad grace period stops the edit before anything is created.
#[test]
fn r04_row_48_a_bad_grace_period_stops_the_edit_before_anything_is_done() {
    let mut simulation = active("stateless");
    simulation.world.configure("abort.grace-period", "a while");
    simulation.world.set_image("app:2");
    simulation.wait(120);
    assert_eq!(simulation.world.created, [1]);
    assert!(
        error(&simulation).contains("abort.grace-period"),
        "{}",
        error(&simulation)
    );
    assert_eq!(simulation.serving_image().as_deref(), Some("app:1"));
}

// A bad reschedule interval takes no savepoint, let alone one at every retry.
#[test]
fn r05_a_bad_reschedule_interval_takes_no_savepoint() {
    let mut simulation = active("savepoint");
    simulation
        .world
        .configure("reconciliation.reschedule-interval", "often");
    simulation.world.set_image("app:2");
    simulation.wait(300);
    assert!(simulation.world.begun.is_empty());
    assert!(
        error(&simulation).contains("reschedule-interval"),
        "{}",
        error(&simulation)
    );
}

// It becomes bad in the middle of a transition: what was begun goes on as it was, the active job is untouched.
#[test]
fn r05_a_value_that_becomes_bad_in_mid_transition_stops_nothing() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.configure("abort.grace-period", "-5 s");
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(simulation.world.begun.len(), 1);
}

// A to B to C in one transition: the last wins, with a fresh deadline, a fresh child and the transition's own savepoint.
#[test]
fn u03_row_39_the_last_edit_wins_with_a_fresh_child_and_deadline() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:stuck");
    simulation.until_step("Deploying");
    simulation.wait(40);
    let earlier = simulation.world.uid_of("app-green");
    let deadline = simulation.world.status().abort_timestamp.0.unwrap();
    simulation.world.set_image("app:3");
    simulation.wait(15);
    assert_ne!(simulation.world.uid_of("app-green"), earlier);
    assert!(simulation.world.status().abort_timestamp.0.unwrap() > deadline);
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(
        lineage(&simulation, Color::Green),
        [1, 3],
        "not green's own state of transition 2"
    );
    assert_eq!(simulation.serving_image().as_deref(), Some("app:3"));
}

// Reverted while the next child is coming up: it goes, blue was never touched.
#[test]
fn row_40_a_revert_while_deploying_removes_the_next_child() {
    let mut simulation = active("savepoint");
    let before = simulation.world.child(Color::Blue).cloned();
    simulation.world.set_image("app:stuck");
    simulation.until_step("Deploying");
    simulation.world.set_image("app:1");
    simulation.wait(30);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    assert!(simulation.world.child(Color::Green).is_none());
    assert_eq!(simulation.world.child(Color::Blue).cloned(), before);
    assert_eq!(error(&simulation), "");
}

// An edit that asks for the state, in a transition that began without: a transition of its own, with a savepoint.
#[test]
fn row_39_an_edit_to_savepoint_in_a_stateless_transition_takes_the_state() {
    for redeploy in [false, true] {
        let mut simulation = active(if redeploy { "savepoint" } else { "stateless" });
        if redeploy {
            simulation
                .world
                .set_child("job/initialSavepointPath", "s3://b/users");
            simulation.world.set_child("job/savepointRedeployNonce", 1);
        }
        simulation.world.set_image("app:stuck");
        simulation.until_step("Deploying");
        simulation.world.set_child("job/upgradeMode", "savepoint");
        simulation
            .world
            .set_child("job/initialSavepointPath", Value::Null);
        simulation
            .world
            .set_child("job/savepointRedeployNonce", Value::Null);
        simulation.world.set_image("app:3");
        assert_eq!(simulation.settle(60), Color::Green);
        assert_eq!(
            lineage(&simulation, Color::Green)[0],
            1,
            "redeploy first: {redeploy}"
        );
    }
}

// A grace of 0, a negative one, a delay beyond what gates can hold: refused at the edit.
#[test]
fn row_46_row_49_values_that_cannot_work_are_refused() {
    for (key, value) in [
        ("abort.grace-period", "0 s"),
        ("abort.grace-period", "-1 min"),
        ("deployment-deletion.delay", "25 d"),
        ("deployment-deletion.delay", "1000000000000 d"),
    ] {
        let mut simulation = active("stateless");
        simulation.world.configure(key, value);
        simulation.world.set_image("app:2");
        simulation.wait(30);
        assert_eq!(simulation.world.created, [1], "{key} {value}");
        assert!(error(&simulation).contains(key), "{}", error(&simulation));
    }
}

// A reschedule interval of nearly nothing is a second at least, and writes no status by itself.
#[test]
fn row_47_a_tiny_reschedule_interval_is_a_second() {
    let mut simulation = active("savepoint");
    simulation
        .world
        .configure("reconciliation.reschedule-interval", "1 ms");
    simulation.world.set_image("app:stuck");
    simulation.until_step("Deploying");
    simulation.wait(10);
    let statuses = simulation.statuses;
    let observed = simulation.observe();
    let decision = sluice_core::bluegreen::decide(&observed, simulation.world.now);
    let second = simulation
        .world
        .now
        .saturating_add(jiff::SignedDuration::from_secs(1))
        .unwrap();
    assert_eq!(decision.wake, sluice_core::Wake::At(second));
    simulation.wait(30);
    assert_eq!(simulation.statuses, statuses);
}

// Nothing to run, a session cluster, a name that is too long, a specification that is too large: refused, nothing begins.
#[test]
fn row_52_row_54_row_55_what_cannot_work_begins_nothing() {
    type Edit = fn(&mut Value);
    let cases: [(&str, Edit); 5] = [
        ("no template", |text| text["spec"]["template"] = Value::Null),
        ("no specification", |text| {
            text["spec"]["template"]["spec"] = Value::Null;
        }),
        ("session cluster", |text| {
            text["spec"]["template"]["spec"]["job"] = Value::Null;
        }),
        ("long name", |text| {
            text["metadata"]["name"] = json!("a".repeat(40));
        }),
        ("large", |text| {
            text["spec"]["template"]["spec"]["podTemplate"] = json!({ "x": "y".repeat(300 * 1024) });
        }),
    ];
    for (what, spoil) in cases {
        let mut text = resource_text("stateless");
        spoil(&mut text);
        let mut simulation = Simulation::new();
        simulation.world.create(&text);
        simulation.wait(30);
        assert!(simulation.world.created.is_empty(), "{what}");
        assert!(condition(&simulation, "SpecValid").starts_with("False"), "{what}");
        assert_eq!(simulation.statuses, 1, "{what}: said once");
    }
}

// Fields that nobody knows go to the child as they are.
#[test]
fn row_53_unknown_fields_go_to_the_child() {
    let mut text = resource_text("stateless");
    text["spec"]["template"]["spec"]["futureField"] = json!({ "a": [1, 2] });
    text["spec"]["template"]["spec"]["job"]["futureJobField"] = json!("x");
    let mut simulation = Simulation::new();
    simulation.world.create(&text);
    simulation.settle(40);
    let child = serde_json::to_value(simulation.world.child(Color::Blue)).unwrap();
    assert_eq!(child["spec"]["futureField"], json!({ "a": [1, 2] }));
    assert_eq!(child["spec"]["job"]["futureJobField"], json!("x"));
}
