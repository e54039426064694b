//! What the rules see: the observation, the time, the record and the specification, checked.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::networking::v1::Ingress;
use sluice_api::blue_green::{
    Color, FlinkBlueGreenDeployment, FlinkBlueGreenDeploymentSpec, TransitionCause, TransitionMode,
};
use sluice_api::settings::BlueGreenSettings;
use sluice_api::validation::{self, Problem, ValidSpec};
use sluice_api::{FlinkDeployment, JobState};

use super::decision::Waiting;
use super::observed::{Observed, Side};
use super::record::{Record, State, Step, Transition};
use super::specification::Specification;
use super::{child, ingress};
use crate::{Event, Fact, fields};

/// What the rules see.
pub struct View<'a> {
    /// What was observed.
    pub observed: &'a Observed,
    /// The time.
    pub now: Timestamp,
    /// What is remembered.
    pub record: Record,
    /// The specification, or what is wrong with it.
    pub spec: Result<ValidSpec, Vec<Problem>>,
    /// The settings of the present specification; if it is invalid, of the one that the active child was made from.
    pub settings: BlueGreenSettings,
}

/// What a rule decided.
pub struct Verdict {
    /// The record as it shall be.
    pub record: Record,
    /// What to tell people.
    pub events: Vec<Event>,
    /// What stands in the way, if it is not what the record's step waits for anyway.
    pub blocked: Option<Waiting>,
}

impl Verdict {
    /// The record moves.
    pub fn next(record: Record, event: Event) -> Self {
        Self {
            record,
            events: vec![event],
            blocked: None,
        }
    }

    /// The record stays; what its step waits for has not come yet.
    pub fn stay(view: &View<'_>) -> Self {
        Self {
            record: view.record.clone(),
            events: Vec::new(),
            blocked: None,
        }
    }

    /// The record stays because of something that its step does not wait for by itself.
    pub fn blocked(view: &View<'_>, waiting: Waiting) -> Self {
        Self {
            record: view.record.clone(),
            events: Vec::new(),
            blocked: Some(waiting),
        }
    }
}

/// The child of a colour as far as the resource is concerned.
pub enum Mine<'a> {
    /// It could not be read.
    Unknown(&'a str),
    /// It is not there.
    Absent,
    /// It is the resource's own.
    Present(&'a FlinkDeployment),
    /// It is the resource's own and is being deleted.
    Terminating,
    /// An object of that name belongs to someone else (scenario 28).
    Foreign,
}

impl<'a> View<'a> {
    /// The view of an observation, with the record that was read or rebuilt.
    pub fn new(observed: &'a Observed, now: Timestamp, record: Record) -> Self {
        let spec = if observed.unreadable.is_empty() {
            validation::validate(&observed.resource, &observed.defaults)
        } else {
            Err(observed.unreadable.clone())
        };
        let settings = match &spec {
            Ok(valid) => valid.settings.clone(),
            Err(_) => fallback_settings(observed, &record),
        };
        Self {
            observed,
            now,
            record,
            spec,
            settings,
        }
    }

    /// The resource.
    pub const fn resource(&self) -> &'a FlinkBlueGreenDeployment {
        &self.observed.resource
    }

    /// The side of a colour.
    pub const fn side(&self, color: Color) -> &'a Side {
        self.observed.side(color)
    }

    /// The child of a colour as far as the resource is concerned.
    pub fn mine(&self, color: Color) -> Mine<'a> {
        match &self.side(color).child {
            Fact::Unknown(why) => Mine::Unknown(why),
            Fact::Absent => Mine::Absent,
            Fact::Present(object) if !child::is_owned(&object.metadata, self.resource()) => Mine::Foreign,
            Fact::Present(object) if child::is_terminating(object) => Mine::Terminating,
            Fact::Present(object) => Mine::Present(object),
        }
    }

    /// The child of a colour if it is the resource's own and not being deleted.
    pub fn present(&self, color: Color) -> Option<&'a FlinkDeployment> {
        match self.mine(color) {
            Mine::Present(object) => Some(object),
            Mine::Unknown(_) | Mine::Absent | Mine::Terminating | Mine::Foreign => None,
        }
    }

    /// Now and a duration, without overflow.
    pub fn after(&self, duration: SignedDuration) -> Timestamp {
        self.now.saturating_add(duration).unwrap_or(Timestamp::MAX)
    }

    /// When a child that begins to come up now counts as failed.
    pub fn grace_deadline(&self) -> Timestamp {
        self.after(self.settings.abort_grace_period)
    }

    /// A new transition, at its first step; its number is the next.
    pub fn begin(
        &self,
        from: Option<Color>,
        to: Color,
        cause: TransitionCause,
        spec: &Specification,
        restore: Option<String>,
        step: Step,
    ) -> Record {
        let number = self.record.number.saturating_add(1);
        let mode = match from {
            Some(_) => self.settings.transition_mode,
            // Where nothing goes out there is nothing to hand over.
            None => TransitionMode::Basic,
        };
        let transition = Transition {
            number,
            from,
            to,
            cause,
            mode,
            started_at: self.now,
            spec: spec.clone(),
            step,
            savepoint: None,
            restore,
            warm: false,
            outgoing_stopped_at: None,
            incoming_created_at: None,
            lowered: None,
            // It goes on with the sinks of the active job.
            sink_epoch: self.record.sink_epoch,
            watermark: None,
        };
        let mut record = self.record.with_transition(transition);
        record.number = number;
        record
    }

    /// The first step of a transition whose incoming child can be created at once.
    pub fn creating(&self) -> Step {
        Step::Creating {
            since: self.now,
            deadline: self.grace_deadline(),
        }
    }

    /// The step in which the outgoing job is stopped with a savepoint.
    pub fn stopping(&self) -> Step {
        Step::Stopping {
            since: self.now,
            deadline: self.after(self.settings.savepoint_timeout),
        }
    }

    /// The step in which the incoming child has to become ready.
    pub fn deploying(&self) -> Step {
        Step::Deploying {
            since: self.now,
            deadline: self.grace_deadline(),
        }
    }

    /// The Ingress as it has to be while `color` serves with `spec`; `None` if none is wanted or managed.
    pub fn wanted_ingress(&self, spec: &FlinkBlueGreenDeploymentSpec, color: Color) -> Option<Ingress> {
        if !self.settings.ingress_manage {
            return None;
        }
        // An edit of `spec.ingress` applies at once; while the edit as a whole is invalid, the serving one holds.
        let wanted = if self.spec.is_ok() {
            &self.resource().spec.ingress
        } else {
            &spec.ingress
        };
        ingress::manifest(self.resource(), wanted.as_ref()?, spec, color)
    }

    /// Whether the Ingress leads where it has to; true where none is wanted.
    pub fn ingress_leads_to(&self, spec: &FlinkBlueGreenDeploymentSpec, color: Color) -> bool {
        let Some(wanted) = self.wanted_ingress(spec, color) else {
            return true;
        };
        self.observed
            .ingress
            .present()
            .is_some_and(|present| ingress::is_as_wanted(&wanted, present))
    }

    /// Whether the specification wants the job suspended.
    pub fn wants_suspended(&self) -> bool {
        self.spec
            .as_ref()
            .is_ok_and(|valid| fields::job_state(&valid.child) == JobState::Suspended)
    }

    /// Whether the record is in a transition.
    pub fn transition(&self) -> Option<&Transition> {
        match &self.record.state {
            State::InTransition(transition) => Some(transition),
            State::Initializing | State::Active(_) => None,
        }
    }
}

fn fallback_settings(observed: &Observed, record: &Record) -> BlueGreenSettings {
    let Some(spec) = &record.reconciled else {
        return BlueGreenSettings::default();
    };
    let configuration = spec.configuration.clone().unwrap_or_default();
    BlueGreenSettings::read(&configuration, &observed.defaults, spec.transition_mode).unwrap_or_default()
}
