//! The switch: a point of no return, the Ingress first, the delay, then the deletion; and what an abort leaves.

use serde_json::json;
use sluice_api::JobState;
use sluice_api::blue_green::Outcome;
use sluice_core::Color;
use sluice_core::bluegreen::decide;
use sluice_core::bluegreen::decision::Effect;
use sluice_core::fields;

use super::{active, active_green, advanced, condition, error, lineage, told};
use crate::support::fixtures::resource_text;
use crate::support::shell::{Fault, Simulation};

fn with_ingress() -> Simulation {
    let mut text = resource_text("stateless");
    text["spec"]["ingress"] = json!({ "template": "{{name}}.example.com" });
    let mut simulation = Simulation::new();
    simulation.world.create(&text);
    simulation.settle(40);
    simulation
}

// Blue goes, green blips: no abort, there is nothing to go back to.
#[test]
fn u01_a_blip_after_the_point_of_no_return_aborts_nothing() {
    let mut simulation = active("savepoint");
    simulation.world.configure("deployment-deletion.delay", "30 s");
    simulation.world.set_image("app:2");
    simulation.until_step("Switching");
    simulation.world.cluster_mut(Color::Green).unwrap().failed_by_hand = true;
    simulation.wait(120);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
    assert_eq!(simulation.world.record().history[0].outcome, Outcome::Completed);
    assert!(condition(&simulation, "Available").starts_with("False JobNotRunning"));
}

// The crash variant: the operator dies right after the deletion.
#[test]
fn u01_row_11_a_crash_after_the_deletion_goes_forward() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Deploying");
    // The point of no return, then the deletion.
    simulation
        .faults
        .insert(simulation.requests + 2, Fault::CrashAfter);
    while told(&simulation, "operator dies") == 0 {
        simulation.tick();
    }
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(told(&simulation, "TransitionAborted"), 0);
}

// After an abort nothing is left over that makes the next deployment delete blue at once.
#[test]
fn u02_after_an_abort_the_next_deletion_keeps_its_delay() {
    let mut simulation = active("savepoint");
    simulation.world.configure("deployment-deletion.delay", "60 s");
    simulation.world.configure("promotion", "MANUAL");
    simulation.world.set_image("app:2");
    simulation.until_step("AwaitingPromotion");
    simulation.world.annotate("abort", "1");
    simulation.wait(10);
    assert_eq!(simulation.world.status().deployment_ready_timestamp.0, None);
    simulation.world.configure("promotion", "AUTO");
    simulation.world.set_image("app:3");
    simulation.until_step("Switching");
    simulation.wait(50);
    assert!(
        simulation.world.child(Color::Blue).is_some(),
        "blue stays for the delay"
    );
    assert_eq!(simulation.settle(60), Color::Green);
}

// The next attempt after an abort starts from a fresh child and its own savepoint.
#[test]
fn u04_a_retry_starts_a_fresh_child_from_its_own_savepoint() {
    let mut simulation = active("savepoint");
    simulation.world.configure("abort.failed-deployment", "SUSPEND");
    simulation.world.set_image("app:stuck");
    simulation.wait(150);
    let failed = simulation.world.uid_of("app-green");
    simulation.world.annotate("retry", "1");
    simulation.until_step("Deploying");
    assert_ne!(simulation.world.uid_of("app-green"), failed);
    simulation.wait(5);
    let started = simulation
        .world
        .cluster(Color::Green)
        .unwrap()
        .started_from
        .clone();
    assert_eq!(started.as_deref(), Some("s3://b/sp/u-app/3-1/savepoint-1"));
}

// The child's own error is on the parent, and the parent says that blue serves.
#[test]
fn u11_row_58_the_failed_childs_own_error_is_told_and_blue_is_available() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:broken");
    simulation.wait(150);
    assert!(
        error(&simulation).contains("the job's main method threw"),
        "{}",
        error(&simulation)
    );
    assert_eq!(condition(&simulation, "Available"), "True JobRunning blue serves");
    assert!(condition(&simulation, "Degraded").starts_with("True TransitionAborted"));
}

// Events and the history say why.
#[test]
fn u16_events_and_history_say_why_a_transition_ended() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:broken");
    simulation.wait(150);
    assert_eq!(told(&simulation, "warning TransitionAborted"), 1);
    let entry = &simulation.world.record().history[0];
    assert_eq!(entry.outcome, Outcome::Aborted);
    assert!(
        entry
            .message
            .as_ref()
            .unwrap()
            .contains("the job's main method threw")
    );
}

// The Ingress cannot be switched: the transition waits, both children stay, blue serves on.
#[test]
fn row_12_while_the_ingress_cannot_be_switched_nothing_is_deleted() {
    let mut simulation = with_ingress();
    simulation.world.refuse_ingress = Some("403 Forbidden: cannot update ingresses".to_owned());
    simulation.world.set_image("app:2");
    simulation.until_step("Switching");
    simulation.wait(300);
    assert!(simulation.world.child(Color::Blue).is_some());
    assert_eq!(
        simulation.world.ingress_backend().as_deref(),
        Some("app-blue-rest")
    );
    assert!(
        error(&simulation).contains("cannot update ingresses"),
        "{}",
        error(&simulation)
    );
    simulation.world.refuse_ingress = None;
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(
        simulation.world.ingress_backend().as_deref(),
        Some("app-green-rest")
    );
}

// A decision depends on what is there and not on what woke it: no event, or twice the same, changes nothing.
#[test]
fn row_16_doubled_and_lost_events_change_nothing() {
    let mut doubled = active("savepoint");
    let mut lost = doubled.clone();
    for simulation in [&mut doubled, &mut lost] {
        simulation.world.set_image("app:2");
    }
    for _ in 0..60 {
        doubled.tick();
        doubled.look();
        doubled.look();
        // Nobody is told: only the time that the decision asked for wakes the shell.
        lost.world.now = lost
            .world
            .now
            .saturating_add(crate::support::world::TICK)
            .unwrap();
        lost.world.tick_children();
        lost.world.changed = false;
        lost.looks();
    }
    // The first look needs the edit to be seen once.
    lost.world.changed = true;
    for _ in 0..60 {
        lost.tick();
    }
    for simulation in [&doubled, &lost] {
        assert_eq!(simulation.world.settled_on(), Some(Color::Green));
        assert_eq!(simulation.world.created, [1, 2]);
    }
}

// Two operators at once: the conditional write lets one of them act.
#[test]
fn row_21_row_22_of_two_operators_one_write_wins() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    let observed = simulation.observe();
    let first = decide(&observed, simulation.world.now);
    let second = decide(&observed, simulation.world.now);
    let version = observed.resource.metadata.resource_version.clone();
    let world = &mut simulation.world;
    assert!(
        world
            .write_status(version.as_deref(), first.status.as_ref().unwrap())
            .is_ok()
    );
    assert!(
        world
            .write_status(version.as_deref(), second.status.as_ref().unwrap())
            .is_err()
    );
    for effect in first.effects.iter().chain(&second.effects) {
        let _ = world.carry_out(effect);
    }
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(simulation.world.begun.values().copied().collect::<Vec<_>>(), [1]);
    assert_eq!(simulation.world.created, [1, 2]);
}

// Edited or deleted by hand, the Ingress is put back; a settled one costs nothing.
#[test]
fn row_36_the_ingress_is_put_back() {
    let mut simulation = with_ingress();
    simulation.world.ingress.as_mut().unwrap().spec = None;
    simulation.world.changed = true;
    simulation.wait(10);
    assert_eq!(
        simulation.world.ingress_backend().as_deref(),
        Some("app-blue-rest")
    );
    simulation.world.ingress = None;
    simulation.world.changed = true;
    simulation.wait(10);
    assert_eq!(
        simulation.world.ingress_backend().as_deref(),
        Some("app-blue-rest")
    );
    let writes = simulation.world.writes;
    simulation.world.changed = true;
    simulation.wait(60);
    assert_eq!(simulation.world.writes, writes);
}

// Somebody else's Ingress of the resource's name is refused, and the switch does not lead it away.
#[test]
fn row_37_a_foreign_ingress_is_not_touched() {
    let mut simulation = with_ingress();
    let theirs = simulation.world.ingress.as_mut().unwrap();
    theirs.metadata.owner_references = None;
    theirs.metadata.uid = Some("u-theirs".to_owned());
    theirs.spec = None;
    let theirs = simulation.world.ingress.clone();
    simulation.world.changed = true;
    simulation.wait(30);
    assert_eq!(simulation.world.ingress, theirs);
    assert!(
        condition(&simulation, "Degraded").contains("IngressConflict"),
        "{}",
        condition(&simulation, "Degraded")
    );
}

// The child's own Ingress gets its colour before the host, or before the path if there is no host.
#[test]
fn row_38_the_childs_own_ingress_bears_its_colour() {
    for (template, green) in [
        ("{{name}}.example.com", "green-{{name}}.example.com"),
        ("/{{namespace}}/{{name}}", "/green-{{namespace}}/{{name}}"),
        ("https://example.com/x", "https://green-example.com/x"),
    ] {
        let mut simulation = active("stateless");
        simulation
            .world
            .set_child("ingress", json!({ "template": template }));
        assert_eq!(simulation.settle(60), Color::Green);
        let ingress = simulation.world.child(Color::Green).unwrap().spec.ingress.clone();
        assert_eq!(ingress.unwrap().template.as_deref(), Some(green));
    }
}

// A blip in a long deletion delay: no abort, whatever the abort clock would have said.
#[test]
fn r11_row_45_a_blip_in_the_deletion_delay_aborts_nothing() {
    let mut simulation = active("savepoint");
    simulation.world.configure("deployment-deletion.delay", "10 min");
    simulation.world.set_image("app:2");
    simulation.until_step("Switching");
    simulation.wait(300);
    simulation.world.cluster_mut(Color::Green).unwrap().failed_by_hand = true;
    simulation.wait(100);
    assert_eq!(simulation.step(), Some("Switching"));
    simulation.world.cluster_mut(Color::Green).unwrap().failed_by_hand = false;
    simulation.wait(300);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
}

// The clock jumps: nothing is deleted before its delay, nothing panics, and it goes on.
#[test]
fn row_50_a_clock_that_jumps_breaks_nothing() {
    let mut simulation = active("savepoint");
    simulation.world.configure("deployment-deletion.delay", "120 s");
    simulation.world.set_image("app:2");
    simulation.until_step("Switching");
    let now = simulation.world.now;
    simulation.world.now = now.saturating_sub(jiff::SignedDuration::from_hours(1)).unwrap();
    simulation.wait(60);
    assert!(
        simulation.world.child(Color::Blue).is_some(),
        "an hour back is no reason to delete"
    );
    simulation.world.now = now;
    simulation.wait(200);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
}

// The operator was away for longer than the grace: it looks first, and a child that is ready is ready.
#[test]
fn row_51_an_operator_that_was_away_looks_before_it_aborts() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Deploying");
    for _ in 0..60 {
        simulation.world.now = simulation
            .world
            .now
            .saturating_add(crate::support::world::TICK)
            .unwrap();
        simulation.world.tick_children();
    }
    simulation.forget();
    assert_eq!(simulation.settle(60), Color::Green);
}

// Away before the child was created at all: the time did not count.
#[test]
fn row_51_an_operator_that_was_away_before_the_creation_creates() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    // It dies after it has recorded that it will create.
    simulation
        .faults
        .insert(simulation.requests + 2, Fault::CrashAfter);
    while told(&simulation, "operator dies") == 0 {
        simulation.world.now = simulation
            .world
            .now
            .saturating_add(crate::support::world::TICK)
            .unwrap();
        simulation.world.tick_children();
        simulation.look();
    }
    simulation.world.now = simulation
        .world
        .now
        .saturating_add(jiff::SignedDuration::from_hours(2))
        .unwrap();
    assert_eq!(simulation.settle(60), Color::Green);
}

// ADVANCED: what will not stop is verified: the outgoing job is resumed only when the incoming one is stopped.
#[test]
fn row_59_the_outgoing_job_comes_back_only_when_the_incoming_one_is_stopped() {
    let mut simulation = advanced();
    simulation.world.set_image("app:unstable");
    simulation.until_step("Returning");
    simulation.world.unknown.insert("green");
    simulation.wait(200);
    let blue = simulation.world.child(Color::Blue).unwrap();
    assert_eq!(
        fields::job_state(&blue.spec),
        JobState::Suspended,
        "nobody knows whether green has stopped"
    );
    simulation.world.unknown.clear();
    simulation.wait(60);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    assert_eq!(lineage(&simulation, Color::Blue), [1, 2, 1]);
}

// BASIC: a kept child that comes up after all is said to write beside the active one, and its time ends it.
#[test]
fn row_59_a_kept_child_that_comes_up_is_told_and_ends_by_its_time() {
    let mut simulation = active("savepoint");
    simulation.world.configure("abort.failed-deployment.ttl", "5 min");
    simulation.world.set_image("app:unstable");
    simulation.wait(150);
    assert!(condition(&simulation, "Degraded").contains("runs and writes beside the active one"));
    simulation.wait(300);
    assert!(simulation.world.child(Color::Green).is_none());
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
}

// ADVANCED: an earlier green's checkpoint is none of this transition's: blue comes back from its own savepoint.
#[test]
fn r04_advanced_an_abort_before_the_incoming_child_returns_to_the_own_savepoint() {
    let mut simulation = advanced();
    // Green has run once, and has left its checkpoints.
    for image in ["app:2", "app:3"] {
        simulation.world.set_image(image);
        simulation.settle(60);
    }
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    simulation.world.refuse_creation = Some("403 Forbidden: exceeded quota".to_owned());
    simulation.world.set_image("app:4");
    simulation.wait(200);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    assert_eq!(
        lineage(&simulation, Color::Blue),
        [1, 2, 3],
        "not green's state of transition 2"
    );
}

// A first deployment that fails, and its fix: a fresh child.
#[test]
fn row_60_the_fix_of_a_failed_first_deployment_is_a_fresh_child() {
    let mut simulation = Simulation::new();
    let mut text = resource_text("savepoint");
    text["spec"]["template"]["spec"]["image"] = json!("app:broken");
    simulation.world.create(&text);
    simulation.wait(120);
    let failed = simulation.world.uid_of("app-blue");
    simulation.world.set_image("app:1");
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_ne!(simulation.world.uid_of("app-blue"), failed);
}

// Deletes carry uid and resourceVersion.
#[test]
fn row_11_a_deletion_names_the_very_object() {
    let mut simulation = active_green("stateless");
    simulation.world.set_image("app:3");
    simulation.until_step("Deploying");
    while !simulation
        .world
        .child(Color::Blue)
        .is_some_and(sluice_core::bluegreen::child::is_ready)
    {
        simulation.world.tick_children();
    }
    // The point of no return first; the deletion is decided with it.
    let decision = decide(&simulation.observe(), simulation.world.now);
    let green = &simulation.world.child(Color::Green).unwrap().metadata;
    assert_eq!(
        decision.effects.last(),
        Some(&Effect::DeleteChild {
            name: "app-green".to_owned(),
            uid: green.uid.clone().unwrap(),
            resource_version: green.resource_version.clone().unwrap(),
        })
    );
    assert!(decision.status.unwrap().deployment_ready_timestamp.0.is_some());
}
