//! Another operator that writes the status of a FlinkDeployment, too: we stand aside, and say so.
//!
//! The rule is that of FlinkBlueGreenDeployments, but nothing is recorded: the other one replaces the status as a whole, and
//! takes a foreign change of it for an error of its own. Who was last stands in the managed fields, and so does a person's
//! request to try again.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::core::DynamicObject;
use sluice_api::metadata::ANNOTATION_RETRY;
use sluice_core::Event;
use sluice_core::bluegreen::rival::{self, Marks, Writer};

use crate::context::{Context, Deployments};
use crate::events;
use crate::kind::{Kind, Name};
use crate::object::RETRY_FIELD;
use crate::server::manager;

/// Nobody but us writes the record. Upstream's operator writes what differs from what stands there, be it what it may.
const STATUS: Marks = Marks {
    manager: manager::DEPLOYMENT_STATUS,
    ours: "/f:status/f:sluice",
    theirs: "/f:status",
};

/// Whether another operator has written the status after us, and nobody has asked since for it to be tried again. It is told
/// once.
pub(super) async fn is_there(
    context: &Context,
    deployments: &Deployments,
    name: &Name,
    object: &DynamicObject,
) -> bool {
    let Some(writer) = writer(object.metadata.managed_fields.as_deref().unwrap_or_default()) else {
        deployments.rivals().remove(name);
        return false;
    };
    let told = deployments.rivals().insert(name.clone(), writer.manager.clone());
    if told.as_ref() != Some(&writer.manager) {
        let event = Event::warning("AnotherOperator", message(name, &writer));
        events::tell(context, Kind::FlinkDeployment, &object.metadata, &[event]).await;
    }
    true
}

fn writer(entries: &[ManagedFieldsEntry]) -> Option<Writer> {
    let writer = rival::newest(entries, STATUS)?;
    let asks = |entry: &&ManagedFieldsEntry| {
        let fields = entry.fields_v1.as_ref();
        fields.is_some_and(|fields| fields.0.pointer(RETRY_FIELD).is_some())
    };
    let mut asked = entries
        .iter()
        .filter(asks)
        .filter_map(|entry| entry.time.as_ref());
    // In the same second: a person knows better which came first.
    (!asked.any(|time| time.0 >= writer.at)).then_some(writer)
}

fn message(name: &Name, writer: &Writer) -> String {
    format!(
        "{} writes the status of this FlinkDeployment, too, so Sluice does nothing with it; end the other operator or keep it \
         from this namespace, then run `kubectl annotate flinkdep {} -n {} --overwrite {ANNOTATION_RETRY}=$(date +%s)`",
        writer.manager, name.name, name.namespace
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entries(entries: &serde_json::Value) -> Vec<ManagedFieldsEntry> {
        let mut object: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
            "metadata": { "name": "orders", "managedFields": entries },
        }))
        .unwrap();
        crate::object::trim(&mut object);
        object.metadata.managed_fields.unwrap_or_default()
    }

    fn entry(manager: &str, second: u32, fields: &serde_json::Value) -> serde_json::Value {
        let subresource = fields.get("f:status").map(|_| "status");
        json!({
            "apiVersion": "flink.apache.org/v1beta1", "fieldsType": "FieldsV1", "operation": "Update", "manager": manager,
            "time": format!("2026-11-21T20:00:{second:02}Z"), "subresource": subresource, "fieldsV1": fields,
        })
    }

    #[test]
    fn an_operator_that_writes_after_us_is_a_rival_until_a_person_says_otherwise() {
        let ours = entry(
            "sluice-deployment-status",
            10,
            &json!({ "f:status": { "f:sluice": {} } }),
        );
        let job = json!({ "f:status": { "f:jobStatus": {} } });
        let theirs = |second| entry("fabric8-kubernetes-client", second, &job);
        let found = |all: serde_json::Value| writer(&entries(&all)).map(|writer| writer.manager);
        let fabric8 = Some("fabric8-kubernetes-client".to_owned());
        assert_eq!(found(json!([theirs(20)])), None, "it has gone, and we take over");
        assert_eq!(found(json!([theirs(5), ours])), None, "it wrote before us");
        assert_eq!(found(json!([ours, theirs(20)])), fabric8);
        let left = entry("sluice-deployment-status", 10, &json!({ "f:status": {} }));
        assert_eq!(
            found(json!([left, theirs(10)])),
            fabric8,
            "in one second, and the record is gone"
        );
        assert_eq!(found(json!([ours, theirs(10)])), None);
        let person = entry("kubectl-patch", 20, &job);
        assert_eq!(found(json!([ours, person])), None, "a person's hand is repaired");
        let asks = json!({ "f:metadata": { "f:annotations": { "f:flink/blue-green-retry": {} } } });
        let asked = |second| entry("kubectl-annotate", second, &asks);
        assert_eq!(
            found(json!([ours, theirs(20), asked(15)])),
            fabric8,
            "before that"
        );
        assert_eq!(found(json!([ours, theirs(20), asked(20)])), None);
    }
}
