//! What the coordinator of the outgoing job wants to write.

use super::numbers::{Cut, EventTime, Watermark};
use super::phase::Phase;
use super::reason::AbortReason;
use super::record::{Change, HandoverRecord};
use super::situation::{Coordinator, SubtaskSituation};

/// The next write, given that it holds its attempt.
pub(super) fn wish(coordinator: &Coordinator) -> Option<Change> {
    let record = &coordinator.seen.as_ref()?.record;
    match record.phase {
        Phase::Standby { highest } => publish(coordinator, record, highest),
        Phase::Prepare { .. } if coordinator.held_too_long => Some(Change::Abort {
            reason: AbortReason::HoldTimeout,
        }),
        Phase::Prepare { highest, cut: None } => {
            agree(coordinator, record, highest).or_else(|| report(coordinator, record))
        }
        Phase::Prepare { cut: Some(_), .. } | Phase::Commit { .. } | Phase::Sealed { .. } => {
            report(coordinator, record)
        }
        // No handover is under way: nobody reads a report, and nothing is written.
        Phase::Stable | Phase::Abort => None,
    }
}

/// H, and the report, every second. H is what the subtasks have emitted in this attempt, and never lower than before.
fn publish(coordinator: &Coordinator, record: &HandoverRecord, published: EventTime) -> Option<Change> {
    if !coordinator.publish_due {
        return None;
    }
    let highest = published.max(coordinator.highest());
    let report = coordinator.new_report(record);
    if highest == published {
        return report.map(|report| Change::Report { report });
    }
    let written = || record.report(coordinator.job.color).cloned();
    report
        .or_else(written)
        .map(|report| Change::Publish { highest, report })
}

fn report(coordinator: &Coordinator, record: &HandoverRecord) -> Option<Change> {
    if !coordinator.publish_due {
        return None;
    }
    coordinator
        .new_report(record)
        .map(|report| Change::Report { report })
}

/// W, once every subtask has answered: above everything that was emitted, or published as emitted.
fn agree(coordinator: &Coordinator, record: &HandoverRecord, published: EventTime) -> Option<Change> {
    let mut highest = published;
    let mut whose = None;
    for (subtask, known) in &coordinator.subtasks {
        let answer = known.answer_to(record.epoch)?;
        if answer > highest {
            highest = answer;
            whose = Some(*subtask);
        }
    }
    let cut = Cut::above(highest);
    let Some(latest) = highest.milliseconds() else {
        // Nothing with a timestamp was ever emitted: everything is the incoming job's.
        return Some(Change::Cut { cut });
    };
    let all_finished = coordinator.subtasks.values().all(|it| it.finished.is_some());
    let reason = match slowest_watermark(coordinator) {
        Some(watermark) if latest.saturating_sub(watermark.0) > coordinator.max_cut_lead => {
            AbortReason::CutTooFar {
                subtask: whose,
                highest,
                watermark,
            }
        }
        Some(_) => return Some(Change::Cut { cut }),
        None if all_finished => return Some(Change::Cut { cut }),
        None => AbortReason::NoWatermark,
    };
    Some(Change::Abort { reason })
}

/// The lowest watermark among the subtasks whose input moves; if all stand still, among all.
fn slowest_watermark(coordinator: &Coordinator) -> Option<Watermark> {
    let running = || coordinator.subtasks.values().filter(|it| it.finished.is_none());
    let is_idle = |known: &&SubtaskSituation| known.report.is_some_and(|it| it.idle);
    let watermark = |known: &SubtaskSituation| {
        known
            .answer
            .map(|it| it.watermark)
            .filter(|it| *it != Watermark::NONE)
    };
    let moving = running().filter(|it| !is_idle(it)).filter_map(watermark).min();
    moving.or_else(|| running().filter_map(watermark).min())
}
