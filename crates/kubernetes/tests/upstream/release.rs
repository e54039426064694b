//! What the chart puts on the cluster, with its own values but for the namespaces.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kube::Client;
use kube::api::PostParams;
use serde_json::json;
use sluice_cluster::ControlPlane;

use crate::helm::{Dry, apply, kind_of, render};
use crate::kinds::flink_deployments;

/// Applies the chart's roles and its admission policy. Returns the kubeconfig of Sluice's account once the policy is in force.
pub async fn install(plane: &ControlPlane, directory: &Path, namespaces: &[String]) -> PathBuf {
    let client = plane.client().await.unwrap();
    let release = plane.namespace("sluice").await.unwrap();
    let watched = format!("watchNamespaces={{{}}}", namespaces.join(","));
    let settings = ["--set", &watched, "--set", "flinkDeployments=external"];
    for object in render(directory, &release, &settings) {
        // The operator is a process of the test, and no pod.
        if kind_of(&object) != "Deployment" {
            apply(&client, &object, Dry::No).await.unwrap();
        }
    }
    for namespace in namespaces {
        until_in_force(&client, namespace).await;
    }
    plane
        .service_account_kubeconfig(&release, "sluice-operator", directory)
        .await
        .unwrap()
}

/// Waits until not even an administrator makes a child by hand.
async fn until_in_force(client: &Client, namespace: &str) {
    let children = flink_deployments(client, Some(namespace));
    let child = serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": { "name": "by-hand", "ownerReferences": [{
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkBlueGreenDeployment", "name": "orders", "uid": "1",
        }]},
        "spec": { "image": "orders:1", "flinkVersion": "v1_18", "job": { "jarURI": "local:///orders.jar", "parallelism": 1 } },
    }))
    .unwrap();
    let dry = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let begun = Instant::now();
    loop {
        match children.create(&dry, &child).await {
            Err(kube::Error::Api(status)) if status.code == 403 => return,
            Ok(_) => {}
            Err(other) => panic!("neither granted nor refused: {other}"),
        }
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the policy does not come into force"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
