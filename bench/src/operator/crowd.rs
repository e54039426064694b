//! Many resources that have been settled for long: copies of one that the operator itself brought there.
//!
//! Each has an active child, and a second one that an abort has left. Copies are made while no operator runs, statuses and
//! all, so that there is nothing to be done when one starts; that it writes nothing then is checked.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::Client;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Map, Value, json};

use super::kinds::{blue_green, deployments, text};
use super::sight::Sight;
use super::stage::Stage;
use super::transition::{PATIENCE, RESOURCE, settled};

/// How many are made at a time.
const AT_ONCE: usize = 12;
/// How long a settled resource must be left alone before it is copied.
const QUIET: Duration = Duration::from_secs(3);

/// One resource and its children, as JSON in text.
pub(super) struct Template {
    namespace: String,
    resource: Value,
    children: Vec<Value>,
}

/// The bytes of the resource and of the larger child, as JSON, without the managed fields.
pub(super) struct Sizes {
    pub(super) resource: usize,
    pub(super) child: usize,
}

impl Template {
    /// Lets the operator bring the scene `template` to where an edit has failed and its child is kept.
    pub(super) async fn make(stage: &Stage) -> Result<Self> {
        let namespace = stage.namespace("template")?;
        let sight = Sight::of(&stage.client, namespace);
        settled(&sight).await?;
        let edit = json!({ "spec": {
            "configuration": { "kubernetes.operator.bluegreen.abort.grace-period": "3 s" },
            "template": { "spec": { "image": "orders:2" } }
        } });
        blue_green(&stage.client, namespace)
            .patch(RESOURCE, &PatchParams::default(), &Patch::Merge(&edit))
            .await?;
        let aborted = sight.until("the abort", PATIENCE, |seen| {
            let status = seen.resource.get("status")?;
            (seen.state() == "ACTIVE_BLUE" && status.get("kept").is_some()).then_some(())
        });
        aborted.await?;
        tokio::time::sleep(QUIET).await;
        let mut seen = sight.now();
        let mut children: Vec<Value> = seen.children.into_values().map(|child| child.object).collect();
        ensure!(
            children.len() == 2,
            "the template has {} children",
            children.len()
        );
        for object in children.iter_mut().chain([&mut seen.resource]) {
            if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
                metadata.remove("managedFields");
            }
        }
        Ok(Self {
            namespace: namespace.to_owned(),
            resource: seen.resource,
            children,
        })
    }

    /// How large the copies are.
    pub(super) fn sizes(&self) -> Sizes {
        let child = self.children.iter().map(|child| child.to_string().len()).max();
        Sizes {
            resource: self.resource.to_string().len(),
            child: child.unwrap_or_default(),
        }
    }

    /// Makes copies with these numbers. Returns how long that took.
    pub(super) async fn copy(
        &self,
        client: &Client,
        namespace: &str,
        numbers: std::ops::Range<usize>,
    ) -> Result<Duration> {
        let began = Instant::now();
        futures::stream::iter(numbers)
            .map(|number| self.copy_one(client, namespace, number))
            .buffer_unordered(AT_ONCE)
            .try_collect::<()>()
            .await?;
        Ok(began.elapsed())
    }

    async fn copy_one(&self, client: &Client, namespace: &str, number: usize) -> Result<()> {
        let name = format!("orders-of-customer-{number:05}");
        let mut renames = vec![
            (self.namespace.clone(), namespace.to_owned()),
            (format!("{RESOURCE}-blue"), format!("{name}-blue")),
            (format!("{RESOURCE}-green"), format!("{name}-green")),
            (format!("\"{RESOURCE}\""), format!("\"{name}\"")),
        ];
        let resources = blue_green(client, namespace);
        let copied = renamed(&self.resource, &renames)?;
        let created = resources
            .create(&PostParams::default(), &bare(&copied)?)
            .await
            .with_context(|| format!("{name} cannot be made"))?;
        renames.push((
            uid(&self.resource),
            created.metadata.uid.clone().unwrap_or_default(),
        ));
        let children = deployments(client, namespace);
        for child in &self.children {
            let copied = renamed(child, &renames)?;
            let mut made = children
                .create(&written_by("sluice-child"), &bare(&copied)?)
                .await
                .with_context(|| format!("a child of {name} cannot be made"))?;
            renames.push((uid(child), made.metadata.uid.clone().unwrap_or_default()));
            give_status(&mut made, &copied)?;
            let child_name = text(&copied, "/metadata/name").to_owned();
            children
                .replace_status(&child_name, &written_by("flink-operator"), &made)
                .await?;
        }
        let mut made = created;
        give_status(&mut made, &renamed(&self.resource, &renames)?)?;
        resources
            .replace_status(&name, &written_by("sluice-status"), &made)
            .await?;
        Ok(())
    }
}

fn written_by(manager: &str) -> PostParams {
    PostParams {
        field_manager: Some(manager.to_owned()),
        ..PostParams::default()
    }
}

fn uid(object: &Value) -> String {
    text(object, "/metadata/uid").to_owned()
}

fn renamed(object: &Value, renames: &[(String, String)]) -> Result<Value> {
    let mut text = object.to_string();
    for (from, to) in renames {
        text = text.replace(from, to);
    }
    Ok(serde_json::from_str(&text)?)
}

/// The object as its author would send it, without what the API server adds, and without its status.
fn bare(object: &Value) -> Result<DynamicObject> {
    let mut object = object.clone();
    if let Value::Object(fields) = &mut object {
        fields.remove("status");
        if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
            let kept: Map<String, Value> = ["name", "labels", "annotations", "finalizers", "ownerReferences"]
                .iter()
                .filter_map(|field| Some(((*field).to_owned(), metadata.remove(*field)?)))
                .collect();
            *metadata = kept;
        }
    }
    Ok(serde_json::from_value(object)?)
}

/// Puts the status of a copy into the object that was made for it, whose first generation it then describes.
fn give_status(made: &mut DynamicObject, copied: &Value) -> Result<()> {
    let mut status = copied.get("status").cloned().unwrap_or_default();
    first_generation(&mut status);
    let Value::Object(fields) = &mut made.data else {
        anyhow::bail!("the API server answered with something that is no object");
    };
    fields.insert("status".to_owned(), status);
    Ok(())
}

fn first_generation(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                if key == "observedGeneration" {
                    *value = json!(1);
                } else {
                    first_generation(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(first_generation),
        _ => {}
    }
}
