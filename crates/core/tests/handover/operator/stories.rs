//! Handovers from their beginning to their end, and what people do meanwhile.

use sluice_core::handover::operator::{Awaited, Goal, Request, Stands, Strategy};
use sluice_core::handover::{AbortReason, Attempt, CheckpointId, Epoch, EventTime, Passed, Phase, Restore};
use sluice_core::{Color, Fact, Wake};

use super::scene::{BLUE, FORK, GREEN, Scene, W, hand_over, noon, report, running, seconds, stopped};

#[test]
fn a_handover_goes_its_way_with_six_writes() {
    let mut scene = Scene::begin();
    let begun = scene.look();
    assert_eq!(begun.stands, Stands::Reversible);
    let record = scene.record();
    assert_eq!(
        (record.epoch, record.incoming, record.fork),
        (Epoch(2), Some(Epoch(2)), Some(FORK))
    );
    assert_eq!(record.deadline, Some(noon() + seconds(600)));
    assert_eq!(
        record.phase,
        Phase::Standby {
            highest: EventTime::NONE
        }
    );
    assert_eq!(begun.wake, Wake::Now);

    scene.change(|record| record.green = Some(report(GREEN)));
    scene.observed.green = Fact::Present(running(GREEN));
    scene.now += seconds(30);
    scene.look();
    assert_eq!(
        scene.record().phase,
        Phase::Prepare {
            highest: EventTime::NONE,
            cut: None
        }
    );
    assert_eq!(scene.record().deadline, Some(noon() + seconds(150)));
    assert_eq!(scene.awaits(), "the gates of blue to agree on the cut");

    scene.change(|record| {
        record.phase = Phase::Prepare {
            highest: EventTime::NONE,
            cut: Some(W),
        }
    });
    assert_eq!(scene.look().stands, Stands::Committed);
    assert_eq!(
        (scene.record().phase, scene.record().deadline),
        (Phase::Commit { cut: W }, None)
    );
    assert_eq!(
        scene.awaits(),
        "blue to be drained up to the cut 91 at a completed checkpoint: the watermark at the sink orders is 80"
    );

    let passed = |checkpoint| {
        Some(Passed {
            epoch: Epoch(2),
            checkpoint: CheckpointId(checkpoint),
        })
    };
    scene.report(Color::Blue, |it| it.passed = passed(14));
    assert_eq!(scene.look().requests, [Request::StopDrained { job: BLUE }]);
    assert_eq!(scene.record().phase, Phase::Commit { cut: W });
    scene.job(Color::Blue).state = stopped();
    scene.look();
    assert_eq!(scene.record().phase, Phase::Sealed { cut: W });
    assert!(scene.awaits().starts_with("green to pass the cut 91"));

    scene.report(Color::Green, |it| it.passed = passed(13));
    assert_eq!(scene.look().stands, Stands::HandedOver);
    let record = scene.record();
    assert_eq!(
        (record.phase, record.active, record.incoming),
        (Phase::Stable, GREEN, None)
    );
    assert_eq!((record.fork, record.deadline), (None, None));

    let after = scene.look();
    assert_eq!(
        (after.write, after.stands, after.wake),
        (None, Stands::HandedOver, Wake::OnChange)
    );
}

#[test]
fn a_user_gives_it_up_before_commit_and_waits_after_it() {
    let give_up = || Goal::GiveUp {
        epoch: Epoch(2),
        why: "a person asked for it".to_owned(),
    };
    for mut scene in [Scene::standby(), Scene::prepared()] {
        scene.observed.goal = give_up();
        assert_eq!(scene.gives_up(), "a person asked for it");
    }
    for mut scene in [Scene::committed(), Scene::drained(), Scene::sealed()] {
        let before = scene.decide();
        scene.observed.goal = give_up();
        assert_eq!(scene.decide(), before, "it goes on as if nothing had been said");
        assert_eq!(before.stands, Stands::Committed);
    }
}

#[test]
fn an_edit_takes_the_place_of_a_handover_before_commit_and_waits_after_it() {
    let next = Goal::HandOver {
        epoch: Epoch(3),
        origin: sluice_core::handover::operator::Origin::Fork {
            fork: FORK,
            highest: None,
        },
    };
    let mut scene = Scene::standby();
    scene.observed.goal = next.clone();
    scene.observed.green = Fact::Absent;
    assert_eq!(scene.gives_up(), "transition 3 takes its place");
    let phases: Vec<_> = (0..3)
        .map(|_| scene.look().write.unwrap().record.phase.name())
        .collect();
    assert_eq!(phases, ["ABORT", "STABLE", "STANDBY"]);
    assert_eq!(
        (scene.record().epoch, scene.record().incoming),
        (Epoch(3), Some(Epoch(3)))
    );
    assert_eq!(scene.record().reason, None);

    let mut scene = Scene::committed();
    scene.observed.goal = next;
    assert_eq!(scene.writes(), None);
    assert_eq!(scene.decide().stands, Stands::Committed);
}

#[test]
fn what_was_given_up_stays_so_until_something_else_is_wanted() {
    let mut scene = Scene::standby();
    scene.change(|record| {
        record.phase = Phase::Abort;
        record.reason = Some(AbortReason::HoldTimeout);
    });
    let decision = scene.decide();
    assert_eq!(decision.write, None);
    assert_eq!(decision.requests, [Request::Release { job: GREEN }]);
    assert_eq!(
        decision.stands,
        Stands::GivenUp {
            reason: Some(AbortReason::HoldTimeout)
        }
    );
    scene.observed.goal = Goal::Active {
        epoch: Epoch(2),
        job: BLUE,
        savepoint: None,
    };
    scene.look();
    let record = scene.record();
    assert_eq!(
        (record.phase, record.active, record.incoming),
        (Phase::Stable, BLUE, None)
    );
    scene.observed.goal = hand_over();
    assert_eq!(scene.decide().stands, Stands::GivenUp { reason: None });
    assert_eq!(scene.writes(), None, "the same transition is not begun twice");
}

#[test]
fn a_restart_behind_the_fork_starts_over_and_one_after_it_does_not() {
    let restart = |scene: &mut Scene, attempt: u64, checkpoint: Option<u64>| {
        scene.report(Color::Blue, |it| {
            it.attempt = Attempt(attempt);
            it.restores.push(Restore {
                attempt: Attempt(attempt),
                checkpoint: checkpoint.map(CheckpointId),
            });
        });
    };
    for scene in [Scene::standby(), Scene::prepared()] {
        for checkpoint in [Some(9), None] {
            let mut scene = scene.clone();
            restart(&mut scene, 2, checkpoint);
            scene.look();
            let reason = AbortReason::BehindFork {
                attempt: Some(Attempt(2)),
            };
            assert_eq!(scene.record().reason, Some(reason));
            let requests = scene.decide().requests;
            assert!(requests.contains(&Request::StartOver {
                strategy: Strategy::Watermark
            }));
        }
        let mut unknown = scene.clone();
        restart(&mut unknown, 3, Some(12));
        unknown.look();
        assert_eq!(
            unknown.record().reason,
            Some(AbortReason::BehindFork { attempt: None })
        );
        let mut onward = scene.clone();
        let before = onward.writes();
        restart(&mut onward, 2, Some(12));
        assert_eq!(onward.writes(), before);
    }
}

/// H is raised to all that the fork's gates had emitted before anything is dropped.
#[test]
fn a_job_that_is_assumed_deterministic_may_go_back_behind_the_fork() {
    use sluice_core::handover::operator::Origin;
    let mut scene = Scene::begin();
    scene.settings.assume_deterministic = true;
    let origin = |highest| Goal::HandOver {
        epoch: Epoch(2),
        origin: Origin::Fork { fork: FORK, highest },
    };
    scene.observed.goal = origin(Some(EventTime::of(70)));
    scene.look();
    assert_eq!(
        scene.record().phase,
        Phase::Standby {
            highest: EventTime::of(70)
        }
    );
    scene.observed.green = Fact::Present(running(GREEN));
    scene.change(|record| record.green = Some(report(GREEN)));
    scene.report(Color::Blue, |it| {
        it.attempt = Attempt(2);
        it.restores.push(Restore {
            attempt: Attempt(2),
            checkpoint: None,
        });
        it.completed = Some(CheckpointId(10));
    });
    assert_eq!(
        scene.awaits(),
        "a checkpoint of blue that is newer than the savepoint of the fork (10)"
    );
    scene.report(Color::Blue, |it| it.completed = Some(CheckpointId(11)));
    assert_eq!(scene.writes(), Some("PREPARE"));
    // What the fork's gates had emitted could not be read: then it is as if nothing were assumed.
    scene.observed.goal = origin(None);
    assert!(scene.gives_up().contains("older than the savepoint"));
}

#[test]
fn where_nothing_moves_strategy_savepoint_takes_over_unless_the_user_says_otherwise() {
    let idle = |scene: &mut Scene| scene.report(Color::Blue, |it| it.gates.each[0].idle = true);
    let mut scene = Scene::standby();
    idle(&mut scene);
    // The incoming job has no watermark either; that would keep it waiting for ever.
    scene.report(Color::Green, |it| {
        it.gates.watermark = sluice_core::handover::Watermark::NONE;
    });
    scene.look();
    assert_eq!(scene.record().reason, Some(AbortReason::Idle));
    let requests = scene.decide().requests;
    assert_eq!(
        requests,
        [
            Request::Release { job: GREEN },
            Request::StartOver {
                strategy: Strategy::Savepoint
            }
        ]
    );

    let mut otherwise = Scene::standby();
    idle(&mut otherwise);
    otherwise.settings.fallback = false;
    assert_eq!(otherwise.writes(), Some("PREPARE"));

    let mut one_of_two = Scene::standby();
    one_of_two.report(Color::Blue, |it| {
        it.gates.each[0].idle = true;
        it.gates.each.push(super::scene::gate());
    });
    assert_eq!(
        one_of_two.writes(),
        Some("PREPARE"),
        "the other gate's input moves"
    );

    let mut not_up_yet = Scene::standby();
    idle(&mut not_up_yet);
    not_up_yet.observed.green = Fact::Absent;
    assert_eq!(
        not_up_yet.writes(),
        None,
        "the incoming cluster is awaited all the same"
    );
}

/// A source that was never told to mark itself idle does not say that it is.
#[test]
fn input_that_has_stood_still_for_long_enough_counts_as_idle() {
    let mut scene = Scene::standby();
    scene.job(Color::Blue).still_since = Some(scene.now - seconds(29));
    assert_eq!(scene.writes(), Some("PREPARE"));
    scene.now += seconds(1);
    assert_eq!(scene.writes(), Some("ABORT"));
}

#[test]
fn the_active_job_is_lost_before_commit_so_the_incoming_one_is_never_opened() {
    use sluice_core::handover::operator::JobState;
    for scene in [Scene::standby(), Scene::prepared()] {
        for is_there in [false, true] {
            let mut scene = scene.clone();
            if is_there {
                scene.job(Color::Blue).state = JobState::Failed {
                    why: "its disk is full".to_owned(),
                };
            } else {
                scene.observed.blue = Fact::Absent;
            }
            scene.look();
            assert_eq!(scene.record().reason, Some(AbortReason::OutgoingLost));
            let requests = scene.decide().requests;
            assert!(requests.contains(&Request::StartOver {
                strategy: Strategy::FromLastCheckpoint
            }));
        }
    }
}

#[test]
fn nobody_is_to_take_over_while_records_are_kept_back_so_it_is_given_up_at_once() {
    let mut scene = Scene::prepared();
    scene.observed.green = Fact::Absent;
    assert_eq!(scene.gives_up(), "green cannot take over: it is not there");
    let mut scene = Scene::prepared();
    scene.report(Color::Green, |it| it.gates.all_reporting = false);
    assert_eq!(scene.awaits(), "all gates of green to report");
    scene.now += seconds(120);
    assert!(
        scene
            .gives_up()
            .starts_with("by 2026-01-31T12:02:00Z there was not: all gates of green")
    );
}

#[test]
fn a_record_that_cannot_be_read_is_waited_for() {
    let mut scene = Scene::committed();
    scene.observed.record = Fact::Unknown("the API server does not answer".to_owned());
    assert_eq!(
        scene.awaits(),
        "the handover record to be readable: the API server does not answer"
    );
}

#[test]
fn a_record_that_was_deleted_is_made_anew_only_where_nothing_can_be_under_way() {
    let mut scene = Scene::committed();
    scene.observed.record = Fact::Absent;
    let decision = scene.decide();
    assert_eq!(decision.write, None);
    assert!(matches!(decision.awaited[..], [Awaited::Person { .. }]));

    scene.observed.goal = Goal::Active {
        epoch: Epoch(1),
        job: BLUE,
        savepoint: None,
    };
    let write = scene.decide().write.unwrap();
    assert_eq!(write.expected, None);
    assert_eq!(
        (write.record.active, write.record.is_first_deployment),
        (BLUE, true)
    );
}

#[test]
fn a_record_that_somebody_has_spoilt_is_given_up_or_left_to_a_person() {
    let mut scene = Scene::standby();
    scene.change(|record| record.incoming = None);
    assert_eq!(scene.gives_up(), "the handover record names no incoming job");
    let mut scene = Scene::drained();
    scene.change(|record| record.incoming = None);
    assert_eq!(
        scene.awaits(),
        "the handover record to be readable: it says COMMIT and names no incoming job"
    );
    assert_eq!(scene.decide().requests, []);
}

#[test]
fn an_operator_that_was_overtaken_stops() {
    let mut scene = Scene::standby();
    scene.change(|record| record.epoch = Epoch(3));
    assert_eq!(
        scene.awaits(),
        "nothing: the handover record is about transition 3 by now"
    );
    assert_eq!(scene.writes(), None);
}

/// One write makes the other job active, and names what it starts from; in both directions.
#[test]
fn strategy_savepoint_hands_over_with_one_write_and_back_with_another() {
    use sluice_core::handover::Told;
    let mut scene = Scene::begin();
    scene.observed.goal = Goal::Active {
        epoch: Epoch(2),
        job: GREEN,
        savepoint: Some("file:/savepoints/2-1".to_owned()),
    };
    assert_eq!(scene.awaits(), "blue to be stopped");
    scene.observed.blue = Fact::Unknown("its JobManager does not answer".to_owned());
    assert_eq!(
        scene.awaits(),
        "what could not be observed of blue: its JobManager does not answer"
    );
    assert_eq!(
        scene.record().told(GREEN),
        Told::Nothing,
        "it waits before it is submitted"
    );

    scene.observed.blue = Fact::Present(running(BLUE));
    scene.job(Color::Blue).state = stopped();
    scene.look();
    let record = scene.record();
    assert_eq!((record.phase, record.active), (Phase::Stable, GREEN));
    assert_eq!(record.savepoint.as_deref(), Some("file:/savepoints/2-1"));
    assert_eq!(record.told(BLUE), Told::Stranger);
    assert_eq!(scene.writes(), None);

    // It does not come up: the outgoing version resumes.
    scene.observed.green = Fact::Present(running(GREEN));
    scene.observed.goal = Goal::Active {
        epoch: Epoch(2),
        job: BLUE,
        savepoint: Some("file:/savepoints/2-1".to_owned()),
    };
    assert_eq!(scene.awaits(), "green to be stopped");
    scene.observed.green = Fact::Absent;
    scene.look();
    assert_eq!(scene.record().active, BLUE);
    assert_eq!(
        scene.record().told(GREEN),
        Told::Stranger,
        "it stays closed for ever"
    );
}

/// `sluice rollback`: the standby takes over again, with no fork.
#[test]
fn a_standby_is_handed_back_to_once_the_active_job_has_come_to_where_it_stopped() {
    use sluice_core::handover::operator::Origin;
    let mut scene = Scene::sealed();
    scene.report(Color::Green, |it| {
        it.passed = Some(Passed {
            epoch: Epoch(2),
            checkpoint: CheckpointId(13),
        });
    });
    scene.look();
    scene.observed.goal = Goal::HandOver {
        epoch: Epoch(3),
        origin: Origin::Standby {
            created_for: Epoch(1),
        },
    };
    scene.look();
    let record = scene.record();
    assert_eq!(
        (record.active, record.incoming_job(), record.fork),
        (GREEN, Some(BLUE), None)
    );
    scene.observed.blue = Fact::Present(running(BLUE));
    scene.report(Color::Green, |it| it.gates.heard = Some(Epoch(3)));
    // What the gates said before they heard of this transition leaves out what they have dropped since.
    scene.report(Color::Blue, |it| {
        it.gates.highest_dropped = EventTime::of(100);
        it.gates.heard = Some(Epoch(2));
        it.restores[0].checkpoint = Some(CheckpointId(11));
    });
    scene.change(|record| {
        record.phase = Phase::Standby {
            highest: EventTime::of(119),
        }
    });
    assert_eq!(scene.awaits(), "all gates of blue to report");
    scene.report(Color::Blue, |it| {
        it.gates.highest_dropped = EventTime::of(120);
        it.gates.heard = Some(Epoch(3));
    });
    assert_eq!(
        scene.awaits(),
        "the active job to come to where blue stopped writing"
    );
    scene.change(|record| {
        record.phase = Phase::Standby {
            highest: EventTime::of(120),
        }
    });
    assert_eq!(scene.writes(), Some("PREPARE"));
}
