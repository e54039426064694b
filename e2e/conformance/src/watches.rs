//! One watch of each kind for all scenarios; what it brings goes to the scene of its namespace.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, pin_mut};
use kube::Client;
use kube::runtime::watcher::{self, Event};
use serde_json::Value;

use crate::kinds::{Kind, text};
use crate::scene::Scene;

/// The scenes by namespace.
pub(crate) type Scenes = Arc<BTreeMap<String, Arc<Scene>>>;

/// The kinds that are watched.
pub(crate) const WATCHED: [Kind; 4] = [Kind::BlueGreen, Kind::Flink, Kind::Ingress, Kind::Event];

/// Watches one kind until the task is dropped.
pub(crate) async fn follow(client: Client, kind: Kind, scenes: Scenes) {
    let stream = watcher::watcher(kind.everywhere(&client), watcher::Config::default());
    pin_mut!(stream);
    // What was there at the last look and not at this one is gone.
    let mut known: BTreeMap<(String, String), Value> = BTreeMap::new();
    let mut listed: BTreeSet<(String, String)> = BTreeSet::new();
    while let Some(event) = stream.next().await {
        match event {
            Ok(Event::Init) => listed.clear(),
            Ok(Event::InitApply(object)) => {
                if let Some((key, object)) = ours(&object, &scenes) {
                    listed.insert(key.clone());
                    note(kind, &scenes, key, object, &mut known);
                }
            }
            Ok(Event::InitDone) => {
                let gone: Vec<_> = known
                    .keys()
                    .filter(|key| !listed.contains(*key))
                    .cloned()
                    .collect();
                for key in gone {
                    if let (Some(object), Some(scene)) = (known.remove(&key), scenes.get(&key.0)) {
                        scene.take_note_gone(kind, &object);
                    }
                }
            }
            Ok(Event::Apply(object)) => {
                if let Some((key, object)) = ours(&object, &scenes) {
                    note(kind, &scenes, key, object, &mut known);
                }
            }
            Ok(Event::Delete(object)) => {
                if let Some((key, object)) = ours(&object, &scenes) {
                    known.remove(&key);
                    if let Some(scene) = scenes.get(&key.0) {
                        scene.take_note_gone(kind, &object);
                    }
                }
            }
            Err(error) => {
                eprintln!("a watch of the conformance run broke off and is begun again: {error}");
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

fn note(
    kind: Kind,
    scenes: &Scenes,
    key: (String, String),
    object: Value,
    known: &mut BTreeMap<(String, String), Value>,
) {
    if let Some(scene) = scenes.get(&key.0) {
        scene.take_note(kind, object.clone());
    }
    known.insert(key, object);
}

fn ours(object: &kube::api::DynamicObject, scenes: &Scenes) -> Option<((String, String), Value)> {
    let namespace = object.metadata.namespace.clone()?;
    if !scenes.contains_key(&namespace) {
        return None;
    }
    let object = serde_json::to_value(object).ok()?;
    let name = text(&object, "/metadata/name").to_owned();
    Some(((namespace, name), object))
}
