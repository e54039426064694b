//! What `flinkConfiguration` says of the handover, and what a job needs for it.

use jiff::SignedDuration;

use super::CheckedCluster;
use crate::blue_green::TransitionMode;
use crate::configuration::{FlinkConfiguration, parse_boolean, parse_duration, parse_memory};
use crate::gate::{EXTRACTORS, Strategy, WRITTEN, is_fork_safe, key};
use crate::problem::Problem;
use crate::settings::{self, RequiredGuarantee};

const INTERVAL: &str = "execution.checkpointing.interval";

/// What the value of a key has to be.
enum Form {
    Boolean,
    OneOf(&'static [&'static str]),
    Duration,
    Memory,
    Class,
    FieldPath,
    Column,
    Index,
}

/// The keys that a user may set, but for the strategy.
const KEYS: &[(&str, Form)] = &[
    (key::FALLBACK, Form::OneOf(&["SAVEPOINT", "NONE"])),
    (key::INJECTION_ENABLED, Form::Boolean),
    (
        key::INJECTION_POSITION,
        Form::OneOf(&["BEFORE_SINK", "AFTER_SOURCE"]),
    ),
    (key::EXTRACTOR_CLASS, Form::Class),
    (key::FIELD_PATH, Form::FieldPath),
    (key::FIELD_NAME, Form::Column),
    (key::FIELD_INDEX, Form::Index),
    (key::KEPT_RECORDS_MAX_BYTES, Form::Memory),
    (key::HOLD_TIMEOUT, Form::Duration),
    (key::START_TIMEOUT, Form::Duration),
    (key::DEPOSED_TIMEOUT, Form::Duration),
    (key::MAX_CUT_LEAD, Form::Duration),
    (key::LATE_RECORDS, Form::OneOf(&["BOTH", "OUTGOING"])),
    (key::ORDERING, Form::OneOf(&["OVERLAP", "STRICT"])),
    (key::REPORT_INTERVAL, Form::Duration),
    (key::ASSUME_DETERMINISTIC, Form::Boolean),
];

/// Checks the keys under `bluegreen.`, and in the mode ADVANCED what the handover needs.
pub(super) fn check(
    path: &str,
    checked: &CheckedCluster,
    mode: TransitionMode,
    require: RequiredGuarantee,
    problems: &mut Vec<Problem>,
) {
    let mut keys = Checker {
        path,
        configuration: &checked.configuration,
        problems,
    };
    keys.not_the_users();
    if let Some(text) = checked.configuration.get(key::SINKS_FORK_SAFE) {
        keys.judge(key::SINKS_FORK_SAFE, Form::Boolean.check(text));
    }
    // In the mode BASIC the rest has no effect, so it stops nothing.
    if mode == TransitionMode::Advanced {
        keys.strategy();
        keys.forms();
        keys.extractors();
        keys.forks(require);
        keys.checkpoints();
    } else if let Some(text) = checked.configuration.get(key::STRATEGY)
        && Strategy::read(text).is_none()
    {
        keys.add(
            key::STRATEGY,
            format!("found `{text}`, expected `SAVEPOINT` or `WATERMARK`"),
        );
    }
}

struct Checker<'a> {
    path: &'a str,
    configuration: &'a FlinkConfiguration,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    fn add(&mut self, key: &str, message: impl Into<String>) {
        self.problems.push(Problem::new(
            format!("{}.flinkConfiguration[{key}]", self.path),
            message,
        ));
    }

    fn judge(&mut self, key: &str, result: Result<(), String>) {
        if let Err(message) = result {
            self.add(key, message);
        }
    }

    /// Keys that the operator writes, and settings of the operator that stand in the wrong place.
    fn not_the_users(&mut self) {
        for (key, text) in self.configuration.iter() {
            let setting = format!("kubernetes.operator.{key}");
            if WRITTEN.contains(&key) || key.starts_with(key::INTERNAL_PREFIX) {
                self.add(
                    key,
                    format!("found `{text}`, expected nothing, because the operator tells each of the two jobs its own"),
                );
            } else if key.starts_with("bluegreen.") && settings::is_known(&setting) {
                self.add(
                    key,
                    format!(
                        "is a setting of the operator, expected under `spec.configuration` as `{setting}`"
                    ),
                );
            }
        }
    }

    fn strategy(&mut self) {
        let Some(text) = self.configuration.get(key::STRATEGY) else {
            return;
        };
        match Strategy::read(text) {
            Some(Strategy::Savepoint | Strategy::Watermark) => {}
            None => self.add(
                key::STRATEGY,
                format!("found `{text}`, expected `SAVEPOINT` or `WATERMARK`"),
            ),
        }
    }

    /// What a handover at a cut in event time cannot do without, and what it cannot promise.
    fn forks(&mut self, require: RequiredGuarantee) {
        if Strategy::of(self.configuration) != Some(Strategy::Watermark) {
            return;
        }
        if !is_fork_safe(self.configuration) {
            self.add(
                key::SINKS_FORK_SAFE,
                "found `false`, expected `true` with the strategy WATERMARK: the new job would take over what the sinks of the running one have open",
            );
        }
        if require == RequiredGuarantee::ExactlyOnce {
            self.problems.push(Problem::new(
                format!("spec.configuration[{}]", settings::key::HANDOVER_REQUIRE),
                "found `EXACTLY_ONCE`, which the strategy WATERMARK cannot promise, because records may come behind the watermark; expected `EXACTLY_ONCE_EXCEPT_LATE`, or `bluegreen.gate.strategy: SAVEPOINT`",
            ));
        }
    }

    fn forms(&mut self) {
        for (key, text) in self.configuration.iter() {
            if let Some((_, form)) = KEYS.iter().find(|(known, _)| *known == key) {
                self.judge(key, form.check(text));
            } else if key.starts_with(key::GATE_PREFIX) && key != key::STRATEGY {
                let nearest = KEYS
                    .iter()
                    .map(|(known, _)| *known)
                    .chain([key::STRATEGY])
                    .min_by_key(|known| strsim::damerau_levenshtein(known, key));
                self.add(
                    key,
                    format!(
                        "is not a known key; the nearest one is `{}`",
                        nearest.unwrap_or(key::STRATEGY)
                    ),
                );
            }
        }
    }

    /// Each says by itself where the event time is, so two of them contradict each other.
    fn extractors(&mut self) {
        let mut given = EXTRACTORS
            .into_iter()
            .filter(|key| self.configuration.get(key).is_some());
        let Some(first) = given.next() else { return };
        let others: Vec<&str> = given.collect();
        let is_off = self
            .configuration
            .get(key::INJECTION_ENABLED)
            .is_some_and(|text| text.eq_ignore_ascii_case("false"));
        if is_off && Strategy::of(self.configuration) == Some(Strategy::Watermark) {
            self.add(
                first,
                format!(
                    "has no effect where `{}` is false, expected one of the two",
                    key::INJECTION_ENABLED
                ),
            );
        }
        for other in others {
            self.add(
                other,
                format!("stands beside `{first}`, expected one of the two, because each says where a record's event time is"),
            );
        }
    }

    fn checkpoints(&mut self) {
        let why = "because the transition mode ADVANCED hands a job over at its checkpoints";
        match self.configuration.get(INTERVAL) {
            None => self.add(
                INTERVAL,
                format!("is missing, expected a duration above 0, such as `10 s`, {why}; it has to stand here even if the program sets one"),
            ),
            // What is no duration is told with the other options.
            Some(text) => {
                if parse_duration(text).is_ok_and(|interval| interval <= SignedDuration::ZERO) {
                    self.add(
                        INTERVAL,
                        format!("found `{text}`, expected a duration above 0, such as `10 s`, {why}"),
                    );
                }
            }
        }
    }
}

impl Form {
    fn check(&self, text: &str) -> Result<(), String> {
        match self {
            Self::Boolean => parse_boolean(text).map(drop),
            Self::OneOf(words) => {
                if words.iter().any(|word| text.eq_ignore_ascii_case(word)) {
                    return Ok(());
                }
                Err(format!("found `{text}`, expected `{}`", words.join("` or `")))
            }
            // The gates count in milliseconds.
            Self::Duration => match parse_duration(text)? {
                duration if duration.as_millis() > 0 => Ok(()),
                _ => Err(format!(
                    "found `{text}`, expected a duration of a millisecond or more, such as `1 min`"
                )),
            },
            Self::Memory => match parse_memory(text)? {
                0 => Err(format!(
                    "found `{text}`, expected a memory size above 0, such as `64 mb`"
                )),
                _ => Ok(()),
            },
            Self::Class if is_dotted(text) => Ok(()),
            Self::Class => Err(format!(
                "found `{text}`, expected the full name of a class as Java's `Class.getName` writes it, such as `org.example.OrderTime` or `org.example.Orders$Time`"
            )),
            Self::FieldPath if is_dotted(text) => Ok(()),
            Self::FieldPath => Err(format!(
                "found `{text}`, expected the names of fields with dots between them, such as `header.time`"
            )),
            Self::Column if text.trim().is_empty() => {
                Err("found an empty text, expected the name of a column, such as `order_time`".to_owned())
            }
            Self::Column => Ok(()),
            // Flink reads it as Java's int.
            Self::Index => match text.trim().parse::<i32>() {
                Ok(index) if index >= 0 => Ok(()),
                _ => Err(format!(
                    "found `{text}`, expected the position of a column, a whole number from 0, such as `3`"
                )),
            },
        }
    }
}

/// Java's identifiers with dots between them. Letters are those of any script, as in Java.
fn is_dotted(text: &str) -> bool {
    text.split('.').all(|part| {
        let mut characters = part.chars();
        let begins = characters
            .next()
            .is_some_and(|first| first.is_alphabetic() || matches!(first, '_' | '$'));
        begins && characters.all(|other| other.is_alphanumeric() || matches!(other, '_' | '$'))
    })
}
