//! Flink's configuration as it stands in `flinkConfiguration`, and the values in it as Flink reads them.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Span, SpanRelativeTo, fmt::temporal::SpanParser};
use serde_json::Value;

use crate::problem::Problem;
use crate::sentence;

/// Flink's configuration with flat dotted keys, whether it was written so or as nested YAML.
///
/// Two configurations are equal if their flattened maps are: Flink itself knows only flat keys (FLIP-366 lets a file nest
/// them), so writing a key the other way changes nothing for the job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FlinkConfiguration(BTreeMap<String, String>);

impl FlinkConfiguration {
    /// Reads `flinkConfiguration`. Refused: what is not a map, an empty key, and a key that is given twice, once flat
    /// and once nested, with different values.
    ///
    /// The problems' fields are relative to `flinkConfiguration`; see [`Self::read_at`].
    pub fn read(value: &Value) -> Result<Self, Vec<Problem>> {
        Self::read_at("flinkConfiguration", value)
    }

    /// As [`Self::read`], with `field` as the path of the configuration in the problems.
    pub fn read_at(field: &str, value: &Value) -> Result<Self, Vec<Problem>> {
        let mut reader = Reader {
            field,
            entries: BTreeMap::new(),
            problems: Vec::new(),
        };
        match value {
            Value::Null => {}
            Value::Object(map) => {
                for (key, value) in map {
                    reader.read(key, value);
                }
            }
            other => reader.problems.push(Problem::new(
                field,
                format!("found {other}, expected a map of Flink's configuration keys, such as `taskmanager.numberOfTaskSlots: \"2\"`"),
            )),
        }
        if reader.problems.is_empty() {
            Ok(Self(reader.entries))
        } else {
            Err(reader.problems)
        }
    }

    /// The text of the key, if it is set.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// Every key with its text, in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The flattened map.
    pub fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }
}

impl From<BTreeMap<String, String>> for FlinkConfiguration {
    fn from(map: BTreeMap<String, String>) -> Self {
        Self(map)
    }
}

struct Reader<'a> {
    field: &'a str,
    entries: BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn read(&mut self, key: &str, value: &Value) {
        if key.is_empty() || key.ends_with('.') {
            self.problems.push(Problem::new(
                self.field,
                format!("found the key {key:?} with an empty part, expected the name of a configuration option, such as `state.savepoints.dir`"),
            ));
            return;
        }
        if let Value::Object(map) = value {
            for (name, value) in map {
                self.read(&format!("{key}.{name}"), value);
            }
            return;
        }
        let Some(text) = text(value) else {
            return;
        };
        match self.entries.get(key) {
            Some(other) if *other != text => self.problems.push(Problem::new(
                format!("{}[{key}]", self.field),
                format!("found the two values {other:?} and {text:?}, once with a flat key and once nested; expected one"),
            )),
            _ => {
                self.entries.insert(key.to_owned(), text);
            }
        }
    }
}

/// The flattened map of any JSON. Never fails: what is not a map counts as empty, and of a key that is given twice the
/// value that comes last stays. For comparisons; what is to be deployed is read with [`FlinkConfiguration::read`].
pub fn flatten(value: &Value) -> BTreeMap<String, String> {
    fn walk(prefix: &str, value: &Value, entries: &mut BTreeMap<String, String>) {
        if let Value::Object(map) = value {
            for (name, value) in map {
                walk(&format!("{prefix}.{name}"), value, entries);
            }
        } else if let Some(text) = text(value) {
            entries.insert(prefix.to_owned(), text);
        }
    }
    let mut entries = BTreeMap::new();
    if let Value::Object(map) = value {
        for (key, value) in map {
            walk(key, value, &mut entries);
        }
    }
    entries
}

/// A value as Flink's configuration holds it; `None` for null.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(text).collect();
            Some(items.join(";"))
        }
        // Only inside a list: Flink's text for a map is `key:value,key:value`.
        Value::Object(map) => {
            let entries: Vec<String> = map
                .iter()
                .filter_map(|(key, value)| text(value).map(|text| format!("{key}:{text}")))
                .collect();
            Some(entries.join(","))
        }
    }
}

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// Nanoseconds of each unit, and its labels: those of Flink's `TimeUtils`.
pub(crate) const DURATION_UNITS: &[(i128, &[&str])] = &[
    (86_400 * NANOS_PER_SECOND, &["d", "day", "days"]),
    (3_600 * NANOS_PER_SECOND, &["h", "hour", "hours"]),
    (60 * NANOS_PER_SECOND, &["min", "m", "minute", "minutes"]),
    (NANOS_PER_SECOND, &["s", "sec", "secs", "second", "seconds"]),
    (
        1_000_000,
        &["ms", "milli", "millis", "millisecond", "milliseconds"],
    ),
    (
        1_000,
        &["µs", "μs", "micro", "micros", "microsecond", "microseconds"],
    ),
    (1, &["ns", "nano", "nanos", "nanosecond", "nanoseconds"]),
];

/// A duration as Flink writes it (`10 min`, `15s`, `500 ms`; without a unit: milliseconds) or in ISO-8601 (`PT10M`).
///
/// The error is half a sentence: what was found, and what is expected.
pub fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(sentence::DURATION.empty.text());
    }
    if is_iso_duration(trimmed) {
        return parse_iso_duration(trimmed).ok_or_else(|| sentence::DURATION_ISO.with(&[text]));
    }
    let (number, unit) = split_number(trimmed);
    if number.is_empty() {
        return Err(sentence::DURATION.no_number.with(&[text]));
    }
    let unit = unit.to_lowercase();
    let label = if unit.is_empty() { "ms" } else { unit.as_str() };
    let Some((nanos, _)) = DURATION_UNITS.iter().find(|(_, labels)| labels.contains(&label)) else {
        return Err(sentence::DURATION.unknown_unit.with(&[text, &unit]));
    };
    number
        .parse::<i128>()
        .ok()
        .and_then(|number| number.checked_mul(*nanos))
        .and_then(duration_from_nanos)
        .ok_or_else(|| sentence::DURATION.too_large.with(&[text]))
}

fn duration_from_nanos(nanos: i128) -> Option<SignedDuration> {
    let seconds = i64::try_from(nanos / NANOS_PER_SECOND).ok()?;
    let rest = i32::try_from(nanos % NANOS_PER_SECOND).ok()?;
    Some(SignedDuration::new(seconds, rest))
}

fn is_iso_duration(text: &str) -> bool {
    text.trim_start_matches(['+', '-']).starts_with(['P', 'p'])
}

/// As `java.time.Duration` reads it: days of 24 hours and shorter units only.
fn parse_iso_duration(text: &str) -> Option<SignedDuration> {
    let span: Span = SpanParser::new().parse_span(text).ok()?;
    if span.get_years() != 0 || span.get_months() != 0 || span.get_weeks() != 0 {
        return None;
    }
    span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()
}

/// The leading digits, and what follows them without the white space between.
fn split_number(text: &str) -> (&str, &str) {
    let end = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.trim())
}

/// Powers of two of each unit, and its labels: those of Flink's `MemorySize`.
pub(crate) const MEMORY_UNITS: &[(u32, &[&str])] = &[
    (0, &["b", "bytes"]),
    (10, &["k", "kb", "kibibytes"]),
    (20, &["m", "mb", "mebibytes"]),
    (30, &["g", "gb", "gibibytes"]),
    (40, &["t", "tb", "tebibytes"]),
];

/// A memory size in bytes, as Flink writes it (`2048m`, `1 gb`; without a unit: bytes).
///
/// The error is half a sentence: what was found, and what is expected.
pub fn parse_memory(text: &str) -> Result<u64, String> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(sentence::MEMORY.empty.text());
    }
    let (number, unit) = split_number(trimmed);
    if number.is_empty() {
        return Err(sentence::MEMORY.no_number.with(&[text]));
    }
    let unit = unit.to_lowercase();
    let label = if unit.is_empty() { "b" } else { unit.as_str() };
    let Some((power, _)) = MEMORY_UNITS.iter().find(|(_, labels)| labels.contains(&label)) else {
        return Err(sentence::MEMORY.unknown_unit.with(&[text, &unit]));
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << power))
        // Flink counts bytes in a signed 64-bit number.
        .filter(|bytes| i64::try_from(*bytes).is_ok())
        .ok_or_else(|| sentence::MEMORY.too_large.with(&[text]))
}

/// Suffixes of Kubernetes' quantities with what they multiply by.
pub(crate) const QUANTITY_SUFFIXES: &[(&str, u128)] = &[
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("Ei", 1 << 60),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000),
    ("", 1),
];

/// The `memory` and `ephemeralStorage` of a `resource` in bytes: as Flink writes them (see [`parse_memory`]), or else as
/// Kubernetes does (`2Gi`, `1.5G`). `1G` is Flink's, so 1024 to the power of 3.
///
/// The error is half a sentence: what was found, and what is expected.
pub fn parse_resource_memory(text: &str) -> Result<u64, String> {
    parse_memory(text).or_else(|problem| parse_quantity(text.trim()).ok_or(problem))
}

fn parse_quantity(text: &str) -> Option<u64> {
    const MOST_DECIMALS: usize = 9;
    let (number, factor) = QUANTITY_SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)))?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number = |part: &str| part.chars().all(|it| it.is_ascii_digit());
    if whole.is_empty() || fraction.len() > MOST_DECIMALS || !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let bytes = digits.checked_mul(factor)? / scale;
    i64::try_from(bytes)
        .ok()
        .and_then(|bytes| u64::try_from(bytes).ok())
}

/// `true` or `false` in any case, as Flink reads it.
///
/// The error is half a sentence: what was found, and what is expected.
pub fn parse_boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(sentence::BOOLEAN.with(&[text])),
    }
}
