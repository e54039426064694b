//! What people ask for by annotations: promote, abort, retry.
//!
//! A value that differs from the one last acknowledged is a new command. It is acknowledged in the status in the same
//! write that acts on it, so it acts once, and nothing has to be removed from the resource (no fight with GitOps).

use sluice_api::blue_green::{AbortReason, AcknowledgedStatus, WatermarkStatus};
use sluice_api::metadata::{ANNOTATION_ABORT, ANNOTATION_PROMOTE, ANNOTATION_RETRY};

use super::record::{State, Step, Transition};
use super::states::switching;
use super::view::{Verdict, View};
use super::{abort, child, watermark};
use crate::Event;

fn new_value<'a>(view: &'a View<'_>, annotation: &str, acknowledged: Option<&str>) -> Option<&'a str> {
    let value = view.resource().metadata.annotations.as_ref()?.get(annotation)?;
    (!value.is_empty() && Some(value.as_str()) != acknowledged).then_some(value.as_str())
}

/// Acts on the first command that is new.
pub fn command(view: &View<'_>) -> Option<Verdict> {
    let known = &view.record.acknowledged;
    if let Some(token) = new_value(view, ANNOTATION_ABORT, known.abort.as_deref()) {
        let acknowledged = AcknowledgedStatus {
            abort: Some(token.to_owned()),
            ..known.clone()
        };
        return Some(acknowledge(request_abort(view), acknowledged));
    }
    if let Some(token) = new_value(view, ANNOTATION_PROMOTE, known.promote.as_deref()) {
        let acknowledged = AcknowledgedStatus {
            promote: Some(token.to_owned()),
            ..known.clone()
        };
        return Some(acknowledge(promote(view), acknowledged));
    }
    if let Some(token) = new_value(view, ANNOTATION_RETRY, known.retry.as_deref()) {
        let acknowledged = AcknowledgedStatus {
            retry: Some(token.to_owned()),
            ..known.clone()
        };
        return Some(acknowledge(retry(view), acknowledged));
    }
    None
}

fn acknowledge(mut verdict: Verdict, acknowledged: AcknowledgedStatus) -> Verdict {
    verdict.record.acknowledged = acknowledged;
    verdict
}

fn refused(view: &View<'_>, reason: &'static str, message: impl Into<String>) -> Verdict {
    Verdict::next(view.record.clone(), Event::warning(reason, message))
}

fn request_abort(view: &View<'_>) -> Verdict {
    let Some(transition) = view.transition() else {
        return refused(view, "AbortRefused", "no transition is under way");
    };
    match transition.step {
        Step::Savepointing { .. }
        | Step::Savepointed { .. }
        | Step::Stopping { .. }
        | Step::Creating { .. }
        | Step::Warming { .. }
        | Step::Deploying { .. }
        | Step::AwaitingPromotion { .. } => abort::abort(
            view,
            transition,
            AbortReason::Requested,
            "a person asked for it".to_owned(),
        ),
        Step::HandingOver { .. } if !watermark::may_be_committed(view, transition) => {
            watermark::give_up(view, transition, AbortReason::Requested, "a person asked for it")
        }
        Step::HandingOver { .. } | Step::Sealing { .. } => refused(
            view,
            "AbortRefused",
            format!(
                "the cut at which {} takes over is committed; apply the earlier specification to go back",
                transition.to
            ),
        ),
        Step::Switching { .. } => refused(
            view,
            "AbortRefused",
            format!(
                "{} has taken over already; apply the earlier specification to go back",
                transition.to
            ),
        ),
        Step::InPlace { .. } => refused(
            view,
            "AbortRefused",
            "the active child is being changed in place; apply the earlier specification to go back",
        ),
        Step::Returning { .. } => refused(view, "AbortRefused", "the transition is being aborted already"),
    }
}

fn promote(view: &View<'_>) -> Verdict {
    let Some(transition) = view.transition() else {
        return refused(view, "PromotionRefused", "no transition is under way");
    };
    if let (Step::HandingOver { .. }, Some(handover)) = (&transition.step, &transition.watermark) {
        let record = view.record.with_transition(Transition {
            watermark: Some(WatermarkStatus {
                promoted: true,
                ..handover.clone()
            }),
            ..transition.clone()
        });
        let message = format!(
            "{} is promoted: it takes over as soon as it is ready",
            transition.to
        );
        return Verdict::next(record, Event::normal("Promoted", message));
    }
    let Step::AwaitingPromotion { since } = transition.step else {
        return refused(
            view,
            "PromotionRefused",
            format!("{} does not wait for a promotion", transition.to),
        );
    };
    match view.present(transition.to) {
        Some(incoming) if child::is_ready(incoming) => switching::begin(view, transition, since),
        Some(incoming) => refused(
            view,
            "PromotionRefused",
            format!(
                "{} is not ready now: {}",
                transition.to,
                child::describe(incoming)
            ),
        ),
        None => refused(
            view,
            "PromotionRefused",
            format!("{} could not be seen", transition.to),
        ),
    }
}

fn retry(view: &View<'_>) -> Verdict {
    match (&view.record.state, &view.record.failed) {
        (State::Active(_) | State::Initializing, Some(failed)) => {
            let message = format!(
                "the specification of transition {} is tried again",
                failed.transition
            );
            let mut record = view.record.clone();
            record.failed = None;
            Verdict::next(record, Event::normal("Retried", message))
        }
        (State::InTransition(_), _) => refused(view, "RetryRefused", "a transition is under way"),
        (State::Active(_) | State::Initializing, None) => {
            refused(view, "RetryRefused", "no specification is set aside")
        }
    }
}
