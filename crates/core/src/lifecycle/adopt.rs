//! The record at the beginning of a pass: as it was written, or made anew from what is there.
//!
//! A status can be lost, restored from a backup or written by another operator. Nothing starts from nothing because of
//! that: what is there is taken over first.

use jiff::Timestamp;
use sluice_api::flink_deployment::{FlinkDeploymentStatus, ReconciliationState};
use sluice_api::{FlinkDeploymentSpec, JobState, UpgradeMode};

use super::change;
use super::decision::WaitingFor;
use super::pass::{Draft, Pass};
use super::record::{Record, Step, Stop, StopReason};
use crate::{Event, Fact, fields, identity, upstream};

/// The draft to begin with; the error says what it waits for.
pub(super) fn begin(pass: &Pass<'_>) -> Result<Option<Draft>, WaitingFor> {
    let status = pass.observed.resource.status.clone().unwrap_or_default();
    let reconciled = reconciled_spec(&status);
    let written = Record::read(&status);
    if let Some(record) = &written
        && newest_known(pass) <= record.deployment
    {
        let deployed = reconciled.unwrap_or_else(|| pass.observed.resource.spec.clone());
        return Ok(Some(draft(record.clone(), deployed, status, Vec::new())));
    }
    // The record is lost, or older than what is there.
    let cluster = match &pass.observed.cluster {
        Fact::Unknown(why) => return Err(WaitingFor::Observation(why.clone())),
        Fact::Absent => None,
        Fact::Present(cluster) => Some(cluster),
    };
    let known = newest_known(pass).max(written.as_ref().map_or(0, |record| record.deployment));
    let mut spec = reconciled.unwrap_or_else(|| pass.observed.resource.spec.clone());
    if cluster.is_some_and(|cluster| cluster.alive)
        && let Some(job) = &mut spec.job
    {
        // Whatever else it was deployed with, it was deployed to run. So one that is to be suspended now is seen to be.
        job.state = Some(JobState::Running);
    }
    let taken_over = |step: Step, deployment: u64| Record {
        job_id: job_id(pass, &status, deployment),
        generation: status.observed_generation.unwrap_or_default(),
        // Nobody knows what it has done; so the most is assumed.
        was_seen: true,
        was_stable: true,
        has_checkpointed: true,
        // No number that was given already: what was asked for under it long ago would be taken for the answer.
        savepoints: first_number(pass.now),
        checkpoints: first_number(pass.now),
        ..Record::new(pass.uid(), deployment, 0, step)
    };
    let record = if let Some(cluster) = cluster {
        Record {
            restored_from: cluster.restored_from.clone(),
            ..taken_over(
                Step::Deploying {
                    since: pass.now,
                    not_before: None,
                    first_look: None,
                },
                cluster.deployment,
            )
        }
    } else if let Some(step) = suspended_by_another(pass.now, &status, &spec) {
        taken_over(step, known.max(1))
    } else if known > 0 || has_run(&status) {
        let stop = Stop::Cluster { newest: None };
        taken_over(
            Step::Stopping {
                since: pass.now,
                reason: StopReason::Crash,
                stop,
            },
            known.max(1),
        )
    } else {
        // It was never deployed.
        if pass.is_deleting() || pass.present.is_err() {
            return Ok(None);
        }
        let step = Step::Suspended {
            since: pass.now,
            restore: None,
        };
        let record = Record::new(pass.uid(), 0, pass.generation(), step);
        return Ok(Some(draft(
            record,
            pass.observed.resource.spec.clone(),
            status,
            Vec::new(),
        )));
    };
    let event = Event::warning(
        "RecordRebuilt",
        format!(
            "The record was lost; it is made anew from what is there: deployment {}",
            record.deployment
        ),
    );
    Ok(Some(draft(record, spec, status, vec![event])))
}

/// Larger than every number that a record before this time has given.
fn first_number(now: Timestamp) -> u64 {
    u64::try_from(now.as_millisecond()).unwrap_or_default()
}

const fn draft(
    record: Record,
    deployed: FlinkDeploymentSpec,
    status: FlinkDeploymentStatus,
    events: Vec<Event>,
) -> Draft {
    Draft {
        record,
        deployed,
        status,
        events,
        obstacle: None,
    }
}

/// The largest deployment number that is to be seen outside the record.
fn newest_known(pass: &Pass<'_>) -> u64 {
    let cluster = pass
        .observed
        .cluster
        .present()
        .map_or(0, |cluster| cluster.deployment);
    cluster.max(pass.observed.last_launched)
}

/// Upstream's operator draws the job id and keeps it in the status.
fn job_id(pass: &Pass<'_>, status: &FlinkDeploymentStatus, deployment: u64) -> String {
    let of_status = status.job_status.as_ref().and_then(|job| job.job_id.clone());
    match of_status {
        Some(id) if !id.is_empty() && Record::read(status).is_none() => id,
        Some(_) | None => identity::job_id(pass.uid(), deployment),
    }
}

fn has_run(status: &FlinkDeploymentStatus) -> bool {
    status
        .job_status
        .as_ref()
        .is_some_and(|job| job.job_id.as_ref().is_some_and(|id| !id.is_empty()))
}

/// Suspended by another operator, if it is known what it resumes from. Stopped from its last state, or by a savepoint that
/// the status does not tell, it is not: then it is looked for as after a crash, and never begins from nothing.
fn suspended_by_another(
    now: Timestamp,
    status: &FlinkDeploymentStatus,
    reconciled: &FlinkDeploymentSpec,
) -> Option<Step> {
    let reconciliation = status.reconciliation_status.as_ref()?;
    let is_suspended = reconciliation.state == Some(ReconciliationState::Deployed)
        && fields::job_state(reconciled) == JobState::Suspended;
    let restore = upstream::upgrade_savepoint(status).map(str::to_owned);
    let is_known = restore.is_some() || change::upgrade_mode(reconciled) == UpgradeMode::Stateless;
    (is_suspended && is_known).then_some(Step::Suspended { since: now, restore })
}

/// The specification that was last deployed; it is written as `{"spec": ...}`.
fn reconciled_spec(status: &FlinkDeploymentStatus) -> Option<FlinkDeploymentSpec> {
    let value = upstream::reconciled(status)?;
    serde_json::from_value(value.get("spec")?.clone()).ok()
}
