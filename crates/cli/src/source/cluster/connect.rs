//! From a kubeconfig to a cluster: which context, which address, which namespace.

use std::env;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::Cluster;
use super::error::{innermost, no_credentials};
use crate::failure::Failure;
use crate::place::{Program, Wish, in_a_pod, kubeconfigs};

/// How long it may take until the API server accepts a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// The namespace of a context that names none.
const DEFAULT_NAMESPACE: &str = "default";

impl Cluster {
    /// The cluster that the command line, the kubeconfig or the pod says. Nothing is asked of it yet.
    pub(crate) async fn connect(
        wish: &Wish,
        namespace: Option<&str>,
        program: Program,
    ) -> Result<Self, Failure> {
        let (name, mut config) = match Read::all(wish)? {
            Some(read) => read.into_config(wish.context.as_deref()).await?,
            None if in_a_pod() && wish.context.is_none() => ("this pod's service account".to_owned(), pod()?),
            None => {
                return Err(Failure::refused(
                    "There is no kubeconfig, neither at $KUBECONFIG nor at ~/.kube/config: give --kubeconfig FILE.",
                ));
            }
        };
        config.connect_timeout = Some(CONNECT_LIMIT);
        let namespace = namespace
            .map(str::to_owned)
            .or_else(|| Some(config.default_namespace.clone()).filter(|it| !it.is_empty()))
            .unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned());
        let address = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let login = config.auth_info.exec.as_ref().and_then(|it| it.command.clone());
        let client = kube::Client::try_from(config).map_err(|error| {
            Failure::Refused(match &error {
                kube::Error::Auth(error) => no_credentials(&name, login.as_deref(), error),
                error => format!(
                    "What the kubeconfig says of {name} cannot be used: {}.",
                    innermost(error)
                ),
            })
        })?;
        Ok(Self {
            client,
            namespace,
            name,
            address,
            program,
        })
    }
}

/// What the pod that this process runs in was given.
fn pod() -> Result<Config, Failure> {
    Config::incluster().map_err(|error| {
        Failure::Refused(format!(
            "There is no kubeconfig, and the service account of this pod cannot be used: {}.",
            innermost(&error)
        ))
    })
}

/// A kubeconfig, made of one file or several.
struct Read {
    content: Kubeconfig,
    /// The files.
    origin: String,
}

impl Read {
    /// The file that was named, or those that are there; `None`: there are none.
    fn all(wish: &Wish) -> Result<Option<Self>, Failure> {
        let files = match &wish.kubeconfig {
            Some(file) => vec![file.clone()],
            None => kubeconfigs(),
        };
        let mut content: Option<Kubeconfig> = None;
        for file in &files {
            let next = Kubeconfig::read_from(file).map_err(|error| unreadable(file, &error))?;
            content = Some(match content {
                Some(before) => before.merge(next).map_err(|error| unreadable(file, &error))?,
                None => next,
            });
        }
        let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        Ok(content.map(|content| Self {
            content,
            origin: names.join(", "),
        }))
    }

    /// The name and the configuration of one context, the current one if none is named.
    async fn into_config(self, context: Option<&str>) -> Result<(String, Config), Failure> {
        let Self { content, origin } = self;
        let names: Vec<&str> = content.contexts.iter().map(|it| it.name.as_str()).collect();
        let there = if names.is_empty() {
            "it has none".to_owned()
        } else {
            format!("it has {}", names.join(", "))
        };
        let current = content.current_context.as_deref().filter(|it| !it.is_empty());
        let Some(name) = context.or(current).map(str::to_owned) else {
            return Err(Failure::Refused(format!(
                "The kubeconfig {origin} has no current context: give --context NAME; {there}."
            )));
        };
        if !names.contains(&name.as_str()) {
            return Err(Failure::Refused(format!(
                "There is no context {name} in the kubeconfig {origin}; {there}."
            )));
        }
        let own_proxy = names_a_proxy(&content, &name);
        let options = KubeConfigOptions {
            context: Some(name.clone()),
            ..KubeConfigOptions::default()
        };
        let mut config = Config::from_custom_kubeconfig(content, &options)
            .await
            .map_err(|error| {
                let why = match error {
                    KubeconfigError::LoadClusterOfContext(cluster) => {
                        format!("it names a cluster {cluster}, which is not there")
                    }
                    KubeconfigError::MissingClusterUrl => "its cluster has no server".to_owned(),
                    error => innermost(&error),
                };
                Failure::Refused(format!(
                    "The context {name} of the kubeconfig {origin} cannot be used: {why}."
                ))
            })?;
        // The library compares NO_PROXY with the address of the proxy instead of the cluster's.
        if !own_proxy && is_reached_directly(&config) {
            config.proxy_url = None;
        }
        Ok((format!("context {name}"), config))
    }
}

fn unreadable(file: &Path, error: &KubeconfigError) -> Failure {
    Failure::Refused(format!(
        "The kubeconfig {} cannot be read: {}.",
        file.display(),
        innermost(error)
    ))
}

/// Whether the context's cluster has a `proxy-url`, which goes before the environment.
fn names_a_proxy(kubeconfig: &Kubeconfig, name: &str) -> bool {
    let context = kubeconfig.contexts.iter().find(|it| it.name == name);
    context
        .and_then(|it| it.context.as_ref())
        .and_then(|context| {
            let mut clusters = kubeconfig.clusters.iter();
            clusters.find(|it| it.name == context.cluster)
        })
        .and_then(|it| it.cluster.as_ref()?.proxy_url.as_deref())
        .is_some_and(|proxy| !proxy.is_empty())
}

/// Whether `NO_PROXY` keeps the environment's proxy away from this cluster. As with kubectl, this machine is never reached
/// through one.
fn is_reached_directly(config: &Config) -> bool {
    let Some(proxy) = &config.proxy_url else {
        return true;
    };
    let host = config.cluster_url.host().unwrap_or_default();
    let bare = host.trim_matches(['[', ']']);
    if bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
        return true;
    }
    let exceptions = env::var("NO_PROXY")
        .or_else(|_| env::var("no_proxy"))
        .unwrap_or_default();
    let matcher = Matcher::builder().all(proxy.to_string()).no(exceptions).build();
    matcher.intercept(&config.cluster_url).is_none()
}
