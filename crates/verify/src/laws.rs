//! What must hold in every state. The numbers are those of the protocol's argument.
//!
//! * I1: no record that is not late is in the output of both jobs, nor twice in one.
//! * I2: when all is done, every record is in the output.
//! * I3: W is above everything that the outgoing job has emitted and did not lose.
//! * I4, I5: a job drops only what the other one emits. I11: the phase moves along its table; W is written once.
//! * I6: kept records are in checkpoints; by I2, as a restore would lose them. I7: nothing uncommitted is deleted; by I2.
//! * I8: never does one job pass everything while the other one emits. I10: after ABORT the incoming job emits nothing.
//! * I9: what is older than the record has no effect; by I1 to I5, as what is old may come at any time here.

use sluice_core::handover::{Cut, EventTime, HandoverRecord, Phase, Told};
use stateright::Property;

use crate::world::{Bounds, INCOMING, JobWorld, OUTGOING, World};

/// The laws, and what must be possible.
pub fn properties() -> Vec<Property<Bounds>> {
    vec![
        Property::always("no step breaks a law", |_, world: &World| world.broken.is_none()),
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
            "I10: after ABORT the incoming job has emitted nothing",
            |_, world: &World| world.record.phase != Phase::Abort || world.jobs[INCOMING].emitted() == 0,
        ),
        Property::sometimes("a handover comes to its end", |bounds: &Bounds, world: &World| {
            world.record.phase == Phase::Stable && is_done(bounds, world)
        }),
        Property::sometimes("both jobs have written", |_, world: &World| {
            world.record.phase == Phase::Stable
                && world.jobs[OUTGOING].visible != 0
                && world.jobs[INCOMING].visible != 0
        }),
        Property::sometimes(
            "a handover is given up, and all is written",
            |bounds: &Bounds, world: &World| world.record.phase == Phase::Abort && is_done(bounds, world),
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
pub fn written(before: &HandoverRecord, after: &HandoverRecord) -> Option<&'static str> {
    if !before.phase.may_become(after.phase) {
        return Some("I11: the phase leaves its table, or W or H changes");
    }
    None
}

/// The law that a gate breaks by dropping a record of this timestamp.
pub fn dropped(record: &HandoverRecord, place: usize, timestamp: i64) -> Option<&'static str> {
    let below = |cut: Cut| cut.is_above(EventTime::of(timestamp));
    match (place, record.phase) {
        (OUTGOING, Phase::Commit { cut } | Phase::Sealed { cut }) if !below(cut) => None,
        (OUTGOING, _) => Some("I5: the outgoing job drops what is its own"),
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
        _ => Some("I4: the incoming job drops what may be its own"),
    }
}
