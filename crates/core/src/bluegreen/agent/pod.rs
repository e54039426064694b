//! The JobManager's pod of a prepared child: how the jar gets into it.

use serde_json::{Map, Value, json};
use sluice_api::FlinkDeploymentSpec;
use sluice_api::configuration::FlinkConfiguration;

use super::JAR;

/// The init container, and the volume through which it hands the jar over (FLIP-504).
const INIT_CONTAINER: &str = "bluegreen-agent-init";
const VOLUME: &str = "bluegreen-agent";
/// Where the init container sees the volume.
const DIRECTORY: &str = "/bluegreen-agent";
/// The one file of the volume, also within the main container, so that the other files beside it stay.
const FILE: &str = "bluegreen-agent.jar";
/// Flink's own container.
const MAIN_CONTAINER: &str = "flink-main-container";

type Object = Map<String, Value>;

/// The image that the agent of a prepared child comes from.
pub(super) fn image(spec: &FlinkDeploymentSpec) -> Option<&str> {
    let template = spec.job_manager.as_ref()?.pod_template.as_ref()?;
    let containers = template.pointer("/spec/initContainers")?.as_array()?;
    let own = containers
        .iter()
        .find(|container| container.get("name").and_then(Value::as_str) == Some(INIT_CONTAINER))?;
    own.get("image")?.as_str()
}

/// Lays the agent over the JobManager's pod template. The common template and the TaskManagers' stay as they are.
pub(super) fn deliver(spec: &mut FlinkDeploymentSpec, configuration: &FlinkConfiguration, image: &str) {
    let manager = spec.job_manager.get_or_insert_default();
    let own = manager.pod_template.take();
    let mut template = match (&spec.pod_template, own) {
        // By position, an entry that is appended to this list would be laid over one of the common template's. With that
        // one's entries before it, it is not.
        (Some(common), own) if !merges_by_name(configuration) => {
            let mut whole = common.clone();
            if let Some(own) = own {
                lay_over(&mut whole, &own);
            }
            whole
        }
        (_, own) => own.unwrap_or_default(),
    };
    if !template.is_object() {
        template = Value::Object(Object::new());
    }
    if let Value::Object(template) = &mut template {
        with_object(template, "spec", |pod| {
            with_entry(pod, "volumes", "name", VOLUME, |volume| {
                // One that the user has put there may have a size limit, or be in memory.
                if volume.len() == 1 {
                    volume.insert("emptyDir".to_owned(), json!({}));
                }
            });
            with_entry(pod, "initContainers", "name", INIT_CONTAINER, |container| {
                init_container(container, image);
            });
            with_entry(pod, "containers", "name", MAIN_CONTAINER, |container| {
                with_entry(container, "volumeMounts", "mountPath", JAR, |mount| {
                    mount.insert("name".to_owned(), json!(VOLUME));
                    mount.insert("subPath".to_owned(), json!(FILE));
                });
            });
        });
    }
    spec.job_manager.get_or_insert_default().pod_template = Some(template);
}

/// The operator's own program copies the jar: its image holds no shell and no other program. What the user has given to a
/// container of this name (resources, a security context) stays.
fn init_container(container: &mut Object, image: &str) {
    container.insert("image".to_owned(), json!(image));
    container.insert(
        "command".to_owned(),
        json!(["/sluice-operator", "copy-agent", format!("{DIRECTORY}/{FILE}")]),
    );
    with_entry(container, "volumeMounts", "mountPath", DIRECTORY, |mount| {
        mount.insert("name".to_owned(), json!(VOLUME));
    });
    // What namespaces with the restricted pod security standard ask of each container by itself.
    container
        .entry("securityContext")
        .or_insert_with(|| json!({ "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } }));
}

/// Whether the lists of pod templates are merged by the names of their entries, as this child is deployed. Upstream's
/// default, and Sluice's, is by position.
fn merges_by_name(configuration: &FlinkConfiguration) -> bool {
    configuration
        .get("kubernetes.operator.pod-template.merge-arrays-by-name")
        .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"))
}

/// Lays one template over another as upstream does at deployment: objects by their fields, lists by position.
fn lay_over(common: &mut Value, particular: &Value) {
    match (common, particular) {
        (Value::Object(common), Value::Object(particular)) => {
            for (name, value) in particular {
                match common.get_mut(name) {
                    Some(present) => lay_over(present, value),
                    None => {
                        common.insert(name.clone(), value.clone());
                    }
                }
            }
        }
        (Value::Array(common), Value::Array(particular)) => {
            for (position, value) in particular.iter().enumerate() {
                match common.get_mut(position) {
                    Some(present) => lay_over(present, value),
                    None => common.push(value.clone()),
                }
            }
        }
        (common, particular) => *common = particular.clone(),
    }
}

/// Changes the object under a name; there is one afterwards.
fn with_object(parent: &mut Object, name: &str, change: impl FnOnce(&mut Object)) {
    let mut object = match parent.remove(name) {
        Some(Value::Object(object)) => object,
        Some(_) | None => Object::new(),
    };
    change(&mut object);
    parent.insert(name.to_owned(), Value::Object(object));
}

/// Changes the entry of a list whose `field` is `value`; if there is none, it is put at the end.
fn with_entry(parent: &mut Object, list: &str, field: &str, value: &str, change: impl FnOnce(&mut Object)) {
    let mut entries = match parent.remove(list) {
        Some(Value::Array(entries)) => entries,
        Some(_) | None => Vec::new(),
    };
    let is_it = |entry: &&mut Object| entry.get(field).and_then(Value::as_str) == Some(value);
    if let Some(entry) = entries.iter_mut().filter_map(Value::as_object_mut).find(is_it) {
        change(entry);
    } else {
        let mut entry = Object::new();
        entry.insert(field.to_owned(), json!(value));
        change(&mut entry);
        entries.push(Value::Object(entry));
    }
    parent.insert(list.to_owned(), Value::Array(entries));
}
