//! What can happen next.

use std::fmt;

use sluice_core::handover::{CoordinatorMessage, Phase, Report};
use stateright::{Model, Property};

use crate::laws::{self, Law};
use crate::world::{Bounds, OUTGOING, World};

/// Something that happens. A job is named by its place, a subtask by its index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Event {
    /// A subtask handles the next of its input.
    Handle(usize, usize),
    /// What a subtask was told arrives.
    Hear(usize, usize),
    /// The reports of a job's subtasks arrive, and it is time to publish.
    Publish(usize),
    /// A write arrives at the store.
    Write(usize, usize),
    /// A checkpoint completes.
    Checkpoint(usize),
    /// The output of the last checkpoint is committed.
    Commit(usize),
    /// Records were kept for too long.
    HoldTimeout,
    /// All tasks of the job die and are restored.
    TasksDie(usize),
    /// So does its JobManager. The new one reads the newest record first, or the oldest.
    JobManagerDies(usize, bool),
    /// The operator looks, and does what it decides.
    Operator(Step),
}

/// What is wanted of the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Whatever is next on the way.
    Go,
    /// ABORT, because a person asks for it, or a deadline is over.
    Abort,
    /// A handover anew, after one was given up.
    StartOver,
}

/// An event, and the world that it leads to. Only what leads somewhere is offered: stateright names the steps of a
/// random walk by their places among those offered, and could not tell a walk again in which some were refused.
#[derive(Clone)]
pub struct Happening {
    /// The event.
    pub event: Event,
    leads_to: World,
}

impl PartialEq for Happening {
    fn eq(&self, other: &Self) -> bool {
        self.event == other.event
    }
}

impl fmt::Debug for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event.fmt(f)
    }
}

impl Model for Bounds {
    type State = World;
    type Action = Happening;

    fn init_states(&self) -> Vec<World> {
        let mut world = self.begin();
        self.settle(&mut world);
        self.canonicalise(&mut world);
        vec![world]
    }

    fn actions(&self, world: &World, happenings: &mut Vec<Happening>) {
        happenings.extend(self.happenings(world));
    }

    fn next_state(&self, _: &World, happening: Happening) -> Option<World> {
        Some(happening.leads_to)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        laws::properties()
    }
}

impl Bounds {
    /// All that can happen, with what it leads to.
    fn happenings(&self, world: &World) -> impl Iterator<Item = Happening> {
        self.events(world).into_iter().filter_map(|event| {
            let leads_to = self.lead(world, event)?;
            Some(Happening { event, leads_to })
        })
    }

    /// Whether nothing happens any more, unless somebody dies or gives the handover up.
    pub fn is_at_rest(&self, world: &World) -> bool {
        // These always change something, which is quicker known than tried.
        let is_busy = world.jobs.iter().filter(|job| job.exists).any(|job| {
            let mut subtasks = job.subtasks.iter().zip(&self.inputs);
            subtasks.any(|(it, input)| it.position < input.len() || it.inbox.is_some())
        });
        if is_busy {
            return false;
        }
        let goes_on = |event: &Event| {
            !matches!(
                event,
                Event::TasksDie(_)
                    | Event::JobManagerDies(..)
                    | Event::HoldTimeout
                    | Event::Operator(Step::Abort | Step::StartOver)
            )
        };
        let mut events = self.events(world).into_iter().filter(goes_on);
        !events.any(|event| self.lead(world, event).is_some())
    }

    /// What may be able to happen: the cheap half of the question, as most of what cannot happen is seen at a glance.
    fn events(&self, world: &World) -> Vec<Event> {
        let mut events = Vec::new();
        // What follows a broken law says nothing.
        if world.broken.is_some() {
            return events;
        }
        for (place, job) in world.jobs.iter().enumerate().filter(|(_, job)| job.exists) {
            for (index, subtask) in job.subtasks.iter().enumerate() {
                if subtask.position < self.inputs[index].len() {
                    events.push(Event::Handle(place, index));
                }
                if subtask.inbox.is_some() {
                    events.push(Event::Hear(place, index));
                }
            }
            let may_publish = matches!(world.record.phase, Phase::Standby { .. }) || self.slow;
            if place == OUTGOING && may_publish && job.coordinator.writing.is_none() {
                events.push(Event::Publish(place));
            }
            if self.next_checkpoint(world, place).is_some() {
                events.push(Event::Checkpoint(place));
            }
            if job.pending != 0 {
                events.push(Event::Commit(place));
            }
            if self.is_mortal(world, place) {
                events.push(Event::TasksDie(place));
                events.push(Event::JobManagerDies(place, false));
                if world.old.is_some() {
                    events.push(Event::JobManagerDies(place, true));
                }
            }
        }
        for (place, job) in world.jobs.iter().enumerate() {
            for write in 0..job.writes.len() {
                events.push(Event::Write(place, write));
            }
        }
        if self.hold_timeout {
            events.push(Event::HoldTimeout);
        }
        let has_passed = |report: &Option<Report>| report.as_ref().is_some_and(|it| it.passed.is_some());
        let goes_on = match world.record.phase {
            Phase::Standby { .. } | Phase::Prepare { .. } => true,
            Phase::Commit { .. } => has_passed(&world.record.blue),
            Phase::Sealed { .. } => has_passed(&world.record.green),
            Phase::Abort => self.mutant.is_some(),
            Phase::Stable => false,
        };
        if goes_on {
            events.push(Event::Operator(Step::Go));
        }
        if self.may_start_over(world) {
            events.push(Event::Operator(Step::StartOver));
        }
        let may_abort = match world.record.phase {
            Phase::Standby { .. } | Phase::Prepare { .. } => true,
            Phase::Commit { .. } => self.mutant.is_some(),
            Phase::Sealed { .. } | Phase::Abort | Phase::Stable => false,
        };
        if may_abort {
            events.push(Event::Operator(Step::Abort));
        }
        events
    }

    /// The world after this event; none if it cannot happen, or changes nothing.
    fn lead(&self, world: &World, event: Event) -> Option<World> {
        let mut next = world.clone();
        let has_happened = match event {
            Event::Handle(place, index) => self.handle(&mut next, place, index),
            Event::Hear(place, index) => self.hear(&mut next, place, index),
            Event::Publish(place) => self.publish(&mut next, place, true),
            Event::Write(place, index) => self.write(&mut next, place, index),
            Event::Checkpoint(place) => self.checkpoint(&mut next, place),
            Event::Commit(place) => {
                let job = &mut next.jobs[place];
                job.visible |= job.pending;
                job.pending = 0;
                true
            }
            Event::HoldTimeout => {
                self.coordinate(&mut next.jobs[OUTGOING], CoordinatorMessage::HoldTimeout);
                true
            }
            Event::TasksDie(place) => self.die(&mut next, place, None),
            Event::JobManagerDies(place, old) => self.die(&mut next, place, Some(old)),
            Event::Operator(step) => self.operate(&mut next, step),
        };
        if !has_happened {
            return None;
        }
        self.settle(&mut next);
        self.canonicalise(&mut next);
        if next == *world {
            return None;
        }
        let is_death = matches!(event, Event::TasksDie(_) | Event::JobManagerDies(..));
        if !is_death && laws::progress(&next) <= laws::progress(world) {
            next.broken = next.broken.or(Some(Law::Onward));
        }
        Some(next)
    }
}
