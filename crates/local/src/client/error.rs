//! What can go wrong when the runner is asked.

use std::path::PathBuf;

use super::wire::DocumentProblem;
use crate::store::ObjectKey;

/// A call to the runner that did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody serves the directory.
    #[error("no runner is up on {directory}; start one with `sluice local up`", directory = directory.display())]
    NotRunning {
        /// The directory.
        directory: PathBuf,
    },

    /// The connection broke, or the runner gave no answer.
    #[error("the runner on {directory} gave no answer ({detail}); see its log, and try again", directory = directory.display())]
    NoAnswer {
        /// The directory.
        directory: PathBuf,
        /// The innermost cause.
        detail: String,
    },

    /// Some documents are wrong; nothing was stored.
    #[error("{}", listed(.problems))]
    Invalid {
        /// All problems of all documents.
        problems: Vec<DocumentProblem>,
    },

    /// There is no such object.
    #[error("there is no {0}; `sluice get` lists what there is")]
    NotFound(ObjectKey),

    /// The runner refused, in its own words.
    #[error("{message}")]
    Refused {
        /// One sentence.
        message: String,
    },

    /// The answer makes no sense: most likely the runner is of another version.
    #[error("the answer of the runner on {directory} cannot be read ({detail}); if it is of another version, restart it with `sluice local down` and `sluice local up`", directory = directory.display())]
    Unreadable {
        /// The directory.
        directory: PathBuf,
        /// What was wrong.
        detail: String,
    },
}

fn listed(problems: &[DocumentProblem]) -> String {
    problems
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
