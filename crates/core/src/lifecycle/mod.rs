//! The life of one `FlinkDeployment` in application mode.
//!
//! The order of rules: a lost record is made anew ([`adopt`]); deletion; then the rules of the step that the record is in
//! ([`live`] with [`edit`] and [`requests`], [`stop`], [`start`]), again and again until nothing changes any more. What
//! is to be carried out is derived from the record so reached ([`effects`]), and the status is made from it ([`status`]).
//!
//! # What is asked of a shell
//!
//! * It reads the facts in the order of [`Observed`]'s fields, and asks about what [`asked_operations`] names.
//! * It writes the status under the resourceVersion that it read, before the effects; if that fails it does nothing else.
//! * Its launcher never launches a deployment number twice, nor one below a number that it has launched before, nor a
//!   second cluster while one is alive. It never restarts a JobManager by itself: that would start the job again from
//!   what the deployment was started from (FLINK-41262); it says that it died. It calls a cluster dead only when none
//!   of its processes runs any more.
//! * It leaves out checkpoints that Flink has discarded, and says `Unknown` of a place that it cannot list.

mod adopt;
mod change;
pub mod decision;
mod edit;
mod effects;
pub mod invariants;
mod live;
pub mod observed;
mod pass;
pub mod plan;
pub mod record;
mod requests;
mod restore;
mod start;
mod status;
mod stop;

use jiff::Timestamp;

pub use decision::{Decision, Effect, Waiting, WaitingFor};
pub use observed::{
    Cluster, CompletedCheckpoint, JobView, Observed, OperationObservation, OperationProgress,
};
pub use plan::{DeploymentPlan, Restore};
pub use record::{Record, Step};

use crate::{Event, Fact, Wake};
use pass::{Draft, Pass};
use sluice_api::flink_deployment::FlinkDeploymentStatus;

/// More rounds than there are steps to go through in one pass.
const ROUNDS: usize = 12;

/// Decides what is to be done about one FlinkDeployment.
pub fn decide(observed: &Observed, now: Timestamp) -> Decision {
    let pass = Pass::new(observed, now);
    let mut draft = match adopt::begin(&pass) {
        Ok(Some(draft)) => draft,
        Ok(None) => return never_deployed(&pass),
        Err(what) => {
            let soon = jiff::SignedDuration::from_secs(1);
            return Decision {
                waiting: Some(effects::waiting(what)),
                wake: Wake::At(now + soon),
                ..nothing()
            };
        }
    };
    for _ in 0..ROUNDS {
        let before = draft.clone();
        draft.obstacle = None;
        advance(&pass, &mut draft);
        if draft == before {
            break;
        }
    }
    let outcome = effects::derive(&pass, &draft);
    let status = changed(&pass, status::build(&pass, &draft));
    Decision {
        events: if status.is_some() {
            draft.events
        } else {
            Vec::new()
        },
        status,
        effects: outcome.effects,
        waiting: outcome.waiting,
        wake: outcome.wake,
    }
}

/// One round: the rules of the step that the record is in.
fn advance(pass: &Pass<'_>, draft: &mut Draft) {
    note_what_was_seen(pass, draft);
    let is_being_deleted = matches!(
        draft.record.step,
        Step::Stopping {
            reason: record::StopReason::Delete,
            ..
        }
    );
    if pass.is_deleting() && !is_being_deleted {
        stop::begin_deletion(pass, draft);
        return;
    }
    match draft.record.step.clone() {
        Step::Deploying { .. } | Step::Running { .. } | Step::Ended { .. } => live::advance(pass, draft),
        Step::Stopping { reason, stop, .. } => stop::advance(pass, draft, reason, &stop),
        Step::Suspended { restore, .. } => start::advance_suspended(pass, draft, restore),
    }
}

/// What must not be forgotten, though it may not be seen again.
fn note_what_was_seen(pass: &Pass<'_>, draft: &mut Draft) {
    let deployment = draft.record.deployment;
    let is_seen = pass
        .observed
        .cluster
        .present()
        .is_some_and(|cluster| cluster.deployment == deployment);
    // What a suspension finds launched is for it to judge.
    if is_seen && !matches!(draft.record.step, Step::Suspended { .. }) {
        draft.record.was_seen = true;
    }
    if let Fact::Present(_) = pass.checkpoint(&draft.record) {
        draft.record.has_checkpointed = true;
    }
}

/// A resource that was never deployed and will not be now: it is being deleted, or invalid.
fn never_deployed(pass: &Pass<'_>) -> Decision {
    if pass.is_deleting() {
        let effects = if pass.has_finalizer() {
            vec![Effect::RemoveFinalizer]
        } else {
            Vec::new()
        };
        return Decision {
            effects,
            waiting: Some(effects::waiting(WaitingFor::ResourceGone)),
            ..nothing()
        };
    }
    let problem = pass.present.as_ref().err().cloned().unwrap_or_default();
    let status = changed(pass, status::refused(pass, &problem));
    Decision {
        events: status
            .as_ref()
            .map(|_| Event::warning("SpecInvalid", problem.clone()))
            .into_iter()
            .collect(),
        status,
        waiting: Some(effects::waiting(WaitingFor::Person(problem))),
        ..nothing()
    }
}

const fn nothing() -> Decision {
    Decision {
        status: None,
        effects: Vec::new(),
        waiting: None,
        events: Vec::new(),
        wake: Wake::OnChange,
    }
}

/// The status, if it is to be written.
fn changed(pass: &Pass<'_>, status: FlinkDeploymentStatus) -> Option<Box<FlinkDeploymentStatus>> {
    (pass.observed.resource.status.as_ref() != Some(&status)).then(|| Box::new(status))
}

/// The operations that the record is waiting for: a shell asks about each before it decides.
pub fn asked_operations(record: &Record) -> Vec<AskedOperation> {
    let stop = match &record.step {
        Step::Stopping {
            stop: record::Stop::Savepoint { request, .. },
            ..
        } => Some(AskedOperation::Savepoint {
            trigger_id: request.trigger_id.clone(),
            directory: request.directory.clone(),
        }),
        Step::Stopping { .. }
        | Step::Deploying { .. }
        | Step::Running { .. }
        | Step::Ended { .. }
        | Step::Suspended { .. } => None,
    };
    let savepoint = record
        .savepoint
        .as_ref()
        .map(|request| AskedOperation::Savepoint {
            trigger_id: request.trigger_id.clone(),
            directory: request.directory.clone(),
        });
    let checkpoint = record
        .checkpoint
        .as_ref()
        .map(|request| AskedOperation::Checkpoint {
            trigger_id: request.trigger_id.clone(),
        });
    stop.into_iter().chain(savepoint).chain(checkpoint).collect()
}

/// An operation to ask the JobManager about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedOperation {
    /// A savepoint; where the JobManager does not know it, a finished one may stand in its directory.
    Savepoint {
        /// Our own trigger id.
        trigger_id: String,
        /// The directory of this request alone.
        directory: String,
    },
    /// A checkpoint.
    Checkpoint {
        /// Our own trigger id.
        trigger_id: String,
    },
}
