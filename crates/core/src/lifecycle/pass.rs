//! One pass: what was observed, read with the record in mind, and the draft of the record that the rules change.

use jiff::Timestamp;
use sluice_api::flink_deployment::{FlinkDeploymentStatus, FlinkJobState};
use sluice_api::metadata::FINALIZER_FLINK_DEPLOYMENT;
use sluice_api::validation::{ValidDeployment, validate_flink_deployment};
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec};

use super::change;
use super::decision::WaitingFor;
use super::observed::{CompletedCheckpoint, JobView, Observed, OperationProgress};
use super::record::Record;
use crate::{Event, Fact};

/// What stays the same during a pass.
pub(super) struct Pass<'a> {
    /// What was observed.
    pub(super) observed: &'a Observed,
    /// The time.
    pub(super) now: Timestamp,
    /// The present specification, or one sentence about what is wrong with it.
    pub(super) present: Result<ValidDeployment, String>,
}

/// What a pass changes.
#[derive(Clone, PartialEq)]
pub(super) struct Draft {
    /// The record.
    pub(super) record: Record,
    /// The specification that is deployed, or suspended (`lastReconciledSpec`).
    pub(super) deployed: FlinkDeploymentSpec,
    /// The status as it stood, with what the rules noted in it (savepoints above all).
    pub(super) status: FlinkDeploymentStatus,
    /// What to tell people.
    pub(super) events: Vec<Event>,
    /// What stands in the way of the next step; found anew at every pass.
    pub(super) obstacle: Option<Obstacle>,
}

/// What stands in the way of the next step.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Obstacle {
    /// Something that is not known yet.
    Wait(WaitingFor),
    /// Something that only a person can change.
    Person(String),
}

/// What is to be seen of the record's deployment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sight<'a> {
    /// The launcher could not be asked.
    Unknown(&'a str),
    /// A cluster of another deployment is alive.
    Other(u64),
    /// It was never launched, and nothing is alive.
    NotLaunched,
    /// It was launched and is gone.
    Dead(Option<&'a str>),
    /// It is alive, and its JobManager does not answer.
    Silent(&'a str),
    /// Its JobManager answers and does not have the job.
    NoJob,
    /// Its job.
    Job(&'a JobView),
}

impl<'a> Pass<'a> {
    pub(super) fn new(observed: &'a Observed, now: Timestamp) -> Self {
        let present = validate_flink_deployment(&observed.resource)
            .map_err(|problems| {
                let sentences: Vec<String> = problems.iter().map(ToString::to_string).collect();
                sentences.join("; ")
            })
            .and_then(check_retention);
        Self {
            observed,
            now,
            present,
        }
    }

    pub(super) fn uid(&self) -> &str {
        self.observed.resource.metadata.uid.as_deref().unwrap_or_default()
    }

    pub(super) fn generation(&self) -> i64 {
        self.observed.resource.metadata.generation.unwrap_or_default()
    }

    pub(super) fn is_deleting(&self) -> bool {
        self.observed.resource.metadata.deletion_timestamp.is_some()
    }

    pub(super) fn has_finalizer(&self) -> bool {
        has_finalizer(&self.observed.resource)
    }

    pub(super) fn sight(&self, record: &Record) -> Sight<'_> {
        let cluster = match &self.observed.cluster {
            Fact::Unknown(why) => return Sight::Unknown(why),
            Fact::Absent => None,
            Fact::Present(cluster) => Some(cluster),
        };
        match cluster {
            Some(cluster) if cluster.deployment != record.deployment && cluster.alive => {
                Sight::Other(cluster.deployment)
            }
            Some(cluster) if cluster.deployment == record.deployment && cluster.alive => {
                match &self.observed.job {
                    Fact::Unknown(why) => Sight::Silent(why),
                    Fact::Absent => Sight::NoJob,
                    Fact::Present(job) if job.job_id == record.job_id => Sight::Job(job),
                    Fact::Present(_) => Sight::Silent("another job was looked at"),
                }
            }
            Some(cluster) if cluster.deployment == record.deployment => Sight::Dead(cluster.exit.as_deref()),
            Some(_) | None if self.was_launched(record) => Sight::Dead(None),
            Some(_) | None => Sight::NotLaunched,
        }
    }

    fn was_launched(&self, record: &Record) -> bool {
        record.deployment > 0
            && (record.was_seen
                || self.observed.last_launched >= record.deployment
                || self.checkpoint(record).present().is_some())
    }

    /// The last completed checkpoint of the record's own job.
    pub(super) fn checkpoint(&self, record: &Record) -> Fact<&CompletedCheckpoint> {
        match &self.observed.checkpoint {
            Fact::Unknown(why) => Fact::Unknown(why.clone()),
            Fact::Absent if !self.is_asked_about(record) => Fact::Unknown(format!(
                "the checkpoints of job {} were not looked at yet",
                record.job_id
            )),
            Fact::Absent => Fact::Absent,
            Fact::Present(checkpoint) if checkpoint.job_id == record.job_id => Fact::Present(checkpoint),
            Fact::Present(checkpoint) => Fact::Unknown(format!(
                "the checkpoints of job {} were looked at",
                checkpoint.job_id
            )),
        }
    }

    /// A shell looks at the checkpoints of the job that the record names; of any other, nothing was learnt.
    fn is_asked_about(&self, record: &Record) -> bool {
        let status = self.observed.resource.status.as_ref();
        status
            .and_then(Record::read)
            .is_some_and(|written| written.job_id == record.job_id)
    }

    /// How far an operation is.
    pub(super) fn operation(&self, trigger_id: &str) -> Fact<&OperationProgress> {
        let operation = self
            .observed
            .operations
            .iter()
            .find(|operation| operation.trigger_id == trigger_id);
        match operation.map(|operation| &operation.progress) {
            None => Fact::Unknown("it was not asked about".to_owned()),
            Some(Fact::Unknown(why)) => Fact::Unknown(why.clone()),
            Some(Fact::Absent) => Fact::Absent,
            Some(Fact::Present(progress)) => Fact::Present(progress),
        }
    }

    /// The specification that is to be deployed next: the present one or, if that is invalid, the one deployed before.
    pub(super) fn target(&self, draft: &Draft) -> Result<Target, String> {
        match &self.present {
            Ok(valid) => Ok(Target {
                valid: valid.clone(),
                generation: self.generation(),
            }),
            Err(problem) => {
                let resource = FlinkDeployment {
                    spec: draft.deployed.clone(),
                    ..self.observed.resource.clone()
                };
                validate_flink_deployment(&resource)
                    .map(|valid| Target {
                        valid,
                        generation: draft.record.generation,
                    })
                    .map_err(|_| problem.clone())
            }
        }
    }
}

/// A specification to be deployed.
pub(super) struct Target {
    /// The specification.
    pub(super) valid: ValidDeployment,
    /// Its generation.
    pub(super) generation: i64,
}

impl Draft {
    /// Whether the present specification differs from the deployed one in a way that has not been set aside.
    pub(super) fn change(&self, pass: &Pass<'_>) -> change::Change {
        let Ok(present) = &pass.present else {
            return change::Change::None;
        };
        let set_aside = self.record.set_aside.as_ref();
        if set_aside.is_some_and(|edit| edit.generation == pass.generation()) {
            return change::Change::None;
        }
        let change = change::compare(&self.deployed, &present.spec);
        let is_small = matches!(change, change::Change::None | change::Change::InPlace);
        if is_small && self.record.was_launched_late {
            return change::Change::Upgrade;
        }
        change
    }
}

/// Whether a job's state is its last.
pub(super) const fn is_terminal(state: FlinkJobState) -> bool {
    match state {
        FlinkJobState::Canceled | FlinkJobState::Failed | FlinkJobState::Finished => true,
        FlinkJobState::Cancelling
        | FlinkJobState::Created
        | FlinkJobState::Failing
        | FlinkJobState::Initializing
        | FlinkJobState::Reconciling
        | FlinkJobState::Restarting
        | FlinkJobState::Running
        // A JobManager that shuts down leaves its jobs so; what follows is told by the launcher.
        | FlinkJobState::Suspended => false,
    }
}

/// Whether the job runs with all its tasks.
pub(super) fn is_healthy(job: &JobView) -> bool {
    job.state == FlinkJobState::Running && job.all_tasks_running
}

/// Whether the finalizer is on the resource.
pub(super) fn has_finalizer(resource: &FlinkDeployment) -> bool {
    let finalizers = resource.metadata.finalizers.as_deref().unwrap_or_default();
    finalizers
        .iter()
        .any(|finalizer| finalizer == FINALIZER_FLINK_DEPLOYMENT)
}

/// One line of at most a thousand characters, so that a stack trace does not fill the status.
pub(super) fn one_line(text: &str) -> String {
    const LIMIT: usize = 1000;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LIMIT {
        return line;
    }
    let mut short: String = line.chars().take(LIMIT).collect();
    short.push('…');
    short
}

/// The key for what becomes of checkpoints when the job ends.
pub(super) const RETENTION: &str = "execution.checkpointing.externalized-checkpoint-retention";
/// The value under which they stay.
pub(super) const RETAINED: &str = "RETAIN_ON_CANCELLATION";

/// `last-state` needs checkpoints that outlive the job.
fn check_retention(valid: ValidDeployment) -> Result<ValidDeployment, String> {
    use sluice_api::UpgradeMode;
    match valid.job.upgrade_mode.unwrap_or_default() {
        UpgradeMode::LastState if !retains_checkpoints(&valid) => Err(format!(
            "spec.flinkConfiguration[{RETENTION}]: found {}, expected {RETAINED} (or nothing), because spec.job.upgradeMode last-state starts from the last checkpoint of the cancelled job",
            valid.configuration.get(RETENTION).unwrap_or_default()
        )),
        UpgradeMode::LastState | UpgradeMode::Savepoint | UpgradeMode::Stateless => Ok(valid),
    }
}

/// Whether the checkpoints of this specification's job outlive it.
pub(super) fn retains_checkpoints(valid: &ValidDeployment) -> bool {
    valid
        .configuration
        .get(RETENTION)
        .is_none_or(|value| value.trim().eq_ignore_ascii_case(RETAINED))
}
