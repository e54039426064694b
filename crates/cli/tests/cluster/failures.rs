//! What goes wrong on the way to a cluster, each in a sentence that says what was asked.

use std::fs;

use serde_json::{Value, json};

use crate::stage::{Stage, told};

fn kubeconfig(stage: &Stage, name: &str, edit: impl FnOnce(&mut Value)) -> String {
    let text = fs::read_to_string(stage.plane.kubeconfig()).unwrap();
    let mut content: Value = serde_saphyr::from_str(&text).unwrap();
    edit(&mut content);
    stage.file(name, &content).to_str().unwrap().to_owned()
}

fn refused(stage: &Stage, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = told(&stage.bare().args(arguments).output().unwrap());
    assert_eq!((code, stdout.as_str()), (1, ""), "{arguments:?}: {stderr}");
    stderr
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_that_does_not_lead_anywhere_is_named() {
    let stage = Stage::new().await;
    let home = stage.home.path();
    assert_eq!(
        refused(&stage, &["get", "--context", "prod"]),
        "sluice: There is no kubeconfig, neither at $KUBECONFIG nor at ~/.kube/config: give --kubeconfig FILE.\n"
    );
    assert_eq!(
        refused(&stage, &["get", "--kubeconfig", "missing"]),
        "sluice: The kubeconfig missing cannot be read: No such file or directory (os error 2).\n"
    );
    fs::write(home.join("broken"), "clusters: [").unwrap();
    assert!(
        refused(&stage, &["get", "--kubeconfig", "broken"])
            .starts_with("sluice: The kubeconfig broken cannot be read: "),
    );
    let file = kubeconfig(&stage, "good", |_| {});
    assert_eq!(
        refused(&stage, &["get", "--kubeconfig", &file, "--context", "prod"]),
        format!("sluice: There is no context prod in the kubeconfig {file}; it has sluice.\n")
    );
    let file = kubeconfig(&stage, "aimless", |content| {
        content["current-context"] = "".into();
    });
    assert_eq!(
        refused(&stage, &["get", "--kubeconfig", &file]),
        format!(
            "sluice: The kubeconfig {file} has no current context: give --context NAME; it has sluice.\n"
        )
    );
    let file = kubeconfig(&stage, "torn", |content| content["clusters"] = json!([]));
    assert_eq!(
        refused(&stage, &["get", "--kubeconfig", &file]),
        format!(
            "sluice: The context sluice of the kubeconfig {file} cannot be used: it names a cluster sluice, which is not there.\n"
        )
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer_or_does_not_know_the_user_is_named() {
    let stage = Stage::new().await;
    // Nothing listens on port 1.
    let nowhere = "https://127.0.0.1:1";
    let file = kubeconfig(&stage, "dead", |content| {
        content["clusters"][0]["cluster"]["server"] = nowhere.into();
    });
    for arguments in [
        &["get"][..],
        &["watch", "orders"],
        &["status", "orders", "--wait"],
        &["abort", "orders"],
    ] {
        assert_eq!(
            refused(&stage, &[arguments, &["--kubeconfig", &file]].concat()),
            format!(
                "sluice: The API server {nowhere} of context sluice cannot be reached: Connection refused (os error 111).\nThe cluster was asked, context sluice ({nowhere}), namespace default.\n"
            )
        );
    }
    let file = kubeconfig(&stage, "stranger", |content| {
        content["users"][0]["user"] = json!({ "token": "expired" });
    });
    let said = refused(&stage, &["get", "--kubeconfig", &file]);
    assert!(
        said.contains("does not accept the credentials of context sluice (Unauthorized): log in again"),
        "{said}"
    );
    let file = kubeconfig(&stage, "helpless", |content| {
        content["users"][0]["user"] = json!({ "exec": { "apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login", "interactiveMode": "Never" } });
    });
    let said = refused(&stage, &["get", "--kubeconfig", &file]);
    assert!(
        said.starts_with("sluice: The credentials of context sluice cannot be had: no-such-login, which the kubeconfig names, cannot be run: No such file"),
        "{said}"
    );
    let file = kubeconfig(&stage, "mistrusting", |content| {
        let cluster = &mut content["clusters"][0]["cluster"];
        cluster.as_object_mut().unwrap().remove("certificate-authority");
        cluster["certificate-authority-data"] = Value::Null;
    });
    let said = refused(&stage, &["get", "--kubeconfig", &file]);
    assert!(
        said.contains("cannot be reached: invalid peer certificate"),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_named_with_its_namespace() {
    let stage = Stage::new().await;
    let namespace = &stage.namespace;
    let (code, _, stderr) = stage.run(&["describe", "orders"]);
    assert_eq!(code, 1);
    assert!(
        stderr.starts_with(&format!(
            "sluice: There is no FlinkBlueGreenDeployment or FlinkDeployment orders in the namespace {namespace}; `sluice get` and `sluice get flinkdep` list what there is.\nThe cluster was asked, context sluice ("
        )),
        "{stderr}"
    );
    let (code, _, stderr) = stage.run(&["get", "flinkdep/orders"]);
    assert_eq!(code, 1);
    assert!(
        stderr.starts_with(&format!(
            "sluice: There is no FlinkDeployment orders in the namespace {namespace}; `sluice get flinkdep -n {namespace}` lists what there is.\n"
        )),
        "{stderr}"
    );
    assert_eq!(stage.done(&["get"]), "No FlinkBlueGreenDeployments.\n");
    assert_eq!(stage.done(&["events"]), "No events.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_of_the_environment_does_not_stand_before_this_machine() {
    let stage = Stage::new().await;
    let through = |exceptions: &str, file: &str| {
        let mut command = stage.bare();
        command
            .env("HTTPS_PROXY", "http://127.0.0.1:1")
            .env("NO_PROXY", exceptions)
            .args(["get", "-n", &stage.namespace, "--kubeconfig", file]);
        told(&command.output().unwrap())
    };
    let admin = stage.plane.kubeconfig();
    let (code, _, stderr) = through("", admin.to_str().unwrap());
    assert_eq!(code, 0, "{stderr}");
    // Another machine is reached through it, but where NO_PROXY says otherwise.
    let far = kubeconfig(&stage, "far", |content| {
        content["clusters"][0]["cluster"]["server"] = "https://sluice.invalid:6443".into();
    });
    let (_, _, stderr) = through("", &far);
    assert!(stderr.contains("Connection refused"), "{stderr}");
    let (_, _, stderr) = through(".invalid", &far);
    assert!(!stderr.contains("Connection refused"), "{stderr}");
    assert!(stderr.contains("cannot be reached"), "{stderr}");
}
