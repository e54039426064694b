//! What kind of change an edit is, as a table: FLIP-503's `FlinkBlueGreenDeploymentSpecDiff`, and what Sluice adds to it.

use serde_json::{Value, json};
use sluice_api::FlinkBlueGreenDeploymentSpec;
use sluice_core::bluegreen::diff::{self, DiffKind};

use crate::support::fixtures::resource_text;

/// Sets (or, with null, removes) what stands at a path of keys under `spec.template.spec`.
fn edited(edits: &[(&[&str], Value)]) -> FlinkBlueGreenDeploymentSpec {
    let mut spec = resource_text("savepoint")["spec"].clone();
    for (path, value) in edits {
        let mut place = &mut spec["template"]["spec"];
        let (last, before) = path.split_last().unwrap();
        for key in before {
            place = &mut place[*key];
        }
        if value.is_null() {
            place.as_object_mut().unwrap().remove(*last);
        } else {
            place[*last] = value.clone();
        }
    }
    serde_json::from_value(spec).unwrap()
}

type Edits = Vec<(&'static [&'static str], Value)>;

/// What an edit is called, what stood before, the edit itself, and what it is.
type Row = (&'static str, Edits, Edits, DiffKind);

#[expect(clippy::too_many_lines, reason = "a table")]
fn table() -> Vec<Row> {
    vec![
        ("nothing", vec![], vec![], DiffKind::Ignore),
        (
            "the image",
            vec![],
            vec![(&["image"], json!("app:2"))],
            DiffKind::Transition,
        ),
        (
            "the version",
            vec![],
            vec![(&["flinkVersion"], json!("v2_0"))],
            DiffKind::Transition,
        ),
        (
            "the parallelism",
            vec![],
            vec![(&["job", "parallelism"], json!(3))],
            DiffKind::Transition,
        ),
        (
            "the jar",
            vec![],
            vec![(&["job", "jarURI"], json!("local:///b.jar"))],
            DiffKind::Transition,
        ),
        (
            "the arguments",
            vec![],
            vec![(&["job", "args"], json!(["--a"]))],
            DiffKind::Transition,
        ),
        (
            "memory",
            vec![],
            vec![(&["taskManager", "resource", "memory"], json!("3g"))],
            DiffKind::Transition,
        ),
        (
            "a new nonce of restart",
            vec![],
            vec![(&["restartNonce"], json!(1))],
            DiffKind::Transition,
        ),
        (
            "a nonce of restart taken away",
            vec![(&["restartNonce"], json!(1))],
            vec![(&["restartNonce"], Value::Null)],
            DiffKind::Ignore,
        ),
        (
            "a field that no version knows",
            vec![],
            vec![(&["newField"], json!({ "a": 1 }))],
            DiffKind::Transition,
        ),
        (
            "a key of Flink's",
            vec![],
            vec![(
                &["flinkConfiguration", "taskmanager.numberOfTaskSlots"],
                json!("2"),
            )],
            DiffKind::Transition,
        ),
        (
            "a key of the operator's",
            vec![],
            vec![(
                &[
                    "flinkConfiguration",
                    "kubernetes.operator.savepoint.history.max.count",
                ],
                json!("3"),
            )],
            DiffKind::PatchChild,
        ),
        (
            "a key of the autoscaler's",
            vec![],
            vec![(&["flinkConfiguration", "job.autoscaler.enabled"], json!("true"))],
            DiffKind::PatchChild,
        ),
        (
            "the default parallelism",
            vec![],
            vec![(&["flinkConfiguration", "parallelism.default"], json!("4"))],
            DiffKind::PatchChild,
        ),
        (
            "the upgrade mode",
            vec![],
            vec![(&["job", "upgradeMode"], json!("stateless"))],
            DiffKind::PatchChild,
        ),
        (
            "the path to start from",
            vec![],
            vec![(&["job", "initialSavepointPath"], json!("s3://b/x"))],
            DiffKind::PatchChild,
        ),
        (
            "state that need not be restored",
            vec![],
            vec![(&["job", "allowNonRestoredState"], json!(true))],
            DiffKind::PatchChild,
        ),
        (
            "a savepoint on demand",
            vec![],
            vec![(&["job", "savepointTriggerNonce"], json!(7))],
            DiffKind::PatchChild,
        ),
        (
            "a checkpoint on demand",
            vec![],
            vec![(&["job", "checkpointTriggerNonce"], json!(7))],
            DiffKind::PatchChild,
        ),
        (
            "a reset autoscaler",
            vec![],
            vec![(&["job", "autoscalerResetNonce"], json!(7))],
            DiffKind::PatchChild,
        ),
        (
            "a field that is applied in place, and one that is not",
            vec![],
            vec![
                (&["job", "upgradeMode"], json!("stateless")),
                (&["image"], json!("app:2")),
            ],
            DiffKind::Transition,
        ),
        (
            "a redeployment",
            vec![],
            vec![
                (&["job", "initialSavepointPath"], json!("s3://b/x")),
                (&["job", "savepointRedeployNonce"], json!(1)),
            ],
            DiffKind::SavepointRedeploy,
        ),
        (
            "a redeployment with another image",
            vec![],
            vec![
                (&["job", "savepointRedeployNonce"], json!(1)),
                (&["image"], json!("app:2")),
            ],
            DiffKind::SavepointRedeploy,
        ),
        (
            "a nonce of redeployment taken away",
            vec![(&["job", "savepointRedeployNonce"], json!(1))],
            vec![(&["job", "savepointRedeployNonce"], Value::Null)],
            DiffKind::Ignore,
        ),
        (
            "suspended",
            vec![],
            vec![(&["job", "state"], json!("suspended"))],
            DiffKind::Suspend,
        ),
        (
            "suspended, with another image",
            vec![],
            vec![
                (&["job", "state"], json!("suspended")),
                (&["image"], json!("app:2")),
            ],
            DiffKind::Suspend,
        ),
        (
            "resumed, with a new nonce",
            vec![(&["job", "state"], json!("suspended"))],
            vec![
                (&["job", "state"], json!("running")),
                (&["job", "savepointRedeployNonce"], json!(1)),
            ],
            DiffKind::Resume,
        ),
        (
            "what is the default anyway",
            vec![],
            vec![(&["job", "state"], json!("running"))],
            DiffKind::Ignore,
        ),
    ]
}

#[test]
fn the_fields_of_the_table_decide() {
    for (what, before, edit, wanted) in table() {
        let after = [before.clone(), edit].concat();
        let found = diff::compare(&edited(&before), &edited(&after)).kind;
        assert_eq!(found, wanted, "{what}");
    }
}

// `{"a": {"b": 1}}` and `{"a.b": "1"}` are the same configuration.
#[test]
fn the_form_of_the_configuration_is_no_change() {
    let flat = edited(&[(&["flinkConfiguration"], json!({ "a.b": "1", "c": "true" }))]);
    let nested = edited(&[(&["flinkConfiguration"], json!({ "a": { "b": 1 }, "c": true }))]);
    assert_eq!(diff::compare(&flat, &nested).kind, DiffKind::Ignore);
}

// What is not of the child (Ingress, configuration of Sluice) deploys nothing.
#[test]
fn what_is_not_of_the_child_deploys_nothing() {
    let before = edited(&[]);
    let mut after = before.clone();
    after.configuration = Some(
        [(
            "kubernetes.operator.bluegreen.abort.grace-period".to_owned(),
            "1 h".to_owned(),
        )]
        .into(),
    );
    after.ingress = serde_json::from_value(json!({ "template": "{{name}}.example.com" })).unwrap();
    assert_eq!(diff::compare(&before, &after).kind, DiffKind::Ignore);
}

// People read which fields decided.
#[test]
fn each_changed_field_is_named_with_its_rule() {
    let before = edited(&[]);
    let after = edited(&[
        (&["image"], json!("app:2")),
        (&["job", "upgradeMode"], json!("last-state")),
        (&["flinkConfiguration", "job.autoscaler.enabled"], json!("true")),
    ]);
    let told: Vec<String> = diff::compare(&before, &after)
        .changes
        .iter()
        .map(|change| {
            format!(
                "{} {} -> {} {:?}",
                change.path, change.from, change.to, change.rule
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            r#"flinkConfiguration.job.autoscaler.enabled null -> "true" InPlace"#,
            r#"image "app:1" -> "app:2" NewDeployment"#,
            r#"job.upgradeMode "savepoint" -> "last-state" InPlace"#,
        ]
    );
}
