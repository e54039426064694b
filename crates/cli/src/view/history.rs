//! The last transitions.

use std::fmt::Write as _;

use sluice_api::blue_green::{Guarantee, HistoryEntry, Outcome, TransitionCause, TransitionMode};

use super::time::{milliseconds, span};
use super::{Clock, Palette, Tone, table};

/// The transitions as a table, newest first, and below it why those ended that did not complete.
pub fn history(entries: &[HistoryEntry], palette: Palette, clock: &Clock) -> String {
    if entries.is_empty() {
        return "No transition has ended yet.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = entries.iter().map(|entry| row(entry, palette, clock)).collect();
    let headings = [
        "#",
        "ENDED",
        "CHANGE",
        "CAUSE",
        "MODE",
        "OUTCOME",
        "TOOK",
        "STARTUP",
        "PAUSE",
        "GUARANTEE",
    ];
    let mut text = table(palette, &headings, &rows);
    for entry in entries {
        if let Some(message) = &entry.message {
            let _infallible = write!(text, "\n#{}: {message}\n", entry.transition);
        }
    }
    text
}

fn row(entry: &HistoryEntry, palette: Palette, clock: &Clock) -> Vec<String> {
    let tone = match entry.outcome {
        Outcome::Completed => Tone::Good,
        Outcome::Aborted => Tone::Bad,
        Outcome::Reverted => Tone::Dim,
    };
    vec![
        entry.transition.to_string(),
        clock.moment(entry.ended_at),
        change(entry, palette),
        format!("{:?}", entry.cause),
        mode(entry.mode).to_owned(),
        palette.paint(tone, outcome(entry.outcome)),
        span(entry.ended_at.duration_since(entry.started_at)),
        entry.startup_milliseconds.map(milliseconds).unwrap_or_default(),
        entry.pause_milliseconds.map(milliseconds).unwrap_or_default(),
        guarantee(entry.guarantee).to_owned(),
    ]
}

fn change(entry: &HistoryEntry, palette: Palette) -> String {
    let in_place = matches!(
        entry.cause,
        TransitionCause::Suspend | TransitionCause::Resume | TransitionCause::PatchChild
    );
    match entry.from {
        _ if in_place => format!("{} in place", palette.side(entry.to)),
        Some(from) if from != entry.to => {
            format!("{} -> {}", palette.side(from), palette.side(entry.to))
        }
        Some(_) => format!("{} in place", palette.side(entry.to)),
        None => format!("{} first", palette.side(entry.to)),
    }
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "COMPLETED",
        Outcome::Aborted => "ABORTED",
        Outcome::Reverted => "REVERTED",
    }
}

/// The mode as the specification writes it.
pub(crate) const fn mode(mode: TransitionMode) -> &'static str {
    match mode {
        TransitionMode::Basic => "BASIC",
        TransitionMode::Advanced => "ADVANCED",
    }
}

/// The guarantee as the status writes it.
pub(crate) const fn guarantee(guarantee: Guarantee) -> &'static str {
    match guarantee {
        Guarantee::ExactlyOnce => "EXACTLY_ONCE",
        Guarantee::ExactlyOnceExceptLate => "EXACTLY_ONCE_EXCEPT_LATE",
        Guarantee::None => "NONE",
        Guarantee::AtLeastOnce => "AT_LEAST_ONCE",
        Guarantee::Stateless => "STATELESS",
    }
}
