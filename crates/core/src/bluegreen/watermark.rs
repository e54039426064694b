//! The strategy WATERMARK: what the decider of the handover is told of a transition, and what its answers mean for the children.
//!
//! [`crate::handover::operator`] decides on the handover record and knows nothing of children. Here its view is made of what was
//! observed; `watermark/children.rs` makes effects of what it asks for. Which step follows stands in `states/handing_over.rs` and `states/sealing.rs`.

mod children;

use jiff::{SignedDuration, Timestamp};
use sluice_api::blue_green::{
    AbortReason, Color, FlinkBlueGreenDeploymentSpec, GateFiguresStatus, GiveUpStatus, Guarantee,
    LedgerStatus, MissingStatus, WatermarkStatus,
};
use sluice_api::configuration::{self, FlinkConfiguration};
use sluice_api::flink_deployment::FlinkJobState;
use sluice_api::gate::{Strategy, key};
use sluice_api::metadata::ANNOTATION_SEAL;
use sluice_api::settings::{Promotion, RequiredGuarantee};
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec};

use super::agent::Preparation;
use super::decision::{Effect, Waiting};
use super::record::{Step, Transition};
use super::view::{Mine, Verdict, View};
use super::{child, diff, named};
use crate::handover::operator::{
    self, Awaited, Committables, Decision, Goal, JobObserved, JobState, Lowered, Observed, Origin, Promise,
    Settings,
};
use crate::handover::{Attempt, CheckpointId, Cut, Epoch, Fork, Job, Ordering, Phase, Report, Watermark};
use crate::{Event, Fact};

pub use children::{carried_out, stop};

/// Whether a handover of this specification is to be at a cut in event time.
pub fn is_wanted(spec: &FlinkDeploymentSpec) -> bool {
    Strategy::of(&flat(spec)) == Some(Strategy::Watermark)
}

/// Whether the gates were put into the job of this child when it was created.
pub fn has_gates(child: &FlinkDeployment) -> bool {
    Preparation::of(child).is_some_and(|it| it.mode == sluice_api::blue_green::TransitionMode::Advanced)
        && is_wanted(&child.spec)
}

fn flat(spec: &FlinkDeploymentSpec) -> FlinkConfiguration {
    let flat = spec.flink_configuration.as_ref().map(configuration::flatten);
    FlinkConfiguration::from(flat.unwrap_or_default())
}

/// How an edit is made.
pub enum Way {
    /// At a cut in event time.
    Watermark(WatermarkStatus),
    /// The outgoing job is stopped for it. In a sentence, why not the other way.
    Savepoint(String),
    /// It has to wait.
    Blocked(Waiting),
}

/// How an edit is made that asks for this strategy. `active` is the outgoing child.
pub fn way(view: &View<'_>, from: Color, active: &FlinkDeployment, spec: &FlinkDeploymentSpec) -> Way {
    let no_gates = |why: &str| {
        let why = format!("{from} {why}");
        if flat(spec)
            .get(key::FALLBACK)
            .is_some_and(|it| it.eq_ignore_ascii_case("NONE"))
        {
            return Way::Blocked(Waiting::for_person(super::WaitingFor::Person(format!(
                "{why}, so it cannot be handed over at a cut in event time, and {} is NONE: set it to SAVEPOINT",
                key::FALLBACK
            ))));
        }
        Way::Savepoint(why)
    };
    if !has_gates(active) {
        return no_gates("was created without gates");
    }
    let seen = match &view.observed.handover {
        Fact::Unknown(why) => {
            return Way::Blocked(Waiting::observation(format!(
                "the handover record could not be read: {why}"
            )));
        }
        Fact::Absent => return no_gates("is not named by a handover record yet"),
        Fact::Present(seen) => seen,
    };
    let job = named::job(from, active);
    match report(seen.record.report(from), job) {
        Some(report) if seen.record.active == job => Way::Watermark(WatermarkStatus {
            attempt: report.attempt.0,
            ..WatermarkStatus::default()
        }),
        Some(_) => no_gates("is not the job that the handover record names"),
        None => no_gates("has gates that report nothing"),
    }
}

fn report(found: Option<&Report>, job: Job) -> Option<&Report> {
    found.filter(|it| it.created_for == job.created_for)
}

/// How often the outgoing job had started, by the record: to be known before the savepoint of a fork is asked for.
pub fn attempt_of(view: &View<'_>, from: Color) -> Option<u64> {
    let seen = view.observed.handover.present()?;
    let job = named::job(from, view.present(from)?);
    report(seen.record.report(from), job).map(|it| it.attempt.0)
}

/// What the decider of the handover says about this transition; `None`: it is none by WATERMARK, or has no savepoint yet.
pub fn decide(view: &View<'_>, transition: &Transition) -> Option<Decision> {
    let (observed, settings) = seen(view, transition)?;
    Some(operator::decide(&observed, &settings, view.now))
}

/// The laws that what is decided about this transition's handover breaks.
pub fn violations(view: &View<'_>, transition: &Transition) -> Vec<String> {
    let Some((observed, settings)) = seen(view, transition) else {
        return vec!["nothing is known of the handover".to_owned()];
    };
    let decision = operator::decide(&observed, &settings, view.now);
    let broken = operator::laws::check(&observed, &settings, &decision, view.now);
    broken.iter().map(ToString::to_string).collect()
}

fn seen(view: &View<'_>, transition: &Transition) -> Option<(Observed, Settings)> {
    let watermark = transition.watermark.as_ref()?;
    let epoch = Epoch(transition.number);
    let goal = match (&watermark.give_up, watermark.checkpoint) {
        (Some(wish), _) => Goal::GiveUp {
            epoch,
            why: wish.message.clone(),
        },
        (None, Some(checkpoint)) => Goal::HandOver {
            epoch,
            origin: Origin::Fork {
                fork: Fork {
                    checkpoint: CheckpointId(checkpoint),
                    attempt: Attempt(watermark.attempt),
                },
                highest: None,
            },
        },
        (None, None) => return None,
    };
    Some((
        observed(view, goal, promise(watermark)),
        settings(view, watermark, &transition.spec),
    ))
}

/// What is done about a record that says that a handover was given up, or none is under way: the active child is named alone.
pub fn settle(view: &View<'_>, color: Color) -> Option<Effect> {
    let job = named::job(color, view.present(color)?);
    let goal = Goal::Active {
        epoch: Epoch(view.record.number),
        job,
        savepoint: None,
    };
    let watermark = WatermarkStatus::default();
    let observed = observed(view, goal, promise(&watermark));
    let settings = settings(view, &watermark, view.record.reconciled.as_ref()?);
    written(&operator::decide(&observed, &settings, view.now))
}

/// The write of a decision as an effect.
pub fn written(decision: &Decision) -> Option<Effect> {
    let write = decision.write.as_ref()?;
    Some(Effect::WriteHandover {
        expected: write.expected,
        record: Box::new(write.record.clone()),
    })
}

fn observed(view: &View<'_>, goal: Goal, stated: Promise) -> Observed {
    let annotations = view.resource().metadata.annotations.as_ref();
    let forced = annotations
        .and_then(|it| it.get(ANNOTATION_SEAL))
        .and_then(|text| text.trim().parse().ok())
        .map(Epoch);
    Observed {
        record: view.observed.handover.clone(),
        goal,
        blue: job(view, Color::Blue),
        green: job(view, Color::Green),
        forced,
        stated,
    }
}

fn job(view: &View<'_>, color: Color) -> Fact<JobObserved> {
    let of = |child: &FlinkDeployment, state: JobState| {
        Fact::Present(JobObserved {
            created_for: Epoch(child::transition(child)),
            state,
            still_since: view.side(color).still_since,
            // The outgoing job is always stopped and drained, and has committed everything then.
            committables: Fact::<Committables>::Absent,
        })
    };
    match view.mine(color) {
        Mine::Unknown(why) => Fact::Unknown(why.to_owned()),
        Mine::Absent | Mine::Foreign => Fact::Absent,
        Mine::Present(child) => of(child, state(view, color, child)),
        Mine::Terminating => match view.side(color).child.present() {
            Some(child) => of(
                child,
                JobState::Starting {
                    how: "it is being deleted".to_owned(),
                },
            ),
            None => Fact::Absent,
        },
    }
}

fn state(view: &View<'_>, color: Color, child: &FlinkDeployment) -> JobState {
    if child::is_suspended(child) {
        return JobState::Stopped {
            savepoint: child::upgrade_savepoint(child).map(str::to_owned),
            drained: false,
        };
    }
    match child::current_job_state(child) {
        Some(FlinkJobState::Finished) if came_to_its_end(view, color, child) => JobState::Finished,
        // Somebody else has stopped it, and what it had written by then is committed.
        Some(FlinkJobState::Finished) => JobState::Stopped {
            savepoint: Some(String::new()),
            drained: true,
        },
        Some(FlinkJobState::Failed | FlinkJobState::Canceled) => JobState::Failed {
            why: child::describe(child),
        },
        Some(FlinkJobState::Running) => JobState::Running {
            since: child::running_since(child).unwrap_or_default(),
            stable: child::is_ready(child),
        },
        _ => JobState::Starting {
            how: child::describe(child),
        },
    }
}

/// Whether a job that has finished was stopped by us when it had passed the cut, or came to the end of its input: a stop with a
/// savepoint looks the same in its status.
fn came_to_its_end(view: &View<'_>, color: Color, child: &FlinkDeployment) -> bool {
    let was_stopped = view.transition().is_some_and(|transition| {
        transition.from == Some(color) && matches!(transition.step, Step::Sealing { stop: Some(_), .. })
    });
    let seen = view.observed.handover.present();
    let found = seen.and_then(|seen| report(seen.record.report(color), named::job(color, child)));
    was_stopped || found.is_some_and(|it| it.gates.watermark == Watermark::END)
}

fn settings(view: &View<'_>, watermark: &WatermarkStatus, spec: &FlinkBlueGreenDeploymentSpec) -> Settings {
    let flat = flat(&diff::child_spec(spec));
    let says = |key: &str, word: &str| flat.get(key).is_some_and(|it| it.eq_ignore_ascii_case(word));
    let defaults = Settings::default();
    Settings {
        ready_within: view.settings.abort_grace_period,
        prepare_within: flat
            .get(key::HOLD_TIMEOUT)
            .and_then(|text| configuration::parse_duration(text).ok())
            .unwrap_or(defaults.prepare_within),
        max_lag: view.settings.handover_max_lag,
        ordering: if says(key::ORDERING, "STRICT") {
            Ordering::Strict
        } else {
            Ordering::Overlap
        },
        fallback: !says(key::FALLBACK, "NONE"),
        assume_deterministic: says(key::ASSUME_DETERMINISTIC, "true"),
        require: match view.settings.handover_require {
            RequiredGuarantee::ExactlyOnce => operator::Guarantee::ExactlyOnce,
            RequiredGuarantee::ExactlyOnceExceptLate => operator::Guarantee::ExactlyOnceExceptLate,
            RequiredGuarantee::AtLeastOnce => operator::Guarantee::AtLeastOnce,
        },
        awaits_promotion: view.settings.promotion == Promotion::Manual && !watermark.promoted,
        // It is stopped, and the object alone stays for the deletion delay.
        deletion_delay: SignedDuration::ZERO,
        reschedule_interval: view.settings.reschedule_interval,
        ..defaults
    }
}

fn promise(watermark: &WatermarkStatus) -> Promise {
    let mut promise = Promise::of(operator::Guarantee::ExactlyOnce);
    for missing in &watermark.missing {
        promise.lower(Lowered {
            to: match missing.guarantee {
                Guarantee::ExactlyOnce => operator::Guarantee::ExactlyOnce,
                Guarantee::ExactlyOnceExceptLate => operator::Guarantee::ExactlyOnceExceptLate,
                Guarantee::AtLeastOnce => operator::Guarantee::AtLeastOnce,
                Guarantee::None | Guarantee::Stateless => operator::Guarantee::None,
            },
            why: missing.why.clone(),
        });
    }
    promise
}

const fn in_status(guarantee: operator::Guarantee) -> Guarantee {
    match guarantee {
        operator::Guarantee::ExactlyOnce => Guarantee::ExactlyOnce,
        operator::Guarantee::ExactlyOnceExceptLate => Guarantee::ExactlyOnceExceptLate,
        operator::Guarantee::AtLeastOnce => Guarantee::AtLeastOnce,
        operator::Guarantee::None => Guarantee::None,
    }
}

/// What the records of both jobs add up to, as far as it is known.
pub fn guarantee(watermark: &WatermarkStatus) -> Guarantee {
    in_status(promise(watermark).level)
}

/// Writes down what has lowered the guarantee since the last look, and tells what nobody expects.
pub fn lowered(view: &View<'_>, transition: &Transition, stated: &Promise) -> Option<Verdict> {
    let before = transition.watermark.as_ref()?;
    let news = stated.lowered.get(before.missing.len()..)?;
    if news.is_empty() {
        return None;
    }
    let mut watermark = before.clone();
    watermark.missing.extend(news.iter().map(|it| MissingStatus {
        guarantee: in_status(it.to),
        why: it.why.clone(),
    }));
    let events = news
        .iter()
        .filter(|it| it.to < operator::Guarantee::ExactlyOnceExceptLate)
        .map(|it| Event::warning("GuaranteeLowered", format!("{}: {}", it.to, it.why)));
    Some(Verdict {
        record: view.record.with_transition(Transition {
            watermark: Some(watermark),
            ..transition.clone()
        }),
        events: events.collect(),
        blocked: None,
    })
}

/// Records that the handover is to be given up; whether it still can be, the record of the handover will say.
pub fn give_up(view: &View<'_>, transition: &Transition, reason: AbortReason, message: &str) -> Verdict {
    let watermark = WatermarkStatus {
        give_up: Some(GiveUpStatus {
            reason,
            message: message.to_owned(),
        }),
        ..transition.watermark.clone().unwrap_or_default()
    };
    let record = view.record.with_transition(Transition {
        watermark: Some(watermark),
        ..transition.clone()
    });
    let message = format!("the handover to {} is to be given up: {message}", transition.to);
    Verdict::next(record, Event::normal("GivingUp", message))
}

/// Whether somebody wants the handover given up.
pub fn is_being_given_up(transition: &Transition) -> bool {
    wish(transition).is_some()
}

/// Why somebody wants the handover given up.
pub fn wish(transition: &Transition) -> Option<&str> {
    let wish = transition.watermark.as_ref()?.give_up.as_ref()?;
    Some(wish.message.as_str())
}

/// Whether the handover of this transition can no longer be given up, or that is not known.
pub fn may_be_committed(view: &View<'_>, transition: &Transition) -> bool {
    match &view.observed.handover {
        Fact::Unknown(_) => true,
        Fact::Absent => false,
        Fact::Present(seen) => {
            let is_committed = matches!(seen.record.phase, Phase::Commit { .. } | Phase::Sealed { .. });
            let is_over =
                seen.record.phase == Phase::Stable && seen.record.active == named::incoming(transition);
            seen.record.epoch.0 == transition.number && (is_committed || is_over)
        }
    }
}

/// The committed cut, in milliseconds since 1970.
pub fn cut(view: &View<'_>, transition: &Transition) -> Option<i64> {
    let seen = view.observed.handover.present()?;
    if seen.record.epoch.0 != transition.number {
        return None;
    }
    match seen.record.phase {
        Phase::Commit { cut: Cut(cut) } | Phase::Sealed { cut: Cut(cut) } => Some(cut),
        Phase::Stable | Phase::Standby { .. } | Phase::Prepare { .. } | Phase::Abort => None,
    }
}

/// A time of event, for people.
pub fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds)
        .map_or_else(|_| milliseconds.to_string(), |it| format!("{it:.3}"))
}

/// Whether the incoming child may be created: its gates find out at once that they have to stay closed.
pub fn has_begun(observed: &super::Observed, transition: &Transition) -> bool {
    observed.handover.present().is_some_and(|seen| {
        seen.record.epoch.0 == transition.number
            && matches!(
                seen.record.phase,
                Phase::Standby { .. } | Phase::Prepare { .. } | Phase::Commit { .. } | Phase::Sealed { .. }
            )
    })
}

/// What the gates of both jobs have counted, for the history.
pub fn ledger(view: &View<'_>, transition: &Transition) -> Option<LedgerStatus> {
    let watermark = transition.watermark.as_ref()?;
    let Step::Sealing { since, cut, .. } = transition.step else {
        return None;
    };
    let record = view.observed.handover.present().map(|seen| &seen.record);
    let figures = |color: Color| {
        let report = record.and_then(|it| it.report(color));
        report.map_or_else(GateFiguresStatus::default, |it| GateFiguresStatus {
            emitted: it.gates.figures.emitted,
            dropped: it.gates.figures.dropped,
            late: it.gates.figures.late,
        })
    };
    Some(LedgerStatus {
        cut: cut?,
        drain_milliseconds: i64::try_from(view.now.duration_since(since).as_millis()).unwrap_or(i64::MAX),
        outgoing: figures(transition.to.other()),
        incoming: figures(transition.to),
        missing: watermark.missing.iter().map(|it| it.why.clone()).collect(),
    })
}

/// What is awaited, in a sentence, and until when.
pub fn awaited(view: &View<'_>, transition: &Transition) -> Option<(String, Option<Timestamp>)> {
    let decision = decide(view, transition)?;
    if decision.awaited.is_empty() {
        return None;
    }
    let comes_up = |color: Color| {
        let running = |it: &Awaited| matches!(it, Awaited::Running { color: it, .. } if *it == color);
        decision.awaited.iter().any(running)
    };
    // That one that does not run reports nothing, everybody can tell.
    let told = |it: &&Awaited| !matches!(it, Awaited::Reports { color, .. } if comes_up(*color));
    let each: Vec<String> = decision
        .awaited
        .iter()
        .filter(told)
        .map(Awaited::in_brief)
        .collect();
    Some((each.join("; "), decision.until))
}
