//! One state, one file. Each has a function `next` that says where the record goes from there.

pub mod active;
pub mod awaiting_promotion;
pub mod creating;
pub mod deploying;
pub mod handing_over;
pub mod in_place;
pub mod initializing;
pub mod returning;
pub mod savepointed;
pub mod savepointing;
pub mod sealing;
pub mod stopping;
pub mod switching;
pub mod warming;

use super::record::{State, Step};
use super::view::{Verdict, View};

/// Where the record goes from the state that it is in.
pub fn next(view: &View<'_>) -> Verdict {
    match &view.record.state {
        State::Initializing => initializing::next(view),
        State::Active(color) => active::next(view, *color),
        State::InTransition(transition) => match &transition.step {
            Step::Savepointing {
                attempt,
                trigger_id,
                deadline,
                ..
            } => savepointing::next(view, transition, *attempt, trigger_id, *deadline),
            Step::Savepointed { .. } => savepointed::next(view, transition),
            Step::Stopping { deadline, .. } => stopping::next(view, transition, *deadline),
            Step::Creating { deadline, .. } => creating::next(view, transition, *deadline),
            Step::Warming { deadline, .. } => warming::next(view, transition, *deadline),
            Step::Deploying { deadline, .. } => deploying::next(view, transition, *deadline),
            Step::HandingOver { .. } => handing_over::next(view, transition),
            Step::Sealing { since, .. } => sealing::next(view, transition, *since),
            Step::AwaitingPromotion { .. } => awaiting_promotion::next(view, transition),
            Step::Switching {
                ready_at,
                delete_after,
                ..
            } => switching::next(view, transition, *ready_at, *delete_after),
            Step::InPlace { deadline, .. } => in_place::next(view, transition, *deadline),
            Step::Returning {
                reason,
                message,
                deadline,
                ..
            } => returning::next(view, transition, *reason, message, *deadline),
        },
    }
}
