//! What can go wrong, each in one sentence that says what to do.

use std::io;
use std::path::{Path, PathBuf};

use super::version::{FlinkVersion, Wanted};

/// Why a Flink distribution could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The Python that was to run pip cannot be started.
    #[error("Python cannot be run as \"{}\" ({source}), and Flink is fetched with its pip: install Python 3 with pip, or give a downloaded Flink release with --from FILE.", python.display())]
    NoPython {
        /// What was tried to run.
        python: PathBuf,
        /// Why it did not start.
        source: io::Error,
    },
    /// That Python has no pip.
    #[error("The Python \"{}\" has no pip, with which Flink is fetched: install pip (such as the package python3-pip), or give a downloaded Flink release with --from FILE.", python.display())]
    NoPip {
        /// The Python in question.
        python: PathBuf,
    },
    /// The source has no such release.
    #[error(
        "There is no Flink {version} at {origin}: the newest known releases are {}.",
        known_releases()
    )]
    NoSuchVersion {
        /// The release asked for.
        version: FlinkVersion,
        /// Where it was looked for.
        origin: String,
    },
    /// The source could not be reached.
    #[error(
        "Flink {version} could not be fetched from {origin} ({detail}): check the network, the proxy and the address, or give a downloaded Flink release with --from FILE."
    )]
    Network {
        /// The release asked for.
        version: FlinkVersion,
        /// Where it was looked for.
        origin: String,
        /// What the failed request said, or what was odd about the answer.
        detail: String,
    },
    /// There is no room.
    #[error("The disk with {} is full; fetching and unpacking Flink takes about 1.5 GB for a moment and 300 MB to stay: make room, or set SLUICE_CACHE to a directory on another disk.", path.display())]
    DiskFull {
        /// What was being written.
        path: PathBuf,
    },
    /// What arrived is not what was published.
    #[error("The file {} has the SHA-512 checksum {found}, but {expected} was published: fetch it again.", file.display())]
    ChecksumDiffers {
        /// The file whose checksum was taken.
        file: PathBuf,
        /// As published.
        expected: String,
        /// As computed.
        found: String,
    },
    /// The archive ends early or is none.
    #[error("The file {} cannot be unpacked ({detail}): fetch it again; a Flink release is a .tgz file.", file.display())]
    DamagedArchive {
        /// The archive.
        file: PathBuf,
        /// What was wrong.
        detail: String,
    },
    /// The archive holds another release.
    #[error("The file {} holds Flink {found}, not {wanted}: give the archive of {wanted}, or install {found}.", file.display())]
    WrongVersion {
        /// The archive.
        file: PathBuf,
        /// The release asked for.
        wanted: FlinkVersion,
        /// The release inside.
        found: FlinkVersion,
    },
    /// The archive is readable, but no Flink distribution.
    #[error("The file {} is no complete Flink distribution: {damage}", file.display())]
    Incomplete {
        /// The archive.
        file: PathBuf,
        /// What is missing.
        damage: Damage,
    },
    /// pip failed in a way that has no sentence of its own.
    #[error("pip could not fetch Flink {version}: {detail}")]
    Pip {
        /// The release asked for.
        version: FlinkVersion,
        /// pip's own last words.
        detail: String,
    },
    /// A file could not be read or written.
    #[error("The file {} cannot be used ({source}): check its permissions, or set SLUICE_CACHE to another directory.", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl InstallError {
    /// For `map_err` on file operations: a full disk is told apart, whichever operation met it.
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::File { path, source },
        }
    }
}

/// What is wrong with a directory that should be a Flink distribution.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The directory itself cannot be read.
    #[error("{} cannot be read as a directory.", path.display())]
    NotReadable {
        /// The directory.
        path: PathBuf,
    },
    /// Something that every distribution has is not there.
    #[error("{} is missing.", path.display())]
    Missing {
        /// What is not there.
        path: PathBuf,
    },
    /// Not exactly one `lib/flink-dist-<version>.jar`.
    #[error("{} has {count} files flink-dist-<version>.jar instead of one.", path.display())]
    MainJar {
        /// The lib directory.
        path: PathBuf,
        /// How many there are.
        count: usize,
    },
    /// The directory's name or record says one version, the main jar another.
    #[error("{} should be Flink {expected}, but its main jar is of {found}.", path.display())]
    OtherVersion {
        /// The distribution.
        path: PathBuf,
        /// As named.
        expected: FlinkVersion,
        /// As found.
        found: FlinkVersion,
    },
    /// A jar is not as it was when it was installed.
    #[error("{} is not as it was installed: {what} differs.", path.display())]
    Changed {
        /// The jar.
        path: PathBuf,
        /// "its size" or "its SHA-256 checksum".
        what: &'static str,
    },
    /// The record of the installation cannot be read.
    #[error("{} is not a readable record of an installation.", path.display())]
    Record {
        /// The record.
        path: PathBuf,
    },
}

/// Why no distribution was found for what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// Nothing fitting is in the cache.
    #[error("Flink {wanted} is not installed{}: run \"sluice flink install {install}\".", flink_home_note(home.as_ref()))]
    NotInstalled {
        /// What was asked for.
        wanted: Wanted,
        /// What to install for it.
        install: String,
        /// What FLINK_HOME is set to and has instead, if it is set.
        home: Option<(PathBuf, FlinkVersion)>,
    },
    /// FLINK_HOME is set, but is none.
    #[error("FLINK_HOME is {}, which is no Flink distribution: {damage} Set it to one, or unset it.", path.display())]
    BrokenFlinkHome {
        /// The value of FLINK_HOME.
        path: PathBuf,
        /// What is wrong with it.
        damage: Damage,
    },
}

fn flink_home_note(home: Option<&(PathBuf, FlinkVersion)>) -> String {
    home.map(|(path, version)| format!(" (FLINK_HOME, {}, has {version})", path.display()))
        .unwrap_or_default()
}

fn known_releases() -> String {
    FlinkVersion::newest_known()
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(", ")
}
