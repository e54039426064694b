//! Whatever crashes, is late, is not known or is read stale: no second cluster, no second savepoint of one attempt, no
//! start from anything older than what is committed. The world asserts that at every effect, and the laws at every decision.

use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::json;
use sluice_core::Fact;
use sluice_core::lifecycle::record::Stop;
use sluice_core::lifecycle::{Observed, OperationProgress, Step};

use crate::world::World;

/// What happens next.
#[derive(Clone, Debug)]
enum Happening {
    Tick(i64),
    Pass(Fault),
    /// The facts are read now; the decision is taken and carried out later.
    Look,
    PassOnTheLastLook,
    Image(u8),
    Suspend,
    Resume,
    Restart,
    Mode(u8),
    SavepointByHand,
    CheckpointByHand,
    Invalid(bool),
    Checkpoint,
    TaskFails,
    JobManagerDies,
    SavepointsFail(u32),
    RecordIsLost,
}

/// What goes wrong in a pass.
#[derive(Clone, Debug)]
enum Fault {
    None,
    CrashBeforeTheStatus,
    CrashAfterEffects(usize),
    Unknown(u8),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        20 => (200_i64..3000).prop_map(Happening::Tick),
        20 => fault().prop_map(Happening::Pass),
        3 => Just(Happening::Look),
        3 => Just(Happening::PassOnTheLastLook),
        2 => any::<u8>().prop_map(Happening::Image),
        1 => Just(Happening::Suspend),
        2 => Just(Happening::Resume),
        1 => any::<u8>().prop_map(|_| Happening::Restart),
        1 => (0_u8..2).prop_map(Happening::Mode),
        1 => Just(Happening::SavepointByHand),
        1 => Just(Happening::CheckpointByHand),
        1 => any::<bool>().prop_map(Happening::Invalid),
        3 => Just(Happening::Checkpoint),
        1 => Just(Happening::TaskFails),
        2 => Just(Happening::JobManagerDies),
        1 => (0_u32..4).prop_map(Happening::SavepointsFail),
        1 => Just(Happening::RecordIsLost),
    ]
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        6 => Just(Fault::None),
        1 => Just(Fault::CrashBeforeTheStatus),
        2 => (0_usize..2).prop_map(Fault::CrashAfterEffects),
        2 => (1_u8..16).prop_map(Fault::Unknown),
    ]
}

/// Some facts cannot be asked for.
fn blinded(mut observed: Observed, which: u8) -> Observed {
    let why = || "timed out".to_owned();
    if which & 1 != 0 {
        observed.cluster = Fact::Unknown(why());
    }
    if which & 2 != 0 {
        observed.job = Fact::Unknown(why());
    }
    if which & 4 != 0 {
        observed.checkpoint = Fact::Unknown(why());
    }
    if which & 8 != 0 {
        for operation in &mut observed.operations {
            operation.progress = Fact::Unknown(why());
        }
    }
    observed
}

fn live_through(world: &mut World, happenings: &[Happening]) {
    let mut look: Option<(Observed, u64)> = None;
    for (number, happening) in happenings.iter().enumerate() {
        match happening {
            Happening::Tick(milliseconds) => world.tick(SignedDuration::from_millis(*milliseconds)),
            Happening::Pass(fault) => {
                let observed = world.observe();
                let observed = match fault {
                    Fault::Unknown(which) => blinded(observed, *which),
                    Fault::None | Fault::CrashBeforeTheStatus | Fault::CrashAfterEffects(_) => observed,
                };
                let decision = world.decide(&observed);
                match fault {
                    Fault::CrashBeforeTheStatus => {}
                    Fault::CrashAfterEffects(effects) => world.carry_out(&decision, world.version, *effects),
                    Fault::None | Fault::Unknown(_) => world.carry_out(&decision, world.version, usize::MAX),
                }
            }
            Happening::Look => look = Some((world.observe(), world.version)),
            Happening::PassOnTheLastLook => {
                if let Some((observed, version)) = look.take() {
                    let decision = world.decide(&observed);
                    world.carry_out(&decision, version, usize::MAX);
                }
            }
            Happening::Image(image) => world.edit(&[("/image", json!(format!("flink:{image}")))]),
            Happening::Suspend => world.edit(&[("/job/state", json!("suspended"))]),
            Happening::Resume => world.edit(&[("/job/state", json!("running"))]),
            Happening::Restart => world.edit(&[("/restartNonce", json!(number))]),
            Happening::Mode(mode) => {
                let mode = if *mode == 0 { "savepoint" } else { "last-state" };
                world.edit(&[("/job/upgradeMode", json!(mode))]);
            }
            Happening::SavepointByHand => world.edit(&[("/job/savepointTriggerNonce", json!(number))]),
            Happening::CheckpointByHand => world.edit(&[("/job/checkpointTriggerNonce", json!(number))]),
            Happening::Invalid(is_invalid) => {
                world.edit(&[("/job/parallelism", json!(i32::from(!*is_invalid) * 2))]);
            }
            Happening::Checkpoint => world.checkpoint(),
            Happening::TaskFails => world.fail_task(),
            Happening::JobManagerDies => world.kill("exit status 137"),
            Happening::SavepointsFail(number) => world.behaviour.savepoints_fail = *number,
            Happening::RecordIsLost => {
                // Only while the cluster is there to tell; otherwise a person has to say what to restore.
                if world.alive().is_some() && !is_being_stopped_with_a_savepoint(world) {
                    world.resource.status = None;
                    world.version += 1;
                    look = None;
                }
            }
        }
    }
}

/// Only the record knows the directory of a savepoint that a job is being stopped with. If it is lost just then, and the
/// JobManager dies before the job has ended, nobody can tell that the savepoint is newer than the last checkpoint.
fn is_being_stopped_with_a_savepoint(world: &mut World) -> bool {
    let is_recorded = world.record().is_some_and(|record| {
        matches!(
            record.step,
            Step::Stopping {
                stop: Stop::Savepoint { .. },
                ..
            }
        )
    });
    let is_under_way = world.alive().is_some_and(|(_, process)| {
        let mut operations = process.operations.values();
        operations.any(|operation| operation.stops && operation.progress == OperationProgress::InProgress)
    });
    is_recorded || is_under_way
}

/// Deployment 1 is suspended before its launch; then an operator that looked before that launches it all the same.
fn launched_after_its_suspension() -> World {
    let mut world = World::new("savepoint");
    live_through(&mut world, &[Happening::Pass(Fault::None)]);
    let (late, version) = (world.observe(), world.version);
    live_through(&mut world, &[Happening::Suspend, Happening::Pass(Fault::None)]);
    assert!(matches!(
        world.record().unwrap().step,
        Step::Suspended { restore: None, .. }
    ));
    let decision = world.decide(&late);
    world.carry_out(&decision, version, usize::MAX);
    for _ in 0..5 {
        world.tick(SignedDuration::from_secs(1));
    }
    world.checkpoint();
    assert_eq!(world.alive().unwrap().0, 1);
    world
}

/// The world asserts at the next launch that nothing is lost.
#[test]
fn a_deployment_that_is_launched_after_its_suspension_keeps_what_it_completed() {
    let mut world = launched_after_its_suspension();
    world.run(20);
    assert!(world.alive().is_none(), "{}", world.transcript);
    let step = world.record().unwrap().step;
    assert!(
        matches!(&step, Step::Suspended { restore: Some(_), .. }),
        "{step:?}\n{}",
        world.transcript
    );
    world.edit(&[("/job/state", json!("running")), ("/image", json!("flink:last"))]);
    world.run(60);
    assert_eq!(world.alive().unwrap().0, 2, "{}", world.transcript);
}

#[test]
fn a_deployment_that_is_launched_after_its_suspension_and_dies_keeps_what_it_completed() {
    let mut world = launched_after_its_suspension();
    world.kill("exit status 137");
    world.run(20);
    let step = world.record().unwrap().step;
    assert!(
        matches!(&step, Step::Suspended { restore: Some(_), .. }),
        "{step:?}\n{}",
        world.transcript
    );
    assert!(world.is_settled(), "{}", world.transcript);
    world.edit(&[("/job/state", json!("running"))]);
    world.run(60);
    assert_eq!(world.alive().unwrap().0, 2, "{}", world.transcript);
}

/// The late operator launches what it read: the specification before the suspension.
#[test]
fn a_deployment_that_is_launched_after_its_suspension_does_not_pass_for_what_is_wished_now() {
    let mut world = World::new("savepoint");
    live_through(&mut world, &[Happening::Pass(Fault::None)]);
    let (late, version) = (world.observe(), world.version);
    world.edit(&[
        ("/job/state", json!("suspended")),
        ("/image", json!("flink:last")),
    ]);
    live_through(&mut world, &[Happening::Pass(Fault::None)]);
    let decision = world.decide(&late);
    world.carry_out(&decision, version, usize::MAX);
    world.tick(SignedDuration::from_secs(5));
    world.checkpoint();
    world.edit(&[("/job/state", json!("running"))]);
    world.run(60);
    assert_eq!(world.alive().unwrap().0, 2, "{}", world.transcript);
    assert!(world.is_settled(), "{}", world.transcript);
}

/// Known to be missing: the same for a deployment that was given up for another one before its launch. The cluster is
/// stopped, and what its job completed is not looked for.
#[test]
#[ignore = "not mended yet: a deployment that is launched after the next one was recorded loses what it completed"]
fn a_deployment_that_is_launched_after_the_next_was_recorded_keeps_what_it_completed() {
    let mut world = World::new("savepoint");
    live_through(
        &mut world,
        &[
            Happening::Pass(Fault::None),
            Happening::Pass(Fault::CrashAfterEffects(0)),
        ],
    );
    let (late, version) = (world.observe(), world.version);
    live_through(
        &mut world,
        &[Happening::Image(7), Happening::Pass(Fault::CrashAfterEffects(0))],
    );
    assert_eq!(world.record().unwrap().deployment, 2);
    let decision = world.decide(&late);
    world.carry_out(&decision, version, usize::MAX);
    for _ in 0..5 {
        world.tick(SignedDuration::from_secs(1));
    }
    world.checkpoint();
    world.run(60);
}

/// As many cases as take some 20 s in a debug build, because each lives for minutes of the model's time; `PROPTEST_CASES`
/// asks for more.
fn config() -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if asked.cases == 256 { 140 } else { asked.cases };
    ProptestConfig {
        cases,
        max_shrink_iters: 2000,
        failure_persistence: None,
        ..asked
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn no_fault_makes_two_clusters_or_two_savepoints_or_loses_state(
        mode in 0_usize..3,
        answers_from_copies in any::<bool>(),
        happenings in prop::collection::vec(happening(), 1..80),
    ) {
        let mut world = World::new(["savepoint", "last-state", "stateless"][mode]);
        world.behaviour.answers_from_copies = answers_from_copies;
        live_through(&mut world, &happenings);

        // When the faults are over and the specification is valid, it comes to rest.
        world.behaviour.savepoints_fail = 0;
        world.behaviour.checkpoint_every = 5;
        world.edit(&[("/job/parallelism", json!(2)), ("/job/state", json!("running")), ("/image", json!("flink:last"))]);
        for _ in 0..20 {
            world.run(20);
            let status = world.resource.status.clone().unwrap();
            if json!(status.lifecycle_state) == "STABLE" && world.is_settled() {
                break;
            }
        }
        prop_assert!(world.is_settled(), "does not come to rest\n{}", world.transcript);
        let status = world.resource.status.clone().unwrap();
        let is_stable = json!(status.lifecycle_state) == "STABLE";
        prop_assert!(
            is_stable || status.error.is_some(),
            "neither stable nor told why\n{}", world.transcript
        );
        if is_stable && status.error.is_none() {
            prop_assert_eq!(status.observed_generation, world.resource.metadata.generation);
        }
    }

    #[test]
    fn a_deletion_always_ends(
        happenings in prop::collection::vec(happening(), 1..40),
        after in prop::collection::vec(fault().prop_map(Happening::Pass), 1..10),
    ) {
        let mut world = World::new("savepoint");
        live_through(&mut world, &happenings);
        world.delete();
        live_through(&mut world, &after);
        world.run(200);
        prop_assert!(world.is_gone, "{}", world.transcript);
        prop_assert!(world.alive().is_none());
    }
}
