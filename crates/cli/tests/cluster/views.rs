//! What people see of a resource on a cluster is what they see of the same status on the runner.

use serde_json::{Value, json};
use sluice_cli::view::describe::describe;
use sluice_cli::view::events::events;
use sluice_cli::view::history::history;
use sluice_cli::view::resource::{flink_deployments, resources};
use sluice_cli::view::verdict::{Verdict, Wanted, judge};
use sluice_cli::view::{Clock, Palette};

use crate::stage::{Stage, children};

const STATES: [&str; 10] = [
    "untouched",
    "initializing",
    "active",
    "savepointing",
    "transitioning",
    "awaiting-promotion",
    "aborted-kept",
    "suspended",
    "stopping",
    "advanced-returning",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_state_looks_as_it_does_on_the_runner() {
    for state in STATES {
        let stage = Stage::new().await;
        let snapshot = stage.put(state).await;
        let (plain, clock) = (Palette::Plain, Clock::system());
        let status = snapshot.resource.status.clone().unwrap_or_default();
        for (command, local) in [
            (
                &["get", "orders"][..],
                resources(std::slice::from_ref(&snapshot), false, plain, &clock),
            ),
            (
                &["get"],
                resources(std::slice::from_ref(&snapshot), false, plain, &clock),
            ),
            (
                &["get", "flinkdep"],
                flink_deployments(&children(&snapshot), plain, &clock),
            ),
            (&["describe", "orders"], describe(&snapshot, plain, &clock)),
            (&["history", "orders"], history(&status.history, plain, &clock)),
            (
                &["events", "orders"],
                events(&snapshot.events, false, plain, &clock),
            ),
            (&["events"], events(&snapshot.events, true, plain, &clock)),
        ] {
            let seen = stage.done(command);
            assert_eq!(stage.steady(&seen), stage.steady(&local), "{state}: {command:?}");
            if state == "aborted-kept" {
                insta::assert_snapshot!(format!("{state}-{}", command.join("-")), stage.steady(&seen));
            }
        }
        for (wanted, word) in [
            (Wanted::Active, "active"),
            (Wanted::Promotion, "promotion"),
            (Wanted::Suspended, "suspended"),
        ] {
            let expected = match judge(&snapshot.resource, wanted) {
                Verdict::Reached(text) => (0, format!("{text}\n"), String::new()),
                Verdict::NotYet(text) => (4, String::new(), format!("sluice: {text}\n")),
                Verdict::NotAsWanted(text) => (3, String::new(), format!("sluice: {text}\n")),
            };
            assert_eq!(
                stage.run(&["status", "orders", "--for", word]),
                expected,
                "{state}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_the_object_as_kubectl_prints_it() {
    let stage = Stage::new().await;
    stage.put("active").await;
    let read = |arguments: &[&str]| -> Value {
        serde_json::from_str(&stage.done(&[arguments, &["-o", "json"]].concat())).unwrap()
    };
    let one = read(&["get", "orders"]);
    assert_eq!(one["kind"], "FlinkBlueGreenDeployment");
    assert_eq!(one["apiVersion"], "flink.apache.org/v1beta1");
    assert_eq!(one["status"]["blueGreenState"], "ACTIVE_GREEN");
    assert_eq!(one["metadata"]["managedFields"], Value::Null);
    // A name alone may be a FlinkDeployment's.
    assert_eq!(read(&["get", "orders-green"])["kind"], "FlinkDeployment");
    let list = read(&["get"]);
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"][0], one);
    let described = read(&["describe", "orders"]);
    assert_eq!(described["object"], one);
    assert_eq!(described["children"][0]["metadata"]["name"], "orders-green");
    assert_eq!(described["events"][1]["reason"], "TransitionCompleted");
    assert_eq!(read(&["events", "orders"]), described["events"]);
    assert_eq!(read(&["history", "orders"])[0]["outcome"], "COMPLETED");
    let yaml = stage.done(&["get", "orders", "-o", "yaml"]);
    assert_eq!(serde_saphyr::from_str::<Value>(&yaml).unwrap(), one);
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_of_every_namespace_are_listed_with_it_and_each_with_its_own_children() {
    let (first, second) = (Stage::new().await, Stage::new().await);
    first.put("active").await;
    second.put("transitioning").await;
    let all = first.done(&["get", "-A"]);
    let row = |stage: &Stage| {
        let line = all.lines().find(|line| line.starts_with(&stage.namespace));
        stage.steady(line.unwrap())
    };
    insta::assert_snapshot!(row(&first), @"NAMESPACE orders ACTIVE_GREEN green RUNNING yes settled SPAN");
    insta::assert_snapshot!(row(&second), @"NAMESPACE orders TRANSITIONING_TO_GREEN blue RECONCILING yes Deploying SPAN left SPAN");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_with_an_ingress_has_the_address_that_leads_to_the_active_child() {
    let stage = Stage::new().await;
    let mut document = crate::stage::documents("active").remove(0);
    document["spec"]["ingress"] = json!({ "template": "flink.example.org/orders(/|$)(.*)" });
    stage.create(&mut document).await;
    let before = stage.done(&["describe", "orders"]);
    assert!(!before.contains("Endpoint"), "{before}");
    let mut ingress = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": "orders" },
        "spec": { "rules": [{ "host": "flink.example.org", "http": { "paths": [{
            "path": "/orders(/|$)(.*)",
            "pathType": "ImplementationSpecific",
            "backend": { "service": { "name": "orders-green-rest", "port": { "number": 8081 } } },
        }] } }] },
    });
    stage.create(&mut ingress).await;
    let after = stage.done(&["describe", "orders"]);
    assert!(
        after.contains("Endpoint   http://flink.example.org/orders\n"),
        "{after}"
    );
    insta::assert_snapshot!(stage.done(&["get", "ingress"]), @r"
    NAME     HOST                PATH               BACKEND
    orders   flink.example.org   /orders(/|$)(.*)   orders-green-rest
    ");
    assert_eq!(
        serde_json::from_str::<Value>(&stage.done(&["get", "ing", "-o", "json"])).unwrap()["items"][0]["kind"],
        "Ingress"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_told_again_are_counted_and_those_of_others_are_left_out() {
    let stage = Stage::new().await;
    stage.put("active").await;
    let now = jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%S.%6fZ")
        .to_string();
    // An older writer's event, as upstream's operator is one.
    let old: k8s_openapi::api::core::v1::Event = serde_json::from_value(json!({
        "metadata": { "name": "old", "namespace": stage.namespace },
        "involvedObject": {
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkBlueGreenDeployment",
            "namespace": stage.namespace,
            "name": "orders",
        },
        "count": 3,
        "firstTimestamp": "2026-11-21T10:00:00Z",
        "lastTimestamp": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "reason": "Toldold",
        "message": "something",
        "type": "Warning",
    }))
    .unwrap();
    kube::Api::namespaced(stage.client.clone(), &stage.namespace)
        .create(&kube::api::PostParams::default(), &old)
        .await
        .unwrap();
    // A series, and an object of the same name and kind, but of another group.
    for (name, api_version, fields) in [
        (
            "series",
            "flink.apache.org/v1beta1",
            json!({ "series": { "count": 4, "lastObservedTime": now } }),
        ),
        ("foreign", "example.org/v1", json!({})),
    ] {
        let mut event = json!({
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": { "name": name, "namespace": stage.namespace },
            "eventTime": now,
            "reportingController": "test",
            "reportingInstance": "test",
            "action": "Tell",
            "reason": format!("Told{name}"),
            "note": "something",
            "type": "Warning",
            "regarding": {
                "apiVersion": api_version,
                "kind": "FlinkBlueGreenDeployment",
                "namespace": stage.namespace,
                "name": "orders",
            },
        });
        if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
            event.extend(fields);
        }
        let object = serde_json::from_value(event).unwrap();
        stage
            .api("Event")
            .create(&kube::api::PostParams::default(), &object)
            .await
            .unwrap();
    }
    insta::assert_snapshot!(stage.steady(&stage.done(&["events", "orders"])), @r"
    TIME TYPE REASON MESSAGE
    TIME Normal TransitionStarted green is to replace blue: the specification changed.
    TIME Normal TransitionCompleted green is active.
    TIME Warning Toldold something 3 times
    TIME Warning Toldseries something 4 times
    ");
}
