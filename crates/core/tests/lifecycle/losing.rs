//! A record that is lost while the cluster runs, and made anew from what is there.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_core::lifecycle::Step;

use crate::world::World;

/// A world with a stable job.
fn running() -> World {
    let mut world = World::new("savepoint");
    world.behaviour.checkpoint_every = 7;
    world.run(20);
    world.transcript.clear();
    world
}

fn lose_the_record(world: &mut World) {
    world.resource.status = None;
    world.version += 1;
    world.say("STORE   the status is lost");
}

fn lifecycle(world: &World) -> Value {
    json!(world.resource.status.as_ref().unwrap().lifecycle_state)
}

#[test]
fn a_job_that_is_to_be_suspended_is_suspended_though_the_record_was_lost_before() {
    let mut world = running();
    world.edit(&[("/job/state", json!("suspended"))]);
    lose_the_record(&mut world);
    world.run(20);
    insta::assert_snapshot!(world.transcript);
    assert!(world.alive().is_none());
    assert!(matches!(
        world.record().unwrap().step,
        Step::Suspended { restore: Some(_), .. }
    ));
}

#[test]
fn a_savepoint_from_before_the_loss_is_not_taken_for_the_one_that_is_asked_for_now() {
    let mut world = running();
    world.edit(&[("/job/savepointTriggerNonce", json!(1))]);
    world.run(10);
    assert_eq!(world.savepoints.len(), 1);
    let first = world.savepoints.values().next().unwrap().0.clone();

    lose_the_record(&mut world);
    world.run(5);
    world.edit(&[("/job/savepointTriggerNonce", json!(2))]);
    world.run(10);
    assert_eq!(world.savepoints.len(), 2, "{}", world.transcript);

    world.edit(&[("/image", json!("flink:2"))]);
    world.run(30);
    assert_eq!(world.savepoints.len(), 3, "{}", world.transcript);
    let record = world.record().unwrap();
    assert_eq!((record.deployment, lifecycle(&world)), (2, json!("STABLE")));
    assert_ne!(record.restored_from, Some(first));
}

#[test]
fn a_checkpoint_from_before_the_loss_is_not_taken_for_the_one_that_is_asked_for_now() {
    let mut world = running();
    world.edit(&[("/job/checkpointTriggerNonce", json!(1))]);
    world.run(10);
    world.behaviour.checkpoint_every = 0;
    let before = world.observe().checkpoint.present().unwrap().id;

    lose_the_record(&mut world);
    world.run(5);
    world.edit(&[("/job/checkpointTriggerNonce", json!(2))]);
    world.run(10);
    let after = world.observe().checkpoint.present().unwrap().id;
    assert_eq!(after, before + 1, "{}", world.transcript);
}

#[test]
fn a_stop_that_the_record_forgot_never_ends_with_a_start_from_before_its_savepoint() {
    let mut world = running();
    world.behaviour.checkpoint_every = 0;
    world.edit(&[("/image", json!("flink:2"))]);
    world.run(20);
    let restored = world.record().unwrap().restored_from;
    assert!(restored.is_some());

    // The savepoint is complete and its output committed; Flink has not said so yet.
    world.edit(&[("/job/state", json!("suspended"))]);
    while world.savepoints.len() < 2 {
        world.pass();
        world.tick(SignedDuration::from_millis(500));
    }
    lose_the_record(&mut world);
    world.edit(&[("/job/state", json!("running"))]);
    world.pass();
    world.kill("exit status 137");
    world.run(30);
    let status = world.resource.status.clone().unwrap();
    assert_eq!(world.record().unwrap().deployment, 2, "{}", world.transcript);
    assert!(status.error.unwrap().contains("savepointRedeployNonce"));
}
