//! Suspending, and people who change things by hand in the middle.

use sluice_api::JobState;
use sluice_api::blue_green::TransitionCause;
use sluice_core::Color;
use sluice_core::fields;

use super::{active, active_green, advanced, condition, lineage};

// Suspend in mid-transition waits until the transition is over.
#[test]
fn row_42_suspending_waits_until_the_transition_is_over() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Deploying");
    simulation.world.set_child("job/state", "suspended");
    simulation.tick();
    assert!(condition(&simulation, "Progressing").contains("suspending waits"));
    simulation.wait(60);
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
    let green = simulation.world.child(Color::Green).unwrap();
    assert!(sluice_core::bluegreen::child::is_suspended(green));
    assert_eq!(simulation.world.children.len(), 1);
}

// Green suspended by hand is put back: blue is never left running beside a green that is called active.
#[test]
fn r10_row_42_green_suspended_by_hand_is_put_back() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Deploying");
    simulation.tick();
    simulation.world.edit_child(Color::Green, |child| {
        child.spec.job.as_mut().unwrap().state = Some(JobState::Suspended);
    });
    assert_eq!(simulation.settle(60), Color::Green);
    simulation.wait(10);
    assert_eq!(simulation.world.children.len(), 1, "blue is gone");
    let green = simulation.world.child(Color::Green).unwrap();
    assert_eq!(fields::job_state(&green.spec), JobState::Running);
}

// Suspend and a new image in one edit: SUSPEND wins; the image is applied in place (upstream's rule), and nothing is lost.
#[test]
fn r14_row_43_suspend_with_a_new_image_is_applied_in_place_with_the_state() {
    let mut simulation = active_green("savepoint");
    simulation.world.set_child("job/state", "suspended");
    simulation.world.set_image("app:3");
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(
        simulation.world.record().history[0].cause,
        TransitionCause::Suspend
    );
    simulation.world.set_child("job/state", "running");
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(simulation.serving_image().as_deref(), Some("app:3"));
    assert_eq!(lineage(&simulation, Color::Green), [1, 2]);
}

// ADVANCED: suspending and resuming work as in BASIC.
#[test]
fn row_65_advanced_suspends_and_resumes() {
    let mut simulation = advanced();
    simulation.world.set_child("job/state", "suspended");
    simulation.settle(60);
    assert_eq!(
        condition(&simulation, "Available"),
        "False Suspended blue is suspended"
    );
    simulation.world.set_child("job/state", "running");
    simulation.settle(60);
    assert_eq!(condition(&simulation, "Available"), "True JobRunning blue serves");
    assert_eq!(lineage(&simulation, Color::Blue), [1]);
}
