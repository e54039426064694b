//! Rules of `spec.configuration`, as in `crate::settings`.

use super::quantity::{self, SPACE};
use super::{CONFIGURATION, Rule};
use crate::configuration::DURATION_UNITS;
use crate::sentence::{self, Sentence, literal};
use crate::settings::{KEYS, LONGEST_DELETION_DELAY, key};

/// Keys that hold a duration above 0.
const POSITIVE: [&str; 5] = [
    key::ABORT_GRACE_PERIOD,
    key::RESCHEDULE_INTERVAL,
    key::FAILED_DEPLOYMENT_TTL,
    key::SAVEPOINT_TIMEOUT,
    key::HANDOVER_MAX_LAG,
];

pub(super) fn rules() -> Vec<Rule> {
    let mut rules = vec![unknown_keys()];
    rules.extend(durations());
    rules.extend([
        one_of(
            key::FAILED_DEPLOYMENT,
            &["KEEP", "SUSPEND", "DELETE"],
            sentence::FAILED_DEPLOYMENT,
        ),
        one_of(key::PROMOTION, &["AUTO", "MANUAL"], sentence::PROMOTION),
        one_of(
            key::TRANSITION_MODE,
            &["BASIC", "ADVANCED"],
            sentence::TRANSITION_MODE,
        ),
        one_of(
            key::HANDOVER_REQUIRE,
            &["EXACTLY_ONCE", "EXACTLY_ONCE_EXCEPT_LATE", "AT_LEAST_ONCE"],
            sentence::REQUIRED_GUARANTEE,
        ),
        one_of(key::INGRESS_MANAGE, &["TRUE", "FALSE"], sentence::BOOLEAN),
        retention(),
    ]);
    rules
}

fn field(key: &str) -> String {
    format!("spec.configuration[{key}]")
}

/// A rule about one key, if it is there. `condition` is about `self[key]`, which it calls `t`.
fn about(key: &str, condition: &str, sentence: Sentence) -> Rule {
    let name = literal(key);
    let text = format!("self[{name}]");
    Rule::found(
        CONFIGURATION,
        format!("!({name} in self) || [{text}].all(t, {condition})"),
        &field(key),
        sentence,
        &[&text],
    )
}

fn one_of(key: &str, words: &[&str], sentence: Sentence) -> Rule {
    let words: Vec<String> = words.iter().map(|word| literal(word)).collect();
    about(
        key,
        &format!("t.upperAscii() in [{}]", words.join(", ")),
        sentence,
    )
}

fn unknown_keys() -> Rule {
    let known: Vec<&str> = KEYS
        .iter()
        .map(|known| known.name)
        .filter(|name| name.starts_with(key::PREFIX))
        .collect();
    let literals: Vec<String> = known.iter().map(|name| literal(name)).collect();
    let prefix = literal(key::PREFIX);
    let bad = format!("k.startsWith({prefix}) && !(k in [{}])", literals.join(", "));
    let expected = format!(
        "{}, expected one of {}",
        sentence::UNKNOWN_KEY.0,
        known.join(", ")
    );
    let mut rule = Rule::plain(
        CONFIGURATION,
        format!("self.all(k, !({bad}))"),
        "spec.configuration",
        sentence::UNKNOWN_KEY,
    );
    rule.said(
        "spec.configuration[",
        &format!(
            "self.filter(k, {bad})[0] + {}",
            literal(&format!("]: {expected}"))
        ),
    );
    rule
}

/// The rules that make `key` a duration.
fn duration(key: &str) -> Rule {
    let mut rule = about(key, &quantity::is_duration("t"), sentence::DURATION_ISO);
    let text = format!("self[{}]", literal(key));
    rule.said(&format!("{}: ", field(key)), &quantity::duration_message(&text));
    rule
}

fn durations() -> Vec<Rule> {
    let mut rules = Vec::new();
    for key in POSITIVE {
        rules.push(duration(key));
        // Zeros only, or a minus: of what is no duration at all, nothing more need be said here.
        let not_positive = format!("^{SPACE}(0+[^0-9]*$|-[Pp]|[+]?[Pp][^1-9]*$)");
        rules.push(about(
            key,
            &format!("!t.matches({})", literal(&not_positive)),
            sentence::DURATION_POSITIVE,
        ));
    }
    let delay = key::DEPLOYMENT_DELETION_DELAY;
    let negative = format!("^{SPACE}-[Pp].*[1-9]");
    rules.extend([
        duration(delay),
        about(
            delay,
            &format!("!t.matches({})", literal(&negative)),
            sentence::DURATION_NEGATIVE,
        ),
        about(delay, &is_short(), sentence::DELAY_TOO_LONG),
    ]);
    rules
}

/// A CEL expression: whether the duration `t`, as Flink writes it, is at most the longest deletion delay. Sums of
/// parts in ISO-8601 are left to the controller.
fn is_short() -> String {
    let longest = LONGEST_DELETION_DELAY.as_nanos();
    let mut most = Vec::new();
    for (nanos, labels) in DURATION_UNITS {
        let limit = longest / nanos;
        most.extend(labels.iter().map(|label| format!("{}: {limit}", literal(label))));
        if labels.contains(&"ms") {
            most.push(format!("\"\": {limit}"));
        }
    }
    let unit = quantity::unit("t");
    let number = "t.find(\"[1-9][0-9]*\")";
    format!(
        "[{{{}}}].all(most, !({unit} in most) || (size({number}) <= 18 && int(\"0\" + {number}) <= most[{unit}]))",
        most.join(", ")
    )
}

fn retention() -> Rule {
    let most = u32::MAX;
    about(
        key::SAVEPOINT_RETENTION,
        &format!(
            "t.upperAscii() == \"ALL\" || (t.matches({}) && int(t.find(\"[1-9][0-9]*\")) <= {most})",
            literal("^[+]?0*[1-9][0-9]{0,9}$")
        ),
        sentence::RETENTION,
    )
}
