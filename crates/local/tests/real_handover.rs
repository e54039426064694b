//! A handover at a cut in event time (ADVANCED, strategy WATERMARK) on real Flink, every record and every window counted.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of a test fail the test"
)]

mod support;

use std::time::Duration;

use support::ledger::{BOOT, World, active, all_of_it_once, status, upgrade};
use support::{eventually, flink_processes};

#[tokio::test]
async fn at_a_cut_in_event_time_nothing_is_lost_or_doubled_though_the_runner_is_killed() {
    let mut world = World::with_gates();
    let points = [
        "bluegreen/TriggerSavepoint/after",
        // STANDBY
        "bluegreen/WriteHandover/before",
        "bluegreen/WriteHandover/after",
        "bluegreen/CreateChild/after",
        // PREPARE, COMMIT
        "bluegreen/WriteHandover/before",
        "bluegreen/WriteHandover/after",
        "bluegreen/WriteHandover/before",
        "bluegreen/WriteHandover/after",
        "bluegreen/StopDrained/before",
        "bluegreen/StopDrained/after",
        // SEALED, STABLE
        "bluegreen/WriteHandover/before",
        "bluegreen/WriteHandover/after",
        "bluegreen/WriteHandover/after",
        "bluegreen/DeleteChild/after",
    ];
    let (_runner, client) = upgrade(&world, "ADVANCED", &points).await;
    let history = status(&client, "history").await.unwrap();
    let last = &history[0];
    println!("at a cut: {}", last["ledger"]);
    assert_eq!(last["guarantee"], "EXACTLY_ONCE_EXCEPT_LATE", "{last}");
    assert!(last["ledger"]["cut"].as_i64().unwrap() > 0, "{last}");

    // Both jobs die and come back from their last checkpoints: the gates go by the record.
    let before = flink_processes(&world.state());
    for pid in &before {
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status();
        assert!(killed.unwrap().success());
    }
    eventually("new processes", Duration::from_secs(30), async || {
        let now = flink_processes(&world.state());
        (now.len() == 2 && now.iter().all(|pid| !before.contains(pid))).then_some(())
    })
    .await;
    all_of_it_once(&mut world).await;
    let labels: std::collections::BTreeSet<String> = world.ledger().into_values().flatten().collect();
    assert_eq!(labels.len(), 2, "both versions have written: {labels:?}");
    let doubled: Vec<_> = world
        .windows()
        .into_iter()
        .filter(|(_, counted)| counted.len() > 1)
        .collect();
    assert!(doubled.is_empty(), "{doubled:?}");
    client.shutdown(true).await.unwrap();
    eventually("the end of every process", BOOT, async || {
        flink_processes(&world.state()).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn where_no_input_moves_the_job_is_stopped_with_a_savepoint_instead() {
    let mut world = World::with_gates();
    let mut runner = world.runner(None);
    let client = runner.client().await;
    client
        .apply(vec![world.resource("ADVANCED", "v1")])
        .await
        .unwrap();
    active(&client, "ACTIVE_BLUE").await;
    eventually("output of v1", BOOT, async || {
        (world.ledger().len() > 40).then_some(())
    })
    .await;
    world.feed.end();
    client
        .apply(vec![world.resource("ADVANCED", "v2")])
        .await
        .unwrap();
    active(&client, "ACTIVE_GREEN").await;
    let history = status(&client, "history").await.unwrap();
    assert_eq!(history[1]["outcome"], "ABORTED", "{history}");
    let why = history[1]["message"].as_str().unwrap();
    assert!(why.contains("no input moves"), "{why}");
    assert_eq!(history[0]["outcome"], "COMPLETED", "{history}");
    assert_eq!(history[0]["guarantee"], "EXACTLY_ONCE", "{history}");
    assert!(history[0]["pauseMilliseconds"].as_i64().unwrap() > 0, "{history}");
    all_of_it_once(&mut world).await;
    client.shutdown(true).await.unwrap();
    eventually("the end of every process", BOOT, async || {
        flink_processes(&world.state()).is_empty().then_some(())
    })
    .await;
}
