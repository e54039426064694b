//! A control plane, the two operators, and what is played.

use std::net::Ipv4Addr;

use k8s_openapi::api::rbac::v1::ClusterRoleBinding;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::PostParams;
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use sluice_cluster::ControlPlane;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::jars::Upstream;
use crate::job_managers::{JobManagers, Place};
use crate::kubelet;
use crate::operators::Operator;
use crate::release;
use crate::story::Story;

pub struct Stage {
    // The operators end before their control plane does.
    pub upstream: Operator,
    pub sluice: Operator,
    pub stories: Vec<Story>,
    pub managers: JobManagers,
    /// Where every JobManager listens.
    pub port: u16,
    _played: [JoinSet<()>; 2],
    _directory: TempDir,
    _plane: ControlPlane,
}

impl Stage {
    /// With a namespace for each story.
    pub async fn set(prefixes: &[&str]) -> Self {
        let fetch = tokio::task::spawn_blocking(Upstream::find_or_fetch);
        let plane = ControlPlane::private().await.unwrap();
        let jars = fetch.await.unwrap();
        plane.install_crds().await.unwrap();
        let client = plane.client().await.unwrap();
        define(&client, &jars.session_jobs()).await;
        let managers = JobManagers::default();
        let mut stories = Vec::new();
        let mut places = Vec::new();
        for (number, prefix) in (1u8..).zip(prefixes) {
            let story = Story::in_namespace(&plane, &managers, prefix).await;
            for (last, color) in [(1, "blue"), (2, "green")] {
                places.push(Place {
                    address: Ipv4Addr::new(127, 42, number, last),
                    namespace: story.namespace.clone(),
                    child: format!("orders-{color}"),
                });
            }
            stories.push(story);
        }
        let namespaces: Vec<String> = stories.iter().map(|story| story.namespace.clone()).collect();
        let (port, servers) = managers.serve(&places).await;
        let mut actors = JoinSet::new();
        actors.spawn(kubelet::act(client.clone(), managers.clone()));
        let directory = tempfile::tempdir().unwrap();
        let account = "flink-operator";
        let kubeconfig = plane
            .service_account_kubeconfig("default", account, directory.path())
            .await
            .unwrap();
        bind(&client, account).await;
        let sluices = release::install(&plane, directory.path(), &namespaces).await;
        let mut upstream = Operator::upstream(&jars, &kubeconfig, directory.path(), &namespaces, &places);
        upstream.until_it_watches().await;
        let sluice = Operator::sluice(&sluices, directory.path(), &namespaces);
        Self {
            upstream,
            sluice,
            stories,
            managers,
            port,
            _played: [servers, actors],
            _directory: directory,
            _plane: plane,
        }
    }
}

async fn define(client: &Client, text: &str) {
    let definition: CustomResourceDefinition = serde_saphyr::from_str(text).unwrap();
    let all: Api<CustomResourceDefinition> = Api::all(client.clone());
    all.create(&PostParams::default(), &definition).await.unwrap();
    await_condition(all, &definition.name_any(), conditions::is_crd_established())
        .await
        .unwrap();
}

/// A user of its own, so that the audit log and the managed fields tell it from everyone else.
async fn bind(client: &Client, account: &str) {
    let binding: ClusterRoleBinding = serde_json::from_value(json!({
        "metadata": { "name": account },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin" },
        "subjects": [{ "kind": "ServiceAccount", "name": account, "namespace": "default" }],
    }))
    .unwrap();
    let all: Api<ClusterRoleBinding> = Api::all(client.clone());
    all.create(&PostParams::default(), &binding).await.unwrap();
}
