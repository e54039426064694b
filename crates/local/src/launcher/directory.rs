//! The launcher's directory: `clusters/<namespace>_<name>_<uid>/<deployment>/`, and the files in it.
//!
//! | file | content |
//! |---|---|
//! | `cluster.json` | the intent, on disk before the first process starts |
//! | `<process>.pid` | which process it is; written after its start, so it may be missing for a process that runs |
//! | `<process>.exit` | how it ended, if its parent was still there to see it |
//! | `stopping` | there since somebody asked for the end |
//! | `ended` | why the JobManager ended; there when no process of the deployment is left |
//! | `conf/`, `usrlib/`, `tmp/` | Flink's configuration, the copy of the job's jar, and room for Flink's own files |
//! | `log/` | `<process>.log`, `<process>.out` |

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::LaunchError;
use super::found::LogFile;
use super::intent::Intent;
use super::process::ProcessIdentity;

/// The JobManager's name among the processes of a deployment.
pub(super) const JOB_MANAGER: &str = "jobmanager";

/// The name of the TaskManager with this number, counted from 1.
pub(super) fn task_manager_name(number: u32) -> String {
    format!("taskmanager-{number}")
}

/// How many deployments' logs are kept.
const KEPT_DEPLOYMENTS: usize = 5;

/// Everything about one FlinkDeployment.
#[derive(Clone, Debug)]
pub(super) struct ClusterDirectory {
    path: PathBuf,
    folder: String,
}

/// Everything about one of its deployments.
#[derive(Clone, Debug)]
pub(super) struct DeploymentDirectory {
    path: PathBuf,
    /// Its number.
    pub(super) deployment: u64,
}

/// Namespace, name and uid of a folder.
pub(super) fn parts_of(folder: &str) -> Option<(&str, &str, &str)> {
    let (namespace, rest) = folder.split_once('_')?;
    let (name, uid) = rest.split_once('_')?;
    Some((namespace, name, uid))
}

/// The folder of a FlinkDeployment. Kubernetes' names have no `_`, so it can be taken apart again.
pub(super) fn folder_of(namespace: &str, name: &str, uid: &str) -> Result<String, LaunchError> {
    for (what, value) in [("namespace", namespace), ("name", name), ("uid", uid)] {
        let fits = !value.is_empty()
            && !value.starts_with('.')
            && value
                .chars()
                .all(|character| character.is_ascii_alphanumeric() || "-.".contains(character));
        if !fits {
            return Err(LaunchError::Name {
                what,
                value: value.to_owned(),
            });
        }
    }
    Ok(format!("{namespace}_{name}_{uid}"))
}

impl ClusterDirectory {
    pub(super) fn new(base: &Path, folder: &str) -> Self {
        Self {
            path: base.join("clusters").join(folder),
            folder: folder.to_owned(),
        }
    }

    /// The one of this uid, if there is one.
    pub(super) fn of_uid(base: &Path, uid: &str) -> io::Result<Option<Self>> {
        Ok(Self::all(base)?
            .into_iter()
            .find(|cluster| parts_of(&cluster.folder).is_some_and(|(_, _, own)| own == uid)))
    }

    /// Every one.
    pub(super) fn all(base: &Path) -> io::Result<Vec<Self>> {
        let mut found = Vec::new();
        for name in names_in(&base.join("clusters"))? {
            if parts_of(&name).is_some() {
                found.push(Self::new(base, &name));
            }
        }
        Ok(found)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn folder(&self) -> &str {
        &self.folder
    }

    pub(super) fn deployment(&self, deployment: u64) -> DeploymentDirectory {
        DeploymentDirectory {
            path: self.path.join(deployment.to_string()),
            deployment,
        }
    }

    /// Every deployment that has a directory, the newest first.
    pub(super) fn deployments(&self) -> io::Result<Vec<DeploymentDirectory>> {
        let mut numbers: Vec<u64> = names_in(&self.path)?
            .iter()
            .filter_map(|name| name.parse().ok())
            .collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        Ok(numbers
            .into_iter()
            .map(|number| self.deployment(number))
            .collect())
    }

    /// Makes room before deployment `next`: older ones keep their logs and their configuration only, and of those the
    /// last few. What cannot be removed is left for the next time. No process of this cluster may be running.
    pub(super) fn prune(&self, next: u64) {
        let older = self
            .deployments()
            .unwrap_or_default()
            .into_iter()
            .filter(|older| older.deployment < next);
        for (age, older) in older.enumerate() {
            if age + 1 >= KEPT_DEPLOYMENTS {
                let _left_for_the_next_time = fs::remove_dir_all(&older.path);
            } else {
                for part in ["usrlib", "tmp"] {
                    let _left_for_the_next_time = fs::remove_dir_all(older.path.join(part));
                }
            }
        }
    }
}

impl DeploymentDirectory {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn conf(&self) -> PathBuf {
        self.path.join("conf")
    }

    pub(super) fn usrlib(&self) -> PathBuf {
        self.path.join("usrlib")
    }

    pub(super) fn tmp(&self) -> PathBuf {
        self.path.join("tmp")
    }

    pub(super) fn log_of(&self, process: &str) -> PathBuf {
        self.path.join("log").join(format!("{process}.log"))
    }

    pub(super) fn output_of(&self, process: &str) -> PathBuf {
        self.path.join("log").join(format!("{process}.out"))
    }

    /// Creates the directory and those in it, for nobody else to read: Flink's configuration may hold passwords.
    pub(super) fn create(&self) -> Result<(), LaunchError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700);
        for directory in [self.conf(), self.usrlib(), self.tmp(), self.path.join("log")] {
            builder
                .create(&directory)
                .map_err(LaunchError::file(&directory))?;
        }
        Ok(())
    }

    /// The intent, if it was written.
    pub(super) fn intent(&self) -> io::Result<Option<Intent>> {
        read_json(&self.path.join("cluster.json"))
    }

    /// Writes the intent; when this returns, it is on disk.
    pub(super) fn write_intent(&self, intent: &Intent) -> Result<(), LaunchError> {
        let path = self.path.join("cluster.json");
        write_json(&path, intent, true).map_err(LaunchError::file(&path))
    }

    /// The process that was written down under this name.
    pub(super) fn process(&self, process: &str) -> Option<ProcessIdentity> {
        // Half a file is as good as none: the process is then found by its marks.
        read_json(&self.path.join(format!("{process}.pid")))
            .ok()
            .flatten()
    }

    /// Every process that was written down and still runs, by its name.
    pub(super) fn running(&self) -> Vec<(String, ProcessIdentity)> {
        let names = names_in(&self.path).unwrap_or_default();
        let written = names.iter().filter_map(|name| {
            let process = name.strip_suffix(".pid")?;
            Some((process.to_owned(), self.process(process)?))
        });
        written.filter(|(_, identity)| identity.is_alive()).collect()
    }

    pub(super) fn write_process(&self, process: &str, identity: &ProcessIdentity) -> Result<(), LaunchError> {
        let path = self.path.join(format!("{process}.pid"));
        write_json(&path, identity, false).map_err(LaunchError::file(&path))
    }

    /// Whether a process of this name was ever started, as far as was written down.
    pub(super) fn was_started(&self, process: &str) -> bool {
        ["pid", "exit"]
            .iter()
            .any(|kind| self.path.join(format!("{process}.{kind}")).exists())
    }

    /// When the process was last started, as far as was written down.
    pub(super) fn last_start_of(&self, process: &str) -> Option<SystemTime> {
        fs::metadata(self.path.join(format!("{process}.pid")))
            .and_then(|metadata| metadata.modified())
            .ok()
    }

    /// Before a process is started again: what was written down is of another one.
    pub(super) fn forget_process(&self, process: &str) {
        for kind in ["pid", "exit"] {
            let _not_there_as_a_rule = fs::remove_file(self.path.join(format!("{process}.{kind}")));
        }
    }

    /// Why the whole cluster is known to be dead; said once, and for good.
    pub(super) fn ended(&self) -> Option<String> {
        fs::read_to_string(self.path.join("ended")).ok()
    }

    /// Notes that no process of this deployment is left, and why.
    pub(super) fn write_ended(&self, reason: &str) -> Result<(), LaunchError> {
        let path = self.path.join("ended");
        fs::write(&path, reason).map_err(LaunchError::file(&path))
    }

    /// How the process ended, if somebody saw it.
    pub(super) fn exit_of(&self, process: &str) -> Option<String> {
        fs::read_to_string(self.path.join(format!("{process}.exit"))).ok()
    }

    /// Notes how a process ended. It is for people, so a failure is no harm.
    pub(super) fn write_exit(&self, process: &str, how: &str) {
        let _only_for_people = fs::write(self.path.join(format!("{process}.exit")), how);
    }

    /// Notes that the end was asked for, and tells how long ago that was first done.
    pub(super) fn note_stopping(&self) -> Result<Duration, LaunchError> {
        let path = self.path.join("stopping");
        if let Some(since) = self.stopping_since() {
            return Ok(SystemTime::now().duration_since(since).unwrap_or_default());
        }
        File::create(&path).map_err(LaunchError::file(&path))?;
        Ok(Duration::ZERO)
    }

    /// When the end was asked for, if it was.
    pub(super) fn stopping_since(&self) -> Option<SystemTime> {
        fs::metadata(self.path.join("stopping"))
            .and_then(|metadata| metadata.modified())
            .ok()
    }

    pub(super) fn log_files(&self) -> Vec<LogFile> {
        let directory = self.path.join("log");
        let mut names = names_in(&directory).unwrap_or_default();
        names.sort_unstable();
        names
            .into_iter()
            .filter_map(|name| {
                let process = name.strip_suffix(".log").or_else(|| name.strip_suffix(".out"))?;
                Some(LogFile {
                    deployment: self.deployment,
                    process: process.to_owned(),
                    path: directory.join(&name),
                })
            })
            .collect()
    }
}

fn names_in(directory: &Path) -> io::Result<Vec<String>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The file is there as a whole or not at all; with `durable`, also after a loss of power.
fn write_json(path: &Path, value: &impl Serialize, durable: bool) -> io::Result<()> {
    let directory = path.parent().unwrap_or(path);
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(&serde_json::to_vec_pretty(value)?)?;
    if durable {
        file.as_file().sync_all()?;
    }
    file.persist(path).map_err(|error| error.error)?;
    if durable {
        File::open(directory)?.sync_all()?;
    }
    Ok(())
}
