//! Why a command did not do what was asked, and the exit code that says so.

use std::io;
use std::process::ExitCode;

/// Why a command did not do what was asked; one sentence for the user.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something went wrong, or was refused.
    #[error("{0}")]
    Refused(String),
    /// The command line does not make sense.
    #[error("{0}")]
    Usage(String),
    /// The deployment is not, and by itself will not be, as it was waited for.
    #[error("{0}")]
    NotAsWanted(String),
    /// What was waited for did not come in time.
    #[error("{0}")]
    TimedOut(String),
    /// Ctrl-C or a request to terminate.
    #[error("Interrupted.")]
    Interrupted,
    /// Standard output is gone.
    #[error("The output cannot be written: {0}.")]
    Output(#[from] io::Error),
}

/// The exit codes, as `sluice status --help` tells them.
pub mod code {
    /// Something went wrong, or was refused.
    pub const REFUSED: u8 = 1;
    /// The command line does not make sense (clap's own code, too).
    pub const USAGE: u8 = 2;
    /// The deployment is aborted or failing.
    pub const NOT_AS_WANTED: u8 = 3;
    /// It took too long.
    pub const TIMED_OUT: u8 = 4;
    /// 128 + SIGINT, as shells count.
    pub const INTERRUPTED: u8 = 130;
}

impl Failure {
    /// Something went wrong, or was refused.
    pub fn refused(sentence: impl std::fmt::Display) -> Self {
        Self::Refused(sentence.to_string())
    }

    /// A reader that has gone away (`sluice get | head -1`) is no failure.
    pub fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// What the process exits with.
    pub fn exit_code(&self) -> ExitCode {
        if self.is_broken_pipe() {
            return ExitCode::SUCCESS;
        }
        ExitCode::from(match self {
            Self::Refused(_) | Self::Output(_) => code::REFUSED,
            Self::Usage(_) => code::USAGE,
            Self::NotAsWanted(_) => code::NOT_AS_WANTED,
            Self::TimedOut(_) => code::TIMED_OUT,
            Self::Interrupted => code::INTERRUPTED,
        })
    }
}
