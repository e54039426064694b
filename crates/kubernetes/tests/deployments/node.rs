//! What a cluster of machines does and a bare API server does not: pods for Deployments, running containers, and an end for
//! what belongs to something deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Pod, ServiceAccount};
use kube::api::{DeleteParams, ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use crate::flink::Flink;

/// One namespace with a node.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) client: Client,
    pub(crate) namespace: String,
    flink: Flink,
    ran: Ran,
}

/// The pods of JobManagers that have run, by the number of their deployment.
type Ran = Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>;

impl Node {
    /// Starts it; it works until the test ends.
    pub(crate) async fn start(client: Client, namespace: &str, flink: Flink) -> Self {
        let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
        let account = serde_json::from_value(json!({ "metadata": { "name": "default" } })).unwrap();
        accounts.create(&PostParams::default(), &account).await.unwrap();
        let node = Self {
            client,
            namespace: namespace.to_owned(),
            flink,
            ran: Ran::default(),
        };
        let worker = node.clone();
        tokio::spawn(async move {
            loop {
                // What has just been changed or deleted is looked at again.
                let _ = worker.work().await;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        node
    }

    pub(crate) fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    pub(crate) fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// How many pods of JobManagers have run in each deployment.
    pub(crate) fn ran(&self) -> BTreeMap<String, usize> {
        let ran = self.ran.lock().unwrap();
        ran.iter()
            .map(|(number, pods)| (number.clone(), pods.len()))
            .collect()
    }

    async fn work(&self) -> kube::Result<()> {
        let deployments = self.deployments().list(&ListParams::default()).await?.items;
        let pods = self.pods().list(&ListParams::default()).await?.items;
        for pod in &pods {
            let has_owner = deployments
                .iter()
                .any(|deployment| owned_by(pod, &deployment.uid().unwrap_or_default()));
            if !has_owner {
                self.end(pod).await?;
            }
        }
        for deployment in &deployments {
            let uid = deployment.uid().unwrap_or_default();
            let own: Vec<&Pod> = pods.iter().filter(|pod| owned_by(pod, &uid)).collect();
            if deployment.metadata.deletion_timestamp.is_some() {
                for pod in &own {
                    self.end(pod).await?;
                }
                self.flink.gone(&deployment.name_any());
                if own.is_empty() {
                    let patch = json!({ "metadata": { "finalizers": null } });
                    self.deployments()
                        .patch(
                            &deployment.name_any(),
                            &PatchParams::default(),
                            &Patch::Merge(&patch),
                        )
                        .await?;
                }
                continue;
            }
            self.run(deployment, &own).await?;
        }
        Ok(())
    }

    /// As the controller of ReplicaSets and a kubelet do.
    async fn run(&self, deployment: &Deployment, own: &[&Pod]) -> kube::Result<()> {
        let name = deployment.name_any();
        let job_managers: Vec<&&Pod> = own
            .iter()
            .filter(|pod| pod.labels().get("component").map(String::as_str) == Some("jobmanager"))
            .collect();
        if job_managers.is_empty() {
            self.flink.gone(&name);
            let template = serde_json::to_value(&deployment.spec.as_ref().unwrap().template).unwrap();
            self.create_pod(deployment, &format!("{name}-"), template).await?;
            return Ok(());
        }
        for pod in job_managers {
            let is_gated = pod
                .spec
                .as_ref()
                .and_then(|spec| spec.scheduling_gates.as_ref())
                .is_some_and(|gates| !gates.is_empty());
            if is_gated || pod.metadata.deletion_timestamp.is_some() {
                continue;
            }
            let phase = pod.status.as_ref().and_then(|status| status.phase.clone());
            if phase.as_deref() == Some("Pending") {
                self.set_running(&pod.name_any(), 0).await?;
                let number = deployment
                    .labels()
                    .get("flink/deployment-number")
                    .cloned()
                    .unwrap_or_default();
                let uid = pod.uid().unwrap_or_default();
                self.ran.lock().unwrap().entry(number).or_default().insert(uid);
                let labels = json!({
                    "app": name, "component": "taskmanager", "type": "flink-native-kubernetes",
                    "flink/deployment-number": deployment.labels().get("flink/deployment-number"),
                });
                let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "name": "flink-main-container", "image": "x" }] } });
                self.create_pod(deployment, &format!("{name}-taskmanager-"), template)
                    .await?;
                let job = self.job_of(deployment).await?;
                self.flink.up(&name, &job);
            }
        }
        Ok(())
    }

    /// The pod's main container runs, after so many restarts.
    pub(crate) async fn set_running(&self, pod: &str, restarts: i32) -> kube::Result<()> {
        let now = jiff::Timestamp::now().to_string();
        let mut container = json!({
            "name": "flink-main-container", "image": "x", "imageID": "x", "ready": true, "restartCount": restarts,
            "state": { "running": { "startedAt": now } },
        });
        if restarts > 0 {
            container["lastState"] = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
        }
        let patch = json!({ "status": { "phase": "Running", "containerStatuses": [container] } });
        self.pods()
            .patch_status(pod, &PatchParams::default(), &Patch::Merge(&patch))
            .await?;
        Ok(())
    }

    async fn create_pod(&self, deployment: &Deployment, prefix: &str, template: Value) -> kube::Result<()> {
        let mut pod = template;
        pod["metadata"]["generateName"] = json!(prefix);
        pod["metadata"]["ownerReferences"] = json!([{
            "apiVersion": "apps/v1", "kind": "Deployment", "name": deployment.name_any(), "uid": deployment.uid(),
            "controller": true, "blockOwnerDeletion": true,
        }]);
        let pod: Pod = serde_json::from_value(pod).unwrap();
        self.pods().create(&PostParams::default(), &pod).await?;
        Ok(())
    }

    async fn end(&self, pod: &Pod) -> kube::Result<()> {
        let parameters = DeleteParams::default().grace_period(0);
        self.pods().delete(&pod.name_any(), &parameters).await?;
        Ok(())
    }

    /// The job that the JobManager finds in its configuration.
    async fn job_of(&self, deployment: &Deployment) -> kube::Result<String> {
        let number = deployment
            .labels()
            .get("flink/deployment-number")
            .cloned()
            .unwrap_or_default();
        let name = format!("flink-config-{}-{number}", deployment.name_any());
        let configuration = self.configuration(&name).await?;
        Ok(configuration["$internal.pipeline.job-id"]
            .as_str()
            .unwrap()
            .to_owned())
    }

    /// Flink's configuration in a ConfigMap.
    pub(crate) async fn configuration(&self, name: &str) -> kube::Result<Value> {
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), &self.namespace);
        let map = maps.get(name).await?;
        Ok(serde_saphyr::from_str(&map.data.unwrap()["config.yaml"]).unwrap())
    }
}

fn owned_by(pod: &Pod, uid: &str) -> bool {
    pod.owner_references().iter().any(|owner| owner.uid == uid)
}
