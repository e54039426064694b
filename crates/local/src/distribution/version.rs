//! Flink's version numbers, and the newest of each line.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The newest release of each line that is on the Python package index, as of November 2026. A line that is not here can
/// still be installed by its full number; this table only says what `v2_1` and the like stand for, and it grows with each
/// Flink release.
const NEWEST: [FlinkVersion; 5] = [
    FlinkVersion::new(1, 20, 5),
    FlinkVersion::new(2, 0, 2),
    FlinkVersion::new(2, 1, 3),
    FlinkVersion::new(2, 2, 1),
    FlinkVersion::new(2, 3, 0),
];

/// A full version number, such as 1.20.5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FlinkVersion {
    major: u32,
    minor: u32,
    patch: u32,
}

/// A line of releases, such as 1.20: what a resource's `flinkVersion: v1_20` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlinkLine {
    major: u32,
    minor: u32,
}

/// What somebody asks for: one release, or whichever of a line there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// Exactly this one.
    Exact(FlinkVersion),
    /// The newest of this line.
    Line(FlinkLine),
}

/// A text that is no Flink version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is not a Flink version: write a release such as 1.20.5, or a line such as v1_20 or 1.20."
)]
pub struct VersionError {
    text: String,
}

impl FlinkVersion {
    /// The release `major.minor.patch`.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }

    /// The line that the release belongs to.
    pub const fn line(self) -> FlinkLine {
        FlinkLine {
            major: self.major,
            minor: self.minor,
        }
    }

    /// The newest known release of every line, oldest line first.
    pub const fn newest_known() -> &'static [Self] {
        &NEWEST
    }

    /// Reads the version out of the name of Flink's main jar, `flink-dist-1.20.5.jar`.
    pub(super) fn of_dist_jar(file_name: &str) -> Option<Self> {
        file_name
            .strip_prefix("flink-dist-")?
            .strip_suffix(".jar")?
            .parse()
            .ok()
    }
}

impl FlinkLine {
    /// The newest release of this line that is known, if the line is known at all.
    pub fn newest_known(self) -> Option<FlinkVersion> {
        NEWEST
            .iter()
            .rev()
            .find(|version| version.line() == self)
            .copied()
    }
}

impl Wanted {
    /// Whether `version` is what was asked for.
    pub fn accepts(self, version: FlinkVersion) -> bool {
        match self {
            Self::Exact(exact) => exact == version,
            Self::Line(line) => line == version.line(),
        }
    }

    /// What to install for it: the release itself, or the newest known one of the line.
    pub fn to_install(self) -> Option<FlinkVersion> {
        match self {
            Self::Exact(exact) => Some(exact),
            Self::Line(line) => line.newest_known(),
        }
    }
}

impl FromStr for FlinkVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match numbers(text, '.').as_deref() {
            Some(&[major, minor, patch]) => Ok(Self { major, minor, patch }),
            _ => Err(VersionError {
                text: text.to_owned(),
            }),
        }
    }
}

impl FromStr for FlinkLine {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = match text.strip_prefix('v') {
            Some(resource_form) => numbers(resource_form, '_'),
            None => numbers(text, '.'),
        };
        match parts.as_deref() {
            Some(&[major, minor]) => Ok(Self { major, minor }),
            _ => Err(VersionError {
                text: text.to_owned(),
            }),
        }
    }
}

impl FromStr for Wanted {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .map(Self::Exact)
            .or_else(|_| text.parse().map(Self::Line))
    }
}

impl TryFrom<String> for FlinkVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<FlinkVersion> for String {
    fn from(version: FlinkVersion) -> Self {
        version.to_string()
    }
}

impl fmt::Display for FlinkVersion {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

impl fmt::Display for FlinkLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{}", self.major, self.minor)
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(version) => version.fmt(formatter),
            Self::Line(line) => line.fmt(formatter),
        }
    }
}

/// Whole numbers between separators; none if any part is something else (`+5` and empty parts included).
fn numbers(text: &str, separator: char) -> Option<Vec<u32>> {
    text.split(separator)
        .map(|part| {
            if part.bytes().all(|byte| byte.is_ascii_digit()) {
                part.parse().ok()
            } else {
                None
            }
        })
        .collect()
}
