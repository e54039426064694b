//! The controller of FlinkDeployments, as far as it can be seen from outside: upstream's statuses, its finalizer, and what
//! it does about suspension, resumption, edits and deletion.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::Client;
use kube::api::{Patch, PatchParams};
use serde_json::{Map, Value, json};
use sluice_api::metadata::FINALIZER_FLINK_DEPLOYMENT;

use super::flink::{self, Cluster, Look};
use crate::kinds::{Kind, is_absent, is_conflict, text};
use crate::scenario::{ChildScript, JobManagerScript};
use crate::scene::{Inner, Scene};

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(100);
/// How long a stop with a savepoint takes.
const STOPPING_TIME: Duration = Duration::from_millis(200);

/// What is to be written.
struct Write {
    name: String,
    uid: String,
    patch: Value,
    status: bool,
}

/// Acts in the namespace of the scene until the task is dropped.
pub(crate) async fn act(client: Client, scene: Arc<Scene>) {
    let api = Kind::Flink.within(&client, scene.namespace());
    let parameters = PatchParams::default();
    loop {
        for write in tick(&scene) {
            let answer = if write.status {
                api.patch_status(&write.name, &parameters, &Patch::Merge(&write.patch))
                    .await
            } else {
                api.patch(&write.name, &parameters, &Patch::Merge(&write.patch))
                    .await
            };
            match answer {
                Ok(_) if write.status => {
                    let status = write.patch.get("status").cloned();
                    if let Some(cluster) = scene.lock().clusters.get_mut(&write.uid) {
                        cluster.written = status;
                    }
                }
                Ok(_) => {}
                // Gone or changed meanwhile: the next look sees it.
                Err(error) if is_absent(&error) || is_conflict(&error) => {}
                Err(error) => scene
                    .lock()
                    .trace
                    .told(format!("! the FlinkDeployment actor: {error}")),
            }
        }
        tokio::time::sleep(INTERVAL).await;
    }
}

fn tick(scene: &Scene) -> Vec<Write> {
    let now = Instant::now();
    let mut guard = scene.lock();
    let inner = &mut *guard;
    let mut writes = Vec::new();
    let counted = inner.counts.get("savepoints").copied();
    for (name, child) in inner.children.clone() {
        let uid = text(&child, "/metadata/uid").to_owned();
        let mut cluster = inner.clusters.remove(&uid).unwrap_or_else(Cluster::new);
        writes.extend(look_after(inner, &name, &uid, &child, &mut cluster, now));
        inner.clusters.insert(uid, cluster);
    }
    let taken = inner.counts.get("savepoints").copied() != counted;
    drop(guard);
    if taken {
        scene.changed();
    }
    writes
}

fn look_after(
    inner: &mut Inner,
    name: &str,
    uid: &str,
    child: &Value,
    cluster: &mut Cluster,
    now: Instant,
) -> Option<Write> {
    let (script, since) = inner.script(name);
    let write = |patch, status| {
        Some(Write {
            name: name.to_owned(),
            uid: uid.to_owned(),
            patch,
            status,
        })
    };
    let finalizers = child
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let ours = finalizers
        .iter()
        .any(|finalizer| finalizer == FINALIZER_FLINK_DEPLOYMENT);
    let version = text(child, "/metadata/resourceVersion");
    let with_finalizers = |finalizers: Vec<Value>| {
        write(
            json!({ "metadata": { "uid": uid, "resourceVersion": version, "finalizers": finalizers } }),
            false,
        )
    };
    if child.pointer("/metadata/deletionTimestamp").is_some() {
        let seen = *cluster.deletion_seen.get_or_insert(now);
        if now.duration_since(seen) < script.terminates_after.0 || !ours {
            return None;
        }
        cluster.stop(None);
        let others = finalizers
            .into_iter()
            .filter(|finalizer| finalizer != FINALIZER_FLINK_DEPLOYMENT);
        return with_finalizers(others.collect());
    }
    if !ours {
        let mut all = finalizers;
        all.push(json!(FINALIZER_FLINK_DEPLOYMENT));
        return with_finalizers(all);
    }
    act_on_specification(inner, name, child, cluster, &script, now);
    let mut look = cluster.look(&script, since, now);
    let said = cluster
        .written
        .as_ref()
        .map_or("", |status| text(status, "/jobStatus/state"));
    if look.lifecycle == "STABLE" && said != "RUNNING" {
        // However busy the machine is, it is seen running before it is known to be stable.
        look.lifecycle = "DEPLOYED";
    }
    for path in cluster.tick(look.job == "RUNNING", now) {
        inner.count("savepoints");
        inner
            .trace
            .told(format!("{}'s savepoint is {path}", Inner::colour_of(name)));
        inner.savepoints.push(path);
    }
    let status = status(&script, cluster, &look);
    (cluster.written.as_ref() != Some(&status))
        .then(|| write(json!({ "metadata": { "uid": uid }, "status": status }), true))
        .flatten()
}

fn act_on_specification(
    inner: &mut Inner,
    name: &str,
    child: &Value,
    cluster: &mut Cluster,
    script: &ChildScript,
    now: Instant,
) {
    let spec = child.get("spec").cloned().unwrap_or_default();
    let generation = child
        .pointer("/metadata/generation")
        .and_then(Value::as_i64)
        .unwrap_or_default();
    let Some(before) = cluster.acted_on.clone() else {
        if flink::is_to_run(&spec) {
            cluster.start(now);
        }
        cluster.acted_on = Some(spec);
        cluster.generation = generation;
        return;
    };
    if before == spec && cluster.stopping.is_none() {
        cluster.generation = generation;
        cluster.edit_seen = None;
        return;
    }
    let seen = *cluster.edit_seen.get_or_insert(now);
    if now.duration_since(seen) < script.notices_edits_after.0 {
        return;
    }
    let redeploy = changed(&before, &spec, "/job/savepointRedeployNonce")
        && spec
            .pointer("/job/savepointRedeployNonce")
            .is_some_and(|nonce| !nonce.is_null());
    let runs = cluster.started.is_some();
    let restart = flink::is_to_run(&spec) && (!runs || redeploy || asks_for_restart(&before, &spec));
    if runs && (restart || !flink::is_to_run(&spec)) {
        match text(&spec, "/job/upgradeMode") {
            "savepoint" if !redeploy => {
                let since = *cluster.stopping.get_or_insert(now);
                let answers = inner
                    .job_managers
                    .get(name)
                    .is_none_or(|manager| manager.script == JobManagerScript::Answers);
                if now.duration_since(since) < STOPPING_TIME || !answers {
                    return;
                }
                let path = cluster.savepoint_path(flink::savepoint_directory(&spec).as_deref());
                inner.count("stops");
                inner.trace.told(format!(
                    "{} is stopped with the savepoint {path}",
                    Inner::colour_of(name)
                ));
                cluster.stop(Some(path));
            }
            "last-state" => {
                let path = cluster.checkpoint_path();
                cluster.stop(path);
            }
            _ => cluster.stop(None),
        }
    }
    if restart {
        cluster.start(now);
    }
    cluster.acted_on = Some(spec);
    cluster.generation = generation;
    cluster.edit_seen = None;
}

fn changed(before: &Value, after: &Value, pointer: &str) -> bool {
    let at = |value: &Value| value.pointer(pointer).cloned().unwrap_or_default();
    at(before) != at(after)
}

/// Whether an edit of a running job starts it anew. What does not are the fields that upstream's `@SpecDiff` ignores.
fn asks_for_restart(before: &Value, after: &Value) -> bool {
    const NOTED: [&str; 7] = [
        "savepointRedeployNonce",
        "savepointTriggerNonce",
        "checkpointTriggerNonce",
        "initialSavepointPath",
        "upgradeMode",
        "allowNonRestoredState",
        "autoscalerResetNonce",
    ];
    const NOTED_KEYS: [&str; 3] = ["job.autoscaler", "parallelism.default", "kubernetes.operator"];
    // A nonce that is taken away asks for nothing.
    let taken_away = after.get("restartNonce").is_none_or(Value::is_null);
    let rest = |spec: &Value| {
        let mut spec = spec.clone();
        if let Some(fields) = spec.as_object_mut()
            && taken_away
        {
            fields.remove("restartNonce");
        }
        let flat = spec
            .get("flinkConfiguration")
            .map(sluice_api::configuration::flatten)
            .unwrap_or_default();
        let flat: Map<String, Value> = flat
            .into_iter()
            .filter(|(key, _)| !NOTED_KEYS.iter().any(|noted| key.starts_with(noted)))
            .map(|(key, value)| (key, json!(value)))
            .collect();
        if let Some(job) = spec.get_mut("job").and_then(Value::as_object_mut) {
            for field in NOTED {
                job.remove(field);
            }
            job.remove("state");
        }
        if let Some(fields) = spec.as_object_mut() {
            fields.insert("flinkConfiguration".to_owned(), Value::Object(flat));
        }
        spec
    };
    rest(before) != rest(after)
}

/// The status as upstream writes it; null takes away what an earlier one said.
fn status(script: &ChildScript, cluster: &Cluster, look: &Look) -> Value {
    let generation = cluster.generation;
    let reconciled = json!({
        "spec": cluster.acted_on,
        "resource_metadata": {
            "apiVersion": "flink.apache.org/v1beta1",
            "metadata": { "generation": generation },
            "firstDeployment": generation == 1
        }
    });
    let (lifecycle, reconciliation) = if cluster.stopping.is_some() {
        ("UPGRADING", "UPGRADING")
    } else {
        (look.lifecycle, "DEPLOYED")
    };
    let error = look.error.as_ref().map(|words| {
        json!({
            "type": "org.apache.flink.kubernetes.operator.exception.ReconciliationException",
            "message": words,
            "throwableList": []
        })
        .to_string()
    });
    json!({
        "jobStatus": {
            "jobName": "orders",
            "jobId": cluster.job_id,
            "state": look.job,
            "upgradeSavepointPath": cluster.upgrade_from,
        },
        "lifecycleState": lifecycle,
        "jobManagerDeploymentStatus": look.manager,
        "reconciliationStatus": {
            "lastReconciledSpec": reconciled.to_string(),
            "state": reconciliation
        },
        "observedGeneration": script.tells_generation.then_some(generation),
        "error": error
    })
}
