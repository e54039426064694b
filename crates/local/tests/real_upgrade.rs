//! Stateful upgrades of the ledger job on real Flink, the runner killed at every boundary between two writes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of a test fail the test"
)]

mod support;

use std::time::Duration;

use serde_json::json;
use sluice_local::store::Kind;
use support::ledger::{BOOT, World, all_of_it_once, status, upgrade};
use support::{Runner, eventually, flink_processes};

#[tokio::test]
async fn basic_mode_survives_a_kill_between_any_two_writes_with_one_savepoint_and_one_child() {
    let world = World::new();
    let points = [
        "bluegreen/status/before",
        "bluegreen/status/after",
        "bluegreen/TriggerSavepoint/before",
        "bluegreen/TriggerSavepoint/after",
        "bluegreen/CreateChild/before",
        "bluegreen/CreateChild/after",
        "lifecycle/AddFinalizer/after",
        "lifecycle/Deploy/before",
        "lifecycle/Deploy/after",
        "bluegreen/DeleteChild/before",
        "bluegreen/DeleteChild/after",
        "lifecycle/RemoveFinalizer/before",
    ];
    let (_runner, client) = upgrade(&world, "BASIC", &points).await;
    // The JobManager dies: noticed without asking it, and the job goes on from its last checkpoint.
    let before = flink_processes(&world.state());
    for pid in &before {
        assert!(
            std::process::Command::new("kill")
                .args(["-9", &pid.to_string()])
                .status()
                .unwrap()
                .success()
        );
    }
    eventually("new processes", Duration::from_secs(30), async || {
        let now = flink_processes(&world.state());
        (now.len() == 2 && now.iter().all(|pid| !before.contains(pid))).then_some(())
    })
    .await;
    let applied = eventually("output of v2", BOOT, async || {
        let lines = world.ledger();
        lines
            .values()
            .flatten()
            .any(|label| label == "v2")
            .then_some(lines.len())
    })
    .await;
    assert!(applied > 0);
    client.shutdown(true).await.unwrap();
    eventually("the end of every process", BOOT, async || {
        flink_processes(&world.state()).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn strategy_savepoint_loses_and_doubles_nothing_though_the_runner_is_killed() {
    let mut world = World::new();
    let points = [
        "bluegreen/ReplaceChild/before",
        "bluegreen/ReplaceChild/after",
        "lifecycle/StopWithSavepoint/after",
        "lifecycle/StopCluster/after",
        "bluegreen/CreateChild/after",
        "lifecycle/Deploy/after",
        "bluegreen/DeleteChild/after",
    ];
    let (_runner, client) = upgrade(&world, "ADVANCED", &points).await;
    all_of_it_once(&mut world).await;
    client.shutdown(true).await.unwrap();
    eventually("the end of every process", BOOT, async || {
        flink_processes(&world.state()).is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn with_the_agent_the_incoming_cluster_waits_and_nothing_is_lost_or_doubled_though_the_runner_is_killed()
 {
    let mut world = World::with_agent();
    let points = [
        "bluegreen/CreateChild/after",
        "lifecycle/Deploy/after",
        "bluegreen/ReplaceChild/before",
        "lifecycle/StopCluster/after",
        "bluegreen/WriteHandover/before",
        "bluegreen/WriteHandover/after",
        "bluegreen/DeleteChild/after",
    ];
    let (runner, client) = upgrade(&world, "ADVANCED", &points).await;
    assert!(
        runner.log().contains("WriteHandover"),
        "the job was started by its being named"
    );
    let history = status(&client, "history").await.unwrap();
    println!(
        "with the agent: paused for {} ms",
        history[0]["pauseMilliseconds"]
    );

    // The job that waited dies, and goes on from its last checkpoint, not from the savepoint that it began with.
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
    client.shutdown(true).await.unwrap();
    eventually("the end of every process", BOOT, async || {
        flink_processes(&world.state()).is_empty().then_some(())
    })
    .await;
}

/// What the demo and every user with a typing error in the job's arguments meets.
#[tokio::test]
async fn a_version_whose_main_method_fails_is_given_up_with_its_own_words() {
    let world = World::new();
    let mut runner = Runner::start(&world.state(), None);
    let client = runner.client().await;
    let mut resource = world.resource("BASIC", "v1");
    resource["spec"]["configuration"]["kubernetes.operator.bluegreen.abort.grace-period"] = json!("60 s");
    let arguments = resource.pointer_mut("/spec/template/spec/job/args").unwrap();
    arguments.as_array_mut().unwrap().push(json!("--fail-at-start"));
    client.apply(vec![resource]).await.unwrap();

    let words = "This version cannot start, as --fail-at-start asks.";
    let child = eventually("the failure", Duration::from_secs(50), async || {
        let child = client
            .get(Kind::FlinkDeployment, "default", "ledger-blue")
            .await
            .ok()?;
        (child.pointer("/status/jobStatus/state")? == "FAILED").then_some(child)
    })
    .await;
    let error = child.pointer("/status/error").unwrap().as_str().unwrap();
    assert!(error.contains(words), "{error}");
    let error = eventually("the abort", BOOT, async || {
        let status = status(&client, "failed/message").await?;
        Some(status.as_str()?.to_owned())
    })
    .await;
    assert!(error.contains(words), "{error}");
    client.shutdown(true).await.unwrap();
    eventually("the end of every process", BOOT, async || {
        flink_processes(&world.state()).is_empty().then_some(())
    })
    .await;
}
