//! Values of well-known options in `flinkConfiguration`, read before Flink would fail on them.

use crate::configuration::{FlinkConfiguration, parse_duration, parse_memory};
use crate::problem::Problem;

/// Options that upstream's operator sets, and refuses to be given.
const OWNED: &[&str] = &[
    "kubernetes.namespace",
    "kubernetes.cluster-id",
    "high-availability.cluster-id",
];

const DURATIONS: &[&str] = &[
    "akka.ask.timeout",
    "execution.checkpointing.interval",
    "execution.checkpointing.interval-during-backlog",
    "execution.checkpointing.min-pause",
    "execution.checkpointing.timeout",
    "execution.checkpointing.aligned-checkpoint-timeout",
    "heartbeat.interval",
    "heartbeat.timeout",
    "pekko.ask.timeout",
    "pipeline.auto-watermark-interval",
    "restart-strategy.exponential-delay.initial-backoff",
    "restart-strategy.exponential-delay.max-backoff",
    "restart-strategy.exponential-delay.reset-backoff-threshold",
    "restart-strategy.failure-rate.delay",
    "restart-strategy.failure-rate.failure-rate-interval",
    "restart-strategy.fixed-delay.delay",
    "slot.request.timeout",
    "table.exec.source.idle-timeout",
    "table.exec.state.ttl",
    "task.cancellation.timeout",
];

const MEMORY_SIZES: &[&str] = &[
    "jobmanager.memory.flink.size",
    "jobmanager.memory.heap.size",
    "jobmanager.memory.jvm-metaspace.size",
    "jobmanager.memory.jvm-overhead.max",
    "jobmanager.memory.jvm-overhead.min",
    "jobmanager.memory.off-heap.size",
    "jobmanager.memory.process.size",
    "taskmanager.memory.flink.size",
    "taskmanager.memory.framework.heap.size",
    "taskmanager.memory.framework.off-heap.size",
    "taskmanager.memory.jvm-metaspace.size",
    "taskmanager.memory.jvm-overhead.max",
    "taskmanager.memory.jvm-overhead.min",
    "taskmanager.memory.managed.size",
    "taskmanager.memory.network.max",
    "taskmanager.memory.network.min",
    "taskmanager.memory.process.size",
    "taskmanager.memory.segment-size",
    "taskmanager.memory.task.heap.size",
    "taskmanager.memory.task.off-heap.size",
];

/// Whole numbers of at least 1, with the largest that makes sense.
const COUNTS: &[(&str, u32)] = &[("taskmanager.numberOfTaskSlots", u32::MAX), ("rest.port", 65_535)];

pub(super) fn check(path: &str, configuration: &FlinkConfiguration, problems: &mut Vec<Problem>) {
    for (key, text) in configuration.iter() {
        let message = if OWNED.contains(&key) {
            Err(format!(
                "found `{text}`, expected nothing, because the operator sets this option"
            ))
        } else if DURATIONS.contains(&key) {
            parse_duration(text).map(drop)
        } else if MEMORY_SIZES.contains(&key) {
            parse_memory(text).map(drop)
        } else if let Some((_, most)) = COUNTS.iter().find(|(name, _)| *name == key) {
            count(text, *most)
        } else {
            Ok(())
        };
        if let Err(message) = message {
            problems.push(Problem::new(format!("{path}.flinkConfiguration[{key}]"), message));
        }
    }
}

fn count(text: &str, most: u32) -> Result<(), String> {
    match text.trim().parse::<u32>() {
        Ok(number) if (1..=most).contains(&number) => Ok(()),
        _ if most == u32::MAX => Err(format!(
            "found `{text}`, expected a whole number of at least 1, such as `2`"
        )),
        _ => Err(format!(
            "found `{text}`, expected a whole number from 1 to {most}"
        )),
    }
}
