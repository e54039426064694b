//! The objects of clusters, as far as they are looked at.

use kube::core::DynamicObject;
use serde_json::{Value, json};

use super::marks::{
    GATE, JOB_MANAGER, LABEL_APP, LABEL_COMPONENT, LABEL_DEPLOYMENT, LABEL_TYPE, MAIN_CONTAINER, NATIVE,
    TASK_MANAGER,
};
use crate::kind::Kind;

/// The condition of a Deployment that says why its pods cannot be made.
const REPLICA_FAILURE: &str = "ReplicaFailure";

/// What finds the Deployments and pods of JobManagers.
pub(crate) const JOB_MANAGERS: &str = "type=flink-native-kubernetes,component=jobmanager";

/// The name of the FlinkDeployment whose cluster the object belongs to.
pub(crate) fn cluster_name(object: &DynamicObject) -> Option<&str> {
    label(object, LABEL_APP).filter(|_| label(object, LABEL_TYPE) == Some(NATIVE))
}

pub(super) fn label<'a>(object: &'a DynamicObject, name: &str) -> Option<&'a str> {
    object.metadata.labels.as_ref()?.get(name).map(String::as_str)
}

pub(super) fn annotation<'a>(object: &'a DynamicObject, name: &str) -> Option<&'a str> {
    object
        .metadata
        .annotations
        .as_ref()?
        .get(name)
        .map(String::as_str)
}

/// The number of the deployment that the object belongs to; `None`: it has none, because another operator made it.
pub(super) fn number(object: &DynamicObject) -> Option<u64> {
    label(object, LABEL_DEPLOYMENT)?.parse().ok()
}

/// Drops what nobody looks at, before an object of a cluster is kept.
pub(crate) fn trim_cluster(kind: Kind, object: &mut DynamicObject) {
    match kind {
        Kind::Deployment => {
            let conditions = object
                .data
                .pointer("/status/conditions")
                .and_then(Value::as_array);
            let failure = conditions
                .into_iter()
                .flatten()
                .filter(|condition| condition.get("type").and_then(Value::as_str) == Some(REPLICA_FAILURE))
                .cloned();
            object.data = json!({ "status": { "conditions": failure.collect::<Vec<Value>>() } });
        }
        Kind::Pod => {
            let status = object.data.get("status");
            let main = status
                .and_then(|status| status.get("containerStatuses"))
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter(|container| container.get("name").and_then(Value::as_str) == Some(MAIN_CONTAINER))
                .cloned();
            let scheduled = status
                .and_then(|status| status.get("conditions"))
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter(|condition| condition.get("type").and_then(Value::as_str) == Some("PodScheduled"))
                .cloned();
            object.data = json!({
                "spec": { "schedulingGates": object.data.pointer("/spec/schedulingGates") },
                "status": {
                    "phase": status.and_then(|status| status.get("phase")),
                    "reason": status.and_then(|status| status.get("reason")),
                    "message": status.and_then(|status| status.get("message")),
                    "conditions": scheduled.collect::<Vec<Value>>(),
                    "containerStatuses": main.collect::<Vec<Value>>(),
                },
            });
        }
        Kind::FlinkBlueGreenDeployment
        | Kind::FlinkDeployment
        | Kind::Ingress
        | Kind::Service
        | Kind::ConfigMap => {}
    }
}

/// A pod, as far as it is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PodView {
    pub(super) name: String,
    pub(super) uid: String,
    pub(super) number: Option<u64>,
    pub(super) component: Component,
    pub(super) phase: Phase,
    pub(super) is_terminating: bool,
    /// How its main container ended, at least once.
    pub(super) exit: Option<String>,
    pub(super) was_restarted: bool,
    /// Why it does not run.
    pub(super) trouble: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Component {
    JobManager,
    TaskManager,
    Other,
}

/// How far a pod is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It waits behind the gate, so nothing of it has run.
    Gated,
    /// Something of it may run, now or later.
    MayRun,
    /// All its containers have ended for good.
    Ended,
}

impl PodView {
    pub(super) fn of(object: &DynamicObject) -> Self {
        let text = |pointer: &str| object.data.pointer(pointer).and_then(Value::as_str);
        let phase = text("/status/phase").unwrap_or_default();
        let has_ended = phase == "Failed" || phase == "Succeeded";
        let main = object
            .data
            .pointer("/status/containerStatuses")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .find(|container| container.get("name").and_then(Value::as_str) == Some(MAIN_CONTAINER));
        let restarts = main
            .and_then(|main| main.get("restartCount"))
            .and_then(Value::as_u64)
            .unwrap_or_default();
        let exit = main.and_then(exit).or_else(|| {
            let reason = text("/status/reason").unwrap_or("it has ended");
            let message = text("/status/message").unwrap_or_default();
            has_ended.then(|| format!("the pod {phase}: {reason} {message}"))
        });
        Self {
            name: object.metadata.name.clone().unwrap_or_default(),
            uid: object.metadata.uid.clone().unwrap_or_default(),
            number: number(object),
            component: match label(object, LABEL_COMPONENT) {
                Some(JOB_MANAGER) => Component::JobManager,
                Some(TASK_MANAGER) => Component::TaskManager,
                Some(_) | None => Component::Other,
            },
            phase: if has_ended {
                Phase::Ended
            } else if is_gated(object) {
                Phase::Gated
            } else {
                Phase::MayRun
            },
            is_terminating: object.metadata.deletion_timestamp.is_some(),
            exit,
            was_restarted: restarts > 0,
            trouble: main.and_then(waiting).or_else(|| unschedulable(object)),
        }
    }

    /// Whether something of it may run, now or later.
    pub(super) fn may_run(&self) -> bool {
        self.phase == Phase::MayRun
    }
}

fn is_gated(object: &DynamicObject) -> bool {
    object
        .data
        .pointer("/spec/schedulingGates")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|gate| gate.get("name").and_then(Value::as_str) == Some(GATE))
}

/// How the container ended the first time that is still known.
fn exit(container: &Value) -> Option<String> {
    let ended = ["/lastState/terminated", "/state/terminated"]
        .iter()
        .find_map(|pointer| container.pointer(pointer).filter(|ended| ended.is_object()))?;
    let text = |name: &str| ended.get(name).and_then(Value::as_str).unwrap_or_default();
    let code = ended.get("exitCode").and_then(Value::as_i64).unwrap_or_default();
    let words = format!(
        "its JobManager ended with exit code {code} ({}) {}",
        text("reason"),
        text("message")
    );
    Some(words.trim_end().to_owned())
}

/// Why the container does not start, in words that stay the same while it is tried again.
fn waiting(container: &Value) -> Option<String> {
    let waiting = container.pointer("/state/waiting")?;
    let text = |name: &str| waiting.get(name).and_then(Value::as_str).unwrap_or_default();
    match text("reason") {
        "ContainerCreating" | "PodInitializing" | "CrashLoopBackOff" | "" => None,
        "ErrImagePull" | "ImagePullBackOff" => {
            let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
            Some(format!("the image {image} cannot be pulled"))
        }
        reason => Some(
            format!(
                "the JobManager's container does not start: {reason} {}",
                text("message")
            )
            .trim_end()
            .to_owned(),
        ),
    }
}

fn unschedulable(pod: &DynamicObject) -> Option<String> {
    let conditions = pod.data.pointer("/status/conditions")?.as_array()?;
    let text = |condition: &Value, name: &str| condition.get(name).and_then(Value::as_str).map(str::to_owned);
    let condition = conditions
        .iter()
        .find(|condition| text(condition, "reason").as_deref() == Some("Unschedulable"))?;
    let message = text(condition, "message").unwrap_or_default();
    Some(format!("no node takes the JobManager's pod: {message}"))
}

/// Why the Deployment's pods cannot be made.
pub(super) fn replica_failure(deployment: &DynamicObject) -> Option<String> {
    let conditions = deployment.data.pointer("/status/conditions")?.as_array()?;
    let failure = conditions
        .iter()
        .find(|condition| condition.get("type").and_then(Value::as_str) == Some(REPLICA_FAILURE))?;
    let message = failure.get("message").and_then(Value::as_str).unwrap_or_default();
    Some(format!("the JobManager's pod cannot be made: {message}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pod(status: &Value, gates: &Value) -> PodView {
        let mut object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": "orders-1", "uid": "p-1",
                "labels": { "app": "orders", "type": "flink-native-kubernetes", "component": "jobmanager", "flink/deployment-number": "3" },
            },
            "spec": { "schedulingGates": gates, "containers": [{ "name": MAIN_CONTAINER }] },
            "status": status,
        }))
        .unwrap();
        // As it is kept.
        trim_cluster(Kind::Pod, &mut object);
        assert_eq!(cluster_name(&object), Some("orders"));
        PodView::of(&object)
    }

    fn with_container(container: &Value) -> PodView {
        let mut container = container.clone();
        container["name"] = json!(MAIN_CONTAINER);
        let others = json!({ "name": "sidecar", "restartCount": 9, "state": { "waiting": { "reason": "CrashLoopBackOff" } } });
        pod(
            &json!({ "phase": "Running", "containerStatuses": [others, container] }),
            &Value::Null,
        )
    }

    #[test]
    fn a_pod_is_read_as_it_is_kept() {
        let gated = pod(&json!({ "phase": "Pending" }), &json!([{ "name": GATE }]));
        assert_eq!(
            (gated.phase, gated.component, gated.number),
            (Phase::Gated, Component::JobManager, Some(3))
        );
        let running = with_container(&json!({ "restartCount": 0, "state": { "running": {} } }));
        assert!(running.may_run() && !running.was_restarted);
        assert_eq!((running.exit, running.trouble), (None, None));
        let evicted = pod(
            &json!({ "phase": "Failed", "reason": "Evicted", "message": "The node was low on memory." }),
            &Value::Null,
        );
        assert_eq!(evicted.phase, Phase::Ended);
        assert_eq!(
            evicted.exit.as_deref(),
            Some("the pod Failed: Evicted The node was low on memory.")
        );
    }

    #[test]
    fn how_a_container_ended_is_told_also_while_it_is_started_again() {
        let ended = json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } });
        let first = with_container(&json!({ "restartCount": 0, "state": ended }));
        let again =
            with_container(&json!({ "restartCount": 1, "state": { "running": {} }, "lastState": ended }));
        let words = Some("its JobManager ended with exit code 137 (OOMKilled)");
        assert_eq!((first.exit.as_deref(), first.was_restarted), (words, false));
        assert_eq!((again.exit.as_deref(), again.was_restarted), (words, true));
    }

    #[test]
    fn why_a_pod_does_not_run_is_said_in_words_that_stay_the_same() {
        let waiting = |reason: &str| {
            with_container(
                &json!({ "image": "flink:x", "state": { "waiting": { "reason": reason, "message": "m" } } }),
            )
            .trouble
        };
        assert_eq!(waiting("ContainerCreating"), None);
        assert_eq!(waiting("ErrImagePull"), waiting("ImagePullBackOff"));
        assert_eq!(
            waiting("ErrImagePull").as_deref(),
            Some("the image flink:x cannot be pulled")
        );
        let words = waiting("CreateContainerConfigError");
        assert_eq!(
            words.as_deref(),
            Some("the JobManager's container does not start: CreateContainerConfigError m")
        );
        let conditions = json!([{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available." }]);
        let pending = pod(
            &json!({ "phase": "Pending", "conditions": conditions }),
            &Value::Null,
        );
        assert_eq!(
            pending.trouble.as_deref(),
            Some("no node takes the JobManager's pod: 0/3 nodes are available.")
        );
    }

    #[test]
    fn a_deployment_whose_pods_are_refused_says_so() {
        let mut object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "orders" }, "spec": { "replicas": 1 },
            "status": { "conditions": [
                { "type": "Available", "message": "no" }, { "type": "ReplicaFailure", "message": "exceeded quota" },
            ] },
        }))
        .unwrap();
        trim_cluster(Kind::Deployment, &mut object);
        assert_eq!(object.data.get("spec"), None);
        assert_eq!(
            replica_failure(&object).as_deref(),
            Some("the JobManager's pod cannot be made: exceeded quota")
        );
    }
}
