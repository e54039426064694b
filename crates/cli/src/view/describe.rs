//! All that is known of one resource.

use std::fmt::Write as _;

use sluice_api::FlinkDeployment;
use sluice_api::blue_green::{Color, FailedDeploymentPolicy, FlinkBlueGreenDeploymentStatus};

use super::events::EventLine;
use super::history::history;
use super::resource::{active, child_job, job_state, job_tone, lifecycle, state_text, status, wire_name};
use super::text::Fields;
use super::transition::{Progress, progress_fields, side};
use super::{Clock, Palette, Snapshot, Tone, events, table};

/// How many of the last events a description shows; `sluice events` has all of them.
const LAST_EVENTS: usize = 10;

/// All that is known of one blue/green resource.
pub fn describe(snapshot: &Snapshot, palette: Palette, clock: &Clock) -> String {
    let status = status(&snapshot.resource);
    let mut text = head(snapshot, &status, palette, clock);
    section(&mut text, palette, "Progress");
    text.push_str(&progress_fields(&Progress::of(&status), palette, clock).render(palette, 2));
    children(&mut text, snapshot, &status, palette, clock);
    conditions(&mut text, &status, palette, clock);
    if !status.savepoints.is_empty() {
        section(&mut text, palette, "Savepoints");
        for savepoint in &status.savepoints {
            let at = clock.moment(savepoint.at);
            let _infallible = writeln!(
                text,
                "  {at}  transition {}  {}",
                savepoint.transition, savepoint.path
            );
        }
    }
    if !status.history.is_empty() {
        section(&mut text, palette, "History");
        text.push_str(&indented(&history(&status.history, palette, clock)));
    }
    last_events(&mut text, &snapshot.events, palette, clock);
    text
}

/// All that is known of one FlinkDeployment.
pub fn describe_flink_deployment(
    deployment: &FlinkDeployment,
    endpoint: Option<&str>,
    events: &[EventLine],
    palette: Palette,
    clock: &Clock,
) -> String {
    let mut fields = Fields::default();
    let metadata = &deployment.metadata;
    fields
        .add("Name", metadata.name.clone().unwrap_or_default())
        .add("Namespace", metadata.namespace.clone().unwrap_or_default());
    child_fields(&mut fields, deployment, palette);
    fields.add("Endpoint", endpoint.unwrap_or_default().to_owned());
    if let Some(created) = &metadata.creation_timestamp {
        fields.add("Age", clock.ago(created.0));
    }
    let mut text = fields.render(palette, 0);
    last_events(&mut text, events, palette, clock);
    text
}

fn last_events(text: &mut String, all: &[EventLine], palette: Palette, clock: &Clock) {
    if all.is_empty() {
        return;
    }
    section(text, palette, "Events");
    let skipped = all.len().saturating_sub(LAST_EVENTS);
    let last: Vec<_> = all.iter().skip(skipped).cloned().collect();
    text.push_str(&indented(&events::events(&last, false, palette, clock)));
}

fn head(
    snapshot: &Snapshot,
    status: &FlinkBlueGreenDeploymentStatus,
    palette: Palette,
    clock: &Clock,
) -> String {
    let resource = &snapshot.resource;
    let mut fields = Fields::default();
    fields
        .add("Name", snapshot.name())
        .add(
            "Namespace",
            resource.metadata.namespace.clone().unwrap_or_default(),
        )
        .add("State", state_text(status))
        .add(
            "Active",
            active(status).map_or_else(|| "none".to_owned(), |color| palette.side(color)),
        );
    if let Some(state) = status.job_status.as_ref().and_then(|job| job.state) {
        fields.add("Job", palette.paint(job_tone(state), job_state(state)));
    }
    fields.add(
        "Mode",
        wire_name(resource.spec.transition_mode.unwrap_or_default()),
    );
    fields.add("Endpoint", snapshot.endpoint.clone().unwrap_or_default());
    if let Some(error) = &status.error {
        fields.add("Error", palette.paint(Tone::Bad, error));
    }
    if let Some(created) = &resource.metadata.creation_timestamp {
        fields.add("Age", clock.ago(created.0));
    }
    if let Some(generation) = resource.metadata.generation
        && status.observed_generation != Some(generation)
    {
        fields.add("Generation", format!("{generation} has not been looked at yet"));
    }
    fields.render(palette, 0)
}

fn children(
    text: &mut String,
    snapshot: &Snapshot,
    status: &FlinkBlueGreenDeploymentStatus,
    palette: Palette,
    clock: &Clock,
) {
    let active = active(status);
    for color in Color::BOTH {
        section(text, palette, &color.child_name(snapshot.name()));
        let Some(child) = snapshot.child(color) else {
            let _infallible = writeln!(text, "  {}", side(None, false, palette, usize::MAX));
            continue;
        };
        let mut fields = Fields::default();
        if active == Some(color) {
            fields.add("role", "active");
        }
        if let Some(kept) = status.kept.as_ref().filter(|kept| kept.color == color) {
            let what = match (kept.policy, kept.delete_at) {
                (FailedDeploymentPolicy::Delete, _) => "being deleted".to_owned(),
                (policy, at) => {
                    let how = if policy == FailedDeploymentPolicy::Keep {
                        "running as it is"
                    } else {
                        "suspended"
                    };
                    let end = at.map_or_else(|| "the next transition".to_owned(), |at| clock.until(at));
                    format!("kept {how} until {end}")
                }
            };
            fields.add("role", format!("left by transition {}, {what}", kept.transition));
        }
        child_fields(&mut fields, child, palette);
        text.push_str(&fields.render(palette, 2));
    }
}

fn child_fields(fields: &mut Fields, child: &FlinkDeployment, palette: Palette) {
    let job = child.spec.job.as_ref();
    fields
        .add(
            "job",
            child_job(child)
                .map(|state| palette.paint(job_tone(state), job_state(state)))
                .unwrap_or_default(),
        )
        .add("life cycle", lifecycle(child))
        .add("Flink", child.spec.flink_version.clone().unwrap_or_default())
        .add("jar", job.and_then(|job| job.jar_uri.clone()).unwrap_or_default())
        .add(
            "arguments",
            job.and_then(|job| job.args.as_ref())
                .map(|args| args.join(" "))
                .unwrap_or_default(),
        )
        .add(
            "parallelism",
            job.and_then(|job| job.parallelism)
                .map(|value| value.to_string())
                .unwrap_or_default(),
        )
        .add(
            "starts from",
            job.and_then(|job| job.initial_savepoint_path.clone())
                .unwrap_or_default(),
        );
    let Some(status) = &child.status else {
        return;
    };
    if let Some(job) = &status.job_status {
        fields.add("job id", job.job_id.clone().unwrap_or_default()).add(
            "savepoint",
            job.upgrade_savepoint_path.clone().unwrap_or_default(),
        );
    }
    if let Some(error) = &status.error {
        fields.add("error", palette.paint(Tone::Bad, error));
    }
}

fn conditions(text: &mut String, status: &FlinkBlueGreenDeploymentStatus, palette: Palette, clock: &Clock) {
    if status.conditions.is_empty() {
        return;
    }
    section(text, palette, "Conditions");
    let rows: Vec<Vec<String>> = status
        .conditions
        .iter()
        .map(|condition| {
            vec![
                condition.type_.clone(),
                condition.status.clone(),
                clock.ago(condition.last_transition_time.0),
                condition.reason.clone(),
                condition.message.clone(),
            ]
        })
        .collect();
    text.push_str(&indented(&table(
        palette,
        &["TYPE", "STATUS", "FOR", "REASON", "MESSAGE"],
        &rows,
    )));
}

fn section(text: &mut String, palette: Palette, heading: &str) {
    let _infallible = write!(text, "\n{}\n", palette.paint(Tone::Heading, heading));
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("  {line}\n")
            }
        })
        .collect()
}
