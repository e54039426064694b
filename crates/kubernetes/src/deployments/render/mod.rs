//! From a plan to the objects of a native Kubernetes application cluster, as Flink's own client makes them.
//!
//! Pure functions. What they make is compared, on a real API server, with what the client of Flink 1.20 and of Flink 2.3
//! has made there from the same options (`tests/deployments/native`). Three things are Sluice's own: the labels and
//! annotations of `marks.rs`; that the ConfigMaps and services belong to the FlinkDeployment and are there before the
//! Deployment; and, without high availability, that a JobManager is never started twice.

mod configuration;
mod memory;
mod options;
mod pod;
mod services;
mod template;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_api::flink_deployment::KubernetesDeploymentMode;
use sluice_api::{API_VERSION, FlinkDeployment, FlinkDeploymentSpec};
use sluice_core::lifecycle::DeploymentPlan;

use super::marks::{
    ANNOTATION_RESTORED_FROM, ANNOTATION_STARTS, JOB_MANAGER, LABEL_APP, LABEL_COMPONENT, LABEL_DEPLOYMENT,
    LABEL_TYPE, NATIVE, ONCE,
};
use crate::kind::Kind;

/// The objects of one cluster.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Objects {
    /// ConfigMaps, services and the Ingress: there before the Deployment is.
    pub before: Vec<Value>,
    /// The Deployment. With it the cluster is launched.
    pub deployment: Value,
}

/// Makes the objects that a plan becomes for this FlinkDeployment. Errors: what of the specification cannot be carried out,
/// in a sentence.
pub fn render(resource: &FlinkDeployment, plan: &DeploymentPlan) -> Result<Objects, String> {
    let metadata = &resource.metadata;
    let target = Target {
        name: metadata.name.as_deref().unwrap_or_default(),
        namespace: metadata.namespace.as_deref().unwrap_or_default(),
        uid: metadata.uid.as_deref().unwrap_or_default(),
        generation: metadata.generation.unwrap_or_default(),
        spec: &resource.spec,
        plan,
    };
    if target.spec.mode == Some(KubernetesDeploymentMode::Standalone) {
        return Err(
            "spec.mode: found `standalone`, expected `native`, because Sluice does not run standalone clusters on Kubernetes yet"
                .to_owned(),
        );
    }
    let names = target.names();
    let mut configuration = configuration::effective(&target)?;
    let template = pod::task_manager_template(target.spec, &configuration.map);
    if template.is_some() {
        let path = format!("{}/{}", pod::TEMPLATE_DIRECTORY, pod::TASK_MANAGER_TEMPLATE);
        configuration
            .map
            .insert("kubernetes.pod-template-file.taskmanager".to_owned(), path);
    }
    let files = files(&configuration, plan);

    let job_manager = pod::JobManager {
        names: &names,
        spec: target.spec,
        configuration: &configuration,
        files: files.keys().cloned().collect(),
        has_template: template.is_some(),
    };
    let deployment = deployment(&target, &configuration, &job_manager)?;
    let config_map = |name: &str, data: &BTreeMap<String, String>| {
        json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": target.metadata(name, &BTreeMap::new()),
            "data": data,
        })
    };
    // The JobManager's is named after the deployment, so that it never reads what a node still holds of an older one; the
    // TaskManagers' has the name that Flink gives it.
    let mut before = vec![
        config_map(&names.job_manager_config(), &files),
        config_map(&names.config(), &files),
    ];
    if let Some(template) = template {
        let data = BTreeMap::from([(pod::TASK_MANAGER_TEMPLATE.to_owned(), template.to_string())]);
        before.push(config_map(&names.pod_template(), &data));
    }
    before.extend(services::services(&target, &configuration)?);
    before.extend(services::ingress(&target, &configuration)?);
    Ok(Objects { before, deployment })
}

/// The files of Flink's configuration directory.
fn files(configuration: &configuration::Configuration, plan: &DeploymentPlan) -> BTreeMap<String, String> {
    let (name, text) = configuration::file(configuration, plan);
    let mut files = plan.log_configuration.clone();
    files.insert(name.to_owned(), text);
    let has_logging = ["log4j-console.properties", "logback-console.xml"]
        .iter()
        .any(|name| files.contains_key(*name));
    if !has_logging {
        files.insert(
            "log4j-console.properties".to_owned(),
            configuration::LOG4J.to_owned(),
        );
    }
    files
}

fn deployment(
    target: &Target<'_>,
    configuration: &configuration::Configuration,
    job_manager: &pod::JobManager<'_>,
) -> Result<Value, String> {
    let names = target.names();
    let mut annotations = job_manager.annotations()?;
    if let Some(restore) = &target.plan.restore {
        annotations.insert(ANNOTATION_RESTORED_FROM.to_owned(), restore.path.clone());
    }
    // A second one is a standby, and there is none without high availability.
    let replicas = if configuration.is_highly_available {
        target.plan.job_manager_replicas
    } else {
        annotations.insert(ANNOTATION_STARTS.to_owned(), ONCE.to_owned());
        1
    };
    Ok(json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": target.name,
            "namespace": target.namespace,
            "labels": job_manager.labels()?,
            "annotations": annotations,
            "ownerReferences": [target.owner()],
        },
        "spec": {
            "replicas": replicas,
            "selector": { "matchLabels": names.labels(JOB_MANAGER) },
            "template": job_manager.template()?,
        },
    }))
}

/// What is rendered.
struct Target<'a> {
    name: &'a str,
    namespace: &'a str,
    uid: &'a str,
    generation: i64,
    spec: &'a FlinkDeploymentSpec,
    plan: &'a DeploymentPlan,
}

impl Target<'_> {
    fn names(&self) -> Names {
        Names {
            cluster: self.name.to_owned(),
            deployment: self.plan.deployment,
        }
    }

    /// As upstream's, which does not control the Deployment either.
    fn owner(&self) -> Value {
        json!({
            "apiVersion": API_VERSION,
            "kind": Kind::FlinkDeployment.name(),
            "name": self.name,
            "uid": self.uid,
            "controller": false,
            "blockOwnerDeletion": true,
        })
    }

    /// The metadata of what is there before the Deployment.
    fn metadata(&self, name: &str, annotations: &BTreeMap<String, String>) -> Value {
        let labels = BTreeMap::from([
            (LABEL_APP, self.name.to_owned()),
            (LABEL_TYPE, NATIVE.to_owned()),
            (LABEL_DEPLOYMENT, self.plan.deployment.to_string()),
        ]);
        json!({
            "name": name,
            "namespace": self.namespace,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [self.owner()],
        })
    }
}

/// The names of a cluster's objects.
struct Names {
    cluster: String,
    deployment: u64,
}

impl Names {
    fn config(&self) -> String {
        format!("flink-config-{}", self.cluster)
    }

    fn job_manager_config(&self) -> String {
        format!("flink-config-{}-{}", self.cluster, self.deployment)
    }

    fn pod_template(&self) -> String {
        format!("pod-template-{}", self.cluster)
    }

    fn rest_service(&self) -> String {
        format!("{}-rest", self.cluster)
    }

    /// Flink's own labels, which are the selectors, too.
    fn labels(&self, component: &str) -> BTreeMap<String, String> {
        BTreeMap::from([
            (LABEL_APP.to_owned(), self.cluster.clone()),
            (LABEL_COMPONENT.to_owned(), component.to_owned()),
            (LABEL_TYPE.to_owned(), NATIVE.to_owned()),
        ])
    }
}
