//! Why a cluster could not be launched, each in one sentence that says what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::distribution::{JavaError, ResolveError, VersionError};

/// Why a cluster could not be launched or stopped.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// No Flink of the wanted version.
    #[error(transparent)]
    Distribution(#[from] ResolveError),
    /// `spec.flinkVersion` is none.
    #[error("spec.flinkVersion: {0}")]
    Version(#[from] VersionError),
    /// No Java.
    #[error(transparent)]
    Java(#[from] JavaError),
    /// The job's jar is not there or cannot be read.
    #[error("spec.job.jarURI is {uri}, and {} cannot be read ({source}): in a local run local:// and file:// name a file on this machine; build the jar, or correct the path.", path.display())]
    Jar {
        /// As it stands in the resource.
        uri: String,
        /// The file that it names.
        path: PathBuf,
        /// Why it cannot be read.
        source: io::Error,
    },
    /// A memory setting that Flink would refuse, or that leaves nothing for the heap.
    #[error("{0}")]
    Memory(String),
    /// A value of `flinkConfiguration` that the launcher itself needs and cannot read.
    #[error("flinkConfiguration: {key} is {value}, expected {expected}.")]
    Value {
        /// The key.
        key: String,
        /// As found.
        value: String,
        /// What would be right.
        expected: &'static str,
    },
    /// A name that cannot be a directory's name.
    #[error(
        "The FlinkDeployment's {what} {value:?} cannot be part of a directory's name: only letters, digits, '-' and '.' are allowed."
    )]
    Name {
        /// `namespace`, `name` or `uid`.
        what: &'static str,
        /// As found.
        value: String,
    },
    /// An earlier deployment still runs; two JobManagers of one resource would write beside each other.
    #[error(
        "Deployment {running} of {name} is still running; it is being stopped, and deployment {deployment} is launched when it is gone."
    )]
    StillRunning {
        /// The FlinkDeployment.
        name: String,
        /// The one that was to be launched.
        deployment: u64,
        /// The one that runs.
        running: u64,
    },
    /// What was to be removed is in use.
    #[error("{} cannot be removed while its process {pid} runs: stop the cluster first.", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process.
        pid: i32,
    },
    /// There is no room.
    #[error("The disk with {} is full: make room and try again.", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{} cannot be used ({source}): check that it belongs to you and is writable.", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The process could not be started.
    #[error("{} cannot be started as the {process} ({source}): check the installation of Java and the limits on processes and memory.", executable.display())]
    Spawn {
        /// `jobmanager` or `taskmanager-<n>`.
        process: String,
        /// What was to run.
        executable: PathBuf,
        /// Why it did not start.
        source: io::Error,
    },
    /// No free port.
    #[error("No free port was found on 127.0.0.1 ({0}): stop what does not need to run.")]
    Ports(io::Error),
    /// A signal could not be sent.
    #[error(
        "The process {pid} ({process}) cannot be stopped ({reason}): it belongs to another user, or the system refuses."
    )]
    Signal {
        /// `jobmanager` or `taskmanager-<n>`.
        process: String,
        /// Its number.
        pid: i32,
        /// Why.
        reason: String,
    },
}

impl LaunchError {
    /// For `map_err` on file operations: a full disk is told apart, whichever operation met it.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::File { path, source },
        }
    }
}
