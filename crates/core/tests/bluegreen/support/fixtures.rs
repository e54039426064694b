//! Resources, children and observations to decide on, as the text that a user or an API server would write.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_api::metadata::LABEL_TRANSITION;
use sluice_api::{FlinkBlueGreenDeploymentSpec, FlinkDeployment};
use sluice_core::bluegreen::{Observed, Side, child};
use sluice_core::{Color, Fact};

/// When every story begins.
pub const BEGINNING: &str = "2026-01-01T00:00:00Z";
/// The name of the resource.
pub const NAME: &str = "app";
/// Its uid; no colour may stand in it, because mirrored decisions are compared.
pub const UID: &str = "u-app";
/// Where savepoints go.
pub const SAVEPOINTS: &str = "s3://b/sp";

/// A moment, seconds after the beginning.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(BEGINNING.parse::<Timestamp>().unwrap().as_second() + seconds).unwrap()
}

/// A valid resource of this upgrade mode, as its user writes it.
pub fn resource_text(upgrade_mode: &str) -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkBlueGreenDeployment",
        "metadata": { "name": NAME, "namespace": "flink", "labels": { "team": "payments" } },
        "spec": {
            "configuration": {
                "kubernetes.operator.bluegreen.abort.grace-period": "60 s",
                "kubernetes.operator.bluegreen.reconciliation.reschedule-interval": "15 s"
            },
            "template": {
                "spec": {
                    "image": "app:1",
                    "flinkVersion": "v1_20",
                    "flinkConfiguration": { "state.savepoints.dir": SAVEPOINTS },
                    "jobManager": { "resource": { "cpu": 1, "memory": "1024m" } },
                    "taskManager": { "resource": { "cpu": 1, "memory": "2048m" } },
                    "job": {
                        "jarURI": "local:///opt/app.jar",
                        "parallelism": 2,
                        "upgradeMode": upgrade_mode
                    }
                }
            }
        }
    })
}

/// The specification alone.
pub fn spec(upgrade_mode: &str) -> FlinkBlueGreenDeploymentSpec {
    serde_json::from_value(resource_text(upgrade_mode)["spec"].clone()).unwrap()
}

/// An observation of a resource that nobody has looked at yet.
pub fn observed_new(text: &Value) -> Observed {
    let mut resource = sluice_api::FlinkBlueGreenDeployment {
        ..serde_json::from_value(text.clone()).unwrap()
    };
    resource.metadata.uid = Some(UID.to_owned());
    resource.metadata.resource_version = Some("1".to_owned());
    resource.metadata.generation = Some(1);
    Observed {
        resource,
        defaults: BTreeMap::new(),
        blue: Side::absent(),
        green: Side::absent(),
        savepoint: None,
        ingress: Fact::Absent,
        disposals: BTreeMap::new(),
        failures: Vec::new(),
    }
}

/// In which state a child is observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildIs {
    /// Nobody has looked at it yet.
    New,
    /// Its job is being started.
    Starting,
    /// It is RUNNING and STABLE.
    Ready,
    /// It was ready for the specification before the last one.
    ReadyForAnEarlierSpec,
    /// Its job failed.
    Failed,
    /// It is suspended.
    Suspended,
    /// It is being deleted.
    Terminating,
}

/// Every one of them.
pub const EVERY_CHILD: [ChildIs; 7] = [
    ChildIs::New,
    ChildIs::Starting,
    ChildIs::Ready,
    ChildIs::ReadyForAnEarlierSpec,
    ChildIs::Failed,
    ChildIs::Suspended,
    ChildIs::Terminating,
];

/// The child of `color` as transition `number` made it from `spec`, in that state.
pub fn child_in(
    observed: &Observed,
    color: Color,
    number: u64,
    spec: &FlinkBlueGreenDeploymentSpec,
    restore: Option<&str>,
    is: ChildIs,
) -> FlinkDeployment {
    let mut made = child::manifest(&observed.resource, color, number, spec, restore);
    made.metadata.uid = Some(format!("u-child-{number}"));
    made.metadata.resource_version = Some(format!("{}", 100 + number));
    made.metadata.generation = Some(2);
    if number == 0 {
        made.metadata.labels.as_mut().unwrap().remove(LABEL_TRANSITION);
    }
    let status = |job: &str, lifecycle: &str, generation: i64| {
        json!({
            "jobStatus": { "state": job, "jobId": "0123456789abcdef0123456789abcdef" },
            "lifecycleState": lifecycle,
            "observedGeneration": generation
        })
    };
    let text = match is {
        ChildIs::New => return made,
        ChildIs::Starting => status("RECONCILING", "DEPLOYED", 2),
        ChildIs::Ready | ChildIs::Terminating => status("RUNNING", "STABLE", 2),
        ChildIs::ReadyForAnEarlierSpec => status("RUNNING", "STABLE", 1),
        ChildIs::Failed => json!({
            "jobStatus": { "state": "FAILED" }, "lifecycleState": "FAILED", "observedGeneration": 2,
            "error": "the job's main method threw"
        }),
        ChildIs::Suspended => {
            let job = made.spec.job.as_mut().unwrap();
            job.state = Some(sluice_api::JobState::Suspended);
            json!({
                "jobStatus": { "state": "FINISHED", "upgradeSavepointPath": format!("{SAVEPOINTS}/stopped-{number}") },
                "lifecycleState": "SUSPENDED", "observedGeneration": 2
            })
        }
    };
    if is == ChildIs::Terminating {
        made.metadata.deletion_timestamp =
            Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
    }
    made.status = Some(serde_json::from_value(text).unwrap());
    made
}
