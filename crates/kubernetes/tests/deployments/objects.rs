//! The objects that a FlinkDeployment becomes, beside those that Flink's own client has made from the same options, both as
//! a real API server keeps them.
//!
//! `native/*.json` was read from an API server after `flink run-application -t kubernetes-application` of Flink 1.20.5 and
//! `flink run -t kubernetes-application` of Flink 2.3.0; `native/*.yaml` is the specification that says the same.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use kube::api::{ApiResource, DynamicObject, GroupVersionKind, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use sluice_api::FlinkDeployment;
use sluice_core::Fact;
use sluice_core::lifecycle::{self, Effect, Observed};
use sluice_kubernetes::render;

/// What Sluice alone sets, or says otherwise than the client that runs on somebody's machine.
const NOT_COMPARED: [&str; 10] = [
    // A file on the machine of the client.
    "kubernetes.pod-template-file.default",
    "kubernetes.pod-template-file.jobmanager",
    "kubernetes.pod-template-file.taskmanager",
    "kubernetes.jobmanager.owner.reference",
    // Read by the client, from its options.
    "execution.savepoint.path",
    "execution.state-recovery.ignore-unclaimed-state",
    "execution.state-recovery.claim-mode",
    "$internal.pipeline.job-id",
    // With the number of the deployment in it.
    "kubernetes.jobmanager.labels",
    "kubernetes.jobmanager.annotations",
];

fn read(file: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/deployments/native")
        .join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn resource(case: &str, version: &str, namespace: &str) -> FlinkDeployment {
    let mut spec: Value = serde_saphyr::from_str(&read(&format!("{case}.yaml"))).unwrap();
    spec["flinkVersion"] = json!(version);
    serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {
            "name": "orders-blue", "namespace": namespace, "uid": "u-1", "generation": 1,
            "finalizers": ["flinkdeployments.flink.apache.org/finalizer"],
        },
        "spec": spec,
    }))
    .unwrap()
}

/// What the life cycle launches for the resource.
fn plan(resource: &FlinkDeployment) -> lifecycle::DeploymentPlan {
    let observed = Observed {
        resource: resource.clone(),
        last_launched: 0,
        cluster: Fact::Absent,
        job: Fact::Unknown("no JobManager runs".to_owned()),
        operations: Vec::new(),
        checkpoint: Fact::Absent,
        failures: Vec::new(),
    };
    let decision = lifecycle::decide(&observed, Timestamp::now());
    let plan = decision.effects.iter().find_map(|effect| match effect {
        Effect::Deploy { plan } => Some(plan.as_ref().clone()),
        _ => None,
    });
    plan.unwrap_or_else(|| panic!("nothing is launched: {decision:?}"))
}

/// The object as the API server would keep it.
async fn kept(client: &Client, namespace: &str, object: &Value) -> Value {
    let kind = object["kind"].as_str().unwrap();
    let (group, plural) = match kind {
        "Deployment" => ("apps", "deployments"),
        "Service" => ("", "services"),
        _ => ("", "configmaps"),
    };
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural);
    let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
    let parameters = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
    let kept = api
        .create(&parameters, &object)
        .await
        .unwrap_or_else(|error| panic!("{kind} is refused: {error}"));
    serde_json::to_value(kept).unwrap()
}

fn remove(value: &mut Value, path: &str, key: &str) {
    if let Some(map) = value.pointer_mut(path).and_then(Value::as_object_mut) {
        map.remove(key);
        if map.is_empty()
            && let Some((parent, name)) = path.rsplit_once('/')
        {
            remove(value, parent, name);
        }
    }
}

fn named<'a>(list: &'a mut Value, name: &str) -> &'a mut Value {
    list.as_array_mut()
        .unwrap()
        .iter_mut()
        .find(|entry| entry["name"] == name)
        .unwrap_or_else(|| panic!("there is no {name}"))
}

/// Drops what is Sluice's own, each thing by name, and what differs from one server to the next.
fn without_own(mut object: Value) -> Value {
    for key in [
        "uid",
        "creationTimestamp",
        "generation",
        "managedFields",
        "namespace",
        "ownerReferences",
        "resourceVersion",
    ] {
        remove(&mut object, "/metadata", key);
    }
    for place in ["/metadata", "/spec/template/metadata"] {
        remove(&mut object, &format!("{place}/labels"), "flink/deployment-number");
        for annotation in [
            "flink/restored-from",
            "flink/job-manager-starts",
            "flinkdeployment.flink.apache.org/generation",
        ] {
            remove(&mut object, &format!("{place}/annotations"), annotation);
        }
    }
    let own_address = object["spec"]["clusterIP"] != "None";
    if own_address {
        remove(&mut object, "/spec", "clusterIP");
        remove(&mut object, "/spec", "clusterIPs");
    }
    for port in object
        .pointer_mut("/spec/ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        port.as_object_mut().unwrap().remove("nodePort");
    }
    json!({ "metadata": object["metadata"], "spec": object["spec"] })
}

/// The Deployment without what starts its JobManager once.
fn native_deployment(mut deployment: Value, is_highly_available: bool) -> Value {
    let pod = deployment.pointer_mut("/spec/template/spec").unwrap();
    let config = named(&mut pod["volumes"], "flink-config-volume");
    assert_eq!(config["configMap"]["name"], "flink-config-orders-blue-1");
    config["configMap"]["name"] = json!("flink-config-orders-blue");
    if is_highly_available {
        assert!(pod.get("schedulingGates").is_none(), "Flink recovers by itself");
        return deployment;
    }
    assert_eq!(pod["schedulingGates"], json!([{ "name": "flink/started-once" }]));
    pod.as_object_mut().unwrap().remove("schedulingGates");
    pod["volumes"]
        .as_array_mut()
        .unwrap()
        .retain(|volume| volume["name"] != "sluice-started");
    let main = named(&mut pod["containers"], "flink-main-container");
    main["volumeMounts"]
        .as_array_mut()
        .unwrap()
        .retain(|mount| mount["name"] != "sluice-started");
    let script = main["args"][2].as_str().unwrap();
    let (guard, start) = script.split_once("; kubernetes-jobmanager.sh").unwrap();
    assert!(guard.starts_with("mkdir "), "{guard}");
    main["args"][2] = json!(format!("kubernetes-jobmanager.sh{start}"));
    deployment
}

/// Which files are mounted depends on what lies beside the client.
fn without_logging(mut deployment: Value) -> Value {
    let volumes = &mut deployment["spec"]["template"]["spec"]["volumes"];
    let items = named(volumes, "flink-config-volume")["configMap"]["items"]
        .as_array_mut()
        .unwrap();
    items.retain(|item| item["key"] == "config.yaml");
    deployment
}

async fn compare(client: &Client, namespace: &str, case: &str, version: &str) {
    let native: Value =
        serde_json::from_str(&read(&format!("{case}-{version}.json")).replace("NAMESPACE", namespace))
            .unwrap();
    let resource = resource(case, version, namespace);
    let objects = render(&resource, &plan(&resource)).unwrap();
    let is_highly_available = case == "full";

    let own = without_own(kept(client, namespace, &objects.deployment).await);
    let own = without_logging(native_deployment(own, is_highly_available));
    assert_eq!(
        own,
        without_logging(native["deployment"].clone()),
        "{case} {version}: Deployment"
    );

    let mut services = BTreeMap::new();
    let mut config_maps = BTreeMap::new();
    for object in &objects.before {
        let name = object["metadata"]["name"].as_str().unwrap().to_owned();
        let own = without_own(kept(client, namespace, object).await);
        if object["kind"] == "Service" {
            services.insert(name, own);
        } else {
            config_maps.insert(name, (own, object["data"].clone()));
        }
    }
    assert_eq!(json!(services), native["services"], "{case} {version}: services");

    let (_, files) = config_maps.remove("flink-config-orders-blue-1").unwrap();
    assert_eq!(
        config_maps["flink-config-orders-blue"].1, files,
        "both kinds of pods read the same"
    );
    for (name, native) in native["configMaps"].as_object().unwrap() {
        let (own, data) = config_maps
            .remove(name)
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(own["metadata"], native["metadata"], "{case} {version}: {name}");
        if let Some(template) = native.get("template") {
            let own: Value =
                serde_saphyr::from_str(data["taskmanager-pod-template.yaml"].as_str().unwrap()).unwrap();
            assert_eq!(&own, template, "{case} {version}: the TaskManagers' template");
            continue;
        }
        let own: BTreeMap<String, Value> =
            serde_saphyr::from_str(data["config.yaml"].as_str().unwrap()).unwrap();
        for (key, value) in native["configuration"].as_object().unwrap() {
            if !NOT_COMPARED.contains(&key.as_str()) {
                assert_eq!(
                    number(own.get(key)),
                    number(Some(value)),
                    "{case} {version}: {key}"
                );
            }
        }
        let restored = own.get("execution.state-recovery.path");
        assert_eq!(restored, is_highly_available.then_some(&json!("s3://b/sp/1")));
        assert_eq!(own["$internal.pipeline.job-id"].as_str().map(str::len), Some(32));
    }
    assert!(config_maps.is_empty(), "{config_maps:?}");
}

/// `1` and `1.0` are one number, and so are a text and what it holds.
fn number(value: Option<&Value>) -> Value {
    match value {
        Some(Value::Array(list)) => json!(list),
        Some(Value::String(text)) => json!(text),
        Some(other) => json!(other.to_string()),
        None => json!("nothing"),
    }
}

#[tokio::test]
async fn a_cluster_is_made_of_what_flinks_own_client_makes() {
    let plane = sluice_cluster::ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace("native").await.unwrap();
    let client = plane.client().await.unwrap();
    for case in ["plain", "full", "lb", "headless"] {
        for version in ["v1_20", "v2_3"] {
            compare(&client, &namespace, case, version).await;
        }
    }
}

#[test]
fn what_cannot_be_carried_out_is_said_with_its_field() {
    let resource = resource("plain", "v1_20", "flink");
    for (key, value) in [
        ("kubernetes.hostnetwork.enabled", "true"),
        ("kubernetes.rest-service.exposed.type", "Somewhere"),
        ("rest.port", "8081-8090"),
        ("kubernetes.jobmanager.labels", "a"),
        ("kubernetes.jobmanager.cpu.limit-factor", "much"),
    ] {
        let mut plan = plan(&resource);
        plan.configuration.insert(key.to_owned(), value.to_owned());
        let words = render(&resource, &plan).unwrap_err();
        assert!(words.contains(key) && words.contains("expected"), "{words}");
    }
}

#[test]
fn an_ingress_leads_to_the_rest_service_unless_it_is_not_to_be_managed() {
    let mut resource = resource("plain", "v1_20", "flink");
    resource.spec.ingress =
        serde_json::from_value(json!({ "template": "{{name}}.{{namespace}}.example.com/ui" })).unwrap();
    let ingress = |plan: &lifecycle::DeploymentPlan| {
        let objects = render(&resource, plan).unwrap();
        objects
            .before
            .into_iter()
            .find(|object| object["spec"]["rules"].is_array())
    };
    let mut plan = plan(&resource);
    let rule = ingress(&plan).unwrap()["spec"]["rules"][0].clone();
    assert_eq!(rule["host"], "orders-blue.flink.example.com");
    let service = &rule["http"]["paths"][0]["backend"]["service"];
    assert_eq!(
        service,
        &json!({ "name": "orders-blue-rest", "port": { "number": 8081 } })
    );
    let key = "kubernetes.operator.ingress.manage".to_owned();
    plan.configuration.insert(key, "false".to_owned());
    assert!(ingress(&plan).is_none());
}

#[test]
fn a_standalone_cluster_is_refused() {
    let mut resource = resource("plain", "v1_20", "flink");
    let plan = plan(&resource);
    resource.spec.mode = serde_json::from_value(json!("standalone")).unwrap();
    let words = render(&resource, &plan).unwrap_err();
    assert!(words.starts_with("spec.mode: found `standalone`"), "{words}");
}
