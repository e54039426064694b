//! What the objects say of a cluster, and what is to be done about it that needs no decision.

use jiff::Timestamp;
use kube::core::DynamicObject;
use sluice_api::FlinkDeployment;
use sluice_core::Fact;
use sluice_core::lifecycle::Cluster;

use super::marks::{
    ANNOTATION_ENDED, ANNOTATION_LAUNCHED, ANNOTATION_RELEASED, ANNOTATION_RESTORED_FROM, ANNOTATION_STARTS,
    ONCE,
};
use super::objects::{Component, Phase, PodView, annotation, number, replica_failure};

/// The objects of one cluster.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    /// The Deployment of the FlinkDeployment's name.
    pub(super) deployment: Option<DynamicObject>,
    /// The pods of the cluster; from a watch, only those of the JobManager.
    pub(super) pods: Vec<PodView>,
}

/// What is to be done about a cluster by itself, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Upkeep {
    /// Write on the FlinkDeployment that this deployment was launched.
    NoteLaunched(u64),
    /// Write on the Deployment that this pod, and no other, may run the JobManager.
    Release(String),
    /// Take the gate from the pod that may run.
    OpenGate(PodView),
    /// Write on the Deployment which checkpoint its job has restored, as long as its JobManager tells.
    NoteRestored(u64),
    /// Write on the Deployment how its JobManager ended.
    NoteEnd(String),
    /// Delete a pod of a cluster whose JobManager has ended.
    End(PodView),
}

/// What is to be seen of a cluster.
#[derive(Clone, Debug)]
pub(super) struct View {
    pub(super) fact: Fact<Cluster>,
    pub(super) upkeep: Vec<Upkeep>,
    /// Its Deployment is being deleted.
    pub(super) is_terminating: bool,
    /// Its JobManager is started once; nobody else can know of its job's checkpoints.
    pub(super) is_started_once: bool,
}

/// The largest deployment number that was ever launched, as it stands on the FlinkDeployment.
pub(super) fn launched(resource: &FlinkDeployment) -> u64 {
    let annotations = resource.metadata.annotations.as_ref();
    annotations
        .and_then(|annotations| annotations.get(ANNOTATION_LAUNCHED)?.parse().ok())
        .unwrap_or_default()
}

/// Reads the objects of the cluster of `resource`.
pub(super) fn view(resource: &FlinkDeployment, objects: &Objects) -> View {
    let Some(deployment) = &objects.deployment else {
        return without_deployment(objects);
    };
    let uid = resource.metadata.uid.as_deref().unwrap_or_default();
    let owners = deployment
        .metadata
        .owner_references
        .as_deref()
        .unwrap_or_default();
    let is_terminating = deployment.metadata.deletion_timestamp.is_some();
    let mut view = View {
        fact: Fact::Absent,
        upkeep: Vec::new(),
        is_terminating,
        is_started_once: annotation(deployment, ANNOTATION_STARTS) == Some(ONCE),
    };
    if !owners.iter().any(|owner| owner.uid == uid) {
        let name = resource.metadata.name.as_deref().unwrap_or_default();
        view.fact = Fact::Unknown(format!(
            "there is a Deployment {name} that belongs to something else; remove it or name the FlinkDeployment otherwise"
        ));
        return view;
    }
    // Upstream's operator does not number them.
    let number = number(deployment).unwrap_or(1);
    let cluster = |alive: bool, exit: Option<String>| {
        Fact::Present(Cluster {
            deployment: number,
            alive,
            exit,
            started_at: deployment
                .metadata
                .creation_timestamp
                .as_ref()
                .and_then(|time| Timestamp::from_millisecond(time.0.as_millisecond()).ok()),
            restored_from: annotation(deployment, ANNOTATION_RESTORED_FROM).map(str::to_owned),
        })
    };
    if launched(resource) < number {
        view.upkeep.push(Upkeep::NoteLaunched(number));
    }
    view.fact = cluster(true, None);
    if !view.is_started_once {
        return view;
    }
    let Some(released) = annotation(deployment, ANNOTATION_RELEASED) else {
        let first = objects.pods.iter().find(|pod| {
            pod.component == Component::JobManager && pod.phase == Phase::Gated && !pod.is_terminating
        });
        if let Some(pod) = first.filter(|_| !is_terminating) {
            view.upkeep.push(Upkeep::Release(pod.uid.clone()));
            view.upkeep.push(Upkeep::OpenGate(pod.clone()));
        }
        return view;
    };
    let known_end = annotation(deployment, ANNOTATION_ENDED);
    let pod = objects.pods.iter().find(|pod| pod.uid == released);
    if let Some(pod) = pod.filter(|pod| pod.phase == Phase::Gated && !pod.is_terminating) {
        view.upkeep.push(Upkeep::OpenGate(pod.clone()));
        return view;
    }
    let ended = match pod {
        None => Some("its JobManager's pod is gone".to_owned()),
        Some(pod) if pod.phase == Phase::Ended || pod.was_restarted => Some(
            pod.exit
                .clone()
                .unwrap_or_else(|| "its JobManager has ended".to_owned()),
        ),
        // While it runs, its container may be started again; so the pod goes before the cluster counts as dead.
        Some(pod) => pod.exit.clone(),
    };
    let Some(reason) = ended.or_else(|| known_end.map(str::to_owned)) else {
        return view;
    };
    if known_end.is_none() {
        view.upkeep.push(Upkeep::NoteEnd(reason.clone()));
    }
    // Behind its gate a pod does nothing, and Kubernetes would only make the next one.
    let left: Vec<&PodView> = objects.pods.iter().filter(|pod| pod.may_run()).collect();
    view.upkeep.extend(
        left.iter()
            .filter(|pod| !pod.is_terminating)
            .map(|pod| Upkeep::End((*pod).clone())),
    );
    view.fact = if left.is_empty() {
        cluster(false, Some(known_end.map_or(reason, str::to_owned)))
    } else {
        Fact::Unknown("the JobManager has ended, and what is left of its cluster is being ended".to_owned())
    };
    view
}

/// Why no JobManager answers, as far as the objects say.
pub(super) fn trouble(objects: &Objects) -> Option<String> {
    let job_managers = || {
        objects
            .pods
            .iter()
            .filter(|pod| pod.component == Component::JobManager && pod.phase != Phase::Gated)
    };
    job_managers()
        .find_map(|pod| pod.trouble.clone())
        .or_else(|| job_managers().find_map(|pod| pod.exit.clone()))
        .or_else(|| objects.deployment.as_ref().and_then(replica_failure))
}

/// Pods whose Deployment is gone are a cluster as long as they run.
fn without_deployment(objects: &Objects) -> View {
    let left = objects.pods.iter().filter(|pod| pod.may_run());
    let number = left.map(|pod| pod.number.unwrap_or(1)).max();
    View {
        fact: number.map_or(Fact::Absent, |deployment| {
            Fact::Present(Cluster {
                deployment,
                alive: true,
                exit: None,
                started_at: None,
                restored_from: None,
            })
        }),
        upkeep: Vec::new(),
        is_terminating: false,
        is_started_once: false,
    }
}

#[cfg(test)]
mod tests {
    use kube::core::DynamicObject;
    use serde_json::{Value, json};

    use super::*;

    fn resource(launched: &str) -> FlinkDeployment {
        serde_json::from_value(json!({
            "metadata": { "name": "orders", "uid": "u-1", "annotations": { ANNOTATION_LAUNCHED: launched } },
        }))
        .unwrap()
    }

    fn deployment(annotations: &Value) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {
                "name": "orders", "uid": "d-1", "labels": { "flink/deployment-number": "3" }, "annotations": annotations,
                "ownerReferences": [{ "apiVersion": "v1", "kind": "FlinkDeployment", "name": "orders", "uid": "u-1" }],
            },
        }))
        .unwrap()
    }

    fn pod(uid: &str, component: Component, phase: Phase) -> PodView {
        PodView {
            name: format!("orders-{uid}"),
            uid: uid.to_owned(),
            number: Some(3),
            component,
            phase,
            is_terminating: false,
            exit: None,
            was_restarted: false,
            trouble: None,
        }
    }

    fn seen(annotations: &Value, pods: Vec<PodView>) -> View {
        let objects = Objects {
            deployment: Some(deployment(annotations)),
            pods,
        };
        view(&resource("3"), &objects)
    }

    fn alive(view: &View) -> Option<bool> {
        view.fact.present().map(|cluster| cluster.alive)
    }

    #[test]
    fn one_pod_is_released_and_every_other_waits() {
        let waiting = pod("a", Component::JobManager, Phase::Gated);
        let view = seen(&json!({ ANNOTATION_STARTS: ONCE }), vec![waiting.clone()]);
        assert_eq!(alive(&view), Some(true));
        assert_eq!(
            view.upkeep,
            [Upkeep::Release("a".to_owned()), Upkeep::OpenGate(waiting.clone())]
        );

        // The operator died between the two: the same pod, and no other.
        let marks = json!({ ANNOTATION_STARTS: ONCE, ANNOTATION_RELEASED: "a" });
        let other = pod("b", Component::JobManager, Phase::Gated);
        let view = seen(&marks, vec![other, waiting.clone()]);
        assert_eq!(view.upkeep, [Upkeep::OpenGate(waiting)]);

        let running = pod("a", Component::JobManager, Phase::MayRun);
        let view = seen(&marks, vec![running]);
        assert_eq!(
            (alive(&view), view.upkeep.as_slice()),
            (Some(true), [].as_slice())
        );
    }

    #[test]
    fn a_cluster_counts_as_dead_when_nothing_of_it_can_run() {
        let marks = json!({ ANNOTATION_STARTS: ONCE, ANNOTATION_RELEASED: "a" });
        let other = pod("b", Component::JobManager, Phase::Gated);
        let task_manager = pod("t", Component::TaskManager, Phase::MayRun);
        let view = seen(&marks, vec![other.clone(), task_manager.clone()]);
        assert!(view.fact.is_unknown());
        assert!(view.upkeep.contains(&Upkeep::End(task_manager)));

        // A container that was started again may run the job at this moment.
        let restarted = PodView {
            was_restarted: true,
            exit: Some("it ended".to_owned()),
            ..pod("a", Component::JobManager, Phase::MayRun)
        };
        let view = seen(&marks, vec![restarted.clone()]);
        assert!(view.fact.is_unknown());
        assert_eq!(
            view.upkeep,
            [Upkeep::NoteEnd("it ended".to_owned()), Upkeep::End(restarted)]
        );

        let noted =
            json!({ ANNOTATION_STARTS: ONCE, ANNOTATION_RELEASED: "a", ANNOTATION_ENDED: "it ended" });
        let view = seen(&noted, vec![other]);
        assert_eq!(alive(&view), Some(false));
        assert_eq!(view.fact.present().unwrap().exit.as_deref(), Some("it ended"));
        assert!(view.upkeep.is_empty());
    }

    #[test]
    fn with_high_availability_the_pods_are_kubernetes_business() {
        let view = seen(&json!({}), Vec::new());
        assert_eq!(
            (alive(&view), view.upkeep.as_slice()),
            (Some(true), [].as_slice())
        );
    }

    #[test]
    fn pods_that_lost_their_deployment_are_alive_as_long_as_they_run() {
        let objects = |phase| Objects {
            deployment: None,
            pods: vec![pod("t", Component::TaskManager, phase)],
        };
        let running = view(&resource("3"), &objects(Phase::MayRun));
        assert_eq!(running.fact.present().map(|cluster| cluster.deployment), Some(3));
        assert!(view(&resource("3"), &objects(Phase::Ended)).fact.is_absent());
    }

    #[test]
    fn a_deployment_of_somebody_else_is_no_cluster() {
        let mut resource = resource("3");
        resource.metadata.uid = Some("u-2".to_owned());
        let objects = Objects {
            deployment: Some(deployment(&json!({}))),
            pods: Vec::new(),
        };
        assert!(view(&resource, &objects).fact.is_unknown());
    }
}
