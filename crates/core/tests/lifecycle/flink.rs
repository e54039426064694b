//! What the machine and Flink do by themselves in the model.

use jiff::SignedDuration;
use sluice_api::flink_deployment::FlinkJobState;
use sluice_core::lifecycle::{CompletedCheckpoint, OperationProgress};

use crate::world::{Job, World, view};

impl World {
    /// The JobManager dies.
    pub(crate) fn kill(&mut self, words: &str) {
        if let Some((_, process)) = self.alive() {
            process.alive = false;
            process.exit = Some(words.to_owned());
            self.say(&format!("FLINK   the JobManager dies: {words}"));
        }
    }

    /// A task fails; the job restarts from its last checkpoint.
    pub(crate) fn fail_task(&mut self) {
        let committed = self.committed;
        if let Some((_, process)) = self.alive()
            && let Some(job) = &mut process.job
            && job.state == FlinkJobState::Running
            // Flink itself repeats output if a task fails just here; there is nothing to decide about it.
            && !job.is_stopping
        {
            restart(job, committed);
            for operation in process.operations.values_mut() {
                if operation.progress == OperationProgress::InProgress {
                    operation.progress = OperationProgress::Failed {
                        cause: "a task failed".to_owned(),
                    };
                }
            }
            self.say("FLINK   a task fails");
        }
    }

    /// The job comes to its own end.
    pub(crate) fn finish(&mut self) {
        if let Some((_, process)) = self.alive()
            && let Some(job) = &mut process.job
            && job.state == FlinkJobState::Running
            && !job.is_stopping
        {
            job.state = FlinkJobState::Finished;
            job.all_tasks_running = false;
            self.committed = job.progress;
            self.say("FLINK   the job finishes");
        }
    }

    /// Time passes, and Flink does one step.
    pub(crate) fn tick(&mut self, pause: SignedDuration) {
        self.step(pause);
        if self.behaviour.answers_from_copies {
            self.renew_copy();
        }
    }

    /// A copy is renewed when it is asked for and too old; here somebody always asks.
    fn renew_copy(&mut self) {
        let now = self.now;
        let Some((_, process)) = self.alive() else {
            return;
        };
        let refresh = process.plan.configuration.get("web.refresh-interval");
        let refresh = refresh.map_or(3000, |text| text.parse().unwrap());
        let is_fresh = process
            .copy
            .as_ref()
            .is_some_and(|(made, _)| now.duration_since(*made).as_millis() < refresh);
        if let Some(job) = &process.job
            && !is_fresh
        {
            process.copy = Some((now, view(process, job)));
        }
    }

    fn step(&mut self, pause: SignedDuration) {
        self.now += pause;
        let now = self.now;
        let behaviour = self.behaviour.clone();
        let committed = self.committed;
        let contents = self.contents.clone();
        let Some((_, process)) = self.alive() else {
            return;
        };
        process.ticks += 1;
        let from = process.plan.restore.as_ref().map(|restore| restore.path.clone());
        if let Some(words) = &behaviour.start_crashes {
            let words = words.clone();
            self.kill(&words);
            return;
        }
        let Some(job) = &mut process.job else {
            if process.ticks >= 2 {
                let state = if behaviour.job_fails.is_some() {
                    FlinkJobState::Failed
                } else {
                    FlinkJobState::Created
                };
                process.job = Some(Job {
                    state,
                    all_tasks_running: false,
                    running_since: None,
                    exception: behaviour.job_fails.clone(),
                    progress: from.and_then(|path| contents.get(&path).copied()).unwrap_or(0),
                    next_checkpoint: 1,
                    is_stopping: false,
                });
            }
            return;
        };
        match job.state {
            FlinkJobState::Created => {
                job.state = FlinkJobState::Running;
                job.running_since = Some(now);
            }
            FlinkJobState::Restarting => {
                job.state = FlinkJobState::Running;
                job.running_since = Some(now);
                job.all_tasks_running = true;
            }
            FlinkJobState::Running if !job.all_tasks_running => job.all_tasks_running = true,
            FlinkJobState::Running if job.is_stopping => {}
            FlinkJobState::Running => {
                job.progress += 1;
                if behaviour.restarts_every > 0 && process.ticks.is_multiple_of(behaviour.restarts_every) {
                    restart(job, committed);
                    job.exception = Some("the source is not there".to_owned());
                    return;
                }
            }
            FlinkJobState::Cancelling => job.state = FlinkJobState::Canceled,
            _ => {}
        }
        self.checkpoint_if_due();
        self.go_on_with_operations();
    }

    fn checkpoint_if_due(&mut self) {
        let every = self.behaviour.checkpoint_every;
        let is_due = every > 0
            && self
                .alive()
                .is_some_and(|(_, process)| process.ticks.is_multiple_of(every));
        if is_due {
            self.checkpoint();
        }
    }

    /// The job completes a checkpoint and commits its output.
    pub(crate) fn checkpoint(&mut self) {
        let now = self.now;
        let Some((_, process)) = self.alive() else {
            return;
        };
        let job_id = process.plan.job_id.clone();
        let number = process.plan.deployment;
        let Some(job) = &mut process.job else {
            return;
        };
        if job.state != FlinkJobState::Running || !job.all_tasks_running || job.is_stopping {
            return;
        }
        let (id, progress) = (job.next_checkpoint, job.progress);
        job.next_checkpoint += 1;
        let path = format!("s3://b/cp/{number}/chk-{id}");
        self.contents.insert(path.clone(), progress);
        self.committed = progress;
        let checkpoint = CompletedCheckpoint {
            job_id: job_id.clone(),
            id,
            path,
            completed_at: Some(now),
        };
        self.checkpoints.insert(job_id, checkpoint);
    }

    /// A savepoint takes two steps: the file is complete, then the JobManager says so (and a stopped job has finished).
    fn go_on_with_operations(&mut self) {
        let fails = self.behaviour.savepoints_fail;
        let stored = self.savepoints.clone();
        let Some((_, process)) = self.alive() else {
            return;
        };
        let Some(job) = &mut process.job else {
            return;
        };
        if job.state != FlinkJobState::Running || !job.all_tasks_running {
            return;
        }
        let Some(operation) = process
            .operations
            .values_mut()
            .find(|operation| operation.progress == OperationProgress::InProgress)
        else {
            return;
        };
        let Some(directory) = operation.directory.clone() else {
            operation.progress = OperationProgress::Completed {
                location: String::new(),
                id: None,
            };
            self.checkpoint();
            return;
        };
        if let Some((location, id)) = stored.get(&directory) {
            operation.progress = OperationProgress::Completed {
                location: location.clone(),
                id: Some(*id),
            };
            if operation.stops {
                job.state = FlinkJobState::Finished;
                job.all_tasks_running = false;
                // What else was asked for fails with the end of the job.
                for other in process.operations.values_mut() {
                    if other.progress == OperationProgress::InProgress {
                        other.progress = OperationProgress::Failed {
                            cause: "Checkpoint Coordinator is shutting down".to_owned(),
                        };
                    }
                }
                // Flink discards the checkpoints of a job that has finished.
                let job_id = process.plan.job_id.clone();
                self.checkpoints.remove(&job_id);
            }
            return;
        }
        // Only one that is not complete yet: its output is committed with it.
        if fails > 0 {
            operation.progress = OperationProgress::Failed {
                cause: "the disk is full".to_owned(),
            };
            self.behaviour.savepoints_fail -= 1;
            return;
        }
        let location = format!("{directory}/savepoint");
        let (id, progress, stops) = (job.next_checkpoint, job.progress, operation.stops);
        job.next_checkpoint += 1;
        job.is_stopping = stops;
        self.savepoints.insert(directory, (location.clone(), id));
        self.contents.insert(location, progress);
        if stops {
            // The last records are committed with it; nothing is processed after it.
            self.committed = progress;
        }
    }
}

fn restart(job: &mut Job, committed: u64) {
    job.state = FlinkJobState::Restarting;
    job.all_tasks_running = false;
    job.progress = committed;
}
