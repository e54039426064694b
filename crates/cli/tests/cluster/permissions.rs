//! What a person may do: the Roles of docs/command.md are enough, and without them the sentence says what is missing.

use std::fs;
use std::path::Path;

use k8s_openapi::api::rbac::v1::{Role, RoleBinding};
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use crate::stage::{Stage, documents, told};

/// The Roles in the documentation.
fn documented() -> Vec<Role> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command.md");
    let text = fs::read_to_string(file).unwrap();
    let (_, rest) = text.split_once("```yaml\n").unwrap();
    let (yaml, _) = rest.split_once("```").unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).unwrap();
    documents
        .into_iter()
        .map(|mut document| {
            // A reader writes another namespace there, too.
            document["metadata"]["namespace"].take();
            serde_json::from_value(document).unwrap()
        })
        .collect()
}

async fn bind(stage: &Stage, role: &Role, user: &str) {
    let name = role.metadata.name.clone().unwrap();
    let roles: Api<Role> = Api::namespaced(stage.client.clone(), &stage.namespace);
    roles.create(&PostParams::default(), role).await.unwrap();
    let binding: RoleBinding = serde_json::from_value(json!({
        "metadata": { "name": name },
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": name },
        "subjects": [{ "kind": "User", "name": user, "apiGroup": "rbac.authorization.k8s.io" }],
    }))
    .unwrap();
    let bindings: Api<RoleBinding> = Api::namespaced(stage.client.clone(), &stage.namespace);
    bindings.create(&PostParams::default(), &binding).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_roles_are_enough_and_what_lacks_is_named() {
    let stage = Stage::new().await;
    stage.put("active").await;
    let edited = documents("active").remove(0);
    let plan = stage.file(
        "edited.json",
        &json!({
            "apiVersion": edited["apiVersion"],
            "kind": edited["kind"],
            "metadata": { "name": "orders" },
            "spec": edited["spec"],
        }),
    );
    let user = format!("ann-{}", stage.namespace);
    let file = stage
        .plane
        .user_kubeconfig(&user, None, stage.home.path())
        .await
        .unwrap();
    let run = |arguments: &[&str]| {
        let mut command = stage.bare();
        command
            .args(arguments)
            .args(["-n", &stage.namespace, "--kubeconfig"])
            .arg(&file);
        let (code, stdout, stderr) = told(&command.output().unwrap());
        let steady = |text: &str| text.replace(&stage.namespace, "NAMESPACE");
        (code, stdout, steady(&stderr))
    };
    let reading: [&[&str]; 8] = [
        &["get"],
        &["get", "flinkdep"],
        &["describe", "orders"],
        &["history", "orders"],
        &["events", "orders"],
        &["status", "orders"],
        &["status", "orders", "--wait"],
        &["plan", "-f", plan.to_str().unwrap()],
    ];
    let mut sentences = String::new();
    for command in reading {
        let (code, stdout, stderr) = run(command);
        assert_eq!((code, stdout.as_str()), (1, ""), "{command:?}");
        sentences += stderr.lines().next().unwrap();
        sentences.push('\n');
    }

    let [viewer, operator] = documented().try_into().unwrap();
    bind(&stage, &viewer, &user).await;
    for command in reading {
        let (code, _, stderr) = run(command);
        assert_eq!((code, stderr.as_str()), (0, ""), "{command:?}");
    }
    let (code, _, stderr) = run(&["abort", "orders"]);
    assert_eq!(code, 1);
    sentences += stderr.lines().next().unwrap();
    insta::assert_snapshot!(sentences);

    bind(&stage, &operator, &user).await;
    let mut command = stage.bare();
    command
        .args(["abort", "orders", "-n", &stage.namespace, "--kubeconfig"])
        .arg(&file);
    let program = tokio::task::spawn_blocking(move || told(&command.output().unwrap()));
    crate::steering::acknowledge(&stage, "abort").await;
    let (code, _, stderr) = program.await.unwrap();
    assert_eq!((code, stderr.as_str()), (0, ""));
}
