//! The Ingress that always leads to the active child.

use std::collections::BTreeMap;

use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use serde_json::Value;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeployment, FlinkBlueGreenDeploymentSpec};
use sluice_api::configuration;

use super::child;

/// Flink's default of `rest.port`.
const DEFAULT_REST_PORT: i32 = 8081;

/// The Ingress of the resource, leading to the child of `color` that runs `spec`; `None` without a template.
pub fn manifest(
    parent: &FlinkBlueGreenDeployment,
    wanted: &sluice_api::flink_deployment::IngressSpec,
    spec: &FlinkBlueGreenDeploymentSpec,
    color: Color,
) -> Option<Ingress> {
    let name = child::name(parent);
    let to = Backend {
        service: format!("{}-rest", color.child_name(name)),
        port: rest_port(spec),
    };
    leading_to(
        name,
        parent.metadata.namespace.as_deref().unwrap_or_default(),
        child::owner_reference(parent),
        wanted,
        to,
    )
}

/// What an Ingress leads to.
#[derive(Clone, Debug)]
pub struct Backend {
    /// The name of the service.
    pub service: String,
    /// Its port.
    pub port: i32,
}

/// An Ingress of this name and owner from a template, leading to this service; `None` without a template.
pub fn leading_to(
    name: &str,
    namespace: &str,
    owner: OwnerReference,
    wanted: &sluice_api::flink_deployment::IngressSpec,
    to: Backend,
) -> Option<Ingress> {
    let template = wanted.template.as_deref()?;
    let (host, path) = split(&filled(template, name, namespace));
    let mut labels = wanted.labels.clone().unwrap_or_default();
    labels.insert("component".to_owned(), "ingress".to_owned());
    let tls: Vec<IngressTLS> = wanted
        .tls
        .iter()
        .flatten()
        .map(|tls| IngressTLS {
            hosts: tls.hosts.clone(),
            secret_name: tls.secret_name.clone(),
        })
        .collect();
    Some(Ingress {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            namespace: Some(namespace.to_owned()),
            labels: Some(labels),
            annotations: wanted.annotations.clone(),
            owner_references: Some(vec![owner]),
            ..ObjectMeta::default()
        },
        spec: Some(IngressSpec {
            ingress_class_name: wanted.class_name.clone(),
            tls: (!tls.is_empty()).then_some(tls),
            rules: Some(vec![IngressRule {
                host,
                http: Some(HTTPIngressRuleValue {
                    paths: vec![HTTPIngressPath {
                        path: Some(path),
                        path_type: "ImplementationSpecific".to_owned(),
                        backend: IngressBackend {
                            service: Some(IngressServiceBackend {
                                name: to.service,
                                port: Some(ServiceBackendPort {
                                    number: Some(to.port),
                                    name: None,
                                }),
                            }),
                            resource: None,
                        },
                    }],
                }),
            }]),
            default_backend: None,
        }),
        status: None,
    })
}

fn rest_port(spec: &FlinkBlueGreenDeploymentSpec) -> i32 {
    let configuration: BTreeMap<String, String> = spec
        .template
        .as_ref()
        .and_then(|template| template.spec.as_ref())
        .and_then(|spec| spec.flink_configuration.as_ref())
        .map(configuration::flatten)
        .unwrap_or_default();
    configuration
        .get("rest.port")
        .and_then(|port| port.trim().parse().ok())
        .unwrap_or(DEFAULT_REST_PORT)
}

/// The template with `{{name}}` and `{{namespace}}` filled in, whatever their case.
fn filled(template: &str, name: &str, namespace: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((word, after)) = after.split_once("}}") else {
            text.push_str("{{");
            rest = after;
            continue;
        };
        match word.trim().to_ascii_lowercase().as_str() {
            "name" => text.push_str(name),
            "namespace" => text.push_str(namespace),
            _ => {
                text.push_str("{{");
                text.push_str(word);
                text.push_str("}}");
            }
        }
        rest = after;
    }
    text.push_str(rest);
    text
}

/// Host and path of a filled template; a leading scheme is allowed.
fn split(template: &str) -> (Option<String>, String) {
    let rest = template.split_once("://").map_or(template, |(_, rest)| rest);
    match rest.split_once('/') {
        Some((host, path)) => ((!host.is_empty()).then(|| host.to_owned()), format!("/{path}")),
        None => ((!rest.is_empty()).then(|| rest.to_owned()), "/".to_owned()),
    }
}

/// Whether the Ingress that is there is as wanted: everything wanted stands in it; what a server or another controller
/// added does not matter.
pub fn is_as_wanted(wanted: &Ingress, present: &Ingress) -> bool {
    let as_json = |ingress: &Ingress| {
        (
            serde_json::to_value(&ingress.metadata.labels).unwrap_or_default(),
            serde_json::to_value(&ingress.metadata.annotations).unwrap_or_default(),
            serde_json::to_value(&ingress.spec).unwrap_or_default(),
        )
    };
    let (wanted, present) = (as_json(wanted), as_json(present));
    contains(&present.0, &wanted.0) && contains(&present.1, &wanted.1) && contains(&present.2, &wanted.2)
}

/// Whether `present` holds everything that `wanted` does.
pub(super) fn contains(present: &Value, wanted: &Value) -> bool {
    match (present, wanted) {
        (_, Value::Null) => true,
        (Value::Object(present), Value::Object(wanted)) => wanted.iter().all(|(key, value)| {
            value.is_null() || present.get(key).is_some_and(|there| contains(there, value))
        }),
        (Value::Array(present), Value::Array(wanted)) => {
            present.len() == wanted.len()
                && present
                    .iter()
                    .zip(wanted)
                    .all(|(there, value)| contains(there, value))
        }
        (present, wanted) => present == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_path_are_split_from_the_template() {
        for (template, host, path) in [
            (
                "{{name}}.{{Namespace}}.example.com",
                Some("app.flink.example.com"),
                "/",
            ),
            ("/{{namespace}}/{{NAME}}(/|$)(.*)", None, "/flink/app(/|$)(.*)"),
            ("https://example.com/{{name}}", Some("example.com"), "/app"),
        ] {
            let (found_host, found_path) = split(&filled(template, "app", "flink"));
            assert_eq!(
                (found_host.as_deref(), found_path.as_str()),
                (host, path),
                "{template}"
            );
        }
    }
}
