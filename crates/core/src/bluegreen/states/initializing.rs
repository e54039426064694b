//! INITIALIZING: the resource has never had a child that became ready.

use sluice_api::blue_green::{Color, TransitionCause};

use super::super::decision::{Waiting, WaitingFor};
use super::super::specification::Specification;
use super::super::view::{Mine, Verdict, View};
use super::super::{abort, failed, incoming, prepared};
use crate::Event;

/// Deploys blue for the first time.
pub fn next(view: &View<'_>) -> Verdict {
    if let Some(verdict) = failed::tidy_up(view, None) {
        return verdict;
    }
    let Ok(valid) = &view.spec else {
        return Verdict::stay(view);
    };
    if view.wants_suspended() || failed::is_set_aside(view, &valid.spec) {
        return Verdict::stay(view);
    }
    match view.mine(Color::Blue) {
        Mine::Unknown(why) => Verdict::blocked(
            view,
            Waiting::observation(format!("blue could not be read: {why}")),
        ),
        Mine::Foreign => Verdict::blocked(
            view,
            Waiting::for_person(WaitingFor::Person(abort::name_conflict(view, Color::Blue))),
        ),
        // What an earlier attempt left behind is replaced, never reused; `creating` sees to it.
        Mine::Absent | Mine::Present(_) | Mine::Terminating => {
            if let Err(why) = prepared::is_deliverable(view, Color::Blue, &valid.spec) {
                return Verdict::blocked(view, Waiting::for_person(WaitingFor::Person(why)));
            }
            let restore = match incoming::first_deployment(view, valid) {
                Ok(restore) => restore,
                Err(why) => {
                    let what = format!(
                        "the last completed checkpoint of the earlier blue could not be learnt: {why}"
                    );
                    return Verdict::blocked(view, Waiting::observation(what));
                }
            };
            let message = match &restore {
                Some(path) => format!("blue is deployed for the first time, from {path}"),
                None => "blue is deployed for the first time".to_owned(),
            };
            let record = view.begin(
                None,
                Color::Blue,
                TransitionCause::FirstDeployment,
                &Specification::new(valid.spec.clone()),
                restore,
                view.creating(),
            );
            Verdict::next(record, Event::normal("TransitionStarted", message))
        }
    }
}
