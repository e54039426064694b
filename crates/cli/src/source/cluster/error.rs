//! What the API server refused, or why it could not be asked, in a sentence.

use kube::client::AuthError;
use kube::core::Status;
use sluice_local::store::Kind;

use super::{Cluster, api_resource};
use crate::failure::Failure;

/// What was asked for.
pub(super) struct Request<'a> {
    /// As a Role names it.
    verb: &'static str,
    /// As a Role names it, with its group: `flinkdeployments.flink.apache.org`.
    resource: String,
    /// The kind, where it may be one that the cluster does not know.
    kind: Option<Kind>,
    /// None: every namespace.
    namespace: Option<&'a str>,
    /// None: all of them.
    name: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// One object.
    pub(super) fn one(verb: &'static str, kind: Kind, namespace: &'a str, name: &'a str) -> Self {
        Self {
            name: Some(name),
            ..Self::all(verb, kind, Some(namespace))
        }
    }

    /// All objects of a kind.
    pub(super) fn all(verb: &'static str, kind: Kind, namespace: Option<&'a str>) -> Self {
        let resource = api_resource(kind);
        Self {
            verb,
            resource: format!("{}.{}", resource.plural, resource.group),
            kind: Some(kind),
            namespace,
            name: None,
        }
    }

    /// Events.
    pub(super) fn events(namespace: Option<&'a str>) -> Self {
        Self {
            verb: "list",
            resource: "events.events.k8s.io".to_owned(),
            kind: None,
            namespace,
            name: None,
        }
    }

    /// `get flinkdeployments.flink.apache.org orders-blue in the namespace flink`.
    fn text(&self) -> String {
        let name = self.name.map(|name| format!(" {name}")).unwrap_or_default();
        let place = self.namespace.map_or_else(
            || "in every namespace".to_owned(),
            |namespace| format!("in the namespace {namespace}"),
        );
        format!("{} {}{name} {place}", self.verb, self.resource)
    }
}

/// The resource exists, the object does not. A kind that the cluster does not know is answered in another way.
pub(super) fn is_missing_object(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code == 404 && names_an_object(status),
        _ => false,
    }
}

fn names_an_object(status: &Status) -> bool {
    let details = status.details.as_ref();
    details.is_some_and(|details| !details.name.is_empty())
}

/// Whether it may be otherwise in a moment, without anybody doing something about it.
pub(super) fn may_pass(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => !matches!(status.code, 400 | 401 | 403 | 404 | 405),
        kube::Error::Service(_)
        | kube::Error::HyperError(_)
        | kube::Error::ReadEvents(_)
        | kube::Error::LinesCodecMaxLineLengthExceeded => true,
        _ => false,
    }
}

impl Cluster {
    /// Why the request came to nothing.
    pub(super) fn refused(&self, request: &Request<'_>, error: &kube::Error) -> Failure {
        let Self { name, address, .. } = self;
        Failure::Refused(match error {
            kube::Error::Api(status) => self.answered(request, status),
            kube::Error::Auth(error) => no_credentials(name, None, error),
            kube::Error::SerdeError(_) | kube::Error::FromUtf8(_) => format!(
                "The answer of the API server {address} of {name} cannot be read: {}.",
                innermost(error)
            ),
            _ => format!(
                "The API server {address} of {name} cannot be reached: {}.",
                innermost(error).trim_end_matches('.')
            ),
        })
    }

    fn answered(&self, request: &Request<'_>, status: &Status) -> String {
        let Self { name, address, .. } = self;
        let message = status.message.trim().trim_end_matches('.');
        match status.code {
            401 => format!(
                "The API server {address} does not accept the credentials of {name} (Unauthorized): log in again, or correct the user of this context."
            ),
            403 => {
                // What stands before it names the object once more.
                let why = message
                    .split_once("is forbidden: ")
                    .map_or(message, |(_, why)| why);
                match why.strip_prefix("User \"").and_then(|why| why.split_once('"')) {
                    Some((user, _)) => format!(
                        "As {user} you may not {}; it takes a Role that allows it.",
                        request.text()
                    ),
                    None => format!("You may not {}: {why}.", request.text()),
                }
            }
            404 if !names_an_object(status) => {
                let kind = request.kind.map_or("such a kind", Kind::name);
                format!(
                    "The cluster of {name} does not know {kind}: its CustomResourceDefinition is not installed there."
                )
            }
            code => {
                let message = if message.is_empty() {
                    code.to_string()
                } else {
                    message.to_owned()
                };
                format!(
                    "The API server of {name} refused to {}: {message}.",
                    request.text()
                )
            }
        }
    }
}

/// Why nobody says who the user is. `login` is the program that the kubeconfig names for it.
pub(super) fn no_credentials(name: &str, login: Option<&str>, error: &AuthError) -> String {
    let why = match (error, login) {
        (AuthError::AuthExecStart(error), Some(login)) => {
            format!("{login}, which the kubeconfig names, cannot be run: {error}")
        }
        // What it printed to standard output may be a secret.
        (AuthError::AuthExecRun { cmd, out }, _) => {
            let words = String::from_utf8_lossy(&out.stderr);
            format!("{cmd} ended with {}: {}", out.status, words.trim())
        }
        _ => innermost(error),
    };
    format!(
        "The credentials of {name} cannot be had: {}.",
        why.trim_end_matches('.')
    )
}

/// The deepest cause: the layers above it say only that there was one.
pub(super) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn the_deepest_cause_is_told() {
        let inner = std::io::Error::other("Connection refused");
        let error = kube::Error::Service(Box::new(inner));
        assert!(error.source().is_some());
        assert_eq!(innermost(&error), "Connection refused");
        assert!(may_pass(&error));
    }
}
