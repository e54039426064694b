//! The settings of the blue/green controller: `spec.configuration` over the operator's defaults.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use jiff::SignedDuration;

use crate::blue_green::{FailedDeploymentPolicy, TransitionMode};
use crate::configuration::{parse_boolean, parse_duration};
use crate::problem::Problem;
use crate::sentence;

/// The names of the keys.
pub mod key {
    /// What every key of the blue/green controller begins with.
    pub const PREFIX: &str = "kubernetes.operator.bluegreen.";
    /// How long the new deployment has to become ready.
    pub const ABORT_GRACE_PERIOD: &str = "kubernetes.operator.bluegreen.abort.grace-period";
    /// Upper bound between two looks at an unfinished transition.
    pub const RESCHEDULE_INTERVAL: &str = "kubernetes.operator.bluegreen.reconciliation.reschedule-interval";
    /// How long the old deployment stays after the new one has taken over.
    pub const DEPLOYMENT_DELETION_DELAY: &str = "kubernetes.operator.bluegreen.deployment-deletion.delay";
    /// What becomes of a deployment that an abort left behind.
    pub const FAILED_DEPLOYMENT: &str = "kubernetes.operator.bluegreen.abort.failed-deployment";
    /// Delete what an abort kept after this long.
    pub const FAILED_DEPLOYMENT_TTL: &str = "kubernetes.operator.bluegreen.abort.failed-deployment.ttl";
    /// A savepoint, or in ADVANCED mode a stop with one, that is not finished by then aborts the transition.
    pub const SAVEPOINT_TIMEOUT: &str = "kubernetes.operator.bluegreen.savepoint.timeout";
    /// How many of the savepoints taken for transitions are kept.
    pub const SAVEPOINT_RETENTION: &str = "kubernetes.operator.bluegreen.savepoint.retention";
    /// Whether a person has to promote the new deployment; without effect in ADVANCED mode.
    pub const PROMOTION: &str = "kubernetes.operator.bluegreen.promotion";
    /// The same as `spec.transitionMode`.
    pub const TRANSITION_MODE: &str = "kubernetes.operator.bluegreen.transition-mode";
    /// The least guarantee that a record-level handover may have.
    pub const HANDOVER_REQUIRE: &str = "kubernetes.operator.bluegreen.handover.require";
    /// How far the incoming job's watermark may be behind the active one's when it takes over.
    pub const HANDOVER_MAX_LAG: &str = "kubernetes.operator.bluegreen.handover.max-lag";
    /// Whether the Ingress is managed at all (upstream's key).
    pub const INGRESS_MANAGE: &str = "kubernetes.operator.ingress.manage";
}

/// One key of `spec.configuration`, for the reference documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The whole name.
    pub name: &'static str,
    /// The default as a user would write it; or what it is taken from.
    pub default: &'static str,
    /// What the key does, with the values that it takes.
    pub meaning: &'static str,
}

/// Every key, in the order in which the reference lists them.
pub const KEYS: &[Key] = &[
    Key {
        name: key::ABORT_GRACE_PERIOD,
        default: "10 min",
        meaning: "How long the new deployment has to become ready before the transition aborts; a change in place has as long. A duration above 0.",
    },
    Key {
        name: key::RESCHEDULE_INTERVAL,
        default: "15 s",
        meaning: "Upper bound between two looks at an unfinished transition. A duration above 0; less than 1 s counts as 1 s.",
    },
    Key {
        name: key::DEPLOYMENT_DELETION_DELAY,
        default: "0 ms",
        meaning: "How long the old deployment stays after the new one has taken over; in ADVANCED mode it is stopped by then. A duration of at most 24 days.",
    },
    Key {
        name: key::FAILED_DEPLOYMENT,
        default: "KEEP",
        meaning: "What becomes of the new deployment when its transition aborts. KEEP: left running as it is, for debugging; in ADVANCED mode it is suspended instead, so that it never writes beside the old job. SUSPEND: suspended. DELETE: deleted. Where an edit ended the transition, it is always deleted.",
    },
    Key {
        name: key::FAILED_DEPLOYMENT_TTL,
        default: "none",
        meaning: "Delete what an abort kept after this long. A duration above 0. Without it, the next transition deletes it.",
    },
    Key {
        name: key::SAVEPOINT_TIMEOUT,
        default: "the grace period",
        meaning: "How long the savepoint of a transition may take before the transition aborts. BASIC, and strategy WATERMARK: the active job runs on while it is taken, and after the abort. Strategy SAVEPOINT: the savepoint stops the active job, and this is the time for that stop; after the abort the job is started again from where it stopped, or runs on if it did not stop. A duration above 0.",
    },
    Key {
        name: key::SAVEPOINT_RETENTION,
        default: "3",
        meaning: "How many of the savepoints taken for transitions are kept. A whole number of at least 1, or ALL.",
    },
    Key {
        name: key::PROMOTION,
        default: "AUTO",
        meaning: "AUTO: switch as soon as the new deployment is ready. MANUAL: stop before the switch until a person promotes it. With the strategy WATERMARK it waits before the cut is agreed on. It has no effect on a first deployment, nor wherever the strategy SAVEPOINT stops the old job for the new one, also in the place of WATERMARK.",
    },
    Key {
        name: key::TRANSITION_MODE,
        default: "BASIC",
        meaning: "The same as `spec.transitionMode`, for clusters whose CRD does not have that field. BASIC or ADVANCED.",
    },
    Key {
        name: key::HANDOVER_REQUIRE,
        default: "EXACTLY_ONCE_EXCEPT_LATE",
        meaning: "The least that a handover with the strategy WATERMARK has to guarantee for the output of both jobs together. Where it can only guarantee less, it is not begun, or given up before the cut is committed. EXACTLY_ONCE, which it never guarantees because of late records, EXACTLY_ONCE_EXCEPT_LATE or AT_LEAST_ONCE.",
    },
    Key {
        name: key::HANDOVER_MAX_LAG,
        default: "5 s",
        meaning: "How far the watermark of the new job may be behind that of the old one when a handover with the strategy WATERMARK is prepared. A duration above 0.",
    },
    Key {
        name: key::INGRESS_MANAGE,
        default: "true",
        meaning: "Whether the Ingress of `spec.ingress` is created and switched. true or false.",
    },
];

/// The longest deletion delay. The gates of FLIP-504 hold milliseconds in 32 bits: 24.8 days.
pub(crate) const LONGEST_DELETION_DELAY: SignedDuration = SignedDuration::from_hours(24 * 24);
/// The shortest reschedule interval: with none at all, the controller would look, and write, without a pause.
const SHORTEST_RESCHEDULE_INTERVAL: SignedDuration = SignedDuration::from_secs(1);

/// The settings of the blue/green controller for one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlueGreenSettings {
    /// How long the new deployment has to become ready before the transition aborts.
    pub abort_grace_period: SignedDuration,
    /// Upper bound between two looks at an unfinished transition.
    pub reschedule_interval: SignedDuration,
    /// How long the old deployment stays after the new one has taken over.
    pub deployment_deletion_delay: SignedDuration,
    /// What becomes of a deployment that an abort left behind.
    pub failed_deployment: FailedDeploymentPolicy,
    /// What an abort kept is deleted after this long.
    pub failed_deployment_ttl: Option<SignedDuration>,
    /// A savepoint, or in ADVANCED mode a stop with one, that is not finished by then aborts the transition.
    pub savepoint_timeout: SignedDuration,
    /// Whether a person has to promote the new deployment; without effect in ADVANCED mode.
    pub promotion: Promotion,
    /// How the active side changes.
    pub transition_mode: TransitionMode,
    /// How many of the savepoints taken for transitions are kept.
    pub savepoint_retention: SavepointRetention,
    /// The least that a handover with the strategy WATERMARK has to guarantee.
    pub handover_require: RequiredGuarantee,
    /// How far the incoming job's watermark may be behind the active one's when a handover with the strategy WATERMARK is prepared.
    pub handover_max_lag: SignedDuration,
    /// Whether the Ingress of `spec.ingress` is managed.
    pub ingress_manage: bool,
}

impl Default for BlueGreenSettings {
    fn default() -> Self {
        let grace_period = SignedDuration::from_mins(10);
        Self {
            abort_grace_period: grace_period,
            reschedule_interval: SignedDuration::from_secs(15),
            deployment_deletion_delay: SignedDuration::ZERO,
            failed_deployment: FailedDeploymentPolicy::Keep,
            failed_deployment_ttl: None,
            savepoint_timeout: grace_period,
            promotion: Promotion::Auto,
            transition_mode: TransitionMode::Basic,
            savepoint_retention: SavepointRetention::default(),
            handover_require: RequiredGuarantee::default(),
            handover_max_lag: SignedDuration::from_secs(5),
            ingress_manage: true,
        }
    }
}

/// Who decides that the active side changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Promotion {
    /// It changes as soon as the new deployment is ready.
    #[default]
    Auto,
    /// A person promotes the new deployment.
    Manual,
}

/// The least that a record-level handover has to guarantee for the output of both jobs together; the later one is the less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RequiredGuarantee {
    /// Each record once.
    ExactlyOnce,
    /// Each record once, but for those that come behind the watermark.
    #[default]
    ExactlyOnceExceptLate,
    /// Each record at least once.
    AtLeastOnce,
}

/// How many of the savepoints taken for transitions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SavepointRetention {
    /// All of them.
    All,
    /// The last ones; at least 1.
    Last(u32),
}

impl Default for SavepointRetention {
    fn default() -> Self {
        Self::Last(3)
    }
}

impl BlueGreenSettings {
    /// Reads `spec.configuration` over the operator's defaults of the same keys, and `spec.transitionMode`.
    ///
    /// All problems are reported at once. Keys outside the controller's own are none of its business and pass.
    pub fn read(
        configuration: &BTreeMap<String, String>,
        defaults: &BTreeMap<String, String>,
        spec_mode: Option<TransitionMode>,
    ) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader {
            configuration,
            defaults,
            problems: Vec::new(),
        };
        reader.refuse_unknown_keys();
        let standard = Self::default();
        let abort_grace_period = reader
            .value(key::ABORT_GRACE_PERIOD, positive_duration)
            .unwrap_or(standard.abort_grace_period);
        let settings = Self {
            abort_grace_period,
            reschedule_interval: reader
                .value(key::RESCHEDULE_INTERVAL, positive_duration)
                .unwrap_or(standard.reschedule_interval)
                .max(SHORTEST_RESCHEDULE_INTERVAL),
            deployment_deletion_delay: reader
                .value(key::DEPLOYMENT_DELETION_DELAY, deletion_delay)
                .unwrap_or(standard.deployment_deletion_delay),
            failed_deployment: reader
                .value(key::FAILED_DEPLOYMENT, failed_deployment)
                .unwrap_or(standard.failed_deployment),
            failed_deployment_ttl: reader.value(key::FAILED_DEPLOYMENT_TTL, positive_duration),
            savepoint_timeout: reader
                .value(key::SAVEPOINT_TIMEOUT, positive_duration)
                .unwrap_or(abort_grace_period),
            promotion: reader
                .value(key::PROMOTION, promotion)
                .unwrap_or(standard.promotion),
            transition_mode: reader.transition_mode(spec_mode),
            savepoint_retention: reader
                .value(key::SAVEPOINT_RETENTION, savepoint_retention)
                .unwrap_or(standard.savepoint_retention),
            handover_require: reader
                .value(key::HANDOVER_REQUIRE, required_guarantee)
                .unwrap_or(standard.handover_require),
            handover_max_lag: reader
                .value(key::HANDOVER_MAX_LAG, positive_duration)
                .unwrap_or(standard.handover_max_lag),
            ingress_manage: reader
                .value(key::INGRESS_MANAGE, parse_boolean)
                .unwrap_or(standard.ingress_manage),
        };
        if reader.problems.is_empty() {
            Ok(settings)
        } else {
            Err(reader.problems)
        }
    }
}

/// The key of `spec.configuration` in a problem.
fn own_field(key: &str) -> String {
    format!("spec.configuration[{key}]")
}

/// The key of the operator's defaults in a problem.
fn default_field(key: &str) -> String {
    format!("the operator's default of {key}")
}

struct Reader<'a> {
    configuration: &'a BTreeMap<String, String>,
    defaults: &'a BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    /// The value of the key, if it is set and valid; a default counts only where the resource says nothing.
    fn value<T>(&mut self, key: &str, parse: fn(&str) -> Result<T, String>) -> Option<T> {
        let (field, text) = if let Some(text) = self.configuration.get(key) {
            (own_field(key), text)
        } else {
            (default_field(key), self.defaults.get(key)?)
        };
        match parse(text) {
            Ok(value) => Some(value),
            Err(message) => {
                self.problems.push(Problem::new(field, message));
                None
            }
        }
    }

    fn transition_mode(&mut self, spec_mode: Option<TransitionMode>) -> TransitionMode {
        let Some(spec_mode) = spec_mode else {
            return self
                .value(key::TRANSITION_MODE, transition_mode)
                .unwrap_or_default();
        };
        if let Some(text) = self.configuration.get(key::TRANSITION_MODE) {
            let message = match transition_mode(text) {
                Ok(mode) if mode == spec_mode => None,
                Ok(_) => Some(sentence::MODES_DIFFER.with(&[text])),
                Err(message) => Some(message),
            };
            if let Some(message) = message {
                self.problems
                    .push(Problem::new(own_field(key::TRANSITION_MODE), message));
            }
        }
        spec_mode
    }

    fn refuse_unknown_keys(&mut self) {
        let own = self.configuration.keys().map(|key| (own_field(key), key));
        let defaults = self.defaults.keys().map(|key| (default_field(key), key));
        let unknown: Vec<Problem> = own
            .chain(defaults)
            .filter(|(_, key)| key.starts_with(key::PREFIX))
            .filter(|(_, key)| KEYS.iter().all(|known| known.name != key.as_str()))
            .map(|(field, key)| {
                Problem::new(
                    field,
                    format!(
                        "{}; the nearest one is `{}`",
                        sentence::UNKNOWN_KEY.0,
                        nearest(key)
                    ),
                )
            })
            .collect();
        self.problems.extend(unknown);
    }
}

/// Whether there is a setting of this name.
pub(crate) fn is_known(key: &str) -> bool {
    KEYS.iter().any(|known| known.name == key)
}

/// The known key that takes the fewest edits to reach from `key`.
fn nearest(key: &str) -> &'static str {
    KEYS.iter()
        .map(|known| known.name)
        .min_by_key(|known| strsim::damerau_levenshtein(known, key))
        .unwrap_or(key::PREFIX)
}

fn positive_duration(text: &str) -> Result<SignedDuration, String> {
    let duration = parse_duration(text)?;
    if duration.is_positive() {
        Ok(duration)
    } else {
        Err(sentence::DURATION_POSITIVE.with(&[text]))
    }
}

fn deletion_delay(text: &str) -> Result<SignedDuration, String> {
    let duration = parse_duration(text)?;
    if duration.is_negative() {
        Err(sentence::DURATION_NEGATIVE.with(&[text]))
    } else if duration > LONGEST_DELETION_DELAY {
        Err(sentence::DELAY_TOO_LONG.with(&[text]))
    } else {
        Ok(duration)
    }
}

fn failed_deployment(text: &str) -> Result<FailedDeploymentPolicy, String> {
    match text.to_ascii_uppercase().as_str() {
        "KEEP" => Ok(FailedDeploymentPolicy::Keep),
        "SUSPEND" => Ok(FailedDeploymentPolicy::Suspend),
        "DELETE" => Ok(FailedDeploymentPolicy::Delete),
        _ => Err(sentence::FAILED_DEPLOYMENT.with(&[text])),
    }
}

fn promotion(text: &str) -> Result<Promotion, String> {
    match text.to_ascii_uppercase().as_str() {
        "AUTO" => Ok(Promotion::Auto),
        "MANUAL" => Ok(Promotion::Manual),
        _ => Err(sentence::PROMOTION.with(&[text])),
    }
}

fn required_guarantee(text: &str) -> Result<RequiredGuarantee, String> {
    match text.to_ascii_uppercase().as_str() {
        "EXACTLY_ONCE" => Ok(RequiredGuarantee::ExactlyOnce),
        "EXACTLY_ONCE_EXCEPT_LATE" => Ok(RequiredGuarantee::ExactlyOnceExceptLate),
        "AT_LEAST_ONCE" => Ok(RequiredGuarantee::AtLeastOnce),
        _ => Err(sentence::REQUIRED_GUARANTEE.with(&[text])),
    }
}

/// `BASIC` or `ADVANCED` in any case.
pub(crate) fn transition_mode(text: &str) -> Result<TransitionMode, String> {
    match text.to_ascii_uppercase().as_str() {
        "BASIC" => Ok(TransitionMode::Basic),
        "ADVANCED" => Ok(TransitionMode::Advanced),
        _ => Err(sentence::TRANSITION_MODE.with(&[text])),
    }
}

fn savepoint_retention(text: &str) -> Result<SavepointRetention, String> {
    if text.eq_ignore_ascii_case("ALL") {
        return Ok(SavepointRetention::All);
    }
    text.parse::<NonZeroU32>()
        .map(|number| SavepointRetention::Last(number.get()))
        .map_err(|_| sentence::RETENTION.with(&[text]))
}
