//! Where a distribution comes from.

use std::env;
use std::path::PathBuf;

/// The archive that has every release of Flink there ever was.
const APACHE_ARCHIVE: &str = "https://archive.apache.org/dist/flink";

/// Where to fetch a Flink distribution from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The Python packages `apache-flink-libraries` (jars) and `apache-flink` (scripts and configuration), fetched by the
    /// user's own pip, and so with its index, proxy and certificates.
    Pip {
        /// The Python whose pip is used.
        python: PathBuf,
    },
    /// The release archive `<base>/flink-<version>/flink-<version>-bin-scala_2.12.tgz`, checked against the `.sha512` file
    /// beside it.
    Archive {
        /// The URL of the directory that has one directory for each release.
        base: String,
    },
    /// A release archive on this machine, checked against `<file>.sha512` if that is there.
    Tarball(PathBuf),
}

impl Source {
    /// The Python packages, by `SLUICE_PYTHON` or `python3`.
    pub fn pip() -> Self {
        Self::Pip {
            python: env::var_os("SLUICE_PYTHON").map_or_else(|| PathBuf::from("python3"), PathBuf::from),
        }
    }

    /// The release archive at `SLUICE_FLINK_ARCHIVE`, or Apache's own.
    pub fn archive() -> Self {
        let base = env::var("SLUICE_FLINK_ARCHIVE")
            .ok()
            .filter(|base| !base.is_empty());
        Self::Archive {
            base: base.unwrap_or_else(|| APACHE_ARCHIVE.to_owned()),
        }
    }

    /// What is used when nothing is said: the archive if `SLUICE_FLINK_ARCHIVE` is set, else pip.
    pub fn from_environment() -> Self {
        if env::var_os("SLUICE_FLINK_ARCHIVE").is_some_and(|base| !base.is_empty()) {
            Self::archive()
        } else {
            Self::pip()
        }
    }

    /// For people and for the record of the installation.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Pip { .. } => "the Python package index".to_owned(),
            Self::Archive { base } => base.clone(),
            Self::Tarball(file) => file.display().to_string(),
        }
    }
}
