//! What is refused of the record-level handover's keys, before anything starts.

mod examples;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_api::blue_green::Color;
use sluice_api::configuration::FlinkConfiguration;
use sluice_api::gate::{self, Strategy};
use sluice_api::{placeholder, read_blue_green, read_flink_deployment, validate, validate_flink_deployment};

use examples::{blue_green, flink_deployment, set, texts};

const PATH: &str = "spec.template.spec";

fn advanced() -> Value {
    let mut value = blue_green();
    set(&mut value, "/spec/transitionMode", json!("ADVANCED"));
    value
}

fn problems(value: &Value) -> Vec<String> {
    let valid = read_blue_green(value).and_then(|resource| validate(&resource, &BTreeMap::new()));
    valid.map_or_else(|problems| texts(&problems), |_| Vec::new())
}

fn with_option(mut value: Value, key: &str, option: Value) -> Value {
    set(
        &mut value,
        &format!("/spec/template/spec/flinkConfiguration/{key}"),
        option,
    );
    value
}

fn with_args(mut value: Value, args: &[&str]) -> Value {
    set(&mut value, "/spec/template/spec/job/args", json!(args));
    value
}

/// Exactly one problem, of this key and with these words.
fn assert_refused(value: &Value, key: &str, words: &str) {
    let problems = problems(value);
    assert_eq!(problems.len(), 1, "{key}: {problems:?}");
    assert!(
        problems[0].starts_with(&format!("{PATH}.flinkConfiguration[{key}]: ")),
        "{problems:?}"
    );
    assert!(problems[0].contains(words), "{problems:?}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_key_of_the_gates_is_refused_with_what_was_found_and_what_would_be_right() {
    let rows = [
        ("bluegreen.gate.strategy", "", "found ``, expected `SAVEPOINT`"),
        (
            "bluegreen.gate.fallback",
            "NEVER",
            "expected `SAVEPOINT` or `NONE`",
        ),
        (
            "bluegreen.gate.injection.enabled",
            "on",
            "expected `true` or `false`",
        ),
        (
            "bluegreen.gate.injection.position",
            "SINK",
            "found `SINK`, expected `BEFORE_SINK` or `AFTER_SOURCE`",
        ),
        (
            "bluegreen.gate.watermark.extractor-class",
            "org.example.",
            "such as `org.example.OrderTime`",
        ),
        (
            "bluegreen.gate.watermark.extractor-class",
            "org/example/Time",
            "the full name of a class",
        ),
        (
            "bluegreen.gate.watermark.extractor-class",
            "",
            "the full name of a class",
        ),
        (
            "bluegreen.gate.watermark.field-path",
            "header..time",
            "such as `header.time`",
        ),
        (
            "bluegreen.gate.watermark.field-path",
            "items[0].time",
            "with dots between",
        ),
        ("bluegreen.gate.watermark.field-name", " ", "found an empty text"),
        (
            "bluegreen.gate.watermark.field-index",
            "-1",
            "a whole number from 0, such as `3`",
        ),
        (
            "bluegreen.gate.watermark.field-index",
            "ts",
            "found `ts`, expected the position of a column",
        ),
        (
            "bluegreen.gate.watermark.field-index",
            "2147483648",
            "the position of a column",
        ),
        (
            "bluegreen.gate.kept-records.max-bytes",
            "lots",
            "expected a memory size such as",
        ),
        (
            "bluegreen.gate.kept-records.max-bytes",
            "0 mb",
            "above 0, such as `64 mb`",
        ),
        (
            "bluegreen.gate.hold-timeout",
            "soon",
            "expected a duration such as",
        ),
        (
            "bluegreen.gate.hold-timeout",
            "0 s",
            "a duration of a millisecond or more",
        ),
        (
            "bluegreen.gate.start-timeout",
            "-PT1M",
            "a duration of a millisecond or more",
        ),
        (
            "bluegreen.gate.max-cut-lead",
            "999 µs",
            "a duration of a millisecond or more",
        ),
        (
            "bluegreen.gate.report-interval",
            "1 fortnight",
            "unknown unit `fortnight`",
        ),
        (
            "bluegreen.gate.late-records",
            "DROP",
            "found `DROP`, expected `BOTH` or `OUTGOING`",
        ),
        (
            "bluegreen.gate.ordering",
            "LOOSE",
            "found `LOOSE`, expected `OVERLAP` or `STRICT`",
        ),
        (
            "bluegreen.gate.assume-deterministic",
            "1",
            "expected `true` or `false`",
        ),
        (
            "bluegreen.gate.late-record",
            "BOTH",
            "is not a known key; the nearest one is `bluegreen.gate.late-records`",
        ),
        (
            "bluegreen.gate.stratgy",
            "SAVEPOINT",
            "the nearest one is `bluegreen.gate.strategy`",
        ),
        ("bluegreen.sinks.fork-safe", "never", "expected `true` or `false`"),
    ];
    for (key, text, words) in rows {
        assert_refused(&with_option(advanced(), key, json!(text)), key, words);
        // In the mode BASIC only what has an effect there is judged.
        let basic = problems(&with_option(blue_green(), key, json!(text)));
        let judged =
            key == "bluegreen.sinks.fork-safe" || (key == "bluegreen.gate.strategy" && text.is_empty());
        assert_eq!(!basic.is_empty(), judged, "{key}: {basic:?}");
    }
    for (key, text) in [
        ("bluegreen.gate.fallback", "none"),
        ("bluegreen.gate.injection.enabled", "TRUE"),
        ("bluegreen.gate.injection.position", "after_source"),
        (
            "bluegreen.gate.watermark.extractor-class",
            "org.example.Orders$Time",
        ),
        ("bluegreen.gate.watermark.field-path", "kopf.größe"),
        ("bluegreen.gate.watermark.field-name", "order time"),
        ("bluegreen.gate.watermark.field-index", "0"),
        ("bluegreen.gate.kept-records.max-bytes", "1"),
        ("bluegreen.gate.hold-timeout", "PT1M"),
        ("bluegreen.gate.max-cut-lead", "1"),
        ("bluegreen.gate.ordering", "strict"),
        ("bluegreen.sinks.fork-safe", "false"),
        // Other keys under `bluegreen.` are not the gates'.
        ("bluegreen.theme", "dark"),
    ] {
        let value = with_option(advanced(), key, json!(text));
        assert_eq!(problems(&value), Vec::<String>::new(), "{key}");
    }
    // Nested YAML is the same configuration.
    let nested = with_option(advanced(), "bluegreen", json!({"gate": {"ordering": "LOOSE"}}));
    assert_refused(&nested, "bluegreen.gate.ordering", "found `LOOSE`");
}

#[test]
fn what_the_operator_writes_is_not_for_the_user_to_set_in_either_mode() {
    for key in gate::WRITTEN
        .into_iter()
        .chain(["bluegreen.internal.operator-ids"])
    {
        for value in [blue_green(), advanced()] {
            assert_refused(
                &with_option(value, key, json!("7")),
                key,
                "found `7`, expected nothing, because the operator tells each of the two jobs its own",
            );
        }
    }
    assert_refused(
        &with_option(advanced(), "bluegreen.handover.max-lag", json!("1 s")),
        "bluegreen.handover.max-lag",
        "expected under `spec.configuration` as `kubernetes.operator.bluegreen.handover.max-lag`",
    );
}

#[test]
fn a_child_bears_what_the_operator_wrote() {
    let mut child = flink_deployment();
    for key in gate::WRITTEN {
        set(&mut child, &format!("/spec/flinkConfiguration/{key}"), json!("7"));
    }
    let child = read_flink_deployment(&child).unwrap();
    assert!(validate_flink_deployment(&child).is_ok());
}

#[test]
fn two_ways_to_tell_the_event_time_contradict_each_other() {
    let value = with_option(
        advanced(),
        "bluegreen.gate.watermark",
        json!({"field-path": "header.time", "field-index": 3, "extractor-class": "org.example.Time"}),
    );
    assert_eq!(
        problems(&value),
        [
            "spec.template.spec.flinkConfiguration[bluegreen.gate.watermark.field-path]: stands beside `bluegreen.gate.watermark.extractor-class`, expected one of the two, because each says where a record's event time is",
            "spec.template.spec.flinkConfiguration[bluegreen.gate.watermark.field-index]: stands beside `bluegreen.gate.watermark.extractor-class`, expected one of the two, because each says where a record's event time is",
        ]
    );
    // Without injected gates nobody reads the field.
    let mut value = with_option(
        advanced(),
        "bluegreen.gate",
        json!({"strategy": "WATERMARK", "injection.enabled": false, "watermark.field-name": "time"}),
    );
    let found = problems(&value);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("has no effect where `bluegreen.gate.injection.enabled` is false"),
        "{found:?}"
    );
    // SAVEPOINT has no gates at all, and what is left over from another strategy stops nothing.
    set(
        &mut value,
        "/spec/template/spec/flinkConfiguration/bluegreen.gate/strategy",
        json!("SAVEPOINT"),
    );
    assert_eq!(problems(&value), Vec::<String>::new());
}

#[test]
fn the_mode_advanced_needs_checkpoints() {
    let key = "execution.checkpointing.interval";
    assert_refused(
        &with_option(advanced(), key, json!(null)),
        key,
        "is missing, expected a duration above 0, such as `10 s`",
    );
    assert_refused(
        &with_option(advanced(), key, json!("0 s")),
        key,
        "found `0 s`, expected a duration above 0",
    );
    // Told once, as what it is.
    assert_refused(
        &with_option(advanced(), key, json!("often")),
        key,
        "expected a duration such as `10 min`",
    );
    let basic = with_option(blue_green(), key, json!(null));
    assert_eq!(problems(&basic), Vec::<String>::new());
}

#[test]
fn a_transaction_has_to_outlive_the_handover_where_its_timeout_can_be_seen() {
    // The grace period of the example is 5 minutes, and a savepoint has as long.
    let told = "expected more than 600000, the milliseconds that a savepoint (`savepoint.timeout`) and a start (`abort.grace-period`) may take";
    let key = "orders.transaction.timeout.ms";
    assert_refused(&with_option(advanced(), key, json!("600000")), key, told);
    let text = with_option(advanced(), key, json!("600001"));
    assert_eq!(problems(&text), Vec::<String>::new());

    for (args, position) in [
        (vec!["--topic", "orders", "--transaction.timeout.ms", "60000"], 3),
        (vec!["--kafka.transaction.timeout.ms=60000"], 0),
        (vec!["-Dtransaction.timeout.ms=60000", "--x"], 0),
    ] {
        let found = problems(&with_args(advanced(), &args));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].starts_with(&format!(
                "spec.template.spec.job.args[{position}]: found `60000`, {told}"
            )),
            "{found:?}"
        );
        assert_eq!(problems(&with_args(blue_green(), &args)), Vec::<String>::new());
    }
    for args in [
        vec!["--transaction.timeout.ms=900000"],
        vec!["--transaction.timeout.ms", "15 min"],
        vec!["--transaction.timeout.ms"],
        vec!["--timeout.ms=1"],
    ] {
        let found = problems(&with_args(advanced(), &args));
        assert_eq!(found, Vec::<String>::new(), "{args:?}");
    }
}

#[test]
fn a_placeholder_is_the_colour_or_refused() {
    for (text, blue) in [
        ("plain", "plain"),
        ("orders-%bluegreen.color%", "orders-blue"),
        ("%bluegreen.color%%bluegreen.color%-x", "blueblue-x"),
        // What others have percent signs for.
        (
            "100%, a%20b, %d{HH:mm}, %X{bluegreen.color}, bluegreen.color",
            "100%, a%20b, %d{HH:mm}, %X{bluegreen.color}, bluegreen.color",
        ),
        ("%%bluegreen.color%%", "%blue%"),
    ] {
        assert_eq!(placeholder::fill(text, Color::Blue).as_deref(), Ok(blue));
    }
    assert_eq!(
        placeholder::fill(placeholder::COLOR, Color::Green).as_deref(),
        Ok("green")
    );
    for (text, found) in [
        ("a-%bluegreen.colour%", "%bluegreen.colour%"),
        ("%bluegreen.Color%", "%bluegreen.Color%"),
        ("%bluegreen.%", "%bluegreen.%"),
        ("%bluegreen.color and more", "%bluegreen.color"),
        ("%bluegreen.color% %bluegreen.name%", "%bluegreen.name%"),
        ("%bluegreen.%bluegreen.color%%", "%bluegreen."),
    ] {
        assert_eq!(
            placeholder::fill(text, Color::Blue),
            Err(format!(
                "found `{found}`, which is no placeholder, expected `%bluegreen.color%`"
            ))
        );
    }
}

#[test]
fn a_placeholder_that_nothing_fills_in_does_not_reach_a_job() {
    let in_options = with_option(blue_green(), "orders.prefix", json!("%bluegreen.colour%"));
    assert_refused(
        &in_options,
        "orders.prefix",
        "found `%bluegreen.colour%`, which is no placeholder",
    );
    let in_args = with_args(blue_green(), &["--prefix", "orders-%bluegreen.color%"]);
    assert_eq!(
        problems(&in_args),
        [
            "spec.template.spec.job.args[1]: found the placeholder `%bluegreen.color%`, which this release does not fill in yet, expected the same text for both colours"
        ]
    );
    let in_a_key = with_option(blue_green(), "orders.%bluegreen.color%.prefix", json!("x"));
    assert_eq!(
        problems(&in_a_key),
        [
            "spec.template.spec.flinkConfiguration: found a placeholder in the key `orders.%bluegreen.color%.prefix`, expected placeholders in values only"
        ]
    );
}

#[test]
fn a_job_that_names_no_strategy_has_the_one_that_every_job_can_have() {
    let strategy = |text: Option<&str>| {
        let options = text.map(|text| ("bluegreen.gate.strategy".to_owned(), text.to_owned()));
        let options: BTreeMap<String, String> = options.into_iter().collect();
        Strategy::of(&FlinkConfiguration::from(options))
    };
    assert_eq!(strategy(None), Some(Strategy::Savepoint));
    assert_eq!(strategy(Some("watermark")), Some(Strategy::Watermark));
    assert_eq!(strategy(Some("MAGIC")), None);
}
