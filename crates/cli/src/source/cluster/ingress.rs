//! The address of a resource: what its Ingress says.

use serde_json::Value;
use sluice_local::store::Kind;

use super::Cluster;
use crate::failure::Failure;

impl Cluster {
    /// Where the Ingress of a blue/green resource leads from, if it has one that may be read.
    pub(crate) async fn endpoint(&self, kind: Kind, object: &Value) -> Result<Option<String>, Failure> {
        if kind != Kind::FlinkBlueGreenDeployment
            || object.pointer("/spec/ingress").is_none_or(Value::is_null)
        {
            return Ok(None);
        }
        let text = |path: &str| object.pointer(path).and_then(Value::as_str).unwrap_or_default();
        let (namespace, name) = (text("/metadata/namespace"), text("/metadata/name"));
        // A person who may not read Ingresses sees the rest all the same.
        let ingress = self.get(Kind::Ingress, namespace, name).await.ok().flatten();
        Ok(ingress.as_ref().and_then(address))
    }
}

/// The address of the first rule, without what only a pattern can say.
fn address(ingress: &Value) -> Option<String> {
    let text = |path: &str| ingress.pointer(path).and_then(Value::as_str);
    let host = text("/spec/rules/0/host")
        .or_else(|| text("/status/loadBalancer/ingress/0/hostname"))
        .or_else(|| text("/status/loadBalancer/ingress/0/ip"))?;
    let encrypted = ingress
        .pointer("/spec/tls")
        .and_then(Value::as_array)
        .is_some_and(|hosts| !hosts.is_empty());
    let scheme = if encrypted { "https" } else { "http" };
    let path = text("/spec/rules/0/http/paths/0/path").unwrap_or("/");
    let literal = path.split(['(', '[', '*', '?', '$']).next().unwrap_or_default();
    Some(format!("{scheme}://{host}{}", literal.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_address_is_what_a_browser_takes() {
        let ingress = |host: Value, path: &str| json!({ "spec": { "rules": [{ "host": host, "http": { "paths": [{ "path": path }] } }] } });
        for (path, expected) in [
            ("/", "http://flink.example.org"),
            ("/flink/orders(/|$)(.*)", "http://flink.example.org/flink/orders"),
        ] {
            let found = address(&ingress("flink.example.org".into(), path));
            assert_eq!(found.as_deref(), Some(expected));
        }
        assert_eq!(address(&ingress(Value::Null, "/")), None);
        let mut balanced = ingress(Value::Null, "/orders/");
        balanced["status"] = json!({ "loadBalancer": { "ingress": [{ "ip": "192.0.2.7" }] } });
        balanced["spec"]["tls"] = json!([{ "hosts": [] }]);
        assert_eq!(address(&balanced).as_deref(), Some("https://192.0.2.7/orders"));
    }
}
