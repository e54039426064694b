//! What an operator needs while nothing changes.

use std::time::{Duration, Instant};

use anyhow::Result;
use sluice_cluster::Requests;

use super::program::Program;
use super::stage::Stage;
use crate::machine::{self, Busy, Memory};

const LOOK: Duration = Duration::from_secs(1);

/// What was needed over a while.
pub(super) struct Idle {
    /// How long it was watched.
    pub(super) watched: Duration,
    /// The time of the processors that it used.
    pub(super) time: Duration,
    /// The memory at the moment when it was largest.
    pub(super) memory: Memory,
    /// What it asked of the API server.
    pub(super) requests: Requests,
    /// How busy all processors of the machine were, from 0 to 1.
    pub(super) machine: f64,
}

impl Idle {
    /// The share of one core.
    pub(super) fn share(&self) -> f64 {
        self.time.as_secs_f64() / self.watched.as_secs_f64()
    }
}

/// Watches for this long. The metrics are read at the beginning and every 30 s, as Prometheus does.
pub(super) async fn watch(stage: &Stage, operator: &Program, length: Duration) -> Result<Idle> {
    const SCRAPE: u32 = 30;
    let audit = stage.plane.audit().await?;
    let busy = Busy::begin()?;
    let begun = Instant::now();
    let before = machine::processor_time(operator.pid())?;
    let mut memory = Memory::default();
    let mut second = 0;
    while begun.elapsed() < length {
        if second % SCRAPE == 0 {
            operator.ask("/metrics").await?;
        }
        second += 1;
        tokio::time::sleep(LOOK).await;
        let now = machine::memory(operator.pid())?;
        if now.resident > memory.resident {
            memory = now;
        }
    }
    let time = machine::processor_time(operator.pid())?.saturating_sub(before);
    let watched = begun.elapsed();
    let machine = busy.share()?;
    let requests = audit.requests().await?.by_user(Stage::user());
    Ok(Idle {
        watched,
        time,
        memory,
        requests,
        machine,
    })
}
