//! The laws of the operator's side, as pure checks over what was observed and what was decided.
//!
//! They know nothing of how a decision is made. The tests use them, the model does, and a shell can before it acts: a decision that
//! breaks one is not carried out.

use std::fmt;

use jiff::Timestamp;

use super::decision::{Decision, Request, Write};
use super::observed::{JobObserved, JobState, Observed, Origin, Settings};
use super::{Goal, decide};
use crate::handover::{HandoverRecord, Job, Lineage, Phase, Report, Seen};
use crate::{Fact, Wake};

/// A law that a decision breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The law.
    pub law: Law,
    /// What breaks it.
    pub detail: String,
}

/// The laws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Law {
    /// A write is conditional on the version that was read.
    Conditional,
    /// The phase moves along its table, and only a STABLE record goes on to another epoch, or another active job without a cut.
    Table,
    /// The epoch never goes down.
    EpochGrows,
    /// H and W are the outgoing coordinator's, reports their coordinators'. No phase is left with a number that was not read.
    OthersWords,
    /// PREPARE only where the active job cannot go back behind the fork.
    SettledFork,
    /// SEALED only where the active job has passed the cut and committed its output, or a person forces it.
    SealedWhenCommitted,
    /// The incoming job becomes the active one only when it has passed the cut.
    ActiveWhenPassed,
    /// Without a cut, a job becomes the active one only where the present one does not run.
    OneWriter,
    /// What is requested follows from the record as read.
    RecordBeforeRequest,
    /// The active job is stopped only after COMMIT, when it has passed the cut.
    ActiveJobStays,
    /// A deadline exactly before COMMIT, while something is awaited that can come by itself.
    DeadlineBeforeCommit,
    /// Nothing raises a guarantee, and below what the user requires nothing is committed.
    Guarantee,
    /// Deciding again on the same, with the record written, writes the same phase no second time.
    SecondLook,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.law, self.detail)
    }
}

/// Everything that is wrong with a decision; empty if nothing is.
pub fn check(
    observed: &Observed,
    settings: &Settings,
    decision: &Decision,
    now: Timestamp,
) -> Vec<Violation> {
    let mut found = Found(Vec::new());
    let read = observed.record.present();
    if let Some(write) = &decision.write {
        found.unless(
            write.expected == read.map(|it| it.version),
            Law::Conditional,
            "the condition is another version than the one that was read",
        );
        found.unless(
            decision.requests.is_empty(),
            Law::RecordBeforeRequest,
            "something is requested together with a write",
        );
        match read {
            Some(seen) => of_write(observed, settings, seen, write, &mut found),
            None => of_first_write(observed, write, &mut found),
        }
        second_look(observed, settings, write, now, &mut found);
    }
    for request in &decision.requests {
        of_request(read, request, &mut found);
    }
    deadline(read, decision, now, &mut found);
    found.unless(
        decision.guarantee.level <= observed.stated.level,
        Law::Guarantee,
        "the guarantee is better than it was stated before",
    );
    let commits = |write: &Write| matches!(write.record.phase, Phase::Commit { .. });
    if decision.write.as_ref().is_some_and(commits) {
        found.unless(
            decision.guarantee.level >= settings.require,
            Law::Guarantee,
            "COMMIT is written though less can be had than the user requires",
        );
    }
    found.0
}

struct Found(Vec<Violation>);

impl Found {
    fn unless(&mut self, holds: bool, law: Law, detail: &str) {
        if !holds {
            self.0.push(Violation {
                law,
                detail: detail.to_owned(),
            });
        }
    }
}

fn of_first_write(observed: &Observed, write: &Write, found: &mut Found) {
    found.unless(
        observed.record.is_absent()
            && write.record.phase == Phase::Stable
            && matches!(observed.goal, Goal::Active { .. }),
        Law::Table,
        "a record is made though one may be there, or something may be under way",
    );
}

fn of_write(observed: &Observed, settings: &Settings, seen: &Seen, write: &Write, found: &mut Found) {
    let (before, after) = (&seen.record, &write.record);
    found.unless(
        after.epoch >= before.epoch,
        Law::EpochGrows,
        "the epoch goes down",
    );
    let same_epoch = after.epoch == before.epoch;
    let moves = if same_epoch {
        before.phase.may_become(after.phase)
    } else {
        before.phase == Phase::Stable && matches!(after.phase, Phase::Stable | Phase::Standby { .. })
    };
    found.unless(moves, Law::Table, "the phase leaves its table");
    found.unless(
        before.blue == after.blue && before.green == after.green,
        Law::OthersWords,
        "a coordinator's report is changed",
    );
    let keeps_numbers = match (before.phase, after.phase) {
        (Phase::Standby { highest }, Phase::Standby { highest: next }) => highest == next,
        (Phase::Prepare { cut, .. }, Phase::Prepare { cut: next, .. }) => cut == next,
        _ => true,
    };
    found.unless(keeps_numbers, Law::OthersWords, "H or W is changed");
    match after.phase {
        Phase::Prepare { .. } => found.unless(
            fork_is_settled(observed, settings, before),
            Law::SettledFork,
            "PREPARE is written though the active job may go back behind the fork",
        ),
        Phase::Sealed { .. } => found.unless(
            observed.forced == Some(before.epoch)
                || output_is_committed(before, observed.job(before.active.color)),
            Law::SealedWhenCommitted,
            "SEALED is written though output may be missing",
        ),
        Phase::Stable | Phase::Standby { .. } | Phase::Commit { .. } | Phase::Abort => {}
    }
    if after.active != before.active {
        of_new_active_job(observed, before, after, found);
    }
}

fn of_new_active_job(
    observed: &Observed,
    before: &HandoverRecord,
    after: &HandoverRecord,
    found: &mut Found,
) {
    if let Phase::Sealed { .. } = before.phase {
        let incoming = before.incoming_job();
        let passed = incoming.is_some_and(|job| {
            passed(before, job) || state(observed.job(job.color), job) == Some(&JobState::Finished)
        });
        found.unless(
            incoming == Some(after.active) && passed,
            Law::ActiveWhenPassed,
            "a job becomes active that has not passed the cut",
        );
    } else {
        let present = before.active;
        let runs = match observed.job(present.color) {
            Fact::Unknown(_) => true,
            Fact::Absent => false,
            Fact::Present(_) => matches!(
                state(observed.job(present.color), present),
                Some(JobState::Running { .. } | JobState::Starting { .. })
            ),
        };
        found.unless(
            !runs && before.phase == Phase::Stable && after.phase == Phase::Stable,
            Law::OneWriter,
            "another job becomes active while the present one may run",
        );
    }
}

fn report(record: &HandoverRecord, job: Job) -> Option<&Report> {
    record
        .report(job.color)
        .filter(|it| it.created_for == job.created_for)
}

fn passed(record: &HandoverRecord, job: Job) -> bool {
    let proof = report(record, job).and_then(|it| it.passed);
    proof.is_some_and(|it| it.epoch == record.epoch)
}

fn state(observed: &Fact<JobObserved>, job: Job) -> Option<&JobState> {
    let observed = observed.present()?;
    (observed.created_for == job.created_for).then_some(&observed.state)
}

fn fork_is_settled(observed: &Observed, settings: &Settings, record: &HandoverRecord) -> bool {
    let Some(fork) = record.fork else {
        return true;
    };
    let Some(report) = report(record, record.active) else {
        return false;
    };
    let named = match &observed.goal {
        Goal::HandOver {
            origin: Origin::Fork { highest, .. },
            ..
        } => *highest,
        Goal::HandOver { .. } | Goal::Active { .. } | Goal::GiveUp { .. } => None,
    };
    let assumed = settings.assume_deterministic && named.is_some_and(|it| record.phase.highest() >= it);
    report.completed > Some(fork.checkpoint) && (fork.lineage(report) == Lineage::Onward || assumed)
}

fn output_is_committed(record: &HandoverRecord, observed: &Fact<JobObserved>) -> bool {
    let job = record.active;
    let proof = report(record, job)
        .and_then(|it| it.passed)
        .map(|it| it.checkpoint);
    match state(observed, job) {
        Some(JobState::Finished) => true,
        Some(JobState::Stopped {
            savepoint: Some(_),
            drained: true,
        }) => passed(record, job),
        Some(JobState::Running { .. } | JobState::Starting { .. }) => {
            let committables = observed.present().and_then(|it| it.committables.present());
            let done = committables
                .is_some_and(|it| it.pending == 0 && it.failed == 0 && Some(it.checkpoint) >= proof);
            passed(record, job) && done
        }
        Some(JobState::Stopped { .. } | JobState::Failed { .. }) | None => false,
    }
}

fn of_request(read: Option<&Seen>, request: &Request, found: &mut Found) {
    let Some(Seen { record, .. }) = read else {
        found.unless(
            false,
            Law::RecordBeforeRequest,
            "something is requested without a record",
        );
        return;
    };
    let is_past_no_return = matches!(record.phase, Phase::Commit { .. } | Phase::Sealed { .. });
    match request {
        Request::StopDrained { job } => found.unless(
            is_past_no_return && record.active == *job && passed(record, *job),
            Law::ActiveJobStays,
            "a job is to be stopped that has not handed over what it is to write",
        ),
        Request::Resume { job } => found.unless(
            is_past_no_return && (record.active == *job || record.incoming_job() == Some(*job)),
            Law::RecordBeforeRequest,
            "a job is to be brought back without which the handover can go on",
        ),
        Request::Release { job } => found.unless(
            record.phase == Phase::Abort && record.active != *job,
            Law::ActiveJobStays,
            "a job is released that was not given up",
        ),
        Request::StartOver { .. } => found.unless(
            record.phase == Phase::Abort,
            Law::RecordBeforeRequest,
            "another transition is to begin while this one is under way",
        ),
    }
}

fn deadline(read: Option<&Seen>, decision: &Decision, now: Timestamp, found: &mut Found) {
    let phase = read.map(|it| it.record.phase);
    let may_be_late = matches!(phase, Some(Phase::Standby { .. } | Phase::Prepare { .. }));
    found.unless(
        decision.until.is_none() || (may_be_late && !decision.awaited.is_empty()),
        Law::DeadlineBeforeCommit,
        "a deadline is told where nothing is given up at it",
    );
    let given = read.and_then(|it| it.record.deadline);
    found.unless(
        decision
            .until
            .is_none_or(|until| Some(until) == given && until > now),
        Law::DeadlineBeforeCommit,
        "another deadline is told than the record has, or one that is past",
    );
    let next = decision.write.as_ref().map(|it| &it.record);
    let is_committed = |record: &HandoverRecord| {
        record.deadline.is_some() && !matches!(record.phase, Phase::Standby { .. } | Phase::Prepare { .. })
    };
    found.unless(
        !next.is_some_and(is_committed),
        Law::DeadlineBeforeCommit,
        "a deadline is written for a phase that has none",
    );
    if let Wake::At(at) = decision.wake {
        found.unless(
            at >= now,
            Law::DeadlineBeforeCommit,
            "it would look again in the past",
        );
    }
}

fn second_look(observed: &Observed, settings: &Settings, write: &Write, now: Timestamp, found: &mut Found) {
    let mut again = observed.clone();
    let version = write.expected.unwrap_or_default().next();
    again.record = Fact::Present(Seen {
        version,
        record: write.record.clone(),
    });
    let second = decide(&again, settings, now);
    found.unless(
        second.write.is_none_or(|it| it.record != write.record),
        Law::SecondLook,
        "the same record is written once more",
    );
}
