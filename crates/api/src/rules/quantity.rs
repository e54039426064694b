//! Numbers with a unit: durations and sizes of memory, as in `crate::configuration`.

use super::Rule;
use crate::configuration::{DURATION_UNITS, MEMORY_UNITS, QUANTITY_SUFFIXES};
use crate::sentence::{self, Quantity, literal};

/// White space as Unicode has it, and as our own reading takes it. A regular expression of RE2.
pub(super) const SPACE: &str = r"[\s\x0b\x{85}\pZ]*";

/// A CEL expression: the unit after the number of `text`, in lower case.
pub(super) fn unit(text: &str) -> String {
    let rest = literal("(?s)[^0-9].*$");
    format!("{text}.trim().find({rest}).trim().lowerAscii()")
}

/// A CEL expression: whether `text` is a number and one of `units`, or none. The units are compared outside of the
/// regular expression, because a short one costs less.
fn is_flink(text: &str, units: impl Iterator<Item = &'static str>) -> String {
    let units: Vec<String> = std::iter::once("").chain(units).map(literal).collect();
    format!(
        "({text}.matches({}) && {} in [{}])",
        literal(&format!("^{SPACE}[0-9]")),
        unit(text),
        units.join(", ")
    )
}

/// A CEL expression: whether `text` is a duration as Flink writes it, or looks like one in ISO-8601 with days and
/// shorter units.
pub(super) fn is_duration(text: &str) -> String {
    let time = "T([0-9.,]+[HMS])+";
    let iso = format!("^{SPACE}[-+]?(?i:P(0+[YMW])*((0+[YMW]|[0-9]+D)({time})?|{time})){SPACE}$");
    let units = DURATION_UNITS
        .iter()
        .flat_map(|(_, labels)| labels.iter().copied());
    format!("({} || {text}.matches({}))", is_flink(text, units), literal(&iso))
}

/// A CEL expression: what is said of a `text` that is no duration.
pub(super) fn duration_message(text: &str) -> String {
    format!(
        "({text}.matches({}) ? {} : {})",
        literal(&format!("^{SPACE}[-+]*[Pp]")),
        sentence::DURATION_ISO.expression(&[text]),
        message(text, sentence::DURATION)
    )
}

fn message(text: &str, said: Quantity) -> String {
    format!(
        "({text}.trim() == \"\" ? {} : {text}.matches({}) ? {} : {})",
        said.empty.expression(&[]),
        literal(&format!("^{SPACE}[0-9]")),
        said.unknown_unit.expression(&[text, &unit(text)]),
        said.no_number.expression(&[text]),
    )
}

/// A size as Flink or as Kubernetes writes it.
pub(super) fn memory_rule(place: &str, field: &str) -> Rule {
    let units = MEMORY_UNITS.iter().flat_map(|(_, labels)| labels.iter().copied());
    let suffixes: Vec<&str> = QUANTITY_SUFFIXES
        .iter()
        .map(|(suffix, _)| *suffix)
        .filter(|suffix| !suffix.is_empty())
        .collect();
    let kubernetes = format!(
        "^{SPACE}[0-9]+([.][0-9]{{0,9}})?({})?{SPACE}$",
        suffixes.join("|")
    );
    let mut rule = Rule::plain(
        place,
        format!(
            "{} || self.matches({})",
            is_flink("self", units),
            literal(&kubernetes)
        ),
        field,
        sentence::MEMORY.empty,
    );
    rule.said(&format!("{field}: "), &message("self", sentence::MEMORY));
    rule
}
