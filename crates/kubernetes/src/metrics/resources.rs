//! How each resource is, from what the watch brings: upstream's names, so that dashboards go on working, and our own.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use kube::core::DynamicObject;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use serde_json::Value;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeploymentStatus, HistoryEntry, Outcome};

use crate::kind::Name;

/// Upstream's kind, as it stands in the label `resourcetype`.
const RESOURCE_TYPE: &str = "FlinkBlueGreenDeployment";
/// The seven states, as upstream names them.
const STATES: [&str; 7] = [
    "INITIALIZING_BLUE",
    "ACTIVE_BLUE",
    "ACTIVE_GREEN",
    "SAVEPOINTING_BLUE",
    "SAVEPOINTING_GREEN",
    "TRANSITIONING_TO_BLUE",
    "TRANSITIONING_TO_GREEN",
];
/// The states of a job that the resource itself can have.
const JOB_STATES: [&str; 4] = ["RECONCILING", "RUNNING", "SUSPENDED", "FAILING"];
/// Upstream's names of transitions.
const TRANSITIONS: [&str; 3] = ["InitialDeployment", "BlueToGreen", "GreenToBlue"];
/// Seconds; a transition takes some seconds to some hours.
const BUCKETS: [f64; 14] = [
    0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14400.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Namespaced {
    resourcens: String,
    resourcetype: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Resource {
    namespace: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Condition {
    namespace: String,
    name: String,
    #[expect(clippy::struct_field_names, reason = "it is the name of the label")]
    condition: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Ended {
    namespace: String,
    name: String,
    outcome: String,
    cause: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Aborted {
    namespace: String,
    name: String,
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Phase {
    phase: String,
}

type Counts = Family<Namespaced, Gauge>;
type Seconds = Family<Namespaced, Histogram, fn() -> Histogram>;

/// The metrics about resources.
#[derive(Debug)]
pub(super) struct Resources {
    known: Mutex<HashMap<Name, Known>>,
    count: Counts,
    failures: Counts,
    states: BTreeMap<&'static str, (Counts, Seconds)>,
    job_states: BTreeMap<&'static str, Counts>,
    upstream_transitions: BTreeMap<&'static str, Seconds>,
    conditions: Family<Condition, Gauge>,
    step_since: Family<Resource, Gauge<f64, std::sync::atomic::AtomicU64>>,
    transitions: Family<Ended, Counter>,
    aborts: Family<Aborted, Counter>,
    phases: Family<Phase, Histogram, fn() -> Histogram>,
}

/// What was known of a resource at the last look, as far as the next one depends on it.
#[derive(Clone, Debug, Default, PartialEq)]
struct Known {
    state: Option<String>,
    state_since: Option<Timestamp>,
    job_state: Option<String>,
    step: Option<(String, Timestamp)>,
    last_ended: u64,
    last_failed: u64,
    conditions: Vec<(String, bool)>,
}

fn histogram() -> Histogram {
    Histogram::new(BUCKETS)
}

fn seconds() -> Seconds {
    Family::new_with_constructor(histogram as fn() -> Histogram)
}

impl Resources {
    pub(super) fn register(registry: &mut Registry) -> Self {
        let upstream = registry.sub_registry_with_prefix("flink_k8soperator_namespace");
        let (count, failures) = (Counts::default(), Counts::default());
        upstream.register("Count", "Resources in the namespace", count.clone());
        upstream.register(
            "Failures",
            "Changes of the job status to FAILING",
            failures.clone(),
        );
        let mut states = BTreeMap::new();
        for state in STATES {
            let (number, time) = (Counts::default(), seconds());
            upstream.register(
                format!("BlueGreenState_{state}_Count"),
                format!("Resources in state {state}"),
                number.clone(),
            );
            upstream.register(
                format!("Lifecycle_State_{state}_TimeSeconds"),
                format!("Seconds spent in state {state}"),
                time.clone(),
            );
            states.insert(state, (number, time));
        }
        let mut job_states = BTreeMap::new();
        for state in JOB_STATES {
            let number = Counts::default();
            upstream.register(
                format!("JobStatus_{state}_Count"),
                format!("Resources with job status {state}"),
                number.clone(),
            );
            job_states.insert(state, number);
        }
        let mut upstream_transitions = BTreeMap::new();
        for transition in TRANSITIONS {
            let time = seconds();
            upstream.register(
                format!("Lifecycle_Transition_{transition}_TimeSeconds"),
                format!("Seconds that completed transitions took: {transition}"),
                time.clone(),
            );
            upstream_transitions.insert(transition, time);
        }
        let own = registry.sub_registry_with_prefix("sluice");
        let conditions = Family::default();
        own.register(
            "condition",
            "1 while the condition of the resource is True",
            conditions.clone(),
        );
        let step_since = Family::default();
        own.register(
            "step_started_timestamp_seconds",
            "When the present step of the transition under way began; absent while nothing is under way",
            step_since.clone(),
        );
        let transitions = Family::default();
        own.register(
            "transitions",
            "Transitions that have ended, by outcome and cause",
            transitions.clone(),
        );
        let aborts = Family::default();
        own.register("aborts", "Specifications set aside, by reason", aborts.clone());
        let phases = Family::new_with_constructor(histogram as fn() -> Histogram);
        own.register(
            "phase_seconds",
            "Seconds that the steps of transitions took",
            phases.clone(),
        );
        Self {
            known: Mutex::default(),
            count,
            failures,
            states,
            job_states,
            upstream_transitions,
            conditions,
            step_since,
            transitions,
            aborts,
            phases,
        }
    }

    /// The watch has brought this version of a resource. `counts`: what has happened to it is counted here.
    pub(super) fn saw(&self, name: &Name, object: &DynamicObject, counts: bool, now: Timestamp) {
        let status = FlinkBlueGreenDeploymentStatus::read(object.data.get("status").unwrap_or(&Value::Null));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.get(name).cloned();
        let after = Known::of(&status, before.as_ref(), now);
        self.count_states(name, before.as_ref(), Some(&after));
        if let Some(before) = before.as_ref().filter(|_| counts) {
            self.count_changes(name, before, &after, &status, now);
        }
        self.show(name, before.as_ref(), &after);
        known.insert(name.clone(), after);
    }

    /// The resource is gone, and its own series with it.
    pub(super) fn gone(&self, name: &Name) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(before) = known.remove(name) else { return };
        self.count_states(name, Some(&before), None);
        for (condition, _) in &before.conditions {
            self.conditions.remove(&condition_of(name, condition));
        }
        self.step_since.remove(&resource_of(name));
    }

    fn count_states(&self, name: &Name, before: Option<&Known>, after: Option<&Known>) {
        let labels = namespaced(name);
        let step = |counts: &Counts, by: i64| {
            counts.get_or_create(&labels).inc_by(by);
        };
        for (known, by) in [(before, -1), (after, 1)] {
            let Some(known) = known else { continue };
            step(&self.count, by);
            if let Some((count, _)) = known.state.as_deref().and_then(|state| self.states.get(state)) {
                step(count, by);
            }
            if let Some(count) = known
                .job_state
                .as_deref()
                .and_then(|state| self.job_states.get(state))
            {
                step(count, by);
            }
        }
    }

    /// What has happened since the last look; at the first one nothing is known to have happened.
    fn count_changes(
        &self,
        name: &Name,
        before: &Known,
        after: &Known,
        status: &FlinkBlueGreenDeploymentStatus,
        now: Timestamp,
    ) {
        let labels = namespaced(name);
        if before.job_state != after.job_state && after.job_state.as_deref() == Some("FAILING") {
            self.failures.get_or_create(&labels).inc();
        }
        if before.state != after.state
            && let (Some(state), Some(since)) = (before.state.as_deref(), before.state_since)
            && let Some((_, time)) = self.states.get(state)
        {
            time.get_or_create(&labels).observe(between(since, now));
        }
        if let Some((phase, since)) = &before.step
            && after.step.as_ref().is_none_or(|(other, _)| other != phase)
        {
            let phase = Phase { phase: phase.clone() };
            self.phases.get_or_create(&phase).observe(between(*since, now));
        }
        for entry in status
            .history
            .iter()
            .filter(|entry| entry.transition > before.last_ended)
        {
            self.count_ended(name, entry);
        }
        if let Some(failed) = status
            .failed
            .as_ref()
            .filter(|failed| failed.transition > before.last_failed)
        {
            let aborted = Aborted {
                namespace: name.namespace.clone(),
                name: name.name.clone(),
                reason: word(&failed.reason),
            };
            self.aborts.get_or_create(&aborted).inc();
        }
    }

    fn count_ended(&self, name: &Name, entry: &HistoryEntry) {
        let ended = Ended {
            namespace: name.namespace.clone(),
            name: name.name.clone(),
            outcome: word(&entry.outcome),
            cause: word(&entry.cause),
        };
        self.transitions.get_or_create(&ended).inc();
        let upstream = match (entry.outcome, entry.from, entry.to) {
            (Outcome::Completed, None, _) => Some("InitialDeployment"),
            (Outcome::Completed, Some(Color::Blue), Color::Green) => Some("BlueToGreen"),
            (Outcome::Completed, Some(Color::Green), Color::Blue) => Some("GreenToBlue"),
            _ => None,
        };
        if let Some(time) = upstream.and_then(|name| self.upstream_transitions.get(name)) {
            time.get_or_create(&namespaced(name))
                .observe(between(entry.started_at, entry.ended_at));
        }
    }

    fn show(&self, name: &Name, before: Option<&Known>, after: &Known) {
        for (condition, _) in before.iter().flat_map(|before| &before.conditions) {
            if after.conditions.iter().all(|(other, _)| other != condition) {
                self.conditions.remove(&condition_of(name, condition));
            }
        }
        for (condition, is_true) in &after.conditions {
            self.conditions
                .get_or_create(&condition_of(name, condition))
                .set(i64::from(*is_true));
        }
        match &after.step {
            #[expect(
                clippy::cast_precision_loss,
                reason = "milliseconds since 1970 fit into 53 bits"
            )]
            Some((_, since)) => {
                let seconds = since.as_millisecond() as f64 / 1000.0;
                self.step_since.get_or_create(&resource_of(name)).set(seconds);
            }
            None => {
                self.step_since.remove(&resource_of(name));
            }
        }
    }
}

impl Known {
    fn of(status: &FlinkBlueGreenDeploymentStatus, before: Option<&Self>, now: Timestamp) -> Self {
        let state = status.blue_green_state.as_ref().map(word);
        let same_state = before.filter(|before| before.state == state);
        let step = status.transition.as_ref().map(|transition| {
            let value = serde_json::to_value(&transition.step).unwrap_or_default();
            let text = |field: &str| {
                value
                    .get(field)
                    .and_then(Value::as_str)
                    .unwrap_or_default()
                    .to_owned()
            };
            (text("name"), text("since").parse().unwrap_or(now))
        });
        Self {
            state_since: match same_state {
                Some(before) => before.state_since,
                // At the first sight of it nobody knows since when.
                None => before.map(|_| now),
            },
            state,
            job_state: status
                .job_status
                .as_ref()
                .and_then(|job| job.state)
                .as_ref()
                .map(word),
            step,
            last_ended: status
                .history
                .iter()
                .map(|entry| entry.transition)
                .max()
                .unwrap_or_default(),
            last_failed: status
                .failed
                .as_ref()
                .map(|failed| failed.transition)
                .unwrap_or_default(),
            conditions: status
                .conditions
                .iter()
                .map(|condition| (condition.type_.clone(), condition.status == "True"))
                .collect(),
        }
    }
}

/// A word of the wire form.
fn word(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

/// Seconds from one moment to a later one.
fn between(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

fn namespaced(name: &Name) -> Namespaced {
    Namespaced {
        resourcens: name.namespace.clone(),
        resourcetype: RESOURCE_TYPE,
    }
}

fn resource_of(name: &Name) -> Resource {
    Resource {
        namespace: name.namespace.clone(),
        name: name.name.clone(),
    }
}

fn condition_of(name: &Name, condition: &str) -> Condition {
    Condition {
        namespace: name.namespace.clone(),
        name: name.name.clone(),
        condition: condition.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use serde_json::json;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn object(status: &Value) -> DynamicObject {
        serde_json::from_value(json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": RESOURCE_TYPE,
            "metadata": { "name": "orders", "namespace": "flink" }, "status": status,
        }))
        .unwrap()
    }

    #[test]
    fn upstreams_names_and_ours_tell_of_a_transition_and_the_series_go_with_the_resource() {
        let mut registry = Registry::default();
        let resources = Resources::register(&mut registry);
        let name = Name::new("flink", "orders");
        let text = || {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            text
        };
        let active = json!({ "blueGreenState": "ACTIVE_BLUE", "jobStatus": { "state": "RUNNING" },
            "conditions": [{ "type": "Available", "status": "True", "reason": "JobRunning", "message": "",
                             "lastTransitionTime": "2026-01-01T00:00:00Z" }] });
        let first = json!({ "blueGreenState": "TRANSITIONING_TO_BLUE" });
        resources.saw(&name, &object(&first), true, at(-5));
        resources.saw(&name, &object(&active), true, at(0));
        let transition = json!({ "number": 2, "from": "BLUE", "to": "GREEN", "cause": "SpecChanged", "mode": "BASIC",
            "startedAt": at(10), "spec": "{}",
            "step": { "name": "Deploying", "since": at(10), "deadline": at(70) } });
        let deploying = json!({ "blueGreenState": "TRANSITIONING_TO_GREEN", "jobStatus": { "state": "RECONCILING" },
            "transition": transition });
        resources.saw(&name, &object(&deploying), true, at(10));
        let labels = r#"{resourcens="flink",resourcetype="FlinkBlueGreenDeployment"}"#;
        let upstream =
            |metric: &str, value: &str| format!("flink_k8soperator_namespace_{metric}{labels} {value}\n");
        let found = text();
        assert!(
            found.contains(&upstream("BlueGreenState_TRANSITIONING_TO_GREEN_Count", "1")),
            "{found}"
        );
        assert!(
            found.contains(&upstream("BlueGreenState_ACTIVE_BLUE_Count", "0")),
            "{found}"
        );
        assert!(
            found.contains(&upstream("Lifecycle_State_ACTIVE_BLUE_TimeSeconds_sum", "10.0")),
            "{found}"
        );
        assert!(found.contains(
            r#"sluice_step_started_timestamp_seconds{namespace="flink",name="orders"} 1800000010.0"#
        ));

        let failed = json!({ "blueGreenState": "ACTIVE_BLUE", "jobStatus": { "state": "FAILING" },
            "failed": { "specHash": "x", "transition": 2, "reason": "NotReady", "message": "it failed", "at": at(70) },
            "history": [{ "transition": 2, "from": "BLUE", "to": "GREEN", "cause": "SpecChanged", "mode": "BASIC",
                "startedAt": at(10), "endedAt": at(70), "outcome": "ABORTED", "guarantee": "EXACTLY_ONCE" }] });
        resources.saw(&name, &object(&failed), true, at(70));
        let found = text();
        assert!(found.contains(&upstream("Failures", "1")), "{found}");
        for expected in [
            r#"sluice_transitions_total{namespace="flink",name="orders",outcome="ABORTED",cause="SpecChanged"} 1"#,
            r#"sluice_aborts_total{namespace="flink",name="orders",reason="NotReady"} 1"#,
            r#"sluice_phase_seconds_sum{phase="Deploying"} 60.0"#,
        ] {
            assert!(found.contains(expected), "{expected}: {found}");
        }
        resources.gone(&name);
        let found = text();
        assert!(found.contains(&upstream("Count", "0")), "{found}");
        assert!(!found.contains("sluice_condition{"), "{found}");
    }
}
