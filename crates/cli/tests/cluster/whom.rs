//! Whom a command asks: the runner of this machine, or a cluster.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::stage::{Stage, told};

/// The program under the name that kubectl looks for.
fn plugin(stage: &Stage) -> Command {
    let file = stage.home.path().join("kubectl-sluice");
    if !file.exists() {
        symlink(env!("CARGO_BIN_EXE_sluice"), &file).unwrap();
    }
    let mut command = Command::new(file);
    command
        .env_clear()
        .env("HOME", stage.home.path())
        .env("COLUMNS", "100")
        .current_dir(stage.home.path());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn without_options_the_runner_is_asked_where_it_has_a_directory_and_else_the_cluster() {
    let stage = Stage::new().await;
    let home = stage.home.path();
    let asked = |arguments: &[&str]| told(&stage.bare().args(arguments).output().unwrap());

    let (code, _, stderr) = asked(&["get"]);
    assert_eq!(code, 1);
    assert_eq!(
        stderr,
        format!(
            "sluice: No runner is up on {0}/.local/state/sluice; start one with `sluice local up`.\nThe runner of this machine was asked, {0}/.local/state/sluice, because there is no kubeconfig; --kubeconfig FILE asks a cluster.\n",
            home.display()
        )
    );

    fs::create_dir_all(home.join(".kube")).unwrap();
    fs::copy(stage.plane.kubeconfig(), home.join(".kube/config")).unwrap();
    let (code, stdout, stderr) = asked(&["get", "-n", &stage.namespace]);
    assert_eq!(
        (code, stdout.as_str(), stderr.as_str()),
        (0, "No FlinkBlueGreenDeployments.\n", "")
    );

    // Once a runner was started here, its commands never go to a cluster by themselves, whether it is up or not.
    fs::create_dir_all(home.join(".local/state/sluice")).unwrap();
    let (code, _, stderr) = asked(&["promote", "orders"]);
    assert_eq!(code, 1);
    assert!(
        stderr.ends_with("/.local/state/sluice; --context NAME asks a cluster.\n"),
        "{stderr}"
    );
    assert_eq!(
        asked(&["get", "-n", &stage.namespace, "--context", "sluice"]).0,
        0
    );
    let (code, _, stderr) = told(
        &plugin(&stage)
            .args(["get", "-n", &stage.namespace])
            .output()
            .unwrap(),
    );
    assert_eq!((code, stderr.as_str()), (0, ""));

    for arguments in [&["--local"][..], &["--directory", "/nowhere"]] {
        let (code, _, stderr) = asked(&[&["get", "--context", "sluice"], arguments].concat());
        assert_eq!(code, 2);
        assert!(stderr.contains("leave out one or the other"), "{stderr}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_namespace_is_that_of_the_context_as_with_kubectl() {
    let stage = Stage::new().await;
    stage.put("active").await;
    let directory = stage.home.path();
    // The context of a service account's kubeconfig names its namespace; the administrator's names none.
    let file = stage
        .plane
        .service_account_kubeconfig(&stage.namespace, "reader", directory)
        .await
        .unwrap();
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains(&stage.namespace));
    let (code, _, stderr) = told(
        &stage
            .bare()
            .args(["get", "--kubeconfig"])
            .arg(&file)
            .output()
            .unwrap(),
    );
    assert_eq!(code, 1);
    assert!(
        stderr.starts_with(&format!(
            "sluice: As system:serviceaccount:{0}:reader you may not list flinkbluegreendeployments.flink.apache.org in the namespace {0}; it takes a Role that allows it.\n",
            stage.namespace
        )),
        "{stderr}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_runner_does_points_at_kubectl() {
    let stage = Stage::new().await;
    let mut said = String::new();
    for arguments in [
        &["apply", "-f", "job.yaml"][..],
        &["delete", "orders"],
        &["logs", "orders"],
        &["logs", "orders", "--color", "green"],
        &["local", "up"],
        &["flink", "list"],
        &["demo"],
    ] {
        let named = [arguments, &["--context", "sluice", "-n", "flink"]].concat();
        let (code, stdout, stderr) = stage.run(&named);
        assert_eq!((code, stdout.as_str()), (2, ""), "{named:?}");
        said += &stderr;
        let (code, stdout, stderr) = told(&plugin(&stage).args(arguments).output().unwrap());
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}");
        said += &stderr;
    }
    insta::assert_snapshot!(said);
}

#[tokio::test(flavor = "multi_thread")]
async fn as_a_plugin_the_help_says_kubectl_sluice() {
    let stage = Stage::new().await;
    let help = |arguments: &[&str]| {
        let (code, stdout, stderr) = told(&plugin(&stage).args(arguments).output().unwrap());
        assert_eq!((code, stderr.as_str()), (0, ""), "{arguments:?}");
        stdout
    };
    insta::assert_snapshot!("plugin-help", help(&["--help"]));
    insta::assert_snapshot!("plugin-help-get", help(&["get", "--help"]));
    insta::assert_snapshot!("plugin-help-status", help(&["help", "status"]));
    assert_eq!(
        help(&["--version"]),
        stage.done(&["--version"]).replace("sluice", "kubectl-sluice")
    );
    for shell in ["bash", "zsh", "fish"] {
        let script = help(&["completions", shell]);
        assert!(
            script.contains("kubectl-sluice") && script.contains("promote"),
            "{shell}"
        );
    }
}
