//! The object store and everything else that outlives the shell.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::networking::v1::Ingress;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde_json::{Value, json};
use sluice_api::blue_green::FlinkBlueGreenDeploymentStatus;
use sluice_api::metadata::{FINALIZER_FLINK_DEPLOYMENT, LABEL_TRANSITION};
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment};
use sluice_core::Color;
use sluice_core::bluegreen::agent::Agent;
use sluice_core::bluegreen::decision::Effect;
use sluice_core::bluegreen::record::{self, Record, State};
use sluice_core::handover::HandoverRecord;

use super::controller::Deployed;
use super::fixtures::{NAME, UID, at};
use super::flink::{Cluster, Lineage, Request, SavepointBehaviour, Version};
use super::gates::Gates;

/// How long one tick of the world is.
pub const TICK: SignedDuration = SignedDuration::from_secs(5);

/// Everything that is there, apart from the shell's own memory.
#[derive(Clone, Debug)]
pub struct World {
    /// The time.
    pub now: Timestamp,
    version: u64,
    uids: u64,
    /// The resource, once its user has created it.
    pub resource: Option<FlinkBlueGreenDeployment>,
    /// The children by name, whoever owns them.
    pub children: BTreeMap<String, FlinkDeployment>,
    /// The Ingress that is named as the resource.
    pub ingress: Option<Ingress>,
    /// What the child controller has deployed, by the child's uid.
    pub deployed: BTreeMap<String, Deployed>,
    /// The clusters, by the child's uid.
    pub clusters: BTreeMap<String, Cluster>,
    /// The last completed checkpoint of the last job of each child name: it outlives the child.
    pub retained: BTreeMap<String, (u64, u64, String)>,
    /// Every state that can be restored, and what it is made of.
    pub states: BTreeMap<String, Lineage>,
    /// What savepoints do.
    pub savepoints: SavepointBehaviour,
    /// Completed savepoints by trigger id: how many distinct ones were begun.
    pub begun: BTreeMap<String, u32>,
    /// The children that were created, by transition number.
    pub created: Vec<u64>,
    /// Finalizers that nobody removes, by child name.
    pub stuck_finalizers: BTreeSet<String>,
    /// Children whose creation is refused, with the words.
    pub refuse_creation: Option<String>,
    /// Ingress writes are refused, with the words.
    pub refuse_ingress: Option<String>,
    /// Requests to dispose of a savepoint are refused, with the words.
    pub refuse_disposals: Option<String>,
    /// The agent that the shell can deliver.
    pub agent: Agent,
    /// The handover record, and its version.
    pub handover: Option<(u64, HandoverRecord)>,
    /// What the gates of both jobs do.
    pub gates: Gates,
    /// The numbers of savepoints among their jobs' checkpoints, by location.
    pub savepoint_ids: BTreeMap<String, u64>,
    /// No TaskManager comes up.
    pub no_slots: bool,
    /// What cannot be asked at the moment: `blue`, `green`, `savepoint`, `ingress`, `checkpoints`, `handover`.
    pub unknown: BTreeSet<&'static str>,
    /// Whether anything has changed that the shell is woken by.
    pub changed: bool,
    /// How many requests have changed something.
    pub writes: u64,
}

/// What became of one request of the shell.
pub type Answer = Result<(), String>;

impl World {
    /// An empty world.
    pub fn new() -> Self {
        Self {
            now: at(0),
            version: 0,
            uids: 0,
            resource: None,
            children: BTreeMap::new(),
            ingress: None,
            deployed: BTreeMap::new(),
            clusters: BTreeMap::new(),
            retained: BTreeMap::new(),
            states: BTreeMap::from([("s3://b/users".to_owned(), Lineage(vec![1000]))]),
            savepoints: SavepointBehaviour::Work,
            begun: BTreeMap::new(),
            created: Vec::new(),
            stuck_finalizers: BTreeSet::new(),
            refuse_creation: None,
            refuse_ingress: None,
            refuse_disposals: None,
            agent: Agent::None,
            handover: None,
            gates: Gates::default(),
            savepoint_ids: BTreeMap::new(),
            no_slots: false,
            unknown: BTreeSet::new(),
            changed: false,
            writes: 0,
        }
    }

    /// A fresh resourceVersion; something has changed.
    #[expect(clippy::unnecessary_wraps, reason = "metadata holds it as an option")]
    pub fn next_version(&mut self) -> Option<String> {
        self.version += 1;
        self.changed = true;
        Some(self.version.to_string())
    }

    /// The user creates the resource.
    pub fn create(&mut self, text: &Value) {
        let mut resource: FlinkBlueGreenDeployment = serde_json::from_value(text.clone()).unwrap();
        resource.metadata.uid = Some(UID.to_owned());
        resource.metadata.generation = Some(1);
        resource.metadata.resource_version = self.next_version();
        self.resource = Some(resource);
    }

    /// The resource; it has to be there.
    pub fn resource(&self) -> &FlinkBlueGreenDeployment {
        self.resource.as_ref().expect("the resource was created")
    }

    /// The status as written last.
    pub fn status(&self) -> FlinkBlueGreenDeploymentStatus {
        self.resource().status.clone().unwrap_or_default()
    }

    /// The record as written last.
    pub fn record(&self) -> Record {
        record::read(&self.status()).unwrap_or_default()
    }

    /// The colour that is active, if nothing is under way.
    pub fn settled_on(&self) -> Option<Color> {
        match self.record().state {
            State::Active(color) => Some(color),
            State::Initializing | State::InTransition(_) => None,
        }
    }

    /// The user sets a field of the specification; the path is below `spec`, null removes the field.
    pub fn set(&mut self, path: &[&str], value: Value) {
        let mut text = serde_json::to_value(&self.resource().spec).unwrap();
        let mut place = &mut text;
        for name in path {
            place = place
                .as_object_mut()
                .expect("an object on the way")
                .entry(*name)
                .or_insert_with(|| json!({}));
        }
        *place = value;
        let spec = serde_json::from_value(text).expect("a specification that can be read");
        if self.resource().spec == spec {
            return;
        }
        let version = self.next_version();
        let resource = self.resource.as_mut().unwrap();
        resource.spec = spec;
        resource.metadata.resource_version = version;
        resource.metadata.generation = resource.metadata.generation.map(|number| number + 1);
    }

    /// The user sets a field of `spec.template.spec`.
    pub fn set_child(&mut self, path: &str, value: impl Into<Value>) {
        let mut whole = vec!["template", "spec"];
        whole.extend(path.split('/'));
        self.set(&whole, value.into());
    }

    /// The user sets the image.
    pub fn set_image(&mut self, image: &str) {
        self.set_child("image", image);
    }

    /// The user sets a key of `spec.configuration`; the name is what follows `kubernetes.operator.bluegreen.`.
    pub fn configure(&mut self, key: &str, value: &str) {
        let key = format!("kubernetes.operator.bluegreen.{key}");
        self.set(&["configuration", &key], value.into());
    }

    /// The user sets an annotation: promote, abort or retry.
    pub fn annotate(&mut self, command: &str, value: &str) {
        let version = self.next_version();
        let metadata = &mut self.resource.as_mut().unwrap().metadata;
        metadata
            .annotations
            .get_or_insert_default()
            .insert(format!("flink/blue-green-{command}"), value.to_owned());
        metadata.resource_version = version;
    }

    /// Someone changes the status by hand.
    pub fn edit_status(&mut self, edit: impl FnOnce(&mut Value)) {
        let version = self.next_version();
        let resource = self.resource.as_mut().unwrap();
        let mut value = serde_json::to_value(&resource.status).unwrap();
        edit(&mut value);
        resource.status = (!value.is_null()).then(|| FlinkBlueGreenDeploymentStatus::read(&value));
        resource.metadata.resource_version = version;
    }

    /// The child of a colour, if it is there.
    pub fn child(&self, color: Color) -> Option<&FlinkDeployment> {
        self.children.get(&color.child_name(NAME))
    }

    /// Someone changes a child by hand; a changed specification is a new generation.
    pub fn edit_child(&mut self, color: Color, edit: impl FnOnce(&mut FlinkDeployment)) {
        let version = self.next_version();
        if let Some(child) = self.children.get_mut(&color.child_name(NAME)) {
            let before = child.spec.clone();
            edit(child);
            child.metadata.resource_version = version;
            if child.spec != before {
                child.metadata.generation = child.metadata.generation.map(|number| number + 1);
            }
        }
    }

    /// Puts an object of a child's name there that belongs to nobody known.
    pub fn add_foreign_child(&mut self, color: Color) {
        let version = self.next_version();
        let child = FlinkDeployment {
            metadata: ObjectMeta {
                name: Some(color.child_name(NAME)),
                uid: Some("u-foreign".to_owned()),
                resource_version: version,
                ..ObjectMeta::default()
            },
            ..FlinkDeployment::default()
        };
        self.children.insert(color.child_name(NAME), child);
    }

    /// Someone deletes a child by hand.
    pub fn delete_child(&mut self, color: Color) {
        self.delete(&color.child_name(NAME));
    }

    fn delete(&mut self, name: &str) {
        let now = Time(self.now);
        let version = self.next_version();
        if let Some(child) = self.children.get_mut(name)
            && child.metadata.deletion_timestamp.is_none()
        {
            child.metadata.deletion_timestamp = Some(now);
            child.metadata.resource_version = version;
        }
    }

    /// The uid of a child.
    pub fn uid_of(&self, name: &str) -> Option<String> {
        self.children.get(name)?.metadata.uid.clone()
    }

    /// The cluster of a colour's child.
    pub fn cluster(&self, color: Color) -> Option<&Cluster> {
        self.clusters.get(&self.uid_of(&color.child_name(NAME))?)
    }

    /// The same, to be changed.
    pub fn cluster_mut(&mut self, color: Color) -> Option<&mut Cluster> {
        let uid = self.uid_of(&color.child_name(NAME))?;
        self.changed = true;
        self.clusters.get_mut(&uid)
    }

    /// The JobManager of a colour restarts: it forgets the savepoint requests, and the job starts from its last checkpoint.
    pub fn restart_job_manager(&mut self, color: Color) {
        if let Some(cluster) = self.cluster_mut(color) {
            cluster.requests.clear();
        }
    }

    /// How many jobs run, and so may write.
    pub fn running_jobs(&self) -> usize {
        let runs = |color: &Color| {
            if self
                .cluster(*color)
                .is_some_and(|cluster| cluster.held || cluster.drained)
                || self.is_closed(*color)
            {
                return false;
            }
            let version = self
                .child(*color)
                .map(|child| Version::of(child.spec.image.as_deref().unwrap_or_default()));
            let started = self.cluster(*color).and_then(|cluster| cluster.age);
            started.is_some_and(|age| age >= 2) && matches!(version, Some(Version::Works | Version::Unstable))
        };
        Color::BOTH.iter().filter(|color| runs(color)).count()
    }

    /// Where the Ingress leads.
    pub fn ingress_backend(&self) -> Option<String> {
        let rules = self.ingress.as_ref()?.spec.as_ref()?.rules.as_ref()?;
        let path = rules.first()?.http.as_ref()?.paths.first()?;
        Some(path.backend.service.as_ref()?.name.clone())
    }

    /// The shell writes the status, under the resourceVersion that it observed.
    pub fn write_status(
        &mut self,
        observed_version: Option<&str>,
        status: &FlinkBlueGreenDeploymentStatus,
    ) -> Answer {
        if self.resource().metadata.resource_version.as_deref() != observed_version {
            return Err("409 Conflict: the object has been modified".to_owned());
        }
        let version = self.next_version();
        let resource = self.resource.as_mut().unwrap();
        // Through its wire form, as every status goes.
        let wire = serde_json::to_value(status).unwrap();
        let read = FlinkBlueGreenDeploymentStatus::read(&wire);
        assert_eq!(read, *status, "the status does not survive its wire form");
        resource.status = Some(read);
        resource.metadata.resource_version = version;
        self.writes += 1;
        Ok(())
    }

    /// The shell carries an effect out.
    pub fn carry_out(&mut self, effect: &Effect) -> Answer {
        let answer = self.try_to(effect);
        if answer.is_ok() {
            self.writes += 1;
        }
        answer
    }

    fn try_to(&mut self, effect: &Effect) -> Answer {
        match effect {
            Effect::CreateChild { manifest } => self.create_child(manifest),
            Effect::ReplaceChild { manifest } => self.replace_child(manifest),
            Effect::DeleteChild {
                name,
                uid,
                resource_version,
            } => {
                let child = self.children.get(name).ok_or("404 Not Found")?;
                if child.metadata.uid.as_ref() != Some(uid)
                    || child.metadata.resource_version.as_ref() != Some(resource_version)
                {
                    return Err("409 Conflict: precondition failed".to_owned());
                }
                self.delete(name);
                Ok(())
            }
            Effect::TriggerSavepoint {
                child,
                job_id,
                trigger_id,
                directory,
            } => self.trigger(child, job_id, trigger_id, directory),
            Effect::StopDrained {
                child,
                job_id,
                trigger_id,
                directory,
            } => {
                let uid = self.uid_of(child).ok_or("connection refused")?;
                let cluster = self.clusters.get_mut(&uid).ok_or("connection refused")?;
                if cluster.age.is_none() || cluster.job_id != *job_id {
                    return Err(format!("404: job {job_id} not found"));
                }
                cluster.drained = true;
                let request = Request {
                    directory: directory.clone(),
                    left: Some(0),
                    failure: None,
                    location: Some(format!("{directory}/savepoint-1")),
                    checkpoint: None,
                };
                cluster.requests.insert(trigger_id.clone(), request);
                self.changed = true;
                Ok(())
            }
            Effect::DisposeSavepoint { path, .. } => {
                if let Some(why) = &self.refuse_disposals {
                    return Err(why.clone());
                }
                self.states.remove(path);
                Ok(())
            }
            Effect::WriteHandover { expected, record } => {
                if self.handover.as_ref().map(|(version, _)| *version) != expected.map(|version| version.0) {
                    return Err("409 Conflict: the record has been written by someone else".to_owned());
                }
                let version = expected.map_or(1, |version| version.0 + 1);
                self.handover = Some((version, (**record).clone()));
                self.changed = true;
                Ok(())
            }
            Effect::ApplyIngress { manifest } => {
                if let Some(why) = &self.refuse_ingress {
                    return Err(why.clone());
                }
                self.changed = true;
                let mut ingress = (**manifest).clone();
                ingress.metadata.uid = Some("u-ingress".to_owned());
                self.ingress = Some(ingress);
                Ok(())
            }
            Effect::DeleteIngress { uid, .. } => {
                let present = self.ingress.as_ref().ok_or("404 Not Found")?;
                if present.metadata.uid.as_ref() != Some(uid) {
                    return Err("409 Conflict: precondition failed".to_owned());
                }
                self.changed = true;
                self.ingress = None;
                Ok(())
            }
        }
    }

    fn create_child(&mut self, manifest: &FlinkDeployment) -> Answer {
        let name = manifest.metadata.name.clone().unwrap();
        if let Some(why) = &self.refuse_creation {
            return Err(why.clone());
        }
        if self.children.contains_key(&name) {
            return Err(format!("409 AlreadyExists: {name}"));
        }
        self.uids += 1;
        let mut child = manifest.clone();
        child.metadata.uid = Some(format!("u-child-{}", self.uids));
        child.metadata.generation = Some(1);
        child.metadata.creation_timestamp = Some(Time(self.now));
        child.metadata.finalizers = Some(vec![FINALIZER_FLINK_DEPLOYMENT.to_owned()]);
        child.metadata.resource_version = self.next_version();
        let number = child.metadata.labels.as_ref().unwrap()[LABEL_TRANSITION]
            .parse()
            .unwrap();
        self.created.push(number);
        self.retained.remove(&name);
        self.children.insert(name, child);
        Ok(())
    }

    fn replace_child(&mut self, manifest: &FlinkDeployment) -> Answer {
        let name = manifest.metadata.name.clone().unwrap();
        let version = self.next_version();
        let present = self.children.get_mut(&name).ok_or("404 Not Found")?;
        if present.metadata.uid != manifest.metadata.uid
            || present.metadata.resource_version != manifest.metadata.resource_version
        {
            return Err("409 Conflict: the object has been modified".to_owned());
        }
        if present.spec != manifest.spec {
            present.metadata.generation = present.metadata.generation.map(|number| number + 1);
        }
        present.spec = manifest.spec.clone();
        present.metadata.labels.clone_from(&manifest.metadata.labels);
        present
            .metadata
            .annotations
            .clone_from(&manifest.metadata.annotations);
        present.metadata.resource_version = version;
        Ok(())
    }

    fn trigger(&mut self, child: &str, job_id: &str, trigger_id: &str, directory: &str) -> Answer {
        let uid = self.uid_of(child).ok_or("connection refused")?;
        let behaviour = self.savepoints;
        let cluster = self.clusters.get_mut(&uid).ok_or("connection refused")?;
        if cluster.age.is_none() || cluster.job_id != job_id {
            return Err(format!("404: job {job_id} not found"));
        }
        if behaviour == SavepointBehaviour::Refused {
            return Err("503 Service Unavailable".to_owned());
        }
        if cluster.requests.contains_key(trigger_id) {
            // The same id is the same savepoint.
            return Ok(());
        }
        let request = Request {
            directory: directory.to_owned(),
            left: match behaviour {
                SavepointBehaviour::Hang => None,
                _ => Some(2),
            },
            failure: match behaviour {
                SavepointBehaviour::Fail(_) => Some("Checkpoint expired before completing".to_owned()),
                _ => None,
            },
            location: None,
            checkpoint: None,
        };
        if let SavepointBehaviour::Fail(left) = behaviour {
            self.savepoints = match left {
                0 | 1 => SavepointBehaviour::Work,
                more => SavepointBehaviour::Fail(more - 1),
            };
        }
        cluster.requests.insert(trigger_id.to_owned(), request);
        *self.begun.entry(trigger_id.to_owned()).or_default() += 1;
        self.changed = true;
        Ok(())
    }

    /// What garbage collection does: objects whose owner is gone go.
    pub fn delete_resource(&mut self) {
        let now = Time(self.now);
        let version = self.next_version();
        let metadata = &mut self.resource.as_mut().unwrap().metadata;
        metadata.deletion_timestamp = Some(now);
        metadata.resource_version = version;
    }
}
