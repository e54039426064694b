//! A user migrates: FlinkDeployment in, FlinkBlueGreenDeployment out, with comments, order and quotes as they were.
#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop at once, also in its helpers"
)]

use serde_json::Value;
use sluice_cli::convert::{ConvertError, Converted, convert};

fn plain(text: &str) -> Converted {
    convert(text, &[]).unwrap()
}

fn values(text: &str) -> Vec<Value> {
    serde_saphyr::from_multiple(text).unwrap()
}

const COMMENTED: &str = r#"# The orders job.
apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment   # operated by the data team
metadata:
  name: orders
  labels: {team: data}   # flow style stays
spec: # what runs
  # Keep in step with the image.
  flinkVersion: v1_20
  image: "registry/orders:1.4"

  flinkConfiguration:
    taskmanager.numberOfTaskSlots: '2'
# not indented on purpose
    state.savepoints.dir: s3://bucket/savepoints
  job:
    jarURI: local:///opt/flink/usrlib/orders.jar
    args: ["--topic",
      "orders"]
    upgradeMode: savepoint
  logConfiguration:
    log4j-console.properties: |
      # a comment of log4j, not of YAML
      rootLogger.level = INFO

        indented = yes
# The end.
"#;

#[test]
fn comments_order_quotes_and_block_texts_stay_as_they_were() {
    let converted = plain(COMMENTED);
    insta::assert_snapshot!(converted.text);
    let (before, after) = (values(COMMENTED), values(&converted.text));
    assert_eq!(after[0]["kind"], "FlinkBlueGreenDeployment");
    assert_eq!(after[0]["spec"]["template"]["spec"], before[0]["spec"]);
    assert_eq!(after[0]["metadata"], before[0]["metadata"]);
    assert!(converted.notes.is_empty(), "{:?}", converted.notes);
}

#[test]
fn settings_that_were_asked_for_stand_before_the_template() {
    let settings = [
        (
            "kubernetes.operator.bluegreen.abort.grace-period".to_owned(),
            "10 min".to_owned(),
        ),
        (
            "kubernetes.operator.bluegreen.promotion".to_owned(),
            "MANUAL".to_owned(),
        ),
    ];
    let text = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nspec:\n    job:\n        parallelism: 2\n";
    let converted = convert(text, &settings).unwrap();
    assert_eq!(
        converted.text,
        "apiVersion: flink.apache.org/v1beta1
kind: FlinkBlueGreenDeployment
spec:
    configuration:
        kubernetes.operator.bluegreen.abort.grace-period: \"10 min\"
        kubernetes.operator.bluegreen.promotion: \"MANUAL\"
    template:
        spec:
            job:
                parallelism: 2
"
    );
}

#[test]
fn in_a_file_of_several_documents_only_flink_deployments_change() {
    let text = "---
apiVersion: v1
kind: ServiceAccount
metadata: {name: flink}
---
apiVersion: flink.apache.org/v1beta1
kind: \"FlinkDeployment\"
metadata: {name: a}
spec: {job: {jarURI: 'local:///a.jar'}, # the job
  image: a}
--- # converted last week
apiVersion: flink.apache.org/v1beta1
kind: FlinkBlueGreenDeployment
metadata: {name: b}
spec: {template: {spec: {job: {}}}}
...
";
    let converted = plain(text);
    insta::assert_snapshot!(converted.text);
    insta::assert_snapshot!(converted.notes.join("\n"), @r"
    The document at line 2 (flink) is no FlinkDeployment of flink.apache.org/v1beta1 and stays as it is.
    The document at line 12 (b) is converted already and stays as it is.
    ");
    let (before, after) = (values(text), values(&converted.text));
    assert_eq!(after[0], before[0]);
    assert_eq!(after[1]["spec"]["template"]["spec"], before[1]["spec"]);
    assert_eq!(after[2], before[2]);
}

#[test]
fn converting_twice_changes_nothing() {
    let once = plain(COMMENTED).text;
    assert_eq!(plain(&once).text, once);
}

#[test]
fn what_kubectl_get_prints_loses_what_the_api_server_had_added() {
    let text = "apiVersion: flink.apache.org/v1beta1
kind: FlinkDeployment
metadata:
  creationTimestamp: \"2026-01-01T00:00:00Z\"
  generation: 4
  managedFields:
  - manager: kubectl
    operation: Apply
  name: orders
  resourceVersion: \"81\"
  uid: 0b0c
spec:
  job:
    jarURI: local:///a.jar
status:
  jobStatus:
    state: RUNNING
  lifecycleState: STABLE
";
    let converted = plain(text);
    assert_eq!(
        converted.text,
        "apiVersion: flink.apache.org/v1beta1
kind: FlinkBlueGreenDeployment
metadata:
  name: orders
spec:
  template:
    spec:
      job:
        jarURI: local:///a.jar
"
    );
    assert_eq!(converted.notes.len(), 1, "{:?}", converted.notes);
}

#[test]
fn json_comes_out_as_json() {
    let text = r#"{"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
  "metadata": {"name": "orders"}, "spec": {"job": {"parallelism": 2}}}"#;
    let after: Value = serde_json::from_str(&plain(text).text).unwrap();
    assert_eq!(after["spec"]["template"]["spec"]["job"]["parallelism"], 2);
    assert_eq!(after["kind"], "FlinkBlueGreenDeployment");
}

#[test]
fn a_specification_that_lines_do_not_show_is_written_anew_and_says_so() {
    let text = "base: &base\n  job: {parallelism: 3}\napiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\n? spec\n: *base\n";
    let converted = plain(text);
    assert_eq!(
        values(&converted.text)[0]["spec"]["template"]["spec"]["job"]["parallelism"],
        3
    );
    assert_eq!(
        converted.notes,
        ["The document at line 1 had to be written anew, so its comments are lost."]
    );
}

#[test]
fn line_ends_of_windows_stay() {
    let text = COMMENTED.replace('\n', "\r\n");
    let converted = plain(&text).text;
    assert!(converted.lines().count() > 20);
    assert_eq!(converted.replace("\r\n", "\n"), plain(COMMENTED).text);
    assert_eq!(converted.matches('\n').count(), converted.matches("\r\n").count());
}

#[test]
fn what_cannot_be_converted_is_refused_in_one_sentence() {
    let refused = |text: &str| convert(text, &[]).unwrap_err().to_string();
    let head = "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata:\n  name: x\n";
    insta::assert_snapshot!(refused(&format!("{head}spec:\n  image: flink\n")), @"The document at line 1 (x) is a session cluster (it has no spec.job), and blue/green upgrades a job: give it a job, or leave it a FlinkDeployment.");
    insta::assert_snapshot!(refused(&format!("{head}spec:\n\tjob: {{}}\n")), @"Line 6 is indented with a tab, which YAML does not allow: use spaces.");
    insta::assert_snapshot!(refused(head), @"The document at line 1 (x) has no spec, so there is nothing to put into a template.");
    insta::assert_snapshot!(refused("apiVersion: v1\nkind: List\nitems: []\n"), @"The document at line 1 is a List: give its items as documents of their own, separated by `---`.");
    insta::assert_snapshot!(refused("# nothing\n"), @"There is no FlinkDeployment in the file.");
    assert!(matches!(
        convert("kind: [", &[]),
        Err(ConvertError::Unreadable { .. })
    ));
}

#[test]
fn a_name_too_long_for_two_children_is_told() {
    let name = "a".repeat(40);
    let text = format!(
        "apiVersion: flink.apache.org/v1beta1\nkind: FlinkDeployment\nmetadata: {{name: {name}}}\nspec: {{job: {{}}}}\n"
    );
    let notes = plain(&text).notes;
    assert!(
        notes[0].contains("may have 39 characters, and this one has 40"),
        "{notes:?}"
    );
}
