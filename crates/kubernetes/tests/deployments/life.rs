//! The life of FlinkDeployments: the operator as a process, a real API server, and a node and JobManagers that are played.

use std::path::PathBuf;
use std::time::Duration;

use kube::api::{
    ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, Patch, PatchParams, PostParams,
};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};
use sluice_cluster::ControlPlane;
use tokio::time::Instant;

use crate::flink::Flink;
use crate::node::Node;
use crate::operator::{Operator, permitted};

pub(crate) const NAME: &str = "orders";
/// Longer than anything takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);

pub(crate) struct Story {
    pub(crate) node: Node,
    flink: Flink,
    address: String,
    kubeconfig: PathBuf,
    pub(crate) operator: Operator,
    /// Holds the kubeconfig.
    _directory: tempfile::TempDir,
}

impl Story {
    pub(crate) async fn begin(prefix: &str) -> Self {
        let plane = ControlPlane::shared().await.unwrap();
        plane.install_crds().await.unwrap();
        let namespace = plane.namespace(prefix).await.unwrap();
        let client = plane.client().await.unwrap();
        let flink = Flink::default();
        let address = flink.serve().await;
        let directory = tempfile::tempdir().unwrap();
        let kubeconfig = permitted(&plane, &client, &namespace, directory.path()).await;
        let node = Node::start(client, &namespace, flink.clone()).await;
        let operator = Operator::start(&kubeconfig, &namespace, &address);
        Self {
            node,
            flink,
            address,
            kubeconfig,
            operator,
            _directory: directory,
        }
    }

    pub(crate) fn resources(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("flink.apache.org", "v1beta1", "FlinkDeployment");
        let resource = ApiResource::from_gvk_with_plural(&kind, "flinkdeployments");
        Api::namespaced_with(self.node.client.clone(), &self.node.namespace, &resource)
    }

    pub(crate) async fn create(&self, configuration: Value) {
        let object = json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
            "metadata": { "name": NAME },
            "spec": {
                "image": "flink:1.20", "flinkVersion": "v1_20", "flinkConfiguration": configuration,
                "jobManager": { "resource": { "memory": "1024m", "cpu": 0.5 } },
                "taskManager": { "resource": { "memory": "1024m", "cpu": 0.5 } },
                "job": { "jarURI": "local:///job.jar", "parallelism": 1, "upgradeMode": "savepoint" },
            },
        });
        let object: DynamicObject = serde_json::from_value(object).unwrap();
        self.resources()
            .create(&PostParams::default(), &object)
            .await
            .unwrap();
    }

    pub(crate) async fn patch(&self, spec: Value) {
        let patch = json!({ "spec": spec });
        self.resources()
            .patch(NAME, &PatchParams::default(), &Patch::Merge(&patch))
            .await
            .unwrap();
    }

    /// Waits until the resource is as `holds` says.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let object = self.resources().get_opt(NAME).await.unwrap();
            let object = object.map_or(Value::Null, |object| serde_json::to_value(object).unwrap());
            if holds(&object) {
                return object;
            }
            assert!(
                begun.elapsed() < LIMIT,
                "{what} has not come: {:#}\n{}",
                object["status"],
                self.operator.log()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn stable(&self, deployment: u64) -> Value {
        self.until(&format!("deployment {deployment}, stable,"), |object| {
            object["status"]["lifecycleState"] == "STABLE"
                && object["status"]["sluice"]["deployment"] == deployment
        })
        .await
    }

    /// Waits until the Deployment is gone; its pods are gone before.
    async fn nothing_runs(&self) {
        assert_eq!(self.running().await, Vec::<String>::new());
        let begun = Instant::now();
        while self.node.deployments().get_opt(NAME).await.unwrap().is_some() {
            assert!(begun.elapsed() < LIMIT, "{}", self.operator.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The JobManagers' pods that may run.
    pub(crate) async fn running(&self) -> Vec<String> {
        let labels = ListParams::default().labels("component=jobmanager");
        let pods = self.node.pods().list(&labels).await.unwrap().items;
        pods.iter()
            .filter(|pod| {
                pod.spec
                    .as_ref()
                    .unwrap()
                    .scheduling_gates
                    .as_ref()
                    .is_none_or(Vec::is_empty)
            })
            .map(ResourceExt::name_any)
            .collect()
    }
}

pub(crate) fn configuration() -> Value {
    json!({
        "execution.checkpointing.dir": "s3://bucket/checkpoints",
        "execution.checkpointing.savepoint-dir": "s3://bucket/savepoints",
    })
}

fn with_high_availability() -> Value {
    let mut configuration = configuration();
    configuration["high-availability.type"] = json!("kubernetes");
    configuration["high-availability.storageDir"] = json!("s3://bucket/ha");
    configuration
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_lives_from_its_first_start_to_its_deletion_though_the_operator_is_killed_on_the_way() {
    let mut story = Story::begin("life").await;
    story.create(configuration()).await;
    story.stable(1).await;
    assert_eq!(story.running().await.len(), 1);

    // An upgrade carries the state over.
    story.patch(json!({ "image": "flink:1.20.5" })).await;
    story
        .until("the upgrade", |object| {
            object["status"]["sluice"]["step"]["name"] == "Stopping"
        })
        .await;
    story.operator.kill();
    story.operator = Operator::start(&story.kubeconfig, &story.node.namespace, &story.address);
    let second = story.stable(2).await;
    let savepoint = second["status"]["jobStatus"]["upgradeSavepointPath"].clone();
    assert!(
        savepoint.as_str().unwrap().starts_with("s3://bucket/savepoints/"),
        "{savepoint}"
    );
    let configuration = story.node.configuration("flink-config-orders-2").await.unwrap();
    assert_eq!(configuration["execution.state-recovery.path"], savepoint);
    assert_eq!(story.running().await.len(), 1);

    // Suspended, nothing runs, and the state is kept.
    story.patch(json!({ "job": { "state": "suspended" } })).await;
    let suspended = story
        .until("the suspension", |object| {
            object["status"]["lifecycleState"] == "SUSPENDED"
        })
        .await;
    story.nothing_runs().await;
    story.operator.kill();
    story.patch(json!({ "job": { "state": "running" } })).await;
    story.operator = Operator::start(&story.kubeconfig, &story.node.namespace, &story.address);
    story.stable(3).await;
    let configuration = story.node.configuration("flink-config-orders-3").await.unwrap();
    assert_eq!(
        configuration["execution.state-recovery.path"],
        suspended["status"]["jobStatus"]["upgradeSavepointPath"]
    );
    assert!(
        story.node.configuration("flink-config-orders-2").await.is_err(),
        "what former deployments left is gone"
    );

    // Deleted, nothing is left that runs.
    story
        .resources()
        .delete(NAME, &DeleteParams::default())
        .await
        .unwrap();
    story.until("the end", Value::is_null).await;
    story.nothing_runs().await;
}

/// FLINK-41262: a JobManager that comes back without high availability would run its job again from where the deployment
/// started.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_manager_that_has_ended_is_never_started_again_and_its_job_goes_on_only_from_a_known_state() {
    let story = Story::begin("crash").await;
    story.create(configuration()).await;
    story.stable(1).await;
    let first = story.running().await;
    story.flink.gone(NAME);
    let pods = story.node.pods();
    pods.delete(&first[0], &DeleteParams::default().grace_period(0))
        .await
        .unwrap();

    // Nobody knows the last checkpoint: a person decides.
    let waiting = story
        .until("the sentence for a person", |object| {
            let error = object["status"]["error"].as_str().unwrap_or_default();
            error.contains("the last checkpoint") && error.contains("spec.job.savepointRedeployNonce")
        })
        .await;
    assert_eq!(waiting["status"]["sluice"]["deployment"], 1);
    assert_eq!(
        story.running().await,
        Vec::<String>::new(),
        "the pod that Kubernetes made instead waits behind its gate"
    );
    let left = pods
        .list(&ListParams::default().labels("component=taskmanager"))
        .await
        .unwrap();
    assert!(left.items.is_empty(), "{left:?}");

    story
        .patch(json!({ "job": { "savepointRedeployNonce": 1, "initialSavepointPath": "s3://bucket/checkpoints/x/chk-9" } }))
        .await;
    story.stable(2).await;
    let configuration = story.node.configuration("flink-config-orders-2").await.unwrap();
    assert_eq!(
        configuration["execution.state-recovery.path"],
        "s3://bucket/checkpoints/x/chk-9"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_container_that_is_started_again_counts_as_the_end_of_its_job_manager() {
    let story = Story::begin("restart").await;
    story.create(configuration()).await;
    story
        .patch(json!({ "job": { "upgradeMode": "stateless" } }))
        .await;
    story
        .until("the first deployment", |object| {
            object["status"]["lifecycleState"] == "STABLE"
        })
        .await;
    let first = story.running().await;
    story.node.set_running(&first[0], 1).await.unwrap();
    story.flink.gone(NAME);
    let ended = story
        .until("the next deployment", |object| {
            object["status"]["lifecycleState"] == "STABLE"
                && object["status"]["sluice"]["deployment"].as_u64() >= Some(2)
        })
        .await;
    assert_ne!(story.running().await, first, "{ended}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_high_availability_kubernetes_starts_the_job_manager_again_and_flink_recovers_the_job() {
    let story = Story::begin("ha").await;
    story.create(with_high_availability()).await;
    let before = story.stable(1).await;
    let first = story.running().await;
    story
        .node
        .pods()
        .delete(&first[0], &DeleteParams::default().grace_period(0))
        .await
        .unwrap();
    story.until("another pod", |_| true).await;
    let begun = Instant::now();
    while story.running().await == first || story.running().await.is_empty() {
        assert!(begun.elapsed() < LIMIT, "{}", story.operator.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = story.stable(1).await;
    assert_eq!(
        before["status"]["jobStatus"]["jobId"],
        after["status"]["jobStatus"]["jobId"]
    );

    // An upgrade by the last state: the job is cancelled, and what it completed is carried over.
    story.flink.completes(NAME, "s3://bucket/checkpoints/a/chk-7");
    story
        .patch(json!({ "image": "flink:1.20.5", "job": { "upgradeMode": "last-state" } }))
        .await;
    story.stable(2).await;
    let configuration = story.node.configuration("flink-config-orders-2").await.unwrap();
    assert_eq!(
        configuration["execution.state-recovery.path"],
        "s3://bucket/checkpoints/a/chk-7"
    );
}

/// Wherever the operator dies, the next one goes on: each deployment is launched once, and its JobManager runs once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_that_dies_again_and_again_starts_each_job_manager_once() {
    let mut story = Story::begin("deaths").await;
    story.create(configuration()).await;
    let steps = [
        json!({}),
        json!({ "image": "flink:1.20.5" }),
        json!({ "job": { "state": "suspended" } }),
        json!({ "job": { "state": "running" } }),
    ];
    // So that it dies at another moment each time.
    let mut life = Duration::from_millis(700);
    for (number, step) in steps.into_iter().enumerate() {
        story.patch(step).await;
        let wanted = if number == 2 { "SUSPENDED" } else { "STABLE" };
        let begun = Instant::now();
        loop {
            tokio::time::sleep(life).await;
            life = if life > Duration::from_secs(4) {
                Duration::from_millis(700)
            } else {
                life.mul_f64(1.17)
            };
            let object = story.resources().get(NAME).await.unwrap();
            let status = &object.data["status"];
            let is_current = status["observedGeneration"].as_i64() == object.metadata.generation;
            if is_current && status["lifecycleState"] == wanted {
                break;
            }
            assert!(
                begun.elapsed() < LIMIT * 2,
                "{status:#}\n{}",
                story.operator.log()
            );
            story.operator.kill();
            story.operator = Operator::start(&story.kubeconfig, &story.node.namespace, &story.address);
        }
    }
    let once: Vec<(String, usize)> = (1..=3).map(|number: u32| (number.to_string(), 1)).collect();
    assert_eq!(story.node.ran().into_iter().collect::<Vec<_>>(), once);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_of_somebody_else_is_left_alone() {
    let story = Story::begin("foreign").await;
    let foreign = json!({
        "metadata": { "name": NAME },
        "spec": {
            "replicas": 0,
            "selector": { "matchLabels": { "app": "web" } },
            "template": { "metadata": { "labels": { "app": "web" } }, "spec": { "containers": [{ "name": "web", "image": "web" }] } },
        },
    });
    let foreign = serde_json::from_value(foreign).unwrap();
    let created = story
        .node
        .deployments()
        .create(&PostParams::default(), &foreign)
        .await
        .unwrap();
    story.create(configuration()).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let still = story.node.deployments().get(NAME).await.unwrap();
    assert_eq!(
        (still.uid(), still.metadata.generation),
        (created.uid(), created.metadata.generation)
    );
}
