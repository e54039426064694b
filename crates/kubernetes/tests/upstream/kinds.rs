//! The objects of Flink's API group, as they are.

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind};

pub fn flink_deployments(client: &Client, namespace: Option<&str>) -> Api<DynamicObject> {
    api(client, namespace, "FlinkDeployment")
}

pub fn blue_greens(client: &Client, namespace: &str) -> Api<DynamicObject> {
    api(client, Some(namespace), "FlinkBlueGreenDeployment")
}

fn api(client: &Client, namespace: Option<&str>, kind: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk("flink.apache.org", "v1beta1", kind));
    match namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}
