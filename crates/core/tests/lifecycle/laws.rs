//! The laws can be broken: a decision that was tampered with is found out.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_api::flink_deployment::SavepointFormatType;
use sluice_core::Fact;
use sluice_core::lifecycle::{Decision, Effect, Observed, Record, invariants};

use crate::world::World;

fn running() -> World {
    let mut world = World::new("savepoint");
    world.behaviour.checkpoint_every = 7;
    world.run(20);
    world
}

#[track_caller]
fn is_found_out(world: &World, observed: &Observed, decision: &Decision, words: &str) {
    let violations = invariants::check(observed, decision, world.now);
    assert!(
        violations.iter().any(|violation| violation.0.contains(words)),
        "expected {words:?} among {violations:#?}"
    );
}

/// The first observation and decision that deploys something.
fn deploying(world: &mut World) -> (Observed, Decision) {
    loop {
        let observed = world.observe();
        let decision = world.decide(&observed);
        if decision
            .effects
            .iter()
            .any(|effect| matches!(effect, Effect::Deploy { .. }))
        {
            return (observed, decision);
        }
        assert!(
            world.alive().is_none(),
            "it is deployed already\n{}",
            world.transcript
        );
        world.run(1);
    }
}

fn tamper(decision: &mut Decision, pointer: &str, value: Value) {
    let mut status = serde_json::to_value(decision.status.as_ref().unwrap()).unwrap();
    *status.pointer_mut(pointer).unwrap() = value;
    decision.status = Some(serde_json::from_value(status).unwrap());
}

#[test]
fn a_second_cluster() {
    let mut world = World::new("savepoint");
    world.pass();
    let (mut observed, decision) = deploying(&mut world);
    let cluster = {
        let mut running = running();
        let (number, _) = running.alive().unwrap();
        assert_eq!(number, 1);
        running.observe().cluster
    };
    observed.cluster = cluster;
    is_found_out(&world, &observed, &decision, "may be alive");
    observed.cluster = Fact::Unknown("timed out".to_owned());
    is_found_out(&world, &observed, &decision, "may be alive");
}

#[test]
fn another_restore_path_than_the_recorded_one() {
    let mut world = World::new("savepoint");
    world.pass();
    let (observed, mut decision) = deploying(&mut world);
    for effect in &mut decision.effects {
        if let Effect::Deploy { plan } = effect {
            plan.restore = Some(sluice_core::lifecycle::Restore {
                path: "s3://x".to_owned(),
                allow_non_restored_state: false,
            });
        }
    }
    is_found_out(&world, &observed, &decision, "not what the record says");
}

#[test]
fn a_start_from_nothing_after_a_crash() {
    let mut world = running();
    world.kill("exit status 1");
    let observed = world.observe();
    let mut decision = world.decide(&observed);
    tamper(&mut decision, "/sluice/restoredFrom", Value::Null);
    is_found_out(&world, &observed, &decision, "older than a checkpoint");
    tamper(&mut decision, "/sluice/deployment", json!(0));
    is_found_out(&world, &observed, &decision, "deployment number fell");
}

#[test]
fn a_savepoint_that_nobody_recorded() {
    let mut world = running();
    let observed = world.observe();
    let mut decision = world.decide(&observed);
    decision.effects.push(Effect::StopWithSavepoint {
        job_id: world.record().unwrap().job_id,
        trigger_id: "0".repeat(32),
        directory: "s3://b/sp".to_owned(),
        format: SavepointFormatType::Canonical,
    });
    is_found_out(&world, &observed, &decision, "not what the record says");
}

#[test]
fn a_finalizer_that_goes_too_early() {
    let mut world = running();
    world.delete();
    let observed = world.observe();
    let mut decision = world.decide(&observed);
    decision.effects = vec![Effect::RemoveFinalizer];
    is_found_out(
        &world,
        &observed,
        &decision,
        "before the cluster is known to be gone",
    );
}

/// Deployment 1 is suspended before its launch; then it is launched all the same, and completes a checkpoint.
fn launched_late() -> World {
    let mut world = World::new("savepoint");
    world.pass();
    let (observed, launching) = deploying(&mut world);
    let version = world.version;
    world.edit(&[("/job/state", json!("suspended"))]);
    world.pass();
    assert!(observed.cluster.is_absent());
    world.carry_out(&launching, version, usize::MAX);
    for _ in 0..5 {
        world.tick(SignedDuration::from_secs(1));
    }
    world.checkpoint();
    world
}

#[test]
fn a_cluster_that_was_launched_late_and_is_stopped_without_its_state() {
    let mut world = launched_late();
    let observed = world.observe();
    let mut decision = world.decide(&observed);
    decision.status = None;
    decision.effects = vec![Effect::StopCluster { deployment: 1 }];
    is_found_out(&world, &observed, &decision, "not what the record says");
}

#[test]
fn a_start_without_what_a_cluster_that_was_launched_late_has_completed() {
    let mut world = launched_late();
    world.kill("exit status 1");
    world.edit(&[("/job/state", json!("running"))]);
    let observed = world.observe();
    let mut decision = world.decide(&observed);
    assert_eq!(
        observed
            .resource
            .status
            .as_ref()
            .and_then(Record::read)
            .unwrap()
            .deployment,
        1
    );
    tamper(&mut decision, "/sluice/deployment", json!(2));
    tamper(&mut decision, "/sluice/restoredFrom", Value::Null);
    is_found_out(&world, &observed, &decision, "older than a checkpoint");
}
