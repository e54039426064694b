//! What a user does and sees, as transcripts.

use serde_json::{Value, json};

use crate::world::World;

/// A world with a stable job that checkpoints now and then; its transcript begins with what is done to it.
fn running(mode: &str) -> World {
    let mut world = World::new(mode);
    world.behaviour.checkpoint_every = 7;
    world.run(20);
    assert!(world.is_settled(), "{}", world.transcript);
    world.transcript.clear();
    world
}

fn lifecycle(world: &World) -> Value {
    json!(world.resource.status.as_ref().unwrap().lifecycle_state)
}

#[test]
fn a_first_deployment_starts_from_nothing_and_is_stable_two_seconds_after_it_runs() {
    let mut world = World::new("savepoint");
    world.run(15);
    insta::assert_snapshot!(world.transcript);
    assert!(world.is_settled());
}

#[test]
fn a_first_deployment_starts_from_the_users_savepoint() {
    let mut world = World::new("savepoint");
    world.edit(&[("/job/initialSavepointPath", json!("s3://user/first"))]);
    world.run(15);
    let process = &world.processes[&1];
    assert_eq!(process.plan.restore.as_ref().unwrap().path, "s3://user/first");
}

#[test]
fn nonces_in_the_first_specification_trigger_nothing() {
    let mut world = World::new("savepoint");
    world.edit(&[
        ("/job/savepointTriggerNonce", json!(1)),
        ("/job/checkpointTriggerNonce", json!(1)),
    ]);
    world.run(20);
    assert!(world.savepoints_started.is_empty());
}

#[test]
fn suspend_and_resume_with_a_savepoint() {
    let mut world = running("savepoint");
    world.edit(&[("/job/state", json!("suspended"))]);
    world.run(15);
    assert!(world.is_settled());
    world.edit(&[("/job/state", json!("running"))]);
    world.run(15);
    insta::assert_snapshot!(world.transcript);
    let info = world
        .resource
        .status
        .unwrap()
        .job_status
        .unwrap()
        .savepoint_info
        .unwrap();
    assert_eq!(
        info.last_savepoint.unwrap().location.unwrap(),
        "s3://b/sp/u-1/1-1/savepoint"
    );
}

#[test]
fn an_upgrade_with_a_savepoint() {
    let mut world = running("savepoint");
    world.edit(&[("/image", json!("flink:2"))]);
    world.run(20);
    insta::assert_snapshot!(world.transcript);
}

#[test]
fn an_upgrade_from_the_last_state() {
    let mut world = running("last-state");
    world.edit(&[("/image", json!("flink:2"))]);
    world.run(20);
    insta::assert_snapshot!(world.transcript);
}

#[test]
fn an_upgrade_without_state() {
    let mut world = running("stateless");
    world.edit(&[("/image", json!("flink:2"))]);
    world.run(20);
    insta::assert_snapshot!(world.transcript);
}

#[test]
fn a_restart_nonce_restarts_and_its_removal_does_not() {
    let mut world = running("last-state");
    world.edit(&[("/restartNonce", json!(1))]);
    world.run(20);
    world.edit(&[("/restartNonce", Value::Null)]);
    world.run(20);
    assert_eq!(world.record().unwrap().deployment, 2);
    assert_eq!(world.resource.status.unwrap().observed_generation, Some(3));
}

#[test]
fn an_edit_of_ignored_fields_restarts_nothing() {
    let mut world = running("savepoint");
    world.edit(&[
        ("/job/upgradeMode", json!("last-state")),
        ("/job/allowNonRestoredState", json!(true)),
    ]);
    world.run(5);
    assert_eq!(world.record().unwrap().deployment, 1);
    assert_eq!(
        world.resource.status.as_ref().unwrap().observed_generation,
        Some(2)
    );
    assert_eq!(lifecycle(&world), "STABLE");
}

#[test]
fn a_savepoint_redeploy_gives_up_the_jobs_own_state() {
    let mut world = running("savepoint");
    world.edit(&[("/job/savepointRedeployNonce", json!(1))]);
    world.run(5);
    assert!(
        world
            .resource
            .status
            .as_ref()
            .unwrap()
            .error
            .as_ref()
            .unwrap()
            .contains("initialSavepointPath")
    );
    world.edit(&[("/job/initialSavepointPath", json!("s3://user/old"))]);
    world.run(20);
    insta::assert_snapshot!(world.transcript);
}

#[test]
fn savepoints_and_checkpoints_by_hand() {
    let mut world = running("savepoint");
    world.behaviour.savepoints_fail = 1;
    world.edit(&[
        ("/job/savepointTriggerNonce", json!(5)),
        ("/job/checkpointTriggerNonce", json!(6)),
    ]);
    world.run(20);
    insta::assert_snapshot!(world.transcript);
    let job = world
        .resource
        .status
        .as_ref()
        .unwrap()
        .job_status
        .clone()
        .unwrap();
    assert_eq!(
        job.savepoint_info.unwrap().last_savepoint.unwrap().trigger_nonce,
        Some(5)
    );
    assert_eq!(
        job.checkpoint_info
            .unwrap()
            .last_checkpoint
            .unwrap()
            .trigger_nonce,
        Some(6)
    );
    assert!(world.is_settled());
}

#[test]
fn a_dead_job_manager_is_replaced_from_the_last_checkpoint() {
    let mut world = running("savepoint");
    world.kill("exit status 137");
    world.run(20);
    insta::assert_snapshot!(world.transcript);
}

#[test]
fn a_job_manager_that_does_not_start_is_tried_again_ever_more_slowly() {
    let mut world = World::new("savepoint");
    world.behaviour.start_crashes = Some("Could not resolve s3://b".to_owned());
    world.run(30);
    insta::assert_snapshot!(world.transcript);
}

#[test]
fn a_failing_job_is_kept_to_be_looked_at_and_fixed_by_an_edit() {
    let mut world = World::new("savepoint");
    world.behaviour.job_fails =
        Some("java.lang.IllegalStateException: no topic\n\tat Main.main(Main.java:3)".to_owned());
    world.run(10);
    assert!(world.is_settled());
    world.behaviour.job_fails = None;
    world.edit(&[("/job/args", json!(["--topic", "orders"]))]);
    world.run(20);
    insta::assert_snapshot!(world.transcript);
}

#[test]
fn a_savepoint_that_keeps_failing_falls_back_to_the_last_checkpoint() {
    let mut world = running("savepoint");
    world.behaviour.savepoints_fail = 3;
    world.edit(&[("/job/state", json!("suspended"))]);
    world.run(30);
    insta::assert_snapshot!(world.transcript);
}

#[test]
fn a_savepoint_that_keeps_failing_without_a_checkpoint_leaves_the_job_running() {
    let mut world = World::new("savepoint");
    world.run(20);
    world.transcript.clear();
    world.behaviour.savepoints_fail = 3;
    world.edit(&[("/image", json!("flink:2"))]);
    world.run(30);
    insta::assert_snapshot!(world.transcript);
    assert_eq!(world.record().unwrap().deployment, 1);
    assert!(world.is_settled());
    world.edit(&[("/image", json!("flink:3"))]);
    world.run(30);
    assert_eq!(lifecycle(&world), "STABLE");
    assert_eq!(
        world.record().unwrap().restored_from.as_deref(),
        Some("s3://b/sp/u-1/1-4/savepoint")
    );
}

#[test]
fn a_job_that_never_came_up_is_replaced_by_a_fixed_one_with_what_it_was_to_restore() {
    let mut world = World::new("savepoint");
    world.edit(&[("/job/initialSavepointPath", json!("s3://user/first"))]);
    world.behaviour.restarts_every = 3;
    world.run(10);
    world.behaviour.restarts_every = 0;
    world.fail_task();
    world.edit(&[("/image", json!("flink:2"))]);
    world.run(20);
    assert_eq!(lifecycle(&world), "STABLE");
    assert_eq!(
        world.record().unwrap().restored_from.as_deref(),
        Some("s3://user/first")
    );
}

#[test]
fn an_invalid_specification_never_touches_a_running_job() {
    let mut world = running("savepoint");
    world.edit(&[("/job/parallelism", json!(0))]);
    world.run(10);
    insta::assert_snapshot!(world.transcript);
    assert!(world.is_settled());
}

#[test]
fn a_session_cluster_is_refused() {
    let mut world = World::new("savepoint");
    world.edit(&[("/job", Value::Null)]);
    world.run(5);
    assert!(world.processes.is_empty());
    assert!(world.resource.status.unwrap().error.unwrap().contains("spec.job"));
}

#[test]
fn a_deletion_stops_the_cluster_first() {
    let mut world = running("last-state");
    world.delete();
    world.run(10);
    insta::assert_snapshot!(world.transcript);
    assert!(world.is_gone);
}

#[test]
fn a_deletion_before_the_first_deployment_leaves_at_once() {
    let mut world = World::new("savepoint");
    world.delete();
    world.run(2);
    assert!(world.processes.is_empty());
}

#[test]
fn a_finished_job_stays_finished() {
    let mut world = running("savepoint");
    world.finish();
    world.run(10);
    world.kill("exit status 0");
    world.run(10);
    world.edit(&[("/image", json!("flink:2"))]);
    world.run(10);
    insta::assert_snapshot!(world.transcript);
    assert!(world.is_settled());
}

#[test]
fn a_lost_status_is_rebuilt_and_nothing_starts_from_nothing() {
    let mut world = running("savepoint");
    world.resource.status = None;
    world.version += 1;
    world.run(20);
    assert_eq!(world.record().unwrap().deployment, 1);
    assert_eq!(lifecycle(&world), "STABLE");

    world.resource.status = None;
    world.version += 1;
    world.kill("exit status 1");
    world.run(30);
    insta::assert_snapshot!(world.transcript);
}

#[test]
fn a_stateful_job_whose_checkpoints_are_gone_waits_for_a_person() {
    let mut world = running("savepoint");
    world.checkpoints.clear();
    world.kill("exit status 137");
    world.run(20);
    insta::assert_snapshot!(world.transcript);
    assert_eq!(world.record().unwrap().deployment, 1);
    world.edit(&[
        ("/job/initialSavepointPath", json!("s3://user/backup")),
        ("/job/savepointRedeployNonce", json!(1)),
    ]);
    world.run(20);
    assert_eq!(
        world.record().unwrap().restored_from.as_deref(),
        Some("s3://user/backup")
    );
}

#[test]
fn a_cluster_that_dies_between_the_savepoint_and_the_answer_loses_nothing_and_repeats_nothing() {
    let mut world = running("savepoint");
    world.edit(&[("/image", json!("flink:2"))]);
    while world.savepoints.is_empty() {
        world.run(1);
    }
    world.kill("exit status 137");
    world.run(20);
    insta::assert_snapshot!(world.transcript);
    assert_eq!(
        world.record().unwrap().restored_from.as_deref(),
        Some("s3://b/sp/u-1/1-1/savepoint")
    );
}

#[test]
fn a_deployment_that_upstreams_operator_suspended_resumes_from_its_savepoint() {
    let mut world = World::new("savepoint");
    let mut spec = serde_json::to_value(&world.resource.spec).unwrap();
    spec["job"]["state"] = json!("suspended");
    world.resource.status = Some(
        serde_json::from_value(json!({
            "lifecycleState": "SUSPENDED", "observedGeneration": 1,
            "jobStatus": {"jobId": "00000000000000000000000000000001", "state": "FINISHED",
                "upgradeSavepointPath": "s3://user/upstream"},
            "reconciliationStatus": {"state": "DEPLOYED", "lastReconciledSpec":
                json!({"spec": spec, "resource_metadata": {"firstDeployment": false}}).to_string()}}))
        .unwrap(),
    );
    world.run(20);
    assert_eq!(lifecycle(&world), "STABLE");
    assert_eq!(
        world.record().unwrap().restored_from.as_deref(),
        Some("s3://user/upstream")
    );
}

#[test]
fn an_edit_to_and_fro_while_the_job_is_stopped_ends_with_the_last_one() {
    let mut world = running("last-state");
    world.edit(&[("/job/state", json!("suspended"))]);
    world.run(1);
    world.edit(&[("/job/state", json!("running")), ("/image", json!("flink:2"))]);
    world.run(20);
    assert_eq!(lifecycle(&world), "STABLE");
    assert_eq!(world.record().unwrap().deployment, 2);
    assert!(
        world
            .record()
            .unwrap()
            .restored_from
            .unwrap()
            .starts_with("s3://b/cp/1/")
    );
}

#[test]
fn last_state_with_checkpoints_that_do_not_outlive_the_job_is_refused() {
    let mut world = World::new("last-state");
    world.edit(&[(
        "/flinkConfiguration/execution.checkpointing.externalized-checkpoint-retention",
        json!("DELETE_ON_CANCELLATION"),
    )]);
    world.run(5);
    assert!(world.processes.is_empty());
    assert!(
        world
            .resource
            .status
            .unwrap()
            .error
            .unwrap()
            .contains("RETAIN_ON_CANCELLATION")
    );
}
