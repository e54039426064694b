//! Real Flink on this machine: one JobManager (a standalone application cluster) and its TaskManagers per
//! FlinkDeployment, as plain processes that outlive the runner.
//!
//! Every function blocks for files and processes, and none waits for Flink: a launch takes milliseconds, a look less.
//! What must be found again after a crash of the runner is on disk before a process starts, and a process carries its
//! name on its own command line, so that one that was started and not yet written down is found as well. One launcher at
//! a time may work on a directory; the runner's lock sees to that.

mod configuration;
mod directory;
mod ended;
mod error;
mod found;
mod intent;
mod jar;
mod launch;
mod memory;
mod ports;
mod process;
mod size;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use sluice_core::Fact;
use sluice_core::lifecycle::{Cluster, DeploymentPlan};

use crate::distribution::{Cache, JavaRuntime, Wanted};
use directory::{ClusterDirectory, DeploymentDirectory, JOB_MANAGER, folder_of, parts_of, task_manager_name};
use intent::Intent;
use launch::Prepared;
use process::{MarkedProcess, ProcessIdentity, marked};

pub use error::LaunchError;
pub use found::{LogFile, RunningCluster, TaskManagers};

/// How long a process has between being asked to end and being made to end; Flink needs about 2 s.
const GRACE: Duration = Duration::from_secs(6);
/// How long a look at a dead JobManager waits for its TaskManagers to be gone.
const END_OF_TASK_MANAGERS: Duration = Duration::from_millis(500);
/// A TaskManager that ends at once is not started more often than this.
const BETWEEN_STARTS: Duration = Duration::from_secs(5);

/// Starts, finds again and stops the Flink processes under one directory.
#[derive(Debug)]
pub struct Launcher {
    base: PathBuf,
    cache: Cache,
    java: OnceLock<JavaRuntime>,
    state: Arc<Mutex<State>>,
}

/// What is known in this process only; nothing depends on it but how an end is described.
#[derive(Debug, Default)]
struct State {
    /// Processes that are our children: somebody must take note of their end.
    children: Vec<OwnChild>,
    /// Deployments whose processes are to be ended soon, by folder and number.
    ending: BTreeSet<(String, u64)>,
    /// Ports that were given away, so that two launches right after each other do not get the same.
    ports: BTreeSet<u16>,
}

#[derive(Debug)]
struct OwnChild {
    child: Child,
    directory: DeploymentDirectory,
    process: String,
}

impl Launcher {
    /// A launcher that keeps everything under `base_directory`, which is created if it is not there, and runs the
    /// distributions of the user's cache.
    pub fn new(base_directory: impl Into<PathBuf>) -> Result<Self, LaunchError> {
        Self::with_distributions(base_directory, Cache::for_user())
    }

    /// As [`Self::new`], with the distributions of another cache. `FLINK_HOME` goes before it in any case.
    pub fn with_distributions(base_directory: impl Into<PathBuf>, cache: Cache) -> Result<Self, LaunchError> {
        let base = base_directory.into();
        std::fs::create_dir_all(&base).map_err(LaunchError::file(&base))?;
        let base = base.canonicalize().map_err(LaunchError::file(&base))?;
        Ok(Self {
            base,
            cache,
            java: OnceLock::new(),
            state: Arc::default(),
        })
    }

    /// Looks for Java, which takes a moment (`java -version` is run once), so that the first launch need not.
    pub fn prepare(&self) -> Result<(), LaunchError> {
        self.java().map(|_| ())
    }

    fn java(&self) -> Result<&JavaRuntime, LaunchError> {
        if let Some(java) = self.java.get() {
            return Ok(java);
        }
        let found = JavaRuntime::find()?;
        Ok(self.java.get_or_init(|| found))
    }

    /// Starts the JobManager and the TaskManagers of `plan`; does nothing if this deployment or a later one was ever
    /// launched for this uid.
    ///
    /// An earlier deployment that still runs is told to stop, and the launch is refused
    /// ([`LaunchError::StillRunning`]): two JobManagers of one resource would write beside each other. Where the job's
    /// arguments name relative paths, they are relative to the deployment's own directory.
    pub fn launch(
        &self,
        plan: &DeploymentPlan,
        namespace: &str,
        name: &str,
        uid: &str,
    ) -> Result<(), LaunchError> {
        let folder = folder_of(namespace, name, uid)?;
        let cluster = ClusterDirectory::new(&self.base, &folder);
        let mut state = self.lock();
        collect(&mut state);
        if self.last_launched_of(&cluster)? >= plan.deployment {
            return Ok(());
        }
        if let Some(running) = self.running(&cluster)?.iter().map(|found| found.deployment).max() {
            self.stop_locked(&mut state, &folder, running)?;
            return Err(LaunchError::StillRunning {
                name: name.to_owned(),
                deployment: plan.deployment,
                running,
            });
        }
        let wanted: Wanted = plan.flink_version.as_deref().unwrap_or_default().parse()?;
        let distribution = self.cache.resolve(wanted)?;
        let java = self.java()?;
        let seed = plan.job_id.bytes().fold(plan.deployment, |sum, byte| {
            sum.wrapping_mul(31) + u64::from(byte)
        });
        let ports = ports::free(&state.ports, seed).map_err(LaunchError::Ports)?;
        let directory = cluster.deployment(plan.deployment);
        let prepared = Prepared::new(plan, distribution, &directory, ports)?;
        cluster.prune(plan.deployment);
        let intent = prepared.write(&directory, java)?;
        state.ports.extend([ports.rest, ports.rpc]);
        self.start(&mut state, &folder, &directory, &intent, JOB_MANAGER)?;
        for number in 1..=intent.task_managers {
            self.start(
                &mut state,
                &folder,
                &directory,
                &intent,
                &task_manager_name(number),
            )?;
        }
        Ok(())
    }

    fn start(
        &self,
        state: &mut State,
        folder: &str,
        directory: &DeploymentDirectory,
        intent: &Intent,
        process: &str,
    ) -> Result<(), LaunchError> {
        directory.forget_process(process);
        let child = intent.start(&self.base, folder, directory, process)?;
        let identity = ProcessIdentity::of(child.id().cast_signed());
        state.children.push(OwnChild {
            child,
            directory: directory.clone(),
            process: process.to_owned(),
        });
        match identity {
            Some(identity) => directory.write_process(process, &identity),
            // It has ended already; its exit status will say so.
            None => Ok(()),
        }
    }

    /// The newest deployment that was launched for this uid; `Absent` if none ever was.
    ///
    /// When its JobManager is gone, its TaskManagers are ended first; while that takes, the answer is `Unknown`. So a
    /// cluster that is said not to be alive writes nothing any more.
    pub fn observe(&self, uid: &str) -> Fact<Cluster> {
        let mut state = self.lock();
        collect(&mut state);
        match self.observe_locked(&mut state, uid) {
            Ok(Some(cluster)) => Fact::Present(cluster),
            Ok(None) => Fact::Absent,
            Err(why) => Fact::Unknown(why),
        }
    }

    fn observe_locked(&self, state: &mut State, uid: &str) -> Result<Option<Cluster>, String> {
        let in_words = |error: LaunchError| error.to_string();
        let Some(cluster) = self.of_uid(uid).map_err(in_words)? else {
            return Ok(None);
        };
        let Some((directory, intent)) = self.newest_launched(&cluster).map_err(in_words)? else {
            return Ok(None);
        };
        let found = |alive: bool, exit: Option<String>| Cluster {
            deployment: directory.deployment,
            alive,
            exit,
            started_at: Some(intent.launched_at),
            restored_from: intent.restored_from.clone(),
        };
        if let Some(reason) = directory.ended() {
            return Ok(Some(found(false, Some(reason))));
        }
        if directory
            .process(JOB_MANAGER)
            .is_some_and(|identity| identity.is_alive())
        {
            return Ok(Some(found(true, None)));
        }
        self.end_left_overs(&cluster, directory.deployment)?;
        collect(state);
        let reason = ended::reason(&directory, &intent);
        directory.write_ended(&reason).map_err(in_words)?;
        Ok(Some(found(false, Some(reason))))
    }

    /// Ends what is left of a deployment whose JobManager is gone.
    fn end_left_overs(&self, cluster: &ClusterDirectory, deployment: u64) -> Result<(), String> {
        let started = Instant::now();
        loop {
            let left: Vec<MarkedProcess> = self
                .running(cluster)
                .map_err(|error| error.to_string())?
                .into_iter()
                .filter(|found| found.deployment == deployment)
                .collect();
            if left.is_empty() {
                return Ok(());
            }
            for found in &left {
                found
                    .identity
                    .kill()
                    .map_err(|error| cannot_signal(found, error).to_string())?;
            }
            if started.elapsed() > END_OF_TASK_MANAGERS {
                return Err("the JobManager is gone, and its TaskManagers are being ended".to_owned());
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// The largest deployment number that was ever launched for this uid; 0 if none was.
    pub fn last_launched(&self, uid: &str) -> Result<u64, LaunchError> {
        let _state = self.lock();
        match self.of_uid(uid)? {
            Some(cluster) => self.last_launched_of(&cluster),
            None => Ok(0),
        }
    }

    /// The TaskManager processes of the newest deployment.
    pub fn task_managers(&self, uid: &str) -> Result<TaskManagers, LaunchError> {
        let mut state = self.lock();
        collect(&mut state);
        let Some(cluster) = self.of_uid(uid)? else {
            return Ok(TaskManagers::default());
        };
        let Some((directory, intent)) = self.newest_launched(&cluster)? else {
            return Ok(TaskManagers::default());
        };
        let alive = (1..=intent.task_managers)
            .filter(|number| is_running(&directory, *number))
            .count();
        Ok(TaskManagers {
            alive: u32::try_from(alive).unwrap_or(u32::MAX),
            wanted: intent.task_managers,
        })
    }

    /// Starts the TaskManagers again that have died while their JobManager lives, each at most every few seconds; how
    /// many it started.
    pub fn ensure_task_managers(&self, uid: &str) -> Result<u32, LaunchError> {
        let mut state = self.lock();
        collect(&mut state);
        let Some(cluster) = self.of_uid(uid)? else {
            return Ok(0);
        };
        let Some((directory, intent)) = self.newest_launched(&cluster)? else {
            return Ok(0);
        };
        let is_served = directory
            .process(JOB_MANAGER)
            .is_some_and(|identity| identity.is_alive())
            && directory.stopping_since().is_none();
        let missing: Vec<String> = (1..=intent.task_managers)
            .filter(|number| !is_running(&directory, *number))
            .map(task_manager_name)
            .collect();
        if !is_served || missing.is_empty() {
            return Ok(0);
        }
        // One that was started just before we were killed is there and not written down.
        let running = self.running(&cluster)?;
        let mut started = 0;
        for process in missing {
            let unrecorded = running
                .iter()
                .find(|found| found.deployment == directory.deployment && found.process == process);
            if let Some(found) = unrecorded {
                directory.write_process(&process, &found.identity)?;
            } else if directory
                .last_start_of(&process)
                .is_none_or(|last| is_past(last, BETWEEN_STARTS))
            {
                self.start(&mut state, cluster.folder(), &directory, &intent, &process)?;
                started += 1;
            }
        }
        Ok(started)
    }

    /// Tells every process of this deployment to end (SIGTERM), and after some seconds makes it end (SIGKILL). Returns
    /// at once and may be repeated; that the processes are gone is for [`Self::observe`] and [`Self::all`] to say.
    pub fn stop(&self, uid: &str, deployment: u64) -> Result<(), LaunchError> {
        let mut state = self.lock();
        collect(&mut state);
        let mut folders: BTreeSet<String> = self
            .of_uid(uid)?
            .into_iter()
            .map(|cluster| cluster.folder().to_owned())
            .collect();
        if folders.is_empty() {
            // Somebody has removed the directory; its processes are still to be ended.
            let marked = self.marked()?.into_iter().map(|found| found.folder);
            folders.extend(marked.filter(|folder| parts_of(folder).is_some_and(|(_, _, own)| own == uid)));
        }
        for folder in folders {
            self.stop_locked(&mut state, &folder, deployment)?;
        }
        Ok(())
    }

    fn stop_locked(&self, state: &mut State, folder: &str, deployment: u64) -> Result<(), LaunchError> {
        let cluster = ClusterDirectory::new(&self.base, folder);
        let mut running = self.running(&cluster)?;
        running.retain(|found| found.deployment == deployment);
        if running.is_empty() {
            return Ok(());
        }
        let directory = cluster.deployment(deployment);
        let elapsed = if directory.path().is_dir() {
            directory.note_stopping()?
        } else {
            Duration::ZERO
        };
        let remaining = GRACE.saturating_sub(elapsed);
        for found in &running {
            let sent = if remaining.is_zero() {
                found.identity.kill()
            } else {
                found.identity.terminate()
            };
            sent.map_err(|error| cannot_signal(found, error))?;
        }
        if !remaining.is_zero() && state.ending.insert((folder.to_owned(), deployment)) {
            let entry = (folder.to_owned(), deployment);
            let shared = Arc::clone(&self.state);
            // If we end before it does, the next `stop` sees that the time is over.
            thread::spawn(move || {
                thread::sleep(remaining);
                for found in running {
                    if let Err(error) = found.identity.kill() {
                        tracing::warn!("{}", cannot_signal(&found, error));
                    }
                }
                shared
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .ending
                    .remove(&entry);
            });
        }
        Ok(())
    }

    /// Every cluster of which a process runs under this directory, those of deleted resources too.
    pub fn all(&self) -> Result<Vec<RunningCluster>, LaunchError> {
        let mut state = self.lock();
        collect(&mut state);
        let found: BTreeSet<RunningCluster> = self
            .marked()?
            .into_iter()
            .filter_map(|found| {
                let (namespace, name, uid) = parts_of(&found.folder)?;
                Some(RunningCluster {
                    uid: uid.to_owned(),
                    namespace: namespace.to_owned(),
                    name: name.to_owned(),
                    deployment: found.deployment,
                })
            })
            .collect();
        Ok(found.into_iter().collect())
    }

    /// Removes what is kept on disk of this uid, its logs too; refused while a process of it runs.
    pub fn forget(&self, uid: &str) -> Result<(), LaunchError> {
        let mut state = self.lock();
        collect(&mut state);
        let Some(cluster) = self.of_uid(uid)? else {
            return Ok(());
        };
        if let Some(running) = self.running(&cluster)?.first() {
            return Err(LaunchError::InUse {
                path: cluster.path().to_owned(),
                pid: running.identity.pid,
            });
        }
        std::fs::remove_dir_all(cluster.path()).map_err(LaunchError::file(cluster.path()))
    }

    /// Where the REST API of the newest deployment is (`http://127.0.0.1:20001`), whether or not it answers.
    pub fn rest_address(&self, uid: &str) -> Fact<String> {
        let _state = self.lock();
        let found = self.of_uid(uid).and_then(|cluster| match cluster {
            Some(cluster) => self.newest_launched(&cluster),
            None => Ok(None),
        });
        match found {
            Ok(Some((_, intent))) => Fact::Present(intent.rest_address()),
            Ok(None) => Fact::Absent,
            Err(error) => Fact::Unknown(error.to_string()),
        }
    }

    /// The log files of the kept deployments, the newest deployment first.
    pub fn log_files(&self, uid: &str) -> Vec<LogFile> {
        let cluster = self.of_uid(uid).ok().flatten();
        let deployments = cluster
            .and_then(|cluster| cluster.deployments().ok())
            .unwrap_or_default();
        deployments
            .iter()
            .flat_map(DeploymentDirectory::log_files)
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_uid(&self, uid: &str) -> Result<Option<ClusterDirectory>, LaunchError> {
        ClusterDirectory::of_uid(&self.base, uid).map_err(LaunchError::file(&self.base))
    }

    fn marked(&self) -> Result<Vec<MarkedProcess>, LaunchError> {
        marked(&self.base).map_err(LaunchError::file("/proc".as_ref()))
    }

    /// Every process of this cluster that runs: those that carry its marks, written down or not, and those that were
    /// written down (for a moment after its start a process has no command line yet).
    fn running(&self, cluster: &ClusterDirectory) -> Result<Vec<MarkedProcess>, LaunchError> {
        let mut found = self.marked()?;
        found.retain(|found| found.folder == cluster.folder());
        for directory in cluster.deployments().map_err(LaunchError::file(cluster.path()))? {
            for (process, identity) in directory.running() {
                if found.iter().all(|marked| marked.identity != identity) {
                    let folder = cluster.folder().to_owned();
                    found.push(MarkedProcess {
                        folder,
                        deployment: directory.deployment,
                        process,
                        identity,
                    });
                }
            }
        }
        Ok(found)
    }

    fn last_launched_of(&self, cluster: &ClusterDirectory) -> Result<u64, LaunchError> {
        Ok(self
            .newest_launched(cluster)?
            .map_or(0, |(directory, _)| directory.deployment))
    }

    /// The newest deployment of which the JobManager was started, and not only meant to be.
    fn newest_launched(
        &self,
        cluster: &ClusterDirectory,
    ) -> Result<Option<(DeploymentDirectory, Intent)>, LaunchError> {
        let error = LaunchError::file(cluster.path());
        for directory in cluster.deployments().map_err(error)? {
            let Some(intent) = directory.intent().map_err(LaunchError::file(directory.path()))? else {
                continue;
            };
            if directory.was_started(JOB_MANAGER) {
                return Ok(Some((directory, intent)));
            }
            // Started just before we were killed, and not written down.
            let unrecorded = self
                .running(cluster)?
                .into_iter()
                .find(|found| found.deployment == directory.deployment && found.process == JOB_MANAGER);
            if let Some(found) = unrecorded {
                directory.write_process(JOB_MANAGER, &found.identity)?;
                return Ok(Some((directory, intent)));
            }
        }
        Ok(None)
    }
}

/// Takes note of our children that have ended.
fn collect(state: &mut State) {
    state.children.retain_mut(|own| match own.child.try_wait() {
        Ok(None) => true,
        Ok(Some(status)) => {
            own.directory.write_exit(&own.process, &ended::in_words(status));
            false
        }
        Err(_) => false,
    });
}

fn is_running(directory: &DeploymentDirectory, task_manager: u32) -> bool {
    directory
        .process(&task_manager_name(task_manager))
        .is_some_and(|identity| identity.is_alive())
}

fn is_past(moment: SystemTime, by: Duration) -> bool {
    // A clock that was set back counts as past.
    SystemTime::now()
        .duration_since(moment)
        .map_or(true, |elapsed| elapsed > by)
}

fn cannot_signal(found: &MarkedProcess, error: nix::errno::Errno) -> LaunchError {
    LaunchError::Signal {
        process: found.process.clone(),
        pid: found.identity.pid,
        reason: error.desc().to_owned(),
    }
}
