//! The command line of `sluice-operator`; each flag is an environment variable, too.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use sluice_kubernetes::{FlinkDeployments, Lease, Namespaces, Options, RestAddress, Scope};

/// The Kubernetes operator of Sluice: runs Flink jobs blue/green.
#[derive(Debug, Parser)]
#[command(name = "sluice-operator", version)]
pub(crate) struct Arguments {
    /// Namespaces to look after, separated by commas; none: all
    #[arg(
        long,
        env = "SLUICE_WATCH_NAMESPACES",
        value_delimiter = ',',
        value_name = "NAMES"
    )]
    watch_namespaces: Vec<String>,

    /// Look after the namespaces that have these labels
    #[arg(
        long,
        env = "SLUICE_NAMESPACE_SELECTOR",
        value_name = "SELECTOR",
        conflicts_with = "watch_namespaces"
    )]
    namespace_selector: Option<String>,

    /// Look after the resources that have these labels; children have their parent's
    #[arg(long, env = "SLUICE_LABEL_SELECTOR", value_name = "SELECTOR")]
    label_selector: Option<String>,

    /// Who looks after the FlinkDeployments that are the children
    #[arg(long, env = "SLUICE_FLINK_DEPLOYMENTS", value_enum, default_value_t)]
    flink_deployments: Controller,

    /// Whether several operators elect the one that acts
    #[arg(
        long,
        env = "SLUICE_LEADER_ELECTION",
        value_name = "BOOL",
        default_value_t = true,
        action = clap::ArgAction::Set
    )]
    leader_election: bool,

    /// Namespace of the lease; the pod's own by default
    #[arg(long, env = "SLUICE_LEASE_NAMESPACE", value_name = "NAME")]
    lease_namespace: Option<String>,

    /// Name of the lease
    #[arg(
        long,
        env = "SLUICE_LEASE_NAME",
        value_name = "NAME",
        default_value = "sluice-operator"
    )]
    lease_name: String,

    /// Where /livez, /readyz and /metrics are served
    #[arg(
        long,
        env = "SLUICE_LISTEN",
        value_name = "ADDRESS",
        default_value = "0.0.0.0:8080"
    )]
    listen: SocketAddr,

    /// Defaults of the keys of spec.configuration: a YAML map
    #[arg(long, env = "SLUICE_DEFAULTS_FILE", value_name = "FILE")]
    defaults_file: Option<PathBuf>,

    /// Where the JobManager of a FlinkDeployment answers
    #[arg(long, env = "SLUICE_REST_ADDRESS", value_name = "ADDRESS", default_value_t)]
    rest_address: RestAddress,

    /// How many resources are looked at at the same time
    #[arg(long, env = "SLUICE_CONCURRENCY", value_name = "NUMBER", default_value_t = 16,
        value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,

    /// The kubeconfig file, outside of a cluster
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,

    /// The context in the kubeconfig file
    #[arg(long, value_name = "NAME")]
    context: Option<String>,

    /// How to log
    #[arg(long, env = "SLUICE_LOG_FORMAT", value_enum, default_value_t)]
    pub(crate) log_format: LogFormat,

    /// What to log: error, warn, info, debug, trace, or a filter as of RUST_LOG
    #[arg(long, env = "SLUICE_LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    pub(crate) log_level: String,

    /// Seconds after which each watch is opened anew
    #[arg(long, env = "SLUICE_WATCH_SECONDS", value_name = "SECONDS", default_value_t = 60, hide = true,
        value_parser = clap::value_parser!(u32).range(1..=290))]
    watch_seconds: u32,

    /// The pod's name
    #[arg(long, env = "POD_NAME", hide = true)]
    pod_name: Option<String>,

    /// The pod's namespace
    #[arg(long, env = "POD_NAMESPACE", hide = true)]
    pod_namespace: Option<String>,
}

/// Who looks after the FlinkDeployments.
#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Controller {
    /// Another operator that runs beside, such as upstream's
    #[default]
    External,
    /// This operator itself
    Managed,
}

/// How to log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

impl Arguments {
    /// The options. Errors: a sentence.
    pub(crate) fn options(self) -> Result<Options, String> {
        let watched: Vec<String> = self
            .watch_namespaces
            .iter()
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .collect();
        let namespaces = match (self.namespace_selector.filter(|it| !it.is_empty()), watched) {
            (Some(selector), _) => Namespaces::Selected(selector),
            (None, names) if names.is_empty() => Namespaces::All,
            (None, names) => Namespaces::Named(names),
        };
        let instance = self
            .pod_name
            .unwrap_or_else(|| format!("sluice-operator-{}", std::process::id()));
        let lease = if self.leader_election {
            let namespace = self
                .lease_namespace
                .filter(|name| !name.is_empty())
                .or(self.pod_namespace)
                .ok_or(
                    "--lease-namespace: is missing, expected the namespace of the lease; or say --leader-election=false",
                )?;
            Some(Lease {
                namespace,
                name: self.lease_name,
            })
        } else {
            None
        };
        let defaults = match &self.defaults_file {
            Some(file) => defaults(file)?,
            None => BTreeMap::new(),
        };
        Ok(Options {
            scope: Scope {
                namespaces,
                label_selector: self.label_selector.filter(|it| !it.is_empty()),
            },
            flink_deployments: match self.flink_deployments {
                Controller::External => FlinkDeployments::External,
                Controller::Managed => FlinkDeployments::Managed,
            },
            rest_address: self.rest_address,
            watch_seconds: self.watch_seconds,
            defaults,
            concurrency: usize::from(self.concurrency),
            listen: self.listen,
            lease,
            instance,
            kubeconfig: self.kubeconfig,
            context: self.context,
        })
    }
}

/// The operator-wide defaults: a map of keys, nested or flat, as in Flink's own configuration. Each value is checked where
/// it is used, so that a wrong one is said of the resources that it concerns.
fn defaults(file: &Path) -> Result<BTreeMap<String, String>, String> {
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| format!("--defaults-file: {name} cannot be read: {error}"))?;
    let value: serde_json::Value = serde_saphyr::from_str(&text)
        .map_err(|error| format!("--defaults-file: {name} is no YAML: {error}"))?;
    match value {
        serde_json::Value::Null => Ok(BTreeMap::new()),
        value => {
            let configuration = serde_json::from_value(value)
                .map_err(|error| format!("--defaults-file: {name}: expected a map of keys: {error}"))?;
            Ok(sluice_api::configuration::flatten(&configuration))
        }
    }
}
