//! A cluster that dies while its job is being stopped with a savepoint: a savepoint that is complete is found in its
//! directory, and nothing takes a second one.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_core::lifecycle::{OperationProgress, Step};

use crate::world::World;

const SAVEPOINT: &str = "s3://b/sp/u-1/1-1/savepoint";

/// A world whose stable job is being suspended: the request for the savepoint has been sent.
fn suspending() -> World {
    let mut world = World::new("savepoint");
    world.behaviour.checkpoint_every = 7;
    world.run(20);
    world.transcript.clear();
    world.edit(&[("/job/state", json!("suspended"))]);
    while world.savepoints_started.is_empty() {
        world.pass();
    }
    world
}

/// The savepoint is complete in its directory, and Flink has not said so yet.
fn suspending_with_the_savepoint_on_disk() -> World {
    let mut world = suspending();
    while world.savepoints.is_empty() {
        world.tick(SignedDuration::from_millis(500));
    }
    world
}

fn lifecycle(world: &World) -> Value {
    json!(world.resource.status.as_ref().unwrap().lifecycle_state)
}

/// What a suspended deployment will resume from.
fn kept(world: &World) -> Option<String> {
    match world.record().unwrap().step {
        Step::Suspended { restore, .. } => restore,
        _ => None,
    }
}

#[track_caller]
fn resumes_from(world: &mut World, path: &str) {
    assert_eq!(world.savepoints_started.len(), 1, "{}", world.transcript);
    world.edit(&[("/job/state", json!("running"))]);
    world.run(20);
    assert_eq!(lifecycle(world), "STABLE", "{}", world.transcript);
    let record = world.record().unwrap();
    assert_eq!(
        (record.deployment, record.restored_from.as_deref()),
        (2, Some(path))
    );
    assert_eq!(world.savepoints_started.len(), 1, "{}", world.transcript);
}

#[test]
fn a_savepoint_that_was_complete_before_the_cluster_died_is_what_the_job_resumes_from() {
    let mut world = suspending_with_the_savepoint_on_disk();
    world.kill("exit status 137");
    world.run(20);
    assert_eq!(kept(&world).as_deref(), Some(SAVEPOINT), "{}", world.transcript);
    let job = world
        .resource
        .status
        .as_ref()
        .unwrap()
        .job_status
        .clone()
        .unwrap();
    assert_eq!(job.upgrade_savepoint_path.as_deref(), Some(SAVEPOINT));
    assert!(world.is_settled());
    resumes_from(&mut world, SAVEPOINT);
}

#[test]
fn a_savepoint_that_was_not_complete_is_not_taken_again_and_the_last_checkpoint_counts() {
    let mut world = suspending();
    let checkpoint = world.observe().checkpoint.present().unwrap().path.clone();
    world.kill("exit status 137");
    world.run(20);
    assert_eq!(kept(&world).as_ref(), Some(&checkpoint), "{}", world.transcript);
    resumes_from(&mut world, &checkpoint);
}

#[test]
fn a_savepoint_that_cannot_be_looked_for_is_not_taken_for_none() {
    let mut world = suspending_with_the_savepoint_on_disk();
    world.behaviour.savepoints_are_unreadable = true;
    world.kill("exit status 137");
    world.run(60);
    assert!(
        matches!(world.record().unwrap().step, Step::Stopping { .. }),
        "{}",
        world.transcript
    );
    assert_eq!(world.resource.status.as_ref().unwrap().error, None);

    world.run(60);
    let error = world.resource.status.as_ref().unwrap().error.clone().unwrap();
    assert!(error.contains("s3://b/sp/u-1/1-1"), "{error}");
    assert!(
        error.contains("the place of the savepoints cannot be read"),
        "{error}"
    );
    assert!(error.contains("savepointRedeployNonce"), "{error}");

    world.behaviour.savepoints_are_unreadable = false;
    world.run(20);
    assert_eq!(world.resource.status.as_ref().unwrap().error, None);
    assert_eq!(kept(&world).as_deref(), Some(SAVEPOINT), "{}", world.transcript);
    resumes_from(&mut world, SAVEPOINT);
}

#[test]
fn a_person_can_go_on_without_the_savepoint_that_cannot_be_looked_for() {
    for (edits, restores) in [
        (
            [
                ("/job/savepointRedeployNonce", json!(1)),
                ("/job/initialSavepointPath", json!("s3://user/backup")),
            ],
            Some("s3://user/backup"),
        ),
        (
            [
                ("/job/upgradeMode", json!("stateless")),
                ("/job/state", json!("running")),
            ],
            None,
        ),
    ] {
        let mut world = suspending_with_the_savepoint_on_disk();
        world.behaviour.savepoints_are_unreadable = true;
        world.kill("exit status 137");
        world.run(5);
        world.edit(&[("/job/state", json!("running"))]);
        world.edit(&edits);
        world.run(20);
        assert_eq!(lifecycle(&world), "STABLE", "{}", world.transcript);
        assert_eq!(world.record().unwrap().restored_from.as_deref(), restores);
    }
}

#[test]
fn a_complete_savepoint_of_a_job_that_went_on_gives_way_to_a_later_checkpoint() {
    let mut world = suspending_with_the_savepoint_on_disk();
    let (_, process) = world.alive().unwrap();
    for operation in process.operations.values_mut() {
        operation.progress = OperationProgress::Failed {
            cause: "a task failed after the savepoint".to_owned(),
        };
    }
    let job = process.job.as_mut().unwrap();
    job.is_stopping = false;
    job.progress += 1;
    world.checkpoint();
    let checkpoint = world.observe().checkpoint.present().unwrap().path.clone();
    world.kill("exit status 137");
    world.run(20);
    assert_eq!(kept(&world).as_ref(), Some(&checkpoint), "{}", world.transcript);
    resumes_from(&mut world, &checkpoint);
}
