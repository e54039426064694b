//! What the controller of FlinkDeployments does to a child, tick by tick.

use serde_json::{Value, json};
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec, JobState, UpgradeMode};
use sluice_core::bluegreen::agent::Preparation;
use sluice_core::bluegreen::{CompletedCheckpoint, child, diff};
use sluice_core::fields;

use super::fixtures::NAME;
use super::flink::{Cluster, Lineage, Version};
use super::world::World;

/// What the controller has done with a child.
#[derive(Clone, Debug, Default)]
pub struct Deployed {
    /// The specification that it acted on last.
    pub spec: Option<FlinkDeploymentSpec>,
    /// What the next start restores.
    pub upgrade_from: Option<String>,
    /// How often it has started the job.
    pub starts: u32,
    /// A suspension is under way: the savepoint takes a tick.
    pub stopping: bool,
}

impl World {
    /// One tick of every child: the controller acts, Flink goes on.
    pub fn tick_children(&mut self) {
        let names: Vec<String> = self.children.keys().cloned().collect();
        for name in names {
            let Some(child) = self.children.get(&name).cloned() else {
                continue;
            };
            if child.metadata.uid.as_deref() == Some("u-foreign") {
                continue;
            }
            if child.metadata.deletion_timestamp.is_some() {
                if !self.stuck_finalizers.contains(&name) {
                    let uid = child.metadata.uid.clone().unwrap();
                    self.clusters.remove(&uid);
                    self.deployed.remove(&uid);
                    self.children.remove(&name);
                    if let Some(left) = CompletedCheckpoint::suspended(&child) {
                        let id = self.retained.get(&name).map_or(1, |(_, id, _)| id + 1);
                        self.retained.insert(name, (left.transition, id, left.path));
                    }
                    self.changed = true;
                }
                continue;
            }
            self.tick_child(&name, &child);
        }
    }

    fn tick_child(&mut self, name: &str, child: &FlinkDeployment) {
        let uid = child.metadata.uid.clone().unwrap();
        let mut deployed = self.deployed.remove(&uid).unwrap_or_default();
        let mut cluster = self.clusters.remove(&uid).unwrap_or_default();
        let wanted = fields::job_state(&child.spec);
        match &deployed.spec {
            None => {
                if wanted == JobState::Running {
                    let from = child::restored_from(child).map(str::to_owned);
                    self.start(child, &mut deployed, &mut cluster, from);
                }
                deployed.spec = Some(child.spec.clone());
            }
            Some(before) if *before != child.spec || deployed.stopping => {
                self.change(child, &before.clone(), &mut deployed, &mut cluster);
            }
            Some(_) if cluster.held && self.is_named(child) => {
                let from = cluster.started_from.take();
                self.start(child, &mut deployed, &mut cluster, from);
            }
            Some(_) => self.go_on(name, child, &mut cluster),
        }
        let status = status(child, &deployed, &cluster);
        self.deployed.insert(uid.clone(), deployed);
        self.clusters.insert(uid, cluster);
        if serde_json::to_value(&child.status).unwrap() != status {
            let version = self.next_version();
            let child = self.children.get_mut(name).unwrap();
            child.status = Some(serde_json::from_value(status).unwrap());
            child.metadata.resource_version = version;
        }
    }

    /// Whether the handover record names the child's job: then one that waits begins.
    fn is_named(&self, child: &FlinkDeployment) -> bool {
        self.handover.as_ref().is_some_and(|(_, record)| {
            record.active.created_for.0 == child::transition(child)
                && child.metadata.name == Some(record.active.color.child_name(NAME))
        })
    }

    /// The number that a checkpoint or savepoint has among those of its job.
    fn checkpoint_number(&self, path: &str) -> u64 {
        let last = path.rsplit('/').next().and_then(|name| name.parse().ok());
        last.or_else(|| self.savepoint_ids.get(path).copied())
            .unwrap_or_default()
    }

    fn start(
        &mut self,
        child: &FlinkDeployment,
        deployed: &mut Deployed,
        cluster: &mut Cluster,
        from: Option<String>,
    ) {
        deployed.starts += 1;
        if awaits_savepoint(child) && !self.is_named(child) {
            *cluster = Cluster {
                age: Some(0),
                held: true,
                started_from: from,
                ..Cluster::default()
            };
            deployed.upgrade_from = None;
            return;
        }
        let from = from.or_else(|| {
            let record = self.handover.as_ref().map(|(_, record)| record)?;
            record.savepoint.clone().filter(|_| awaits_savepoint(child))
        });
        let number = child::transition(child);
        let mut lineage = match &from {
            Some(path) => self
                .states
                .get(path)
                .cloned()
                .unwrap_or_else(|| panic!("{path} is restored, but no such state exists")),
            None => Lineage::default(),
        };
        if lineage.0.last() != Some(&number) {
            lineage.0.push(number);
        }
        *cluster = Cluster {
            age: Some(0),
            job_id: sluice_core::identity::job_id(
                child.metadata.uid.as_deref().unwrap(),
                deployed.starts.into(),
            ),
            lineage,
            restored: from.as_ref().map_or(0, |path| self.checkpoint_number(path)),
            started_from: from,
            ..Cluster::default()
        };
        deployed.upgrade_from = None;
    }

    fn change(
        &mut self,
        child: &FlinkDeployment,
        before: &FlinkDeploymentSpec,
        deployed: &mut Deployed,
        cluster: &mut Cluster,
    ) {
        let job = child.spec.job.clone().unwrap_or_default();
        match (fields::job_state(before), fields::job_state(&child.spec)) {
            (JobState::Running | JobState::Suspended, JobState::Suspended) if cluster.age.is_some() => {
                if deployed.stopping || job.upgrade_mode != Some(UpgradeMode::Savepoint) {
                    self.stop(child, job.upgrade_mode.unwrap_or_default(), deployed, cluster);
                } else {
                    deployed.stopping = true;
                }
            }
            (_, JobState::Suspended) => deployed.spec = Some(child.spec.clone()),
            (was, JobState::Running) => {
                deployed.stopping = false;
                let nonce = |spec: &FlinkDeploymentSpec| {
                    spec.job.as_ref().and_then(|job| job.savepoint_redeploy_nonce)
                };
                let redeploy = nonce(&child.spec) != nonce(before) && nonce(&child.spec).is_some();
                let restart = was == JobState::Suspended || redeploy || needs_restart(before, &child.spec);
                if restart && cluster.age.is_some() {
                    self.stop(child, job.upgrade_mode.unwrap_or_default(), deployed, cluster);
                }
                if restart {
                    let from = if redeploy {
                        job.initial_savepoint_path
                    } else {
                        deployed.upgrade_from.clone()
                    };
                    self.start(child, deployed, cluster, from);
                }
                deployed.spec = Some(child.spec.clone());
            }
        }
    }

    /// Stops the job; the state that it leaves is what the upgrade mode asks for, as far as the job can give it.
    fn stop(
        &mut self,
        child: &FlinkDeployment,
        mode: UpgradeMode,
        deployed: &mut Deployed,
        cluster: &mut Cluster,
    ) {
        let runs = job_runs(child, cluster);
        let last = cluster
            .checkpoint
            .as_ref()
            .map(|(_, path)| path.clone())
            .or_else(|| cluster.started_from.clone());
        deployed.upgrade_from = match mode {
            UpgradeMode::Stateless => None,
            UpgradeMode::Savepoint if runs => {
                let path = format!("s3://b/sp/stop-{}", cluster.job_id);
                self.states.insert(path.clone(), cluster.lineage.clone());
                let last = cluster
                    .checkpoint
                    .as_ref()
                    .map_or(cluster.restored, |(id, _)| *id);
                self.savepoint_ids.insert(path.clone(), last + 1);
                Some(path)
            }
            UpgradeMode::Savepoint | UpgradeMode::LastState => last,
        };
        cluster.age = None;
        cluster.held = false;
        cluster.drained = false;
        cluster.requests.clear();
        deployed.stopping = false;
        deployed.spec = Some(child.spec.clone());
    }

    fn go_on(&mut self, name: &str, child: &FlinkDeployment, cluster: &mut Cluster) {
        let Some(age) = cluster.age else { return };
        cluster.age = Some((age + 1).min(10));
        if !job_runs(child, cluster) {
            return;
        }
        // One checkpoint a tick, for as long as anything can depend on it; it is a fact about the job, not an object.
        let before = cluster
            .checkpoint
            .as_ref()
            .map_or(cluster.restored, |(id, _)| *id);
        let id = before + 1;
        let path = format!("s3://b/chk/{}/{id}", cluster.job_id);
        self.states.insert(path.clone(), cluster.lineage.clone());
        cluster.checkpoint = Some((id, path.clone()));
        let transition = sluice_core::bluegreen::child::transition(child);
        self.retained.insert(name.to_owned(), (transition, id, path));
        for request in cluster.requests.values_mut() {
            let Some(left) = request.left.filter(|left| *left > 0) else {
                continue;
            };
            request.left = Some(left - 1);
            self.changed = true;
            if left == 1 && request.failure.is_none() {
                let empty = self.savepoints == super::flink::SavepointBehaviour::WithoutLocation;
                let location = if empty {
                    String::new()
                } else {
                    format!("{}/savepoint-1", request.directory)
                };
                self.states.insert(location.clone(), cluster.lineage.clone());
                self.savepoint_ids.insert(location.clone(), id);
                request.checkpoint = Some(id);
                request.location = Some(location);
            }
        }
    }
}

/// Whether the child's job waits until it is named.
pub fn awaits_savepoint(child: &FlinkDeployment) -> bool {
    Preparation::of(child).is_some_and(|preparation| preparation.awaits_savepoint)
}

/// Whether the child's job runs.
pub fn job_runs(child: &FlinkDeployment, cluster: &Cluster) -> bool {
    let version = Version::of(child.spec.image.as_deref().unwrap_or_default());
    !cluster.failed_by_hand
        && !cluster.drained
        && !cluster.held
        && cluster.age.is_some_and(|age| age >= 1)
        && matches!(version, Version::Works | Version::Unstable)
}

/// Only the fields that are applied in place are; everything else restarts the job.
fn needs_restart(before: &FlinkDeploymentSpec, after: &FlinkDeploymentSpec) -> bool {
    let whole = |spec: &FlinkDeploymentSpec| {
        let text = json!({ "template": { "spec": spec } });
        serde_json::from_value(text).unwrap()
    };
    diff::compare(&whole(before), &whole(after)).kind == diff::DiffKind::Transition
}

fn status(child: &FlinkDeployment, deployed: &Deployed, cluster: &Cluster) -> Value {
    let generation = child.metadata.generation;
    if deployed.stopping {
        return json!({
            "jobStatus": { "state": "RUNNING", "jobId": cluster.job_id },
            "lifecycleState": "UPGRADING", "observedGeneration": generation
        });
    }
    let Some(age) = cluster.age else {
        let mut status = json!({
            "jobStatus": { "state": "FINISHED", "jobId": cluster.job_id },
            "lifecycleState": "SUSPENDED", "observedGeneration": generation
        });
        if let Some(path) = &deployed.upgrade_from {
            status["jobStatus"]["upgradeSavepointPath"] = json!(path);
            if path.contains("/stop-") {
                status["jobStatus"]["savepointInfo"] = json!({ "lastSavepoint": { "location": path } });
            }
        }
        return status;
    };
    let version = Version::of(child.spec.image.as_deref().unwrap_or_default());
    let (job, lifecycle, error) = match (version, age) {
        _ if cluster.drained => ("FINISHED", "STABLE", None),
        _ if cluster.failed_by_hand => ("FAILED", "FAILED", Some("the job failed by hand")),
        (_, 0) => ("RECONCILING", "CREATED", None),
        _ if cluster.held => ("RECONCILING", "DEPLOYED", None),
        (Version::Broken, _) => ("FAILED", "FAILED", Some("the job's main method threw")),
        (Version::Stuck, _) => ("RECONCILING", "DEPLOYED", None),
        (Version::Unstable, _) | (Version::Works, 1) => ("RUNNING", "DEPLOYED", None),
        (Version::Works, _) => ("RUNNING", "STABLE", None),
    };
    let mut status = json!({
        "jobStatus": { "state": job, "jobId": cluster.job_id },
        "lifecycleState": lifecycle, "observedGeneration": generation
    });
    if let Some(error) = error {
        status["error"] = json!(error);
    }
    status
}
