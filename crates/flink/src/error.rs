//! What can go wrong when a JobManager is asked, sorted by what the caller may conclude.

use std::time::Duration;

/// A call to a JobManager that brought no usable answer.
///
/// The first question of a caller is whether the JobManager *answered no* ([`Error::is_definitive`]) or *could not be
/// asked*: only the first says anything about the job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address or an option of the client is wrong; no request was sent.
    #[error("{what}")]
    Misconfigured {
        /// The whole sentence.
        what: String,
    },

    /// No connection: refused, no such host, a failed TLS handshake, or a connection that broke before an answer.
    #[error(
        "{call}: the JobManager at {address} cannot be reached ({detail}); check that it runs and that the address is right"
    )]
    Unreachable {
        /// Method and path, as in `GET /jobs/overview`.
        call: String,
        /// The base address of the JobManager.
        address: String,
        /// The innermost cause.
        detail: String,
        /// Whether the request may have left: then the JobManager may have carried it out.
        sent: bool,
    },

    /// No complete answer within the time limit.
    #[error(
        "{call}: the JobManager at {address} gave no complete answer within {after:?}; it is overloaded, paused or cut off from the network"
    )]
    TimedOut {
        /// Method and path.
        call: String,
        /// The base address of the JobManager.
        address: String,
        /// The limit that ran out.
        after: Duration,
        /// Whether the request may have left: then the JobManager may have carried it out.
        sent: bool,
    },

    /// The answer is larger than [`Options::max_body_bytes`](crate::Options::max_body_bytes); reading stopped there.
    #[error(
        "{call}: the answer of the JobManager at {address} is larger than the limit of {limit} bytes and was not read to its end; raise the limit if such an answer is expected"
    )]
    TooLarge {
        /// Method and path.
        call: String,
        /// The base address of the JobManager.
        address: String,
        /// The limit in bytes.
        limit: usize,
    },

    /// The JobManager itself says that it does not know what was asked for.
    #[error("{call}: the JobManager at {address} does not know it ({message})")]
    NotFound {
        /// Method and path.
        call: String,
        /// The base address of the JobManager.
        address: String,
        /// Flink's own words, first line.
        message: String,
    },

    /// The JobManager itself answered with an error.
    #[error("{call}: the JobManager at {address} refused with status {status} ({message})")]
    Refused {
        /// Method and path.
        call: String,
        /// The base address of the JobManager.
        address: String,
        /// The HTTP status, 400 to 599 without 404.
        status: u16,
        /// Flink's own words, first line of each error.
        message: String,
    },

    /// Something answered, but not with what a JobManager answers: truncated, not JSON, other JSON, or another server.
    #[error(
        "{call}: the answer from {address} cannot be read ({detail}); check that this is the REST address of a Flink JobManager, 1.20 or newer"
    )]
    Unreadable {
        /// Method and path.
        call: String,
        /// The base address of the JobManager.
        address: String,
        /// What was wrong.
        detail: String,
    },
}

impl Error {
    /// Whether the JobManager itself answered, and the same question will get the same answer: [`Error::NotFound`]
    /// and [`Error::Refused`] with a 4xx status that does not ask for patience (408, 425, 429).
    ///
    /// Everything else means "could not ask": a 5xx comes from a JobManager that is starting, electing a leader or
    /// waiting for a task in vain, and an unreadable answer from who knows where.
    pub fn is_definitive(&self) -> bool {
        match self {
            Self::NotFound { .. } => true,
            Self::Refused { status, .. } => matches!(status, 400..=499) && !matches!(status, 408 | 425 | 429),
            _ => false,
        }
    }

    /// Whether the JobManager could not be asked, so that nothing is known: the opposite of [`Error::is_definitive`],
    /// except that a wrong address or option will not heal.
    pub fn could_not_ask(&self) -> bool {
        !self.is_definitive() && !matches!(self, Self::Misconfigured { .. })
    }

    /// Whether the JobManager answered that it does not know what was asked for.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether a request that changes something may have been carried out in spite of the error. Repeat it with the
    /// same trigger id, or look, before concluding that it was not.
    pub fn may_have_taken_effect(&self) -> bool {
        match self {
            Self::Misconfigured { .. } => false,
            Self::Unreachable { sent, .. } | Self::TimedOut { sent, .. } => *sent,
            Self::TooLarge { .. } | Self::Unreadable { .. } => true,
            Self::NotFound { .. } | Self::Refused { .. } => !self.is_definitive(),
        }
    }
}
