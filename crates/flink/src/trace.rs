//! Java stack traces, as Flink sends them for everything that failed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A Java stack trace as Flink prints it: exceptions, their `at` lines, and their causes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StackTrace(String);

impl StackTrace {
    /// Takes the text as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The whole text.
    pub fn full(&self) -> &str {
        &self.0
    }

    /// The first line: the outermost exception and its message.
    pub fn first_line(&self) -> &str {
        self.lines().next().unwrap_or_default()
    }

    /// The innermost cause (the last `Caused by:`), or the first line where there is none.
    ///
    /// This is what a user must read: the outermost exception is mostly Flink's own wrapping.
    pub fn root_cause(&self) -> &str {
        self.0
            .lines()
            .rev()
            .find_map(|line| line.trim_start().strip_prefix("Caused by: "))
            .map_or_else(|| without_wrapper(self.first_line()), without_wrapper)
    }

    /// One line for a person: the first line, followed by the innermost cause where that says something else.
    pub fn summary(&self) -> String {
        let first = without_wrapper(self.first_line());
        let cause = self.root_cause();
        if cause.is_empty() || first.contains(cause) {
            first.to_owned()
        } else {
            format!("{first}; caused by {cause}")
        }
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        // Errors of another process are framed by such a line.
        self.0
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && *line != "<Exception on server side:")
    }
}

impl fmt::Display for StackTrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary())
    }
}

/// The line without the exception types that only carry another one.
fn without_wrapper(line: &str) -> &str {
    const WRAPPERS: [&str; 4] = [
        "java.util.concurrent.CompletionException: ",
        "java.util.concurrent.ExecutionException: ",
        "org.apache.flink.runtime.rest.handler.RestHandlerException: ",
        "org.apache.flink.util.SerializedThrowable: ",
    ];
    let mut rest = line;
    while let Some(inner) = WRAPPERS.iter().find_map(|wrapper| rest.strip_prefix(wrapper)) {
        rest = inner;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_of_a_failed_job_names_the_users_own_exception() {
        let trace = StackTrace::new(
            "org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy\n\
             \tat org.apache.flink.X(X.java:1)\nCaused by: java.lang.IllegalStateException: record 20 is one too many\n\tat Job.map(Job.java:3)\n",
        );
        assert_eq!(
            trace.root_cause(),
            "java.lang.IllegalStateException: record 20 is one too many"
        );
        assert_eq!(
            trace.summary(),
            "org.apache.flink.runtime.JobException: Recovery is suppressed by NoRestartBackoffTimeStrategy; \
             caused by java.lang.IllegalStateException: record 20 is one too many"
        );
    }

    #[test]
    fn a_framed_and_wrapped_error_is_unwrapped() {
        let trace = StackTrace::new(
            "<Exception on server side:\njava.util.concurrent.CompletionException: org.x.Y: no\n\tat a.b(C.java:1)\n",
        );
        assert_eq!(trace.summary(), "org.x.Y: no");
        assert_eq!(StackTrace::new("").summary(), "");
    }
}
