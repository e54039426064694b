//! How an operator in a cluster reaches the JobManager actor, which is outside of it: a Service for each child, named as
//! Flink names it, without a selector, with an EndpointSlice that leads to the actor.

use std::net::{IpAddr, SocketAddr};

use anyhow::{Context, Result};
use kube::Client;
use kube::api::PostParams;
use serde_json::json;

use crate::kinds::Kind;
use crate::scenario::Colour;

/// Flink's default of `rest.port`, which no scenario changes in which a JobManager is asked.
const REST_PORT: u16 = 8081;

/// Makes the Services of both children of the namespace's resource.
pub(crate) async fn create(client: &Client, namespace: &str, actor: SocketAddr) -> Result<()> {
    let family = match actor.ip() {
        IpAddr::V4(_) => "IPv4",
        IpAddr::V6(_) => "IPv6",
    };
    for colour in [Colour::Blue, Colour::Green] {
        let name = format!("{}-rest", colour.child_name());
        let service = json!({
            "metadata": { "name": name },
            "spec": { "ports": [{ "name": "rest", "port": REST_PORT, "targetPort": actor.port() }] }
        });
        let slice = json!({
            "metadata": { "name": name, "labels": { "kubernetes.io/service-name": name } },
            "addressType": family,
            "endpoints": [{ "addresses": [actor.ip().to_string()] }],
            "ports": [{ "name": "rest", "port": actor.port(), "protocol": "TCP" }]
        });
        for (kind, object) in [(Kind::Service, service), (Kind::EndpointSlice, slice)] {
            kind.within(client, namespace)
                .create(&PostParams::default(), &kind.object(object)?)
                .await
                .with_context(|| format!("the Service {name} in {namespace} could not be made"))?;
        }
    }
    Ok(())
}
