//! What an abort leaves: the specification that is set aside, and the deployment that is kept for debugging.

use sluice_api::blue_green::{
    AbortReason, Color, FailedDeploymentPolicy, FailedStatus, FlinkBlueGreenDeploymentSpec, KeptStatus,
    Outcome, TransitionMode,
};

use super::child;
use super::record::{Step, Transition};
use super::view::{Mine, Verdict, View};
use crate::identity::content_hash;

/// Whether this specification was aborted before and nobody asked to try it once more.
pub fn is_set_aside(view: &View<'_>, spec: &FlinkBlueGreenDeploymentSpec) -> bool {
    view.record
        .failed
        .as_ref()
        .is_some_and(|failed| failed.spec_hash == content_hash(spec))
}

/// What is set aside by an abort: nothing where an edit ended the transition, for then no specification has failed.
pub fn by_abort(
    view: &View<'_>,
    transition: &Transition,
    reason: AbortReason,
    message: &str,
) -> Option<FailedStatus> {
    match reason {
        AbortReason::Reverted | AbortReason::Superseded => None,
        AbortReason::NotReady
        | AbortReason::NotCreated
        | AbortReason::SavepointFailed
        | AbortReason::StopFailed
        | AbortReason::HandoverGivenUp
        | AbortReason::Requested => Some(set_aside(view, transition, reason, message.to_owned())),
    }
}

/// How the history calls the end of an aborted transition.
pub fn outcome(reason: AbortReason) -> Outcome {
    if reason == AbortReason::Reverted {
        Outcome::Reverted
    } else {
        Outcome::Aborted
    }
}

/// The specification of an aborted transition; it is not tried again until it changes or is retried.
pub fn set_aside(
    view: &View<'_>,
    transition: &Transition,
    reason: AbortReason,
    message: String,
) -> FailedStatus {
    FailedStatus {
        spec_hash: content_hash(&*transition.spec),
        transition: transition.number,
        reason,
        message,
        at: view.now,
    }
}

/// The incoming deployment of an aborted transition, if there may be one, and what becomes of it.
pub fn left_behind(view: &View<'_>, transition: &Transition, reason: AbortReason) -> Option<KeptStatus> {
    match transition.step {
        Step::Savepointing { .. }
        | Step::Savepointed { .. }
        | Step::Stopping { .. }
        | Step::InPlace { .. } => {
            return None;
        }
        Step::Creating { .. }
        | Step::Warming { .. }
        | Step::Deploying { .. }
        | Step::HandingOver { .. }
        | Step::Sealing { .. }
        | Step::AwaitingPromotion { .. }
        | Step::Switching { .. }
        | Step::Returning { .. } => {}
    }
    let policy = match (reason, view.settings.failed_deployment) {
        // Nothing failed, so there is nothing to look at.
        (AbortReason::Reverted | AbortReason::Superseded, _) => FailedDeploymentPolicy::Delete,
        // Without a gate nothing but its being stopped keeps it from writing beside the outgoing version.
        (_, FailedDeploymentPolicy::Keep) if transition.mode == TransitionMode::Advanced => {
            FailedDeploymentPolicy::Suspend
        }
        (_, policy) => policy,
    };
    Some(KeptStatus {
        color: transition.to,
        transition: view
            .present(transition.to)
            .map_or(transition.number, child::transition),
        policy,
        since: view.now,
        delete_at: view.settings.failed_deployment_ttl.map(|ttl| view.after(ttl)),
    })
}

/// What has to become of the kept deployment now: its time may be over.
pub fn policy_now(view: &View<'_>, kept: &KeptStatus) -> FailedDeploymentPolicy {
    match kept.delete_at {
        Some(delete_at) if view.now >= delete_at => FailedDeploymentPolicy::Delete,
        Some(_) | None => kept.policy,
    }
}

/// Forgets the kept deployment once it is gone.
pub fn tidy_up(view: &View<'_>, active: Option<Color>) -> Option<Verdict> {
    let kept = view.record.kept.as_ref()?;
    let gone = Some(kept.color) == active
        || match view.mine(kept.color) {
            Mine::Absent | Mine::Foreign => true,
            Mine::Present(present) => child::transition(present) != kept.transition,
            Mine::Terminating | Mine::Unknown(_) => false,
        };
    if !gone {
        return None;
    }
    let mut record = view.record.clone();
    record.kept = None;
    Some(Verdict {
        record,
        events: Vec::new(),
        blocked: None,
    })
}
