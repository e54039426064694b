//! How much memory the JobManager's container gets: Flink's own rules (`JobManagerProcessUtils`, `ProcessMemoryUtils`).

use std::collections::BTreeMap;

use sluice_api::configuration::parse_memory;

use super::options::problem_of;

const MEBIBYTE: u64 = 1 << 20;

/// What a JobManager gets if nothing is said: the default of Flink's own `config.yaml`.
pub(super) const DEFAULT_JOB_MANAGER: &str = "1600m";
/// What a TaskManager gets if nothing is said.
pub(super) const DEFAULT_TASK_MANAGER: &str = "1728m";

/// The keys by which the memory of a JobManager can be given.
pub(super) const JOB_MANAGER_KEYS: [&str; 3] = [
    "jobmanager.memory.process.size",
    "jobmanager.memory.flink.size",
    "jobmanager.memory.heap.size",
];
/// The keys by which the memory of a TaskManager can be given.
pub(super) const TASK_MANAGER_KEYS: [&str; 3] = [
    "taskmanager.memory.process.size",
    "taskmanager.memory.flink.size",
    "taskmanager.memory.task.heap.size",
];

/// The whole memory of the JobManager's process, in mebibytes.
pub(super) fn job_manager(configuration: &BTreeMap<String, String>) -> Result<u64, String> {
    let size = |key: &str| match configuration.get(key) {
        None => Ok(None),
        Some(text) => parse_memory(text)
            .map(Some)
            .map_err(|problem| problem_of(key, &problem)),
    };
    if let Some(process) = size("jobmanager.memory.process.size")? {
        return Ok(process / MEBIBYTE);
    }
    let off_heap = size("jobmanager.memory.off-heap.size")?.unwrap_or(128 * MEBIBYTE);
    let flink = match (
        size("jobmanager.memory.flink.size")?,
        size("jobmanager.memory.heap.size")?,
    ) {
        (Some(flink), _) => flink,
        (None, Some(heap)) => heap + off_heap,
        (None, None) => {
            return parse_memory(DEFAULT_JOB_MANAGER).map(|bytes| bytes / MEBIBYTE);
        }
    };
    let metaspace = size("jobmanager.memory.jvm-metaspace.size")?.unwrap_or(256 * MEBIBYTE);
    let least = size("jobmanager.memory.jvm-overhead.min")?.unwrap_or(192 * MEBIBYTE);
    let most = size("jobmanager.memory.jvm-overhead.max")?.unwrap_or(1024 * MEBIBYTE);
    let fraction_key = "jobmanager.memory.jvm-overhead.fraction";
    let fraction = super::options::number_of(configuration, &[fraction_key], 0.1)?;
    if fraction >= 1.0 {
        return Err(problem_of(
            fraction_key,
            &format!("found {fraction}, expected a number below 1"),
        ));
    }
    let before = flink + metaspace;
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "Flink computes with doubles, too, and the result is kept within bounds"
    )]
    let overhead = (before as f64 * (fraction / (1.0 - fraction))) as u64;
    Ok((before + overhead.clamp(least.min(most), most)) / MEBIBYTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_is_given_or_computed() {
        let of = |entries: &[(&str, &str)]| {
            let configuration = entries
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect();
            job_manager(&configuration)
        };
        assert_eq!(of(&[]), Ok(1600));
        assert_eq!(of(&[("jobmanager.memory.process.size", "2g")]), Ok(2048));
        // As Flink's client has computed it.
        assert_eq!(of(&[("jobmanager.memory.flink.size", "1g")]), Ok(1472));
        assert_eq!(of(&[("jobmanager.memory.heap.size", "896m")]), Ok(1472));
        assert!(of(&[("jobmanager.memory.process.size", "much")]).is_err());
    }
}
