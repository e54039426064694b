//! The way to a child's JobManager.

use std::collections::BTreeMap;
use std::str::FromStr;

use sluice_api::{FlinkDeployment, configuration};
use sluice_flink::Client;
use sluice_shell::flink;

/// Flink's default of `rest.port`.
const REST_PORT: &str = "8081";

/// Where the JobManager of a FlinkDeployment answers: an address with `{name}`, `{namespace}` and `{port}` in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestAddress(String);

impl Default for RestAddress {
    fn default() -> Self {
        Self("http://{name}-rest.{namespace}:{port}".to_owned())
    }
}

impl FromStr for RestAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.starts_with("http://") && !text.starts_with("https://") {
            return Err(format!(
                "found `{text}`, expected an address such as `{}`",
                Self::default().0
            ));
        }
        for placeholder in ["{name}", "{namespace}"] {
            if !text.contains(placeholder) {
                return Err(format!(
                    "found `{text}`, in which {placeholder} is missing: all jobs would have one address"
                ));
            }
        }
        Ok(Self(text.to_owned()))
    }
}

impl std::fmt::Display for RestAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl RestAddress {
    /// The address of one deployment's JobManager.
    fn of(&self, deployment: &FlinkDeployment) -> String {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let flat: BTreeMap<String, String> = deployment
            .spec
            .flink_configuration
            .as_ref()
            .map(configuration::flatten)
            .unwrap_or_default();
        let port = flat.get("rest.port").map_or(REST_PORT, |port| port.trim());
        self.0
            .replace("{name}", &text(&deployment.metadata.name))
            .replace("{namespace}", &text(&deployment.metadata.namespace))
            .replace("{port}", port)
    }
}

/// The clients of all JobManagers.
#[derive(Clone, Debug)]
pub(crate) struct JobManagers {
    http: reqwest::Client,
    address: RestAddress,
}

impl JobManagers {
    pub(crate) fn new(address: RestAddress) -> Result<Self, sluice_flink::Error> {
        Ok(Self {
            http: flink::http()?,
            address,
        })
    }

    /// The client of a deployment's JobManager, whatever its status says.
    pub(crate) fn client(&self, deployment: &FlinkDeployment) -> Option<Client> {
        flink::client(&self.http, &self.address.of(deployment)).ok()
    }

    /// The client of a deployment's JobManager; `None`: by its status, there is none to be asked.
    pub(crate) fn of(&self, deployment: &FlinkDeployment) -> Option<Client> {
        if flink::job_id(deployment).is_empty() || is_missing(deployment) {
            return None;
        }
        self.client(deployment)
    }
}

/// Whether the deployment's controller says that there is no JobManager.
pub(crate) fn is_missing(deployment: &FlinkDeployment) -> bool {
    let status = deployment.status.as_ref();
    status.and_then(|status| status.job_manager_deployment_status)
        == Some(sluice_api::flink_deployment::JobManagerDeploymentStatus::Missing)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_address_is_the_rest_service_unless_it_is_told_otherwise() {
        let mut deployment = FlinkDeployment::default();
        deployment.metadata.name = Some("orders-blue".to_owned());
        deployment.metadata.namespace = Some("flink".to_owned());
        assert_eq!(
            RestAddress::default().of(&deployment),
            "http://orders-blue-rest.flink:8081"
        );
        deployment.spec.flink_configuration =
            serde_json::from_value(json!({ "rest": { "port": 9091 } })).unwrap();
        assert_eq!(
            RestAddress::default().of(&deployment),
            "http://orders-blue-rest.flink:9091"
        );
        let proxy: RestAddress = "http://127.0.0.1:7000/{namespace}/{name}".parse().unwrap();
        assert_eq!(proxy.of(&deployment), "http://127.0.0.1:7000/flink/orders-blue");
        for wrong in ["{name}-rest.{namespace}", "http://{namespace}", "http://{name}"] {
            assert!(wrong.parse::<RestAddress>().is_err(), "{wrong}");
        }
    }
}
