//! How far a resource is: the step it is at, what is awaited, and until when.

use jiff::Timestamp;
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::{
    BlueGreenState, Color, FlinkBlueGreenDeploymentStatus, StepStatus, TransitionStatus,
};
use sluice_api::metadata::ANNOTATION_RESTORED_FROM;
use sluice_core::bluegreen::step_name;

use super::history::mode;
use super::resource::{active, child_job, job_state, job_tone, lifecycle, state_text, status};
use super::text::{Fields, fit, fit_path};
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
    /// What is awaited, in the words of the condition `Progressing`, to follow "waits for".
    pub waits_for: String,
    /// When the step began.
    pub since: Timestamp,
    /// Until when it is awaited; `None`: without a limit.
    pub until: Option<Timestamp>,
    /// What else there is to know, in the condition's words.
    pub also: Option<String>,
    /// What is wrong meanwhile, in the words of the status.
    pub error: Option<String>,
}

impl Progress {
    /// Reads it from the record.
    pub fn of(status: &FlinkBlueGreenDeploymentStatus) -> Self {
        if let Some(transition) = &status.transition {
            return Self::Under(Box::new(Step::of(transition, status)));
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
    fn of(transition: &TransitionStatus, status: &FlinkBlueGreenDeploymentStatus) -> Self {
        let progressing = status
            .conditions
            .iter()
            .find(|condition| condition.type_ == "Progressing");
        let (waits_for, until, also) = progressing.map_or(("the next step", None, None), |condition| {
            awaited(&condition.message)
        });
        Self {
            transition: transition.clone(),
            name: step_name(&transition.step),
            waits_for: waits_for.to_owned(),
            since: since(&transition.step),
            until,
            also: also.map(str::to_owned),
            error: status.error.clone().filter(|error| !error.is_empty()),
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

/// `waiting for green to be gone until 2026-11-21T12:00:00Z; more` taken apart, so that the moment can be shown in the
/// reader's zone and counted down: `green to be gone`, the moment, `more`.
fn awaited(message: &str) -> (&str, Option<Timestamp>, Option<&str>) {
    const UNTIL: &str = " until ";
    let words = message.strip_prefix("waiting for ").unwrap_or(message);
    // The words may hold an "until" of their own, which no moment follows.
    for (position, _) in words.match_indices(UNTIL) {
        let (what, rest) = words.split_at(position);
        let rest = rest.strip_prefix(UNTIL).unwrap_or(rest);
        let (moment, also) = match rest.split_once("; ") {
            Some((moment, also)) => (moment, Some(also)),
            None => (rest, None),
        };
        if let Ok(moment) = moment.parse() {
            return (what, Some(moment), also);
        }
    }
    (words, None, None)
}

const fn since(step: &StepStatus) -> Timestamp {
    match step {
        StepStatus::Savepointing { since, .. }
        | StepStatus::Savepointed { since }
        | StepStatus::Stopping { since, .. }
        | StepStatus::Creating { since, .. }
        | StepStatus::Warming { since, .. }
        | StepStatus::Deploying { since, .. }
        | StepStatus::HandingOver { since }
        | StepStatus::Sealing { since, .. }
        | StepStatus::AwaitingPromotion { since }
        | StepStatus::Switching { since, .. }
        | StepStatus::InPlace { since, .. }
        | StepStatus::Returning { since, .. } => *since,
    }
}

/// The live view of one resource: a few lines that a terminal of so many columns redraws.
pub fn live(snapshot: &Snapshot, palette: Palette, clock: &Clock, columns: usize) -> String {
    let status = status(&snapshot.resource);
    let mut text = format!(
        "{}  {}  {}\n",
        palette.paint(Tone::Heading, snapshot.name()),
        state_text(&status),
        palette.paint(Tone::Dim, clock.moment(clock.now)),
    );
    text.push_str(
        &progress_fields(&Progress::of(&status), palette, clock).render_within(palette, 2, columns),
    );
    let mut sides = Fields::default();
    let active = active(&status);
    for color in Color::BOTH {
        sides.add(
            color.name(),
            side(snapshot.child(color), active == Some(color), palette, columns),
        );
    }
    text.push_str(&sides.render(palette, 2));
    fit(&text, columns)
}

/// The same as lines of `name  value`, for the live view and the description.
pub(crate) fn progress_fields(progress: &Progress, palette: Palette, clock: &Clock) -> Fields {
    let mut fields = Fields::default();
    match progress {
        Progress::Unseen => fields.add("progress", "not looked at yet"),
        Progress::Settled => fields.add("progress", palette.paint(Tone::Good, "settled")),
        Progress::Suspended => fields.add("progress", "suspended"),
        Progress::SetAside { number, message } => fields
            .bad("aborted", format!("transition {number}: {message}"))
            .add("remedy", "change the specification, or run `sluice retry`"),
        Progress::Failing(error) => fields.bad("error", error),
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
        .words("waits for", &step.waits_for);
    if let Some(until) = step.until {
        fields.add("until", clock.until(until));
    }
    // Nearly always what was taken is what is started from.
    let savepoint = transition.savepoint.clone();
    fields
        .words("also", step.also.clone().unwrap_or_default())
        .bad("error", step.error.clone().unwrap_or_default())
        .path(
            "savepoint",
            savepoint
                .filter(|path| transition.restore.as_ref() != Some(path))
                .unwrap_or_default(),
        )
        .path("starts from", transition.restore.clone().unwrap_or_default())
        .words("lowered", transition.lowered.clone().unwrap_or_default())
}

/// One child in one line on a terminal of so many columns.
pub(crate) fn side(
    child: Option<&FlinkDeployment>,
    active: bool,
    palette: Palette,
    columns: usize,
) -> String {
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
    parts.retain(|part| !part.is_empty());
    let mut line = parts.join("  ");
    let annotations = child.metadata.annotations.as_ref();
    if let Some(path) = annotations.and_then(|annotations| annotations.get(ANNOTATION_RESTORED_FROM)) {
        let room = columns.saturating_sub(SIDE_INDENT + console::measure_text_width(&line) + "  from ".len());
        let from = format!("from {}", fit_path(path, room));
        line = format!("{line}  {}", palette.paint(Tone::Dim, from));
    }
    line
}

/// What stands before a side: `  green  `.
const SIDE_INDENT: usize = 9;

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
            let also = step
                .also
                .as_ref()
                .map(|also| format!("; {also}"))
                .unwrap_or_default();
            format!(
                "transition {} {} {}: waits for {}{until}{also}",
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
