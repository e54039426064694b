//! What the JVM has measured: one JSON object on each line.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

/// One thing measured. Times of records are in nanoseconds, those of handovers in milliseconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub(super) enum Line {
    /// A running job, with or without a gate.
    Record {
        /// What its gate would do: `PASSING` or `KEEPING`.
        measured: String,
        /// What its gate does, or `NONE`.
        gates: String,
        /// `LONG_REUSED` or `POJO_COPIED`.
        records: String,
        /// For each record.
        ns: f64,
        /// For each record, of a processor.
        work: f64,
        /// Allocated for each record, in bytes.
        bytes: f64,
    },
    /// The judging of a record without Flink.
    Judging { method: String, ns: f64, bytes: f64 },
    /// A handover.
    Handover {
        parallelism: usize,
        /// Where the record was: `FILES` or `CONFIGMAP`.
        place: String,
        commit_to_first_ms: f64,
        pause_ms: f64,
        /// From the operator's STANDBY to the end.
        took_ms: f64,
    },
    /// What the two jobs of a handover asked of the API server.
    Requests {
        subtasks: usize,
        requests: usize,
        writes: usize,
        counts: String,
    },
}

impl Line {
    /// All lines of a file.
    pub(super) fn read(file: &Path) -> Result<Vec<Self>> {
        let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
        text.lines()
            .map(|line| {
                serde_json::from_str(line)
                    .with_context(|| format!("{} holds {line:?}, which is no figure", file.display()))
            })
            .collect()
    }
}
