//! From COMMIT on: only forward. And what follows where it was given up before.

use super::decision::{Awaited, Decision, Farewell, Request, Stands};
use super::guarantee::Guarantee;
use super::observed::{Goal, JobObserved, JobState, Role};
use super::standby;
use super::view::{Known, View};
use crate::handover::{Cut, HandoverRecord, Job, Phase};
use crate::{Event, Fact};

/// What is known of the end of the active job's output.
enum Output {
    /// Everything that it is to write is committed.
    Committed,
    /// Not yet; this is awaited, and this is asked for.
    NotYet(Vec<Request>, Awaited),
}

/// COMMIT: SEALED, when the active job has written everything below the cut, and committed it.
pub(super) fn commit(view: &View<'_>, cut: Cut) -> Decision {
    let forced = view.observed.forced == Some(view.record.epoch);
    let decision = match output(view, cut) {
        Output::Committed => {
            let message = format!(
                "{} has written and committed everything below {cut}",
                view.record.active.color
            );
            seal(view, cut, Event::normal("HandoverSealed", message))
        }
        Output::NotYet(_, awaited) if forced => {
            let why = format!("it was sealed by a person, and did not wait for {awaited}");
            let mut decision = seal(view, cut, Event::warning("HandoverSealedByForce", why.clone()));
            decision.guarantee.lower(super::Lowered {
                to: Guarantee::None,
                why,
            });
            decision
        }
        Output::NotYet(requests, awaited) => view.requests(Stands::Committed, requests, vec![awaited]),
    };
    with_incoming_back(view, decision)
}

fn seal(view: &View<'_>, cut: Cut, event: Event) -> Decision {
    view.writes(Stands::Committed, view.in_phase(Phase::Sealed { cut }), event)
}

/// How far the active job is. It is drained when it has passed the cut; committed when it was stopped after that, or, where it
/// stays as a hot standby, when the sinks have committed what the checkpoint that proves it holds.
fn output(view: &View<'_>, cut: Cut) -> Output {
    let job = view.record.active;
    let color = job.color;
    let observed = match view.known(job) {
        Known::Unknown(why) => {
            return Output::NotYet(
                Vec::new(),
                Awaited::Observation {
                    color,
                    why: why.to_owned(),
                },
            );
        }
        Known::Gone => return lost(view, job),
        Known::There(observed) => observed,
    };
    let has_passed = view.has_passed(job);
    match &observed.state {
        JobState::Finished => Output::Committed,
        JobState::Stopped {
            savepoint: Some(_),
            drained: true,
        } if has_passed => Output::Committed,
        // What was declared to have ended cannot be gone on with.
        JobState::Stopped { drained: true, .. } => Output::NotYet(
            Vec::new(),
            Awaited::Person {
                why: format!(
                    "{color} was drained by someone before it had passed the cut, and cannot go on from there: restore it from an earlier \
                     checkpoint, or seal the handover by force; records below {cut} may be missing then"
                ),
            },
        ),
        JobState::Stopped { drained: false, .. } | JobState::Failed { .. } => lost(view, job),
        JobState::Starting { .. } | JobState::Running { .. } if !has_passed => {
            Output::NotYet(Vec::new(), view.awaits_passing(job, Role::Outgoing, cut))
        }
        JobState::Starting { .. } | JobState::Running { .. } => drained(view, job, observed),
    }
}

fn drained(view: &View<'_>, job: Job, observed: &JobObserved) -> Output {
    let color = job.color;
    let stays = !view.settings.deletion_delay.is_zero();
    // What was given up is lost either way; it is not waited for.
    if !stays || view.failed_committables() > 0 {
        return Output::NotYet(vec![Request::StopDrained { job }], Awaited::Stopped { color });
    }
    let proof = view.report(job).and_then(|it| it.passed).map(|it| it.checkpoint);
    match &observed.committables {
        Fact::Present(it) if Some(it.checkpoint) >= proof && it.pending == 0 => Output::Committed,
        Fact::Present(it) => Output::NotYet(
            Vec::new(),
            Awaited::Committed {
                color,
                pending: Some(it.pending),
            },
        ),
        Fact::Absent | Fact::Unknown(_) => {
            Output::NotYet(Vec::new(), Awaited::Committed { color, pending: None })
        }
    }
}

/// The handover cannot end without this job: it has to come back.
fn lost(view: &View<'_>, job: Job) -> Output {
    let how = view.how(job);
    let color = job.color;
    Output::NotYet(vec![Request::Resume { job }], Awaited::Back { color, how })
}

/// After COMMIT the incoming job is needed, too.
fn with_incoming_back(view: &View<'_>, mut decision: Decision) -> Decision {
    let job = view.incoming();
    if decision.write.is_none() && view.is_down(job) && !view.has_finished(job) {
        decision.requests.push(Request::Resume { job });
        decision.awaited.push(Awaited::Back {
            color: job.color,
            how: view.how(job),
        });
    }
    decision
}

/// SEALED: STABLE, when every gate of the incoming job has passed the cut, so that nobody needs it any more.
pub(super) fn sealed(view: &View<'_>, cut: Cut) -> Decision {
    let incoming = view.incoming();
    if !view.has_passed(incoming) {
        let awaited = view.awaits_passing(incoming, Role::Incoming, cut);
        return with_incoming_back(view, view.waits(Stands::Committed, vec![awaited]));
    }
    let record = HandoverRecord {
        active: incoming,
        incoming: None,
        fork: None,
        savepoint: None,
        ..view.in_phase(Phase::Stable)
    };
    let message = format!(
        "{} has taken over from {}",
        incoming.color, view.record.active.color
    );
    view.writes(
        Stands::HandedOver,
        record,
        Event::normal("HandoverCompleted", message),
    )
}

/// ABORT: the active job goes on alone. STABLE, once something else is wanted.
pub(super) fn abort(view: &View<'_>) -> Decision {
    let goes_on = match &view.observed.goal {
        Goal::Active { .. } => true,
        Goal::HandOver { epoch, .. } => *epoch > view.record.epoch,
        Goal::GiveUp { .. } => false,
    };
    if !goes_on {
        let stands = Stands::GivenUp {
            reason: view.record.reason.clone(),
        };
        return view.requests(stands, standby::aftermath(view), Vec::new());
    }
    let record = HandoverRecord {
        incoming: None,
        fork: None,
        reason: None,
        ..view.in_phase(Phase::Stable)
    };
    let message = format!("{} is active alone", view.record.active.color);
    view.writes(Stands::Settled, record, Event::normal("HandoverOver", message))
}

/// Whether this job may go now, as far as its output is concerned. `observed` is what is known of it.
pub fn farewell(record: &HandoverRecord, job: Job, observed: &Fact<JobObserved>) -> Farewell {
    let is_over = match observed {
        Fact::Absent => true,
        Fact::Unknown(_) => false,
        Fact::Present(observed) => {
            observed.created_for != job.created_for
                || matches!(
                    observed.state,
                    JobState::Finished
                        | JobState::Stopped {
                            savepoint: Some(_),
                            drained: true
                        }
                )
        }
    };
    let is_outgoing = record.active == job;
    let is_incoming = record.incoming_job() == Some(job);
    let is_sealed = matches!(record.phase, Phase::Sealed { .. });
    // The incoming job of a handover that was given up has never written, be it of this record or by now forgotten by it.
    let was_given_up = if is_incoming {
        record.phase == Phase::Abort
    } else {
        !is_outgoing && job.created_for == record.epoch
    };
    if was_given_up {
        return Farewell::MayGo;
    }
    if is_incoming || (is_outgoing && !is_sealed) || job.created_for > record.epoch {
        return Farewell::Stays;
    }
    if is_over {
        Farewell::MayGo
    } else {
        Farewell::DrainFirst
    }
}
