//! Flink's configuration and the program's arguments of a prepared child.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use sluice_api::blue_green::Color;
use sluice_api::configuration::FlinkConfiguration;
use sluice_api::flink_deployment::KubernetesDeploymentMode;
use sluice_api::{FlinkDeploymentSpec, Problem, configuration, gate, placeholder};

use super::field;
use crate::bluegreen::plan;

/// The options of the JobManager's JVM alone.
const JOB_MANAGER: &str = "env.java.opts.jobmanager";
/// Everything else that reaches it: the older name of the second, and what distributions set.
const REACH_JOB_MANAGER: [&str; 5] = [
    JOB_MANAGER,
    "env.java.opts.all",
    "env.java.opts",
    "env.java.default-opts.jobmanager",
    "env.java.default-opts.all",
];
const OPTION: &str = "-javaagent:";
/// The jar's name, wherever it is: the agent must not be loaded twice.
const FILE: &str = "bluegreen-agent.jar";

/// Puts the colour into the values of the configuration and into the arguments.
pub(super) fn fill_placeholders(spec: &mut FlinkDeploymentSpec, color: Color) -> Result<(), Vec<Problem>> {
    let mut problems = Vec::new();
    if let Some(configuration) = &mut spec.flink_configuration {
        fill(configuration, &field("flinkConfiguration"), color, &mut problems);
    }
    let args = spec.job.as_mut().and_then(|job| job.args.as_mut());
    for (position, text) in args.into_iter().flatten().enumerate() {
        fill_text(
            text,
            &field(&format!("job.args[{position}]")),
            color,
            &mut problems,
        );
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems)
    }
}

fn fill(value: &mut Value, field: &str, color: Color, problems: &mut Vec<Problem>) {
    match value {
        Value::String(text) => fill_text(text, field, color, problems),
        Value::Array(items) => {
            for item in items {
                fill(item, field, color, problems);
            }
        }
        Value::Object(below) => {
            for (name, value) in below {
                fill(value, &format!("{field}[{name}]"), color, problems);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn fill_text(text: &mut String, field: &str, color: Color, problems: &mut Vec<Problem>) {
    match placeholder::fill(text, color) {
        Ok(filled) => *text = filled.into_owned(),
        Err(message) => problems.push(Problem::new(field, message)),
    }
}

/// The JobManager's options with the agent's behind the user's own; `None` if the agent is in what reaches it already.
pub(super) fn with_agent(
    configuration: &FlinkConfiguration,
    jar: &str,
) -> Result<Option<(&'static str, String)>, Problem> {
    // Java takes what follows `=` for the agent's own options, and there is no way to quote it.
    if let Some(found) = jar.chars().find(|it| matches!(it, '=' | '\'') || it.is_control()) {
        return Err(Problem::new(
            field(&format!("flinkConfiguration[{JOB_MANAGER}]")),
            format!(
                "cannot name the gate agent `{jar}`, whose path has {found:?} in it; expected a directory without it"
            ),
        ));
    }
    let is_there = REACH_JOB_MANAGER
        .iter()
        .filter_map(|key| configuration.get(key))
        .flat_map(agents)
        .any(|path| path == jar || is_ours(path));
    if is_there {
        return Ok(None);
    }
    let option = format!("{OPTION}{jar}");
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/._-+:,@%".contains(it);
    // Flink's scripts and the local runner read the options as a shell does.
    let option = if option.chars().all(is_plain) {
        option
    } else {
        format!("'{option}'")
    };
    let own = configuration.get(JOB_MANAGER).unwrap_or_default().trim_end();
    let options = if own.is_empty() {
        option
    } else {
        format!("{own} {option}")
    };
    Ok(Some((JOB_MANAGER, options)))
}

/// Takes out again what [`with_agent`] and the keys of the handover put in; keys that `present` has are as they stand there.
pub(super) fn take_out(spec: &mut FlinkDeploymentSpec, present: &FlinkDeploymentSpec, jar: &str) {
    let flat = |spec: &FlinkDeploymentSpec| {
        spec.flink_configuration
            .as_ref()
            .map(configuration::flatten)
            .unwrap_or_default()
    };
    let (mut borne, mut written) = (flat(spec), flat(present));
    for key in gate::WRITTEN.into_iter().chain([gate::key::STRATEGY]) {
        match written.remove(key) {
            Some(text) => borne.insert(key.to_owned(), text),
            None => borne.remove(key),
        };
    }
    if let Some(options) = borne.remove(JOB_MANAGER) {
        let own = options
            .replace(&format!("'{OPTION}{jar}'"), "")
            .replace(&format!("{OPTION}{jar}"), "");
        if !own.trim().is_empty() {
            borne.insert(JOB_MANAGER.to_owned(), own.trim_end().to_owned());
        }
    }
    let entries: Map<String, Value> = borne
        .into_iter()
        .map(|(key, text)| (key, Value::from(text)))
        .collect();
    spec.flink_configuration = (!entries.is_empty()).then_some(Value::Object(entries));
}

/// The jar of the gate agent in the options of a prepared child.
pub(super) fn agent(flat: &BTreeMap<String, String>) -> Option<&str> {
    let reach = || {
        REACH_JOB_MANAGER
            .iter()
            .filter_map(|key| flat.get(*key))
            .flat_map(|text| agents(text))
    };
    // One of another name is the last, because the agent's option is put behind the user's own.
    reach()
        .find(|path| is_ours(path))
        .or_else(|| flat.get(JOB_MANAGER).and_then(|text| agents(text).last()))
}

fn is_ours(path: &str) -> bool {
    path.rsplit('/').next() == Some(FILE)
}

/// The jars of all Java agents in some options.
fn agents(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split(OPTION);
    parts.clone().zip(parts.skip(1)).filter_map(|(before, after)| {
        let word = match before.chars().last() {
            Some(quote @ ('\'' | '"')) => after.split(quote).next(),
            Some(_) | None => after.split(char::is_whitespace).next(),
        };
        word?.split('=').next()
    })
}

/// How many slots Flink allocates before any job asks (FLINK-15959, in Flink 1.19 and newer).
const SLOTS_MIN: &str = "slotmanager.number-of-slots.min";
/// What a minimum above it would keep the JobManager from starting.
const SLOTS_MAX: &str = "slotmanager.number-of-slots.max";
/// What else bounds the slots, or says how many there are to be.
const OTHER_BOUNDS: [&str; 5] = [
    SLOTS_MIN,
    "slotmanager.min-total-resource.cpu",
    "slotmanager.min-total-resource.memory",
    "slotmanager.max-total-resource.cpu",
    "slotmanager.max-total-resource.memory",
];

/// The slots of a job that is held back, asked for ahead of it.
///
/// In native mode Flink starts TaskManagers when a job asks for slots, and a job that is held back asks for none. With
/// this minimum the slot manager asks by itself as soon as the ResourceManager leads (`FineGrainedSlotManager.start` looks at
/// once, and then every `resourcemanager.taskmanager-timeout`), and keeps them when they are idle. Standalone clusters take no
/// notice of it; their TaskManagers start by themselves.
///
/// Nothing is asked where the user bounds the slots, because a minimum above a maximum keeps the JobManager from
/// starting; nor under an autoscaler, because the minimum would keep TaskManagers that it has scaled away.
pub(super) fn slots_ahead(
    spec: &FlinkDeploymentSpec,
    configuration: &FlinkConfiguration,
) -> Option<(&'static str, String)> {
    let is_autoscaled = configuration
        .get("job.autoscaler.enabled")
        .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
    if is_autoscaled
        || spec.mode == Some(KubernetesDeploymentMode::Standalone)
        || OTHER_BOUNDS.iter().any(|key| configuration.get(key).is_some())
    {
        return None;
    }
    let number = |key: &str| configuration.get(key)?.trim().parse::<u32>().ok();
    let each = number("taskmanager.numberOfTaskSlots").unwrap_or(1).max(1);
    // Whole TaskManagers: Flink counts in their memory and cores.
    let slots = plan::task_managers(spec).saturating_mul(each);
    let is_allowed = match configuration.get(SLOTS_MAX) {
        None => true,
        Some(text) => text.trim().parse::<u32>().is_ok_and(|most| slots <= most),
    };
    is_allowed.then(|| (SLOTS_MIN, slots.to_string()))
}

/// Writes the keys where they stand already, flat or nested, and otherwise flat.
pub(super) fn write(spec: &mut FlinkDeploymentSpec, keys: impl IntoIterator<Item = (&'static str, String)>) {
    let mut map = match spec.flink_configuration.take() {
        Some(Value::Object(map)) => map,
        Some(_) | None => Map::new(),
    };
    for (key, text) in keys {
        if replace(&mut map, key, &text) {
            continue;
        }
        // `key: {more: x}` means `key.more: x`, and would be lost.
        if let Some(Value::Object(below)) = map.remove(key) {
            map.extend(
                below
                    .into_iter()
                    .map(|(name, value)| (format!("{key}.{name}"), value)),
            );
        }
        map.insert(key.to_owned(), Value::from(text));
    }
    spec.flink_configuration = Some(Value::Object(map));
}

/// Whether the key was there.
fn replace(map: &mut Map<String, Value>, key: &str, text: &str) -> bool {
    let mut found = false;
    for (name, value) in map {
        if let Value::Object(below) = value {
            let rest = key.strip_prefix(name.as_str());
            if let Some(rest) = rest.and_then(|rest| rest.strip_prefix('.')) {
                found |= replace(below, rest, text);
            }
        } else if name == key {
            *value = Value::from(text);
            found = true;
        }
    }
    found
}
