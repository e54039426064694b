//! A deployment that is meant to run: what its cluster and job do by themselves.

use jiff::SignedDuration;
use sluice_api::flink_deployment::FlinkJobState;

use super::observed::JobView;
use super::pass::{Draft, Pass, Sight, is_healthy, is_terminal, one_line};
use super::record::{Crashes, Look, Step, Stop, StopReason};
use super::{edit, requests};
use crate::{Event, Fact};

/// How long a job must run without a restart to count as stable.
pub(super) const SETTLING: SignedDuration = SignedDuration::from_secs(2);
/// A job that was stable for so long before its JobManager died begins a new row of crashes.
const LONG_ENOUGH: SignedDuration = SignedDuration::from_secs(60);

/// Deploying, running or ended. What happened comes first, then what the user wants.
pub(super) fn advance(pass: &Pass<'_>, draft: &mut Draft) {
    match pass.sight(&draft.record) {
        Sight::Dead(exit) if !matches!(draft.record.step, Step::Ended { .. }) => {
            crashed(pass, draft, exit);
            return;
        }
        Sight::Job(job) if is_terminal(job.state) => ended(pass, draft, job),
        Sight::Job(job) => settle(pass, draft, job),
        Sight::Unknown(_)
        | Sight::Other(_)
        | Sight::NotLaunched
        | Sight::Dead(_)
        | Sight::Silent(_)
        | Sight::NoJob => {}
    }
    requests::advance(pass, draft);
    edit::advance(pass, draft);
}

fn crashed(pass: &Pass<'_>, draft: &mut Draft, exit: Option<&str>) {
    let last = one_line(exit.unwrap_or("its processes are gone"));
    let in_a_row = match &draft.record.step {
        Step::Running { since } if pass.now.duration_since(*since) >= LONG_ENOUGH => 0,
        Step::Running { .. }
        | Step::Deploying { .. }
        | Step::Ended { .. }
        | Step::Stopping { .. }
        | Step::Suspended { .. } => draft.record.crashes.as_ref().map_or(0, |crashes| crashes.count),
    };
    let deployment = draft.record.deployment;
    draft.events.push(Event::warning(
        "ClusterDied",
        format!("The cluster of deployment {deployment} died: {last}"),
    ));
    draft.record.crashes = Some(Crashes {
        count: in_a_row.saturating_add(1),
        last,
    });
    requests::drop_requests(draft);
    draft.record.step = Step::Stopping {
        since: pass.now,
        reason: StopReason::Crash,
        stop: Stop::Cluster { newest: None },
    };
}

fn ended(pass: &Pass<'_>, draft: &mut Draft, job: &JobView) {
    if matches!(&draft.record.step, Step::Ended { state, .. } if *state == job.state) {
        return;
    }
    let error = match job.state {
        FlinkJobState::Failed => {
            let exception = job.exception.as_deref().unwrap_or("Flink gives no reason");
            Some(one_line(&format!("the job failed: {exception}")))
        }
        FlinkJobState::Canceled => Some(
            "the job was cancelled by someone else; an edit, such as a new spec.restartNonce, starts it again from its last state"
                .to_owned(),
        ),
        // The other states are not the last of a job.
        FlinkJobState::Finished
        | FlinkJobState::Cancelling
        | FlinkJobState::Created
        | FlinkJobState::Failing
        | FlinkJobState::Initializing
        | FlinkJobState::Reconciling
        | FlinkJobState::Restarting
        | FlinkJobState::Running
        | FlinkJobState::Suspended => None,
    };
    draft.events.push(match &error {
        None => Event::normal("JobFinished", "The job has finished"),
        Some(error) if job.state == FlinkJobState::Failed => Event::warning("JobFailed", error.clone()),
        Some(error) => Event::warning("JobCanceled", error.clone()),
    });
    requests::drop_requests(draft);
    draft.record.crashes = None;
    draft.record.step = Step::Ended {
        since: pass.now,
        state: job.state,
        error,
    };
}

/// From running to stable. A job that crashes and restarts is RUNNING for a moment each time; so it must be seen twice
/// in the same stretch of running, or with a checkpoint completed in it. Each restart begins a new stretch
/// ([`JobView::running_since`]), also one that no look saw.
fn settle(pass: &Pass<'_>, draft: &mut Draft, job: &JobView) {
    let Step::Deploying { first_look, .. } = &mut draft.record.step else {
        return;
    };
    if !is_healthy(job) {
        *first_look = None;
        return;
    }
    let same_stretch = first_look
        .as_ref()
        .filter(|look| look.running_since == job.running_since);
    let settled = same_stretch.is_some_and(|look| pass.now.duration_since(look.at) >= SETTLING);
    if same_stretch.is_none() {
        *first_look = Some(Look {
            at: pass.now,
            running_since: job.running_since,
        });
    }
    if settled || has_checkpointed_since_restart(pass, draft, job) {
        draft.record.step = Step::Running { since: pass.now };
        draft.record.was_stable = true;
        draft.events.push(Event::normal(
            "Stable",
            format!(
                "The job of deployment {} is running and stable",
                draft.record.deployment
            ),
        ));
    }
}

fn has_checkpointed_since_restart(pass: &Pass<'_>, draft: &Draft, job: &JobView) -> bool {
    match (pass.checkpoint(&draft.record), job.running_since) {
        (Fact::Present(checkpoint), Some(running_since)) => checkpoint
            .completed_at
            .is_some_and(|completed_at| completed_at >= running_since),
        // Without both times nobody knows whether the checkpoint is of this stretch.
        (Fact::Present(_) | Fact::Absent | Fact::Unknown(_), _) => false,
    }
}
