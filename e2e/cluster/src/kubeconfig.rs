//! Kubeconfig files: for the administrator, for service accounts, for other users.

use std::path::Path;

use anyhow::{Context, Result};
use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};

use crate::places;

/// The cluster, the user and the context of every file that is written here.
const NAME: &str = "sluice";

/// How a user shows who it is.
pub(crate) enum Credentials<'a> {
    /// A bearer token.
    Token(&'a str),
    /// A certificate, and its key, both in files.
    Certificate { certificate: &'a Path, key: &'a Path },
}

/// Writes a kubeconfig file for one user.
pub(crate) fn write(
    file: &Path,
    server: &str,
    authority: &Path,
    namespace: &str,
    credentials: &Credentials<'_>,
) -> Result<()> {
    let user: Value = match credentials {
        Credentials::Token(token) => json!({ "token": token }),
        Credentials::Certificate { certificate, key } => {
            json!({ "client-certificate": certificate, "client-key": key })
        }
    };
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [{"name": NAME, "cluster": {"server": server, "certificate-authority": authority}}],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME, "namespace": namespace}}],
        "users": [{"name": NAME, "user": user}],
    });
    let text = serde_saphyr::to_string(&config).context("A kubeconfig could not be written as YAML.")?;
    places::write(file, &text)
}

/// A client's settings from a kubeconfig file, with the client's own retries off: a test counts requests, and one that
/// is refused is an answer.
pub async fn client_config(file: &Path) -> Result<Config> {
    let problem = || format!("The kubeconfig {} could not be read.", file.display());
    let kubeconfig = Kubeconfig::read_from(file).with_context(problem)?;
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .with_context(problem)?;
    config.default_retry = false;
    Ok(config)
}
