//! `plan` against what the cluster has.

use serde_json::Value;

use crate::stage::{Stage, documents};

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_is_compared_with_what_the_cluster_has() {
    let stage = Stage::new().await;
    // A status whose record fits the specification, as the operator writes it.
    let mut document = documents("active").remove(0);
    let reconciled = serde_json::json!({ "spec": document["spec"] }).to_string();
    document["status"]["lastReconciledSpec"] = reconciled.into();
    let mut present = document.clone();
    stage.create(&mut present).await;

    let plan = |edit: &dyn Fn(&mut Value), more: &[&str]| {
        let mut edited = document.clone();
        edited["metadata"] = serde_json::json!({ "name": "orders" });
        edited.as_object_mut().unwrap().remove("status");
        edit(&mut edited);
        let file = stage.file("edited.json", &edited);
        let (code, stdout, stderr) = stage.run(&[&["plan", "-f", file.to_str().unwrap()], more].concat());
        (code, stdout + &stderr)
    };
    let label = |edited: &mut Value| edited["spec"]["template"]["spec"]["job"]["args"][1] = "v3".into();

    let (code, same) = plan(&|_| {}, &[]);
    assert_eq!(code, 0, "{same}");
    assert!(same.starts_with("orders: IGNORE\n"), "{same}");

    let (code, transition) = plan(&label, &[]);
    assert_eq!(code, 0);
    insta::assert_snapshot!("plan-transition", transition);

    // What the operator's own configuration says, the cluster does not tell.
    let manual = ["--default", "kubernetes.operator.bluegreen.promotion=MANUAL"];
    let (code, promoted) = plan(&label, &manual);
    assert_eq!(code, 0);
    assert!(
        promoted.contains("waits for a person to promote it"),
        "{promoted}"
    );
    assert!(!transition.contains("waits for a person"), "{transition}");

    let (code, first) = plan(
        &|edited| edited["metadata"]["name"] = "another".into(),
        &["-o", "json"],
    );
    assert_eq!(code, 0);
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(first[0]["kind"], "FIRST_DEPLOYMENT");

    let (code, refused) = plan(
        &|edited| edited["spec"]["template"]["spec"]["job"]["parallelism"] = 0.into(),
        &[],
    );
    assert_eq!(code, 1);
    assert!(refused.starts_with("orders: REFUSED\n"), "{refused}");

    // Nothing was changed by all this.
    let now = stage.api("FlinkBlueGreenDeployment").get("orders").await.unwrap();
    assert_eq!(now.metadata.generation, Some(1));
    assert_eq!(now.metadata.annotations, None);
}
