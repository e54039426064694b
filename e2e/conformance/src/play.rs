//! Plays one scenario, step by step.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use kube::Client;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::expectation::{Expectation, Seen};
use crate::kinds::{Kind, is_absent};
use crate::refusals;
use crate::report::Outcome;
use crate::scenario::{Edit, JobManagerScript, RESOURCE, Scenario, Span, Step, Wait, lay_over};
use crate::scene::Scene;

/// Who the user is, as a field manager.
const USER: &str = "conformance-user";
/// How long the watches may take to bring what was done.
const PROPAGATION: Duration = Duration::from_secs(5);

/// Plays all steps; the first that does not hold ends it.
pub(crate) async fn play(
    client: &Client,
    scenario: &Scenario,
    scene: &Arc<Scene>,
    label: Option<&(String, String)>,
) -> Outcome {
    scene.begin();
    let began = Instant::now();
    let player = Player { client, scene, label };
    let mut failure = None;
    for (number, step) in scenario.steps.iter().enumerate() {
        if let Err(error) = player.step(step).await {
            let words = describe(step);
            failure = Some(format!("step {} ({words}): {error:#}", number + 1));
            break;
        }
    }
    Outcome {
        scenario: scenario.name.clone(),
        failure,
        took: began.elapsed(),
        trace: scene.lock().trace.text(),
    }
}

/// Removes the resource, and with it what belongs to it.
pub(crate) async fn leave(client: &Client, scene: &Scene) {
    let api = Kind::BlueGreen.within(client, scene.namespace());
    if let Err(error) = api.delete(RESOURCE, &DeleteParams::background()).await
        && !is_absent(&error)
    {
        eprintln!(
            "{RESOURCE} in {} could not be deleted: {error}",
            scene.namespace()
        );
    }
    let mut changes = scene.changes();
    let emptied = async {
        loop {
            {
                let inner = scene.lock();
                if inner.resource.is_none() && inner.children.is_empty() {
                    return;
                }
            }
            if changes.changed().await.is_err() {
                return;
            }
        }
    };
    let _ = timeout(PROPAGATION, emptied).await;
}

struct Player<'a> {
    client: &'a Client,
    scene: &'a Arc<Scene>,
    label: Option<&'a (String, String)>,
}

impl Player<'_> {
    async fn step(&self, step: &Step) -> Result<()> {
        if !matches!(step, Step::Expect(_) | Step::Remember(_)) {
            self.scene.lock().trace.told(format!("> {}", describe(step)));
        }
        match step {
            Step::Apply(edit) => self.apply(edit).await,
            Step::Edit(edit) => self.edit(edit).await,
            Step::Children(scripts) => {
                let mut inner = self.scene.lock();
                for (colour, script) in scripts {
                    let (before, since) = inner.script(&colour.child_name());
                    // What goes on as before does not begin again.
                    let goes_on = before.outcome == script.outcome && before.error == script.error;
                    let since = if goes_on { since } else { Some(Instant::now()) };
                    inner.scripts.insert(colour.child_name(), (script.clone(), since));
                }
                Ok(())
            }
            Step::Savepoints(plans) => {
                let mut inner = self.scene.lock();
                for (colour, plan) in plans {
                    let manager = inner.job_managers.entry(colour.child_name()).or_default();
                    manager.plan(plan.clone());
                }
                Ok(())
            }
            Step::JobManagers(scripts) => {
                for (colour, script) in scripts {
                    self.job_manager(&colour.child_name(), *script);
                }
                Ok(())
            }
            Step::Wait(wait) => self.wait(wait).await,
            Step::Expect(expectation) => self.expect(expectation),
            Step::Hold(span) => self.hold(*span).await,
            Step::Pause(Span(time)) => {
                tokio::time::sleep(*time).await;
                Ok(())
            }
            Step::Remember(names) => {
                let seen = self.scene.seen(false);
                for (name, place) in names {
                    let value = seen
                        .value(place)
                        .with_context(|| format!("there is nothing at {place} to remember"))?;
                    self.scene.lock().names.insert(name.clone(), value);
                }
                Ok(())
            }
            Step::Delete(what) => self.delete(what).await,
            Step::Status(patch) => {
                let api = Kind::BlueGreen.within(self.client, self.scene.namespace());
                let patch = Patch::Merge(json!({ "status": patch }));
                let changed = api.patch_status(RESOURCE, &as_user(), &patch).await?;
                self.until_version(changed.metadata.resource_version.as_deref())
                    .await
            }
            Step::Refuse(refusal) => {
                let namespace = self.scene.namespace();
                refusals::refuse(self.client, namespace, refusal.creating, &refusal.saying).await
            }
            Step::Allow(refused) => refusals::allow(self.client, self.scene.namespace(), *refused).await,
        }
    }

    async fn apply(&self, edit: &Edit) -> Result<()> {
        let mut resource: Value = serde_saphyr::from_str(include_str!("../resource.yaml"))?;
        lay_over(&mut resource, &edit.patch(), true);
        if let Some((key, value)) = self.label {
            lay_over(
                &mut resource,
                &json!({ "metadata": { "labels": { key: value } } }),
                true,
            );
        }
        let parameters = PostParams {
            field_manager: Some(USER.to_owned()),
            ..PostParams::default()
        };
        Kind::BlueGreen
            .within(self.client, self.scene.namespace())
            .create(&parameters, &Kind::BlueGreen.object(resource)?)
            .await?;
        self.until_seen(|resource| resource.is_some()).await
    }

    /// Returns only when the watch has brought the edit: what is expected next is not said of the time before it.
    async fn edit(&self, edit: &Edit) -> Result<()> {
        let edited = Kind::BlueGreen
            .within(self.client, self.scene.namespace())
            .patch(RESOURCE, &as_user(), &Patch::Merge(edit.patch()))
            .await?;
        self.until_version(edited.metadata.resource_version.as_deref())
            .await
    }

    async fn until_version(&self, version: Option<&str>) -> Result<()> {
        let version = number(version);
        self.until_seen(|resource| {
            let seen = resource.and_then(|resource| resource.pointer("/metadata/resourceVersion"));
            number(seen.and_then(Value::as_str)) >= version
        })
        .await
    }

    fn job_manager(&self, child: &str, script: JobManagerScript) {
        let mut inner = self.scene.lock();
        let manager = inner.job_managers.entry(child.to_owned()).or_default();
        if script != JobManagerScript::Restarts {
            manager.script = script;
            return;
        }
        manager.script = JobManagerScript::Answers;
        let uid = inner
            .children
            .get(child)
            .and_then(|object| object.pointer("/metadata/uid"))
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        if let Some(cluster) = inner.clusters.get_mut(&uid) {
            cluster.requests.clear();
        }
    }

    async fn delete(&self, what: &str) -> Result<()> {
        let (kind, name) = match what {
            "resource" => (Kind::BlueGreen, RESOURCE.to_owned()),
            "blue" | "green" => (Kind::Flink, format!("{RESOURCE}-{what}")),
            "ingress" => (Kind::Ingress, RESOURCE.to_owned()),
            other => bail!("delete knows blue, green, ingress and resource, not {other}"),
        };
        kind.within(self.client, self.scene.namespace())
            .delete(&name, &DeleteParams::background())
            .await?;
        Ok(())
    }

    async fn wait(&self, wait: &Wait) -> Result<()> {
        let Span(patience) = wait.within;
        let mut changes = self.scene.changes();
        let deadline = Instant::now() + patience;
        loop {
            changes.mark_unchanged();
            let wrong = wait.until.mismatches(&self.seen_for(&wait.until));
            if wrong.is_empty() {
                return Ok(());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!(
                    "after {} s still:\n  {}",
                    patience.as_secs_f64(),
                    wrong.join("\n  ")
                );
            }
            let _ = timeout(left, changes.changed()).await;
        }
    }

    fn seen_for(&self, expectation: &Expectation) -> Seen {
        self.scene.seen(!expectation.in_order.is_empty())
    }

    fn expect(&self, expectation: &Expectation) -> Result<()> {
        let wrong = expectation.mismatches(&self.seen_for(expectation));
        if wrong.is_empty() {
            return Ok(());
        }
        Err(anyhow!("\n  {}", wrong.join("\n  ")))
    }

    async fn hold(&self, Span(time): Span) -> Result<()> {
        let before = self.scene.seen(false);
        let fingerprints = [
            ("the resource", before.resource.as_ref().map(of_resource)),
            ("blue", before.blue.as_ref().map(of_child)),
            ("green", before.green.as_ref().map(of_child)),
            ("the Ingress", before.ingress.as_ref().map(of_ingress)),
        ];
        let counts = stable(&before.counts);
        let deadline = Instant::now() + time;
        while Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let now = self.scene.seen(false);
            let present = [
                now.resource.as_ref().map(of_resource),
                now.blue.as_ref().map(of_child),
                now.green.as_ref().map(of_child),
                now.ingress.as_ref().map(of_ingress),
            ];
            for ((name, was), is) in fingerprints.iter().zip(present) {
                if *was != is {
                    let text =
                        |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
                    bail!("{name} was\n  {}\nand is\n  {}", text(was), text(&is));
                }
            }
            if counts != stable(&now.counts) {
                bail!("what was counted was {counts:?} and is {:?}", stable(&now.counts));
            }
        }
        Ok(())
    }

    async fn until_seen(&self, holds: impl Fn(Option<&Value>) -> bool) -> Result<()> {
        let mut changes = self.scene.changes();
        let seen = async {
            loop {
                changes.mark_unchanged();
                if holds(self.scene.lock().resource.as_ref()) {
                    return;
                }
                let _ = timeout(Duration::from_millis(200), changes.changed()).await;
            }
        };
        timeout(PROPAGATION, seen)
            .await
            .context("the watch does not bring what was written")
    }
}

/// What must not change of a resource while it is left alone.
fn of_resource(resource: &Value) -> Value {
    json!({
        "spec": resource.get("spec"),
        "state": resource.pointer("/status/blueGreenState"),
        "job": resource.pointer("/status/jobStatus/state"),
        "error": resource.pointer("/status/error"),
    })
}

fn of_child(child: &Value) -> Value {
    json!({
        "uid": child.pointer("/metadata/uid"),
        "deleted": child.pointer("/metadata/deletionTimestamp"),
        "spec": child.get("spec"),
    })
}

fn of_ingress(ingress: &Value) -> Value {
    json!({ "uid": ingress.pointer("/metadata/uid"), "spec": ingress.get("spec") })
}

/// The counts but for those that say how often something was tried or written.
fn stable(counts: &std::collections::BTreeMap<String, u64>) -> std::collections::BTreeMap<String, u64> {
    let mut counts = counts.clone();
    for tried in ["status-changes", "savepoint-requests", "other-requests"] {
        counts.remove(tried);
    }
    counts
}

fn as_user() -> PatchParams {
    PatchParams {
        field_manager: Some(USER.to_owned()),
        ..PatchParams::default()
    }
}

fn number(version: Option<&str>) -> u64 {
    version.and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// The step for the trace.
fn describe(step: &Step) -> String {
    match step {
        Step::Apply(edit) => format!("apply {}", edit.patch()),
        Step::Edit(edit) => format!("edit {}", edit.patch()),
        Step::Children(scripts) => format!(
            "children: {}",
            join(scripts.iter().map(|(colour, script)| format!(
                "{colour:?} {:?} after {:?} {}",
                script.outcome, script.after.0, script.error
            )))
        ),
        Step::Savepoints(plans) => format!(
            "savepoints: {}",
            join(plans.iter().map(|(colour, plan)| {
                let outcomes = plan.iter().map(|script| format!("{:?}", script.outcome));
                format!("{colour:?} {}", join(outcomes))
            }))
        ),
        Step::JobManagers(scripts) => format!(
            "JobManagers: {}",
            join(
                scripts
                    .iter()
                    .map(|(colour, script)| format!("{colour:?} {script:?}"))
            )
        ),
        Step::Wait(_) => "wait".to_owned(),
        Step::Expect(_) => "expect".to_owned(),
        Step::Hold(Span(time)) => format!("hold for {} s", time.as_secs_f64()),
        Step::Pause(Span(time)) => format!("pause for {} s", time.as_secs_f64()),
        Step::Remember(_) => "remember".to_owned(),
        Step::Delete(what) => format!("delete {what}"),
        Step::Status(patch) => format!("change the status: {patch}"),
        Step::Refuse(refusal) => format!("refuse {:?}: {}", refusal.creating, refusal.saying),
        Step::Allow(refused) => format!("allow {refused:?}"),
    }
}

fn join(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
