//! What came of the scenarios, for people.

use std::fmt::Write as _;
use std::time::Duration;

/// What came of one scenario.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The scenario's name.
    pub scenario: String,
    /// What did not hold, with the step; none: it passed.
    pub failure: Option<String>,
    /// How long it took.
    pub took: Duration,
    /// Everything that happened, a line each, with the seconds since the beginning.
    pub trace: String,
}

impl Outcome {
    /// Whether everything held.
    pub const fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// The trace with the result at its end.
    pub fn story(&self) -> String {
        let mut text = format!("== {}\n{}", self.scenario, self.trace);
        if let Some(failure) = &self.failure {
            let _ = writeln!(text, "FAILED: {failure}");
        }
        text
    }
}

/// One line for each scenario, and a last one with the sums.
pub fn table(outcomes: &[Outcome]) -> String {
    let width = outcomes
        .iter()
        .map(|outcome| outcome.scenario.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for outcome in outcomes {
        let result = if outcome.passed() { "passed" } else { "FAILED" };
        let _ = writeln!(
            text,
            "{:<width$}  {result}  {:>6.1} s",
            outcome.scenario,
            outcome.took.as_secs_f64()
        );
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed()).count();
    let _ = writeln!(text, "{} passed, {failed} failed", outcomes.len() - failed);
    text
}
