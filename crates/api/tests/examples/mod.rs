//! Resources that are right, and what the tests do with them.

#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use serde_json::{Value, json};
use sluice_api::Problem;

pub fn blue_green() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkBlueGreenDeployment",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": {
            "configuration": {"kubernetes.operator.bluegreen.abort.grace-period": "5 min"},
            "ingress": {"template": "{{name}}.{{namespace}}.example.org/(/|$)(.*)"},
            "template": {"spec": {
                "image": "orders:1",
                "flinkVersion": "v1_20",
                "flinkConfiguration": {"state": {"savepoints.dir": "s3://b/savepoints"}, "taskmanager.numberOfTaskSlots": 2, "execution.checkpointing.interval": "10 s"},
                "jobManager": {"resource": {"cpu": 1, "memory": "2048m"}},
                "taskManager": {"resource": {"cpu": 0.5, "memory": "2Gi", "ephemeralStorage": "1G"}, "replicas": 1},
                "job": {"jarURI": "local:///opt/flink/usrlib/orders.jar", "parallelism": 2, "upgradeMode": "savepoint"},
            }},
        },
    })
}

pub fn flink_deployment() -> Value {
    let mut value = blue_green();
    value["kind"] = json!("FlinkDeployment");
    value["spec"] = value["spec"]["template"]["spec"].take();
    value
}

/// Puts a value at a path; null takes the field away.
pub fn set(value: &mut Value, path: &str, new: Value) {
    let (parent, name) = path.rsplit_once('/').unwrap();
    let parent = value
        .pointer_mut(parent)
        .and_then(Value::as_object_mut)
        .unwrap_or_else(|| panic!("{path} is not in the example"));
    if new.is_null() {
        parent.remove(name);
    } else {
        parent.insert(name.to_owned(), new);
    }
}

pub fn texts(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(ToString::to_string).collect()
}
