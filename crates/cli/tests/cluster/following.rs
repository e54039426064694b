//! `watch` and `status --wait` on a cluster.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::json;
use sluice_cluster::ControlPlane;

use crate::stage::Stage;

/// How long a change may take until it is seen; it takes milliseconds.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program that runs; it ends with its test, also with one that fails.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _has_ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

/// The program, and the lines that it prints as they come.
fn follow(stage: &Stage, arguments: &[&str]) -> (Program, Receiver<String>) {
    let mut program = stage
        .sluice()
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = program.stdout.take().unwrap();
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let _nobody_listens_any_more = sender.send(line.unwrap());
        }
    });
    (Program(program), lines)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_shows_every_change_of_the_resource_and_its_children_and_ends_with_it() {
    let stage = Stage::new().await;
    stage.put("transitioning").await;
    let (mut program, lines) = follow(&stage, &["watch", "orders"]);
    let line = || stage.steady(&lines.recv_timeout(PATIENCE).unwrap());
    insta::assert_snapshot!(line(), @"TIME orders TRANSITIONING_TO_GREEN | transition 2 blue -> green Deploying: waits for green to be RUNNING and STABLE until TIME suspending waits until the transition is over | blue RUNNING STABLE green RESTARTING DEPLOYED");
    let running = json!({ "status": { "jobStatus": { "state": "RUNNING" }, "lifecycleState": "STABLE", "error": null } });
    stage
        .set_status("FlinkDeployment", "orders-green", &running)
        .await;
    insta::assert_snapshot!(line(), @"TIME orders TRANSITIONING_TO_GREEN | transition 2 blue -> green Deploying: waits for green to be RUNNING and STABLE until TIME suspending waits until the transition is over | blue RUNNING STABLE green RUNNING STABLE");
    stage.become_as("active").await;
    insta::assert_snapshot!(line(), @"TIME orders ACTIVE_GREEN | settled | blue RUNNING STABLE green RUNNING STABLE");
    stage.delete("FlinkBlueGreenDeployment", "orders").await;
    assert_eq!(line(), "orders is gone.\n");
    assert_eq!(program.0.wait().unwrap().code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn as_long_as_nothing_changes_a_watch_asks_for_nothing() {
    let stage = Stage::new().await;
    stage.put("active").await;
    let (program, lines) = follow(&stage, &["watch", "orders"]);
    lines.recv_timeout(PATIENCE).unwrap();
    let begun = Instant::now();
    loop {
        let audit = stage.plane.audit().await.unwrap();
        // Longer than the view's own tick.
        tokio::time::sleep(Duration::from_secs(3)).await;
        let requests = audit.requests().await.unwrap().in_namespace(&stage.namespace);
        if requests.is_empty() {
            break;
        }
        // On a busy machine what it begins with may not all have been asked when it has shown its first line.
        assert!(begun.elapsed() < PATIENCE, "{}", requests.counts());
    }
    drop(program);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_waits_until_a_resource_is_as_wanted() {
    let stage = Stage::new().await;
    stage.put("transitioning").await;
    let (mut program, lines) = follow(&stage, &["status", "orders", "--wait", "--timeout", "30s"]);
    // It has not been decided yet.
    assert!(lines.recv_timeout(Duration::from_secs(1)).is_err());
    assert_eq!(program.0.try_wait().unwrap(), None);
    stage.become_as("active").await;
    assert_eq!(lines.recv_timeout(PATIENCE).unwrap(), "orders is ACTIVE_GREEN.");
    assert_eq!(program.0.wait().unwrap().code(), Some(0));

    stage.become_as("transitioning").await;
    let (code, _, stderr) = stage.run(&["status", "orders", "--wait", "--timeout", "1s"]);
    assert_eq!(code, 4);
    assert!(
        stderr.starts_with("sluice: The time is up. orders is "),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_outlives_the_api_server_and_says_so_where_there_are_no_definitions() {
    let stage = Stage::on(ControlPlane::private().await.unwrap()).await;
    for arguments in [
        &["get"][..],
        &["describe", "orders"],
        &["watch", "orders"],
        &["abort", "orders"],
    ] {
        let (code, _, stderr) = stage.run(arguments);
        assert_eq!(code, 1, "{arguments:?}");
        assert!(
            stderr.starts_with("sluice: The cluster of context sluice does not know FlinkBlueGreenDeployment: its CustomResourceDefinition is not installed there.\n"),
            "{arguments:?}: {stderr}"
        );
    }
    stage.plane.install_crds().await.unwrap();
    stage.put("transitioning").await;
    let (mut program, lines) = follow(&stage, &["watch", "orders"]);
    assert!(
        lines
            .recv_timeout(PATIENCE)
            .unwrap()
            .contains("TRANSITIONING_TO_GREEN")
    );
    stage.plane.restart_api_server().await.unwrap();
    assert_eq!(program.0.try_wait().unwrap(), None);
    stage.become_as("active").await;
    let line = lines.recv_timeout(Duration::from_mins(1)).unwrap();
    assert!(line.contains("ACTIVE_GREEN"), "{line}");
    stage.delete("FlinkBlueGreenDeployment", "orders").await;
    assert_eq!(lines.recv_timeout(PATIENCE).unwrap(), "orders is gone.");
    assert_eq!(program.0.wait().unwrap().code(), Some(0));
}
