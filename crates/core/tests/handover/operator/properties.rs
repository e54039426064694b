//! Whatever stands in the record and whatever is observed: a decision is taken, and breaks no law.

use jiff::Timestamp;
use proptest::prelude::*;
use sluice_core::handover::operator::{
    Committables, Goal, Guarantee, JobObserved, JobState, Observed, Origin, Promise, Settings, decide, laws,
};
use sluice_core::handover::{
    AbortReason, Attempt, CheckpointId, Cut, Epoch, EventTime, Fork, HandoverRecord, Job, Passed, Phase,
    Restore, Seen, Version, Watermark,
};
use sluice_core::{Color, Fact};

use super::scene::{noon, report, seconds};

fn phases() -> impl Strategy<Value = Phase> {
    let highest = prop_oneof![Just(EventTime::NONE), (60_i64..110).prop_map(EventTime::of)];
    prop_oneof![
        Just(Phase::Stable),
        highest.clone().prop_map(|highest| Phase::Standby { highest }),
        (highest, proptest::option::of(80_i64..100)).prop_map(|(highest, cut)| Phase::Prepare {
            highest,
            cut: cut.map(Cut)
        }),
        Just(Phase::Commit { cut: Cut(91) }),
        Just(Phase::Sealed { cut: Cut(91) }),
        Just(Phase::Abort),
    ]
}

fn small() -> impl Strategy<Value = u64> {
    0_u64..4
}

prop_compose! {
    fn reports(color: Color)(
        created_for in small(),
        attempts in 1_u64..4,
        restored in proptest::option::of(8_u64..13),
        completed in proptest::option::of(9_u64..15),
        passed in proptest::option::of((small(), 11_u64..15)),
        all in proptest::bool::weighted(0.8),
        (watermark, idle) in (prop_oneof![Just(i64::MIN), 0_i64..20_000, Just(i64::MAX)], any::<bool>()),
        (untimed, off_clock, dropped) in (0_u64..2, 0_u64..2, 0_i64..120),
        heard in proptest::option::of(small()),
    ) -> sluice_core::handover::Report {
        let job = Job { color, created_for: Epoch(created_for) };
        let mut report = report(job);
        report.attempt = Attempt(attempts);
        report.restores = (1..=attempts)
            .map(|attempt| Restore { attempt: Attempt(attempt), checkpoint: restored.map(CheckpointId) })
            .collect();
        report.completed = completed.map(CheckpointId);
        report.passed = passed.map(|(epoch, checkpoint)| Passed {
            epoch: Epoch(epoch),
            checkpoint: CheckpointId(checkpoint),
        });
        report.gates.all_reporting = all;
        report.gates.heard = heard.map(Epoch);
        report.gates.watermark = Watermark(watermark);
        report.gates.highest_dropped = EventTime::of(dropped);
        let gate = &mut report.gates.each[0];
        gate.watermark = Watermark(watermark);
        gate.idle = idle;
        gate.figures.untimed = untimed;
        gate.figures.off_clock = off_clock;
        report
    }
}

fn states() -> impl Strategy<Value = JobState> {
    prop_oneof![
        Just(JobState::Starting {
            how: "CREATED".to_owned()
        }),
        any::<bool>().prop_map(|stable| JobState::Running {
            since: noon(),
            stable
        }),
        Just(JobState::Running {
            since: noon(),
            stable: true
        }),
        any::<(bool, bool)>().prop_map(|(savepoint, drained)| JobState::Stopped {
            savepoint: savepoint.then(|| "s3://savepoints/1".to_owned()),
            drained,
        }),
        Just(JobState::Finished),
        Just(JobState::Failed {
            why: "of something".to_owned()
        }),
    ]
}

fn jobs() -> impl Strategy<Value = Fact<JobObserved>> {
    let job = (
        small(),
        states(),
        any::<bool>(),
        proptest::option::of((11_u64..16, 0_u64..2, 0_u64..2)),
    );
    let job = job.prop_map(|(created_for, state, still, committables)| JobObserved {
        created_for: Epoch(created_for),
        state,
        still_since: still.then(|| noon() - seconds(60)),
        committables: committables.map_or(Fact::Absent, |(checkpoint, pending, failed)| {
            Fact::Present(Committables {
                checkpoint: CheckpointId(checkpoint),
                pending,
                failed,
            })
        }),
    });
    prop_oneof![
        1 => Just(Fact::Absent),
        1 => Just(Fact::Unknown("it was not asked".to_owned())),
        6 => job.prop_map(Fact::Present),
    ]
}

prop_compose! {
    fn records()(
        phase in phases(),
        (epoch, active, incoming) in (small(), small(), proptest::option::of(small())),
        blue in any::<bool>(),
        fork in proptest::option::of((9_u64..12, 1_u64..3)),
        deadline in proptest::option::of(-100_i64..100),
        one in proptest::option::weighted(0.9, reports(Color::Blue)),
        other in proptest::option::weighted(0.9, reports(Color::Green)),
        reason in prop_oneof![Just(None), Just(Some(AbortReason::Idle)), Just(Some(AbortReason::OutgoingLost))],
    ) -> HandoverRecord {
        HandoverRecord {
            epoch: Epoch(epoch),
            phase,
            active: Job { color: if blue { Color::Blue } else { Color::Green }, created_for: Epoch(active) },
            incoming: incoming.map(Epoch),
            fork: fork.map(|(checkpoint, attempt)| Fork {
                checkpoint: CheckpointId(checkpoint),
                attempt: Attempt(attempt),
            }),
            savepoint: None,
            deadline: deadline.map(|it| noon() + seconds(it)),
            reason,
            blue: one,
            green: other,
            is_first_deployment: false,
            deletion_delay_ms: 0,
        }
    }
}

fn goals() -> impl Strategy<Value = Goal> {
    let origin = prop_oneof![
        (9_u64..12, 1_u64..3, proptest::option::of(60_i64..110)).prop_map(
            |(checkpoint, attempt, highest)| {
                Origin::Fork {
                    fork: Fork {
                        checkpoint: CheckpointId(checkpoint),
                        attempt: Attempt(attempt),
                    },
                    highest: highest.map(EventTime::of),
                }
            }
        ),
        small().prop_map(|created_for| Origin::Standby {
            created_for: Epoch(created_for)
        }),
    ];
    prop_oneof![
        3 => (small(), origin).prop_map(|(epoch, origin)| Goal::HandOver { epoch: Epoch(epoch), origin }),
        1 => (small(), any::<bool>(), small(), any::<bool>()).prop_map(|(epoch, blue, created_for, savepoint)| {
            let color = if blue { Color::Blue } else { Color::Green };
            Goal::Active {
                epoch: Epoch(epoch),
                job: Job { color, created_for: Epoch(created_for) },
                savepoint: savepoint.then(|| "s3://savepoints/1".to_owned()),
            }
        }),
        1 => small().prop_map(|epoch| Goal::GiveUp { epoch: Epoch(epoch), why: "a person asked".to_owned() }),
    ]
}

fn guarantees() -> impl Strategy<Value = Guarantee> {
    prop_oneof![
        Just(Guarantee::None),
        Just(Guarantee::AtLeastOnce),
        Just(Guarantee::ExactlyOnceExceptLate),
        Just(Guarantee::ExactlyOnce),
    ]
}

prop_compose! {
    fn worlds()(
        record in records(),
        is_there in proptest::bool::weighted(0.95),
        goal in goals(),
        (blue, green) in (jobs(), jobs()),
        forced in proptest::option::weighted(0.2, small()),
        stated in guarantees(),
    ) -> Observed {
        Observed {
            record: if is_there {
                Fact::Present(Seen { version: Version(7), record })
            } else {
                Fact::Absent
            },
            goal,
            blue,
            green,
            forced: forced.map(Epoch),
            stated: Promise::of(stated),
        }
    }
}

prop_compose! {
    fn choices()(
        fallback in any::<bool>(),
        assume_deterministic in any::<bool>(),
        require in guarantees(),
        awaits_promotion in any::<bool>(),
        stays in any::<bool>(),
    ) -> Settings {
        Settings {
            fallback,
            assume_deterministic,
            require,
            awaits_promotion,
            deletion_delay: seconds(i64::from(stays)),
            ..Settings::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn no_decision_breaks_a_law(observed in worlds(), settings in choices(), later in -200_i64..1_000) {
        let now: Timestamp = noon() + seconds(later);
        let decision = decide(&observed, &settings, now);
        let violations = laws::check(&observed, &settings, &decision, now);
        prop_assert!(violations.is_empty(), "{violations:?}\n{decision:#?}");
        // What happens is said, and so is what does not.
        prop_assert_eq!(decision.write.is_some(), decision.event.is_some());
        for awaited in &decision.awaited {
            prop_assert!(!awaited.to_string().is_empty());
        }
    }

    /// Blue and green are names: with both swapped everywhere, the same is decided.
    #[test]
    fn colours_make_no_difference(observed in worlds(), settings in choices()) {
        let swap = |job: Job| Job { color: job.color.other(), ..job };
        let swap_record = |record: &HandoverRecord| HandoverRecord {
            active: swap(record.active),
            blue: record.green.clone(),
            green: record.blue.clone(),
            ..record.clone()
        };
        let mut swapped = observed.clone();
        swapped.record = observed.record.clone().map(|seen| Seen {
            record: swap_record(&seen.record),
            ..seen
        });
        swapped.blue = observed.green.clone();
        swapped.green = observed.blue.clone();
        if let Goal::Active { job, .. } = &mut swapped.goal {
            *job = swap(*job);
        }
        let one = decide(&observed, &settings, noon());
        let other = decide(&swapped, &settings, noon());
        let phase = |it: &sluice_core::handover::operator::Decision| {
            it.write.as_ref().map(|it| (it.record.phase, it.record.active.created_for, it.record.deadline))
        };
        prop_assert_eq!(phase(&one), phase(&other));
        prop_assert_eq!(one.requests.len(), other.requests.len());
        prop_assert_eq!(one.awaited.len(), other.awaited.len());
        prop_assert_eq!((one.until, one.wake), (other.until, other.wake));
    }
}
