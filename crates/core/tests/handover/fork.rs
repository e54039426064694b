//! Whether the outgoing job still contains what the incoming one was forked from.

use sluice_core::handover::{Attempt, CheckpointId, Epoch, Fork, Incarnation, Lineage, Report};

const FORK: Fork = Fork {
    checkpoint: CheckpointId(5),
    attempt: Attempt(1),
};

/// The report of a job that was started once for each of these checkpoints.
fn restored(checkpoints: &[Option<u64>]) -> Report {
    let mut report: Option<Report> = None;
    for (attempt, checkpoint) in (1..).zip(checkpoints) {
        report = Some(Report::of_new_attempt(
            report.as_ref(),
            Epoch(0),
            Attempt(attempt),
            Incarnation(attempt),
            checkpoint.map(CheckpointId),
        ));
    }
    report.unwrap()
}

#[test]
fn a_restart_before_the_fork_does_not_matter() {
    let report = restored(&[Some(2)]);
    assert_eq!(FORK.lineage(&report), Lineage::Onward);
    assert!(
        !FORK.is_settled(&report),
        "nothing newer than the fork was completed"
    );
}

#[test]
fn a_restart_from_a_newer_checkpoint_loses_nothing() {
    let report = restored(&[None, Some(6)]);
    assert_eq!(FORK.lineage(&report), Lineage::Onward);
    assert!(FORK.is_settled(&report));
}

#[test]
fn a_restart_from_the_fork_itself_is_onward_but_settles_nothing() {
    let report = restored(&[None, Some(5)]);
    assert_eq!(FORK.lineage(&report), Lineage::Onward);
    assert!(!FORK.is_settled(&report));
}

#[test]
fn one_restart_from_an_older_checkpoint_is_never_made_up_for() {
    let report = restored(&[None, Some(4), Some(9)]);
    assert_eq!(FORK.lineage(&report), Lineage::Behind(Attempt(2)));
    assert!(!FORK.is_settled(&report));
}

#[test]
fn a_restart_from_nothing_is_behind() {
    let report = restored(&[Some(1), None]);
    assert_eq!(FORK.lineage(&report), Lineage::Behind(Attempt(2)));
}

#[test]
fn more_restarts_than_are_remembered_are_not_trusted() {
    let report = restored(&[Some(6); 10]);
    assert_eq!(FORK.lineage(&report), Lineage::Unknown);
    assert!(!FORK.is_settled(&report));
}

#[test]
fn a_report_of_an_attempt_before_the_fork_is_not_trusted() {
    let fork = Fork {
        attempt: Attempt(3),
        ..FORK
    };
    assert_eq!(fork.lineage(&restored(&[Some(6)])), Lineage::Unknown);
}
