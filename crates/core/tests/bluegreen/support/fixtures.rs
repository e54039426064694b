//! The resource that every story is about, as the text that its user would write.

use jiff::Timestamp;
use serde_json::{Value, json};
use sluice_core::bluegreen::agent::Agent;

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

/// The agent that a shell delivers.
pub fn agent() -> Agent {
    Agent::Jar {
        path: "/opt/bluegreen-agent.jar".to_owned(),
        handover_directory: "/var/handover".to_owned(),
    }
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
                    "flinkConfiguration": { "state.savepoints.dir": SAVEPOINTS, "execution.checkpointing.interval": "10 s" },
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
