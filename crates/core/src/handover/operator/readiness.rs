//! When the incoming job is ready to take over.
//!
//! Only one of these is needed for the output to be exact: that the active job cannot go back behind the fork any more. The others
//! keep the time short in which records are kept back, and a version that does not work from taking over.

use sluice_api::blue_green::Color;

use super::decision::Awaited;
use super::observed::{JobState, Origin};
use super::view::{Known, View};
use crate::handover::{EventTime, GatesReport, Job, Lineage, Report, Watermark};

/// What is missing before PREPARE.
pub(super) fn awaited(view: &View<'_>, origin: Origin) -> Vec<Awaited> {
    let (outgoing, incoming) = (view.record.active, view.incoming());
    let reports = (view.report(outgoing), view.report(incoming));
    let mut awaited = Vec::new();
    awaited.extend(running(view, outgoing, false));
    awaited.extend(running(view, incoming, true));
    awaited.extend(reporting(view, outgoing));
    awaited.extend(reporting(view, incoming));
    if let (Some(active), Some(waiting)) = reports {
        awaited.extend(own_checkpoint(incoming.color, waiting));
        awaited.extend(newer_checkpoint(view, active));
        awaited.extend(caught_up(view, &active.gates, &waiting.gates));
        awaited.extend(overtaken(view, origin, waiting));
    }
    if awaited.is_empty() && view.settings.awaits_promotion {
        awaited.push(Awaited::Promotion);
    }
    awaited
}

/// RUNNING, and STABLE if that is asked for.
pub(super) fn running(view: &View<'_>, job: Job, to_be_stable: bool) -> Option<Awaited> {
    let color = job.color;
    match view.known(job) {
        Known::There(observed) => match observed.state {
            JobState::Running { stable, .. } if stable || !to_be_stable => None,
            JobState::Running { .. }
            | JobState::Starting { .. }
            | JobState::Stopped { .. }
            | JobState::Finished
            | JobState::Failed { .. } => Some(Awaited::Running {
                color,
                how: view.how(job),
            }),
        },
        Known::Gone => Some(Awaited::Running {
            color,
            how: view.how(job),
        }),
        Known::Unknown(_) => view.unobserved(color),
    }
}

/// Every gate has reported since the last start, and under the orders of this transition: what a standby dropped before it heard of
/// them is in its report then.
pub(super) fn reporting(view: &View<'_>, job: Job) -> Option<Awaited> {
    let report = view.report(job);
    let all = report.is_some_and(|it| it.gates.all_reporting && it.gates.heard >= Some(view.record.epoch));
    (!all).then_some(Awaited::Reports {
        color: job.color,
        any: report.is_some(),
    })
}

/// A restart makes it wait for another one.
fn own_checkpoint(color: Color, report: &Report) -> Option<Awaited> {
    let restored = report.restores.last().and_then(|it| it.checkpoint);
    (report.completed <= restored).then_some(Awaited::OwnCheckpoint { color })
}

/// The active job cannot go back behind the fork any more.
fn newer_checkpoint(view: &View<'_>, active: &Report) -> Option<Awaited> {
    let fork = view.record.fork?;
    let has_gone_on = active.completed > Some(fork.checkpoint);
    let is_settled = if view.lineage() == Lineage::Onward {
        fork.is_settled(active)
    } else {
        has_gone_on && view.is_assumed_alike()
    };
    (!is_settled).then_some(Awaited::NewerCheckpoint {
        color: view.record.active.color,
        than: fork.checkpoint,
    })
}

/// Its watermark is as far as the active one's, but for a little.
fn caught_up(view: &View<'_>, active: &GatesReport, waiting: &GatesReport) -> Option<Awaited> {
    let (outgoing, incoming) = (view.record.active, view.incoming());
    if active.watermark == Watermark::NONE {
        // Where nothing with a timestamp was ever emitted, everything is the incoming job's.
        return (view.record.phase.highest() != EventTime::NONE).then(|| Awaited::Watermark {
            color: outgoing.color,
            gates: view.without_watermark(outgoing),
        });
    }
    if waiting.watermark == Watermark::NONE {
        return Some(Awaited::Watermark {
            color: incoming.color,
            gates: view.without_watermark(incoming),
        });
    }
    let allowed = i64::try_from(view.settings.max_lag.as_millis()).unwrap_or(i64::MAX);
    let behind = active.watermark.0.saturating_sub(waiting.watermark.0);
    (behind > allowed).then_some(Awaited::CaughtUp {
        color: incoming.color,
        behind,
        allowed,
    })
}

/// What a standby has dropped since it stopped writing is the active job's, which must have come so far.
fn overtaken(view: &View<'_>, origin: Origin, waiting: &Report) -> Option<Awaited> {
    match origin {
        Origin::Standby { .. } if waiting.gates.highest_dropped > view.record.phase.highest() => {
            Some(Awaited::Overtaken {
                color: view.incoming().color,
            })
        }
        Origin::Standby { .. } | Origin::Fork { .. } => None,
    }
}

/// Whether no input of the active job moves.
pub(super) fn is_still(view: &View<'_>) -> bool {
    let active = view.record.active;
    let gates = || view.report(active).into_iter().flat_map(|it| &it.gates.each);
    let mut running = gates().filter(|it| it.watermark != Watermark::END).peekable();
    let is_idle = running.peek().is_some() && running.all(|it| it.idle);
    let Known::There(observed) = view.known(active) else {
        return false;
    };
    let still_until = observed
        .still_since
        .and_then(|since| since.checked_add(view.settings.still_after).ok());
    is_idle || still_until.is_some_and(|it| it <= view.now)
}
