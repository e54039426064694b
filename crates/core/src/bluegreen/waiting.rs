//! An incoming child whose job waits until the outgoing one has stopped (strategy SAVEPOINT, with the agent).
//!
//! What makes it wait was put into it when it was created, and stays as long as it lives: it is the child's own, as what it
//! was started from is.

use serde_json::{Map, Value};
use sluice_api::blue_green::{Color, FlinkBlueGreenDeploymentSpec, TransitionMode};
use sluice_api::gate::key;
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec, configuration};

use super::agent::{self, Agent, Preparation};
use super::child;
use super::record::Transition;
use super::view::View;
use crate::handover::Epoch;

/// The keys that make a child wait.
const PUT_IN: [&str; 6] = [
    key::STRATEGY,
    key::ACTIVE_DEPLOYMENT_TYPE,
    key::HANDOVER_EPOCH,
    key::HANDOVER_DIRECTORY,
    key::AWAIT_SAVEPOINT,
    key::SINKS_EPOCH,
];
/// Where the agent stands beside the user's own options.
const JOB_MANAGER_OPTIONS: &str = "env.java.opts.jobmanager";

/// Whether the shell can deliver an agent that makes a child of this specification wait.
pub fn is_possible(view: &View<'_>, color: Color, number: u64, spec: &FlinkBlueGreenDeploymentSpec) -> bool {
    manifest(view, color, number, spec).is_some()
}

/// The child of a transition, waiting; `None` where that is not possible.
pub fn of(view: &View<'_>, transition: &Transition) -> Option<FlinkDeployment> {
    manifest(view, transition.to, transition.number, &transition.spec)
}

fn manifest(
    view: &View<'_>,
    color: Color,
    number: u64,
    spec: &FlinkBlueGreenDeploymentSpec,
) -> Option<FlinkDeployment> {
    if view.observed.agent == Agent::None {
        return None;
    }
    let preparation = Preparation {
        mode: TransitionMode::Advanced,
        color,
        created_for: Epoch(number),
        // It goes on with the sinks of the outgoing job, and nothing forks.
        sink_epoch: 0,
        awaits_savepoint: true,
        agent: view.observed.agent.clone(),
    };
    // What it starts from it is told when it may.
    let plain = child::manifest(view.resource(), color, number, spec, None);
    let prepared = agent::prepare(&plain, &preparation).ok()?;
    awaits_savepoint(&prepared).then_some(prepared)
}

/// Whether the job of this child waits, whenever its JobManager starts, until the handover record names it.
pub fn awaits_savepoint(child: &FlinkDeployment) -> bool {
    Preparation::of(child).is_some_and(|preparation| preparation.awaits_savepoint)
}

/// What a child has to be, with what makes it wait as `present` bears it.
pub fn kept(present: &FlinkDeployment, wanted: FlinkDeployment) -> FlinkDeploymentSpec {
    let prepared =
        Preparation::of(present).and_then(|preparation| agent::prepare(&wanted, &preparation).ok());
    prepared.unwrap_or(wanted).spec
}

/// What the user of a child wrote, without what makes it wait: where a status is lost it is read from the child, and must
/// not look like an edit.
///
/// A key that the user's present specification has too is as it stands there.
pub fn as_written(child: &FlinkDeployment, present: &FlinkDeploymentSpec) -> FlinkDeploymentSpec {
    let mut spec = child.spec.clone();
    let Some(Preparation {
        agent: Agent::Jar { path, .. },
        ..
    }) = Preparation::of(child)
    else {
        return spec;
    };
    let flat = |spec: &FlinkDeploymentSpec| {
        spec.flink_configuration
            .as_ref()
            .map(configuration::flatten)
            .unwrap_or_default()
    };
    let (mut borne, mut written) = (flat(&spec), flat(present));
    for key in PUT_IN {
        match written.remove(key) {
            Some(text) => borne.insert(key.to_owned(), text),
            None => borne.remove(key),
        };
    }
    if let Some(options) = borne.remove(JOB_MANAGER_OPTIONS) {
        let own = options
            .replace(&format!("'-javaagent:{path}'"), "")
            .replace(&format!("-javaagent:{path}"), "");
        if !own.trim().is_empty() {
            borne.insert(JOB_MANAGER_OPTIONS.to_owned(), own.trim_end().to_owned());
        }
    }
    let entries: Map<String, Value> = borne
        .into_iter()
        .map(|(key, text)| (key, Value::from(text)))
        .collect();
    spec.flink_configuration = (!entries.is_empty()).then_some(Value::Object(entries));
    spec
}
