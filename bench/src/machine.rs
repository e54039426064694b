//! What a process needs and how busy the machine is, as the system shows it under `/proc`.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Linux tells times of processes in hundredths of a second, on every architecture.
const TICK: Duration = Duration::from_millis(10);

/// The memory of a process, in bytes, as the kernel adds up its pages.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// All pages that are in memory, those of the program's file too.
    pub(crate) resident: u64,
    /// The same, each page that several processes share counted in part only.
    pub(crate) proportional: u64,
    /// Without the pages of files.
    pub(crate) anonymous: u64,
}

/// Memory of a process.
pub(crate) fn memory(pid: i32) -> Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .with_context(|| format!("the memory of process {pid} cannot be read"))?;
    let bytes = |name: &str| -> u64 {
        let kibibytes = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse().ok());
        kibibytes.unwrap_or(0_u64) * 1024
    };
    Ok(Memory {
        resident: bytes("Rss:"),
        proportional: bytes("Pss:"),
        anonymous: bytes("Anonymous:"),
    })
}

/// The most memory that a process has had, in bytes.
pub(crate) fn largest(pid: i32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))
        .with_context(|| format!("the memory of process {pid} cannot be read"))?;
    let kibibytes: Option<u64> = text.lines().find_map(|line| {
        line.strip_prefix("VmHWM:")?
            .split_whitespace()
            .next()?
            .parse()
            .ok()
    });
    Ok(kibibytes.with_context(|| format!("the memory of process {pid} is not there"))? * 1024)
}

/// The time of the processors that a process has used, for itself and for the system's work on its behalf.
pub(crate) fn processor_time(pid: i32) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))
        .with_context(|| format!("the times of process {pid} cannot be read"))?;
    let ticks =
        processor_ticks(&text).with_context(|| format!("the times of process {pid} are not there"))?;
    Ok(TICK * ticks)
}

fn processor_ticks(stat: &str) -> Option<u32> {
    // The program's name, in parentheses, may itself have spaces and parentheses.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let user: u32 = fields.nth(11)?.parse().ok()?;
    let system: u32 = fields.next()?.parse().ok()?;
    user.checked_add(system)
}

/// How long all processors together have worked, and how long they have been idle, since the machine started.
pub(crate) fn machine_time() -> Result<(Duration, Duration)> {
    let text = fs::read_to_string("/proc/stat").context("the times of the processors cannot be read")?;
    let ticks: Vec<u32> = text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .take(8)
        .filter_map(|field| field.parse().ok())
        .collect();
    let idle: u32 = ticks.iter().skip(3).take(2).sum();
    let all: u32 = ticks.iter().sum();
    Ok((TICK * (all - idle), TICK * idle))
}

/// How busy the machine is, from a moment on.
pub(crate) struct Busy {
    busy: Duration,
    idle: Duration,
}

impl Busy {
    /// From now on.
    pub(crate) fn begin() -> Result<Self> {
        let (busy, idle) = machine_time()?;
        Ok(Self { busy, idle })
    }

    /// The share of all processors' time since then, from 0 to 1.
    pub(crate) fn share(&self) -> Result<f64> {
        let (busy, idle) = machine_time()?;
        let busy = busy.saturating_sub(self.busy).as_secs_f64();
        let idle = idle.saturating_sub(self.idle).as_secs_f64();
        Ok(busy / (busy + idle).max(0.01))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_stand_behind_a_name_with_spaces_and_parentheses() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 100 200 0 0 31 11 5 6 20 0 4 0 99 0 0";
        assert_eq!(processor_ticks(stat), Some(42));
    }
}
