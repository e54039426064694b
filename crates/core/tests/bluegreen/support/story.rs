//! A script of what people and the world do, one command a line, and the whole story that comes of it.
//!
//! ```text
//! create savepoint             the resource, with this upgradeMode
//! image app:2                  spec.template.spec.image
//! set job/parallelism 4        a field below spec.template.spec, as JSON (a bare word is text)
//! spec ingress {...}           a field below spec, as JSON
//! configure promotion MANUAL   a key below kubernetes.operator.bluegreen.
//! annotate promote 1           promote, abort or retry
//! savepoints fail 3            work, fail N, hang, refused
//! fail blue / heal blue        the child's job
//! finish blue                  its job ends, or somebody stops it past the operator
//! delete blue                  somebody deletes the child
//! status lost                  somebody removes the status
//! creation refused             no child can be created; creation allowed: it can again
//! agent there                  the operator can deliver the agent; agent gone: it cannot
//! gates idle                   no input moves; behind: the incoming job does not catch up; untimed: records without a timestamp;
//!                              stuck: the outgoing job does not come to the cut; gates work: all of it is over
//! slots none                   no TaskManager comes up; slots there: they do
//! handover lost                somebody removes the handover record
//! crash                        the operator dies and another one begins
//! run                          until nothing moves any more
//! until Deploying              until the transition is at this step
//! wait 60                      so many seconds
//! ```

use serde_json::Value;
use sluice_core::Color;
use sluice_core::bluegreen::agent::Agent;

use super::fixtures::{SAVEPOINTS, agent, resource_text};
use super::flink::SavepointBehaviour;
use super::gates::Gates;
use super::shell::Simulation;

/// Plays the script.
pub fn played(script: &str) -> Simulation {
    let mut simulation = Simulation::new();
    for line in script.lines() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        simulation.log.push(if line.starts_with('#') {
            line.to_owned()
        } else {
            format!("> {line}")
        });
        if !line.starts_with('#') {
            play(&mut simulation, line);
        }
    }
    simulation
}

/// Plays the script; the story tells the commands, what was recorded, awaited, told and done.
pub fn told(script: &str) -> String {
    let simulation = played(script);
    let mut story = simulation.log.join("\n");
    story.push_str("\n\n");
    story.push_str(&ending(&simulation));
    story
}

/// What is there in the end.
fn ending(simulation: &Simulation) -> String {
    let mut lines = Vec::new();
    for color in Color::BOTH {
        let Some(child) = simulation.world.child(color) else {
            continue;
        };
        let lineage = simulation
            .world
            .cluster(color)
            .map(|cluster| cluster.lineage.0.clone());
        lines.push(format!(
            "{color}: {}, {}, its state was worked on by transitions {:?}",
            child.spec.image.clone().unwrap_or_default(),
            sluice_core::bluegreen::child::describe(child),
            lineage.unwrap_or_default()
        ));
    }
    if let Some(backend) = simulation.world.ingress_backend() {
        lines.push(format!("Ingress: {backend}"));
    }
    let status = simulation.world.status();
    for condition in &status.conditions {
        lines.push(
            format!(
                "{}={} {} {}",
                condition.type_, condition.status, condition.reason, condition.message
            )
            .trim_end()
            .to_owned(),
        );
    }
    for entry in &status.history {
        let text = |value: Value| value.as_str().unwrap_or_default().to_owned();
        lines.push(format!(
            "history: {} to {} {} {} {}",
            entry.transition,
            entry.to,
            text(serde_json::to_value(entry.cause).unwrap()),
            text(serde_json::to_value(entry.outcome).unwrap()),
            text(serde_json::to_value(entry.guarantee).unwrap()),
        ));
    }
    lines.join("\n")
}

fn color(word: &str) -> Color {
    match word {
        "blue" => Color::Blue,
        "green" => Color::Green,
        other => panic!("{other} is no colour"),
    }
}

fn json_or_text(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn play(simulation: &mut Simulation, line: &str) {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let (first, second) = rest.split_once(' ').map_or((rest, ""), |(a, b)| (a, b.trim()));
    match verb {
        "create" => simulation.world.create(&resource_text(rest)),
        "image" => simulation.world.set_image(rest),
        "set" => simulation.world.set_child(first, json_or_text(second)),
        "spec" => {
            let path: Vec<&str> = first.split('/').collect();
            simulation.world.set(&path, json_or_text(second));
        }
        "configure" => simulation.world.configure(first, second),
        "annotate" => simulation.world.annotate(first, second),
        "savepoints" => {
            simulation.world.savepoints = match first {
                "work" => SavepointBehaviour::Work,
                "fail" => SavepointBehaviour::Fail(second.parse().unwrap()),
                "hang" => SavepointBehaviour::Hang,
                "refused" => SavepointBehaviour::Refused,
                other => panic!("savepoints do not {other}"),
            };
        }
        "fail" | "heal" => {
            if let Some(cluster) = simulation.world.cluster_mut(color(first)) {
                cluster.failed_by_hand = verb == "fail";
            }
        }
        "finish" => {
            if let Some(cluster) = simulation.world.cluster_mut(color(first)) {
                cluster.drained = true;
            }
        }
        "delete" => {
            simulation.hand_deleted = true;
            simulation.world.delete_child(color(first));
        }
        "status" => simulation.world.edit_status(|status| *status = Value::Null),
        "creation" => {
            simulation.world.refuse_creation = (first == "refused").then(|| "403 Forbidden".to_owned());
        }
        "agent" => {
            simulation.world.agent = if first == "gone" { Agent::None } else { agent() };
        }
        "gates" => {
            let gates = &mut simulation.world.gates;
            match first {
                "idle" => gates.idle = true,
                "behind" => gates.behind = true,
                "untimed" => gates.untimed = true,
                "stuck" => gates.stuck = true,
                "work" => *gates = Gates::default(),
                other => panic!("gates are never {other}"),
            }
            simulation.world.changed = true;
        }
        "slots" => simulation.world.no_slots = first == "none",
        "handover" => {
            simulation.world.handover = None;
            simulation.world.changed = true;
        }
        "crash" => simulation.forget(),
        "run" => assert!(
            simulation.quiet_within(400),
            "{}\nit never comes to rest",
            simulation.log.join("\n")
        ),
        "until" => simulation.until_step(first),
        "wait" => simulation.wait(first.parse().unwrap()),
        other => panic!("{other} is no command; savepoints are in {SAVEPOINTS}"),
    }
}
