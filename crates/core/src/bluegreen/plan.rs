//! What an edit would do: the data behind `sluice plan`.

use jiff::Timestamp;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeployment, Guarantee, TransitionMode};
use sluice_api::configuration;
use sluice_api::settings::Promotion;
use sluice_api::validation::{self, Problem, ValidSpec};
use sluice_api::{FlinkDeploymentSpec, UpgradeMode};

use super::decision::{Decision, Waiting, WaitingFor};
use super::diff::{Diff, DiffKind, compare};
use super::observed::Observed;
use super::record::{self, State};
use super::{decide, diff, watermark};
use crate::fields;

/// What an edit would do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What is wrong with the new specification; then nothing is done at all.
    pub problems: Vec<Problem>,
    /// What the edit is; `None` for the first deployment.
    pub diff: Option<Diff>,
    /// What would happen, step by step, each a sentence.
    pub steps: Vec<String>,
    /// Whether a savepoint is taken.
    pub takes_savepoint: bool,
    /// What the records written by both jobs together add up to; `None` where no second job is involved.
    pub guarantee: Option<Guarantee>,
    /// What the cluster needs meanwhile on top of what runs now; `None` where no second job is involved.
    pub additional: Option<Resources>,
    /// The very next decision with the new specification.
    pub decision: Decision,
}

/// CPU and memory of one deployment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Resources {
    /// Cores.
    pub cpu: f64,
    /// Bytes.
    pub memory: u64,
    /// How many TaskManagers, if the specification or its parallelism says so.
    pub task_managers: u32,
}

/// What would happen if `edited` (the resource as it would be read with the edit) replaced the observed resource.
pub fn plan(observed: &Observed, edited: &FlinkBlueGreenDeployment, now: Timestamp) -> Plan {
    let mut after = observed.clone();
    after.resource.spec = edited.spec.clone();
    after.resource.metadata.labels.clone_from(&edited.metadata.labels);
    if after.resource.metadata.name.is_none() {
        after.resource.metadata = edited.metadata.clone();
    }
    let decision = decide(&after, now);
    let valid = match validation::validate(&after.resource, &after.defaults) {
        Ok(valid) => valid,
        Err(problems) => {
            return Plan {
                problems,
                diff: None,
                steps: vec!["nothing is done; what runs is not touched".to_owned()],
                takes_savepoint: false,
                guarantee: None,
                additional: None,
                decision,
            };
        }
    };
    let recorded = observed.resource.status.as_ref().and_then(record::read);
    let reconciled = recorded.as_ref().and_then(|record| record.reconciled.clone());
    let active = recorded.as_ref().and_then(record::Record::active);
    let diff = reconciled
        .as_ref()
        .map(|reconciled| compare(reconciled, &valid.spec));
    let stateful = valid.job.upgrade_mode.unwrap_or_default() != UpgradeMode::Stateless;
    let mode = valid.settings.transition_mode;
    let suspended = reconciled
        .as_ref()
        .is_some_and(|spec| fields::job_state(&diff::child_spec(spec)) == sluice_api::JobState::Suspended);
    let kind = diff.as_ref().map(|diff| diff.kind);
    let second_job = matches!(kind, Some(DiffKind::Transition | DiffKind::SavepointRedeploy)) && !suspended;
    let mut steps = Vec::new();
    if let Some(State::InTransition(transition)) = recorded.as_ref().map(|record| &record.state) {
        steps.push(format!(
            "a transition to {} is under way (step {}); the edit is taken into it, or waits for its end",
            transition.to,
            super::step_name(&transition.step)
        ));
    }
    let edit = Edit {
        kind,
        active,
        suspended,
        stateful,
        valid: &valid,
    };
    edit.steps(observed, &mut steps);
    if kind.is_none()
        && let Some(Waiting {
            what: WaitingFor::Person(what),
            ..
        }) = &decision.waiting
    {
        steps.push(format!(
            "nothing of it is done before a person has seen to this: {what}"
        ));
    }
    let takes_savepoint = takes_savepoint(kind, second_job, mode, stateful);
    let redeploy = kind == Some(DiffKind::SavepointRedeploy);
    let has_start = valid.job.initial_savepoint_path.is_some();
    let at_a_cut = kind == Some(DiffKind::Transition)
        && mode == TransitionMode::Advanced
        && watermark::is_wanted(&valid.child);
    let guarantee = second_job.then(|| {
        if at_a_cut {
            Guarantee::ExactlyOnceExceptLate
        } else {
            guarantee(redeploy, has_start, mode, stateful)
        }
    });
    let additional = (second_job || kind.is_none()).then(|| resources(&valid.child));
    Plan {
        problems: Vec::new(),
        diff,
        steps,
        takes_savepoint,
        guarantee,
        additional,
        decision,
    }
}

/// What an edit is, against what runs.
struct Edit<'a> {
    kind: Option<DiffKind>,
    active: Option<Color>,
    suspended: bool,
    stateful: bool,
    valid: &'a ValidSpec,
}

impl Edit<'_> {
    fn steps(&self, observed: &Observed, steps: &mut Vec<String>) {
        let mode = self.valid.settings.transition_mode;
        match (self.kind, self.active) {
            (None, _) => steps.push("blue is deployed for the first time".to_owned()),
            (Some(DiffKind::Ignore), _) => {
                steps.push("nothing is deployed; configuration and Ingress apply by themselves".to_owned());
            }
            (Some(DiffKind::Suspend), color) => steps.push(format!("{} is suspended in place", named(color))),
            (Some(DiffKind::Resume), color) => steps.push(format!("{} is resumed in place", named(color))),
            (Some(DiffKind::PatchChild), color) => {
                steps.push(format!("{} is patched in place", named(color)));
            }
            (Some(DiffKind::Transition | DiffKind::SavepointRedeploy), color) if self.suspended => {
                steps.push(format!(
                    "{} is suspended, so it is changed in place",
                    named(color)
                ));
            }
            (Some(DiffKind::Transition), Some(color)) => {
                if mode == TransitionMode::Advanced && watermark::is_wanted(&self.valid.child) {
                    handover_steps(steps, color, self.valid.settings.promotion);
                } else {
                    transition_steps(
                        steps,
                        observed,
                        color,
                        mode,
                        self.stateful,
                        self.valid.settings.promotion,
                    );
                }
            }
            (Some(DiffKind::SavepointRedeploy), Some(color)) => {
                let path = self.valid.job.initial_savepoint_path.clone().unwrap_or_default();
                if mode == TransitionMode::Advanced {
                    steps.push(format!(
                        "{color} is stopped with a savepoint, to come back from if need be"
                    ));
                }
                steps.push(format!(
                    "{} is deployed from {path}, no new savepoint carries its state",
                    color.other()
                ));
                take_over(steps, color, self.valid.settings.promotion, mode);
            }
            (Some(DiffKind::Transition | DiffKind::SavepointRedeploy), None) => {
                steps.push("blue is deployed".to_owned());
            }
        }
    }
}

/// Whether a savepoint is taken for such an edit.
const fn takes_savepoint(
    kind: Option<DiffKind>,
    second_job: bool,
    mode: TransitionMode,
    stateful: bool,
) -> bool {
    let advanced = matches!(mode, TransitionMode::Advanced);
    match kind {
        Some(DiffKind::Transition) => second_job && (stateful || advanced),
        Some(DiffKind::SavepointRedeploy) => second_job && advanced,
        Some(DiffKind::Suspend) => stateful,
        Some(DiffKind::Resume | DiffKind::PatchChild | DiffKind::Ignore) | None => false,
    }
}

/// What both jobs of such an edit write together.
const fn guarantee(redeploy: bool, has_start: bool, mode: TransitionMode, stateful: bool) -> Guarantee {
    match (redeploy, mode, stateful) {
        (true, ..) if has_start => Guarantee::AtLeastOnce,
        (true, ..) | (false, TransitionMode::Basic, false) => Guarantee::Stateless,
        (false, TransitionMode::Advanced, _) => Guarantee::ExactlyOnce,
        (false, TransitionMode::Basic, true) => Guarantee::AtLeastOnce,
    }
}

fn named(color: Option<Color>) -> &'static str {
    color.map_or("the active child", Color::name)
}

/// A handover at a cut in event time, where the outgoing job has gates.
fn handover_steps(steps: &mut Vec<String>, from: Color, promotion: Promotion) {
    let to = from.other();
    steps.push(format!("a savepoint of {from} is taken, {from} goes on running"));
    steps.push(format!(
        "{to} is deployed from that savepoint with its gates closed and catches up; if it does not, it goes, and {from} goes on"
    ));
    if promotion == Promotion::Manual {
        steps.push(format!(
            "once {to} has caught up it waits for a person to promote it"
        ));
    }
    steps.push(format!(
        "the gates agree on a cut in event time: {from} writes the records below it, {to} the others, without a pause"
    ));
    steps.push(format!(
        "{from} commits what it wrote, is stopped, and is deleted; where it has no gates yet, or no input moves, it is stopped with a \
         savepoint instead and {to} goes on from it"
    ));
}

fn transition_steps(
    steps: &mut Vec<String>,
    observed: &Observed,
    from: Color,
    mode: TransitionMode,
    stateful: bool,
    promotion: Promotion,
) {
    let to = from.other();
    match (mode, stateful) {
        (TransitionMode::Advanced, _) if observed.has_agent() => {
            steps.push(format!(
                "the cluster of {to} comes up and waits; {from} goes on running"
            ));
            steps.push(format!(
                "{from} is stopped with a savepoint and {to} begins from it; if it does not come up, {from} resumes from it"
            ));
        }
        (TransitionMode::Advanced, _) => {
            steps.push(format!(
                "{from} is stopped with a savepoint; nothing runs until {to} is up"
            ));
            steps.push(format!(
                "{to} is deployed from that savepoint; if it does not come up, {from} resumes from it"
            ));
        }
        (TransitionMode::Basic, true) => {
            steps.push(format!("a savepoint of {from} is taken, {from} goes on running"));
            steps.push(format!("{to} is deployed from that savepoint, beside {from}"));
        }
        (TransitionMode::Basic, false) => {
            steps.push(format!("{to} is deployed without state, beside {from}"));
        }
    }
    take_over(steps, from, promotion, mode);
}

fn take_over(steps: &mut Vec<String>, from: Color, promotion: Promotion, mode: TransitionMode) {
    let to = from.other();
    // In ADVANCED mode there is nothing to hold back: the outgoing job is stopped by then.
    if promotion == Promotion::Manual && mode == TransitionMode::Basic {
        steps.push(format!(
            "once {to} is RUNNING and STABLE it waits for a person to promote it; {from} stays active"
        ));
        steps.push(format!("once promoted, {to} takes over, then {from} is deleted"));
    } else {
        steps.push(format!(
            "once {to} is RUNNING and STABLE it takes over, then {from} is deleted"
        ));
    }
}

/// What a deployment of this specification needs.
pub fn resources(spec: &FlinkDeploymentSpec) -> Resources {
    let of = |resource: Option<&sluice_api::flink_deployment::Resource>| {
        let cpu = resource
            .and_then(|resource| resource.cpu.as_ref()?.as_f64())
            .unwrap_or(1.0);
        let memory = resource
            .and_then(|resource| resource.memory.as_deref())
            .and_then(|text| configuration::parse_memory(text).ok())
            .unwrap_or(0);
        (cpu, memory)
    };
    let (job_cpu, job_memory) = of(spec
        .job_manager
        .as_ref()
        .and_then(|manager| manager.resource.as_ref()));
    let (task_cpu, task_memory) = of(spec
        .task_manager
        .as_ref()
        .and_then(|manager| manager.resource.as_ref()));
    let job_managers = spec
        .job_manager
        .as_ref()
        .and_then(|manager| manager.replicas)
        .unwrap_or(1)
        .max(1);
    let task_managers = task_managers(spec);
    let job_managers = u32::try_from(job_managers).unwrap_or(1);
    Resources {
        cpu: job_cpu * f64::from(job_managers) + task_cpu * f64::from(task_managers),
        memory: job_memory
            .saturating_mul(u64::from(job_managers))
            .saturating_add(task_memory.saturating_mul(u64::from(task_managers))),
        task_managers,
    }
}

/// How many TaskManagers: as said, or the parallelism divided by the slots.
pub fn task_managers(spec: &FlinkDeploymentSpec) -> u32 {
    if let Some(replicas) = spec.task_manager.as_ref().and_then(|manager| manager.replicas) {
        return u32::try_from(replicas).unwrap_or(1).max(1);
    }
    let flat = spec
        .flink_configuration
        .as_ref()
        .map(configuration::flatten)
        .unwrap_or_default();
    let number = |key: &str| flat.get(key).and_then(|text| text.trim().parse::<u32>().ok());
    let slots = number("taskmanager.numberOfTaskSlots").unwrap_or(1).max(1);
    parallelism(spec).div_ceil(slots)
}

/// The parallelism of the job: as said, or Flink's default.
pub fn parallelism(spec: &FlinkDeploymentSpec) -> u32 {
    let default = || {
        let flat = spec.flink_configuration.as_ref().map(configuration::flatten)?;
        flat.get("parallelism.default")?.trim().parse().ok()
    };
    spec.job
        .as_ref()
        .and_then(|job| job.parallelism)
        .and_then(|parallelism| u32::try_from(parallelism).ok())
        .or_else(default)
        .unwrap_or(1)
        .max(1)
}
