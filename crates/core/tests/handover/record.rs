//! The record's wire form: what is written can be read, whatever else stands there is refused by name.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use proptest::option::of;
use proptest::prelude::*;
use serde_json::Value;
use sluice_core::Color;
use sluice_core::handover::codec::{self, CodecError, decode, encode};
use sluice_core::handover::{
    AbortReason, Attempt, Change, CheckpointId, Cut, Epoch, EventTime, Figures, Fork, GateReport,
    GatesReport, HandoverRecord, Incarnation, Job, Passed, Phase, Report, Subtask, Watermark,
};

fn phases() -> impl Strategy<Value = Phase> {
    let highest = any::<i64>().prop_map(EventTime::of);
    prop_oneof![
        Just(Phase::Stable),
        highest.clone().prop_map(|highest| Phase::Standby { highest }),
        (highest, any::<Option<i64>>()).prop_map(|(highest, cut)| Phase::Prepare {
            highest,
            cut: cut.map(Cut)
        }),
        any::<i64>().prop_map(|cut| Phase::Commit { cut: Cut(cut) }),
        any::<i64>().prop_map(|cut| Phase::Sealed { cut: Cut(cut) }),
        Just(Phase::Abort),
    ]
}

fn reports() -> impl Strategy<Value = Report> {
    let numbers = (any::<u64>(), any::<u64>(), any::<u64>(), any::<Option<u64>>());
    (
        numbers,
        any::<Option<(u64, u64)>>(),
        any::<(i64, i64, bool, u64)>(),
    )
        .prop_map(
            |((created_for, attempt, incarnation, restored), passed, (watermark, dropped, all, emitted))| {
                let mut report = Report::of_new_attempt(
                    None,
                    Epoch(created_for),
                    Attempt(attempt),
                    Incarnation(incarnation),
                    restored.map(CheckpointId),
                );
                report.passed = passed.map(|(epoch, checkpoint)| Passed {
                    epoch: Epoch(epoch),
                    checkpoint: CheckpointId(checkpoint),
                });
                report.gates = GatesReport {
                    all_reporting: all,
                    heard: all.then_some(Epoch(created_for)),
                    watermark: Watermark(watermark),
                    highest_dropped: EventTime::of(dropped),
                    figures: Figures {
                        emitted,
                        off_clock: attempt,
                        ..Figures::default()
                    },
                    each: vec![GateReport {
                        name: format!("sink {emitted}"),
                        watermark: Watermark(watermark),
                        idle: all,
                        ..GateReport::default()
                    }],
                };
                report
            },
        )
}

fn reasons() -> impl Strategy<Value = AbortReason> {
    prop_oneof![
        Just(AbortReason::HoldTimeout),
        Just(AbortReason::NoWatermark),
        Just(AbortReason::Idle),
        Just(AbortReason::OutgoingLost),
        any::<Option<u64>>().prop_map(|attempt| AbortReason::BehindFork {
            attempt: attempt.map(Attempt)
        }),
        ".*".prop_map(|why| AbortReason::Operator { why }),
        any::<(Option<(u16, u16)>, i64, i64)>().prop_map(|(subtask, highest, watermark)| {
            AbortReason::CutTooFar {
                subtask: subtask.map(|(gate, index)| Subtask::new(gate, index)),
                highest: EventTime::of(highest),
                watermark: Watermark(watermark),
            }
        }),
    ]
}

fn records() -> impl Strategy<Value = HandoverRecord> {
    let numbers = any::<(u64, bool, u64, Option<u64>, Option<(u64, u64)>, bool, u64)>();
    let deadline = of(0_i64..4_102_444_800);
    (
        phases(),
        numbers,
        deadline,
        of(reasons()),
        of(".*"),
        of(reports()),
        of(reports()),
    )
        .prop_map(
            |(
                phase,
                (epoch, blue, created_for, incoming, fork, first, delay),
                deadline,
                reason,
                savepoint,
                one,
                other,
            )| {
                HandoverRecord {
                    epoch: Epoch(epoch),
                    phase,
                    active: Job {
                        color: if blue { Color::Blue } else { Color::Green },
                        created_for: Epoch(created_for),
                    },
                    incoming: incoming.map(Epoch),
                    fork: fork.map(|(checkpoint, attempt)| Fork {
                        checkpoint: CheckpointId(checkpoint),
                        attempt: Attempt(attempt),
                    }),
                    savepoint,
                    deadline: deadline.map(|seconds| Timestamp::from_second(seconds).unwrap()),
                    reason,
                    blue: one,
                    green: other,
                    is_first_deployment: first,
                    deletion_delay_ms: delay,
                }
            },
        )
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(record in records()) {
        let data = encode(&record);
        prop_assert_eq!(decode(&data), Ok(record));
        prop_assert!(data.keys().all(|key| codec::KEYS.contains(&key.as_str())));
    }

    #[test]
    fn any_data_is_read_or_refused(
        record in records(),
        key in proptest::sample::select(codec::KEYS),
        value in ".{0,12}",
        remove in any::<bool>(),
    ) {
        let mut data = encode(&record);
        if remove {
            data.remove(key);
        } else {
            data.insert(key.to_owned(), value.clone());
        }
        if let Err(error) = decode(&data) {
            let told = error.to_string();
            // The one is nothing without the other, which a record without a fork lacks.
            let lacks_the_attempt = key == "fork-checkpoint" && told.contains("lacks the key \"fork-attempt\"");
            if lacks_the_attempt {
                return Ok(());
            }
            prop_assert!(told.contains(&format!("\"{key}\"")), "{told} does not name {key}");
            prop_assert!(remove || told.contains(&value), "{told} does not quote {value}");
        }
    }

    /// H never goes down, W is written once, and nothing but PREPARE can be given up by a coordinator.
    #[test]
    fn no_change_of_a_coordinator_leaves_the_table(record in records(), change in changes()) {
        for color in Color::BOTH {
            let next = record.with(color, &change);
            prop_assert!(record.phase.may_become(next.phase), "{:?} became {:?}", record.phase, next.phase);
            prop_assert_eq!(next.epoch, record.epoch);
            prop_assert_eq!(next.report(color.other()), record.report(color.other()));
        }
    }
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        reports().prop_map(|report| Change::Report { report }),
        (any::<i64>(), reports()).prop_map(|(highest, report)| Change::Publish {
            highest: EventTime::of(highest),
            report
        }),
        any::<i64>().prop_map(|cut| Change::Cut { cut: Cut(cut) }),
        reasons().prop_map(|reason| Change::Abort { reason }),
    ]
}

fn sample() -> BTreeMap<String, String> {
    [
        ("epoch", "3"),
        ("phase", "COMMIT"),
        ("cut", "1763756400000"),
        ("active", "BLUE"),
        ("active-created-for", "2"),
        ("incoming-created-for", "3"),
    ]
    .map(|(key, value)| (key.to_owned(), value.to_owned()))
    .into()
}

#[test]
fn a_record_that_a_person_damaged_is_refused_in_a_sentence() {
    let mut data = sample();
    data.insert("cut".to_owned(), "tomorrow".to_owned());
    assert_eq!(
        decode(&data).unwrap_err().to_string(),
        "the handover record has \"cut\": \"tomorrow\", which is not milliseconds since 1970"
    );
}

#[test]
fn commit_without_a_cut_is_no_record() {
    let mut data = sample();
    data.remove("cut");
    assert_eq!(
        decode(&data),
        Err(CodecError::Missing {
            key: "cut",
            expected: "milliseconds since 1970"
        })
    );
}

#[test]
fn keys_of_others_are_left_alone() {
    let mut data = sample();
    data.insert("somebody-elses".to_owned(), "?".to_owned());
    assert!(decode(&data).is_ok());
}

/// A job of an earlier Sluice reports no gates by themselves, and nothing of clocks.
#[test]
fn what_an_earlier_sluice_wrote_is_read() {
    let mut data = sample();
    let gates =
        r#"{"allReporting":true,"watermark":40,"highestDropped":45,"figures":{"emitted":1,"untimed":6}}"#;
    let report = format!(r#"{{"createdFor":3,"attempt":1,"incarnation":7,"gates":{gates}}}"#);
    data.insert("report.green".to_owned(), report);
    let record = decode(&data).unwrap();
    let gates = &record.green.as_ref().unwrap().gates;
    assert_eq!((gates.watermark, gates.figures.untimed), (Watermark(40), 6));
    assert_eq!((gates.figures.off_clock, gates.each.len()), (0, 0));
    assert_eq!(record.savepoint, None);
}

#[test]
fn people_who_watch_flip_504s_keys_see_where_it_stands() {
    let data = encode(&decode(&sample()).unwrap());
    assert_eq!(data["stage"], "TRANSITIONING");
    assert_eq!(data["active-deployment-type"], "BLUE");
    assert_eq!(data["is-first-deployment"], "false");
    assert_eq!(data["deployment-deletion-delay-ms"], "0");
}

/// The schema is written by hand. Where this fails, change `contract/record.schema.json` and `codec.rs` together.
#[test]
fn the_schema_names_what_the_codec_writes() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../../contract/record.schema.json")).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let named: BTreeSet<&str> = properties.keys().map(String::as_str).collect();
    assert_eq!(named, codec::KEYS.iter().copied().collect());
    for (key, property) in properties {
        assert_eq!(property["type"], "string", "a ConfigMap holds strings: {key}");
        assert!(property["description"].is_string(), "{key} has no description");
    }
    let words = |key: &str| -> Vec<String> {
        let listed = properties[key]["enum"].as_array().unwrap();
        listed.iter().map(|it| it.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(words("phase"), codec::PHASES);
    assert_eq!(words("stage"), codec::STAGES);
    for required in schema["required"].as_array().unwrap() {
        let mut data = sample();
        let key = required.as_str().unwrap();
        assert!(data.remove(key).is_some(), "the sample lacks {key}");
        assert!(decode(&data).is_err(), "{key} is required by the schema alone");
    }
}
