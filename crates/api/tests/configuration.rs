//! Flink's configuration and its values, as Flink reads them.

use jiff::SignedDuration;
use serde_json::json;
use sluice_api::FlinkConfiguration;
use sluice_api::configuration::{
    flatten, parse_boolean, parse_duration, parse_memory, parse_resource_memory,
};

#[test]
fn a_duration_takes_every_unit_of_flink_and_iso_8601() {
    let nanos = SignedDuration::from_nanos;
    let seconds = SignedDuration::from_secs;
    for (text, expected) in [
        ("1234", SignedDuration::from_millis(1234)),
        ("0", SignedDuration::ZERO),
        ("424562ms", SignedDuration::from_millis(424_562)),
        ("11 milli", SignedDuration::from_millis(11)),
        ("11 millis", SignedDuration::from_millis(11)),
        ("8 millisecond", SignedDuration::from_millis(8)),
        ("8 milliseconds", SignedDuration::from_millis(8)),
        ("667766s", seconds(667_766)),
        ("667766 sec", seconds(667_766)),
        ("667766 secs", seconds(667_766)),
        ("1 second", seconds(1)),
        ("15seconds", seconds(15)),
        ("7657623m", seconds(7_657_623 * 60)),
        ("10 min", seconds(600)),
        ("1 minute", seconds(60)),
        ("10 minutes", seconds(600)),
        ("987654h", seconds(987_654 * 3600)),
        ("1 hour", seconds(3600)),
        ("2 hours", seconds(7200)),
        ("1 d", seconds(86_400)),
        ("1 day", seconds(86_400)),
        ("2 days", seconds(172_800)),
        ("731µs", nanos(731_000)),
        ("565731 micro", nanos(565_731_000)),
        ("2 micros", nanos(2_000)),
        ("1 microsecond", nanos(1_000)),
        ("2 microseconds", nanos(2_000)),
        ("424562ns", nanos(424_562)),
        ("424562 nano", nanos(424_562)),
        ("2 nanos", nanos(2)),
        ("1 nanosecond", nanos(1)),
        ("2 nanoseconds", nanos(2)),
        // White space around and between, and any case.
        ("  155   mIn ", seconds(155 * 60)),
        ("10 MIN", seconds(600)),
        ("\t7\tS\n", seconds(7)),
        ("PT10M", seconds(600)),
        ("pt1h30m", seconds(5400)),
        ("P1DT1H", seconds(90_000)),
        ("PT0.5S", SignedDuration::from_millis(500)),
        ("-PT10M", seconds(-600)),
    ] {
        assert_eq!(parse_duration(text), Ok(expected), "{text:?}");
    }
}

#[test]
fn a_duration_that_flink_refuses_is_refused_with_an_example() {
    for text in [
        "",
        "   ",
        // No number, a negative one, a fraction, another unit, two units, white space in a number.
        "forever",
        "min",
        "-10 min",
        "1.5 h",
        "10 parsecs",
        "16 gjah",
        "5 mins",
        "1 h 30 min",
        "1 000 s",
        // More than fits.
        "9223372036854775807 d",
        "99999999999999999999999999999999999999999999999 ms",
        // Not of a fixed length, or no ISO-8601 at all.
        "P1Y",
        "P1M",
        "P1W",
        "P",
        "PT",
        "PT10",
    ] {
        let problem = parse_duration(text).expect_err(text);
        assert!(
            problem.starts_with("found ") && problem.contains("expected ") && problem.contains("`10 min`"),
            "{text:?}: {problem}"
        );
        assert!(
            text.trim().is_empty() || problem.contains(&format!("`{text}`")),
            "{text:?}: {problem}"
        );
    }
}

#[test]
fn a_memory_size_takes_every_unit_of_flink() {
    for (text, expected) in [
        ("1234", 1234),
        ("1234b", 1234),
        ("1234 bytes", 1234),
        ("667766k", 667_766 << 10),
        ("667766 kb", 667_766 << 10),
        ("667766 kibibytes", 667_766 << 10),
        ("2048m", 2048 << 20),
        ("2048 mb", 2048 << 20),
        ("1 mebibytes", 1 << 20),
        ("4g", 4 << 30),
        ("1 gb", 1 << 30),
        ("1 gibibytes", 1 << 30),
        ("1t", 1 << 40),
        ("1 tb", 1 << 40),
        ("1 tebibytes", 1 << 40),
        (" 155  MB ", 155 << 20),
        ("9223372036854775807", (1 << 63) - 1),
    ] {
        assert_eq!(parse_memory(text), Ok(expected), "{text:?}");
    }
}

#[test]
fn a_memory_size_that_flink_refuses_is_refused_with_an_example() {
    for text in [
        "",
        "  ",
        "lots",
        "-1m",
        "2Gi",
        "1.5g",
        "16 gjah",
        "1 m 2",
        // One more than fits in 63 bits.
        "9223372036854775808",
        "100000000000000 tb",
        "99999999999999999999999999",
    ] {
        let problem = parse_memory(text).expect_err(text);
        assert!(
            problem.starts_with("found ") && problem.contains("expected ") && problem.contains("`2048m`"),
            "{text:?}: {problem}"
        );
    }
}

#[test]
fn the_memory_of_a_manager_may_be_written_as_kubernetes_does() {
    for (text, expected) in [
        ("2048m", 2048 << 20),
        // Both read it; Flink's meaning wins, as upstream.
        ("1G", 1 << 30),
        ("2Gi", 2 << 30),
        ("1.5Gi", 3 << 29),
        ("512Mi", 512 << 20),
        ("1.5G", 1_500_000_000),
        ("0.5k", 500),
    ] {
        assert_eq!(parse_resource_memory(text), Ok(expected), "{text:?}");
    }
    for text in ["", "lots", "2 Gi", "Gi", ".5Gi", "1.2.3Gi", "-1Gi", "2Xi", "8Ei"] {
        assert!(parse_resource_memory(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_boolean_is_true_or_false_in_any_case_and_nothing_else() {
    for (text, expected) in [("true", true), ("TRUE", true), ("False", false)] {
        assert_eq!(parse_boolean(text), Ok(expected));
    }
    for text in ["", "yes", "1", "on", " true"] {
        assert_eq!(
            parse_boolean(text),
            Err(format!("found `{text}`, expected `true` or `false`"))
        );
    }
}

#[test]
fn flat_keys_and_nested_yaml_are_the_same_configuration() {
    let flat = json!({
        "state.backend.type": "rocksdb",
        "state.savepoints.dir": "s3://b/s",
        "taskmanager.numberOfTaskSlots": "2",
        "execution.checkpointing.unaligned": "true",
        "pipeline.jars": "a.jar;b.jar",
    });
    let nested = json!({
        "state": {"backend": {"type": "rocksdb"}, "savepoints": {"dir": "s3://b/s"}},
        "taskmanager": {"numberOfTaskSlots": 2},
        "execution.checkpointing": {"unaligned": true, "interval": null},
        "pipeline": {"jars": ["a.jar", "b.jar"]},
        "empty": {},
    });
    assert_eq!(FlinkConfiguration::read(&flat), FlinkConfiguration::read(&nested));
    assert_eq!(flatten(&flat), flatten(&nested));
    let configuration = FlinkConfiguration::read(&nested).unwrap();
    assert_eq!(configuration.get("taskmanager.numberOfTaskSlots"), Some("2"));
    assert_eq!(configuration.get("execution.checkpointing.interval"), None);
    assert_eq!(configuration.iter().count(), 5);
}

#[test]
fn a_list_of_maps_becomes_flinks_text_for_it() {
    let value = json!({"list": [{"a": 1, "b": 2}, {"a": 3}]});
    assert_eq!(
        FlinkConfiguration::read(&value).unwrap().get("list"),
        Some("a:1,b:2;a:3")
    );
}

#[test]
fn a_key_given_twice_with_different_values_is_refused_and_with_the_same_is_not() {
    let twice = |nested: &str| json!({"rest.port": "8081", "rest": {"port": nested}});
    assert!(FlinkConfiguration::read(&twice("8081")).is_ok());
    let problems = FlinkConfiguration::read(&twice("8082")).unwrap_err();
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            r#"flinkConfiguration[rest.port]: found the two values "8081" and "8082", once with a flat key and once nested; expected one"#
        ]
    );
}

#[test]
fn what_is_no_map_is_refused_strictly_and_empty_leniently() {
    for value in [
        json!("a"),
        json!([1]),
        json!(7),
        json!({"": "x"}),
        json!({"a": {"": "x"}}),
    ] {
        assert!(FlinkConfiguration::read(&value).is_err(), "{value}");
    }
    assert_eq!(
        FlinkConfiguration::read(&json!(null)),
        Ok(FlinkConfiguration::default())
    );
    assert!(flatten(&json!("a")).is_empty());
}
