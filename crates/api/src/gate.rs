//! The keys under `bluegreen.` in `flinkConfiguration`: what a user chooses for the handover of a job, and what the operator
//! tells the job. The names are FLIP-504's where it has them; the gate reads the same ones (`GateOptions`, `gate/flink`).

use crate::configuration::FlinkConfiguration;

/// The names of the keys.
pub mod key {
    /// What every key of the gates begins with.
    pub const GATE_PREFIX: &str = "bluegreen.gate.";
    /// How the job is handed over: SAVEPOINT or WATERMARK.
    pub const STRATEGY: &str = "bluegreen.gate.strategy";
    /// What becomes of a handover by WATERMARK for which no input moves.
    pub const FALLBACK: &str = "bluegreen.gate.fallback";
    /// Whether gates are put into the job.
    pub const INJECTION_ENABLED: &str = "bluegreen.gate.injection.enabled";
    /// Where gates are put.
    pub const INJECTION_POSITION: &str = "bluegreen.gate.injection.position";
    /// The class that tells a record's event time.
    pub const EXTRACTOR_CLASS: &str = "bluegreen.gate.watermark.extractor-class";
    /// The field of a record that holds its event time, by its path.
    pub const FIELD_PATH: &str = "bluegreen.gate.watermark.field-path";
    /// The column of a row that holds its event time, by its name.
    pub const FIELD_NAME: &str = "bluegreen.gate.watermark.field-name";
    /// The column of a row that holds its event time, by its position from 0.
    pub const FIELD_INDEX: &str = "bluegreen.gate.watermark.field-index";
    /// How much each subtask of a gate keeps before it holds its input back.
    pub const KEPT_RECORDS_MAX_BYTES: &str = "bluegreen.gate.kept-records.max-bytes";
    /// How long the outgoing job keeps records back before it gives the handover up.
    pub const HOLD_TIMEOUT: &str = "bluegreen.gate.hold-timeout";
    /// How long a subtask waits to be told where the handover stands before it fails.
    pub const START_TIMEOUT: &str = "bluegreen.gate.start-timeout";
    /// How long a JobManager waits whose gates another one has taken over, before it starts its job over.
    pub const DEPOSED_TIMEOUT: &str = "bluegreen.gate.deposed-timeout";
    /// How far ahead of the watermark the cut may lie.
    pub const MAX_CUT_LEAD: &str = "bluegreen.gate.max-cut-lead";
    /// Which job emits records that come late.
    pub const LATE_RECORDS: &str = "bluegreen.gate.late-records";
    /// Whether the incoming job may emit before the outgoing one is through.
    pub const ORDERING: &str = "bluegreen.gate.ordering";
    /// How often gates report.
    pub const REPORT_INTERVAL: &str = "bluegreen.gate.report-interval";
    /// Whether a job may go on that was restored to an older checkpoint than the fork's.
    pub const ASSUME_DETERMINISTIC: &str = "bluegreen.gate.assume-deterministic";
    /// Whether a fork gets sink state of its own.
    pub const SINKS_FORK_SAFE: &str = "bluegreen.sinks.fork-safe";

    /// Written by the operator: the sink epoch.
    pub const SINKS_EPOCH: &str = "bluegreen.sinks.epoch";
    /// Written by the operator: the job's colour, `BLUE` or `GREEN`.
    pub const ACTIVE_DEPLOYMENT_TYPE: &str = "bluegreen.active-deployment-type";
    /// Written by the operator: the ConfigMap of the handover record.
    pub const CONFIGMAP_NAME: &str = "bluegreen.configmap.name";
    /// Written by the operator: the namespace of that ConfigMap.
    pub const CONFIGMAP_NAMESPACE: &str = "bluegreen.configmap.namespace";
    /// Written by the local runner: the directory of the handover record.
    pub const HANDOVER_DIRECTORY: &str = "bluegreen.handover.directory";
    /// Written by the operator: the epoch that the job was created for.
    pub const HANDOVER_EPOCH: &str = "bluegreen.handover.epoch";
    /// Written by the operator: whether the job waits until the record names its savepoint.
    pub const AWAIT_SAVEPOINT: &str = "bluegreen.handover.await-savepoint";
    /// What the keys begin with that the agent keeps for itself.
    pub const INTERNAL_PREFIX: &str = "bluegreen.internal.";
}

/// The keys that the operator writes into each child, and that nobody else may set.
pub const WRITTEN: [&str; 7] = [
    key::ACTIVE_DEPLOYMENT_TYPE,
    key::AWAIT_SAVEPOINT,
    key::CONFIGMAP_NAME,
    key::CONFIGMAP_NAMESPACE,
    key::HANDOVER_DIRECTORY,
    key::HANDOVER_EPOCH,
    key::SINKS_EPOCH,
];

/// The keys of which one at most says where a record's event time is.
pub const EXTRACTORS: [&str; 4] = [
    key::EXTRACTOR_CLASS,
    key::FIELD_PATH,
    key::FIELD_NAME,
    key::FIELD_INDEX,
];

/// How one job takes over from the other in the transition mode ADVANCED.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// At the barrier of the savepoint that the outgoing job stops with.
    Savepoint,
    /// At a cut in event time, by gates, while both jobs run.
    Watermark,
}

impl Strategy {
    /// The strategy of a job; SAVEPOINT, if its configuration names none. `None`: it names one that does not exist.
    pub fn of(configuration: &FlinkConfiguration) -> Option<Self> {
        match configuration.get(key::STRATEGY) {
            None => Some(Self::Savepoint),
            Some(text) => Self::read(text),
        }
    }

    /// In any case, as Flink reads it.
    pub(crate) fn read(text: &str) -> Option<Self> {
        [Self::Savepoint, Self::Watermark]
            .into_iter()
            .find(|strategy| text.eq_ignore_ascii_case(strategy.name()))
    }

    /// `SAVEPOINT` or `WATERMARK`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Savepoint => "SAVEPOINT",
            Self::Watermark => "WATERMARK",
        }
    }
}

/// Whether a fork of this job gets sink state of its own (`bluegreen.sinks.fork-safe`, true unless it is said).
pub fn is_fork_safe(configuration: &FlinkConfiguration) -> bool {
    configuration
        .get(key::SINKS_FORK_SAFE)
        .is_none_or(|text| !text.eq_ignore_ascii_case("false"))
}
