//! TRANSITIONING, both jobs run (ADVANCED, strategy WATERMARK): the incoming one comes to take over at a cut in event time.
//!
//! Until the cut is committed everything can be given up, and the outgoing job goes on as if nothing had been.

use sluice_api::blue_green::{AbortReason, Outcome, WatermarkStatus};

use super::super::record::{State, Step, Transition};
use super::super::view::{Mine, Verdict, View};
use super::super::{abort, child, watermark};
use super::{active, switching};
use crate::Event;
use crate::handover::AbortReason as GivenUp;
use crate::handover::operator::Stands;

/// Goes on when the cut is committed; back to ACTIVE when the handover is given up, in the record and for good.
pub fn next(view: &View<'_>, transition: &Transition) -> Verdict {
    let Some(decision) = watermark::decide(view, transition) else {
        return Verdict::stay(view);
    };
    if let Some(wish) = transition.watermark.as_ref().and_then(|it| it.give_up.as_ref())
        && view.observed.handover.is_absent()
        && matches!(view.mine(transition.to), Mine::Absent)
    {
        // The record is gone, and a person has seen to it that nobody is left who could take over.
        return abort::abort(view, transition, wish.reason, wish.message.clone());
    }
    match decision.stands {
        // Before it stands in the record it is only meant: of this write and an ABORT of the outgoing job's, one wins.
        Stands::Committed | Stands::HandedOver if decision.write.is_none() => committed(view, transition),
        Stands::GivenUp { reason } if decision.write.is_none() => given_up(view, transition, reason.as_ref()),
        Stands::Committed
        | Stands::HandedOver
        | Stands::GivenUp { .. }
        | Stands::Unknown
        | Stands::Settled
        | Stands::Reversible => seen(view, transition)
            .or_else(|| watermark::lowered(view, transition, &decision.guarantee))
            .unwrap_or_else(|| Verdict::stay(view)),
    }
}

/// The incoming child, when it is there; and an object of its name that somebody else made.
fn seen(view: &View<'_>, transition: &Transition) -> Option<Verdict> {
    match view.mine(transition.to) {
        Mine::Present(incoming)
            if child::transition(incoming) == transition.number
                && transition.incoming_created_at.is_none() =>
        {
            let mut record = view.record.with_transition(Transition {
                incoming_created_at: Some(view.now),
                ..transition.clone()
            });
            // What was kept of an earlier attempt has been replaced.
            record.kept = None;
            let message = format!("{} is created", transition.to);
            Some(Verdict::next(record, Event::normal("ChildCreated", message)))
        }
        Mine::Foreign if !watermark::is_being_given_up(transition) => Some(watermark::give_up(
            view,
            transition,
            AbortReason::NotCreated,
            &abort::name_conflict(view, transition.to),
        )),
        Mine::Present(_) | Mine::Foreign | Mine::Unknown(_) | Mine::Absent | Mine::Terminating => None,
    }
}

/// Records that there is no way back, before anything is done that rests on it.
fn committed(view: &View<'_>, transition: &Transition) -> Verdict {
    let cut = watermark::cut(view, transition);
    let step = Step::Sealing {
        since: view.now,
        cut,
        stop: None,
    };
    let mut message = format!("{} takes over from {}", transition.to, transition.to.other());
    if let Some(cut) = cut {
        message = format!("{message} at {}", watermark::time(cut));
    }
    if let Some(too_late) = watermark::wish(transition) {
        message = format!("{message}; it was too late to give it up ({too_late})");
    }
    let record = view.record.with_transition(Transition {
        step,
        // From here on nobody wishes for anything else.
        watermark: transition.watermark.clone().map(|handover| WatermarkStatus {
            give_up: None,
            ..handover
        }),
        ..transition.clone()
    });
    Verdict::next(record, Event::normal("HandoverCommitted", message))
}

fn given_up(view: &View<'_>, transition: &Transition, reason: Option<&GivenUp>) -> Verdict {
    if let Some(wish) = transition.watermark.as_ref().and_then(|it| it.give_up.as_ref()) {
        return abort::abort(view, transition, wish.reason, wish.message.clone());
    }
    let message = reason.map_or_else(|| "the handover was given up".to_owned(), ToString::to_string);
    match reason {
        Some(GivenUp::Idle) => stopped_instead(view, transition, message),
        // The edit is not to blame: it is made again, with a new fork, or from what the lost job completed last.
        Some(GivenUp::BehindFork { .. } | GivenUp::OutgoingLost) => {
            abort::abort(view, transition, AbortReason::Superseded, message)
        }
        Some(
            GivenUp::HoldTimeout
            | GivenUp::CutTooFar { .. }
            | GivenUp::NoWatermark
            | GivenUp::Operator { .. },
        )
        | None => abort::abort(view, transition, AbortReason::HandoverGivenUp, message),
    }
}

/// Nothing moves, so a pause costs nothing: the same edit again, by the strategy SAVEPOINT.
fn stopped_instead(view: &View<'_>, transition: &Transition, message: String) -> Verdict {
    let Some(from) = transition.from else {
        return Verdict::stay(view);
    };
    let mut record = view.record.with_state(State::Active(from));
    record.remember(switching::ended(
        view,
        transition,
        Outcome::Aborted,
        Some(message),
    ));
    let again = View::new(view.observed, view.now, record);
    active::stop_for(&again, from, transition.cause, &transition.spec)
}
