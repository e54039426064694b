//! Up to COMMIT: everything can be given up, and is when its time is over.

use super::decision::{Awaited, Decision, Promise, Request, Stands, Write};
use super::guarantee::Guarantee;
use super::observed::{Goal, JobState, Observed, Origin};
use super::readiness;
use super::view::{Known, View};
use crate::handover::{AbortReason, Cut, Epoch, EventTime, HandoverRecord, Job, Lineage, Phase};
use crate::{Event, Wake};

/// There is no record. It is made where nothing can be under way.
pub(super) fn no_record(observed: &Observed) -> Decision {
    let Goal::Active {
        epoch,
        job,
        savepoint,
    } = &observed.goal
    else {
        return Decision::waits(
            observed,
            Stands::Unknown,
            Awaited::Person {
                why: "the handover record is gone in the midst of a handover, and nothing is done as long as it is: restore it; or, if \
                      COMMIT was not reached, abort the transition and delete the incoming deployment"
                    .to_owned(),
            },
        );
    };
    let record = HandoverRecord {
        epoch: *epoch,
        phase: Phase::Stable,
        active: *job,
        incoming: None,
        fork: None,
        savepoint: savepoint.clone(),
        deadline: None,
        reason: None,
        blue: None,
        green: None,
        is_first_deployment: job.created_for == *epoch,
        deletion_delay_ms: 0,
    };
    Decision {
        write: Some(Write {
            expected: None,
            record,
        }),
        event: Some(Event::normal(
            "HandoverRecordCreated",
            format!("{} is the active job of the handover record", job.color),
        )),
        wake: Wake::Now,
        ..Decision::nothing(Stands::Settled, observed.stated.clone())
    }
}

/// STABLE: the active job may change if the present one is stopped, or a handover begins.
pub(super) fn stable(view: &View<'_>) -> Decision {
    match &view.observed.goal {
        Goal::Active {
            epoch,
            job,
            savepoint,
        } => make_active(view, *epoch, *job, savepoint.as_deref()),
        Goal::HandOver { epoch, origin } if *epoch > view.record.epoch => begin(view, *epoch, *origin),
        Goal::HandOver { origin, .. } => {
            let created_for = match origin {
                Origin::Fork { .. } => view.record.epoch,
                Origin::Standby { created_for } => *created_for,
            };
            let stands = if view.record.active.created_for == created_for {
                Stands::HandedOver
            } else {
                Stands::GivenUp { reason: None }
            };
            view.waits(stands, Vec::new())
        }
        Goal::GiveUp { .. } => view.waits(Stands::GivenUp { reason: None }, Vec::new()),
    }
}

/// Strategy SAVEPOINT: one write makes another job the active one, and names what it starts from. Both ways.
fn make_active(view: &View<'_>, epoch: Epoch, job: Job, savepoint: Option<&str>) -> Decision {
    let present = view.record.active;
    if present == job {
        return view.waits(Stands::Settled, Vec::new());
    }
    if !view.is_down(present) {
        let color = present.color;
        let awaited = view.unobserved(color).unwrap_or(Awaited::NotRunning { color });
        return view.waits(Stands::Reversible, vec![awaited]);
    }
    let record = HandoverRecord {
        epoch,
        active: job,
        incoming: None,
        fork: None,
        savepoint: savepoint.map(str::to_owned),
        reason: None,
        is_first_deployment: false,
        ..view.in_phase(Phase::Stable)
    };
    let message = match savepoint {
        Some(path) => format!("{} is the active job, and starts from {path}", job.color),
        None => format!("{} is the active job", job.color),
    };
    view.writes(
        Stands::Settled,
        record,
        Event::normal("ActiveJobChanged", message),
    )
}

/// STANDBY: the incoming job is about to be created, or handed back to.
fn begin(view: &View<'_>, epoch: Epoch, origin: Origin) -> Decision {
    let mut promise = view.promise();
    promise.lower(super::Lowered {
        to: Guarantee::ExactlyOnceExceptLate,
        why: "a record that comes after its watermark has passed the cut may be written by both jobs"
            .to_owned(),
    });
    if promise.level < view.settings.require {
        let why = not_enough(view, &promise);
        return view.waits(Stands::Settled, vec![Awaited::Person { why }]);
    }
    let (incoming, fork, highest) = match origin {
        // A job that is not assumed to be deterministic needs nothing of H before it publishes it itself.
        Origin::Fork { fork, highest } if view.settings.assume_deterministic => {
            (epoch, Some(fork), highest.unwrap_or(EventTime::NONE))
        }
        Origin::Fork { fork, .. } => (epoch, Some(fork), EventTime::NONE),
        Origin::Standby { created_for } => (created_for, None, EventTime::NONE),
    };
    let record = HandoverRecord {
        epoch,
        incoming: Some(incoming),
        fork,
        deadline: view.now.checked_add(view.settings.ready_within).ok(),
        reason: None,
        is_first_deployment: false,
        deletion_delay_ms: u64::try_from(view.settings.deletion_delay.as_millis()).unwrap_or_default(),
        ..view.in_phase(Phase::Standby { highest })
    };
    let message = format!(
        "{} is to take over from {} at a cut in event time",
        view.record.active.color.other(),
        view.record.active.color
    );
    view.writes(
        Stands::Reversible,
        record,
        Event::normal("HandoverBegun", message),
    )
}

/// STANDBY: the incoming job comes up and catches up.
pub(super) fn standby(view: &View<'_>) -> Decision {
    let origin = match own_way(view) {
        Ok(origin) => origin,
        Err(given_up) => return *given_up,
    };
    let awaited = readiness::awaited(view, origin);
    // Watermarks that do not move are what this is about.
    if view.settings.fallback && readiness::is_still(view) && awaited.iter().all(Awaited::is_of_watermarks) {
        return give_up(view, AbortReason::Idle);
    }
    if awaited.is_empty() {
        let Phase::Standby { highest } = view.record.phase else {
            return view.waits(Stands::Reversible, awaited);
        };
        let record = HandoverRecord {
            deadline: view.now.checked_add(view.settings.prepare_within).ok(),
            ..view.in_phase(Phase::Prepare { highest, cut: None })
        };
        let message = format!("{} is ready to take over", view.incoming().color);
        return view.writes(
            Stands::Reversible,
            record,
            Event::normal("HandoverPrepared", message),
        );
    }
    // A person may take his time; everything else is ready.
    let lags_at_most = view.settings.awaits_promotion && awaited.iter().all(Awaited::is_of_watermarks);
    if awaited == [Awaited::Promotion] || lags_at_most {
        return view.waits(Stands::Reversible, awaited);
    }
    until_deadline(view, awaited)
}

/// PREPARE: the active job agrees with itself on the cut, and keeps records back meanwhile.
pub(super) fn prepare(view: &View<'_>) -> Decision {
    match own_way(view) {
        Ok(_) => {
            let color = view.record.active.color;
            until_deadline(view, vec![Awaited::Cut { color }])
        }
        Err(given_up) => *given_up,
    }
}

/// PREPARE with W: COMMIT, on the very version that carries it, if there is somebody to take over.
pub(super) fn commit(view: &View<'_>, cut: Cut) -> Decision {
    if let Err(given_up) = own_way(view) {
        return *given_up;
    }
    let incoming = view.incoming();
    let mut awaited = Vec::new();
    awaited.extend(readiness::running(view, incoming, false));
    awaited.extend(readiness::reporting(view, incoming));
    if !awaited.is_empty() {
        return until_deadline(view, awaited);
    }
    let record = view.in_phase(Phase::Commit { cut });
    let message = format!("{} takes over at {cut}", incoming.color);
    view.writes(
        Stands::Committed,
        record,
        Event::normal("HandoverCommitted", message),
    )
}

/// Where the incoming job comes from, if the handover is to go on; the decision to give it up, if not.
fn own_way(view: &View<'_>) -> Result<Origin, Box<Decision>> {
    let given_up = |why: String| Err(Box::new(give_up(view, AbortReason::Operator { why })));
    let origin = match &view.observed.goal {
        Goal::HandOver { epoch, origin } if *epoch == view.record.epoch => *origin,
        Goal::HandOver { epoch, .. } => return given_up(format!("transition {epoch} takes its place")),
        Goal::Active { job, .. } => return given_up(format!("{} is to stay active", job.color)),
        Goal::GiveUp { why, .. } => return given_up(why.clone()),
    };
    if view.record.incoming.is_none() {
        return given_up("the handover record names no incoming job".to_owned());
    }
    let attempt = match view.lineage() {
        Lineage::Onward => None,
        Lineage::Behind(_) | Lineage::Unknown if view.is_assumed_alike() => None,
        Lineage::Behind(attempt) => Some(Some(attempt)),
        Lineage::Unknown => Some(None),
    };
    if let Some(attempt) = attempt {
        return Err(Box::new(give_up(view, AbortReason::BehindFork { attempt })));
    }
    let active = view.record.active;
    match view.known(active) {
        Known::Gone => return Err(Box::new(give_up(view, AbortReason::OutgoingLost))),
        Known::There(observed) => match &observed.state {
            JobState::Failed { .. } => {
                return Err(Box::new(give_up(view, AbortReason::OutgoingLost)));
            }
            JobState::Stopped { .. } | JobState::Finished => {
                return given_up(format!(
                    "{} does not run any more: {}",
                    active.color,
                    view.how(active)
                ));
            }
            JobState::Starting { .. } | JobState::Running { .. } => {}
        },
        Known::Unknown(_) => {}
    }
    let incoming = view.incoming();
    // Records are kept back now: there is no time to wait for a job that does not come back by itself.
    if matches!(view.record.phase, Phase::Prepare { .. }) && view.is_down(incoming) {
        return given_up(format!(
            "{} cannot take over: {}",
            incoming.color,
            view.how(incoming)
        ));
    }
    let promise = view.promise();
    if promise.level < view.settings.require {
        return given_up(not_enough(view, &promise));
    }
    Ok(origin)
}

fn not_enough(view: &View<'_>, promise: &Promise) -> String {
    let missing: Vec<&str> = promise.lowered.iter().map(|it| it.why.as_str()).collect();
    format!(
        "kubernetes.operator.bluegreen.handover.require is {}, and only {} can be had: {}",
        view.settings.require,
        promise.level,
        missing.join("; ")
    )
}

/// What is awaited until the deadline in the record, and ABORT then.
fn until_deadline(view: &View<'_>, awaited: Vec<Awaited>) -> Decision {
    let until = view.record.deadline;
    if let Some(deadline) = until.filter(|it| *it <= view.now) {
        let mut why = format!("by {deadline:.0} there was not");
        for (place, one) in awaited.iter().enumerate() {
            why.push_str(if place == 0 { ": " } else { "; " });
            why.push_str(&one.to_string());
        }
        why.push_str(&kept(view));
        return give_up(view, AbortReason::Operator { why });
    }
    Decision {
        until,
        ..view.waits(Stands::Reversible, awaited)
    }
}

/// What gates that keep much say to a deadline: kept bytes are bounded, and beyond the bound the job waits.
fn kept(view: &View<'_>) -> String {
    let jobs = [view.record.active, view.incoming()];
    let kept = jobs.into_iter().filter_map(|job| {
        let bytes = view.report(job).map_or(0, |it| it.gates.figures.kept_bytes);
        (bytes > 0).then(|| format!("; the gates of {} keep {bytes} bytes", job.color))
    });
    kept.collect()
}

/// ABORT. One of this write and the outgoing coordinator's own, or COMMIT, wins.
fn give_up(view: &View<'_>, reason: AbortReason) -> Decision {
    let event = Event::warning("HandoverGivenUp", format!("the handover is given up: {reason}"));
    let record = HandoverRecord {
        reason: Some(reason.clone()),
        ..view.in_phase(Phase::Abort)
    };
    let stands = Stands::GivenUp { reason: Some(reason) };
    view.writes(stands, record, event)
}

/// What follows from an ABORT that stands in the record.
pub(super) fn aftermath(view: &View<'_>) -> Vec<Request> {
    use super::decision::Strategy;
    let job = view.incoming();
    let strategy = match &view.record.reason {
        Some(AbortReason::Idle) => Some(Strategy::Savepoint),
        Some(AbortReason::BehindFork { .. }) => Some(Strategy::Watermark),
        Some(AbortReason::OutgoingLost) => Some(Strategy::FromLastCheckpoint),
        Some(
            AbortReason::HoldTimeout
            | AbortReason::CutTooFar { .. }
            | AbortReason::NoWatermark
            | AbortReason::Operator { .. },
        )
        | None => None,
    };
    let mut requests = vec![Request::Release { job }];
    requests.extend(strategy.map(|strategy| Request::StartOver { strategy }));
    requests
}
