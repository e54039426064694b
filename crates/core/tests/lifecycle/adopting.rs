//! A deployment that upstream's operator had suspended, taken over and resumed.

use serde_json::{Value, json};
use sluice_core::lifecycle::Step;

use crate::world::World;

/// What upstream's operator 1.7.0 really wrote of a job that it had stopped with a savepoint; recorded by
/// `crates/kubernetes/tests/upstream`.
const SUSPENDED_BY_1_7_0: &str = include_str!("../bluegreen/fixtures/upstream-1.7.0/suspended.json");
/// The savepoint that it stopped the job with.
const SAVEPOINT: &str = "s3://flink/savepoints/savepoint-c11926-stop";

/// A world with a deployment of this upgrade mode that upstream 1.7.0 had suspended.
fn suspended_by_upstream(mode: &str) -> World {
    let recorded: Value = serde_json::from_str(SUSPENDED_BY_1_7_0).unwrap();
    let mut status = recorded["status"].clone();
    assert!(status["jobStatus"].get("upgradeSavepointPath").is_none());
    let text = &mut status["reconciliationStatus"]["lastReconciledSpec"];
    let mut reconciled: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    reconciled["spec"]["job"]["upgradeMode"] = json!(mode);
    *text = json!(reconciled.to_string());

    let mut world = World::new(mode);
    world.edit(&[("/job/state", json!("suspended"))]);
    world.resource.status = Some(serde_json::from_value(status).unwrap());
    world.contents.insert(SAVEPOINT.to_owned(), 40);
    world.committed = 40;
    world
}

#[test]
fn what_upstream_1_7_0_stopped_with_a_savepoint_resumes_from_it() {
    let mut world = suspended_by_upstream("savepoint");
    world.run(5);
    assert!(matches!(
        world.record().unwrap().step,
        Step::Suspended { restore: Some(path), .. } if path == SAVEPOINT
    ));
    world.edit(&[("/job/state", json!("running"))]);
    world.run(20);
    let record = world.record().unwrap();
    assert_eq!(
        record.restored_from.as_deref(),
        Some(SAVEPOINT),
        "{}",
        world.transcript
    );
}

// Without a savepoint it left its state where only upstream's own high availability finds it; the savepoint that it
// mentions is an older one.
#[test]
fn what_upstream_1_7_0_stopped_without_a_savepoint_never_resumes_from_nothing_or_an_older_one() {
    let mut world = suspended_by_upstream("last-state");
    world.run(5);
    world.edit(&[("/job/state", json!("running"))]);
    world.run(20);
    assert!(world.processes.is_empty(), "{}", world.transcript);
    let error = world.resource.status.clone().unwrap().error.unwrap();
    assert!(error.contains("savepointRedeployNonce"), "{error}");

    // What it says to do helps.
    world.edit(&[
        ("/job/initialSavepointPath", json!("s3://user/backup")),
        ("/job/savepointRedeployNonce", json!(1)),
    ]);
    world.run(20);
    assert_eq!(
        world.record().unwrap().restored_from.as_deref(),
        Some("s3://user/backup"),
        "{}",
        world.transcript
    );
}

#[test]
fn what_upstream_1_7_0_stopped_without_state_resumes_from_nothing() {
    let mut world = suspended_by_upstream("stateless");
    world.run(5);
    world.edit(&[("/job/state", json!("running"))]);
    world.run(20);
    assert_eq!(world.record().unwrap().restored_from, None);
    assert!(world.alive().is_some(), "{}", world.transcript);
}
