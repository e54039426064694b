//! Every crash point of the main scenarios: whatever request is lost, refused or the last one, the end is the same.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_api::FlinkDeploymentSpec;
use sluice_core::Color;

use crate::support::fixtures::{agent, resource_text};
use crate::support::shell::{EVERY_FAULT, Fault, Sight, Simulation};

/// What runs, and how it is upgraded.
#[derive(Clone, Copy, Debug)]
struct Setting {
    upgrade_mode: &'static str,
    advanced: bool,
    warm: bool,
    gates: bool,
    start: Color,
}

/// The upgrade mode, whether ADVANCED, whether with the agent, and whether by the strategy WATERMARK.
const MODES: [(&str, bool, bool, bool); 7] = [
    ("stateless", false, false, false),
    ("savepoint", false, false, false),
    ("last-state", false, false, false),
    ("savepoint", true, false, false),
    ("last-state", true, false, false),
    ("savepoint", true, true, false),
    ("savepoint", true, true, true),
];

fn settings() -> Vec<Setting> {
    let mut settings = Vec::new();
    for (upgrade_mode, advanced, warm, gates) in MODES {
        for start in Color::BOTH {
            settings.push(Setting {
                upgrade_mode,
                advanced,
                warm,
                gates,
                start,
            });
        }
    }
    settings
}

/// A settled resource on the colour, with an Ingress.
fn settled(setting: Setting) -> Simulation {
    let mut text = resource_text(setting.upgrade_mode);
    text["spec"]["ingress"] = json!({ "template": "{{name}}.example.com" });
    if setting.advanced {
        text["spec"]["transitionMode"] = json!("ADVANCED");
    }
    if setting.gates {
        text["spec"]["template"]["spec"]["flinkConfiguration"]["bluegreen.gate.strategy"] =
            json!("WATERMARK");
    }
    let mut simulation = Simulation::new();
    simulation.one_writer = setting.advanced;
    if setting.warm {
        simulation.world.agent = agent();
    }
    simulation.world.create(&text);
    simulation.settle(40);
    if setting.start == Color::Green {
        simulation.world.set_image("app:0");
        simulation.settle(60);
    }
    assert_eq!(simulation.world.settled_on(), Some(setting.start));
    simulation.quiet_within(20);
    simulation.requests = 0;
    simulation.twice = false;
    simulation.log.clear();
    simulation
}

/// What must not depend on what went wrong on the way.
#[derive(Debug, PartialEq)]
struct End {
    active: Option<Color>,
    number: u64,
    specs: BTreeMap<String, FlinkDeploymentSpec>,
    /// What the serving job's state is made of, and what it was started from.
    lineage: Option<(Vec<u64>, Option<String>)>,
    ingress: Option<String>,
    outcomes: Vec<Value>,
}

fn end(simulation: &Simulation) -> End {
    let world = &simulation.world;
    let record = world.record();
    let specs = world
        .children
        .iter()
        .map(|(name, child)| (name.clone(), child.spec.clone()))
        .collect();
    let serving = record.active().and_then(|color| world.cluster(color));
    End {
        active: world.settled_on(),
        number: record.number,
        specs,
        lineage: serving.map(|cluster| {
            (
                cluster.lineage.0.clone(),
                state_of_job(cluster.started_from.as_deref()),
            )
        }),
        ingress: world.ingress_backend(),
        outcomes: record
            .history
            .iter()
            .map(|entry| {
                json!([
                    entry.transition,
                    entry.outcome,
                    entry.restored_from,
                    entry.guarantee
                ])
            })
            .collect(),
    }
}

/// The path without the number of the checkpoint: how many there are depends on the time that went by.
fn state_of_job(path: Option<&str>) -> Option<String> {
    let path = path?;
    let whole = if path.contains("/chk/") {
        path.rsplit_once('/').map_or(path, |(job, _)| job)
    } else {
        path
    };
    Some(whole.to_owned())
}

fn nothing_twice(simulation: &Simulation, what: &str) {
    let log = || simulation.log.join("\n");
    let world = &simulation.world;
    let mut seen = std::collections::BTreeSet::new();
    for number in &world.created {
        assert!(
            seen.insert(number),
            "{what}: transition {number} has created two children\n{}",
            log()
        );
    }
    for (trigger, count) in &world.begun {
        assert!(*count <= 1, "{what}: {count} savepoints for {trigger}\n{}", log());
    }
}

/// The edits of a story; each is made when all is quiet after the one before.
type Story = &'static [fn(&mut Simulation)];

/// A story under way.
#[derive(Clone)]
struct Play {
    simulation: Simulation,
    story: Story,
    edits: usize,
    quiet: u32,
    ticks: u32,
}

impl Play {
    fn begin(start: &Simulation, story: Story) -> Self {
        Self {
            simulation: start.clone(),
            story,
            edits: 0,
            quiet: 3,
            ticks: 0,
        }
    }

    /// One tick; returns whether the story is over.
    fn goes_on(&mut self) -> bool {
        let simulation = &mut self.simulation;
        if self.quiet >= 3 && simulation.world.settled_on().is_some() {
            let Some(edit) = self.story.get(self.edits) else {
                return false;
            };
            edit(simulation);
            self.edits += 1;
            self.quiet = 0;
        }
        let before = (simulation.world.writes, simulation.log.len());
        simulation.tick();
        let after = (simulation.world.writes, simulation.log.len());
        self.quiet = if before == after { self.quiet + 1 } else { 0 };
        self.ticks += 1;
        assert!(
            self.ticks < 300,
            "{}\nit never comes to rest",
            simulation.log.join("\n")
        );
        true
    }

    fn played_out(mut self) -> Simulation {
        while self.goes_on() {}
        self.simulation
    }
}

/// Plays the story without a fault, then with every fault at every request, and with every kind of sight.
fn whatever_happens(story: Story, settings: &[Setting], faults: &[Fault]) {
    for setting in settings {
        let start = settled(*setting);
        let mut plain = Play::begin(&start, story);
        let mut moments = vec![plain.clone()];
        while plain.goes_on() {
            moments.push(plain.clone());
        }
        let plain = plain.simulation;
        let expected = end(&plain);
        nothing_twice(&plain, "no fault");
        for request in 1..=plain.requests {
            // What comes before the fault is the same every time.
            let before = moments
                .iter()
                .rev()
                .find(|moment| moment.simulation.requests < request)
                .unwrap();
            for fault in faults {
                let mut play = before.clone();
                play.simulation.faults.insert(request, *fault);
                one(
                    play,
                    &expected,
                    &format!("{setting:?}, {fault:?} at request {request}"),
                );
            }
        }
        for sight in [Sight::StaleFirst, Sight::Overtaken] {
            for request in (0..=plain.requests).step_by(3) {
                let mut play = Play::begin(&start, story);
                play.simulation.sight = sight;
                play.simulation.faults.insert(request, Fault::CrashAfter);
                one(
                    play,
                    &expected,
                    &format!("{setting:?}, {sight:?}, crash after request {request}"),
                );
            }
        }
    }
}

fn one(play: Play, expected: &End, what: &str) {
    let simulation = play.played_out();
    nothing_twice(&simulation, what);
    let found = end(&simulation);
    assert!(
        found == *expected,
        "{what}\n{}\nfound    {found:#?}\nexpected {expected:#?}",
        simulation.log.join("\n")
    );
}

#[test]
fn an_upgrade_ends_the_same_whatever_is_lost_on_the_way() {
    whatever_happens(
        &[|simulation| simulation.world.set_image("app:2")],
        &settings(),
        &EVERY_FAULT,
    );
}

#[test]
fn an_abort_and_the_fix_end_the_same_whatever_is_lost_on_the_way() {
    let some: Vec<Setting> = settings()
        .into_iter()
        .filter(|setting| setting.upgrade_mode == "savepoint")
        .collect();
    whatever_happens(
        &[
            |simulation| simulation.world.set_image("app:broken"),
            |simulation| simulation.world.set_image("app:3"),
        ],
        &some,
        &[Fault::CrashAfter, Fault::AnswerLost],
    );
}

#[test]
fn suspending_and_resuming_end_the_same_whatever_is_lost_on_the_way() {
    let some: Vec<Setting> = settings()
        .into_iter()
        .filter(|setting| setting.start == Color::Green && !setting.advanced)
        .collect();
    whatever_happens(
        &[
            |simulation| simulation.world.set_child("job/state", "suspended"),
            |simulation| simulation.world.set_child("job/state", "running"),
        ],
        &some,
        &EVERY_FAULT,
    );
}
