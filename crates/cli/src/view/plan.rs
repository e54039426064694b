//! What an edit would do.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use sluice_api::FlinkBlueGreenDeployment;
use sluice_api::blue_green::{BlueGreenState, FlinkBlueGreenDeploymentStatus};
use sluice_core::bluegreen::diff::{Diff, DiffKind, FieldRule};
use sluice_core::bluegreen::{Effect, Observed, plan as core};

use super::history::guarantee;
use super::{Palette, Tone, table};

/// What an edit of one resource would do.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The resource.
    pub name: String,
    /// `TRANSITION`, `PATCH_CHILD` and so on; `FIRST_DEPLOYMENT` for a resource that is not there yet; none if refused.
    pub kind: Option<&'static str>,
    /// What is wrong with the edit, one sentence each.
    pub problems: Vec<String>,
    /// The fields that differ.
    pub changes: Vec<PlannedChange>,
    /// What would happen, one sentence each.
    pub steps: Vec<String>,
    /// Whether a savepoint is taken.
    pub takes_savepoint: bool,
    /// What the records that both jobs write add up to; none where no second job is involved.
    pub guarantee: Option<&'static str>,
    /// What is needed meanwhile, beside what runs; none where no second job is involved.
    pub additional: Option<Additional>,
    /// What would be carried out at once.
    pub first: Vec<String>,
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// Its path under `spec.template.spec`.
    pub field: String,
    /// What stood there; null: nothing.
    pub from: Value,
    /// What stands there; null: nothing.
    pub to: Value,
    /// What it asks for by itself.
    pub asks_for: &'static str,
}

/// What the second job needs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Additional {
    /// Cores.
    pub cpu: f64,
    /// Bytes.
    pub memory: u64,
    /// TaskManagers.
    pub task_managers: u32,
}

impl Plan {
    /// The core's plan, to be shown.
    pub fn of(name: &str, plan: &core::Plan) -> Self {
        let refused = !plan.problems.is_empty();
        Self {
            name: name.to_owned(),
            kind: (!refused).then(|| {
                plan.diff
                    .as_ref()
                    .map_or("FIRST_DEPLOYMENT", |diff| diff.kind.name())
            }),
            problems: plan.problems.iter().map(ToString::to_string).collect(),
            changes: plan.diff.as_ref().map(changes).unwrap_or_default(),
            steps: plan.steps.clone(),
            takes_savepoint: plan.takes_savepoint,
            guarantee: plan.guarantee.map(guarantee),
            additional: plan.additional.map(|needed| Additional {
                cpu: needed.cpu,
                memory: needed.memory,
                task_managers: needed.task_managers,
            }),
            first: plan.decision.effects.iter().map(effect).collect(),
        }
    }

    /// The plan as text.
    pub fn text(&self, palette: Palette) -> String {
        let kind = self.kind.unwrap_or("REFUSED");
        let tone = match kind {
            "REFUSED" => Tone::Bad,
            "IGNORE" => Tone::Dim,
            _ => Tone::Busy,
        };
        let name = palette.paint(Tone::Heading, &self.name);
        let mut text = format!("{name}: {}\n", palette.paint(tone, kind));
        for problem in &self.problems {
            let _infallible = writeln!(text, "  {problem}");
        }
        if !self.changes.is_empty() {
            text.push('\n');
            let rows: Vec<Vec<String>> = self
                .changes
                .iter()
                .map(|change| {
                    let (from, to) = shortened(&change.from, &change.to);
                    vec![change.field.clone(), from, to, change.asks_for.to_owned()]
                })
                .collect();
            text.push_str(&table(palette, &["FIELD", "FROM", "TO", "ASKS FOR"], &rows));
        }
        text.push_str("\nWhat happens:\n");
        for (number, step) in self.steps.iter().enumerate() {
            let _infallible = writeln!(text, "  {}. {step}", number + 1);
        }
        if self.problems.is_empty() {
            text.push_str(&self.costs());
        }
        text
    }

    fn costs(&self) -> String {
        let mut text = String::new();
        let savepoint = if self.takes_savepoint {
            "one is taken"
        } else {
            "none is taken"
        };
        let _infallible = writeln!(text, "Savepoint:    {savepoint}");
        if let Some(guarantee) = self.guarantee {
            let why = match guarantee {
                "EXACTLY_ONCE" => {
                    "each record once: one job stops before the other goes on from its savepoint"
                }
                "AT_LEAST_ONCE" => {
                    "both jobs write for a while, and the fork restores the sinks of the running job (transitionMode ADVANCED avoids both)"
                }
                _ => "the new job starts without state",
            };
            let _infallible = writeln!(text, "Guarantee:    {guarantee}: {why}");
        }
        if let Some(needed) = self.additional {
            let plural = if needed.task_managers == 1 { "" } else { "s" };
            let when = match (self.kind, self.guarantee) {
                (Some("FIRST_DEPLOYMENT"), _) => "",
                (_, Some("EXACTLY_ONCE")) => ", when what runs has stopped",
                _ => ", beside what runs",
            };
            let _infallible = writeln!(
                text,
                "Needs:        {} CPU, {} MiB: {} TaskManager{plural} and a JobManager{when}",
                needed.cpu,
                needed.memory / (1024 * 1024),
                needed.task_managers
            );
        }
        text
    }
}

fn changes(diff: &Diff) -> Vec<PlannedChange> {
    diff.changes
        .iter()
        .map(|change| PlannedChange {
            field: change.path.clone(),
            from: change.from.clone(),
            to: change.to.clone(),
            asks_for: match change.rule {
                FieldRule::State => match diff.kind {
                    DiffKind::Suspend => DiffKind::Suspend.name(),
                    _ => DiffKind::Resume.name(),
                },
                FieldRule::Redeploy => DiffKind::SavepointRedeploy.name(),
                FieldRule::NoChange => DiffKind::Ignore.name(),
                FieldRule::InPlace => DiffKind::PatchChild.name(),
                FieldRule::NewDeployment => DiffKind::Transition.name(),
            },
        })
        .collect()
}

/// Both values in short; of two lists only the items that differ, behind or before an ellipsis.
fn shortened(from: &Value, to: &Value) -> (String, String) {
    let (Value::Array(old), Value::Array(new)) = (from, to) else {
        return (value(from), value(to));
    };
    let same = |pairs: &mut dyn Iterator<Item = (&Value, &Value)>| pairs.take_while(|(a, b)| a == b).count();
    let head = same(&mut old.iter().zip(new));
    let shorter = old.len().min(new.len());
    let tail = same(&mut old.iter().rev().zip(new.iter().rev())).min(shorter - head);
    let rest = |items: &[Value]| {
        let differing = items.get(head..items.len() - tail).unwrap_or_default();
        let mut texts: Vec<String> = differing.iter().map(value).collect();
        if head > 0 {
            texts.insert(0, "…".to_owned());
        }
        if tail > 0 {
            texts.push("…".to_owned());
        }
        console::truncate_str(&texts.join(" "), WIDEST, "…").into_owned()
    };
    (rest(old), rest(new))
}

/// So wide may a value be in a table.
const WIDEST: usize = 48;

/// A value in one short piece.
fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    console::truncate_str(&text.replace('\n', " "), WIDEST, "…").into_owned()
}

fn effect(effect: &Effect) -> String {
    let name = |manifest: &sluice_api::FlinkDeployment| manifest.metadata.name.clone().unwrap_or_default();
    match effect {
        Effect::CreateChild { manifest } => format!("create FlinkDeployment {}", name(manifest)),
        Effect::ReplaceChild { manifest } => format!("change FlinkDeployment {}", name(manifest)),
        Effect::DeleteChild { name, .. } => format!("delete FlinkDeployment {name}"),
        Effect::TriggerSavepoint { child, directory, .. } => {
            format!("take a savepoint of {child} into {directory}")
        }
        Effect::StopDrained { child, .. } => format!("stop the job of {child} for good"),
        Effect::DisposeSavepoint { path, .. } => format!("dispose of the savepoint {path}"),
        Effect::WriteHandover { record, .. } if record.incoming.is_some() => {
            format!("hand over to {}", record.active.color.other())
        }
        Effect::WriteHandover { record, .. } => format!("let {} begin", record.active.color),
        Effect::ApplyIngress { .. } => "change the Ingress".to_owned(),
        Effect::DeleteIngress { name, .. } => format!("delete the Ingress {name}"),
    }
}

/// What there would be to observe if the file `current` described what runs: blue, unless its status says otherwise.
pub fn as_if_running(current: Option<&FlinkBlueGreenDeployment>) -> Observed {
    let resource = current
        .map(|current| {
            let mut resource = current.clone();
            if resource.status.is_none() {
                resource.status = Some(FlinkBlueGreenDeploymentStatus {
                    blue_green_state: Some(BlueGreenState::ActiveBlue),
                    transition_number: Some(0),
                    last_reconciled_spec: Some(serde_json::json!({ "spec": current.spec }).to_string()),
                    ..FlinkBlueGreenDeploymentStatus::default()
                });
            }
            resource
        })
        .unwrap_or_default();
    Observed::alone(resource)
}
