//! The command as users and scripts call it: help, refusals, exit codes, pipes. Nothing here needs Flink.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop at once, also in its helpers"
)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn sluice(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sluice"));
    command
        .env_clear()
        .env("HOME", home)
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("COLUMNS", "100")
        .current_dir(home);
    command
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    told(&sluice(home.path()).args(arguments).output().unwrap())
}

fn told(output: &Output) -> (i32, String, String) {
    (
        output.status.code().unwrap_or(-1),
        String::from_utf8(output.stdout.clone()).unwrap(),
        String::from_utf8(output.stderr.clone()).unwrap(),
    )
}

fn with_input(arguments: &[&str], input: &str) -> (i32, String, String) {
    let home = tempfile::tempdir().unwrap();
    let mut child = sluice(home.path())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    told(&child.wait_with_output().unwrap())
}

const COMMANDS: [&[&str]; 22] = [
    &["local"],
    &["local", "up"],
    &["local", "down"],
    &["apply"],
    &["get"],
    &["describe"],
    &["watch"],
    &["status"],
    &["logs"],
    &["events"],
    &["history"],
    &["promote"],
    &["abort"],
    &["retry"],
    &["delete"],
    &["plan"],
    &["convert"],
    &["flink"],
    &["flink", "install"],
    &["flink", "list"],
    &["demo"],
    &["completions"],
];

#[test]
fn the_help_of_every_command_stays_as_it_was_reviewed() {
    let (code, all, _) = run(&["--help"]);
    assert_eq!(code, 0);
    insta::assert_snapshot!("help", all);
    for command in COMMANDS {
        let (code, help, _) = run(&[command, &["--help"]].concat());
        assert_eq!(code, 0, "{command:?}");
        insta::assert_snapshot!(format!("help-{}", command.join("-")), help);
    }
}

#[test]
fn every_command_that_does_something_has_examples_in_its_help() {
    for command in COMMANDS {
        let is_group = matches!(command, ["local" | "flink"]);
        let (_, help, _) = run(&[command, &["--help"]].concat());
        assert_eq!(help.contains("Examples:"), !is_group, "{command:?}");
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2() {
    for arguments in [
        &["gett"][..],
        &["apply"],
        &["status", "x", "--timeout", "soon"],
        &["get", "pods", "x"],
        &["get", "pods/x"],
        &["delete", "pods/x"],
        &["describe", "flinkdep/"],
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, stdout.as_str()), (2, ""), "{arguments:?}: {stderr}");
        assert!(!stderr.is_empty());
    }
}

#[test]
fn without_a_runner_there_is_one_sentence_and_exit_code_1() {
    for arguments in [
        &["get"][..],
        &["describe", "x"],
        &["watch", "x"],
        &["status", "x", "--wait"],
        &["promote", "x"],
        &["local", "down"],
    ] {
        let (code, stdout, stderr) = run(&[arguments, &["--directory", "/nowhere/at/all"]].concat());
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}");
        assert_eq!(
            stderr, "sluice: No runner is up on /nowhere/at/all; start one with `sluice local up`.\n",
            "{arguments:?}"
        );
    }
}

#[test]
fn a_file_that_is_not_there_or_no_yaml_is_named() {
    let (code, _, stderr) = run(&["apply", "-f", "missing.yaml"]);
    assert_eq!(code, 1);
    assert!(
        stderr.starts_with("sluice: missing.yaml cannot be read: No such file"),
        "{stderr}"
    );
    let (code, _, stderr) = with_input(&["apply", "-f", "-"], "a: [1\n");
    assert_eq!(code, 1);
    assert!(stderr.contains("standard input is not YAML"), "{stderr}");
}

#[test]
fn convert_works_in_a_pipe_and_keeps_remarks_off_the_result() {
    let input = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {name: a}\nspec:\n  job: {}\n  ingress: {template: x}\n";
    let (code, stdout, stderr) = with_input(
        &[
            "convert",
            "-f",
            "-",
            "--set",
            "kubernetes.operator.bluegreen.promotion=MANUAL",
        ],
        input,
    );
    assert_eq!(code, 0, "{stderr}");
    insta::assert_snapshot!(stdout, @r#"
    apiVersion: flink.apache.org/v1beta1
    kind: FlinkBlueGreenDeployment
    metadata: {name: a}
    spec:
      configuration:
        kubernetes.operator.bluegreen.promotion: "MANUAL"
      template:
        spec:
          job: {}
          ingress: {template: x}
    "#);
    assert!(
        stderr.starts_with("sluice: The document at line 1 (a): spec.template.spec.ingress makes"),
        "{stderr}"
    );
}

#[test]
fn a_session_cluster_is_refused_with_exit_code_1() {
    let (code, stdout, stderr) = with_input(
        &["convert", "-f", "-"],
        "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nspec: {}\n",
    );
    assert_eq!((code, stdout.as_str()), (1, ""));
    assert!(
        stderr.contains("standard input: The document at line 1 is a session cluster"),
        "{stderr}"
    );
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    let mut child = sluice(home.path())
        .args(["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let (code, _, stderr) = told(&child.wait_with_output().unwrap());
    assert_eq!((code, stderr.as_str()), (0, ""));
}

#[test]
fn completions_exist_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, stdout, _) = run(&["completions", shell]);
        assert_eq!(code, 0);
        assert!(stdout.contains("promote"), "{shell}");
    }
}

/// Edits of the example that users begin with, each decided by another rule.
#[test]
fn plan_says_without_a_runner_what_an_edit_would_do() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/basic.yaml");
    let text = std::fs::read_to_string(&example).unwrap();
    let plan = |edited: &str| {
        with_input(
            &["plan", "-f", "-", "--current", example.to_str().unwrap()],
            edited,
        )
    };

    let (code, ignored, _) = plan(&text.replace("grace-period: \"2 min\"", "grace-period: \"5 min\""));
    assert_eq!(code, 0);
    insta::assert_snapshot!("plan-ignore", ignored);

    let (code, patched, _) = plan(&text.replace("upgradeMode: savepoint", "upgradeMode: last-state"));
    assert_eq!(code, 0);
    insta::assert_snapshot!("plan-patch", patched);

    let (code, transition, _) = plan(
        &text
            .replace("- v1", "- v2")
            .replace("parallelism: 2", "parallelism: 4"),
    );
    assert_eq!(code, 0);
    insta::assert_snapshot!("plan-transition", transition);

    let (code, advanced, _) = plan(
        &text
            .replace("- v1", "- v2")
            .replace("transitionMode: BASIC", "transitionMode: ADVANCED"),
    );
    assert_eq!(code, 0);
    insta::assert_snapshot!("plan-advanced", advanced);

    // Edited into the same map as the grace period, as a user would.
    let (code, manual, _) = plan(&text.replace("- v1", "- v2").replace(
        "    kubernetes.operator.bluegreen.abort.grace-period:",
        "    kubernetes.operator.bluegreen.promotion: MANUAL\n    kubernetes.operator.bluegreen.abort.grace-period:",
    ));
    assert_eq!(code, 0);
    insta::assert_snapshot!("plan-manual", manual);

    let (code, first, _) = plan(&text.replace("name: ledger-basic", "name: another"));
    assert_eq!(code, 0);
    insta::assert_snapshot!("plan-first", first);

    let (code, refused, stderr) = plan(&text.replace("\"2 min\"", "\"soon\""));
    assert_eq!(code, 1);
    insta::assert_snapshot!("plan-refused", refused + &stderr);
}

#[test]
fn the_runner_goes_up_and_down_and_a_second_one_is_not_started() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("state");
    let sluice = |arguments: &[&str]| {
        told(
            &sluice(home.path())
                .args(arguments)
                .arg("--directory")
                .arg(&directory)
                .output()
                .unwrap(),
        )
    };
    let (code, stdout, stderr) = sluice(&["local", "up"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.starts_with("The runner is up on "), "{stdout}");
    let (code, stdout, _) = sluice(&["local", "up"]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with("The runner is up already on "), "{stdout}");
    assert_eq!(
        sluice(&["get"]),
        (0, "No FlinkBlueGreenDeployments.\n".to_owned(), String::new())
    );
    assert_eq!(sluice(&["get", "-o", "json"]).0, 0);
    assert_eq!(sluice(&["events"]).1, "No events.\n");
    let (code, _, stderr) = sluice(&["describe", "orders"]);
    assert_eq!(
        (code, stderr.as_str()),
        (
            1,
            "sluice: There is no FlinkBlueGreenDeployment or FlinkDeployment orders; `sluice get` and `sluice get flinkdep` list what there is.\n"
        )
    );
    let (code, stdout, stderr) = sluice(&["local", "down"]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.ends_with(" is down.\n"), "{stdout}");
    assert_eq!(sluice(&["local", "down"]).0, 1);
}

#[test]
fn a_watch_ends_with_its_resource_and_does_not_take_a_missing_runner_for_a_missing_resource() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("state");
    let sluice = |arguments: &[&str]| {
        let mut command = sluice(home.path());
        command.args(arguments).arg("--directory").arg(&directory);
        command
    };
    let done = |arguments: &[&str]| told(&sluice(arguments).output().unwrap());
    let (code, _, stderr) = done(&["local", "up"]);
    assert_eq!(code, 0, "{stderr}");
    // Suspended from the beginning, so that nothing has to be started.
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/basic.yaml");
    let text = std::fs::read_to_string(example).unwrap();
    let file = home.path().join("suspended.yaml");
    std::fs::write(
        &file,
        text.replace("      job:\n", "      job:\n        state: suspended\n"),
    )
    .unwrap();
    let watched_until = |end: &[&str]| {
        assert_eq!(done(&["apply", "-f", file.to_str().unwrap()]).0, 0);
        let watch = sluice(&["watch", "ledger-basic"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_secs(1));
        assert_eq!(done(end).0, 0);
        told(&watch.wait_with_output().unwrap())
    };

    let (code, stdout, stderr) = watched_until(&["delete", "ledger-basic"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(stdout.contains("ledger-basic INITIALIZING_BLUE | "), "{stdout}");
    assert!(stdout.ends_with("ledger-basic is gone.\n"), "{stdout}");

    let (code, stdout, stderr) = watched_until(&["local", "down"]);
    assert_eq!(code, 1, "{stdout}");
    assert!(!stdout.contains("is gone"), "{stdout}");
    assert!(
        stderr.starts_with("sluice: ") && stderr.contains("runner"),
        "{stderr}"
    );
}

#[test]
fn a_resource_of_either_kind_is_shown_and_deleted_by_its_name_and_a_child_goes_only_with_its_parent() {
    let home = tempfile::tempdir().unwrap();
    let directory = home.path().join("state");
    let sluice = |arguments: &[&str]| {
        let mut command = sluice(home.path());
        command.args(arguments).arg("--directory").arg(&directory);
        told(&command.output().unwrap())
    };
    let done = |arguments: &[&str]| {
        let (code, stdout, stderr) = sluice(arguments);
        assert_eq!(code, 0, "{arguments:?}: {stderr}");
        stdout
    };
    let refused = |arguments: &[&str]| {
        let (code, stdout, stderr) = sluice(arguments);
        assert_eq!(stdout, "", "{arguments:?}");
        (code, stderr)
    };
    done(&["local", "up"]);
    // Two of the same name. No Flink is installed in this home, so the child of the one comes and its job cannot.
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/basic.yaml");
    let text = std::fs::read_to_string(example).unwrap();
    let mut resource: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    resource["metadata"]["name"] = "orders".into();
    let mut plain = serde_json::json!({
        "apiVersion": resource["apiVersion"],
        "kind": "FlinkDeployment",
        "metadata": { "name": "orders" },
        "spec": resource["spec"]["template"]["spec"],
    });
    plain["spec"]["job"]["state"] = "suspended".into();
    let file = home.path().join("both.yaml");
    std::fs::write(&file, format!("{resource}\n---\n{plain}\n")).unwrap();
    done(&["apply", "-f", file.to_str().unwrap()]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !done(&["get", "flinkdep"]).contains("orders-blue") {
        assert!(std::time::Instant::now() < deadline, "no child came");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }

    let json = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&done(&[arguments, &["-o", "json"]].concat())).unwrap()
    };
    assert_eq!(json(&["get", "orders"])["kind"], "FlinkBlueGreenDeployment");
    assert_eq!(json(&["get", "orders-blue"])["kind"], "FlinkDeployment");
    assert_eq!(json(&["get", "flinkdep/orders"])["kind"], "FlinkDeployment");
    let described = json(&["describe", "orders"]);
    assert_eq!(described["object"]["metadata"]["name"], "orders");
    assert_eq!(described["children"][0]["metadata"]["name"], "orders-blue");
    let events = described["events"].as_array().unwrap();
    assert!(
        events.iter().any(|event| event["reason"] == "ChildCreated"),
        "{events:?}"
    );
    assert!(
        events
            .iter()
            .all(|event| event["kind"] == "FlinkBlueGreenDeployment"),
        "{events:?}"
    );
    assert_eq!(
        json(&["describe", "flinkdep/orders"])["object"]["kind"],
        "FlinkDeployment"
    );

    let (code, stderr) = refused(&["delete", "orders"]);
    assert_eq!(
        (code, stderr.as_str()),
        (
            2,
            "sluice: There are a FlinkBlueGreenDeployment and a FlinkDeployment orders: say which, flinkbgdep/orders or flinkdep/orders.\n"
        )
    );
    let (code, stderr) = refused(&["delete", "orders-blue"]);
    assert_eq!(
        (code, stderr.as_str()),
        (
            1,
            "sluice: FlinkDeployment orders-blue belongs to the FlinkBlueGreenDeployment orders, which would make it again: delete that, with `sluice delete flinkbgdep/orders`.\n"
        )
    );
    assert_eq!(
        done(&["delete", "flinkbgdep/orders", "--wait"]),
        "FlinkBlueGreenDeployment/orders deleted\n"
    );
    // The other of that name is left, and now the name is enough.
    assert_eq!(
        done(&["delete", "orders", "--wait"]),
        "FlinkDeployment/orders deleted\n"
    );
    assert_eq!(done(&["get", "flinkdep"]), "No FlinkDeployments.\n");
    done(&["local", "down"]);
}
