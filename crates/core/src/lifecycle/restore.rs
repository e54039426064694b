//! What the next start restores. The one law: never anything older than the newest state that the job completed.
//!
//! A job that never completed a checkpoint has committed nothing to an exactly-once sink, so it may start again from what
//! it was started from. One that was once seen with a checkpoint never does: if that is gone, a person decides.

use sluice_api::UpgradeMode;
use sluice_api::validation::ValidDeployment;

use super::change;
use super::decision::WaitingFor;
use super::pass::{Draft, Obstacle, Pass, RETAINED, RETENTION, Sight};
use super::record::{Record, StopReason};
use crate::Fact;

/// What a person can do where it is not known what to restore.
pub(super) const REMEDY: &str = "To go on, set spec.job.savepointRedeployNonce to a new value with spec.job.initialSavepointPath, or spec.job.upgradeMode to stateless to start from nothing";

/// What the deployment that follows a stopped one restores; `None` inside: nothing.
pub(super) fn after_stop(
    pass: &Pass<'_>,
    draft: &Draft,
    reason: StopReason,
    newest: Option<&str>,
    target: &ValidDeployment,
) -> Result<Option<String>, Obstacle> {
    let record = &draft.record;
    if reason == StopReason::Redeploy || change::asks_for_redeploy(&draft.deployed, &target.spec) {
        return redeploy_path(target).map(Some);
    }
    if change::upgrade_mode(&target.spec) == UpgradeMode::Stateless {
        // One that never came up is tried again as it was; one that ran starts from nothing, as Flink does without
        // high availability.
        let again = reason == StopReason::Crash && !record.was_stable && !record.has_checkpointed;
        return Ok(if again { record.restored_from.clone() } else { None });
    }
    if let Some(newest) = newest {
        return Ok(Some(newest.to_owned()));
    }
    if matches!(pass.sight(record), Sight::NotLaunched) {
        return Ok(record.restored_from.clone());
    }
    match pass.checkpoint(record) {
        Fact::Present(checkpoint) if checkpoint.path.is_empty() => Err(Obstacle::Person(format!(
            "checkpoint {} of job {} was kept in the JobManager's memory and is gone with it; set execution.checkpointing.dir for the future. {REMEDY}",
            checkpoint.id, checkpoint.job_id
        ))),
        Fact::Present(checkpoint) => Ok(Some(checkpoint.path.clone())),
        Fact::Unknown(why) => Err(Obstacle::Wait(WaitingFor::LastCheckpoint(why))),
        Fact::Absent if record.has_checkpointed => Err(Obstacle::Person(missing(record))),
        Fact::Absent => Ok(record.restored_from.clone()),
    }
}

/// Whether the job may be stopped without a savepoint, and its state still be carried over.
pub(super) fn may_stop_without_savepoint(pass: &Pass<'_>, draft: &Draft) -> Result<(), Obstacle> {
    let record = &draft.record;
    match pass.checkpoint(record) {
        Fact::Unknown(why) => Err(Obstacle::Wait(WaitingFor::LastCheckpoint(why))),
        Fact::Present(checkpoint) if checkpoint.path.is_empty() => Err(Obstacle::Person(format!(
            "the checkpoints of job {} are kept in the JobManager's memory and would be lost with it; set upgradeMode to savepoint, or execution.checkpointing.dir with upgradeMode stateless once",
            record.job_id
        ))),
        Fact::Present(_) if !retains(draft) => Err(Obstacle::Person(format!(
            "the checkpoints of job {} would be deleted with it, because it was deployed with {RETENTION} other than {RETAINED}",
            record.job_id
        ))),
        Fact::Present(_) => Ok(()),
        Fact::Absent if record.has_checkpointed => Err(Obstacle::Person(missing(record))),
        // The user's own path, or one of ours: nothing was completed after it.
        Fact::Absent if record.restored_from.is_some() || !record.was_stable => Ok(()),
        Fact::Absent => Err(Obstacle::Person(format!(
            "job {} has run and has no completed checkpoint, so stopping it now would lose all its state. {REMEDY}",
            record.job_id
        ))),
    }
}

/// The path that `savepointRedeployNonce` asks for.
pub(super) fn redeploy_path(target: &ValidDeployment) -> Result<String, Obstacle> {
    initial_path(target).ok_or_else(|| {
        Obstacle::Person(
            "spec.job.initialSavepointPath: found nothing, expected the path of a savepoint, because spec.job.savepointRedeployNonce asks to start from it"
                .to_owned(),
        )
    })
}

/// The user's `initialSavepointPath`.
pub(super) fn initial_path(target: &ValidDeployment) -> Option<String> {
    target
        .job
        .initial_savepoint_path
        .clone()
        .filter(|path| !path.trim().is_empty())
}

fn missing(record: &Record) -> String {
    format!(
        "job {} has completed checkpoints and none can be found any more, so it is not known what to restore. {REMEDY}",
        record.job_id
    )
}

/// Whether the deployed job's checkpoints outlive it.
fn retains(draft: &Draft) -> bool {
    let written = draft.deployed.flink_configuration.as_ref();
    let flat = written
        .map(sluice_api::configuration::flatten)
        .unwrap_or_default();
    flat.get(RETENTION)
        .is_none_or(|value| value.trim().eq_ignore_ascii_case(RETAINED))
}
