//! What an idle runner needs, beside the Flink processes that it looks after, in the same minute.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::processes;
use super::stage::Stage;
use crate::machine::{self, Memory};

const LOOK: Duration = Duration::from_secs(1);

/// What was needed over a while.
pub(super) struct Idle {
    /// How long it was watched.
    pub(super) watched: Duration,
    /// The time of the processors that the runner used.
    pub(super) runner_time: Duration,
    /// The runner's memory at the moment when it was largest.
    pub(super) runner: Memory,
    /// The time of the processors that all Flink processes used together.
    pub(super) flink_time: Duration,
    /// The resident memory of all Flink processes together, in bytes.
    pub(super) flink_resident: u64,
    /// How many Flink processes there are.
    pub(super) flink_processes: usize,
    /// The same of the median JobManager: time and resident memory.
    pub(super) job_manager: (Duration, u64),
    /// How busy all processors of the machine were, from 0 to 1.
    pub(super) machine: f64,
}

/// Watches for this long.
pub(super) async fn watch(stage: &Stage, length: Duration) -> Result<Idle> {
    let flink = processes::flink(stage.directory(), &HashSet::new())?;
    let times = || -> Result<Vec<Duration>> {
        flink
            .iter()
            .map(|process| machine::processor_time(process.pid))
            .collect()
    };
    let (busy_before, idle_before) = machine::machine_time()?;
    let flink_before = times()?;
    let begun = Instant::now();
    let runner_before = machine::processor_time(stage.runner())?;
    let mut runner = Memory::default();
    while begun.elapsed() < length {
        tokio::time::sleep(LOOK).await;
        let now = machine::memory(stage.runner())?;
        if now.resident > runner.resident {
            runner = now;
        }
    }
    let runner_time = machine::processor_time(stage.runner())?.saturating_sub(runner_before);
    let watched = begun.elapsed();
    let flink_after = times()?;
    let (busy_after, idle_after) = machine::machine_time()?;

    let mut job_managers = Vec::new();
    let (mut flink_time, mut flink_resident) = (Duration::ZERO, 0);
    for (process, (before, after)) in flink.iter().zip(flink_before.iter().zip(&flink_after)) {
        let (time, resident) = (
            after.saturating_sub(*before),
            machine::memory(process.pid)?.resident,
        );
        flink_time += time;
        flink_resident += resident;
        if process.is_job_manager() {
            job_managers.push((time, resident));
        }
    }
    job_managers.sort_unstable();
    let busy = busy_after.saturating_sub(busy_before).as_secs_f64();
    let idle = idle_after.saturating_sub(idle_before).as_secs_f64();
    Ok(Idle {
        watched,
        runner_time,
        runner,
        flink_time,
        flink_resident,
        flink_processes: flink.len(),
        job_manager: job_managers
            .get(job_managers.len() / 2)
            .copied()
            .unwrap_or_default(),
        machine: busy / (busy + idle),
    })
}
