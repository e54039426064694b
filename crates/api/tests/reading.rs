//! What `sluice apply` says about values of a wrong type.

mod examples;

use serde_json::{Value, json};
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment, read_blue_green, read_flink_deployment};

use examples::{blue_green, flink_deployment, set, texts};

#[test]
fn every_value_of_a_wrong_type_is_told_at_once() {
    let mut value = blue_green();
    for (path, new) in [
        ("/apiVersion", json!("v1")),
        ("/metadata/labels", json!({"tier": 1})),
        ("/metadata/creationTimestamp", json!("yesterday")),
        ("/spec/transitionMode", json!("FANCY")),
        (
            "/spec/configuration/kubernetes.operator.ingress.manage",
            json!(false),
        ),
        ("/spec/template/spec/image", json!(["orders:1"])),
        (
            "/spec/template/spec/podTemplate",
            json!({"spec": {"containers": [{"name": "a", "env": "X=1", "ports": [{"containerPort": "80"}], "resources": {"limits": {"cpu": 1.5, "memory": "1Gi"}}}]}}),
        ),
        ("/spec/template/spec/job/args", json!(["--rate", 5])),
        ("/spec/template/spec/job/parallelism", json!("two")),
        ("/spec/template/spec/job/upgradeMode", json!("save-point")),
        ("/spec/template/spec/job/allowNonRestoredState", json!("yes")),
        (
            "/spec/template/spec/taskManager/replicas",
            json!(3_000_000_000_u64),
        ),
        ("/spec/template/spec/jobManager/resource/cpu", json!("1")),
        (
            "/spec/template/spec/flinkConfiguration/anything",
            json!({"at": ["all", 1, true]}),
        ),
        ("/spec/unknown", json!(7)),
    ] {
        set(&mut value, path, new);
    }
    insta::assert_snapshot!(texts(&read_blue_green(&value).unwrap_err()).join("\n"));
}

#[test]
fn a_file_that_is_no_resource_at_all_is_told_as_such() {
    assert_eq!(
        texts(&read_flink_deployment(&json!("hello")).unwrap_err()),
        [
            "apiVersion: is missing, expected `flink.apache.org/v1beta1`",
            "kind: is missing, expected `FlinkDeployment`",
            "the resource: found \"hello\", expected a map",
        ]
    );
    assert_eq!(
        texts(&read_flink_deployment(&blue_green()).unwrap_err()),
        ["kind: found \"FlinkBlueGreenDeployment\", expected `FlinkDeployment`"]
    );
}

#[test]
fn a_null_counts_as_absent_and_a_damaged_status_stops_nothing() {
    let mut value = blue_green();
    set(&mut value, "/status", json!("broken"));
    value["metadata"]["creationTimestamp"] = Value::Null;
    value["spec"]["template"]["spec"]["job"]["args"] = Value::Null;
    let resource: FlinkBlueGreenDeployment = read_blue_green(&value).unwrap();
    assert_eq!(resource.status, None);
    set(
        &mut value,
        "/status",
        json!({"blueGreenState": 7, "error": "e", "history": [1], "conditions": "x"}),
    );
    let status = read_blue_green(&value).unwrap().status.unwrap();
    assert_eq!(status.blue_green_state, None);
    assert_eq!(status.error.as_deref(), Some("e"));

    let mut value = flink_deployment();
    set(&mut value, "/status", json!(["broken"]));
    let resource: FlinkDeployment = read_flink_deployment(&value).unwrap();
    assert_eq!(resource.status, None);
}
