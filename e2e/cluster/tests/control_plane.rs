//! The control plane as its users, the tests of the operator, have it.

use std::time::{Duration, Instant};
use std::{fs, mem};

use k8s_openapi::api::core::v1::{ConfigMap, Namespace};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{DynamicObject, ListParams, PostParams, WatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use serde_json::{Value, json};
use sluice_cluster::{ControlPlane, client_config};

fn config_map(name: &str) -> ConfigMap {
    ConfigMap {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            ..ObjectMeta::default()
        },
        ..ConfigMap::default()
    }
}

/// The status with which the API server refused; `None` if it did not refuse.
fn refusal<T>(result: kube::Result<T>) -> Option<u16> {
    match result {
        Err(kube::Error::Api(answer)) => Some(answer.code),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_ask_at_once_get_the_same_control_plane() {
    let asked: Vec<_> = (0..4).map(|_| tokio::spawn(ControlPlane::shared())).collect();
    let mut addresses = Vec::new();
    for plane in asked {
        addresses.push(plane.await.unwrap().unwrap().address().unwrap());
    }
    addresses.dedup();
    assert_eq!(addresses.len(), 1, "{addresses:?}");

    let plane = ControlPlane::shared().await.unwrap();
    let version = plane.client().await.unwrap().apiserver_version().await.unwrap();
    assert_eq!((version.major.as_str(), version.minor.as_str()), ("1", "34"));
    let refused = plane.stop_api_server().await.unwrap_err().to_string();
    assert!(refused.contains("others use it"), "{refused}");
}

#[tokio::test]
async fn namespaces_are_fresh_and_bear_their_own_names() {
    let plane = ControlPlane::shared().await.unwrap();
    let first = plane.namespace("story").await.unwrap();
    let second = plane.namespace("story").await.unwrap();
    assert_ne!(first, second);
    let namespaces: Api<Namespace> = Api::all(plane.client().await.unwrap());
    let label = format!("kubernetes.io/metadata.name={first}");
    let found = namespaces
        .list(&ListParams::default().labels(&label))
        .await
        .unwrap();
    assert_eq!(found.items.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blue_green_resource_can_be_created_once_the_definitions_are_installed() {
    let plane = ControlPlane::shared().await.unwrap();
    let (first, second) = tokio::join!(plane.install_crds(), plane.install_crds());
    first.unwrap();
    second.unwrap();
    let namespace = plane.namespace("definitions").await.unwrap();
    let kind = GroupVersionKind::gvk("flink.apache.org", "v1beta1", "FlinkBlueGreenDeployment");
    let resource = ApiResource::from_gvk_with_plural(&kind, "flinkbluegreendeployments");
    let resources: Api<DynamicObject> =
        Api::namespaced_with(plane.client().await.unwrap(), &namespace, &resource);
    let object = json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkBlueGreenDeployment",
        "metadata": {"name": "ledger"},
        "spec": {"template": {"spec": {
            "image": "flink:1.20",
            "flinkVersion": "v1_20",
            "serviceAccount": "flink",
            "jobManager": {"resource": {"cpu": 1, "memory": "1g"}},
            "taskManager": {"resource": {"cpu": 1, "memory": "1g"}},
            "job": {"jarURI": "local:///opt/flink/usrlib/ledger.jar", "parallelism": 1, "upgradeMode": "stateless"}
        }}}
    });
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    let created = resources.create(&PostParams::default(), &object).await.unwrap();
    assert_eq!(created.metadata.generation, Some(1));
}

#[tokio::test]
async fn a_service_account_is_refused_what_it_may_not_do_and_the_audit_log_says_so() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace("audit").await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let kubeconfig = plane
        .service_account_kubeconfig(&namespace, "operator", directory.path())
        .await
        .unwrap();
    let audit = plane.audit().await.unwrap();

    let account = Client::try_from(client_config(&kubeconfig).await.unwrap()).unwrap();
    let refused: Api<ConfigMap> = Api::namespaced(account, &namespace);
    let answer = refused.create(&PostParams::default(), &config_map("one")).await;
    assert_eq!(refusal(answer), Some(403));
    let granted: Api<ConfigMap> = Api::namespaced(plane.client().await.unwrap(), &namespace);
    granted
        .create(&PostParams::default(), &config_map("one"))
        .await
        .unwrap();
    granted.get("one").await.unwrap();

    let requests = audit.requests().await.unwrap().in_namespace(&namespace);
    assert_eq!(
        requests.counts().to_string(),
        "     1  create configmaps 201\n     1  create configmaps 403\n     1  get configmaps 200\n     3  in all"
    );
    assert_eq!(requests.writes().len(), 2);
    assert_eq!(requests.by_user("admin").count("create", "configmaps"), 1);
    let account = requests.by_user(&format!("system:serviceaccount:{namespace}:operator"));
    assert_eq!(account.len(), 1, "{account:?}");
    assert_eq!((account.0[0].code, account.0[0].verb.as_str()), (403, "create"));
}

#[tokio::test]
async fn a_user_is_known_by_name_and_group() {
    let plane = ControlPlane::shared().await.unwrap();
    let namespace = plane.namespace("users").await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let audit = plane.audit().await.unwrap();
    for (user, group) in [("alice", None), ("bob@example.org", Some("system:masters"))] {
        let kubeconfig = plane
            .user_kubeconfig(user, group, directory.path())
            .await
            .unwrap();
        let client = Client::try_from(client_config(&kubeconfig).await.unwrap()).unwrap();
        let listed = Api::<ConfigMap>::namespaced(client, &namespace)
            .list(&ListParams::default())
            .await;
        assert_eq!(listed.is_ok(), group.is_some(), "{user}: {listed:?}");
    }
    let requests = audit.requests().await.unwrap().in_namespace(&namespace);
    assert_eq!(requests.by_user("alice").0[0].code, 403);
    assert_eq!(requests.by_user("bob@example.org").0[0].code, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_control_plane_keeps_its_data_and_address_when_its_api_server_is_restarted() {
    let plane = ControlPlane::private().await.unwrap();
    let shared = ControlPlane::shared().await.unwrap();
    assert_ne!(plane.address().unwrap(), shared.address().unwrap());
    let client = plane.client().await.unwrap();
    let config_maps: Api<ConfigMap> = Api::default_namespaced(client);
    let created = config_maps
        .create(&PostParams::default(), &config_map("kept"))
        .await
        .unwrap();

    // Left to itself, an API server waits a minute for a watch to end.
    let watch = config_maps.watch(&WatchParams::default(), "0").await.unwrap();
    let asked = Instant::now();
    plane.stop_api_server().await.unwrap();
    assert!(asked.elapsed() < Duration::from_secs(14), "{:?}", asked.elapsed());
    drop(watch);
    let unanswered = config_maps.get("kept").await;
    assert!(
        !matches!(unanswered, Ok(_) | Err(kube::Error::Api(_))),
        "{unanswered:?}"
    );
    plane.start_api_server().await.unwrap();
    assert_eq!(
        config_maps.get("kept").await.unwrap().metadata.uid,
        created.metadata.uid
    );

    plane.kill_api_server().await.unwrap();
    plane.restart_api_server().await.unwrap();
    assert_eq!(
        config_maps.get("kept").await.unwrap().metadata.uid,
        created.metadata.uid
    );

    let directory = plane.kubeconfig().parent().unwrap().to_path_buf();
    drop(plane);
    assert!(!directory.exists(), "{} is still there", directory.display());
    assert!(config_maps.get("kept").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_test_leaves_is_ended_by_the_next() {
    let left = ControlPlane::private().await.unwrap();
    let directory = left.kubeconfig().parent().unwrap().to_path_buf();
    let config_maps: Api<ConfigMap> = Api::default_namespaced(left.client().await.unwrap());
    config_maps.list(&ListParams::default()).await.unwrap();
    // As if the process with this number had begun earlier, and ended.
    let file = directory.join("owner.json");
    let mut owner: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    owner["started"] = json!(1);
    fs::write(&file, owner.to_string()).unwrap();
    mem::forget(left);

    drop(ControlPlane::private().await.unwrap());
    assert!(!directory.exists(), "{} is still there", directory.display());
    assert!(config_maps.list(&ListParams::default()).await.is_err());
}
