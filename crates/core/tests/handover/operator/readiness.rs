//! What has to be so before PREPARE, one thing missing at a time; and what lowers the guarantee.

use sluice_core::handover::operator::{Guarantee, JobState};
use sluice_core::handover::{Attempt, CheckpointId, EventTime, Figures, Phase, Restore, Watermark};
use sluice_core::{Color, Fact};

use super::scene::{GREEN, Scene, running, seconds};

/// Takes one thing away, and what is awaited then.
type Missing = (&'static str, fn(&mut Scene), &'static str);

const MISSING: &[Missing] = &[
    (
        "the incoming child is not created yet",
        |scene| scene.observed.green = Fact::Absent,
        "green to be RUNNING and STABLE: it is not there",
    ),
    (
        "an earlier child of the colour is still there",
        |scene| scene.job(Color::Green).created_for = sluice_core::handover::Epoch(1),
        "green to be RUNNING and STABLE: it is not there",
    ),
    (
        "it comes up",
        |scene| {
            scene.job(Color::Green).state = JobState::Starting {
                how: "CREATED".to_owned(),
            }
        },
        "green to be RUNNING and STABLE: CREATED",
    ),
    (
        "it runs and is not STABLE yet",
        |scene| {
            scene.job(Color::Green).state = JobState::Running {
                since: scene.now,
                stable: false,
            };
        },
        "green to be RUNNING and STABLE: it runs since 2026-01-31T12:00:00Z and is not STABLE yet",
    ),
    (
        "its child could not be observed",
        |scene| scene.observed.green = Fact::Unknown("the API server is away".to_owned()),
        "what could not be observed of green: the API server is away",
    ),
    (
        "the active job restarts",
        |scene| {
            scene.job(Color::Blue).state = JobState::Starting {
                how: "RESTARTING".to_owned(),
            }
        },
        "blue to be RUNNING and STABLE: RESTARTING",
    ),
    (
        "no gate of it has reported",
        |scene| scene.change(|record| record.green = None),
        "the gates of green to report: nothing has come from it",
    ),
    (
        "the report is an earlier green job's",
        |scene| {
            scene.report(Color::Green, |it| {
                it.created_for = sluice_core::handover::Epoch(0);
            });
        },
        "the gates of green to report: nothing has come from it",
    ),
    (
        "the active job has no gates",
        |scene| scene.change(|record| record.blue = None),
        "the gates of blue to report: nothing has come from it",
    ),
    (
        "one gate has not reported since a restart",
        |scene| scene.report(Color::Green, |it| it.gates.all_reporting = false),
        "all gates of green to report",
    ),
    (
        "it has completed no checkpoint of its own",
        |scene| scene.report(Color::Green, |it| it.completed = Some(CheckpointId(10))),
        "a checkpoint of green since its last start",
    ),
    (
        "it has restarted since its last checkpoint",
        |scene| {
            scene.report(Color::Green, |it| {
                it.attempt = Attempt(2);
                it.restores.push(Restore {
                    attempt: Attempt(2),
                    checkpoint: Some(CheckpointId(12)),
                });
            });
        },
        "a checkpoint of green since its last start",
    ),
    (
        "the active job may go back to the fork",
        |scene| scene.report(Color::Blue, |it| it.completed = Some(CheckpointId(10))),
        "a checkpoint of blue that is newer than the savepoint of the fork (10)",
    ),
    (
        "it is behind by a millisecond more than is allowed",
        |scene| scene.report(Color::Blue, |it| it.gates.watermark = Watermark(5_081)),
        "green to catch up: its watermark is 5001 ms behind, 5000 ms are allowed",
    ),
    (
        "it sees no watermark",
        |scene| {
            scene.report(Color::Green, |it| {
                it.gates.watermark = Watermark::NONE;
                it.gates.each[0].watermark = Watermark::NONE;
            });
        },
        "a watermark at the sink orders of green",
    ),
    (
        "the active job writes records with timestamps and sees no watermark",
        |scene| {
            scene.report(Color::Blue, |it| {
                it.gates.watermark = Watermark::NONE;
                it.gates.each[0].watermark = Watermark::NONE;
                it.gates.each[0].name.clear();
            });
        },
        "a watermark at gate 0 of blue",
    ),
];

#[test]
fn each_thing_that_is_missing_is_awaited_by_name_and_given_up_at_the_deadline() {
    assert_eq!(Scene::standby().writes(), Some("PREPARE"), "nothing is missing");
    for (what, take_away, awaited) in MISSING {
        let mut scene = Scene::standby();
        take_away(&mut scene);
        let decision = scene.decide();
        assert_eq!(decision.write, None, "{what}");
        assert_eq!(scene.awaits(), *awaited, "{what}");
        assert_eq!(
            decision.until,
            scene.record().deadline,
            "{what}: there is a countdown"
        );
        scene.now += seconds(599);
        assert_eq!(scene.writes(), None, "{what}");
        scene.now += seconds(1);
        let why = scene.gives_up();
        assert!(
            why.starts_with("by 2026-01-31T12:10:00Z there was not: "),
            "{why}"
        );
        assert!(why.contains(awaited), "{what}: {why}");
    }
}

#[test]
fn as_far_behind_as_is_allowed_is_near_enough() {
    let mut scene = Scene::standby();
    scene.report(Color::Blue, |it| it.gates.watermark = Watermark(5_080));
    assert_eq!(scene.writes(), Some("PREPARE"));
}

#[test]
fn nothing_with_a_timestamp_was_ever_written_so_no_watermark_is_awaited() {
    let mut scene = Scene::standby();
    scene.report(Color::Blue, |it| it.gates.watermark = Watermark::NONE);
    scene.change(|record| {
        record.phase = Phase::Standby {
            highest: EventTime::NONE,
        }
    });
    assert_eq!(scene.writes(), Some("PREPARE"));
}

#[test]
fn a_person_has_as_much_time_to_promote_as_he_likes() {
    let mut scene = Scene::standby();
    scene.settings.awaits_promotion = true;
    assert_eq!(scene.awaits(), "a person to promote the switch");
    scene.now += seconds(100_000);
    assert_eq!((scene.writes(), scene.decide().until), (None, None));
    scene.report(Color::Green, |it| it.gates.all_reporting = false);
    assert_eq!(scene.writes(), Some("ABORT"), "it has to stay ready meanwhile");
}

#[test]
fn gates_that_keep_much_are_named_at_the_deadline() {
    let mut scene = Scene::standby();
    scene.report(Color::Green, |it| {
        it.gates.all_reporting = false;
        it.gates.figures.kept_bytes = 67_108_864;
    });
    scene.now += seconds(600);
    assert!(
        scene
            .gives_up()
            .ends_with("; the gates of green keep 67108864 bytes")
    );
}

#[test]
fn records_that_no_cut_can_divide_lower_the_guarantee_and_are_accepted_only_by_who_says_so() {
    for (color, untimed, off_clock, words) in [
        (
            Color::Blue,
            1,
            0,
            "records without a timestamp come to the sink orders of blue",
        ),
        (
            Color::Green,
            1,
            0,
            "records without a timestamp come to the sink orders of green",
        ),
        (Color::Blue, 0, 1, "are on another clock than its watermark"),
    ] {
        let mut scene = Scene::standby();
        scene.report(color, |it| {
            it.gates.each[0].figures.untimed = untimed;
            it.gates.each[0].figures.off_clock = off_clock;
        });
        let why = scene.gives_up();
        assert!(
            why.contains(
                "kubernetes.operator.bluegreen.handover.require is EXACTLY_ONCE_EXCEPT_LATE, and only AT_LEAST_ONCE can be had"
            ),
            "{why}"
        );
        assert!(
            why.contains(words) && why.contains("bluegreen.gate.watermark."),
            "{why}"
        );

        scene.settings.require = Guarantee::AtLeastOnce;
        let decision = scene.look();
        assert_eq!(scene.record().phase.name(), "PREPARE");
        assert_eq!(decision.guarantee.level, Guarantee::AtLeastOnce);
        // It does not get better by itself: a restart forgets what was counted.
        scene.report(color, |it| it.gates.each[0].figures = Figures::default());
        assert_eq!(scene.decide().guarantee.level, Guarantee::AtLeastOnce);
    }
}

#[test]
fn more_is_required_than_a_cut_in_event_time_can_give_so_nothing_is_begun() {
    let mut scene = Scene::begin();
    scene.settings.require = Guarantee::ExactlyOnce;
    assert_eq!(scene.writes(), None);
    assert!(
        scene
            .awaits()
            .contains("only EXACTLY_ONCE_EXCEPT_LATE can be had")
    );
}

#[test]
fn the_child_of_another_epoch_is_not_taken_for_the_incoming_job() {
    let mut scene = Scene::standby();
    let mut other = running(GREEN);
    other.created_for = sluice_core::handover::Epoch(7);
    scene.observed.green = Fact::Present(other);
    assert_eq!(scene.writes(), None);
}
