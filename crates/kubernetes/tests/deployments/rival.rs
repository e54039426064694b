//! Another operator that writes the status of the same FlinkDeployment.

use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use kube::Api;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use sluice_api::metadata::ANNOTATION_RETRY;

use crate::life::{NAME, Story, configuration};

/// Whole seconds stand in the managed fields.
const SECOND: Duration = Duration::from_millis(1500);

impl Story {
    /// Replaces the status, as upstream's client does: without what it does not know.
    async fn write_as_upstream(&self, job: &str) {
        let parameters = PostParams {
            field_manager: Some("fabric8-kubernetes-client".to_owned()),
            ..PostParams::default()
        };
        loop {
            let mut object = self.resources().get(NAME).await.unwrap();
            object.data["status"] = json!({
                "lifecycleState": "STABLE", "jobManagerDeploymentStatus": "READY", "jobStatus": { "state": job },
                "reconciliationStatus": { "state": "DEPLOYED", "reconciliationTimestamp": 1 },
            });
            object.metadata.managed_fields = None;
            match self.resources().replace_status(NAME, &parameters, &object).await {
                Ok(_) => return,
                Err(kube::Error::Api(status)) if status.code == 409 => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// What was told of another operator.
    async fn told(&self) -> Vec<String> {
        let events: Api<Event> = Api::namespaced(self.node.client.clone(), &self.node.namespace);
        let events = events.list(&ListParams::default()).await.unwrap();
        let about = |event: &Event| event.reason.as_deref() == Some("AnotherOperator");
        let events = events.items.into_iter().filter(about);
        events.filter_map(|event| event.note).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_another_operator_writes_is_let_alone_until_a_person_says_so() {
    let story = Story::begin("rival").await;
    story.create(configuration()).await;
    story.stable(1).await;
    tokio::time::sleep(SECOND).await;

    // The other begins to write, and a user edits: Sluice says so, and does nothing.
    story.write_as_upstream("RUNNING").await;
    story.patch(json!({ "image": "flink:1.20.5" })).await;
    let other = story.resources().get(NAME).await.unwrap();
    for job in ["RECONCILING", "RUNNING", "RECONCILING", "RUNNING"] {
        tokio::time::sleep(SECOND).await;
        story.write_as_upstream(job).await;
    }
    tokio::time::sleep(SECOND).await;
    let now = story.resources().get(NAME).await.unwrap();
    assert_eq!(
        now.data["status"]["sluice"],
        Value::Null,
        "{}",
        story.operator.log()
    );
    assert_eq!(now.data["status"]["jobStatus"]["state"], "RUNNING");
    assert_eq!(now.metadata.generation, other.metadata.generation);
    assert_eq!(story.running().await.len(), 1);
    let told = story.told().await;
    let [sentence] = told.as_slice() else {
        panic!("told once: {told:?}");
    };
    assert!(
        sentence.starts_with("fabric8-kubernetes-client writes the status of this FlinkDeployment, too"),
        "{sentence}"
    );

    // The other is gone, and a person asks for it to be tried again.
    let asked = json!({ "metadata": { "annotations": { ANNOTATION_RETRY: "1" } } });
    let parameters = PatchParams {
        field_manager: Some("kubectl-annotate".to_owned()),
        ..PatchParams::default()
    };
    story
        .resources()
        .patch(NAME, &parameters, &Patch::Merge(&asked))
        .await
        .unwrap();
    story
        .until("Sluice's record", |object| {
            object["status"]["sluice"]["deployment"].is_number()
                && object["status"]["lifecycleState"] == "STABLE"
        })
        .await;
    assert_eq!(story.told().await.len(), 1);
}
