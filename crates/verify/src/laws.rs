//! What must hold in every state. The numbers are those of the protocol's argument.
//!
//! * I1: no record that is not late is in the output of both jobs, nor twice in one.
//! * I2: when all is done, every record is in the output.
//! * I3: W is above everything that the outgoing job has emitted and did not lose.
//! * I4, I5: a job drops only what the other one emits. I11: the phase moves along its table; W is written once.
//! * I6: kept records are in checkpoints; by I2, as a restore would lose them. I7: nothing uncommitted is deleted; by I2.
//! * I8: never does one job pass everything while the other one emits. I10: after ABORT the incoming job emits nothing.
//! * I9: what is older than the record has no effect; by I1 to I5, as what is old may come at any time here.
//! * Convergence: every step but a death leads on, so no run is endless; and where nothing can happen any more, all is done.
//!   So from every state, every run in which nobody dies any more reaches the end. Giving up counts as a way out only where the
//!   operator decides it by itself, because the outgoing job has gone back behind the fork.

use sluice_core::handover::{Cut, EventTime, HandoverRecord, Ordering, Phase, Told};
use stateright::Property;

use crate::world::{Bounds, INCOMING, JobWorld, OUTGOING, World};

/// A law that is judged by the step, not by the state to which it leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Law {
    /// I1, of one job.
    OnceByOneJob,
    /// I4.
    IncomingDrops,
    /// I5.
    OutgoingDrops,
    /// I11.
    Phases,
    /// One of the operator's own.
    Operator,
    /// No step but a death leads back. So no run goes on for ever, and what holds where nothing can happen any more is
    /// reached by every run.
    Onward,
}

/// The law that this step broke, if the world has come to be in this state by breaking one.
const fn unbroken(world: &World, law: Law) -> bool {
    match world.broken {
        Some(broken) => broken as u8 != law as u8,
        None => true,
    }
}

/// The laws, and what must be possible.
pub fn properties() -> Vec<Property<Bounds>> {
    let mut properties = laws();
    properties.extend(possible());
    properties
}

/// What must be possible, or the laws may hold for want of anything that could break them.
fn possible() -> [Property<Bounds>; 4] {
    [
        Property::sometimes("a handover comes to its end", |bounds: &Bounds, world: &World| {
            world.record.phase == Phase::Stable && is_done(bounds, world)
        }),
        Property::sometimes("both jobs have written", |_, world: &World| {
            world.record.phase == Phase::Stable
                && world.jobs[OUTGOING].emitted() != 0
                && world.jobs[INCOMING].emitted() != 0
        }),
        Property::sometimes(
            "a handover comes to its end after all deaths",
            |bounds: &Bounds, world: &World| {
                world.crashes == 0 && world.record.phase == Phase::Stable && is_done(bounds, world)
            },
        ),
        Property::sometimes(
            "a handover is given up, and all is written",
            |bounds: &Bounds, world: &World| world.record.phase == Phase::Abort && is_done(bounds, world),
        ),
    ]
}

fn laws() -> Vec<Property<Bounds>> {
    vec![
        Property::always("I1: no job emits a record twice", |_, world: &World| {
            unbroken(world, Law::OnceByOneJob)
        }),
        Property::always(
            "I4: the incoming job drops nothing of its own",
            |_, world: &World| unbroken(world, Law::IncomingDrops),
        ),
        Property::always(
            "I5: the outgoing job drops nothing of its own",
            |_, world: &World| unbroken(world, Law::OutgoingDrops),
        ),
        Property::always("I11: the phase moves along its table", |_, world: &World| {
            unbroken(world, Law::Phases)
        }),
        Property::always("the operator keeps to its laws", |_, world: &World| {
            unbroken(world, Law::Operator)
        }),
        Property::always("convergence: every step leads on", |_, world: &World| {
            unbroken(world, Law::Onward)
        }),
        Property::always(
            "convergence: what comes to rest is done",
            |bounds: &Bounds, world: &World| {
                world.broken.is_some() || is_done(bounds, world) || !bounds.is_at_rest(world)
            },
        ),
        Property::always(
            "I1: nothing is emitted by both jobs",
            |bounds: &Bounds, world: &World| {
                let both = world.jobs[OUTGOING].emitted() & world.jobs[INCOMING].emitted();
                both & bounds.records(|_, late| !late) == 0
            },
        ),
        Property::always(
            "I2: when all is done, nothing is missing",
            |bounds: &Bounds, world: &World| missing(bounds, world) == 0,
        ),
        Property::always(
            "I3: W is above all that was emitted",
            |bounds: &Bounds, world: &World| {
                world.record.phase.cut().is_none_or(|cut| {
                    let beyond = bounds.records(|timestamp, _| !cut.is_above(EventTime::of(timestamp)));
                    world.jobs[OUTGOING].emitted() & beyond == 0
                })
            },
        ),
        Property::always("I8: never two open sides", |_, world: &World| {
            let open = |job: &JobWorld, passes: fn(Told) -> bool| {
                job.exists && job.subtasks.iter().any(|it| passes(it.gate.told()))
            };
            !(open(&world.jobs[OUTGOING], passes_everything) && open(&world.jobs[INCOMING], emits))
        }),
        Property::always(
            "STRICT: the incoming job waits until the outgoing one is sealed",
            |bounds: &Bounds, world: &World| {
                bounds.rules.ordering == Ordering::Overlap
                    || !matches!(world.record.phase, Phase::Commit { .. })
                    || world.jobs[INCOMING].emitted() == 0
            },
        ),
        Property::always(
            "I10: after ABORT the incoming job has emitted nothing",
            |_, world: &World| world.record.phase != Phase::Abort || world.jobs[INCOMING].emitted() == 0,
        ),
    ]
}

fn passes_everything(told: Told) -> bool {
    matches!(
        told,
        Told::Outgoing(Phase::Stable | Phase::Standby { .. } | Phase::Abort)
    )
}

fn emits(told: Told) -> bool {
    passes_everything(told) || matches!(told, Told::Incoming(Phase::Commit { .. } | Phase::Sealed { .. }))
}

/// The job that goes on has handled all its input, and its gates have been told how it ended.
fn is_done(bounds: &Bounds, world: &World) -> bool {
    let place = match world.record.phase {
        Phase::Abort => OUTGOING,
        Phase::Sealed { .. } | Phase::Stable => INCOMING,
        Phase::Standby { .. } | Phase::Prepare { .. } | Phase::Commit { .. } => return false,
    };
    let job = &world.jobs[place];
    let told = world.record.told(job.coordinator.job);
    job.subtasks.iter().zip(&bounds.inputs).all(|(subtask, input)| {
        subtask.position == input.len()
            // By what the coordinator told last: a mutant may have made something else of it on the way.
            && subtask.gate.orders.is_some()
            && job.coordinator.told.is_some_and(|it| it.told == told)
            && subtask.inbox.is_none()
    })
}

/// What nobody has emitted and nobody will.
fn missing(bounds: &Bounds, world: &World) -> u16 {
    if !is_done(bounds, world) {
        return 0;
    }
    let outgoing = &world.jobs[OUTGOING];
    let incoming = &world.jobs[INCOMING];
    let written = match world.record.phase {
        Phase::Abort => outgoing.emitted(),
        _ => outgoing.visible | incoming.emitted(),
    };
    bounds.records(|_, _| true) & !written
}

/// The law that a write breaks.
pub fn written(before: &HandoverRecord, after: &HandoverRecord) -> Option<Law> {
    let moves = if before.epoch == after.epoch {
        before.phase.may_become(after.phase)
    } else {
        before.epoch.next() == after.epoch && before.phase == Phase::Stable
    };
    (!moves).then_some(Law::Phases)
}

/// The law that a gate breaks by dropping a record of this timestamp.
pub fn dropped(record: &HandoverRecord, place: usize, timestamp: i64) -> Option<Law> {
    let below = |cut: Cut| cut.is_above(EventTime::of(timestamp));
    match (place, record.phase) {
        (OUTGOING, Phase::Commit { cut } | Phase::Sealed { cut }) if !below(cut) => None,
        (OUTGOING, _) => Some(Law::OutgoingDrops),
        (_, Phase::Standby { highest } | Phase::Prepare { highest, .. })
            if EventTime::of(timestamp) <= highest =>
        {
            None
        }
        (_, Phase::Commit { cut } | Phase::Sealed { cut }) if below(cut) => None,
        // Given up: it is closed for ever.
        (_, Phase::Abort) => None,
        // Every gate has passed W.
        (_, Phase::Stable) => None,
        _ => Some(Law::IncomingDrops),
    }
}

/// How far a world has come: what every step but a death must raise. The record comes first, then what the jobs have
/// handled and completed, then what is on its way.
pub fn progress(world: &World) -> impl Ord + use<> {
    let (rank, highest) = match world.record.phase {
        Phase::Standby { highest } => (0, highest),
        Phase::Prepare { cut: None, .. } => (1, EventTime::NONE),
        Phase::Prepare { cut: Some(_), .. } => (2, EventTime::NONE),
        Phase::Commit { .. } => (3, EventTime::NONE),
        Phase::Sealed { .. } | Phase::Abort => (4, EventTime::NONE),
        Phase::Stable => (5, EventTime::NONE),
    };
    let report = |report: Option<&sluice_core::handover::Report>| {
        report.map(|it| (it.attempt, it.completed, it.passed.map(|it| it.checkpoint)))
    };
    let of_jobs = |figure: fn(&JobWorld) -> usize| -> usize { world.jobs.iter().map(figure).sum() };
    let handled = of_jobs(|job| {
        let positions = job.subtasks.iter().map(|it| it.position);
        let known =
            usize::from(job.coordinator.passed.is_some()) + usize::from(job.coordinator.held_too_long);
        positions.sum::<usize>() + known + usize::try_from(job.checkpoint.id.0).unwrap_or_default()
    });
    let unheard = of_jobs(|job| job.subtasks.iter().filter(|it| it.inbox.is_some()).count());
    let uncommitted = of_jobs(|job| usize::from(job.pending != 0));
    let writes = of_jobs(|job| job.writes.len());
    (
        (world.record.epoch, rank, highest),
        (
            report(world.record.blue.as_ref()),
            report(world.record.green.as_ref()),
        ),
        handled,
        (std::cmp::Reverse(unheard), std::cmp::Reverse(uncommitted)),
        writes,
    )
}
