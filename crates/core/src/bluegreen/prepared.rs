//! The children as they are created: with the agent and its keys where they need them.
//!
//! What a child was created with stays with it for life ([`kept`]): it is the child's own, as what it was started from is.

use sluice_api::blue_green::{Color, FlinkBlueGreenDeploymentSpec, TransitionMode};
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec, JobState};

use super::agent::{self, Preparation};
use super::decision::Effect;
use super::record::Transition;
use super::view::View;
use super::{child, diff, effects, watermark};
use crate::fields;
use crate::handover::Epoch;

/// What a child is made from.
#[derive(Clone, Copy)]
pub struct Made<'a> {
    /// The number of its transition.
    pub number: u64,
    /// The specification.
    pub spec: &'a FlinkBlueGreenDeploymentSpec,
    /// What it starts from; `None`: from nothing, or from what it is told when it may begin.
    pub restore: Option<&'a str>,
    /// The sink epoch of its job.
    pub sink_epoch: u64,
    /// Whether its job waits until the handover record names it.
    pub waits: bool,
}

/// The incoming child of a transition.
///
/// # Errors
///
/// What it needs and cannot have, in a sentence.
pub fn incoming(view: &View<'_>, transition: &Transition) -> Result<FlinkDeployment, String> {
    let waits = transition.holds_incoming();
    let made = Made {
        number: transition.number,
        spec: &transition.spec,
        restore: transition.restore.as_deref().filter(|_| !waits),
        sink_epoch: transition.sink_epoch,
        waits,
    };
    manifest(view, transition.to, &made)
}

/// A child as it is created.
///
/// # Errors
///
/// What it needs and cannot have, in a sentence.
pub fn manifest(view: &View<'_>, color: Color, made: &Made<'_>) -> Result<FlinkDeployment, String> {
    let transition_mode = view.settings.transition_mode;
    let plain = child::manifest(view.resource(), color, made.number, made.spec, made.restore);
    let takes_part =
        transition_mode == TransitionMode::Advanced && watermark::is_wanted(&diff::child_spec(made.spec));
    if !takes_part && !made.waits && made.sink_epoch == 0 {
        return Ok(plain);
    }
    let preparation = Preparation {
        mode: transition_mode,
        color,
        created_for: Epoch(made.number),
        sink_epoch: made.sink_epoch,
        awaits_savepoint: made.waits,
        agent: view.observed.agent.clone(),
    };
    agent::prepare(&plain, &preparation).map_err(|problems| {
        let each: Vec<String> = problems.iter().map(ToString::to_string).collect();
        each.join("; ")
    })
}

/// Whether a child of this specification can be had.
///
/// # Errors
///
/// What it needs and cannot have, in a sentence.
pub fn is_deliverable(
    view: &View<'_>,
    color: Color,
    spec: &FlinkBlueGreenDeploymentSpec,
) -> Result<(), String> {
    let made = Made {
        number: view.record.number.saturating_add(1),
        spec,
        restore: None,
        sink_epoch: view.record.sink_epoch,
        waits: false,
    };
    manifest(view, color, &made).map(drop)
}

/// What a child has to be, with what it was prepared with as `present` bears it.
pub fn kept(present: &FlinkDeployment, wanted: FlinkDeployment) -> FlinkDeploymentSpec {
    let prepared =
        Preparation::of(present).and_then(|preparation| agent::prepare(&wanted, &preparation).ok());
    prepared.unwrap_or(wanted).spec
}

/// The sink epoch of a child's job.
pub fn sink_epoch(child: &FlinkDeployment) -> u64 {
    Preparation::of(child).map_or(0, |it| it.sink_epoch)
}

/// Starts the job of a child again that was stopped or has failed, from the last checkpoint that it completed.
pub fn resumed(
    view: &View<'_>,
    color: Color,
    present: &FlinkDeployment,
    spec: &FlinkBlueGreenDeploymentSpec,
    last: Option<&str>,
) -> Option<Effect> {
    let wanted = child::manifest(
        view.resource(),
        color,
        child::transition(present),
        spec,
        child::restored_from(present),
    );
    let mut resumed = effects::with_own_start(wanted.clone(), present);
    let stopped = fields::job_state(&present.spec) == JobState::Suspended;
    let job = resumed.job.as_mut()?;
    job.state = Some(JobState::Running);
    if !stopped {
        // It failed for good: only another deployment starts it again.
        job.initial_savepoint_path = Some(last?.to_owned());
        let nonce = job.savepoint_redeploy_nonce.unwrap_or_default();
        job.savepoint_redeploy_nonce = Some(nonce.saturating_add(1));
    }
    Some(effects::replace(
        present,
        &wanted,
        resumed,
        child::transition(present),
    ))
}
