//! How a runner is set up.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

/// How a runner is set up.
#[derive(Clone, Debug)]
pub struct Options {
    /// Defaults of the keys of `spec.configuration`, for every resource.
    pub defaults: BTreeMap<String, String>,
    /// The ports of active endpoints are chosen from these. The default lies below the ports that Linux gives to outgoing
    /// connections, so that a recorded one is free again after a restart.
    pub endpoint_ports: RangeInclusive<u16>,
    /// The jar of the agent (`bluegreen-agent.jar`), with which incoming jobs of the strategy SAVEPOINT wait for the outgoing one, and jobs of
    /// WATERMARK have gates; `None`: the former are started when the outgoing one has stopped, the latter are refused.
    pub agent: Option<PathBuf>,
    /// How often Flink is asked while something is awaited of it.
    pub poll_awaiting: Duration,
    /// How often the record of a handover is read while one is under way.
    pub poll_handover: Duration,
    /// How often Flink is asked when nothing is awaited.
    pub poll_settled: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            defaults: BTreeMap::new(),
            endpoint_ports: 18_081..=18_999,
            agent: None,
            poll_awaiting: Duration::from_millis(700),
            poll_handover: Duration::from_millis(100),
            poll_settled: Duration::from_secs(12),
        }
    }
}
