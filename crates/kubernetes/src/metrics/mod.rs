//! Prometheus metrics: what the operator does, and how each resource is.

mod resources;

use std::sync::Arc;

use jiff::Timestamp;
use kube::core::DynamicObject;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::kind::Name;

use resources::Resources;

/// All metrics. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    requests: Family<Request, Counter>,
    effects: Family<Word, Counter>,
    events: Family<Word, Counter>,
    looks: Family<Word, Counter>,
    violations: Family<Resource, Counter>,
    leading: Gauge,
    resources: Resources,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    verb: &'static str,
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Word {
    what: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Resource {
    namespace: String,
    name: String,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut root = Registry::default();
        let resources = Resources::register(&mut root);
        let registry = root.sub_registry_with_prefix("sluice");
        let (requests, effects, events) = (Family::default(), Family::default(), Family::default());
        let (looks, violations, leading) = (Family::default(), Family::default(), Gauge::default());
        registry.register("api_requests", "Requests to the API server", requests.clone());
        registry.register("effects", "Effects carried out, by kind", effects.clone());
        registry.register("events", "Events told, by reason", events.clone());
        registry.register("looks", "Looks at resources, by how they ended", looks.clone());
        registry.register(
            "violations",
            "Decisions not carried out because they broke a law",
            violations.clone(),
        );
        registry.register("leader", "1 while this process acts", leading.clone());
        Self(Arc::new(Inner {
            registry: root,
            requests,
            effects,
            events,
            looks,
            violations,
            leading,
            resources,
        }))
    }

    /// A request to the API server; `kind` with its subresource, as RBAC names them.
    pub(crate) fn requested(&self, verb: &'static str, kind: &'static str) {
        self.0.requests.get_or_create(&Request { verb, kind }).inc();
    }

    pub(crate) fn carried_out(&self, effect: &'static str) {
        self.0.effects.get_or_create(&Word { what: effect }).inc();
    }

    pub(crate) fn told(&self, reason: &'static str) {
        self.0.events.get_or_create(&Word { what: reason }).inc();
    }

    pub(crate) fn looked(&self, how: &'static str) {
        self.0.looks.get_or_create(&Word { what: how }).inc();
    }

    pub(crate) fn broke_a_law(&self, name: &Name) {
        let resource = Resource {
            namespace: name.namespace.clone(),
            name: name.name.clone(),
        };
        self.0.violations.get_or_create(&resource).inc();
    }

    pub(crate) fn leads(&self, leading: bool) {
        self.0.leading.set(i64::from(leading));
    }

    /// The watch has brought this version of a FlinkBlueGreenDeployment.
    pub(crate) fn saw(&self, name: &Name, object: &DynamicObject) {
        // What happens is counted by the one that acts.
        let counts = self.0.leading.get() == 1;
        self.0.resources.saw(name, object, counts, Timestamp::now());
    }

    /// The FlinkBlueGreenDeployment is gone.
    pub(crate) fn gone(&self, name: &Name) {
        self.0.resources.gone(name);
    }

    /// All metrics in the text format of OpenMetrics.
    pub(crate) fn text(&self) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // A metric that nobody can look up is of no use.
    #[test]
    fn every_metric_stands_in_the_documentation() {
        let page = include_str!("../../../../docs/operating.md");
        let text = Metrics::new().text().unwrap();
        let names = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let documented = |name: &str| {
            page.contains(&format!("`{name}`"))
                || page.contains(&format!("`{name}_total`"))
                || [
                    "BlueGreenState_",
                    "JobStatus_",
                    "Lifecycle_State_",
                    "Lifecycle_Transition_",
                ]
                .iter()
                .any(|group| name.starts_with(&format!("flink_k8soperator_namespace_{group}")))
        };
        let missing: Vec<_> = names.filter(|name| !documented(name)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}
