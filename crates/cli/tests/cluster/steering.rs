//! Promote, abort and retry: an annotation, and the operator's acknowledgement. The test plays the operator.

use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::Stage;

/// Waits for the annotation, writes the acknowledgement with this change of the status, and tells the event a little later, as
/// the operator does.
async fn operator(stage: &Stage, command: &str, mut status: Value, event: Value) {
    let key = format!("flink/blue-green-{command}");
    let api = stage.api("FlinkBlueGreenDeployment");
    let token = loop {
        let object = api.get("orders").await.unwrap();
        let annotations = object.metadata.annotations.unwrap_or_default();
        if let Some(token) = annotations.get(&key) {
            break token.clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    status["acknowledged"] = json!({ command: token });
    stage
        .set_status("FlinkBlueGreenDeployment", "orders", &json!({ "status": status }))
        .await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    stage.tell(&event).await;
}

async fn steer(stage: &Stage, command: &str, status: Value, event: Value) -> (i32, String, String) {
    let mut program = stage.sluice();
    program.args([command, "orders"]);
    let program = tokio::task::spawn_blocking(move || crate::stage::told(&program.output().unwrap()));
    operator(stage, command, status, event).await;
    let (code, stdout, stderr) = program.await.unwrap();
    (
        code,
        stage.steady(&stdout),
        stderr.replace(&stage.namespace, "NAMESPACE"),
    )
}

/// The operator that has nothing more to say than that.
pub(crate) async fn acknowledge(stage: &Stage, command: &str) {
    operator(
        stage,
        command,
        json!({}),
        event(false, "TransitionAborted", "a person asked for it"),
    )
    .await;
}

fn event(warning: bool, reason: &str, message: &str) -> Value {
    json!({
        "at": jiff::Timestamp::now().to_string(),
        "warning": warning,
        "reason": reason,
        "object": "FlinkBlueGreenDeployment/orders",
        "message": message,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promotion_is_acknowledged_and_what_follows_is_told() {
    let stage = Stage::new().await;
    stage.put("awaiting-promotion").await;
    let now = jiff::Timestamp::now().to_string();
    let switching = json!({ "transition": {
        "step": { "name": "Switching", "readyAt": now, "since": now, "deleteAfter": now },
    } });
    let told = event(false, "Switching", "green is ready and takes over from blue");
    let (code, stdout, stderr) = steer(&stage, "promote", switching, told).await;
    assert_eq!((code, stderr.as_str()), (0, ""));
    insta::assert_snapshot!(stdout, @r"
    Switching: green is ready and takes over from blue
    orders TRANSITIONING_TO_GREEN | transition 2 blue -> green Switching: waits for a person to promote green | blue RUNNING STABLE green RUNNING STABLE
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abort_that_is_refused_says_why_and_a_later_one_does_not_say_it_again() {
    let stage = Stage::new().await;
    stage.put("active").await;
    let refusal = event(true, "AbortRefused", "no transition is under way");
    let (code, stdout, stderr) = steer(&stage, "abort", json!({}), refusal).await;
    assert_eq!((code, stdout.as_str()), (1, ""));
    let address = stage.plane.address().unwrap();
    assert_eq!(
        stderr,
        format!(
            "sluice: orders: no transition is under way.\nThe cluster was asked, context sluice ({address}), namespace NAMESPACE; --local asks the runner of this machine.\n"
        )
    );

    stage.become_as("transitioning").await;
    let api = stage.api("FlinkBlueGreenDeployment");
    let without = json!({ "metadata": { "annotations": null } });
    api.patch(
        "orders",
        &kube::api::PatchParams::default(),
        &kube::api::Patch::Merge(without),
    )
    .await
    .unwrap();
    let told = event(
        false,
        "TransitionAborted",
        "a person asked for it; blue goes on untouched",
    );
    let (code, stdout, stderr) = steer(&stage, "abort", json!({}), told).await;
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(
        stdout.starts_with("TransitionAborted: a person asked for it blue goes on untouched\norders "),
        "{stdout}"
    );
    assert!(!stdout.contains("Refused"), "{stdout}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_specification_is_tried_again_and_nothing_but_the_annotation_is_written() {
    let stage = Stage::new().await;
    stage.put("aborted-kept").await;
    let api = stage.api("FlinkBlueGreenDeployment");
    let before = api.get("orders").await.unwrap();
    let told = event(
        false,
        "Retried",
        "the specification of transition 2 is tried again",
    );
    let (code, stdout, _) = steer(&stage, "retry", json!({ "failed": null, "error": null }), told).await;
    assert_eq!(code, 0);
    insta::assert_snapshot!(stdout, @r"
    Retried: the specification of transition 2 is tried again
    orders ACTIVE_BLUE | settled | blue RUNNING STABLE green FAILED FAILED
    ");
    let after = api.get("orders").await.unwrap();
    assert_eq!(after.data["spec"], before.data["spec"]);
    assert_eq!(after.metadata.generation, before.metadata.generation);
    let managers = after.metadata.managed_fields.unwrap();
    let own = managers
        .iter()
        .find(|it| it.manager.as_deref() == Some("sluice-command"));
    let fields = serde_json::to_value(&own.unwrap().fields_v1).unwrap();
    assert_eq!(
        fields,
        json!({ "f:metadata": { "f:annotations": { ".": {}, "f:flink/blue-green-retry": {} } } })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_is_not_there_cannot_be_steered() {
    let stage = Stage::new().await;
    for command in ["promote", "abort", "retry"] {
        let (code, stdout, stderr) = stage.run(&[command, "nobody"]);
        assert_eq!((code, stdout.as_str()), (1, ""));
        let namespace = &stage.namespace;
        assert!(
            stderr.starts_with(&format!(
                "sluice: There is no FlinkBlueGreenDeployment nobody in the namespace {namespace}; `sluice get -n {namespace}` lists what there is.\n"
            )),
            "{stderr}"
        );
    }
}
