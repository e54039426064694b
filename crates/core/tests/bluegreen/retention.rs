//! `savepoint.retention`: what is kept of the savepoints that transitions took, and what it costs to keep no more.

use sluice_core::Color;

use crate::support::fixtures::resource_text;
use crate::support::shell::Simulation;

/// A resource that keeps its last savepoint only, after its upgrades to these versions.
fn upgraded(versions: &[&str]) -> Simulation {
    let mut simulation = Simulation::new();
    simulation.world.create(&resource_text("savepoint"));
    simulation.world.configure("savepoint.retention", "1");
    simulation.settle(40);
    for version in versions {
        simulation.world.set_image(version);
        simulation.settle(60);
    }
    simulation
}

/// Which transitions' savepoints are listed.
fn listed(simulation: &Simulation) -> Vec<u64> {
    let record = simulation.world.record();
    record
        .savepoints
        .iter()
        .map(|savepoint| savepoint.transition)
        .collect()
}

/// The lines of the story from the given one on that hold the text.
fn lines<'a>(simulation: &'a Simulation, from: usize, text: &str) -> Vec<&'a String> {
    simulation.log[from..]
        .iter()
        .filter(|line| line.contains(text))
        .collect()
}

#[test]
fn the_savepoint_that_an_upgrade_makes_surplus_goes_with_the_end_of_that_upgrade() {
    let mut simulation = upgraded(&["app:2"]);
    let (statuses, line) = (simulation.statuses, simulation.log.len());
    simulation.world.set_image("app:3");
    assert_eq!(simulation.settle(60), Color::Blue);
    let with_disposal = simulation.statuses - statuses;

    assert_eq!(listed(&simulation), [3]);
    let told = lines(&simulation, line, "is disposed of");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("blue is active; savepoint "), "{told:?}");

    // No write more than an upgrade that makes none surplus.
    let mut first = upgraded(&[]);
    let statuses = first.statuses;
    first.world.set_image("app:2");
    first.settle(60);
    assert_eq!(first.statuses - statuses, with_disposal);
}

#[test]
fn a_jobmanager_that_cannot_dispose_of_a_savepoint_holds_up_no_upgrade() {
    let mut simulation = upgraded(&["app:2"]);
    simulation.world.refuse_disposals = Some("503 Service Unavailable".to_owned());
    simulation.world.set_image("app:3");
    assert_eq!(simulation.settle(60), Color::Blue);
    assert_eq!(
        listed(&simulation),
        [2, 3],
        "it is listed as long as nothing is known of it"
    );

    simulation.world.refuse_disposals = None;
    simulation.wait(60);
    assert_eq!(listed(&simulation), [3]);
}

#[test]
fn a_smaller_retention_disposes_of_what_is_there_without_an_upgrade() {
    let mut simulation = upgraded(&[]);
    simulation.world.configure("savepoint.retention", "3");
    for version in ["app:2", "app:3"] {
        simulation.world.set_image(version);
        simulation.settle(60);
    }
    assert_eq!(listed(&simulation), [2, 3]);
    simulation.world.configure("savepoint.retention", "1");
    simulation.wait(60);
    assert_eq!(listed(&simulation), [3]);
}
