//! What must hold of every decision, whatever was observed: checked by every test and by the running shells.

use jiff::Timestamp;
use sluice_api::flink_deployment::FlinkDeploymentStatus;
use sluice_api::{FlinkDeploymentSpec, UpgradeMode};

use super::decision::{Decision, Effect};
use super::observed::Observed;
use super::pass::has_finalizer;
use super::plan::DeploymentPlan;
use super::record::{Record, Step, Stop, StopReason};
use super::{change, decide};
use crate::Fact;

/// One broken law, in one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

/// Checks a decision against every law.
pub fn check(observed: &Observed, decision: &Decision, now: Timestamp) -> Vec<Violation> {
    let mut laws = Laws {
        observed,
        decision,
        violations: Vec::new(),
    };
    laws.deployment_numbers_only_grow();
    laws.every_effect_is_in_the_record();
    laws.never_two_clusters();
    laws.state_is_never_lost();
    laws.nothing_is_left_behind();
    laws.an_invalid_specification_touches_nothing();
    laws.a_second_look_at_the_same_changes_nothing(now);
    laws.violations
}

struct Laws<'a> {
    observed: &'a Observed,
    decision: &'a Decision,
    violations: Vec<Violation>,
}

impl Laws<'_> {
    fn require(&mut self, holds: bool, law: impl FnOnce() -> String) {
        if !holds {
            self.violations.push(Violation(law()));
        }
    }

    fn status_before(&self) -> Option<&FlinkDeploymentStatus> {
        self.observed.resource.status.as_ref()
    }

    /// The status as it stands when the effects are carried out.
    fn status(&self) -> Option<&FlinkDeploymentStatus> {
        self.decision.status.as_deref().or(self.status_before())
    }

    fn record_before(&self) -> Option<Record> {
        self.status_before().and_then(Record::read)
    }

    fn record(&self) -> Option<Record> {
        self.status().and_then(Record::read)
    }

    fn plan(&self) -> Option<&DeploymentPlan> {
        self.decision.effects.iter().find_map(|effect| match effect {
            Effect::Deploy { plan } => Some(plan.as_ref()),
            Effect::AddFinalizer
            | Effect::RemoveFinalizer
            | Effect::StopCluster { .. }
            | Effect::StopWithSavepoint { .. }
            | Effect::TriggerSavepoint { .. }
            | Effect::TriggerCheckpoint { .. }
            | Effect::CancelJob { .. } => None,
        })
    }

    fn deployment_numbers_only_grow(&mut self) {
        let number = |record: Option<Record>| record.map_or(0, |record| record.deployment);
        let (before, after) = (number(self.record_before()), number(self.record()));
        self.require(after >= before, || {
            format!("the deployment number fell from {before} to {after}")
        });
    }

    fn every_effect_is_in_the_record(&mut self) {
        let Some(record) = self.record() else {
            for effect in &self.decision.effects {
                let is_harmless = matches!(effect, Effect::RemoveFinalizer | Effect::AddFinalizer);
                if !is_harmless {
                    self.violations
                        .push(Violation(format!("{effect:?} without a record")));
                }
            }
            return;
        };
        let decision = self.decision;
        for effect in &decision.effects {
            let holds = match effect {
                Effect::AddFinalizer => true,
                Effect::RemoveFinalizer => is_deletion(&record),
                Effect::Deploy { plan } => {
                    matches!(record.step, Step::Deploying { .. })
                        && plan.deployment == record.deployment
                        && plan.job_id == record.job_id
                        && plan.restore.as_ref().map(|restore| &restore.path) == record.restored_from.as_ref()
                }
                Effect::StopCluster { deployment } => {
                    *deployment != record.deployment
                        || match &record.step {
                            // One that began with what the next start restores may have completed something newer.
                            Step::Suspended { restore, .. } => *restore != record.restored_from,
                            Step::Stopping { stop, .. } => matches!(stop, Stop::Cluster { .. }),
                            Step::Deploying { .. } | Step::Running { .. } | Step::Ended { .. } => false,
                        }
                }
                Effect::StopWithSavepoint {
                    job_id,
                    trigger_id,
                    directory,
                    ..
                } => {
                    *job_id == record.job_id
                        && matches!(&record.step, Step::Stopping { stop: Stop::Savepoint { request }, .. }
                            if request.trigger_id == *trigger_id && request.directory == *directory)
                }
                Effect::TriggerSavepoint {
                    job_id,
                    trigger_id,
                    directory,
                    ..
                } => {
                    *job_id == record.job_id
                        && record.savepoint.as_ref().is_some_and(|request| {
                            request.trigger_id == *trigger_id && request.directory == *directory
                        })
                }
                Effect::TriggerCheckpoint { job_id, trigger_id } => {
                    *job_id == record.job_id
                        && record
                            .checkpoint
                            .as_ref()
                            .is_some_and(|request| request.trigger_id == *trigger_id)
                }
                Effect::CancelJob { job_id } => {
                    *job_id == record.job_id
                        && matches!(
                            record.step,
                            Step::Stopping {
                                stop: Stop::Cancel { .. },
                                ..
                            }
                        )
                }
            };
            self.require(holds, || {
                format!("{effect:?} is not what the record says: {record:?}")
            });
        }
    }

    fn never_two_clusters(&mut self) {
        let Some(plan) = self.plan() else {
            return;
        };
        let number = plan.deployment;
        let is_free = match &self.observed.cluster {
            Fact::Unknown(_) => false,
            Fact::Absent => true,
            Fact::Present(cluster) => !cluster.alive && cluster.deployment < number,
        };
        self.require(is_free, || {
            format!(
                "deployment {number} is launched while this may be alive: {:?}",
                self.observed.cluster
            )
        });
        let launched = self.observed.last_launched;
        self.require(number > launched, || {
            format!("deployment {number} is launched though {launched} was launched already")
        });
        let count = self
            .decision
            .effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Deploy { .. }))
            .count();
        self.require(count == 1, || format!("{count} clusters are launched at once"));
        self.require(has_finalizer(&self.observed.resource), || {
            "a cluster is launched for a resource without the finalizer".to_owned()
        });
    }

    /// A new deployment of a stateful job starts from the newest state that is known, or from what the user names.
    fn state_is_never_lost(&mut self) {
        let (Some(before), Some(after)) = (self.record_before(), self.record()) else {
            return;
        };
        let Some(spec) = self.status().and_then(deployed) else {
            return;
        };
        if before.deployment == 0
            || after.deployment == before.deployment
            || change::upgrade_mode(&spec) == UpgradeMode::Stateless
        {
            return;
        }
        let path = after.restored_from.as_ref();
        let by_user = spec
            .job
            .as_ref()
            .and_then(|job| job.initial_savepoint_path.as_ref());
        let asked = self
            .status_before()
            .and_then(deployed)
            .is_some_and(|before| change::asks_for_redeploy(&before, &spec))
            || matches!(
                before.step,
                Step::Stopping {
                    reason: StopReason::Redeploy,
                    ..
                }
            );
        if asked && path == by_user && path.is_some() {
            return;
        }
        let known = match &before.step {
            Step::Suspended { restore, .. } => restore.as_ref(),
            Step::Stopping {
                stop: Stop::Cluster { newest: Some(newest) },
                ..
            } => Some(newest),
            Step::Stopping {
                stop: Stop::Savepoint { request },
                ..
            } => self
                .completed_location(&request.trigger_id)
                .or(before.restored_from.as_ref()),
            Step::Stopping { .. } | Step::Deploying { .. } | Step::Running { .. } | Step::Ended { .. } => {
                before.restored_from.as_ref()
            }
        };
        let own = self
            .observed
            .checkpoint
            .present()
            .filter(|checkpoint| checkpoint.job_id == before.job_id);
        let is_known = path == known || own.is_some_and(|checkpoint| path == Some(&checkpoint.path));
        self.require(is_known, || {
            format!(
                "deployment {} starts from {path:?}, which is not the state of {before:?}",
                after.deployment
            )
        });
        let is_newest = match &before.step {
            // Launched after its suspension, it may have completed something newer.
            Step::Suspended { restore, .. } if !before.was_seen && *restore == before.restored_from => {
                own.is_none_or(|checkpoint| path == Some(&checkpoint.path))
            }
            Step::Suspended { .. }
            | Step::Stopping {
                stop: Stop::Cluster { newest: Some(_) },
                ..
            } => true,
            Step::Stopping { .. } | Step::Deploying { .. } | Step::Running { .. } | Step::Ended { .. } => {
                path != before.restored_from.as_ref() || (own.is_none() && !before.has_checkpointed)
            }
        };
        self.require(is_newest, || {
            format!(
                "deployment {} starts from {path:?}, older than a checkpoint of {}",
                after.deployment, before.job_id
            )
        });
    }

    fn completed_location(&self, trigger_id: &str) -> Option<&String> {
        use super::observed::OperationProgress;
        let operation = self
            .observed
            .operations
            .iter()
            .find(|operation| operation.trigger_id == trigger_id)?;
        match operation.progress.present()? {
            OperationProgress::Completed { location, .. } => Some(location),
            OperationProgress::InProgress | OperationProgress::Failed { .. } => None,
        }
    }

    fn nothing_is_left_behind(&mut self) {
        if !self.decision.effects.contains(&Effect::RemoveFinalizer) {
            return;
        }
        let is_deleting = self.observed.resource.metadata.deletion_timestamp.is_some();
        self.require(is_deleting, || {
            "the finalizer goes, though nobody deletes the resource".to_owned()
        });
        let is_gone = match &self.observed.cluster {
            Fact::Unknown(_) => false,
            Fact::Absent => true,
            Fact::Present(cluster) => !cluster.alive,
        };
        self.require(is_gone, || {
            "the finalizer goes before the cluster is known to be gone".to_owned()
        });
    }

    fn an_invalid_specification_touches_nothing(&mut self) {
        let is_valid = super::pass::Pass::new(self.observed, Timestamp::UNIX_EPOCH)
            .present
            .is_ok();
        let is_deleting = self.observed.resource.metadata.deletion_timestamp.is_some();
        let (Some(before), Some(after)) = (self.record_before(), self.record()) else {
            return;
        };
        if is_valid || is_deleting {
            return;
        }
        let lives = |step: &Step| match step {
            Step::Deploying { .. } | Step::Running { .. } | Step::Ended { .. } => true,
            Step::Stopping { .. } | Step::Suspended { .. } => false,
        };
        let is_by_itself = matches!(
            after.step,
            Step::Stopping {
                reason: StopReason::Crash,
                ..
            }
        ) || after.deployment > before.deployment;
        self.require(!lives(&before.step) || lives(&after.step) || is_by_itself, || {
            "a job is stopped because of an invalid specification".to_owned()
        });
    }

    fn a_second_look_at_the_same_changes_nothing(&mut self, now: Timestamp) {
        let mut again = self.observed.clone();
        if let Some(status) = &self.decision.status {
            again.resource.status = Some(status.as_ref().clone());
        }
        // What was seen of the checkpoints of one job says nothing about those of another.
        let job = |record: Option<Record>| record.map(|record| record.job_id);
        if again.checkpoint.is_absent() && job(self.record()) != job(self.record_before()) {
            again.checkpoint = Fact::Unknown("the checkpoints of this job were not looked at yet".to_owned());
        }
        let second = decide(&again, now);
        self.require(second.status.is_none(), || {
            "the status is written again for the same observation".to_owned()
        });
        self.require(second.effects == self.decision.effects, || {
            format!(
                "the effects are not the same when derived again: {:?}, then {:?}",
                self.decision.effects, second.effects
            )
        });
    }
}

fn is_deletion(record: &Record) -> bool {
    matches!(
        record.step,
        Step::Stopping {
            reason: StopReason::Delete,
            stop: Stop::Cluster { .. },
            ..
        }
    )
}

fn deployed(status: &FlinkDeploymentStatus) -> Option<FlinkDeploymentSpec> {
    let text = status
        .reconciliation_status
        .as_ref()?
        .last_reconciled_spec
        .as_deref()?;
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::from_value(value.get("spec")?.clone()).ok()
}
