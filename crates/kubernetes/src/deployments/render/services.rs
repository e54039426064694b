//! The two services of a cluster, and the Ingress of a FlinkDeployment by itself.

use serde_json::{Value, json};
use sluice_core::bluegreen::ingress;

use super::configuration::Configuration;
use super::{Target, options};
use crate::deployments::marks::JOB_MANAGER;

/// The services: the one that the TaskManagers find the JobManager by, which high availability does without, and the one
/// for the REST API.
pub(super) fn services(target: &Target<'_>, configuration: &Configuration) -> Result<Vec<Value>, String> {
    let map = &configuration.map;
    let ports = &configuration.ports;
    let names = target.names();
    let selector = names.labels(JOB_MANAGER);
    let mut services = Vec::new();
    if !configuration.is_highly_available {
        services.push(json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": target.metadata(target.name, &options::map_of(map, "kubernetes.internal-service.annotations")?),
            "spec": {
                "clusterIP": "None",
                "ports": [
                    { "name": "jobmanager-rpc", "port": ports.rpc, "targetPort": ports.rpc },
                    { "name": "blobserver", "port": ports.blob, "targetPort": ports.blob },
                ],
                "selector": selector,
            },
        }));
    }
    let key = "kubernetes.rest-service.exposed.type";
    let exposed = map.get(key).map_or("ClusterIP", |text| text.trim());
    let (kind, headless) = match exposed {
        "ClusterIP" | "NodePort" | "LoadBalancer" => (exposed, false),
        "Headless_ClusterIP" => ("ClusterIP", true),
        other => {
            return Err(options::problem_of(
                key,
                &format!("found `{other}`, expected ClusterIP, NodePort, LoadBalancer or Headless_ClusterIP"),
            ));
        }
    };
    let mut spec = json!({
        "type": kind,
        "ports": [{ "name": "rest", "port": ports.rest, "targetPort": ports.rest_bind }],
        "selector": selector,
    });
    if headless && let Value::Object(spec) = &mut spec {
        spec.insert("clusterIP".to_owned(), json!("None"));
    }
    services.push(json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": target.metadata(&names.rest_service(), &options::map_of(map, "kubernetes.rest-service.annotations")?),
        "spec": spec,
    }));
    Ok(services)
}

/// The Ingress that leads to the REST service; `None` where none is asked for.
pub(super) fn ingress(target: &Target<'_>, configuration: &Configuration) -> Result<Option<Value>, String> {
    let is_managed = configuration
        .map
        .get("kubernetes.operator.ingress.manage")
        .is_none_or(|value| !value.trim().eq_ignore_ascii_case("false"));
    let Some(wanted) = target.spec.ingress.as_ref().filter(|_| is_managed) else {
        return Ok(None);
    };
    let words = |error: serde_json::Error| format!("spec.ingress: it cannot be written: {error}");
    let owner = serde_json::from_value(target.owner()).map_err(words)?;
    let to = ingress::Backend {
        service: target.names().rest_service(),
        port: i32::from(configuration.ports.rest),
    };
    let Some(ingress) = ingress::leading_to(target.name, target.namespace, owner, wanted, to) else {
        return Ok(None);
    };
    serde_json::to_value(ingress).map(Some).map_err(words)
}
