//! The Java that is to run Flink.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Flink 2.x has Java 11 byte code, and the example job too; Flink 1.20 alone would start on 8.
const OLDEST: u32 = 11;

/// A Java runtime that can run Flink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JavaRuntime {
    executable: PathBuf,
    major: u32,
}

/// Why there is no Java to run Flink with.
#[derive(Debug, thiserror::Error)]
pub enum JavaError {
    /// No `java` at all.
    #[error(
        "Flink needs Java {OLDEST} or newer, and there is no \"java\" on the PATH: install one (17 is a good choice), or set JAVA_HOME."
    )]
    Absent,
    /// `JAVA_HOME` does not have one.
    #[error("JAVA_HOME points to a Java that cannot be run, {} ({source}): correct JAVA_HOME, or unset it to use the \"java\" on the PATH.", executable.display())]
    BrokenJavaHome {
        /// What was tried to run.
        executable: PathBuf,
        /// Why it did not start.
        source: io::Error,
    },
    /// Too old.
    #[error("Flink needs Java {OLDEST} or newer, and {} is Java {major}: install a newer one (17 is a good choice), or set JAVA_HOME to one.", executable.display())]
    TooOld {
        /// The Java found.
        executable: PathBuf,
        /// Its version.
        major: u32,
    },
    /// It runs, but its answer to `-version` is not understood.
    #[error("{} does not say its version when called with -version: set JAVA_HOME to a Java {OLDEST} or newer.", executable.display())]
    Unknown {
        /// The Java found.
        executable: PathBuf,
    },
}

impl JavaRuntime {
    /// The Java at `JAVA_HOME`, or the `java` on the `PATH`; it is run once, to know its version.
    pub fn find() -> Result<Self, JavaError> {
        Self::find_with(
            env::var_os("JAVA_HOME")
                .filter(|home| !home.is_empty())
                .map(PathBuf::from)
                .as_deref(),
        )
    }

    pub(super) fn find_with(java_home: Option<&Path>) -> Result<Self, JavaError> {
        let executable =
            java_home.map_or_else(|| PathBuf::from("java"), |home| home.join("bin").join("java"));
        let output = match Command::new(&executable).arg("-version").output() {
            Ok(output) => output,
            Err(_) if java_home.is_none() => return Err(JavaError::Absent),
            Err(source) => return Err(JavaError::BrokenJavaHome { executable, source }),
        };
        // `java -version` answers on standard error: openjdk version "17.0.15" 2025-04-15.
        let said = String::from_utf8_lossy(&output.stderr);
        match major_version(&said) {
            None => Err(JavaError::Unknown { executable }),
            Some(major) if major < OLDEST => Err(JavaError::TooOld { executable, major }),
            Some(major) => Ok(Self { executable, major }),
        }
    }

    /// What to run: a path, or a name that is on the `PATH`.
    pub fn executable(&self) -> &Path {
        &self.executable
    }

    /// The feature version, such as 17.
    pub fn major(&self) -> u32 {
        self.major
    }
}

/// The feature version in the answer to `java -version`. Up to 8 it was the second number, `1.8.0_402`.
pub(super) fn major_version(said: &str) -> Option<u32> {
    let version = said.split_once("version \"")?.1;
    let mut numbers = version.split(|character: char| !character.is_ascii_digit());
    match numbers.next()?.parse().ok()? {
        1 => numbers.next()?.parse().ok(),
        major => Some(major),
    }
}
