//! The two kinds that are measured.

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};
use serde_json::Value;

/// FlinkBlueGreenDeployments of a namespace.
pub(super) fn blue_green(client: &Client, namespace: &str) -> Api<DynamicObject> {
    within(
        client,
        namespace,
        "FlinkBlueGreenDeployment",
        "flinkbluegreendeployments",
    )
}

/// FlinkDeployments of a namespace.
pub(super) fn deployments(client: &Client, namespace: &str) -> Api<DynamicObject> {
    within(client, namespace, "FlinkDeployment", "flinkdeployments")
}

fn within(client: &Client, namespace: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
    let kind = GroupVersionKind::gvk("flink.apache.org", "v1beta1", kind);
    let resource = ApiResource::from_gvk_with_plural(&kind, plural);
    Api::namespaced_with(client.clone(), namespace, &resource)
}

/// The text at a JSON pointer; empty where there is none.
pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
