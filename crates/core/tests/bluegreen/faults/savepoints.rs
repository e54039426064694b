//! Savepoints: asked for once, waited for with a deadline, never another one's.

use sluice_core::Color;

use super::{active, active_green, condition, error, lineage, told};
use crate::support::flink::SavepointBehaviour;
use crate::support::shell::Fault;

// The trigger id is stored first, so a second request is the same savepoint.
#[test]
fn u13_row_01_a_crash_after_the_request_takes_no_second_savepoint() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    // The status that names it, then the request itself.
    simulation
        .faults
        .insert(simulation.requests + 2, Fault::CrashAfter);
    simulation.settle(60);
    assert_eq!(told(&simulation, "operator dies"), 1);
    assert_eq!(simulation.world.begun.values().copied().collect::<Vec<_>>(), [1]);
    assert_eq!(lineage(&simulation, Color::Green), [1, 2]);
}

// A refused status write: read again, the same intent.
#[test]
fn row_02_a_conflict_on_the_status_ends_in_one_savepoint() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.faults.insert(simulation.requests + 1, Fault::Refused);
    simulation.faults.insert(simulation.requests + 3, Fault::Refused);
    simulation.settle(60);
    assert_eq!(simulation.world.begun.len(), 1);
    assert_eq!(simulation.world.created, [1, 2]);
}

// The id has expired with the JobManager, but the savepoint stands in its own directory: it is found there.
#[test]
fn row_03_a_finished_savepoint_is_found_by_its_directory() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.unknown.insert("savepoint");
    simulation.wait(20);
    simulation.world.restart_job_manager(Color::Blue);
    simulation.world.unknown.clear();
    simulation.settle(60);
    assert_eq!(simulation.world.begun.values().copied().collect::<Vec<_>>(), [1]);
    assert_eq!(lineage(&simulation, Color::Green), [1, 2]);
}

// A JobManager that restarted does not know the id: the same request is sent again.
#[test]
fn row_04_a_jobmanager_that_forgot_the_request_is_asked_again_with_the_same_id() {
    let mut simulation = active("savepoint");
    simulation.world.savepoints = SavepointBehaviour::Hang;
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.wait(10);
    simulation.world.savepoints = SavepointBehaviour::Work;
    simulation.world.restart_job_manager(Color::Blue);
    simulation.settle(60);
    assert_eq!(
        simulation.world.begun.len(),
        1,
        "one id, asked for at two JobManagers"
    );
    assert_eq!(simulation.world.settled_on(), Some(Color::Green));
}

// A glitch while polling is no answer: it goes on being waited for.
#[test]
fn r07_row_05_a_glitch_while_polling_is_not_done() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.unknown.insert("savepoint");
    simulation.wait(30);
    assert_eq!(simulation.step(), Some("Savepointing"));
    simulation.world.unknown.clear();
    simulation.world.changed = true;
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(lineage(&simulation, Color::Green), [1, 2]);
}

// COMPLETED without a path is a failed attempt: it is said, and tried again three times at most.
#[test]
fn row_06_complete_without_a_path_is_a_failed_attempt() {
    let mut simulation = active("savepoint");
    simulation.world.savepoints = SavepointBehaviour::WithoutLocation;
    simulation.world.set_image("app:2");
    simulation.settle(60);
    assert_eq!(simulation.world.begun.len(), 3);
    assert!(
        error(&simulation).contains("without saying where it is"),
        "{}",
        error(&simulation)
    );
    assert_eq!(simulation.world.created, [1]);
}

// A savepoint that never ends: the deadline, then the abort; the active job is untouched.
#[test]
fn u09_row_07_a_savepoint_that_never_ends_aborts_at_its_deadline() {
    let mut simulation = active("savepoint");
    let before = simulation.world.child(Color::Blue).cloned();
    simulation.world.savepoints = SavepointBehaviour::Hang;
    simulation.world.set_image("app:2");
    simulation.wait(90);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    assert!(
        error(&simulation).contains("was not finished by"),
        "{}",
        error(&simulation)
    );
    assert_eq!(simulation.world.child(Color::Blue).cloned(), before);
}

// A refused request is tried again within the deadline, and needs no event to be.
#[test]
fn row_08_a_refused_request_is_tried_again() {
    let mut simulation = active("savepoint");
    simulation.world.savepoints = SavepointBehaviour::Refused;
    simulation.world.set_image("app:2");
    simulation.wait(20);
    assert_eq!(simulation.step(), Some("Savepointing"));
    simulation.world.savepoints = SavepointBehaviour::Work;
    assert_eq!(simulation.settle(60), Color::Green);
}

// Refused to the end: the words of the refusal stand in the status.
#[test]
fn row_08_what_refused_the_request_is_quoted() {
    let mut simulation = active("savepoint");
    simulation.world.savepoints = SavepointBehaviour::Refused;
    simulation.world.set_image("app:2");
    simulation.wait(90);
    assert!(
        error(&simulation).contains("503 Service Unavailable"),
        "{}",
        error(&simulation)
    );
}

// No savepoint directory: refused before anything is done.
#[test]
fn row_09_no_savepoint_directory_is_refused_before_anything_is_done() {
    let mut simulation = active("stateless");
    simulation.world.set_child("job/upgradeMode", "savepoint");
    simulation
        .world
        .set_child("flinkConfiguration", serde_json::json!({}));
    simulation.world.set_image("app:2");
    let writes = simulation.world.created.len();
    simulation.wait(60);
    assert_eq!(simulation.world.created.len(), writes);
    assert!(condition(&simulation, "SpecValid").contains("execution.checkpointing.savepoint-dir"));
    assert_eq!(simulation.serving_image().as_deref(), Some("app:1"));
}

// After an abort the old trigger id is never asked about again, though the JobManager has forgotten it.
#[test]
fn u06_a_stale_trigger_id_does_not_stop_later_transitions() {
    let mut simulation = active("savepoint");
    simulation.world.savepoints = SavepointBehaviour::Hang;
    simulation.world.set_image("app:2");
    simulation.wait(90);
    assert_eq!(simulation.world.status().savepoint_trigger_id, None);
    simulation.world.restart_job_manager(Color::Blue);
    simulation.world.savepoints = SavepointBehaviour::Work;
    simulation.world.set_image("app:3");
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(lineage(&simulation, Color::Green), [1, 3]);
}

// An edit and its revert while SAVEPOINTING: the savepoint is of no more use, the next edit takes its own.
#[test]
fn r06_row_40_after_a_revert_the_next_edit_takes_its_own_savepoint() {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.set_image("app:1");
    simulation.settle(60);
    assert_eq!(simulation.world.settled_on(), Some(Color::Blue));
    assert_eq!(simulation.world.created, [1]);
    simulation.world.set_image("app:3");
    simulation.settle(60);
    let restored = simulation
        .world
        .cluster(Color::Green)
        .unwrap()
        .started_from
        .clone();
    assert_eq!(restored.as_deref(), Some("s3://b/sp/u-app/3-1/savepoint-1"));
}

// The savepoints taken for transitions are listed, and the surplus is disposed of, never the one in use.
#[test]
fn u12_savepoints_are_listed_and_disposed_of() {
    let mut simulation = active("savepoint");
    for number in 2..8 {
        simulation.world.set_image(&format!("app:{number}"));
        simulation.settle(60);
    }
    simulation.quiet_within(20);
    let listed: Vec<String> = simulation
        .world
        .record()
        .savepoints
        .into_iter()
        .map(|one| one.path)
        .collect();
    assert_eq!(
        listed,
        [5, 6, 7].map(|number| format!("s3://b/sp/u-app/{number}-1/savepoint-1"))
    );
    assert!(
        !simulation
            .world
            .states
            .contains_key("s3://b/sp/u-app/2-1/savepoint-1")
    );
    assert!(
        simulation
            .world
            .states
            .contains_key("s3://b/sp/u-app/7-1/savepoint-1")
    );
}

// `file:` inside a path is part of the path.
#[test]
fn r13_row_62_a_path_goes_to_the_child_as_the_user_wrote_it() {
    let mut simulation = active_green("savepoint");
    let path = "s3://b/profile:x";
    simulation
        .world
        .states
        .insert(path.to_owned(), crate::support::flink::Lineage(vec![1000]));
    simulation.world.set_child("job/initialSavepointPath", path);
    simulation.world.set_child("job/savepointRedeployNonce", 1);
    simulation.settle(60);
    assert_eq!(
        simulation
            .world
            .cluster(Color::Blue)
            .unwrap()
            .started_from
            .as_deref(),
        Some(path)
    );
}

// The active child is deleted while its savepoint is awaited: nothing comes of that savepoint any more. The child comes back
// at once, from its last checkpoint, and then the edit is made after all.
#[test]
fn row_25_without_its_child_a_savepoint_is_given_up_at_once_and_the_edit_comes_after() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.configure("savepoint.timeout", "1 h");
    simulation.world.savepoints = SavepointBehaviour::Hang;
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.delete_child(Color::Blue);
    simulation.world.savepoints = SavepointBehaviour::Work;
    simulation.tick();
    simulation.tick();
    let started = simulation.world.cluster(Color::Blue).unwrap();
    assert_eq!(started.lineage.0, [1, 3]);
    assert!(started.started_from.as_ref().unwrap().contains("/chk/"));
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(simulation.world.created, [1, 3, 4]);
    assert_eq!(lineage(&simulation, Color::Green), [1, 3, 4]);
    assert_eq!(simulation.serving_image().as_deref(), Some("app:2"));
    assert_eq!(told(&simulation, "blue was deleted while a savepoint of it"), 1);
}

// The savepoint was complete before its child went, though nobody had heard of it: it is the newest state, and is used.
#[test]
fn row_25_a_savepoint_that_was_complete_before_its_child_went_is_used() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.unknown.insert("savepoint");
    simulation.wait(20);
    simulation.world.delete_child(Color::Blue);
    simulation.world.unknown.clear();
    assert_eq!(simulation.settle(60), Color::Green);
    assert!(simulation.world.child(Color::Blue).is_none());
    let started = simulation.world.cluster(Color::Green).unwrap();
    assert_eq!(
        started.started_from.as_deref(),
        Some("s3://b/sp/u-app/2-1/savepoint-1")
    );
    assert_eq!(simulation.world.created, [1, 2]);
}

// That the child cannot be read does not make it absent: the savepoint goes on being awaited.
#[test]
fn row_25_while_the_child_cannot_be_read_its_savepoint_is_awaited() {
    let mut simulation = active("savepoint");
    simulation.world.configure("savepoint.timeout", "1 h");
    simulation.world.savepoints = SavepointBehaviour::Hang;
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.unknown.insert("blue");
    simulation.wait(300);
    assert_eq!(simulation.step(), Some("Savepointing"));
    assert_eq!(simulation.world.created, [1]);
}

// Nothing is known that the child could come back from: a person is asked, and the edit is not made from nothing.
#[test]
fn row_25_a_child_that_went_without_any_state_is_not_replaced_from_nothing() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.configure("savepoint.timeout", "1 h");
    simulation.world.savepoints = SavepointBehaviour::Hang;
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.delete_child(Color::Blue);
    simulation.world.retained.clear();
    simulation.wait(60);
    assert_eq!(simulation.world.created, [1]);
    assert!(
        error(&simulation).contains("savepointRedeployNonce"),
        "{}",
        error(&simulation)
    );
    assert!(simulation.world.record().failed.is_none());
}

// The child is still terminating when the savepoint is late: the edit is not to blame, and is made once the child is back.
#[test]
fn row_25_row_29_an_edit_is_not_set_aside_because_its_active_child_is_going() {
    let mut simulation = active("savepoint");
    simulation.hand_deleted = true;
    simulation.world.savepoints = SavepointBehaviour::Hang;
    simulation.world.stuck_finalizers.insert("app-blue".to_owned());
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.delete_child(Color::Blue);
    simulation.wait(120);
    assert_eq!(simulation.world.created, [1]);
    simulation.world.savepoints = SavepointBehaviour::Work;
    simulation.world.stuck_finalizers.clear();
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(simulation.serving_image().as_deref(), Some("app:2"));
    assert_eq!(lineage(&simulation, Color::Green)[..1], [1]);
}

// The active job was made without state, and the edit asks for its state: deleted meanwhile, it does not come back empty.
#[test]
fn row_25_a_stateless_job_comes_back_with_the_state_that_an_edit_asks_for() {
    let mut simulation = active("stateless");
    simulation.hand_deleted = true;
    simulation.world.savepoints = SavepointBehaviour::Hang;
    simulation.world.set_child("job/upgradeMode", "savepoint");
    simulation.world.set_image("app:2");
    simulation.until_step("Savepointing");
    simulation.world.delete_child(Color::Blue);
    simulation.world.savepoints = SavepointBehaviour::Work;
    assert_eq!(simulation.settle(60), Color::Green);
    assert_eq!(lineage(&simulation, Color::Green), [1, 3, 4]);
}
