//! How far a resource is: the step it is at, what is awaited, and until when.

use jiff::Timestamp;
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::{
    BlueGreenState, Color, FlinkBlueGreenDeploymentStatus, StepStatus, TransitionStatus,
};
use sluice_api::metadata::ANNOTATION_RESTORED_FROM;
use sluice_core::bluegreen::WaitingFor;

use super::history::mode;
use super::resource::{active, child_job, job_state, job_tone, lifecycle, state_text, status};
use super::text::Fields;
use super::{Clock, Palette, Snapshot, Tone};

/// How far a resource is.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// Nobody has looked at it yet.
    Unseen,
    /// No transition, and nothing to say.
    Settled,
    /// No transition; the job is suspended.
    Suspended,
    /// No transition; the last one was aborted and its specification set aside.
    SetAside {
        /// The transition.
        number: u64,
        /// Why, in one sentence.
        message: String,
    },
    /// No transition, and an error.
    Failing(String),
    /// In a transition.
    Under(Box<Step>),
}

/// The step of a transition.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The transition.
    pub transition: TransitionStatus,
    /// The step's name in the status.
    pub name: &'static str,
    /// What is awaited, to follow "waits for".
    pub waits_for: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when; `None`: without a limit.
    pub until: Option<Timestamp>,
    /// What happens when that moment comes.
    pub then: Option<&'static str>,
}

impl Progress {
    /// Reads it from the record.
    pub fn of(status: &FlinkBlueGreenDeploymentStatus) -> Self {
        if let Some(transition) = &status.transition {
            return Self::Under(Box::new(Step::of(transition)));
        }
        if let Some(failed) = &status.failed {
            return Self::SetAside {
                number: failed.transition,
                message: failed.message.clone(),
            };
        }
        if let Some(error) = status.error.as_ref().filter(|error| !error.is_empty()) {
            return Self::Failing(error.clone());
        }
        let suspended = status
            .job_status
            .as_ref()
            .is_some_and(|job| job.state == Some(sluice_api::flink_deployment::FlinkJobState::Suspended));
        match status.blue_green_state {
            None => Self::Unseen,
            Some(_) if suspended => Self::Suspended,
            Some(BlueGreenState::ActiveBlue | BlueGreenState::ActiveGreen) => Self::Settled,
            Some(_) => Self::Unseen,
        }
    }

    /// For one column of a table.
    pub fn short(&self, palette: Palette, clock: &Clock) -> String {
        match self {
            Self::Unseen => palette.paint(Tone::Dim, "not looked at yet"),
            Self::Settled => palette.paint(Tone::Dim, "settled"),
            Self::Suspended => palette.paint(Tone::Dim, "suspended"),
            Self::SetAside { number, .. } => palette.paint(Tone::Bad, format!("transition {number} aborted")),
            Self::Failing(_) => palette.paint(Tone::Bad, "failing"),
            Self::Under(step) => {
                let left = step
                    .until
                    .map(|until| format!(", {} left", super::time::span(until.duration_since(clock.now))))
                    .unwrap_or_default();
                palette.paint(Tone::Busy, format!("{}{left}", step.name))
            }
        }
    }
}

impl Step {
    fn of(transition: &TransitionStatus) -> Self {
        let to = transition.to;
        let from = transition.from.unwrap_or(to.other());
        let (name, awaited, since, until, then) = match &transition.step {
            StepStatus::Savepointing { since, deadline, .. } => (
                "Savepointing",
                WaitingFor::Savepoint(from),
                *since,
                Some(*deadline),
                ABORTS,
            ),
            StepStatus::Savepointed { since } => ("Savepointed", WaitingFor::Created(to), *since, None, None),
            StepStatus::Stopping { since, deadline } => (
                "Stopping",
                WaitingFor::Stopped(from),
                *since,
                Some(*deadline),
                ABORTS,
            ),
            StepStatus::Creating { since, deadline } => (
                "Creating",
                WaitingFor::Created(to),
                *since,
                Some(*deadline),
                ABORTS,
            ),
            StepStatus::Deploying { since, deadline } => (
                "Deploying",
                WaitingFor::Ready(to),
                *since,
                Some(*deadline),
                ABORTS,
            ),
            StepStatus::AwaitingPromotion { since } => {
                ("AwaitingPromotion", WaitingFor::Promotion(to), *since, None, None)
            }
            StepStatus::Switching {
                since, delete_after, ..
            } => match transition.from {
                // The first deployment has nobody to take over from.
                None => ("Switching", WaitingFor::Ingress(to), *since, None, None),
                Some(_) if delete_after <= since => ("Switching", WaitingFor::Gone(from), *since, None, None),
                Some(_) => (
                    "Switching",
                    WaitingFor::DeletionDelay(from),
                    *since,
                    Some(*delete_after),
                    Some("then the outgoing deployment goes"),
                ),
            },
            StepStatus::InPlace { since, deadline } => (
                "InPlace",
                WaitingFor::Changed(to),
                *since,
                Some(*deadline),
                Some("then the change counts as failed"),
            ),
            StepStatus::Returning { since, deadline, .. } => (
                "Returning",
                WaitingFor::Returned(from),
                *since,
                Some(*deadline),
                Some("then the return counts as failed"),
            ),
        };
        Self {
            transition: transition.clone(),
            name,
            waits_for: awaited.to_string(),
            since,
            until,
            then,
        }
    }

    /// `blue -> green`, `green in place`, `first blue`.
    fn change(&self, palette: Palette) -> String {
        let to = palette.side(self.transition.to);
        match self.transition.from {
            _ if matches!(self.transition.step, StepStatus::InPlace { .. }) => format!("{to} in place"),
            Some(from) => format!("{} -> {to}", palette.side(from)),
            None => format!("{to} for the first time"),
        }
    }
}

const ABORTS: Option<&str> = Some("then the transition aborts");

/// The live view of one resource: a few lines that a terminal redraws.
pub fn live(snapshot: &Snapshot, palette: Palette, clock: &Clock) -> String {
    let status = status(&snapshot.resource);
    let mut text = format!(
        "{}  {}  {}\n",
        palette.paint(Tone::Heading, snapshot.name()),
        state_text(&status),
        palette.paint(Tone::Dim, clock.moment(clock.now)),
    );
    text.push_str(&progress_fields(&Progress::of(&status), palette, clock).render(palette, 2));
    let mut sides = Fields::default();
    let active = active(&status);
    for color in Color::BOTH {
        sides.add(
            color.name(),
            side(snapshot.child(color), active == Some(color), palette),
        );
    }
    text.push_str(&sides.render(palette, 2));
    text
}

/// The same as lines of `name  value`, for the live view and the description.
pub(crate) fn progress_fields(progress: &Progress, palette: Palette, clock: &Clock) -> Fields {
    let mut fields = Fields::default();
    match progress {
        Progress::Unseen => fields.add("progress", "not looked at yet"),
        Progress::Settled => fields.add("progress", palette.paint(Tone::Good, "settled")),
        Progress::Suspended => fields.add("progress", "suspended"),
        Progress::SetAside { number, message } => fields
            .add(
                "aborted",
                palette.paint(Tone::Bad, format!("transition {number}: {message}")),
            )
            .add("remedy", "change the specification, or run `sluice retry`"),
        Progress::Failing(error) => fields.add("error", palette.paint(Tone::Bad, error)),
        Progress::Under(step) => step_fields(step, &mut fields, palette, clock),
    };
    fields
}

fn step_fields<'a>(step: &Step, fields: &'a mut Fields, palette: Palette, clock: &Clock) -> &'a mut Fields {
    let transition = &step.transition;
    fields
        .add(
            "transition",
            format!(
                "{} {} ({}, {:?}), begun {} ago",
                transition.number,
                step.change(palette),
                mode(transition.mode),
                transition.cause,
                clock.ago(transition.started_at),
            ),
        )
        .add(
            "step",
            format!(
                "{} for {}",
                palette.paint(Tone::Busy, step.name),
                clock.ago(step.since)
            ),
        )
        .add("waits for", &step.waits_for);
    if let Some(until) = step.until {
        let then = step.then.map(|then| format!(", {then}")).unwrap_or_default();
        fields.add("until", clock.until(until) + &then);
    }
    if let StepStatus::Returning { message, .. } = &transition.step {
        fields.add("aborted", palette.paint(Tone::Bad, message));
    }
    fields
        .add("savepoint", transition.savepoint.clone().unwrap_or_default())
        .add("starts from", transition.restore.clone().unwrap_or_default())
        .add("lowered", transition.lowered.clone().unwrap_or_default())
}

/// One child in one line.
pub(crate) fn side(child: Option<&FlinkDeployment>, active: bool, palette: Palette) -> String {
    let Some(child) = child else {
        return palette.paint(Tone::Dim, "not there");
    };
    let job = child_job(child).map_or_else(
        || palette.paint(Tone::Dim, "not known yet"),
        |state| palette.paint(job_tone(state), job_state(state)),
    );
    let mut parts = vec![job, lifecycle(child)];
    if active {
        parts.push("active".to_owned());
    }
    if child.metadata.deletion_timestamp.is_some() {
        parts.push(palette.paint(Tone::Dim, "being deleted"));
    }
    let annotations = child.metadata.annotations.as_ref();
    if let Some(path) = annotations.and_then(|annotations| annotations.get(ANNOTATION_RESTORED_FROM)) {
        parts.push(palette.paint(Tone::Dim, format!("from {path}")));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("  ")
}

/// The live view as one line without anything that only time changes, so that a log has one line for each change.
pub fn change_line(snapshot: &Snapshot, clock: &Clock) -> String {
    let status = status(&snapshot.resource);
    let progress = match Progress::of(&status) {
        Progress::Unseen => "not looked at yet".to_owned(),
        Progress::Settled => "settled".to_owned(),
        Progress::Suspended => "suspended".to_owned(),
        Progress::SetAside { number, message } => format!("transition {number} was aborted: {message}"),
        Progress::Failing(error) => format!("failing: {error}"),
        Progress::Under(step) => {
            let until = step
                .until
                .map(|until| format!(" until {}", clock.moment(until)))
                .unwrap_or_default();
            format!(
                "transition {} {} {}: waits for {}{until}",
                step.transition.number,
                step.change(Palette::Plain),
                step.name,
                step.waits_for
            )
        }
    };
    let sides: Vec<String> = Color::BOTH
        .iter()
        .filter_map(|&color| snapshot.child(color).map(|child| (color, child)))
        .map(|(color, child)| {
            let job = child_job(child).map_or_else(|| "not known yet".to_owned(), job_state);
            format!("{color} {job} {}", lifecycle(child))
                .trim_end()
                .to_owned()
        })
        .collect();
    let sides = if sides.is_empty() {
        String::new()
    } else {
        format!(" | {}", sides.join(", "))
    };
    let head = format!("{} {}", snapshot.name(), state_text(&status));
    format!("{} | {progress}{sides}", head.trim_end())
}
