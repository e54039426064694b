//! The trace of a scenario: what happened, when, and in which order the API server recorded it.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// What happened since the beginning.
#[derive(Debug)]
pub(crate) struct Trace {
    began: Instant,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    at: Duration,
    /// The resourceVersion under which the API server recorded it. Watches of different kinds are not in step, these are.
    version: Option<u64>,
    text: String,
}

impl Trace {
    pub(crate) fn new() -> Self {
        Self {
            began: Instant::now(),
            lines: Vec::new(),
        }
    }

    /// Adds what was seen of an object.
    pub(crate) fn recorded(&mut self, version: Option<u64>, text: String) {
        self.lines.push(Line {
            at: self.began.elapsed(),
            version,
            text,
        });
    }

    /// Adds what did not go through the API server.
    pub(crate) fn told(&mut self, text: String) {
        self.recorded(None, text);
    }

    /// The lines that the API server recorded, in its order.
    pub(crate) fn in_order(&self) -> Vec<String> {
        let mut recorded: Vec<(u64, &str)> = self
            .lines
            .iter()
            .filter_map(|line| Some((line.version?, line.text.as_str())))
            .collect();
        recorded.sort_by_key(|(version, _)| *version);
        recorded.into_iter().map(|(_, text)| text.to_owned()).collect()
    }

    /// For people.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            let _ = writeln!(text, "{:>8.3}  {}", line.at.as_secs_f64(), line.text);
        }
        text
    }
}
