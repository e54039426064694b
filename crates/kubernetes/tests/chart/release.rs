//! What the chart renders, and its life as a release.

use std::fs;

use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicy;
use k8s_openapi::api::core::v1::ServiceAccount;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::json;
use sluice_cluster::ControlPlane;

use crate::helm::{Dry, apply, chart, helm, kind_of, render};

#[tokio::test]
async fn the_api_server_takes_what_every_value_set_renders() {
    let plane = ControlPlane::shared().await.unwrap();
    let client = plane.client().await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let own = plane.namespace("chart").await.unwrap();
    let watched = plane.namespace("chart-watched").await.unwrap();
    let mut sets = 0;
    for entry in fs::read_dir(chart().join("ci")).unwrap() {
        let set = entry.unwrap().path();
        let mut arguments = vec!["--values".to_owned(), set.to_str().unwrap().to_owned()];
        // The namespaces that a set names are not there.
        if fs::read_to_string(&set).unwrap().contains("watchNamespaces:") {
            arguments.extend(["--set".to_owned(), format!("watchNamespaces={{{own},{watched}}}")]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        for object in render(home.path(), &own, &arguments) {
            let name = object.metadata.name.clone().unwrap_or_default();
            if let Err(problem) = apply(&client, &object, Dry::Run).await {
                panic!("{}: {} {name}: {problem}", set.display(), kind_of(&object));
            }
        }
        sets += 1;
    }
    assert!(sets >= 5, "{sets} value sets");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_installed_upgraded_and_removed_and_what_jobs_need_stays() {
    let plane = ControlPlane::private().await.unwrap();
    let client = plane.client().await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.kubeconfig();
    let chart = chart();
    let (kubeconfig, chart) = (kubeconfig.to_str().unwrap(), chart.to_str().unwrap());
    let run = |command: &[&str], settings: &[&str]| {
        let target = ["--namespace", "sluice-system", "--kubeconfig", kubeconfig];
        helm(home.path(), &[command, &target, settings].concat())
    };

    // The first installation brings the definitions along.
    let told = run(
        &["install", "sluice", chart, "--create-namespace"],
        &["--set", "jobServiceAccount.create=true"],
    )
    .unwrap();
    assert!(told.contains("watches all namespaces."), "{told}");
    assert!(
        told.contains("rollout status deployment/sluice-operator"),
        "{told}"
    );
    let definitions: Api<CustomResourceDefinition> = Api::all(client.clone());
    let blue_green = "flinkbluegreendeployments.flink.apache.org";
    definitions.get(blue_green).await.unwrap();
    let policies: Api<ValidatingAdmissionPolicy> = Api::all(client.clone());
    let policy = "sluice-operator-sluice-system-children";
    policies.get(policy).await.unwrap();

    // A second replica, and what keeps one of the two running.
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), "sluice-system");
    assert_eq!(budgets.get_opt("sluice-operator").await.unwrap(), None);
    let more = ["--reuse-values", "--set", "replicas=2"];
    run(&["upgrade", "sluice", chart], &more).unwrap();
    budgets.get("sluice-operator").await.unwrap();

    // Another operator's definition, which does not know what is recorded in the status, is not worked with.
    let versions = json!([{
        "name": "v1beta1", "served": true, "storage": true, "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "spec": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            "status": {"type": "object", "properties": {"blueGreenState": {"type": "string"}}},
        }}},
    }]);
    definitions
        .patch(
            blue_green,
            &PatchParams::default(),
            &Patch::Merge(json!({"spec": {"versions": versions}})),
        )
        .await
        .unwrap();
    let refused = run(&["upgrade", "sluice", chart], &[]).unwrap_err();
    assert!(
        refused.contains("another operator's") && refused.contains("kubectl apply --server-side"),
        "{refused}"
    );
    run(
        &["upgrade", "sluice", chart],
        &["--reuse-values", "--set", "crdCheck=false"],
    )
    .unwrap();

    // Removed is what the operator had; the definitions, and so the resources, and what jobs run under stay.
    run(&["uninstall", "sluice"], &[]).unwrap();
    assert_eq!(policies.get_opt(policy).await.unwrap(), None);
    definitions.get(blue_green).await.unwrap();
    let accounts: Api<ServiceAccount> = Api::namespaced(client, "sluice-system");
    accounts.get("flink").await.unwrap();
    assert_eq!(accounts.get_opt("sluice-operator").await.unwrap(), None);
}
