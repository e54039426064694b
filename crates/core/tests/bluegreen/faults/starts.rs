//! What a deployment starts from, and what the history promises of it.

use serde_json::json;
use sluice_api::blue_green::Guarantee;
use sluice_core::Color;

use super::{active, active_green, advanced, error, lineage};
use crate::support::fixtures::resource_text;
use crate::support::shell::Simulation;

// No job of it ever ran: there is nothing to go on from, and nothing to be learnt of it (on Kubernetes the one who could
// be asked is gone).
#[test]
fn a_first_deployment_that_was_never_created_is_tried_again_without_asking_after_its_state() {
    let mut simulation = Simulation::new();
    simulation.world.refuse_creation = Some("403 Forbidden: exceeded quota".to_owned());
    simulation.world.unknown.insert("checkpoints");
    simulation.world.create(&resource_text("savepoint"));
    simulation.wait(120);
    assert!(error(&simulation).contains("exceeded quota"));
    simulation.world.refuse_creation = None;
    simulation.world.set_image("app:2");
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_eq!(lineage(&simulation, Color::Blue), [2]);
}

/// A resource whose first version runs and checkpoints, but does not become stable.
fn unstable_at_first() -> Simulation {
    let mut text = resource_text("savepoint");
    text["spec"]["template"]["spec"]["image"] = json!("app:unstable");
    let mut simulation = Simulation::new();
    simulation.hand_deleted = true;
    simulation.world.create(&text);
    simulation.until_step("Deploying");
    simulation.wait(20);
    simulation
}

// A first deployment that fails has committed what its checkpoints say: the next attempt goes on from the last one.
#[test]
fn r01_a_first_deployment_that_failed_goes_on_from_where_it_came_to() {
    for policy in ["KEEP", "DELETE", "SUSPEND"] {
        let mut simulation = unstable_at_first();
        simulation.world.configure("abort.failed-deployment", policy);
        simulation.wait(120);
        assert_eq!(simulation.world.settled_on(), None);
        simulation.world.set_image("app:2");
        assert_eq!(simulation.settle(60), Color::Blue);
        assert_eq!(lineage(&simulation, Color::Blue), [1, 2], "{policy}");
    }
}

// The same where the edit comes before the grace period is over, and where a second one follows at once.
#[test]
fn r01_a_first_deployment_that_is_edited_goes_on_from_where_it_came_to() {
    let mut simulation = unstable_at_first();
    simulation.world.set_image("app:2");
    simulation.tick();
    simulation.world.set_image("app:3");
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_eq!(lineage(&simulation, Color::Blue).first(), Some(&1));
    assert_eq!(simulation.serving_image().as_deref(), Some("app:3"));
}

// Unless its user says otherwise: another savepoint, or no state.
#[test]
fn a_first_deployment_starts_from_what_its_user_names() {
    let mut simulation = unstable_at_first();
    simulation.wait(120);
    simulation
        .world
        .set_child("job/initialSavepointPath", "s3://b/users");
    simulation.world.set_image("app:2");
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_eq!(lineage(&simulation, Color::Blue), [1000, 2]);

    let mut simulation = unstable_at_first();
    simulation.wait(120);
    simulation.world.set_child("job/upgradeMode", "stateless");
    simulation.world.set_image("app:2");
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_eq!(lineage(&simulation, Color::Blue), [2]);
}

// What the history promises is what was done.
#[test]
fn the_history_does_not_promise_more_than_was_done() {
    let guarantee = |simulation: &Simulation| simulation.world.record().history[0].guarantee;

    // Gone, and only the savepoint that it was started from is known.
    let mut simulation = active_green("savepoint");
    simulation.hand_deleted = true;
    simulation.world.delete_child(Color::Green);
    simulation.world.retained.clear();
    simulation.tick();
    simulation.settle(60);
    assert_eq!(guarantee(&simulation), Guarantee::AtLeastOnce);

    // Gone, and without state.
    let mut simulation = active("stateless");
    simulation.hand_deleted = true;
    simulation.world.delete_child(Color::Blue);
    simulation.tick();
    simulation.settle(60);
    assert_eq!(guarantee(&simulation), Guarantee::Stateless);

    // ADVANCED, from a savepoint that its user named.
    let mut simulation = advanced();
    simulation
        .world
        .set_child("job/initialSavepointPath", "s3://b/users");
    simulation.world.set_child("job/savepointRedeployNonce", 1);
    simulation.until_step("Deploying");
    simulation.settle(60);
    assert_eq!(guarantee(&simulation), Guarantee::AtLeastOnce);
}

// ADVANCED: a redeployment that fails has begun another line of state; the outgoing version comes back with its own.
#[test]
fn a_failed_redeployment_gives_the_outgoing_version_its_own_state_back() {
    let mut simulation = advanced();
    simulation.world.set_image("app:unstable");
    simulation
        .world
        .set_child("job/initialSavepointPath", "s3://b/users");
    simulation.world.set_child("job/savepointRedeployNonce", 1);
    simulation.until_step("Deploying");
    simulation.wait(200);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    assert!(!lineage(&simulation, Color::Blue).contains(&1000));
}
