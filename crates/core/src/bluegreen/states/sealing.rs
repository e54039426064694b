//! TRANSITIONING past the point of no return of a handover at a cut in event time (ADVANCED, strategy WATERMARK): the outgoing job
//! writes and commits what is below the cut, and is stopped; the incoming one has passed the cut.
//!
//! Only forward. Whatever fails comes back from the last checkpoint that it completed, and edits wait.

use jiff::Timestamp;
use sluice_api::blue_green::WatermarkStatus;

use super::super::record::Transition;
use super::super::view::{Mine, Verdict, View};
use super::super::{incoming, watermark};
use super::switching;
use crate::handover::operator::Stands;

/// Goes on when the incoming job is the active one in the handover record.
pub fn next(view: &View<'_>, transition: &Transition, since: Timestamp) -> Verdict {
    let Some(decision) = watermark::decide(view, transition) else {
        return Verdict::stay(view);
    };
    if let Some(lowered) = watermark::lowered(view, transition, &decision.guarantee) {
        return lowered;
    }
    if decision.stands == Stands::HandedOver && decision.write.is_none() {
        let counted = Transition {
            watermark: transition.watermark.clone().map(|handover| WatermarkStatus {
                ledger: watermark::ledger(view, transition),
                ..handover
            }),
            ..transition.clone()
        };
        return switching::begin(view, &counted, since);
    }
    if let Some(stop) = watermark::stop(view, transition, &decision) {
        return stop;
    }
    match view.mine(transition.to) {
        Mine::Absent => incoming::gone(view, transition, None),
        Mine::Present(_) | Mine::Foreign | Mine::Unknown(_) | Mine::Terminating => Verdict::stay(view),
    }
}
