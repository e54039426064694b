//! Children deleted past the point of no return.

use sluice_api::blue_green::{Guarantee, Outcome};
use sluice_core::Color;

use super::{active, advanced, error, lineage, told};

// Past the point of no return green is deleted, and where it was cannot be learnt. Blue still runs and has written all that
// came since the savepoint: green is made again from there. BASIC promises no more than that nothing is lost.
#[test]
fn row_25_past_the_point_of_no_return_a_child_of_unknown_state_starts_over_while_the_outgoing_one_runs() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.configure("deployment-deletion.delay", "300 s");
    simulation.world.set_image("app:2");
    simulation.until_step("Switching");
    simulation.wait(30);
    simulation.world.unknown.insert("checkpoints");
    simulation.world.delete_child(Color::Green);
    simulation.wait(20);
    assert_eq!(simulation.world.created, [1, 2, 2]);
    let started = simulation.world.cluster(Color::Green).unwrap();
    assert_eq!(
        started.started_from.as_deref(),
        Some("s3://b/sp/u-app/2-1/savepoint-1")
    );
    assert!(simulation.world.child(Color::Blue).is_some());
    simulation.wait(400);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
    let entry = &simulation.world.record().history[0];
    assert_eq!(
        (entry.outcome, entry.guarantee),
        (Outcome::Completed, Guarantee::AtLeastOnce)
    );
    assert!(entry.message.as_ref().unwrap().contains("comes twice"));
    assert_eq!(told(&simulation, "warning ChildGone"), 1);
}

// The outgoing job does not run, so green alone has written what came since: nothing is guessed.
#[test]
fn row_25_past_the_point_of_no_return_nothing_starts_over_beside_an_outgoing_job_that_does_not_run() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.configure("deployment-deletion.delay", "300 s");
    simulation.world.set_image("app:2");
    simulation.until_step("Switching");
    simulation.wait(30);
    simulation.world.cluster_mut(Color::Blue).unwrap().failed_by_hand = true;
    simulation.wait(10);
    simulation.world.unknown.insert("checkpoints");
    simulation.world.delete_child(Color::Green);
    simulation.wait(60);
    assert_eq!(simulation.world.created, [1, 2]);
    assert!(
        error(&simulation).contains("could not be learnt"),
        "{}",
        error(&simulation)
    );
    simulation.world.unknown.clear();
    assert_eq!(simulation.settle(100), Color::Green);
    let started = simulation.world.cluster(Color::Green).unwrap();
    assert!(started.started_from.as_ref().unwrap().contains("/chk/"));
}

// ADVANCED: blue is stopped and green alone has written since. From anything older it would write records again, so it waits,
// and says what a person can do. That helps.
#[test]
fn row_25_advanced_past_the_point_of_no_return_a_child_of_unknown_state_is_waited_for_and_the_remedy_helps() {
    let mut simulation = advanced();
    simulation.hand_deleted = true;
    simulation.world.configure("deployment-deletion.delay", "300 s");
    simulation.world.set_image("app:2");
    simulation.until_step("Switching");
    simulation.wait(30);
    simulation.world.unknown.insert("checkpoints");
    simulation.world.delete_child(Color::Green);
    simulation.wait(400);
    assert_eq!(simulation.world.created, [1, 2]);
    assert!(
        error(&simulation).contains("delete app-blue"),
        "{}",
        error(&simulation)
    );
    // Both of them gone, the transition is over, and a state can be named.
    simulation.world.delete_child(Color::Blue);
    simulation.wait(20);
    assert_eq!(simulation.world.created, [1, 2]);
    assert!(
        error(&simulation).contains("savepointRedeployNonce"),
        "{}",
        error(&simulation)
    );
    simulation
        .world
        .set_child("job/initialSavepointPath", "s3://b/users");
    simulation.world.set_child("job/savepointRedeployNonce", 1);
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(lineage(&simulation, Color::Green), [1000, 3]);
    assert_eq!(simulation.serving_image().as_deref(), Some("app:2"));
}

// The same where blue had gone already and green is deleted before the end is written down.
#[test]
fn row_25_with_both_children_gone_the_incoming_one_is_active_and_comes_back_from_its_checkpoint() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.configure("deployment-deletion.delay", "300 s");
    simulation.world.set_image("app:2");
    simulation.until_step("Switching");
    simulation.wait(30);
    simulation.world.unknown.insert("checkpoints");
    simulation.world.delete_child(Color::Blue);
    simulation.world.delete_child(Color::Green);
    simulation.wait(30);
    assert_eq!(simulation.world.created, [1, 2]);
    simulation.world.unknown.clear();
    simulation.world.changed = true;
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(lineage(&simulation, Color::Green), [1, 2, 3]);
}
