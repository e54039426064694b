//! What is awaited is shown in the decider's own words, at every step of a resource's life.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop at once, also in its helpers"
)]

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::Color;
use sluice_cli::view::transition::Progress;
use sluice_core::Fact;
use sluice_core::bluegreen::{
    Effect, Observed, SavepointObservation, SavepointProgress, Side, Waiting, WaitingFor, decide,
};

/// A world with one resource, in which everything succeeds at the next look.
struct World {
    observed: Observed,
    now: Timestamp,
    /// What was awaited, in order, each once.
    awaited: Vec<WaitingFor>,
}

impl World {
    /// `examples/basic.yaml` as its user would change it.
    fn new(edit: impl FnOnce(&mut serde_json::Value)) -> Self {
        let mut text: serde_json::Value =
            serde_saphyr::from_str(include_str!("../../../examples/basic.yaml")).unwrap();
        edit(&mut text);
        let mut resource = sluice_api::read_blue_green(&text).unwrap();
        resource.metadata.uid = Some("u-ledger".to_owned());
        resource.metadata.resource_version = Some("1".to_owned());
        resource.metadata.generation = Some(1);
        Self {
            observed: Observed::alone(resource),
            now: "2026-11-21T12:00:00Z".parse().unwrap(),
            awaited: Vec::new(),
        }
    }

    fn label(&mut self, label: &str) {
        let template = self.observed.resource.spec.template.as_mut().unwrap();
        let job = template.spec.as_mut().unwrap().job.as_mut().unwrap();
        label.clone_into(job.args.as_mut().unwrap().last_mut().unwrap());
        let generation = &mut self.observed.resource.metadata.generation;
        *generation = generation.map(|generation| generation + 1);
    }

    /// Decides and carries out until nothing changes any more; the view is held against every decision.
    fn settle(&mut self) {
        for _ in 0..60 {
            let decision = decide(&self.observed, self.now);
            let wrote = decision.status.is_some();
            if let Some(status) = decision.status {
                self.observed.resource.status = Some(*status);
            }
            self.compare(decision.waiting.as_ref());
            let carried_out = !decision.effects.is_empty();
            for effect in decision.effects {
                self.carry_out(effect);
            }
            if !wrote && !carried_out {
                return;
            }
            self.now += SignedDuration::from_secs(1);
        }
        unreachable!("it never settles: {:?}", self.observed.resource.status);
    }

    fn compare(&mut self, waiting: Option<&Waiting>) {
        let status = self.observed.resource.status.clone().unwrap();
        let Progress::Under(step) = Progress::of(&status) else {
            return;
        };
        let Some(waiting) = waiting else {
            assert_eq!((step.waits_for.as_str(), step.until), ("the next step", None));
            return;
        };
        assert_eq!(step.waits_for, waiting.what.to_string());
        assert_eq!(step.until, waiting.until);
        assert_eq!(Some(step.since), waiting.since);
        if self.awaited.last() != Some(&waiting.what) {
            self.awaited.push(waiting.what.clone());
        }
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::CreateChild { manifest } => {
                let color = Color::BOTH
                    .into_iter()
                    .find(|color| manifest.metadata.name.as_deref().unwrap().ends_with(color.name()))
                    .unwrap();
                self.side(color).child = Fact::Present(running(*manifest));
            }
            Effect::DeleteChild { name, .. } => {
                for color in Color::BOTH {
                    if name.ends_with(color.name()) {
                        *self.side(color) = Side::absent();
                    }
                }
            }
            Effect::TriggerSavepoint {
                trigger_id,
                directory,
                ..
            } => {
                self.observed.savepoint = Some(SavepointObservation {
                    trigger_id,
                    progress: Fact::Present(SavepointProgress::Completed {
                        location: format!("{directory}/savepoint-1"),
                        checkpoint: Some(1),
                    }),
                });
            }
            Effect::ApplyIngress { manifest } => self.observed.ingress = Fact::Present(*manifest),
            Effect::DisposeSavepoint { path, .. } => {
                self.observed.disposals.insert(path, Ok(()));
            }
            Effect::ReplaceChild { .. }
            | Effect::StopDrained { .. }
            | Effect::DeleteIngress { .. }
            | Effect::WriteHandover { .. } => {
                unreachable!("nothing is changed in place here")
            }
        }
    }

    const fn side(&mut self, color: Color) -> &mut Side {
        match color {
            Color::Blue => &mut self.observed.blue,
            Color::Green => &mut self.observed.green,
        }
    }
}

/// The child as it is when it has come up.
fn running(mut child: FlinkDeployment) -> FlinkDeployment {
    child.metadata.uid = Some(format!("u-{}", child.metadata.name.as_deref().unwrap()));
    child.metadata.resource_version = Some("1".to_owned());
    child.metadata.generation = Some(1);
    let status = json!({
        "jobStatus": { "state": "RUNNING", "jobId": "0123456789abcdef0123456789abcdef" },
        "lifecycleState": "STABLE",
        "observedGeneration": 1,
    });
    child.status = Some(serde_json::from_value(status).unwrap());
    child
}

#[test]
fn without_an_ingress_nobody_is_told_to_wait_for_one() {
    let mut world = World::new(|_| {});
    world.settle();
    world.label("v2");
    world.settle();
    assert_eq!(
        world.awaited,
        [
            WaitingFor::Created(Color::Blue),
            WaitingFor::Ready(Color::Blue),
            WaitingFor::Savepoint(Color::Blue),
            WaitingFor::Created(Color::Green),
            WaitingFor::Ready(Color::Green),
            WaitingFor::Gone(Color::Blue),
        ]
    );
}

#[test]
fn the_ingress_the_person_and_the_deletion_delay_are_named_while_they_are_awaited() {
    let mut world = World::new(|resource| {
        resource["spec"]["ingress"] = json!({ "template": "{{name}}.example.com" });
        let configuration = &mut resource["spec"]["configuration"];
        configuration["kubernetes.operator.bluegreen.promotion"] = json!("MANUAL");
        configuration["kubernetes.operator.bluegreen.deployment-deletion.delay"] = json!("10 s");
    });
    world.settle();
    world.label("v2");
    world.settle();
    assert_eq!(
        world.awaited.last(),
        Some(&WaitingFor::Promotion(Color::Green)),
        "it waits for its promotion"
    );
    world.observed.resource.metadata.annotations = Some(BTreeMap::from([(
        sluice_api::metadata::ANNOTATION_PROMOTE.to_owned(),
        "now".to_owned(),
    )]));
    world.settle();
    let after: Vec<_> = world
        .awaited
        .iter()
        .skip_while(|what| **what != WaitingFor::Promotion(Color::Green))
        .skip(1)
        .cloned()
        .collect();
    assert_eq!(
        after,
        [
            WaitingFor::Ingress(Color::Green),
            WaitingFor::DeletionDelay(Color::Blue),
        ]
    );
    world.now += SignedDuration::from_secs(10);
    world.settle();
    assert_eq!(world.awaited.last(), Some(&WaitingFor::Gone(Color::Blue)));
}

#[test]
fn a_suspension_that_has_to_wait_is_told_beside_what_it_waits_for() {
    let mut world = World::new(|resource| {
        let configuration = &mut resource["spec"]["configuration"];
        configuration["kubernetes.operator.bluegreen.deployment-deletion.delay"] = json!("10 s");
    });
    world.settle();
    world.label("v2");
    world.settle();
    let template = world.observed.resource.spec.template.as_mut().unwrap();
    template.spec.as_mut().unwrap().job.as_mut().unwrap().state = Some(sluice_api::JobState::Suspended);
    world.settle();
    let status = world.observed.resource.status.unwrap();
    let Progress::Under(step) = Progress::of(&status) else {
        unreachable!("the deletion delay is not over: {status:?}");
    };
    assert_eq!(step.waits_for, "the deletion delay of blue");
    assert!(step.until.is_some());
    assert_eq!(
        step.also.as_deref(),
        Some("suspending waits until the transition is over")
    );
}
