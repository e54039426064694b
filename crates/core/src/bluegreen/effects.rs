//! The effects that the record asks for and that have not been seen done.
//!
//! They are derived from the record alone, at every look, until their result is observed: so a crash between the record
//! and an effect, or an answer that was lost, changes nothing.

use serde_json::Value;
use sluice_api::blue_green::{
    Color, FailedDeploymentPolicy, FlinkBlueGreenDeploymentSpec, KeptStatus, TransitionMode,
};
use sluice_api::metadata::LABEL_TRANSITION;
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec, JobState, UpgradeMode};

use super::decision::Effect;
use super::record::{State, Step, Transition, serving};
use super::states::{returning, switching};
use super::view::{Mine, View};
use super::{child, failed, incoming, ingress, named, prepared, savepoints, watermark};
use crate::{Fact, fields};

/// All effects that the view's record asks for, in order.
pub fn of(view: &View<'_>) -> Vec<Effect> {
    match &view.record.state {
        State::Initializing => kept(view).into_iter().collect(),
        State::Active(color) => active(view, *color),
        State::InTransition(transition) => in_transition(view, transition),
    }
}

fn active(view: &View<'_>, color: Color) -> Vec<Effect> {
    let Some(reconciled) = &view.record.reconciled else {
        return Vec::new();
    };
    let mut effects = Vec::new();
    if let Some(present) = view.present(color) {
        effects.extend(put_back(view, color, present, reconciled));
    }
    effects.extend(named::put_right(view, color));
    effects.extend(kept(view));
    effects.extend(dispose(view, color));
    // Last: a refused Ingress (a webhook, a missing right) must not keep anything else from being done.
    effects.extend(lead_ingress(view, reconciled, color));
    effects
}

fn in_transition(view: &View<'_>, transition: &Transition) -> Vec<Effect> {
    let mut effects = Vec::new();
    match &transition.step {
        Step::Savepointing {
            trigger_id,
            directory,
            ..
        } => {
            effects.extend(kept(view));
            effects.extend(savepoint(view, transition, trigger_id, directory));
        }
        Step::Savepointed { .. } | Step::AwaitingPromotion { .. } => {}
        Step::Stopping { .. } => {
            effects.extend(kept(view));
            effects.extend(stop_outgoing(view, transition));
        }
        Step::Creating { .. } => effects.extend(outgoing_first(view, transition, create)),
        Step::Warming { .. } => effects.extend(keep_incoming(view, transition)),
        Step::Deploying { .. } => {
            effects.extend(outgoing_first(view, transition, keep_incoming));
            if transition.from.is_some() && outgoing_is_stopped(view, transition) {
                effects.extend(named::let_begin(view, transition));
            }
            if transition.from.is_none() {
                effects.extend(named::put_right(view, transition.to));
            }
        }
        Step::HandingOver { .. } => effects.extend(hand_over(view, transition)),
        Step::Sealing { .. } => {
            effects.extend(hand_over(view, transition));
            effects.extend(lead_ingress(view, &transition.spec, transition.to));
        }
        Step::Switching { delete_after, .. } => {
            effects.extend(outgoing_first(view, transition, keep_incoming));
            effects.extend(named::put_right(view, transition.to));
            effects.extend(lead_ingress(view, &transition.spec, transition.to));
            if switching::may_delete_outgoing(view, transition, *delete_after)
                && let Some(outgoing) = transition.from.and_then(|from| view.present(from))
            {
                effects.push(delete(outgoing));
                // Nothing goes back any more. Here, and not later, so that the end is written with it.
                effects.extend(dispose(view, transition.to));
            }
        }
        Step::InPlace { .. } => {
            if let Some(present) = view.present(transition.to) {
                effects.extend(put_back(view, transition.to, present, &transition.spec));
            }
            effects.extend(named::put_right(view, transition.to));
            effects.extend(lead_ingress(view, &transition.spec, transition.to));
        }
        Step::Returning { .. } => effects.extend(return_outgoing(view, transition)),
    }
    // Until the point of no return the Ingress goes on leading to the side that serves.
    if let (Some(color), Some(reconciled)) = (serving(transition), &view.record.reconciled)
        && !matches!(
            transition.step,
            Step::Switching { .. } | Step::Sealing { .. } | Step::InPlace { .. }
        )
    {
        effects.extend(lead_ingress(view, reconciled, color));
    }
    effects
}

/// The next version of the handover record; or, where the record stands, the children as it wants them.
fn hand_over(view: &View<'_>, transition: &Transition) -> Vec<Effect> {
    let Some(decision) = watermark::decide(view, transition) else {
        return Vec::new();
    };
    if let Some(write) = watermark::written(&decision) {
        return vec![write];
    }
    let mut effects = Vec::new();
    if watermark::has_begun(view.observed, transition) {
        effects.extend(match view.mine(transition.to) {
            Mine::Present(leftover) if child::transition(leftover) != transition.number => {
                Some(delete(leftover))
            }
            Mine::Present(_) | Mine::Absent => keep_incoming(view, transition),
            Mine::Terminating | Mine::Unknown(_) | Mine::Foreign => None,
        });
    }
    if effects.is_empty() {
        effects.extend(watermark::carried_out(view, transition, &decision));
    }
    effects
}

/// Asks for the savepoint unless Flink knows of it already. The record with its id has been written by then.
fn savepoint(view: &View<'_>, transition: &Transition, trigger_id: &str, directory: &str) -> Option<Effect> {
    let known = view
        .observed
        .savepoint
        .as_ref()
        .filter(|asked| asked.trigger_id == trigger_id);
    let to_be_sent = match known.map(|asked| &asked.progress) {
        // Nobody has asked about this id yet: a request that Flink knows already is answered with the same savepoint.
        None | Some(Fact::Absent) => true,
        Some(Fact::Unknown(_) | Fact::Present(_)) => false,
    };
    let outgoing = view.present(transition.from?)?;
    let job_id = child::job_id(outgoing)?;
    (to_be_sent && child::job_is_running(outgoing)).then(|| Effect::TriggerSavepoint {
        child: outgoing.metadata.name.clone().unwrap_or_default(),
        job_id: job_id.to_owned(),
        trigger_id: trigger_id.to_owned(),
        directory: directory.to_owned(),
    })
}

/// Whether the outgoing job is known to be stopped, or there is none.
fn outgoing_is_stopped(view: &View<'_>, transition: &Transition) -> bool {
    match transition.from.map(|from| view.mine(from)) {
        Some(Mine::Present(outgoing)) => child::is_suspended(outgoing),
        None | Some(Mine::Absent | Mine::Foreign) => true,
        Some(Mine::Terminating | Mine::Unknown(_)) => false,
    }
}

/// Strategy SAVEPOINT, never two that write: nothing is done for an incoming child that does not wait unless the outgoing
/// job is known to be stopped. Where someone has resumed it by hand, it is stopped once more.
fn outgoing_first(
    view: &View<'_>,
    transition: &Transition,
    effect: fn(&View<'_>, &Transition) -> Option<Effect>,
) -> Option<Effect> {
    let may_go_on = transition.mode == TransitionMode::Basic
        || transition.watermark.is_some()
        || transition.holds_incoming()
        || outgoing_is_stopped(view, transition);
    if may_go_on {
        effect(view, transition)
    } else {
        stop_outgoing(view, transition)
    }
}

/// Removes what an earlier transition left under the incoming colour's name, then creates the incoming child.
fn create(view: &View<'_>, transition: &Transition) -> Option<Effect> {
    match view.mine(transition.to) {
        Mine::Absent => create_child(view, transition),
        Mine::Present(leftover) if child::transition(leftover) != transition.number => Some(delete(leftover)),
        Mine::Present(_) | Mine::Terminating | Mine::Unknown(_) | Mine::Foreign => None,
    }
}

/// `None`: it needs what it cannot have.
fn create_child(view: &View<'_>, transition: &Transition) -> Option<Effect> {
    Some(Effect::CreateChild {
        manifest: Box::new(prepared::incoming(view, transition).ok()?),
    })
}

/// Sees to it that the incoming child exists and is as the transition wants it (scenario 24).
fn keep_incoming(view: &View<'_>, transition: &Transition) -> Option<Effect> {
    match view.mine(transition.to) {
        Mine::Absent => match incoming::goes_on_from(view, transition) {
            incoming::GoesOnFrom::NotKnown(_) => None,
            // Where it goes on from is in the record by now.
            incoming::GoesOnFrom::Start | incoming::GoesOnFrom::Checkpoint(_) => {
                create_child(view, transition)
            }
        },
        Mine::Present(incoming) => put_back(view, transition.to, incoming, &transition.spec),
        Mine::Terminating | Mine::Unknown(_) | Mine::Foreign => None,
    }
}

fn delete(child: &FlinkDeployment) -> Effect {
    Effect::DeleteChild {
        name: child.metadata.name.clone().unwrap_or_default(),
        uid: child.metadata.uid.clone().unwrap_or_default(),
        resource_version: child.metadata.resource_version.clone().unwrap_or_default(),
    }
}

/// Makes a child what `spec` says, if it is not: changed in place, edited by hand (scenario 26), or short of a label.
fn put_back(
    view: &View<'_>,
    color: Color,
    present: &FlinkDeployment,
    spec: &FlinkBlueGreenDeploymentSpec,
) -> Option<Effect> {
    let number = child::transition(present);
    let wanted = child::manifest(
        view.resource(),
        color,
        number,
        spec,
        child::restored_from(present),
    );
    let spec_to_be = with_own_start(wanted.clone(), present);
    let spec_stands = spec_to_be == present.spec || comparable(&spec_to_be) == comparable(&present.spec);
    if spec_stands && labels_stand(&wanted, present, number) {
        return None;
    }
    Some(replace(present, &wanted, spec_to_be, number))
}

/// Whether the child is what `spec` says.
pub fn stands(
    view: &View<'_>,
    color: Color,
    present: &FlinkDeployment,
    spec: &FlinkBlueGreenDeploymentSpec,
) -> bool {
    put_back(view, color, present, spec).is_none()
}

/// A child that another operator created has no transition label, and does not get one: 0 is what its absence says.
fn labels_stand(wanted: &FlinkDeployment, present: &FlinkDeployment, number: u64) -> bool {
    let there = present.metadata.labels.as_ref();
    wanted.metadata.labels.iter().flatten().all(|(key, value)| {
        (number == 0 && key == LABEL_TRANSITION) || there.and_then(|labels| labels.get(key)) == Some(value)
    })
}

/// What a child was started from, and what it was prepared with, is its own affair: neither is part of what is put back.
pub fn with_own_start(wanted: FlinkDeployment, present: &FlinkDeployment) -> FlinkDeploymentSpec {
    let mut spec = prepared::kept(present, wanted);
    if let (Some(job), Some(own)) = (&mut spec.job, &present.spec.job) {
        job.savepoint_redeploy_nonce = own.savepoint_redeploy_nonce;
        job.initial_savepoint_path.clone_from(&own.initial_savepoint_path);
    }
    spec
}

/// The specification as far as nobody else may change it: under an autoscaler the parallelism is its own (scenario 61).
fn comparable(spec: &FlinkDeploymentSpec) -> Value {
    let mut value = fields::normalized(spec);
    let autoscaled = value
        .get("flinkConfiguration")
        .and_then(|flat| flat.get("job.autoscaler.enabled"))
        .and_then(Value::as_str)
        .is_some_and(|text| text.eq_ignore_ascii_case("true"));
    if autoscaled && let Value::Object(fields) = &mut value {
        if let Some(Value::Object(job)) = fields.get_mut("job") {
            job.remove("parallelism");
        }
        if let Some(Value::Object(task_manager)) = fields.get_mut("taskManager") {
            task_manager.remove("replicas");
        }
        if let Some(Value::Object(flat)) = fields.get_mut("flinkConfiguration") {
            flat.remove("pipeline.jobvertex-parallelism-overrides");
        }
    }
    value
}

pub fn replace(
    present: &FlinkDeployment,
    wanted: &FlinkDeployment,
    spec: FlinkDeploymentSpec,
    number: u64,
) -> Effect {
    let mut manifest = FlinkDeployment {
        status: None,
        spec,
        ..present.clone()
    };
    manifest.metadata.managed_fields = None;
    let labels = manifest.metadata.labels.get_or_insert_default();
    labels.extend(wanted.metadata.labels.clone().unwrap_or_default());
    if number == 0 {
        labels.remove(LABEL_TRANSITION);
    }
    if let Some(annotations) = &wanted.metadata.annotations {
        manifest
            .metadata
            .annotations
            .get_or_insert_default()
            .extend(annotations.clone());
    }
    Effect::ReplaceChild {
        manifest: Box::new(manifest),
    }
}

/// Suspends the outgoing child with a savepoint, once; what it is asked for is not changed while it stops.
fn stop_outgoing(view: &View<'_>, transition: &Transition) -> Option<Effect> {
    let outgoing = view.present(transition.from?)?;
    // An unhealthy job cannot take a savepoint: its last completed checkpoint carries as much.
    let mode = if child::job_is_running(outgoing) {
        UpgradeMode::Savepoint
    } else {
        UpgradeMode::LastState
    };
    suspend(outgoing, mode)
}

fn suspend(present: &FlinkDeployment, mode: UpgradeMode) -> Option<Effect> {
    if fields::job_state(&present.spec) == JobState::Suspended {
        return None;
    }
    let mut spec = present.spec.clone();
    let job = spec.job.as_mut()?;
    job.state = Some(JobState::Suspended);
    job.upgrade_mode = Some(mode);
    Some(replace(present, present, spec, child::transition(present)))
}

/// First the incoming job is stopped for certain, then the outgoing one resumes: never two that write. One that waits and was
/// not let begin must not be by a write that comes late; one that was must have stopped before it is told to be closed.
fn return_outgoing(view: &View<'_>, transition: &Transition) -> Option<Effect> {
    let outgoing = view.present(transition.from?)?;
    let take_back = named::take_back(view, transition);
    match named::has_begun(view, transition) {
        Fact::Unknown(_) => return None,
        Fact::Absent if take_back.is_some() => return take_back,
        Fact::Absent | Fact::Present(()) => {}
    }
    let resume_from = match returning::resume(view, transition) {
        returning::Resume::NotYet => {
            let incoming = view.present(transition.to)?;
            return if child::transition(incoming) == transition.number {
                suspend(incoming, UpgradeMode::LastState)
            } else {
                // Not this transition's: a leftover that was to be replaced.
                Some(delete(incoming))
            };
        }
        returning::Resume::OwnSavepoint => None,
        returning::Resume::Checkpoint(path) => Some(path),
    };
    if take_back.is_some() {
        return take_back;
    }
    let reconciled = view.record.reconciled.as_ref()?;
    let color = transition.from?;
    if fields::job_state(&outgoing.spec) == JobState::Running {
        return None;
    }
    let number = child::transition(outgoing);
    let wanted = child::manifest(
        view.resource(),
        color,
        number,
        reconciled,
        child::restored_from(outgoing),
    );
    let mut spec = with_own_start(wanted.clone(), outgoing);
    if let (Some(path), Some(job)) = (resume_from, spec.job.as_mut()) {
        // Where the incoming job came to is further than the outgoing one's own savepoint.
        job.initial_savepoint_path = Some(path);
        let nonce = job.savepoint_redeploy_nonce.unwrap_or_default();
        job.savepoint_redeploy_nonce = Some(nonce.saturating_add(1));
    }
    Some(replace(outgoing, &wanted, spec, number))
}

/// Makes the Ingress lead to the child of `color`, or removes it if the specification has dropped it.
fn lead_ingress(view: &View<'_>, spec: &FlinkBlueGreenDeploymentSpec, color: Color) -> Option<Effect> {
    let own = |present: &k8s_openapi::api::networking::v1::Ingress| {
        child::is_owned(&present.metadata, view.resource())
    };
    match (view.wanted_ingress(spec, color), &view.observed.ingress) {
        (Some(wanted), Fact::Absent) => Some(Effect::ApplyIngress {
            manifest: Box::new(wanted),
        }),
        (Some(wanted), Fact::Present(present))
            if own(present) && !ingress::is_as_wanted(&wanted, present) =>
        {
            Some(Effect::ApplyIngress {
                manifest: Box::new(wanted),
            })
        }
        (None, Fact::Present(present)) if own(present) && view.settings.ingress_manage => {
            Some(Effect::DeleteIngress {
                name: present.metadata.name.clone().unwrap_or_default(),
                uid: present.metadata.uid.clone().unwrap_or_default(),
            })
        }
        (Some(_) | None, Fact::Present(_) | Fact::Unknown(_)) | (None, Fact::Absent) => None,
    }
}

/// Treats the deployment that an abort left behind as the policy says.
fn kept(view: &View<'_>) -> Option<Effect> {
    let kept: &KeptStatus = view.record.kept.as_ref()?;
    let present = view.present(kept.color)?;
    if child::transition(present) != kept.transition || view.record.active() == Some(kept.color) {
        return None;
    }
    match failed::policy_now(view, kept) {
        FailedDeploymentPolicy::Keep => None,
        // It failed, so nothing of its state is wanted: it is stopped without a savepoint that might never come.
        FailedDeploymentPolicy::Suspend => suspend(present, UpgradeMode::Stateless),
        FailedDeploymentPolicy::Delete => Some(delete(present)),
    }
}

/// Disposes of one surplus savepoint through the active job's JobManager.
fn dispose(view: &View<'_>, color: Color) -> Option<Effect> {
    let savepoint = savepoints::surplus(view, color)?;
    let present = view.present(color)?;
    let answered = view.observed.disposals.contains_key(&savepoint.path);
    (!answered && child::job_is_running(present)).then(|| Effect::DisposeSavepoint {
        child: present.metadata.name.clone().unwrap_or_default(),
        path: savepoint.path.clone(),
    })
}
