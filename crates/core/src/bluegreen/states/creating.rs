//! TRANSITIONING, before the incoming child exists: a leftover of its colour goes, then it is created.

use jiff::Timestamp;
use sluice_api::blue_green::AbortReason;

use super::super::decision::{Waiting, WaitingFor};
use super::super::record::{Step, Transition};
use super::super::view::{Mine, Verdict, View};
use super::super::{abort, child, prepared, waiting};
use crate::Event;

/// Goes on once this transition's own child is there; the abort clock starts then.
pub fn next(view: &View<'_>, transition: &Transition, deadline: Timestamp) -> Verdict {
    let to = transition.to;
    let late = view.now >= deadline;
    match view.mine(to) {
        Mine::Present(incoming) if child::transition(incoming) == transition.number => {
            let mut record = view.record.with_transition(Transition {
                step: if transition.holds_incoming() {
                    Step::Warming {
                        since: view.now,
                        deadline: view.grace_deadline(),
                    }
                } else {
                    view.deploying()
                },
                incoming_created_at: Some(transition.incoming_created_at.unwrap_or(view.now)),
                ..transition.clone()
            });
            // What was kept of an earlier attempt has been replaced.
            record.kept = None;
            Verdict::next(record, Event::normal("ChildCreated", format!("{to} is created")))
        }
        // The shell has lost its agent since the transition began, or it does not fit the last edit.
        Mine::Absent if transition.holds_incoming() && !waiting::can(view, transition) => {
            let record = view.record.with_transition(Transition {
                warm: false,
                step: view.stopping(),
                ..transition.clone()
            });
            let message =
                format!("{to} cannot be told to wait: it is created when the outgoing job has stopped");
            Verdict::next(record, Event::warning("CannotWait", message))
        }
        Mine::Absent if let Err(why) = prepared::incoming(view, transition) => {
            if late {
                let message = format!("{to} could not be created by {deadline:.0}: {why}");
                return abort::abort(view, transition, AbortReason::NotCreated, message);
            }
            let waiting = Waiting::for_person(WaitingFor::Person(why));
            Verdict::blocked(
                view,
                Waiting {
                    until: Some(deadline),
                    ..waiting
                },
            )
        }
        Mine::Foreign => abort::abort(
            view,
            transition,
            AbortReason::NotCreated,
            abort::name_conflict(view, to),
        ),
        Mine::Present(_) | Mine::Terminating if late => {
            let message = format!("the earlier {to} deployment was not gone by {deadline:.0}");
            abort::abort(view, transition, AbortReason::NotCreated, message)
        }
        Mine::Absent if late => match view.observed.failures.last() {
            Some(why) => {
                let message = format!(
                    "{to} could not be created by {deadline:.0}: {}",
                    child::shortened(why)
                );
                abort::abort(view, transition, AbortReason::NotCreated, message)
            }
            // Nobody tried: the operator was away. The time did not count (scenario 51).
            None => Verdict {
                record: view.record.at_step(transition, view.creating()),
                events: Vec::new(),
                blocked: None,
            },
        },
        Mine::Present(_) | Mine::Terminating | Mine::Absent | Mine::Unknown(_) => Verdict::stay(view),
    }
}
