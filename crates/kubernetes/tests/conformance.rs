//! Every scenario of `e2e/conformance`, played by one operator process against the real API server.
//!
//! docs/conformance.md says what is played, and how to play one scenario by hand.

use std::fs::File;
use std::process::{Child, Command, Stdio};

use sluice_cluster::ControlPlane;
use sluice_conformance::{Options, Stage, report, scenario};

/// Ends with the test, however it ends.
struct Operator(Child);

impl Drop for Operator {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_scenario_is_played_as_it_is_written() {
    let plane = ControlPlane::shared().await.unwrap();
    plane.install_crds().await.unwrap();
    let scenarios = scenario::read_all(scenario::directory()).unwrap();
    let options = Options {
        at_once: 16,
        ..Options::default()
    };
    let stage = Stage::set(plane.client().await.unwrap(), scenarios, options)
        .await
        .unwrap();

    let log = std::env::temp_dir().join(format!("sluice-conformance-{}.log", std::process::id()));
    let file = File::create(&log).unwrap();
    let mut operator = Operator(
        Command::new(env!("CARGO_BIN_EXE_sluice-operator"))
            .arg("--kubeconfig")
            .arg(plane.kubeconfig())
            .arg("--watch-namespaces")
            .arg(stage.namespaces().join(","))
            .arg("--rest-address")
            .arg(format!("http://{}/{{namespace}}/{{name}}", stage.address()))
            .args(["--flink-deployments", "external"])
            .args(["--leader-election=false", "--listen", "127.0.0.1:0"])
            .stdout(Stdio::from(file.try_clone().unwrap()))
            .stderr(Stdio::from(file))
            .spawn()
            .unwrap(),
    );

    let outcomes = stage
        .play(|outcome| {
            if !outcome.passed() {
                println!("{}", outcome.story());
            }
        })
        .await;
    print!("{}", report::table(&outcomes));

    let failed: Vec<&str> = outcomes
        .iter()
        .filter(|outcome| !outcome.passed())
        .map(|outcome| outcome.scenario.as_str())
        .collect();
    let ended = operator.0.try_wait().unwrap();
    assert!(
        failed.is_empty() && ended.is_none(),
        "not as written: {failed:?}; the operator {}; its log is {}",
        ended.map_or("runs".to_owned(), |status| format!("ended: {status}")),
        log.display()
    );
    let _ = std::fs::remove_file(log);
}
