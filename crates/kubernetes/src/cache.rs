//! What the watches have delivered, kept small: the bytes of each object, not the object.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use kube::core::DynamicObject;

use crate::deployments::{cluster_name, trim_cluster};
use crate::kind::{Kind, Name};
use crate::object::{name_of, trim};

/// What the watches have delivered. It informs and wakes; nothing is done on the strength of it alone.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    blue_green: RwLock<HashMap<Name, Cached>>,
    deployments: RwLock<HashMap<Name, Cached>>,
    ingresses: RwLock<HashMap<Name, Cached>>,
    clusters: RwLock<HashMap<Name, Cached>>,
    pods: RwLock<HashMap<Name, Cached>>,
    /// Of what is not watched; always empty.
    others: RwLock<HashMap<Name, Cached>>,
}

#[derive(Debug)]
struct Cached {
    version: u64,
    owner: Option<Box<str>>,
    json: Box<[u8]>,
}

impl Cache {
    /// The object; `None`: the watch knows none.
    pub(crate) fn get(&self, kind: Kind, name: &Name) -> Option<DynamicObject> {
        let objects = self.read(kind);
        // Only what could be read was kept.
        serde_json::from_slice(&objects.get(name)?.json).ok()
    }

    /// Keeps the object unless a newer one is known. Returns whom it concerns: the owner now and before.
    pub(crate) fn put(&self, kind: Kind, mut object: DynamicObject) -> Vec<Name> {
        trim(&mut object);
        trim_cluster(kind, &mut object);
        let name = name_of(&object);
        let version = version(&object);
        let owner = owner(kind, &object);
        let Ok(json) = serde_json::to_vec(&object) else {
            return Vec::new();
        };
        let mut objects = self.write(kind);
        let before = objects.get(&name);
        let mut owners = HashSet::new();
        owners.extend(before.and_then(|cached| cached.owner.clone()));
        owners.extend(owner.clone());
        if before.is_none_or(|cached| cached.version <= version) {
            let cached = Cached {
                version,
                owner,
                json: json.into_boxed_slice(),
            };
            objects.insert(name.clone(), cached);
        }
        owners.into_iter().map(|owner| name.beside(owner)).collect()
    }

    /// Takes what was read or written beside the watch, if the watch knows the object: what is gone must not come back.
    pub(crate) fn update(&self, kind: Kind, object: &DynamicObject) {
        if self.read(kind).contains_key(&name_of(object)) {
            self.put(kind, object.clone());
        }
    }

    /// The object is gone. Returns its owner.
    pub(crate) fn remove(&self, kind: Kind, name: &Name) -> Option<Name> {
        let removed = self.write(kind).remove(name)?;
        Some(name.beside(removed.owner?))
    }

    /// The names of all objects of a kind, within a namespace or everywhere.
    pub(crate) fn names(&self, kind: Kind, within: Option<&str>) -> Vec<Name> {
        let objects = self.read(kind);
        objects
            .keys()
            .filter(|name| within.is_none_or(|namespace| name.namespace == namespace))
            .cloned()
            .collect()
    }

    /// The objects of a kind that concern this owner.
    pub(crate) fn owned(&self, kind: Kind, owner: &Name) -> Vec<DynamicObject> {
        let objects = self.read(kind);
        objects
            .iter()
            .filter(|(name, cached)| {
                name.namespace == owner.namespace && cached.owner.as_deref() == Some(owner.name.as_str())
            })
            .filter_map(|(_, cached)| serde_json::from_slice(&cached.json).ok())
            .collect()
    }

    fn of(&self, kind: Kind) -> &RwLock<HashMap<Name, Cached>> {
        match kind {
            Kind::FlinkBlueGreenDeployment => &self.blue_green,
            Kind::FlinkDeployment => &self.deployments,
            Kind::Ingress => &self.ingresses,
            Kind::Deployment => &self.clusters,
            Kind::Pod => &self.pods,
            Kind::Service | Kind::ConfigMap => &self.others,
        }
    }

    fn read(&self, kind: Kind) -> RwLockReadGuard<'_, HashMap<Name, Cached>> {
        self.of(kind).read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, kind: Kind) -> RwLockWriteGuard<'_, HashMap<Name, Cached>> {
        self.of(kind).write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Versions of one kind may be compared as numbers (Kubernetes 1.35 says so; every API server over etcd has done so). One
/// that is no number counts as the newest.
fn version(object: &DynamicObject) -> u64 {
    let version = object.metadata.resource_version.as_deref();
    version.and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)
}

/// The name of the FlinkBlueGreenDeployment that owns the object, or of the FlinkDeployment whose cluster it belongs to.
fn owner(kind: Kind, object: &DynamicObject) -> Option<Box<str>> {
    match kind {
        Kind::Deployment | Kind::Pod => return cluster_name(object).map(Into::into),
        Kind::FlinkBlueGreenDeployment
        | Kind::FlinkDeployment
        | Kind::Ingress
        | Kind::Service
        | Kind::ConfigMap => {}
    }
    let owners = object.metadata.owner_references.as_deref().unwrap_or_default();
    owners
        .iter()
        .find(|owner| owner.kind == Kind::FlinkBlueGreenDeployment.name())
        .map(|owner| owner.name.clone().into_boxed_str())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn object(version: u64, owner: Option<&str>) -> DynamicObject {
        let owners: Vec<Value> = owner
            .map(|name| json!({ "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkBlueGreenDeployment", "name": name, "uid": "u" }))
            .into_iter()
            .collect();
        serde_json::from_value(json!({
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkDeployment",
            "metadata": {
                "name": "orders-blue", "namespace": "flink", "resourceVersion": version.to_string(), "ownerReferences": owners,
            },
            "spec": { "image": version.to_string() },
        }))
        .unwrap()
    }

    #[test]
    fn an_older_object_never_replaces_a_newer_one_and_both_owners_are_woken() {
        let cache = Cache::default();
        let name = Name::new("flink", "orders-blue");
        let image = || {
            cache
                .get(Kind::FlinkDeployment, &name)
                .map(|it| it.data["spec"]["image"].clone())
        };
        assert_eq!(
            cache.put(Kind::FlinkDeployment, object(9, Some("orders"))),
            [Name::new("flink", "orders")]
        );
        cache.put(Kind::FlinkDeployment, object(8, Some("orders")));
        assert_eq!(image(), Some(json!("9")));
        // Someone took the owner reference away: the owner has to hear of it.
        assert_eq!(
            cache.put(Kind::FlinkDeployment, object(10, None)),
            [Name::new("flink", "orders")]
        );
        assert_eq!(image(), Some(json!("10")));
        assert_eq!(cache.remove(Kind::FlinkDeployment, &name), None);
        cache.update(Kind::FlinkDeployment, &object(11, Some("orders")));
        assert_eq!(image(), None, "what is gone does not come back");
    }
}
