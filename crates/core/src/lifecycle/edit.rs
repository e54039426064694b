//! A deployment that is meant to run: what an edit of its specification asks for.

use sluice_api::UpgradeMode;
use sluice_api::flink_deployment::FlinkJobState;

use super::change::{self, Change};
use super::pass::{Draft, Obstacle, Pass, Sight, is_healthy, is_terminal};
use super::record::{Step, Stop, StopReason};
use super::{requests, restore, stop};
use crate::{Event, Fact};

/// Notes an edit, or begins to stop the job for it.
pub(super) fn advance(pass: &Pass<'_>, draft: &mut Draft) {
    let present = match &pass.present {
        Ok(present) => present,
        Err(problem) => {
            draft.obstacle = Some(Obstacle::Person(problem.clone()));
            return;
        }
    };
    let reason = match draft.change(pass) {
        Change::None => {
            if draft
                .record
                .set_aside
                .as_ref()
                .is_none_or(|edit| edit.generation != pass.generation())
            {
                draft.record.generation = pass.generation();
                draft.deployed = present.spec.clone();
            }
            return;
        }
        Change::InPlace => {
            if requests::request(pass, draft, present) {
                draft.record.generation = pass.generation();
                draft.deployed = present.spec.clone();
            }
            return;
        }
        // A deployed specification never says suspended while a deployment is live.
        Change::Resume | Change::Upgrade => StopReason::Upgrade,
        Change::Suspend => StopReason::Suspend,
        Change::Redeploy => StopReason::Redeploy,
    };
    match way(pass, draft, reason) {
        Ok(None) => {}
        Ok(Some(stop)) => {
            requests::drop_requests(draft);
            draft
                .events
                .push(Event::normal("Stopping", describe(reason, &stop)));
            draft.record.step = Step::Stopping {
                since: pass.now,
                reason,
                stop,
            };
        }
        Err(obstacle) => draft.obstacle = Some(obstacle),
    }
}

/// How to stop the job for an edit; `None`: not now, the launcher could not be asked.
fn way(pass: &Pass<'_>, draft: &mut Draft, reason: StopReason) -> Result<Option<Stop>, Obstacle> {
    let Ok(present) = &pass.present else {
        return Ok(None);
    };
    let sight = pass.sight(&draft.record);
    if matches!(sight, Sight::Unknown(_)) {
        return Ok(None);
    }
    let mode = change::upgrade_mode(&present.spec);
    if reason == StopReason::Redeploy {
        restore::redeploy_path(present)?;
        return Ok(Some(stop::cancel(pass, sight)));
    }
    if mode == UpgradeMode::Stateless {
        return Ok(Some(stop::cancel(pass, sight)));
    }
    if matches!(sight, Sight::NotLaunched | Sight::Other(_)) {
        return Ok(Some(Stop::Cluster { newest: None }));
    }
    if matches!(
        draft.record.step,
        Step::Ended {
            state: FlinkJobState::Finished,
            ..
        }
    ) {
        return Err(Obstacle::Person(
            "the job has finished, so there is no state to go on from. To run it again, set spec.job.upgradeMode to stateless, or spec.job.savepointRedeployNonce to a new value with spec.job.initialSavepointPath"
                .to_owned(),
        ));
    }
    let takes_savepoint = mode == UpgradeMode::Savepoint
        && match sight {
            Sight::Job(job) => is_healthy(job),
            // A stable job whose JobManager is silent for a moment: the request waits for it, not for ever.
            Sight::Silent(_) => draft.record.was_stable,
            Sight::Unknown(_) | Sight::Other(_) | Sight::NotLaunched | Sight::Dead(_) | Sight::NoJob => false,
        };
    if takes_savepoint {
        return match requests::savepoint_request(pass, draft, &requests::Attempt::first()) {
            Some(request) => Ok(Some(Stop::Savepoint { request })),
            None => Err(Obstacle::Person(requests::NO_DIRECTORY.to_owned())),
        };
    }
    if let (Sight::Job(job), Fact::Present(checkpoint)) = (sight, pass.checkpoint(&draft.record))
        && is_terminal(job.state)
        && !checkpoint.path.is_empty()
    {
        return Ok(Some(Stop::Cluster {
            newest: Some(checkpoint.path.clone()),
        }));
    }
    restore::may_stop_without_savepoint(pass, draft)?;
    Ok(Some(stop::cancel(pass, sight)))
}

fn describe(reason: StopReason, stop: &Stop) -> String {
    let why = match reason {
        StopReason::Suspend => "to suspend it",
        StopReason::Upgrade => "because its specification changed",
        StopReason::Redeploy => "to start it from initialSavepointPath",
        StopReason::Crash => "because its cluster died",
        StopReason::Delete => "because the resource is deleted",
    };
    match stop {
        Stop::Savepoint { .. } => format!("The job is being stopped with a savepoint, {why}"),
        Stop::Cancel { .. } | Stop::Cluster { .. } => format!("The job is being stopped, {why}"),
    }
}
