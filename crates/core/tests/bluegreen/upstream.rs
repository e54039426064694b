//! What upstream's operator 1.7.0 really writes into a FlinkDeployment, read.
//!
//! The files in `fixtures/upstream-1.7.0` were recorded from it by `crates/kubernetes/tests/upstream`, with
//! `SLUICE_RECORD_CHILDREN`. It tells no `observedGeneration` and no `upgradeSavepointPath`.

use serde_json::{Value, json};
use sluice_api::FlinkDeployment;
use sluice_core::bluegreen::child;

const FIRST_DEPLOYMENT: &str = include_str!("fixtures/upstream-1.7.0/first-deployment.json");
const SUSPENDED: &str = include_str!("fixtures/upstream-1.7.0/suspended.json");
const RESUMED: &str = include_str!("fixtures/upstream-1.7.0/resumed.json");
const FAILED: &str = include_str!("fixtures/upstream-1.7.0/failed.json");
const IMAGE_MISSING: &str = include_str!("fixtures/upstream-1.7.0/image-missing.json");

fn recorded(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn read(value: &Value) -> FlinkDeployment {
    serde_json::from_value(value.clone()).unwrap()
}

/// Changes the specification that upstream says it has deployed.
fn with_reconciled(value: &Value, pointer: &str, to: Value) -> FlinkDeployment {
    let mut value = value.clone();
    let text = &mut value["status"]["reconciliationStatus"]["lastReconciledSpec"];
    let mut reconciled: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
    *reconciled.pointer_mut(pointer).unwrap() = to;
    *text = json!(reconciled.to_string());
    read(&value)
}

#[test]
fn a_first_deployment_is_ready_though_upstream_notes_another_upgrade_mode_than_was_asked_for() {
    let mut value = recorded(FIRST_DEPLOYMENT);
    let text = value["status"]["reconciliationStatus"]["lastReconciledSpec"].as_str();
    assert!(text.unwrap().contains(r#""upgradeMode":"stateless""#));
    assert_eq!(value["spec"]["job"]["upgradeMode"], json!("savepoint"));
    let child = read(&value);
    assert!(child::is_ready(&child));
    assert_eq!(child::job_id(&child).map(str::len), Some(32));
    assert_eq!(child::upgrade_savepoint(&child), None);

    // An edit that upstream has not taken note of.
    value["metadata"]["generation"] = json!(3);
    assert!(!child::is_ready(&read(&value)));
}

#[test]
fn a_suspended_child_resumes_from_the_savepoint_that_it_was_stopped_with() {
    let value = recorded(SUSPENDED);
    let child = read(&value);
    assert!(child::is_suspended(&child) && !child::is_ready(&child));
    let path = child::upgrade_savepoint(&child).unwrap();
    assert!(path.ends_with("-stop"), "{path}");

    // Stopped without a savepoint, the last one that it knows is an older one.
    let last_state = with_reconciled(&value, "/spec/job/upgradeMode", json!("last-state"));
    assert_eq!(child::upgrade_savepoint(&last_state), None);

    let resumed = read(&recorded(RESUMED));
    assert!(child::is_ready(&resumed));
    assert_eq!(child::upgrade_savepoint(&resumed), None);
}

#[test]
fn a_child_that_does_not_come_up_is_told_in_its_own_words() {
    for (text, words) in [
        (
            FAILED,
            "job FAILED, FAILED, as of before its last change: java.lang.RuntimeException: The table orders is not there.",
        ),
        (
            IMAGE_MISSING,
            "job RECONCILING, DEPLOYED, as of before its last change: Back-off pulling image \"orders:missing\"",
        ),
    ] {
        // They were recorded while they were deleted, which counts as a change.
        let child = read(&recorded(text));
        assert!(child::is_terminating(&child) && !child::is_ready(&child));
        assert_eq!(child::describe(&child), words);
    }
}
