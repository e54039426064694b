//! The record: what Sluice remembers of a resource between two looks.
//!
//! It lives in the resource's status. Here is its inner form, in which an illegal state cannot be written down, and the
//! way to and from the wire form, where upstream's seven state names exist.

use jiff::Timestamp;
use sluice_api::blue_green::{
    AcknowledgedStatus, BlueGreenState, Color, FailedStatus, FlinkBlueGreenDeploymentStatus, HistoryEntry,
    KeptStatus, SavepointStatus, StepStatus, TransitionCause, TransitionMode, TransitionStatus,
    WatermarkStatus,
};

use super::specification::Specification;

/// The step that it is at.
pub type Step = StepStatus;

/// How many ended transitions the history holds.
const HISTORY_LIMIT: usize = 10;

/// What Sluice remembers of a resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Where the resource is.
    pub state: State,
    /// The largest transition number given out.
    pub number: u64,
    /// The specification that the active child was made from.
    pub reconciled: Option<Specification>,
    /// The specification that an abort has set aside.
    pub failed: Option<FailedStatus>,
    /// The deployment that an abort left behind.
    pub kept: Option<KeptStatus>,
    /// Sluice's own savepoints that still exist, oldest first.
    pub savepoints: Vec<SavepointStatus>,
    /// The commands that were acted on.
    pub acknowledged: AcknowledgedStatus,
    /// The sink epoch of the active job.
    pub sink_epoch: u64,
    /// The last transitions, newest first.
    pub history: Vec<HistoryEntry>,
}

/// Where a resource is.
#[derive(Clone, Debug, PartialEq)]
pub enum State {
    /// It has never had a child that became ready.
    Initializing,
    /// The child of this colour serves, and nothing is under way.
    Active(Color),
    /// A transition is under way.
    InTransition(Box<Transition>),
}

/// A transition under way; each field as in [`TransitionStatus`].
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "they are told where the wire form is")]
pub struct Transition {
    pub number: u64,
    pub from: Option<Color>,
    pub to: Color,
    pub cause: TransitionCause,
    pub mode: TransitionMode,
    pub started_at: Timestamp,
    pub spec: Specification,
    pub step: Step,
    pub savepoint: Option<String>,
    pub restore: Option<String>,
    pub warm: bool,
    pub outgoing_stopped_at: Option<Timestamp>,
    pub incoming_created_at: Option<Timestamp>,
    pub lowered: Option<String>,
    pub sink_epoch: u64,
    pub watermark: Option<WatermarkStatus>,
}

impl Transition {
    /// Whether its incoming job is not to start yet: it waits for the outgoing one, which has not been seen stopped.
    pub const fn holds_incoming(&self) -> bool {
        self.warm && self.outgoing_stopped_at.is_none()
    }

    /// From the wire form; `None` if its specification cannot be read.
    fn read(wire: &TransitionStatus) -> Option<Self> {
        Some(Self {
            number: wire.number,
            from: wire.from,
            to: wire.to,
            cause: wire.cause,
            mode: wire.mode,
            started_at: wire.started_at,
            spec: Specification::read(&wire.spec)?,
            step: wire.step.clone(),
            savepoint: wire.savepoint.clone(),
            restore: wire.restore.clone(),
            warm: wire.warm,
            outgoing_stopped_at: wire.outgoing_stopped_at,
            incoming_created_at: wire.incoming_created_at,
            lowered: wire.lowered.clone(),
            sink_epoch: wire.sink_epoch,
            watermark: wire.watermark.clone(),
        })
    }

    /// The wire form.
    pub fn write(&self) -> TransitionStatus {
        TransitionStatus {
            number: self.number,
            from: self.from,
            to: self.to,
            cause: self.cause,
            mode: self.mode,
            started_at: self.started_at,
            spec: self.spec.text().to_owned(),
            step: self.step.clone(),
            savepoint: self.savepoint.clone(),
            restore: self.restore.clone(),
            warm: self.warm,
            outgoing_stopped_at: self.outgoing_stopped_at,
            incoming_created_at: self.incoming_created_at,
            lowered: self.lowered.clone(),
            sink_epoch: self.sink_epoch,
            watermark: self.watermark.clone(),
        }
    }
}

impl Record {
    /// The record of a resource that is seen for the first time.
    pub fn new() -> Self {
        Self {
            state: State::Initializing,
            number: 0,
            reconciled: None,
            failed: None,
            kept: None,
            savepoints: Vec::new(),
            acknowledged: AcknowledgedStatus::default(),
            sink_epoch: 0,
            history: Vec::new(),
        }
    }

    /// The same record in another state.
    #[must_use]
    pub fn with_state(&self, state: State) -> Self {
        Self {
            state,
            ..self.clone()
        }
    }

    /// The same record with the transition at another step.
    #[must_use]
    pub fn at_step(&self, transition: &Transition, step: Step) -> Self {
        self.with_transition(Transition {
            step,
            ..transition.clone()
        })
    }

    /// The same record with this transition.
    #[must_use]
    pub fn with_transition(&self, transition: Transition) -> Self {
        self.with_state(State::InTransition(Box::new(transition)))
    }

    /// The same record, the incoming cluster of its transition brought up before the outgoing job is stopped.
    #[must_use]
    pub fn warm(mut self) -> Self {
        if let State::InTransition(transition) = &mut self.state {
            transition.warm = true;
        }
        self
    }

    /// The same record, its transition handing over at a cut in event time. Its incoming job is a fork, so its sinks begin afresh.
    #[must_use]
    pub fn at_a_watermark(mut self, watermark: WatermarkStatus) -> Self {
        if let State::InTransition(transition) = &mut self.state {
            transition.sink_epoch = transition.number;
            transition.watermark = Some(watermark);
        }
        self
    }

    /// The same record, its transition promising less than its mode does.
    #[must_use]
    pub fn lowered(mut self, why: &str) -> Self {
        if let State::InTransition(transition) = &mut self.state {
            transition.lowered = Some(why.to_owned());
        }
        self
    }

    /// Adds an ended transition to the history.
    pub fn remember(&mut self, entry: HistoryEntry) {
        self.history.insert(0, entry);
        self.history.truncate(HISTORY_LIMIT);
    }

    /// The side that serves, if any does.
    pub fn active(&self) -> Option<Color> {
        match &self.state {
            State::Initializing => None,
            State::Active(color) => Some(*color),
            State::InTransition(transition) => serving(transition),
        }
    }
}

impl Default for Record {
    fn default() -> Self {
        Self::new()
    }
}

/// The side that serves during a transition: the incoming one from the point of no return on.
pub fn serving(transition: &Transition) -> Option<Color> {
    match &transition.step {
        Step::Switching { .. } | Step::Sealing { .. } | Step::InPlace { .. } => Some(transition.to),
        Step::Savepointing { .. }
        | Step::Savepointed { .. }
        | Step::Stopping { .. }
        | Step::Creating { .. }
        | Step::Warming { .. }
        | Step::Deploying { .. }
        | Step::HandingOver { .. }
        | Step::AwaitingPromotion { .. }
        | Step::Returning { .. } => transition.from,
    }
}

/// Until when a step may take; `None` where it waits for a person, or goes only forward.
pub const fn deadline(step: &Step) -> Option<Timestamp> {
    match step {
        Step::Savepointing { deadline, .. }
        | Step::Stopping { deadline, .. }
        | Step::Creating { deadline, .. }
        | Step::Warming { deadline, .. }
        | Step::Deploying { deadline, .. }
        | Step::InPlace { deadline, .. }
        | Step::Returning { deadline, .. } => Some(*deadline),
        // The deadline of a handover stands in its record, and belongs to one phase.
        Step::Savepointed { .. }
        | Step::HandingOver { .. }
        | Step::Sealing { .. }
        | Step::AwaitingPromotion { .. }
        | Step::Switching { .. } => None,
    }
}

/// Reads the record that Sluice wrote. `None`: there is none, or it was written by another operator, or it is damaged
/// beyond what can be acted on; then it is rebuilt from the children (see `rebuild`).
pub fn read(status: &FlinkBlueGreenDeploymentStatus) -> Option<Record> {
    // The number is Sluice's own field: where it is missing, this is not Sluice's record.
    let number = status.transition_number?;
    let transition = status.transition.as_ref().and_then(Transition::read);
    let state = match (transition, status.blue_green_state?) {
        (Some(transition), _) => State::InTransition(Box::new(transition)),
        (_, BlueGreenState::InitializingBlue) => State::Initializing,
        (_, BlueGreenState::ActiveBlue) => State::Active(Color::Blue),
        (_, BlueGreenState::ActiveGreen) => State::Active(Color::Green),
        // Mid-transition without the transition: damaged.
        (
            _,
            BlueGreenState::SavepointingBlue
            | BlueGreenState::SavepointingGreen
            | BlueGreenState::TransitioningToBlue
            | BlueGreenState::TransitioningToGreen,
        ) => return None,
    };
    let reconciled = status
        .last_reconciled_spec
        .as_deref()
        .and_then(Specification::read);
    if reconciled.is_none() && matches!(state, State::Active(_)) {
        return None;
    }
    Some(Record {
        state,
        number,
        reconciled,
        failed: status.failed.clone(),
        kept: status.kept.clone(),
        savepoints: status.savepoints.clone(),
        acknowledged: status.acknowledged.clone().unwrap_or_default(),
        sink_epoch: status.sink_epoch,
        history: status.history.clone(),
    })
}

/// Upstream's name of the state.
pub fn wire_state(record: &Record) -> BlueGreenState {
    let active = |color| match color {
        Color::Blue => BlueGreenState::ActiveBlue,
        Color::Green => BlueGreenState::ActiveGreen,
    };
    let savepointing = |color| match color {
        Color::Blue => BlueGreenState::SavepointingBlue,
        Color::Green => BlueGreenState::SavepointingGreen,
    };
    let transitioning = |color| match color {
        Color::Blue => BlueGreenState::TransitioningToBlue,
        Color::Green => BlueGreenState::TransitioningToGreen,
    };
    match &record.state {
        State::Initializing => BlueGreenState::InitializingBlue,
        State::Active(color) => active(*color),
        State::InTransition(transition) => {
            let (to, from) = (transition.to, transition.from.unwrap_or(transition.to.other()));
            match &transition.step {
                Step::Savepointing { .. } | Step::Stopping { .. } => savepointing(from),
                // Upstream goes back to ACTIVE for a moment when the savepoint is there.
                Step::Savepointed { .. } => active(from),
                Step::Returning { .. } => transitioning(from),
                Step::Creating { .. }
                | Step::Warming { .. }
                | Step::Deploying { .. }
                | Step::HandingOver { .. }
                | Step::Sealing { .. }
                | Step::AwaitingPromotion { .. }
                | Step::Switching { .. }
                | Step::InPlace { .. } => transitioning(to),
            }
        }
    }
}
