//! What holds whatever people and the world do: random scripts of edits, faults, crashes and damage.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use sluice_core::bluegreen::agent::Agent;
use sluice_core::bluegreen::record::State;
use sluice_core::bluegreen::{WaitingFor, decide, diff};
use sluice_core::{Color, Wake};

use crate::support::fixtures::{agent, resource_text};
use crate::support::flink::SavepointBehaviour;
use crate::support::shell::{Fault, Sight, Simulation};

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Happens {
    Ticks(u8),
    Image(&'static str),
    UpgradeMode(&'static str),
    Suspend(bool),
    Advanced(bool),
    Redeploy(i64),
    Configure(&'static str, &'static str),
    Ingress(bool),
    Annotate(&'static str, u8),
    Delete(Color),
    Fail(Color),
    Heal,
    RestartJobManager(Color),
    Savepoints(SavepointBehaviour),
    RefuseCreation(bool),
    RefuseIngress(bool),
    Unknown(&'static str, bool),
    EditChild(Color, &'static str),
    LoseLabels(Color),
    LoseStatus,
    LoseField(&'static str),
    SpoilIngress,
    Crash,
    Agent(bool),
    NoSlots(bool),
    LoseHandover,
    FaultAhead(u8, Fault),
    See(Sight),
}

fn color() -> impl Strategy<Value = Color> {
    prop_oneof![Just(Color::Blue), Just(Color::Green)]
}

/// What people do on purpose.
fn edit() -> impl Strategy<Value = Happens> {
    prop_oneof![
        8 => (1u8..16).prop_map(Happens::Ticks),
        5 => prop::sample::select(vec!["app:1", "app:2", "app:3", "app:broken", "app:stuck", "app:unstable"])
            .prop_map(Happens::Image),
        1 => prop::sample::select(vec!["stateless", "savepoint", "last-state"]).prop_map(Happens::UpgradeMode),
        1 => any::<bool>().prop_map(Happens::Suspend),
        1 => (1i64..4).prop_map(Happens::Redeploy),
        2 => prop::sample::select(vec![
            ("promotion", "MANUAL"), ("promotion", "AUTO"), ("abort.failed-deployment", "SUSPEND"),
            ("abort.failed-deployment", "DELETE"), ("abort.failed-deployment", "KEEP"),
            ("abort.failed-deployment.ttl", "30 s"), ("deployment-deletion.delay", "20 s"),
            ("deployment-deletion.delay", "0 s"), ("abort.grace-period", "soon"), ("abort.grace-period", "40 s"),
            ("savepoint.retention", "1"),
        ]).prop_map(|(key, value)| Happens::Configure(key, value)),
        1 => any::<bool>().prop_map(Happens::Ingress),
        2 => (prop::sample::select(vec!["promote", "abort", "retry"]), 0u8..9)
            .prop_map(|(command, token)| Happens::Annotate(command, token)),
    ]
}

/// What breaks, apart from what people delete or overwrite.
fn fault() -> impl Strategy<Value = Happens> {
    prop_oneof![
        color().prop_map(Happens::Fail),
        Just(Happens::Heal),
        color().prop_map(Happens::RestartJobManager),
        prop::sample::select(vec![
            SavepointBehaviour::Work,
            SavepointBehaviour::Fail(2),
            SavepointBehaviour::Hang,
            SavepointBehaviour::Refused,
            SavepointBehaviour::WithoutLocation,
        ])
        .prop_map(Happens::Savepoints),
        any::<bool>().prop_map(Happens::RefuseCreation),
        any::<bool>().prop_map(Happens::RefuseIngress),
        (
            prop::sample::select(vec![
                "blue",
                "green",
                "savepoint",
                "ingress",
                "checkpoints",
                "handover"
            ]),
            any::<bool>()
        )
            .prop_map(|(what, is)| Happens::Unknown(what, is)),
        Just(Happens::Crash),
        any::<bool>().prop_map(Happens::Agent),
        any::<bool>().prop_map(Happens::NoSlots),
        (
            1u8..6,
            prop::sample::select(vec![Fault::CrashAfter, Fault::AnswerLost, Fault::Refused])
        )
            .prop_map(|(ahead, fault)| Happens::FaultAhead(ahead, fault)),
        prop::sample::select(vec![Sight::Fresh, Sight::StaleFirst, Sight::Overtaken]).prop_map(Happens::See),
    ]
}

/// What people should not do, but do.
fn damage() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => color().prop_map(Happens::Delete),
        1 => (color(), prop::sample::select(vec!["app:byhand", "suspended"]))
            .prop_map(|(color, edit)| Happens::EditChild(color, edit)),
        1 => color().prop_map(Happens::LoseLabels),
        1 => Just(Happens::LoseStatus),
        2 => prop::sample::select(vec![
            "blueGreenState", "transition", "transitionNumber", "lastReconciledSpec", "kept", "failed", "history",
        ]).prop_map(Happens::LoseField),
        1 => Just(Happens::SpoilIngress),
        1 => Just(Happens::LoseHandover),
        1 => any::<bool>().prop_map(Happens::Advanced),
    ]
}

/// A script of everything that can happen.
pub fn any_script() -> impl Strategy<Value = Vec<Happens>> {
    prop::collection::vec(prop_oneof![6 => edit(), 3 => fault(), 1 => damage()], 0..24)
}

/// Lets it happen.
pub fn play(simulation: &mut Simulation, happens: &Happens) {
    let world = &mut simulation.world;
    simulation.log.push(format!("> {happens:?}"));
    match happens {
        Happens::Ticks(ticks) => (0..*ticks).for_each(|_| simulation.tick()),
        Happens::Image(image) => world.set_image(image),
        Happens::UpgradeMode(mode) => world.set_child("job/upgradeMode", *mode),
        Happens::Suspend(suspended) => {
            world.set_child("job/state", if *suspended { "suspended" } else { "running" });
        }
        Happens::Advanced(advanced) => {
            let mode = if *advanced { "ADVANCED" } else { "BASIC" };
            world.set(&["transitionMode"], json!(mode));
        }
        Happens::Redeploy(nonce) => {
            world.set_child("job/initialSavepointPath", "s3://b/users");
            world.set_child("job/savepointRedeployNonce", *nonce);
        }
        Happens::Configure(key, value) => world.configure(key, value),
        Happens::Ingress(wanted) => {
            let ingress = wanted.then(|| json!({ "template": "{{name}}.example.com" }));
            world.set(&["ingress"], ingress.into());
        }
        Happens::Annotate(command, token) => world.annotate(command, &token.to_string()),
        Happens::Delete(color) => {
            simulation.hand_deleted = true;
            world.delete_child(*color);
        }
        Happens::Fail(color) => {
            if let Some(cluster) = world.cluster_mut(*color) {
                cluster.failed_by_hand = true;
            }
        }
        Happens::Heal => heal(simulation),
        Happens::RestartJobManager(color) => world.restart_job_manager(*color),
        Happens::Savepoints(behaviour) => world.savepoints = *behaviour,
        Happens::RefuseCreation(refuse) => {
            world.refuse_creation = refuse.then(|| "403 Forbidden: exceeded quota".to_owned());
        }
        Happens::RefuseIngress(refuse) => {
            world.refuse_ingress = refuse.then(|| "403 Forbidden: webhook".to_owned());
        }
        Happens::Unknown(what, true) => {
            world.unknown.insert(what);
        }
        Happens::Unknown(what, false) => {
            world.unknown.remove(what);
            world.changed = true;
        }
        Happens::EditChild(color, "suspended") => world.edit_child(*color, |child| {
            if let Some(job) = &mut child.spec.job {
                job.state = Some(sluice_api::JobState::Suspended);
            }
        }),
        Happens::EditChild(color, image) => {
            world.edit_child(*color, |child| child.spec.image = Some((*image).to_owned()));
        }
        Happens::LoseLabels(color) => world.edit_child(*color, |child| {
            if let Some(labels) = &mut child.metadata.labels {
                labels.remove(sluice_api::metadata::LABEL_COLOR);
            }
        }),
        Happens::LoseStatus => world.edit_status(|status| *status = Value::Null),
        Happens::LoseField(field) => world.edit_status(|status| {
            if let Some(fields) = status.as_object_mut() {
                fields.remove(*field);
            }
        }),
        Happens::SpoilIngress => {
            world.changed = true;
            if let Some(spec) = world.ingress.as_mut().and_then(|ingress| ingress.spec.as_mut()) {
                spec.rules = None;
            }
        }
        Happens::Crash => simulation.forget(),
        Happens::Agent(is_there) => world.agent = if *is_there { agent() } else { Agent::None },
        Happens::NoSlots(none) => {
            world.no_slots = *none;
            world.changed = true;
        }
        Happens::LoseHandover => {
            world.handover = None;
            world.changed = true;
        }
        Happens::FaultAhead(ahead, fault) => {
            let request = simulation.requests + u64::from(*ahead);
            simulation.faults.insert(request, *fault);
        }
        Happens::See(sight) => simulation.sight = *sight,
    }
}

fn heal(simulation: &mut Simulation) {
    let world = &mut simulation.world;
    for cluster in world.clusters.values_mut() {
        cluster.failed_by_hand = false;
    }
    world.unknown.clear();
    world.refuse_creation = None;
    world.refuse_ingress = None;
    world.no_slots = false;
    world.savepoints = SavepointBehaviour::Work;
    world.changed = true;
}

/// A shell in a world with one new resource.
pub fn started(mode: &str, advanced: bool) -> Simulation {
    let mut text = resource_text(mode);
    if advanced {
        text["spec"]["transitionMode"] = json!("ADVANCED");
    }
    let mut simulation = Simulation::new();
    simulation.twice = false;
    simulation.world.create(&text);
    simulation
}

/// Whether the resource is settled on what its user wants.
fn goal(simulation: &Simulation) -> bool {
    let world = &simulation.world;
    let record = world.record();
    let State::Active(color) = record.state else {
        return false;
    };
    let wanted = &world.resource().spec;
    record.failed.is_none()
        && world.status().observed_generation == world.resource().metadata.generation
        && record
            .reconciled
            .as_ref()
            .is_some_and(|reconciled| diff::compare(reconciled, wanted).kind == diff::DiffKind::Ignore)
        && world.child(color).is_some_and(|child| {
            sluice_core::bluegreen::child::is_ready(child) && child.spec.image.as_deref() == Some("app:9")
        })
}

/// The user goes on to wish one thing that works, and nothing breaks any more.
fn wish(simulation: &mut Simulation) {
    simulation.log.push("> all is well from here on".to_owned());
    heal(simulation);
    simulation.sight = Sight::Fresh;
    simulation.faults = BTreeMap::new();
    let world = &mut simulation.world;
    world.configure("abort.grace-period", "60 s");
    world.configure("promotion", "AUTO");
    world.set_child("job/state", "running");
    if world.resource().spec.transition_mode == Some(sluice_api::TransitionMode::Advanced) {
        world.set_child("job/upgradeMode", "savepoint");
    }
    world.set_image("app:9");
}

fn ticks_to_goal(simulation: &mut Simulation, ticks: u32) -> bool {
    for _ in 0..ticks {
        simulation.tick();
        if goal(simulation) {
            return true;
        }
    }
    false
}

/// Whether it says openly that a person is needed.
fn asks_a_person(simulation: &Simulation) -> bool {
    let waits = simulation.last.as_ref().and_then(|last| last.waiting.clone());
    simulation.world.record().failed.is_some()
        || waits.is_some_and(|waiting| matches!(waiting.what, WaitingFor::Person(_)))
}

fn converges(simulation: &mut Simulation) {
    wish(simulation);
    // A clock that began under the default grace period of ten minutes runs out first.
    if ticks_to_goal(simulation, 200) {
        return;
    }
    let log = simulation.log.join("\n");
    assert!(
        asks_a_person(simulation),
        "{log}\nstuck without a word: {:#?}",
        simulation.last
    );
    if simulation.world.record().failed.is_some() {
        // What stood in the way is gone: tried again, the same specification works.
        simulation.log.push("> a person has it tried again".to_owned());
        simulation.world.annotate("retry", "again");
        if ticks_to_goal(simulation, 80) {
            return;
        }
    }
    // What people are told to do has to help. In BASIC mode two jobs may write.
    simulation.one_writer = false;
    simulation.log.push("> a person does as told".to_owned());
    simulation.world.set(&["transitionMode"], json!("BASIC"));
    simulation
        .world
        .set_child("job/initialSavepointPath", "s3://b/users");
    simulation.world.set_child("job/savepointRedeployNonce", 99);
    assert!(
        ticks_to_goal(simulation, 80),
        "{}\nthe remedy does not help: {:#?}",
        simulation.log.join("\n"),
        simulation.last
    );
}

/// Settled means: nothing is written, whatever the time.
fn stays_settled(simulation: &Simulation) {
    let record = simulation.world.record();
    if record.kept.is_some_and(|kept| kept.delete_at.is_some()) {
        return;
    }
    let observed = simulation.observe();
    for seconds in [0, 1, 59, 3600, 10_000_000] {
        let later = simulation
            .world
            .now
            .saturating_add(jiff::SignedDuration::from_secs(seconds))
            .unwrap();
        let decision = decide(&observed, later);
        assert!(
            decision.status.is_none() && decision.effects.is_empty() && decision.wake == Wake::OnChange,
            "{}\nnot settled after {seconds} s: {decision:#?}",
            simulation.log.join("\n")
        );
    }
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, max_shrink_iters: 300, ..Config::default() })]

    #[test]
    fn once_all_is_well_the_wish_is_reached_and_then_nothing_is_written(
        mode in prop::sample::select(vec!["stateless", "savepoint", "last-state"]),
        script in any_script(),
    ) {
        let mut simulation = started(mode, false);
        for happens in &script {
            play(&mut simulation, happens);
        }
        converges(&mut simulation);
        simulation.quiet_within(60);
        stays_settled(&simulation);
    }

    #[test]
    fn advanced_never_lets_two_jobs_write_and_reaches_the_wish(
        warm in any::<bool>(),
        gates in any::<bool>(),
        script in prop::collection::vec(prop_oneof![6 => edit(), 3 => fault()], 0..24),
    ) {
        let mut simulation = started("savepoint", true);
        if warm {
            simulation.world.agent = agent();
        }
        if warm && gates {
            simulation.world.set_child("flinkConfiguration/bluegreen.gate.strategy", "WATERMARK");
        }
        simulation.one_writer = true;
        for happens in &script {
            play(&mut simulation, happens);
        }
        converges(&mut simulation);
        simulation.quiet_within(60);
        stays_settled(&simulation);
    }
}
