//! A model of the Flink cluster of one child: its job, its checkpoints, and its savepoints by trigger id.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::kinds::text;
use crate::scenario::{ChildOutcome, ChildScript, JobManagerScript, SavepointOutcome, SavepointScript};

/// How often a running job completes a checkpoint.
const CHECKPOINT_INTERVAL: Duration = Duration::from_millis(200);
/// How long a crash-looping job runs, and is down.
const CRASH_INTERVAL: Duration = Duration::from_millis(400);
/// Where savepoints go that no one has named a directory for.
const SAVEPOINTS: &str = "s3://flink/savepoints";

/// How the JobManagers of one child name behave, whichever object bears it.
#[derive(Debug)]
pub(crate) struct JobManager {
    pub(crate) script: JobManagerScript,
    savepoints: VecDeque<SavepointScript>,
}

impl Default for JobManager {
    fn default() -> Self {
        Self {
            script: JobManagerScript::Answers,
            savepoints: VecDeque::new(),
        }
    }
}

impl JobManager {
    /// What the next savepoints do.
    pub(crate) fn plan(&mut self, savepoints: Vec<SavepointScript>) {
        self.savepoints = savepoints.into();
    }

    /// What the next savepoint does; the last one planned stays.
    pub(crate) fn next_savepoint(&mut self) -> SavepointScript {
        if self.savepoints.len() > 1 {
            return self.savepoints.pop_front().unwrap_or_default();
        }
        self.savepoints.front().cloned().unwrap_or_default()
    }
}

/// The cluster of one FlinkDeployment object.
#[derive(Debug)]
pub(crate) struct Cluster {
    /// The id of its job.
    pub(crate) job_id: String,
    /// When the job was started; none: it is stopped, or never was.
    pub(crate) started: Option<Instant>,
    /// The specification that its controller acted on last.
    pub(crate) acted_on: Option<Value>,
    /// The generation of that.
    pub(crate) generation: i64,
    /// What a resumption restores.
    pub(crate) upgrade_from: Option<String>,
    /// When the controller saw that the specification is another one.
    pub(crate) edit_seen: Option<Instant>,
    /// When the controller saw that the object is deleted.
    pub(crate) deletion_seen: Option<Instant>,
    /// Since when the job is being stopped with a savepoint.
    pub(crate) stopping: Option<Instant>,
    /// The status that was written last.
    pub(crate) written: Option<Value>,
    /// The number of the last completed checkpoint; 0: none.
    pub(crate) checkpoint: u64,
    last_checkpoint: Option<Instant>,
    pub(crate) requests: BTreeMap<String, Request>,
}

/// One request for a savepoint, as the JobManager remembers it.
#[derive(Debug)]
pub(crate) struct Request {
    script: SavepointScript,
    asked: Instant,
    path: String,
    settled: bool,
}

/// How far a savepoint is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Progress<'a> {
    Running,
    Completed(Option<&'a str>),
    Failed(&'a str),
}

/// What can be seen of a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The job's state as Flink names it, and RECONCILING before it can be asked.
    pub(crate) job: &'static str,
    /// The child in one word.
    pub(crate) lifecycle: &'static str,
    /// How far the JobManager is.
    pub(crate) manager: &'static str,
    /// What is wrong.
    pub(crate) error: Option<String>,
}

impl Cluster {
    pub(crate) fn new() -> Self {
        Self {
            job_id: uuid::Uuid::new_v4().simple().to_string(),
            started: None,
            acted_on: None,
            generation: 0,
            upgrade_from: None,
            edit_seen: None,
            deletion_seen: None,
            stopping: None,
            written: None,
            checkpoint: 0,
            last_checkpoint: None,
            requests: BTreeMap::new(),
        }
    }

    /// Starts the job.
    pub(crate) fn start(&mut self, now: Instant) {
        self.job_id = uuid::Uuid::new_v4().simple().to_string();
        self.started = Some(now);
        self.upgrade_from = None;
        self.checkpoint = 0;
        self.last_checkpoint = None;
        self.requests.clear();
    }

    /// Stops the job; a resumption restores `state`.
    pub(crate) fn stop(&mut self, state: Option<String>) {
        self.started = None;
        self.stopping = None;
        self.upgrade_from = state;
        self.requests.clear();
    }

    /// What can be seen at `now` of a cluster that does what the script says since `since`; none: from the beginning.
    pub(crate) fn look(&self, script: &ChildScript, since: Option<Instant>, now: Instant) -> Look {
        let Some(started) = self.started else {
            return Look {
                job: "FINISHED",
                lifecycle: "SUSPENDED",
                manager: "MISSING",
                error: None,
            };
        };
        let base = since.map_or(started, |since| since.max(started));
        let age = now.saturating_duration_since(base);
        let after = script.after.0;
        let plain = |job, lifecycle, manager| Look {
            job,
            lifecycle,
            manager,
            error: None,
        };
        if since.is_none_or(|since| started >= since) && age < after / 4 {
            return plain("RECONCILING", "CREATED", "DEPLOYING");
        }
        let starting = plain("RECONCILING", "DEPLOYED", "DEPLOYED_NOT_READY");
        let words = Some(script.error.clone()).filter(|error| !error.is_empty());
        match script.outcome {
            ChildOutcome::StaysDeploying => Look {
                error: words,
                ..plain("RECONCILING", "DEPLOYED", "DEPLOYING")
            },
            _ if age < after / 2 => starting,
            // RUNNING is said before it is known to be stable.
            ChildOutcome::Ready if age < after => plain("RUNNING", "DEPLOYED", "READY"),
            ChildOutcome::Ready => plain("RUNNING", "STABLE", "READY"),
            _ if age < after => starting,
            ChildOutcome::Fails => Look {
                error: words,
                ..plain("FAILED", "FAILED", "READY")
            },
            ChildOutcome::CrashLoops => {
                let round = age.as_millis() / CRASH_INTERVAL.as_millis();
                let job = if round.is_multiple_of(2) {
                    "RESTARTING"
                } else {
                    "RUNNING"
                };
                Look {
                    error: words,
                    ..plain(job, "DEPLOYED", "READY")
                }
            }
        }
    }

    /// Time passes: checkpoints complete, savepoints come to their end. Returns the paths of the savepoints that were taken.
    pub(crate) fn tick(&mut self, runs: bool, now: Instant) -> Vec<String> {
        let due = self
            .last_checkpoint
            .is_none_or(|last| now.saturating_duration_since(last) >= CHECKPOINT_INTERVAL);
        if runs && due {
            self.checkpoint += u64::from(self.last_checkpoint.is_some());
            self.last_checkpoint = Some(now);
        }
        let mut taken = Vec::new();
        for request in self.requests.values_mut() {
            let over = now.saturating_duration_since(request.asked) >= request.script.after.0;
            if over && !request.settled {
                request.settled = true;
                if request.is_taken() {
                    taken.push(request.path.clone());
                }
            }
        }
        taken
    }

    /// The last completed checkpoint.
    pub(crate) fn checkpoint_path(&self) -> Option<String> {
        (self.checkpoint > 0)
            .then(|| format!("s3://flink/checkpoints/{}/chk-{}", self.job_id, self.checkpoint))
    }

    /// Takes a request for a savepoint.
    pub(crate) fn ask(
        &mut self,
        trigger: &str,
        directory: Option<&str>,
        script: SavepointScript,
        now: Instant,
    ) {
        let path = self.savepoint_path(directory);
        self.requests.insert(
            trigger.to_owned(),
            Request {
                script,
                asked: now,
                path,
                settled: false,
            },
        );
    }

    /// A savepoint's path as Flink makes it.
    pub(crate) fn savepoint_path(&self, directory: Option<&str>) -> String {
        let directory = directory.unwrap_or(SAVEPOINTS).trim_end_matches('/');
        let unique = uuid::Uuid::new_v4().simple().to_string();
        let job = self.job_id.get(..6).unwrap_or_default();
        format!(
            "{directory}/savepoint-{job}-{}",
            unique.get(..12).unwrap_or_default()
        )
    }

    /// How far the savepoint of this id is; none: the JobManager does not know it.
    pub(crate) fn progress(&self, trigger: &str) -> Option<Progress<'_>> {
        let request = self.requests.get(trigger)?;
        if !request.settled {
            return Some(Progress::Running);
        }
        Some(match request.script.outcome {
            SavepointOutcome::Fails => Progress::Failed(&request.script.cause),
            SavepointOutcome::CompletesWithoutPath => Progress::Completed(None),
            SavepointOutcome::NeverEnds => Progress::Running,
            SavepointOutcome::Completes
            | SavepointOutcome::AnswerLost
            | SavepointOutcome::Refused
            | SavepointOutcome::Forgotten => Progress::Completed(Some(&request.path)),
        })
    }
}

impl Request {
    fn is_taken(&self) -> bool {
        match self.script.outcome {
            SavepointOutcome::Completes | SavepointOutcome::AnswerLost => true,
            SavepointOutcome::CompletesWithoutPath
            | SavepointOutcome::Fails
            | SavepointOutcome::NeverEnds
            | SavepointOutcome::Refused
            | SavepointOutcome::Forgotten => false,
        }
    }
}

/// The directory that a specification names for savepoints.
pub(crate) fn savepoint_directory(spec: &Value) -> Option<String> {
    let configuration = spec.get("flinkConfiguration")?;
    let flat = sluice_api::configuration::flatten(configuration);
    ["execution.checkpointing.savepoint-dir", "state.savepoints.dir"]
        .iter()
        .find_map(|key| flat.get(*key).cloned())
}

/// Whether the job is to run.
pub(crate) fn is_to_run(spec: &Value) -> bool {
    text(spec, "/job/state") != "suspended"
}
