//! One blue/green resource in one row.

use sluice_api::FlinkDeployment;
use sluice_api::blue_green::{
    BlueGreenState, Color, FlinkBlueGreenDeployment, FlinkBlueGreenDeploymentStatus,
};
use sluice_api::flink_deployment::FlinkJobState;
use sluice_core::bluegreen::active_color;

use super::transition::Progress;
use super::{Clock, Palette, Snapshot, Tone, table};

/// The resources as a table; `with_namespace` where they are of several namespaces.
pub fn resources(snapshots: &[Snapshot], with_namespace: bool, palette: Palette, clock: &Clock) -> String {
    if snapshots.is_empty() {
        return "No FlinkBlueGreenDeployments.\n".to_owned();
    }
    let mut headings = vec!["NAME", "STATE", "ACTIVE", "JOB", "READY", "PROGRESS", "AGE"];
    if with_namespace {
        headings.insert(0, "NAMESPACE");
    }
    let rows: Vec<Vec<String>> = snapshots
        .iter()
        .map(|snapshot| {
            let mut row = row(snapshot, palette, clock);
            if with_namespace {
                let namespace = snapshot.resource.metadata.namespace.clone();
                row.insert(0, namespace.unwrap_or_default());
            }
            row
        })
        .collect();
    table(palette, &headings, &rows)
}

fn row(snapshot: &Snapshot, palette: Palette, clock: &Clock) -> Vec<String> {
    let status = status(&snapshot.resource);
    let active = active(&status);
    vec![
        snapshot.name().to_owned(),
        state_text(&status).to_owned(),
        active.map(|color| palette.side(color)).unwrap_or_default(),
        job(&status, palette),
        ready(snapshot, active, palette),
        Progress::of(&status).short(palette, clock),
        age(&snapshot.resource.metadata, clock),
    ]
}

/// FlinkDeployments as a table.
pub fn flink_deployments(deployments: &[FlinkDeployment], palette: Palette, clock: &Clock) -> String {
    if deployments.is_empty() {
        return "No FlinkDeployments.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = deployments
        .iter()
        .map(|deployment| {
            vec![
                deployment.metadata.name.clone().unwrap_or_default(),
                child_job(deployment).map(job_state).unwrap_or_default(),
                lifecycle(deployment),
                deployment.spec.flink_version.clone().unwrap_or_default(),
                owner(deployment),
                age(&deployment.metadata, clock),
            ]
        })
        .collect();
    table(
        palette,
        &["NAME", "JOB", "LIFECYCLE", "FLINK", "OWNER", "AGE"],
        &rows,
    )
}

fn owner(deployment: &FlinkDeployment) -> String {
    let owners = deployment.metadata.owner_references.iter().flatten();
    owners.map(|owner| owner.name.clone()).next().unwrap_or_default()
}

fn age(metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta, clock: &Clock) -> String {
    let created = metadata.creation_timestamp.as_ref();
    created.map(|time| clock.ago(time.0)).unwrap_or_default()
}

/// The status, or that of a resource that nobody has looked at yet.
pub(crate) fn status(resource: &FlinkBlueGreenDeployment) -> FlinkBlueGreenDeploymentStatus {
    resource.status.clone().unwrap_or_default()
}

/// Upstream's name of the state.
pub(crate) const fn state_text(status: &FlinkBlueGreenDeploymentStatus) -> &'static str {
    match status.blue_green_state {
        None => "",
        Some(BlueGreenState::InitializingBlue) => "INITIALIZING_BLUE",
        Some(BlueGreenState::ActiveBlue) => "ACTIVE_BLUE",
        Some(BlueGreenState::ActiveGreen) => "ACTIVE_GREEN",
        Some(BlueGreenState::SavepointingBlue) => "SAVEPOINTING_BLUE",
        Some(BlueGreenState::SavepointingGreen) => "SAVEPOINTING_GREEN",
        Some(BlueGreenState::TransitioningToBlue) => "TRANSITIONING_TO_BLUE",
        Some(BlueGreenState::TransitioningToGreen) => "TRANSITIONING_TO_GREEN",
    }
}

/// The side that serves, as far as the status says; none before the first deployment is up.
pub(crate) fn active(status: &FlinkBlueGreenDeploymentStatus) -> Option<Color> {
    // A status that upstream's operator wrote has no record of ours; its settled states name the side all the same.
    active_color(status).or(match status.blue_green_state {
        Some(BlueGreenState::ActiveBlue | BlueGreenState::SavepointingBlue) => Some(Color::Blue),
        Some(BlueGreenState::ActiveGreen | BlueGreenState::SavepointingGreen) => Some(Color::Green),
        _ => None,
    })
}

fn job(status: &FlinkBlueGreenDeploymentStatus, palette: Palette) -> String {
    let Some(state) = status.job_status.as_ref().and_then(|job| job.state) else {
        return String::new();
    };
    palette.paint(job_tone(state), job_state(state))
}

/// Whether the active child is up as far as its own status says.
fn ready(snapshot: &Snapshot, active: Option<Color>, palette: Palette) -> String {
    let Some(child) = active.and_then(|color| snapshot.child(color)) else {
        return palette.paint(Tone::Dim, "no");
    };
    if child_job(child) == Some(FlinkJobState::Running) {
        palette.paint(Tone::Good, "yes")
    } else {
        palette.paint(Tone::Bad, "no")
    }
}

/// The state of a child's job.
pub(crate) fn child_job(child: &FlinkDeployment) -> Option<FlinkJobState> {
    child.status.as_ref()?.job_status.as_ref()?.state
}

/// A child's life-cycle state.
pub(crate) fn lifecycle(child: &FlinkDeployment) -> String {
    let state = child.status.as_ref().and_then(|status| status.lifecycle_state);
    state.map(wire_name).unwrap_or_default()
}

/// A job's state as Flink writes it.
pub(crate) fn job_state(state: FlinkJobState) -> String {
    wire_name(state)
}

/// How an enum value is written in a resource.
pub(crate) fn wire_name(value: impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// Whether a job's state is good news.
pub(crate) const fn job_tone(state: FlinkJobState) -> Tone {
    match state {
        FlinkJobState::Running | FlinkJobState::Finished => Tone::Good,
        FlinkJobState::Failed | FlinkJobState::Failing | FlinkJobState::Restarting => Tone::Bad,
        FlinkJobState::Suspended | FlinkJobState::Canceled => Tone::Dim,
        FlinkJobState::Cancelling
        | FlinkJobState::Created
        | FlinkJobState::Initializing
        | FlinkJobState::Reconciling => Tone::Busy,
    }
}
