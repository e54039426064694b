//! When a job counts as stable: never because a restart was not looked at.

use jiff::SignedDuration;
use serde_json::{Value, json};
use sluice_core::Wake;
use sluice_core::lifecycle::Step;

use crate::world::World;

fn lifecycle(world: &World) -> Value {
    json!(world.resource.status.as_ref().unwrap().lifecycle_state)
}

#[test]
fn a_job_that_restarts_all_the_time_is_never_stable() {
    let mut world = World::new("savepoint");
    world.behaviour.restarts_every = 3;
    for _ in 0..30 {
        world.run(1);
        assert_ne!(lifecycle(&world), "STABLE", "{}", world.transcript);
    }
    assert!(
        world
            .resource
            .status
            .as_ref()
            .unwrap()
            .error
            .as_ref()
            .unwrap()
            .contains("the source is not there")
    );
}

#[test]
fn a_restart_behind_the_copy_that_a_job_manager_answers_from_is_not_missed() {
    for configured in [None, Some("10000"), Some("5 s"), Some("200")] {
        let mut world = World::new("savepoint");
        if let Some(interval) = configured {
            world.edit(&[("/flinkConfiguration/web.refresh-interval", json!(interval))]);
        }
        world.behaviour.answers_from_copies = true;
        world.behaviour.restarts_every = 3;
        for _ in 0..30 {
            world.run(1);
            assert_ne!(lifecycle(&world), "STABLE", "{}", world.transcript);
        }
        world.behaviour.restarts_every = 0;
        world.run(10);
        assert_eq!(lifecycle(&world), "STABLE", "{}", world.transcript);
    }
}

/// A world whose job was seen running with all its tasks for the first time just now.
fn just_running() -> World {
    let mut world = World::new("savepoint");
    let is_seen = |world: &World| {
        world.record().is_some_and(|record| {
            matches!(
                record.step,
                Step::Deploying {
                    first_look: Some(_),
                    ..
                }
            )
        })
    };
    while !is_seen(&world) {
        assert!(world.processes.len() < 2, "{}", world.transcript);
        if world.pass().wake != Wake::Now {
            world.tick(SignedDuration::from_millis(500));
        }
    }
    world
}

#[test]
fn a_restart_that_no_look_saw_begins_the_settling_anew() {
    let mut world = just_running();
    world.fail_task();
    world.tick(SignedDuration::from_millis(500));
    world.tick(SignedDuration::from_millis(2500));
    world.pass();
    assert_ne!(lifecycle(&world), "STABLE", "{}", world.transcript);
    world.tick(SignedDuration::from_millis(1900));
    world.pass();
    assert_ne!(lifecycle(&world), "STABLE", "{}", world.transcript);
    world.tick(SignedDuration::from_millis(100));
    world.pass();
    assert_eq!(lifecycle(&world), "STABLE", "{}", world.transcript);
}

#[test]
fn a_checkpoint_from_before_a_restart_makes_no_job_stable() {
    let mut world = just_running();
    world.checkpoint();
    world.fail_task();
    world.tick(SignedDuration::from_millis(500));
    world.pass();
    assert_ne!(lifecycle(&world), "STABLE", "{}", world.transcript);
    world.checkpoint();
    world.pass();
    assert_eq!(lifecycle(&world), "STABLE", "{}", world.transcript);
}
