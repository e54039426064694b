//! What is wrong with a resource, in one sentence for its author.

use std::fmt;

/// One thing that is wrong with a resource: where, what was found there, and what is expected instead.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub struct Problem {
    /// The path of the field, as it stands in the YAML: `spec.template.spec.job.parallelism`.
    pub field: String,
    /// What was found, and what is expected: `found 0, expected a whole number of at least 1`.
    pub message: String,
}

impl Problem {
    /// A problem of the field `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}
