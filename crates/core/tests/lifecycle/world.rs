//! A model of everything around the decision: the store with its resource version, the launcher, Flink, the storage.
//!
//! It knows the truth that the decision does not: how far each job got, what of it is committed, and what each path holds.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use sluice_api::flink_deployment::FlinkJobState;
use sluice_api::metadata::FINALIZER_FLINK_DEPLOYMENT;
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec, UpgradeMode};
use sluice_core::lifecycle::{
    AskedOperation, Cluster, CompletedCheckpoint, Decision, DeploymentPlan, Effect, JobView, Observed,
    OperationObservation, OperationProgress, Record, Step, asked_operations, decide, invariants,
};
use sluice_core::{Fact, Wake};

/// What Flink and the machine do by themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Behaviour {
    /// A completed checkpoint at every so many ticks; 0: none.
    pub(crate) checkpoint_every: u64,
    /// The job's main method fails with these words.
    pub(crate) job_fails: Option<String>,
    /// The JobManager exits with these words while it starts.
    pub(crate) start_crashes: Option<String>,
    /// So many savepoints fail from now on.
    pub(crate) savepoints_fail: u32,
    /// The job restarts at every so many ticks; 0: never.
    pub(crate) restarts_every: u64,
    /// The JobManager tells of the job from a copy as old as `web.refresh-interval` (3 s where nothing is set).
    pub(crate) answers_from_copies: bool,
    /// The place of the savepoints cannot be read; only a JobManager can tell of them.
    pub(crate) savepoints_are_unreadable: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) plan: DeploymentPlan,
    pub(crate) alive: bool,
    pub(crate) exit: Option<String>,
    pub(crate) started_at: Timestamp,
    pub(crate) ticks: u64,
    pub(crate) job: Option<Job>,
    /// The copy of the job that the JobManager answers from, and when it was made.
    pub(crate) copy: Option<(Timestamp, JobView)>,
    pub(crate) operations: BTreeMap<String, Operation>,
}

#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) state: FlinkJobState,
    pub(crate) all_tasks_running: bool,
    pub(crate) running_since: Option<Timestamp>,
    pub(crate) exception: Option<String>,
    /// How far it got.
    pub(crate) progress: u64,
    /// Its last savepoint is complete; it processes nothing more.
    pub(crate) is_stopping: bool,
    /// The number of the next checkpoint or savepoint.
    pub(crate) next_checkpoint: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) directory: Option<String>,
    pub(crate) stops: bool,
    pub(crate) progress: OperationProgress,
}

pub(crate) struct World {
    pub(crate) now: Timestamp,
    pub(crate) resource: FlinkDeployment,
    pub(crate) version: u64,
    pub(crate) is_gone: bool,
    pub(crate) processes: BTreeMap<u64, Process>,
    pub(crate) behaviour: Behaviour,
    pub(crate) failures: Vec<String>,
    /// Checkpoints by job id, and finished savepoints by directory, as storage holds them.
    pub(crate) checkpoints: BTreeMap<String, CompletedCheckpoint>,
    pub(crate) savepoints: BTreeMap<String, (String, u64)>,
    /// How far the job was in each path.
    pub(crate) contents: BTreeMap<String, u64>,
    /// How far the output is committed.
    pub(crate) committed: u64,
    /// How often Flink began a savepoint in each directory.
    pub(crate) savepoints_started: BTreeMap<String, u32>,
    pub(crate) transcript: String,
    last_line: String,
    began: Timestamp,
}

pub(crate) const UID: &str = "u-1";
const SPEC: &str = r#"{"flinkVersion": "v1_20", "image": "flink:1.20",
    "flinkConfiguration": {"execution.checkpointing.savepoint-dir": "s3://b/sp", "execution.checkpointing.dir": "s3://b/cp"},
    "jobManager": {"resource": {"memory": "1g", "cpu": 1}}, "taskManager": {"resource": {"memory": "1g", "cpu": 1}},
    "job": {"jarURI": "local:///job.jar", "parallelism": 2, "state": "running"}}"#;

impl World {
    /// A resource just created, with this upgrade mode.
    pub(crate) fn new(upgrade_mode: &str) -> Self {
        let mut spec: Value = serde_json::from_str(SPEC).unwrap();
        spec["job"]["upgradeMode"] = json!(upgrade_mode);
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let resource = serde_json::from_value(json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
            "metadata": {"name": "orders", "namespace": "default", "uid": UID, "generation": 1}, "spec": spec}))
        .unwrap();
        Self {
            now,
            resource,
            version: 1,
            is_gone: false,
            processes: BTreeMap::new(),
            behaviour: Behaviour::default(),
            failures: Vec::new(),
            checkpoints: BTreeMap::new(),
            savepoints: BTreeMap::new(),
            contents: BTreeMap::new(),
            committed: 0,
            savepoints_started: BTreeMap::new(),
            transcript: String::new(),
            last_line: String::new(),
            began: now,
        }
    }

    /// Replaces values of the specification, by JSON pointer.
    pub(crate) fn edit(&mut self, edits: &[(&str, Value)]) {
        let mut spec = serde_json::to_value(&self.resource.spec).unwrap();
        for (pointer, value) in edits {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            let parent = spec.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            parent.insert(key.to_owned(), value.clone());
        }
        self.resource.spec = serde_json::from_value(spec).unwrap();
        *self.resource.metadata.generation.as_mut().unwrap() += 1;
        self.version += 1;
        let edits: Vec<String> = edits
            .iter()
            .map(|(pointer, value)| format!("{pointer} = {value}"))
            .collect();
        self.say(&format!("USER    {}", edits.join(", ")));
    }

    pub(crate) fn delete(&mut self) {
        self.resource.metadata.deletion_timestamp =
            Some(serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap());
        self.version += 1;
        let finalizers = self.resource.metadata.finalizers.as_ref();
        self.is_gone = finalizers.is_none_or(Vec::is_empty);
        self.say("USER    deletes the resource");
    }

    pub(crate) fn say(&mut self, line: &str) {
        if line == self.last_line {
            return;
        }
        line.clone_into(&mut self.last_line);
        let seconds = self.now.duration_since(self.began).as_millis();
        writeln!(
            self.transcript,
            "{:>6}.{:01}s {line}",
            seconds / 1000,
            seconds % 1000 / 100
        )
        .unwrap();
    }

    pub(crate) fn record(&self) -> Option<Record> {
        self.resource.status.as_ref().and_then(Record::read)
    }

    pub(crate) fn alive(&mut self) -> Option<(u64, &mut Process)> {
        self.processes
            .iter_mut()
            .find(|(_, process)| process.alive)
            .map(|(number, process)| (*number, process))
    }

    // ---- what the shell sees -------------------------------------------------------------------------------------

    pub(crate) fn observe(&self) -> Observed {
        let record = self.record();
        let newest = self
            .processes
            .iter()
            .find(|(_, process)| process.alive)
            .or(self.processes.iter().next_back());
        let cluster = newest.map_or(Fact::Absent, |(number, process)| {
            Fact::Present(Cluster {
                deployment: *number,
                alive: process.alive,
                exit: process.exit.clone(),
                started_at: Some(process.started_at),
                restored_from: process.plan.restore.as_ref().map(|restore| restore.path.clone()),
            })
        });
        let job = match newest {
            Some((_, process)) if process.alive && process.ticks > 0 => match (&process.copy, &process.job) {
                (Some((_, copy)), Some(_)) => Fact::Present(copy.clone()),
                (None, Some(job)) => Fact::Present(view(process, job)),
                (_, None) => Fact::Absent,
            },
            Some(_) | None => Fact::Unknown("connection refused".to_owned()),
        };
        let asked = record.as_ref().map(asked_operations).unwrap_or_default();
        let operations = asked
            .into_iter()
            .map(|asked| self.observe_operation(newest, &asked))
            .collect();
        let checkpoint = record
            .as_ref()
            .and_then(|record| self.checkpoints.get(&record.job_id))
            .map_or(Fact::Absent, |checkpoint| Fact::Present(checkpoint.clone()));
        Observed {
            resource: self.resource.clone(),
            last_launched: self.processes.keys().next_back().copied().unwrap_or(0),
            cluster,
            job,
            operations,
            checkpoint,
            failures: self.failures.clone(),
        }
    }

    fn observe_operation(
        &self,
        newest: Option<(&u64, &Process)>,
        asked: &AskedOperation,
    ) -> OperationObservation {
        let (trigger_id, directory) = match asked {
            AskedOperation::Savepoint {
                trigger_id,
                directory,
            } => (trigger_id, Some(directory)),
            AskedOperation::Checkpoint { trigger_id } => (trigger_id, None),
        };
        let alive = newest.filter(|(_, process)| process.alive);
        if alive.is_none() && directory.is_some() && self.behaviour.savepoints_are_unreadable {
            return OperationObservation {
                trigger_id: trigger_id.clone(),
                progress: Fact::Unknown("the place of the savepoints cannot be read".to_owned()),
            };
        }
        let known = alive
            .and_then(|(_, process)| process.operations.get(trigger_id))
            .map(|operation| operation.progress.clone());
        let stored = directory
            .and_then(|directory| self.savepoints.get(directory))
            .map(|(location, id)| OperationProgress::Completed {
                location: location.clone(),
                id: Some(*id),
            });
        OperationObservation {
            trigger_id: trigger_id.clone(),
            progress: known.or(stored).map_or(Fact::Absent, Fact::Present),
        }
    }

    // ---- one pass ------------------------------------------------------------------------------------------------

    /// Observes, decides, checks, writes and carries out.
    pub(crate) fn pass(&mut self) -> Decision {
        let observed = self.observe();
        let decision = self.decide(&observed);
        self.carry_out(&decision, self.version, usize::MAX);
        decision
    }

    pub(crate) fn decide(&mut self, observed: &Observed) -> Decision {
        let decision = decide(observed, self.now);
        let violations = invariants::check(observed, &decision, self.now);
        assert!(
            violations.is_empty(),
            "{violations:#?}\n{observed:#?}\n{decision:#?}\n{}",
            self.transcript
        );
        decision
    }

    /// Writes the status if the resource still has this version, then carries out at most so many effects.
    pub(crate) fn carry_out(&mut self, decision: &Decision, version: u64, effects: usize) {
        if self.is_gone {
            return;
        }
        if let Some(status) = &decision.status {
            if version != self.version {
                return;
            }
            self.resource.status = Some(status.as_ref().clone());
            self.version += 1;
            self.say_status();
            self.give_up_what_is_stateless();
        }
        for event in &decision.events {
            self.say(&format!("EVENT   {}: {}", event.reason, event.message));
        }
        for effect in decision.effects.iter().take(effects) {
            self.carry_out_one(effect);
        }
        if let Some(waiting) = &decision.waiting {
            self.say(&format!("        waits for {}", waiting.what));
        }
    }

    /// A stateless start or suspension gives up what was committed as soon as it is recorded and told. Whatever the
    /// specification says before the launch, which may be much later, there is nothing else to go on from.
    fn give_up_what_is_stateless(&mut self) {
        let Some(record) = self.record() else {
            return;
        };
        let is_launched = self.processes.contains_key(&record.deployment);
        let from = match record.step {
            Step::Suspended { restore, .. } => restore,
            _ if !is_launched => record.restored_from,
            _ => return,
        };
        if record.deployment > 0 && is_stateless(&deployed_spec(&self.resource)) {
            self.committed = from
                .and_then(|path| self.contents.get(&path).copied())
                .unwrap_or(0);
        }
    }

    fn say_status(&mut self) {
        let status = self.resource.status.clone().unwrap();
        let job = status.job_status.clone().unwrap_or_default();
        let word = |value: Value| value.as_str().unwrap_or("-").to_owned();
        let mut line = format!(
            "STATUS  {} {} {} of generation {}",
            word(json!(status.lifecycle_state)),
            word(json!(job.state)),
            word(json!(status.job_manager_deployment_status)),
            status.observed_generation.unwrap_or_default(),
        );
        if let Some(path) = job.upgrade_savepoint_path {
            write!(line, " from {path}").unwrap();
        }
        if let Some(error) = status.error {
            write!(line, "\n                 error: {error}").unwrap();
        }
        self.say(&line);
    }

    fn carry_out_one(&mut self, effect: &Effect) {
        match effect {
            Effect::AddFinalizer => {
                self.resource.metadata.finalizers = Some(vec![FINALIZER_FLINK_DEPLOYMENT.to_owned()]);
                self.version += 1;
                self.say("EFFECT  add the finalizer");
            }
            Effect::RemoveFinalizer => {
                assert!(
                    self.alive().is_none(),
                    "the resource goes while its cluster is alive\n{}",
                    self.transcript
                );
                self.is_gone = true;
                self.say("EFFECT  remove the finalizer");
            }
            Effect::Deploy { plan } => self.launch(plan),
            Effect::StopCluster { deployment } => {
                self.say(&format!("EFFECT  stop cluster {deployment}"));
                if let Some(process) = self.processes.get_mut(deployment)
                    && process.alive
                {
                    process.alive = false;
                    process.exit = Some("stopped".to_owned());
                }
            }
            Effect::StopWithSavepoint {
                job_id,
                trigger_id,
                directory,
                ..
            } => {
                let number = directory.rsplit('/').next().unwrap().to_owned();
                self.say(&format!("EFFECT  stop the job with savepoint {number}"));
                self.trigger(job_id, trigger_id, Some(directory), true);
            }
            Effect::TriggerSavepoint {
                job_id,
                trigger_id,
                directory,
                ..
            } => {
                let number = directory.rsplit('/').next().unwrap().to_owned();
                self.say(&format!("EFFECT  take savepoint {number}"));
                self.trigger(job_id, trigger_id, Some(directory), false);
            }
            Effect::TriggerCheckpoint { job_id, trigger_id } => {
                self.say("EFFECT  take a checkpoint");
                self.trigger(job_id, trigger_id, None, false);
            }
            Effect::CancelJob { job_id } => {
                self.say("EFFECT  cancel the job");
                if let Some((_, process)) = self.alive()
                    && process.plan.job_id == *job_id
                    && let Some(job) = &mut process.job
                    && !is_over(job.state)
                {
                    job.state = FlinkJobState::Cancelling;
                    job.all_tasks_running = false;
                }
            }
        }
    }

    fn launch(&mut self, plan: &DeploymentPlan) {
        let from = plan
            .restore
            .as_ref()
            .map_or("nothing", |restore| restore.path.as_str())
            .to_owned();
        self.say(&format!("EFFECT  deploy {} from {from}", plan.deployment));
        if self
            .processes
            .keys()
            .next_back()
            .is_some_and(|last| *last >= plan.deployment)
        {
            return;
        }
        assert!(
            self.alive().is_none(),
            "two clusters at once\n{}",
            self.transcript
        );
        let held = self.contents.get(&from).copied().unwrap_or(0);
        if !is_stateless(&deployed_spec(&self.resource)) && !self.is_by_user(&from) {
            assert_eq!(
                held, self.committed,
                "deployment {} starts from {from}, which is not what is committed\n{}",
                plan.deployment, self.transcript
            );
        }
        self.committed = held;
        self.processes.insert(
            plan.deployment,
            Process {
                plan: plan.clone(),
                alive: true,
                exit: None,
                started_at: self.now,
                ticks: 0,
                job: None,
                copy: None,
                operations: BTreeMap::new(),
            },
        );
    }

    fn is_by_user(&self, path: &str) -> bool {
        path.starts_with("s3://user/") && !self.contents.contains_key(path)
    }

    fn trigger(&mut self, job_id: &str, trigger_id: &str, directory: Option<&str>, stops: bool) {
        let Some((_, process)) = self.alive() else {
            return;
        };
        if process.plan.job_id != job_id || process.operations.contains_key(trigger_id) {
            return;
        }
        let runs = process
            .job
            .as_ref()
            .is_some_and(|job| job.state == FlinkJobState::Running && job.all_tasks_running);
        let progress = if runs {
            OperationProgress::InProgress
        } else {
            OperationProgress::Failed {
                cause: "Not all required tasks are currently running".to_owned(),
            }
        };
        process.operations.insert(
            trigger_id.to_owned(),
            Operation {
                directory: directory.map(str::to_owned),
                stops,
                progress,
            },
        );
        if let Some(directory) = directory
            && runs
        {
            let started = self.savepoints_started.entry(directory.to_owned()).or_default();
            *started += 1;
            assert_eq!(
                *started, 1,
                "the savepoint {directory} is taken twice\n{}",
                self.transcript
            );
        }
    }

    // ---- running a story -----------------------------------------------------------------------------------------

    /// Lets everything go on for so many seconds, looking as often as the decision asks.
    pub(crate) fn run(&mut self, seconds: i64) {
        let end = self.now + SignedDuration::from_secs(seconds);
        let mut at_once = 0;
        while self.now < end && !self.is_gone {
            let decision = self.pass();
            if decision.wake == Wake::Now {
                at_once += 1;
                assert!(at_once < 10, "looks again at once for ever\n{}", self.transcript);
                continue;
            }
            at_once = 0;
            self.tick(SignedDuration::from_millis(500));
        }
    }

    /// Whether a pass would write nothing and do nothing.
    pub(crate) fn is_settled(&mut self) -> bool {
        let observed = self.observe();
        let decision = self.decide(&observed);
        self.is_gone || (decision.status.is_none() && decision.effects.is_empty())
    }
}

pub(crate) const fn is_over(state: FlinkJobState) -> bool {
    matches!(
        state,
        FlinkJobState::Canceled | FlinkJobState::Failed | FlinkJobState::Finished
    )
}

pub(crate) fn view(process: &Process, job: &Job) -> JobView {
    JobView {
        job_id: process.plan.job_id.clone(),
        name: Some("orders".to_owned()),
        state: job.state,
        start_time: Some(process.started_at),
        all_tasks_running: job.all_tasks_running,
        running_since: job.running_since,
        exception: job.exception.clone(),
        restored_checkpoint: None,
    }
}

fn is_stateless(spec: &FlinkDeploymentSpec) -> bool {
    spec.job.as_ref().unwrap().upgrade_mode.unwrap_or_default() == UpgradeMode::Stateless
}

fn deployed_spec(resource: &FlinkDeployment) -> FlinkDeploymentSpec {
    let text = resource
        .status
        .as_ref()
        .unwrap()
        .reconciliation_status
        .as_ref()
        .unwrap();
    let value: Value = serde_json::from_str(text.last_reconciled_spec.as_deref().unwrap()).unwrap();
    serde_json::from_value(value["spec"].clone()).unwrap()
}
