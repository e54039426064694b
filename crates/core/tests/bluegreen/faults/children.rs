//! The children: whose they are, what is done when they are gone, changed, stuck or somebody else's.

use serde_json::json;
use sluice_api::metadata::{LABEL_COLOR, LABEL_TRANSITION};
use sluice_core::Color;
use sluice_core::bluegreen::decision::Effect;
use sluice_core::bluegreen::record::State;

use super::{active, active_green, advanced, condition, error, lineage, told};
use crate::support::fixtures::resource_text;
use crate::support::shell::{Fault, Simulation};

// The parent's labels and `template.metadata` reach the child: an operator that watches by label finds it.
#[test]
fn u05_labels_and_template_metadata_reach_the_child() {
    let mut simulation = Simulation::new();
    let mut text = resource_text("savepoint");
    text["spec"]["template"]["metadata"] =
        json!({ "labels": { "tier": "gold" }, "annotations": { "owner": "someone" } });
    simulation.world.create(&text);
    simulation.settle(40);
    let metadata = &simulation.world.child(Color::Blue).unwrap().metadata;
    let labels = metadata.labels.clone().unwrap();
    assert_eq!(labels["team"], "payments");
    assert_eq!(labels["tier"], "gold");
    assert_eq!(labels[LABEL_COLOR], "BLUE");
    assert_eq!(metadata.annotations.as_ref().unwrap()["owner"], "someone");
    let owner = &metadata.owner_references.as_ref().unwrap()[0];
    assert_eq!(
        (owner.controller, owner.block_owner_deletion),
        (Some(true), Some(true))
    );
}

// A suspended failed child that somebody starts again is suspended again.
#[test]
fn u15_a_suspended_failed_child_stays_suspended() {
    let mut simulation = active("savepoint");
    simulation.world.configure("abort.failed-deployment", "SUSPEND");
    simulation.world.set_image("app:stuck");
    simulation.wait(150);
    assert!(told(&simulation, "change app-green to app:stuck suspended") == 1);
    simulation.world.edit_child(Color::Green, |child| {
        child.spec.job.as_mut().unwrap().state = None;
    });
    simulation.wait(30);
    assert_eq!(told(&simulation, "change app-green to app:stuck suspended"), 2);
}

// The next pass sees the child that was created before the crash, and goes on with it.
#[test]
fn row_10_a_child_created_before_a_crash_is_found() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    // Savepointed, creating, and the creation itself.
    simulation
        .faults
        .insert(simulation.requests + 3, Fault::CrashAfter);
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(simulation.world.created, [1, 2]);
    assert_eq!(told(&simulation, "operator dies"), 1);
}

// A creation whose answer was lost is not done twice.
#[test]
fn row_13_a_child_that_was_created_unheard_is_found() {
    let mut simulation = active("stateless");
    simulation.world.set_image("app:2");
    simulation
        .faults
        .insert(simulation.requests + 2, Fault::AnswerLost);
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(simulation.world.created, [1, 2]);
}

// A child's status from before its last edit makes nobody ready.
#[test]
fn u03_row_14_a_status_of_an_earlier_generation_does_not_count() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Deploying");
    simulation.world.unknown.insert("green");
    simulation.wait(20);
    simulation.world.unknown.clear();
    simulation.world.edit_child(Color::Green, |child| {
        assert!(sluice_core::bluegreen::child::is_ready(child));
        child.metadata.generation = child.metadata.generation.map(|number| number + 1);
    });
    let decision = sluice_core::bluegreen::decide(&simulation.observe(), simulation.world.now);
    assert_eq!(
        decision
            .status
            .and_then(|status| status.deployment_ready_timestamp.0),
        None
    );
}

// Without `observedGeneration` (upstream's operator) the specification that was deployed last tells.
#[test]
fn u03_row_14_an_operator_without_generations_is_judged_by_its_reconciled_spec() {
    let simulation = active("savepoint");
    let mut child = simulation.world.child(Color::Blue).unwrap().clone();
    let reconciled = json!({ "spec": child.spec }).to_string();
    let status = child.status.as_mut().unwrap();
    status.observed_generation = None;
    status.reconciliation_status =
        serde_json::from_value(json!({ "lastReconciledSpec": reconciled })).unwrap();
    assert!(sluice_core::bluegreen::child::is_ready(&child));
    child.spec.image = Some("app:2".to_owned());
    assert!(!sluice_core::bluegreen::child::is_ready(&child));
}

// Writes on a child carry its resourceVersion: what somebody else wrote meanwhile is never overwritten.
#[test]
fn row_18_a_change_carries_its_precondition() {
    let mut simulation = active("savepoint");
    simulation.world.edit_child(Color::Blue, |child| {
        child.spec.image = Some("app:byhand".to_owned());
        child
            .metadata
            .finalizers
            .get_or_insert_default()
            .push("theirs/too".to_owned());
    });
    let observed = simulation.observe();
    let decision = sluice_core::bluegreen::decide(&observed, simulation.world.now);
    let Some(Effect::ReplaceChild { manifest }) = decision.effects.first() else {
        panic!("{decision:#?}");
    };
    let present = simulation.world.child(Color::Blue).unwrap();
    assert_eq!(
        manifest.metadata.resource_version,
        present.metadata.resource_version
    );
    assert_eq!(manifest.metadata.uid, present.metadata.uid);
    assert_eq!(manifest.metadata.finalizers, present.metadata.finalizers);
}

// The active child deleted by hand is created again from its last checkpoint, never from nothing.
#[test]
fn row_23_the_active_child_comes_back_from_its_last_checkpoint() {
    let mut simulation = active_green("last-state");
    simulation.hand_deleted = true;
    simulation.world.delete_child(Color::Green);
    simulation.tick();
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(lineage(&simulation, Color::Green), [1, 2, 3]);
    let started = simulation
        .world
        .cluster(Color::Green)
        .unwrap()
        .started_from
        .clone()
        .unwrap();
    assert!(started.contains("/chk/"), "{started}");
}

// Suspended, deleted by hand, then resumed by an edit: it comes up running, from what it was suspended with.
#[test]
fn row_23_a_suspended_child_comes_back_running_from_what_it_was_suspended_with() {
    let mut simulation = active("savepoint");
    simulation.world.set_child("job/state", "suspended");
    simulation.wait(30);
    assert!(condition(&simulation, "Available").contains("Suspended"));
    simulation.hand_deleted = true;
    simulation.world.delete_child(Color::Blue);
    simulation.wait(30);
    assert_eq!(simulation.world.created, [1], "nothing has to run");
    simulation.world.set_child("job/state", "running");
    assert_eq!(simulation.settle(20), Color::Blue);
    assert_eq!(lineage(&simulation, Color::Blue), [1, 3]);
    let started = simulation
        .world
        .cluster(Color::Blue)
        .unwrap()
        .started_from
        .clone();
    assert!(started.is_some_and(|path| path.contains("/sp/stop-")));
}

// No checkpoint and no savepoint is known: a person is asked, and what the person is told to do helps.
#[test]
fn row_23_without_any_state_a_person_is_asked_and_the_remedy_helps() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.delete_child(Color::Blue);
    simulation.world.retained.clear();
    simulation.wait(30);
    assert_eq!(simulation.world.created, [1]);
    assert!(
        error(&simulation).contains("savepointRedeployNonce"),
        "{}",
        error(&simulation)
    );
    simulation
        .world
        .set_child("job/initialSavepointPath", "s3://b/users");
    simulation.world.set_child("job/savepointRedeployNonce", 1);
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_eq!(lineage(&simulation, Color::Blue), [1000, 2]);
}

// The checkpoint could not be learnt: nothing is guessed.
#[test]
fn row_23_while_the_checkpoint_is_unknown_nothing_is_created() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.unknown.insert("checkpoints");
    simulation.world.delete_child(Color::Blue);
    simulation.wait(60);
    assert_eq!(simulation.world.created, [1]);
    simulation.world.unknown.clear();
    simulation.wait(60);
    assert_eq!(lineage(&simulation, Color::Blue), [1, 2]);
}

// The next child deleted in mid-transition is created again, from the same savepoint.
#[test]
fn r09_row_24_the_next_child_is_created_again() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Deploying");
    simulation.world.delete_child(Color::Green);
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(lineage(&simulation, Color::Green), [1, 2]);
    assert_eq!(simulation.world.created, [1, 2, 2]);
}

// Deleted again and again: the deadline still aborts.
#[test]
fn r09_row_24_the_abort_fires_without_the_next_child() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Deploying");
    simulation.world.refuse_creation = Some("403 Forbidden".to_owned());
    simulation.world.delete_child(Color::Green);
    simulation.wait(90);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    assert!(error(&simulation).contains("was not ready by") || error(&simulation).contains("deleted"));
}

// ADVANCED: the incoming job may have committed output, so it goes on from its own last checkpoint, not from the savepoint.
#[test]
fn row_24_advanced_the_next_child_goes_on_from_its_own_checkpoint() {
    let mut simulation = advanced();
    simulation.world.set_image("app:unstable");
    simulation.until_step("Deploying");
    simulation.wait(20);
    let (_, reached) = simulation
        .world
        .cluster(Color::Green)
        .unwrap()
        .checkpoint
        .clone()
        .unwrap();
    let job = reached.rsplit_once('/').unwrap().0.to_owned();
    simulation.world.delete_child(Color::Green);
    simulation.wait(10);
    let started = simulation
        .world
        .cluster(Color::Green)
        .unwrap()
        .started_from
        .clone()
        .unwrap();
    assert!(started.starts_with(&job), "{started} is not of {job}");
}

// The active child deleted in mid-transition, the next healthy: forward, finish.
#[test]
fn row_25_without_the_outgoing_child_the_transition_finishes() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Deploying");
    simulation.world.delete_child(Color::Blue);
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(lineage(&simulation, Color::Green), [1, 2]);
}

// The active child deleted in mid-transition and the next fails: the active one comes back with its state.
#[test]
fn r01_row_25_without_the_outgoing_child_an_abort_brings_it_back_with_its_state() {
    let mut simulation = active_green("savepoint");
    simulation.hand_deleted = true;
    simulation.world.set_image("app:broken");
    simulation.until_step("Deploying");
    simulation.world.delete_child(Color::Green);
    simulation.wait(200);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
    assert_eq!(lineage(&simulation, Color::Green)[..2], [1, 2]);
    assert_eq!(simulation.serving_image().as_deref(), Some("app:2"));
}

// The switch is under way and the incoming child, which serves, is deleted: it goes on from where it was.
#[test]
fn row_25_past_the_point_of_no_return_the_incoming_child_goes_on_from_its_checkpoint() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.configure("deployment-deletion.delay", "300 s");
    simulation.world.set_image("app:2");
    simulation.until_step("Switching");
    simulation.wait(60);
    simulation.world.delete_child(Color::Green);
    simulation.wait(20);
    let started = simulation
        .world
        .cluster(Color::Green)
        .unwrap()
        .started_from
        .clone()
        .unwrap();
    assert!(started.contains("/chk/"), "started from {started}");
    simulation.wait(300);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
}

// A child edited by hand is put back.
#[test]
fn row_26_a_child_edited_by_hand_is_put_back() {
    let mut simulation = active("savepoint");
    simulation.world.edit_child(Color::Blue, |child| {
        child.spec.image = Some("app:byhand".to_owned());
    });
    simulation.wait(30);
    assert_eq!(simulation.serving_image().as_deref(), Some("app:1"));
    assert_eq!(lineage(&simulation, Color::Blue), [1]);
}

// Identified by name and owner, not by label; the label is put back.
#[test]
fn row_27_a_colour_label_that_is_gone_is_put_back() {
    let mut simulation = active("savepoint");
    simulation.world.edit_child(Color::Blue, |child| {
        child.metadata.labels.as_mut().unwrap().remove(LABEL_COLOR);
    });
    simulation.wait(10);
    let labels = simulation
        .world
        .child(Color::Blue)
        .unwrap()
        .metadata
        .labels
        .clone()
        .unwrap();
    assert_eq!(labels[LABEL_COLOR], "BLUE");
    assert_eq!(labels[LABEL_TRANSITION], "1");
}

// Somebody else's object of a child's name is refused by name and never touched.
#[test]
fn r08_row_28_a_foreign_child_is_refused_by_name() {
    let mut simulation = active("savepoint");
    simulation.world.add_foreign_child(Color::Green);
    let theirs = simulation.world.child(Color::Green).cloned();
    simulation.world.set_image("app:2");
    simulation.wait(60);
    assert_eq!(simulation.world.child(Color::Green).cloned(), theirs);
    assert!(
        condition(&simulation, "Degraded").contains("app-green"),
        "{}",
        condition(&simulation, "Degraded")
    );
    assert!(
        simulation.world.begun.is_empty(),
        "no savepoint is taken for what cannot be"
    );
    // It goes on once the name is free.
    simulation.world.children.remove("app-green");
    simulation.world.changed = true;
    assert_eq!(simulation.settle(60), Color::Green);
}

// The same for the very first child.
#[test]
fn r08_row_28_a_foreign_first_child_is_refused_by_name() {
    let mut simulation = Simulation::new();
    simulation
        .world
        .create(&crate::support::fixtures::resource_text("stateless"));
    simulation.world.add_foreign_child(Color::Blue);
    simulation.wait(60);
    assert!(simulation.world.created.is_empty());
    assert!(error(&simulation).contains("app-blue"), "{}", error(&simulation));
}

// The earlier child of the colour is still terminating: it is waited for, and left alone.
#[test]
fn r03_row_29_a_terminating_child_is_waited_for() {
    let mut simulation = active("savepoint");
    simulation.world.stuck_finalizers.insert("app-blue".to_owned());
    simulation.world.set_image("app:2");
    assert_eq!(simulation.settle(60), Color::Green);
    let dying = simulation.world.child(Color::Blue).cloned();
    simulation.world.set_image("app:3");
    simulation.until_step("Creating");
    simulation.wait(20);
    assert_eq!(
        simulation.world.child(Color::Blue).cloned(),
        dying,
        "nothing is written to it"
    );
    simulation.world.stuck_finalizers.clear();
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_eq!(lineage(&simulation, Color::Blue), [1, 2, 3]);
}

// A finalizer that is stuck on the old child does not stop the transition from being over.
#[test]
fn row_30_a_stuck_finalizer_on_the_old_child_does_not_hold_the_transition() {
    let mut simulation = active("savepoint");
    simulation.world.stuck_finalizers.insert("app-blue".to_owned());
    simulation.world.set_image("app:2");
    assert_eq!(simulation.settle(60), Color::Green);
    assert!(simulation.world.child(Color::Blue).is_some());
    // And there is no third child.
    assert_eq!(simulation.world.children.len(), 2);
}

// A resource that is being deleted begins nothing.
#[test]
fn row_31_a_resource_that_is_being_deleted_begins_nothing() {
    for step in ["Savepointing", "Creating", "Deploying", "Switching"] {
        let mut simulation = active("savepoint");
        simulation.world.configure("deployment-deletion.delay", "60 s");
        simulation.world.stuck_finalizers.insert("app-green".to_owned());
        simulation.world.set_image("app:2");
        simulation.world.refuse_creation = (step == "Creating").then(|| "403".to_owned());
        simulation.until_step(step);
        simulation.world.delete_resource();
        let decision = sluice_core::bluegreen::decide(&simulation.observe(), simulation.world.now);
        assert!(
            decision.status.is_none() && decision.effects.is_empty(),
            "{step}: {decision:#?}"
        );
    }
}

// A resource created again with the same name: children of the earlier one are not its own.
#[test]
fn row_32_children_of_an_earlier_resource_of_the_same_name_are_not_adopted() {
    let mut simulation = active("savepoint");
    let mut observed = simulation.observe();
    observed.resource.metadata.uid = Some("u-another".to_owned());
    observed.resource.status = None;
    let decision = sluice_core::bluegreen::decide(&observed, simulation.world.now);
    assert!(decision.effects.is_empty(), "{:#?}", decision.effects);
    assert!(sluice_core::bluegreen::invariants::check(&observed, &decision, simulation.world.now).is_empty());
    simulation.forget();
}

// The child's admission webhook, a quota, a right that is missing: quoted, and the active side is untouched.
#[test]
fn row_56_row_57_row_33_what_refuses_the_child_is_quoted() {
    let mut simulation = active("savepoint");
    let before = simulation.world.child(Color::Blue).cloned();
    simulation.world.refuse_creation =
        Some("403 Forbidden: cannot create flinkdeployments in namespace flink".to_owned());
    simulation.world.set_image("app:2");
    simulation.until_step("Creating");
    simulation.wait(20);
    assert!(
        error(&simulation).contains("cannot create flinkdeployments"),
        "{}",
        error(&simulation)
    );
    simulation.wait(90);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    assert!(
        error(&simulation).contains("cannot create flinkdeployments"),
        "{}",
        error(&simulation)
    );
    assert_eq!(simulation.world.child(Color::Blue).cloned(), before);
    // Allowed again, and asked for once more.
    simulation.world.refuse_creation = None;
    simulation.world.annotate("retry", "1");
    assert_eq!(simulation.settle(60), Color::Green);
}

// Under an autoscaler the parallelism of the child is its own.
#[test]
fn row_61_what_the_autoscaler_changes_stays() {
    let mut simulation = active("savepoint");
    simulation.world.set_child(
        "flinkConfiguration",
        json!({ "state.savepoints.dir": "s3://b/sp", "execution.checkpointing.interval": "10 s", "job.autoscaler.enabled": "true" }),
    );
    simulation.wait(60);
    simulation.world.edit_child(Color::Blue, |child| {
        child.spec.flink_configuration.as_mut().unwrap()["pipeline.jobvertex-parallelism-overrides"] =
            json!("a:4");
        child.spec.job.as_mut().unwrap().parallelism = Some(8);
    });
    let scaled = simulation.world.child(Color::Blue).unwrap().spec.clone();
    simulation.wait(30);
    assert_eq!(simulation.world.child(Color::Blue).unwrap().spec, scaled);
    assert!(matches!(
        simulation.world.record().state,
        State::Active(Color::Blue)
    ));
}
