//! After COMMIT: only forward, whatever happens.

use sluice_core::handover::operator::{
    Committables, Farewell, Guarantee, JobState, Request, Stands, farewell,
};
use sluice_core::handover::{CheckpointId, Epoch, Job, Ordering, Phase};
use sluice_core::{Color, Fact};

use super::scene::{BLUE, GREEN, Scene, W, all_committed, running, seconds, stopped};

#[test]
fn no_time_is_long_enough_to_give_up_after_commit() {
    for mut scene in [Scene::committed(), Scene::drained(), Scene::sealed()] {
        scene.now += seconds(1_000_000);
        let decision = scene.decide();
        assert_eq!((decision.write, decision.until), (None, None));
        assert!(!decision.awaited.is_empty());
    }
}

#[test]
fn a_hot_standby_is_sealed_when_its_sinks_have_committed_the_checkpoint_that_proves_it() {
    let mut scene = Scene::drained();
    scene.settings.deletion_delay = seconds(60);
    assert_eq!(scene.awaits(), "the sinks of blue to commit what they wrote");
    scene.job(Color::Blue).committables = all_committed(13);
    assert_eq!(
        scene.awaits(),
        "the sinks of blue to commit what they wrote: 0 pending"
    );
    scene.job(Color::Blue).committables = Fact::Present(Committables {
        checkpoint: CheckpointId(14),
        pending: 3,
        failed: 0,
    });
    assert_eq!(
        scene.awaits(),
        "the sinks of blue to commit what they wrote: 3 pending"
    );
    assert_eq!(scene.decide().requests, [], "it is not stopped");
    scene.job(Color::Blue).committables = all_committed(14);
    assert_eq!(scene.writes(), Some("SEALED"));
}

#[test]
fn what_sinks_give_up_is_lost_and_said_and_the_job_is_stopped_instead() {
    let mut scene = Scene::drained();
    scene.settings.deletion_delay = seconds(60);
    scene.job(Color::Blue).committables = Fact::Present(Committables {
        checkpoint: CheckpointId(14),
        pending: 0,
        failed: 1,
    });
    let decision = scene.decide();
    assert_eq!(decision.guarantee.level, Guarantee::None);
    assert_eq!(decision.requests, [Request::StopDrained { job: BLUE }]);
    scene.job(Color::Blue).state = stopped();
    assert_eq!(scene.writes(), Some("SEALED"));
}

#[test]
fn the_active_job_is_stopped_only_when_it_has_passed_the_cut() {
    let scene = Scene::committed();
    assert_eq!(scene.decide().requests, []);
    let mut of_another_epoch = Scene::drained();
    of_another_epoch.report(Color::Blue, |it| it.passed.as_mut().unwrap().epoch = Epoch(1));
    assert_eq!(of_another_epoch.decide().requests, []);
}

#[test]
fn a_job_that_the_handover_cannot_end_without_is_brought_back() {
    let failed = || JobState::Failed {
        why: "its disk is full".to_owned(),
    };
    let undrained = || JobState::Stopped {
        savepoint: Some("file:/savepoints/by-hand".to_owned()),
        drained: false,
    };
    for state in [failed(), undrained()] {
        for mut scene in [Scene::committed(), Scene::drained()] {
            scene.job(Color::Blue).state = state.clone();
            let decision = scene.decide();
            assert_eq!(
                (decision.write, decision.requests),
                (None, vec![Request::Resume { job: BLUE }])
            );
        }
        for mut scene in [Scene::committed(), Scene::sealed()] {
            scene.job(Color::Green).state = state.clone();
            let decision = scene.decide();
            assert_eq!(
                (decision.write, decision.requests),
                (None, vec![Request::Resume { job: GREEN }])
            );
        }
    }
    let mut gone = Scene::committed();
    gone.observed.blue = Fact::Absent;
    assert_eq!(gone.decide().requests, [Request::Resume { job: BLUE }]);
    assert_eq!(gone.awaits(), "blue to be back: it is not there");
    let mut unknown = Scene::drained();
    unknown.observed.blue = Fact::Unknown("the API server is away".to_owned());
    assert_eq!((unknown.writes(), unknown.decide().requests), (None, Vec::new()));
}

#[test]
fn a_person_seals_by_force_and_is_told_what_may_be_missing() {
    let mut scene = Scene::committed();
    scene.observed.forced = Some(Epoch(1));
    assert_eq!(scene.writes(), None, "that was another handover");
    scene.observed.forced = Some(Epoch(2));
    let decision = scene.look();
    assert_eq!(scene.record().phase, Phase::Sealed { cut: W });
    assert_eq!(decision.guarantee.level, Guarantee::None);
    let why = &decision.guarantee.lowered.last().unwrap().why;
    assert!(why.ends_with("the watermark at the sink orders is 80"), "{why}");

    let mut too_early = Scene::prepared();
    too_early.observed.forced = Some(Epoch(2));
    assert_eq!(too_early.writes(), Some("COMMIT"), "it forces nothing else");
}

#[test]
fn a_job_that_was_drained_too_early_needs_a_person() {
    let mut scene = Scene::committed();
    scene.job(Color::Blue).state = stopped();
    assert_eq!(scene.writes(), None);
    assert!(
        scene
            .awaits()
            .starts_with("a person: blue was drained by someone before")
    );
    scene.observed.forced = Some(Epoch(2));
    assert_eq!(scene.writes(), Some("SEALED"));
}

/// A job with bounded input ends by itself, and its last checkpoint may never have been reported.
#[test]
fn a_job_that_has_finished_has_written_and_committed_everything() {
    let mut scene = Scene::committed();
    scene.job(Color::Blue).state = JobState::Finished;
    assert_eq!(scene.writes(), Some("SEALED"));
    let mut scene = Scene::sealed();
    scene.job(Color::Green).state = JobState::Finished;
    assert_eq!(scene.writes(), Some("STABLE"));
    let mut before = Scene::standby();
    before.job(Color::Blue).state = JobState::Finished;
    assert_eq!(before.gives_up(), "blue does not run any more: it has finished");
}

#[test]
fn strict_ordering_says_what_the_draining_holds_up() {
    let mut scene = Scene::committed();
    scene.settings.ordering = Ordering::Strict;
    assert!(
        scene
            .awaits()
            .ends_with("; nothing from the cut on is written until then")
    );
}

#[test]
fn a_job_goes_only_when_nothing_of_its_output_can_be_missing() {
    let there = |state: JobState| {
        let mut job = running(BLUE);
        job.state = state;
        Fact::Present(job)
    };
    let runs = || Fact::Present(running(BLUE));
    let drained = || there(stopped());
    for (scene, stays) in [
        (Scene::begin(), Farewell::Stays),
        (Scene::standby(), Farewell::Stays),
        (Scene::prepared(), Farewell::Stays),
        (Scene::committed(), Farewell::Stays),
        (Scene::drained(), Farewell::Stays),
        (Scene::sealed(), Farewell::DrainFirst),
    ] {
        let record = scene.record();
        assert_eq!(farewell(record, BLUE, &runs()), stays, "{}", record.phase);
        let gone = if stays == Farewell::DrainFirst {
            Farewell::MayGo
        } else {
            stays
        };
        assert_eq!(farewell(record, BLUE, &drained()), gone, "{}", record.phase);
        assert_eq!(
            farewell(record, GREEN, &Fact::Unknown("?".to_owned())),
            Farewell::Stays,
            "{}",
            record.phase
        );
    }
    // Replaced: the standby is drained before it goes, as it may have files open.
    let mut over = Scene::sealed();
    over.job(Color::Green).state = JobState::Finished;
    assert_eq!(over.look().stands, Stands::HandedOver);
    assert_eq!(farewell(over.record(), BLUE, &runs()), Farewell::DrainFirst);
    assert_eq!(farewell(over.record(), BLUE, &drained()), Farewell::MayGo);
    assert_eq!(farewell(over.record(), BLUE, &Fact::Absent), Farewell::MayGo);
    // Given up: it has never written.
    let mut given_up = Scene::standby();
    given_up.change(|record| record.phase = Phase::Abort);
    assert_eq!(
        farewell(given_up.record(), GREEN, &Fact::Unknown("?".to_owned())),
        Farewell::MayGo
    );
    assert_eq!(farewell(given_up.record(), BLUE, &runs()), Farewell::Stays);
    let later = Job {
        color: Color::Green,
        created_for: Epoch(9),
    };
    assert_eq!(farewell(given_up.record(), later, &runs()), Farewell::Stays);
}
