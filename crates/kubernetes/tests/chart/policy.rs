//! The admission policy: who may change a child.

use std::path::Path;
use std::time::{Duration, Instant};

use k8s_openapi::api::rbac::v1::{ClusterRoleBinding, RoleRef, Subject};
use kube::api::{
    Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams, ObjectMeta, Patch,
    PatchParams, PostParams,
};
use kube::{Client, Config};
use serde_json::{Value, json};
use sluice_cluster::ControlPlane;

use crate::helm::{Dry, apply, render};

/// The FlinkDeployments of one namespace, in the hands of one user.
struct Hands {
    children: Api<DynamicObject>,
}

impl Hands {
    async fn of(kubeconfig: &Path, namespace: &str) -> Self {
        let config = sluice_cluster::client_config(kubeconfig).await.unwrap();
        Self::with(config, namespace)
    }

    fn with(config: Config, namespace: &str) -> Self {
        Self {
            children: Api::namespaced_with(
                Client::try_from(config).unwrap(),
                namespace,
                &resource("FlinkDeployment"),
            ),
        }
    }

    async fn create(&self, object: &Value) -> Result<(), String> {
        let object: DynamicObject = serde_json::from_value(object.clone()).unwrap();
        said(self.children.create(&PostParams::default(), &object).await)
    }

    async fn merge(&self, name: &str, patch: Value) -> Result<(), String> {
        let parameters = PatchParams::default();
        said(self.children.patch(name, &parameters, &Patch::Merge(patch)).await)
    }

    async fn set_image(&self, name: &str, image: &str) -> Result<(), String> {
        self.merge(name, json!({"spec": {"image": image}})).await
    }

    async fn delete(&self, name: &str) -> Result<(), String> {
        said(self.children.delete(name, &DeleteParams::default()).await)
    }
}

/// Nothing, or the refusal in words. Any other failure is the test's.
fn said<T>(answer: Result<T, kube::Error>) -> Result<(), String> {
    match answer {
        Ok(_) => Ok(()),
        Err(kube::Error::Api(response)) if response.code == 403 => Err(response.message.clone()),
        Err(other) => panic!("neither granted nor refused: {other}"),
    }
}

fn resource(kind: &str) -> ApiResource {
    ApiResource::from_gvk(&GroupVersionKind::gvk("flink.apache.org", "v1beta1", kind))
}

fn deployment(name: &str, owner: Option<(&str, &str)>) -> Value {
    let owners = owner.map(|(name, uid)| {
        json!([{"apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkBlueGreenDeployment", "name": name, "uid": uid, "controller": true}])
    });
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {
            "name": name,
            "labels": {"flink/blue-green-deployment-type": "BLUE"},
            "annotations": {"flink/blue-green-restored-from": "s3://savepoints/1"},
            "ownerReferences": owners,
        },
        "spec": {
            "image": "flink:1.20", "flinkVersion": "v1_20", "serviceAccount": "flink", "flinkConfiguration": {},
            "jobManager": {"resource": {"cpu": 1, "memory": "1g"}},
            "taskManager": {"resource": {"cpu": 1, "memory": "1g"}},
            "job": {"jarURI": "local:///job.jar", "parallelism": 1, "upgradeMode": "stateless"},
        },
    })
}

/// Lets a user do everything that RBAC is asked about.
async fn make_cluster_administrator(client: &Client, namespace: &str, account: &str) {
    let bindings: Api<ClusterRoleBinding> = Api::all(client.clone());
    let binding = ClusterRoleBinding {
        metadata: ObjectMeta {
            name: Some(format!("{namespace}-{account}")),
            ..ObjectMeta::default()
        },
        role_ref: RoleRef {
            api_group: "rbac.authorization.k8s.io".to_owned(),
            kind: "ClusterRole".to_owned(),
            name: "cluster-admin".to_owned(),
        },
        subjects: Some(vec![Subject {
            kind: "ServiceAccount".to_owned(),
            name: account.to_owned(),
            namespace: Some(namespace.to_owned()),
            ..Subject::default()
        }]),
    };
    bindings.create(&PostParams::default(), &binding).await.unwrap();
}

/// A child with all that upstream's client knows and Sluice leaves as its author wrote it.
fn plain_child(owner: (&str, &str)) -> Value {
    let mut child = deployment("orders-blue", Some(owner));
    let spec = &mut child["spec"];
    spec["flinkConfiguration"] =
        json!({"taskmanager.numberOfTaskSlots": 2, "metrics.latency": true, "rest.port": "8081"});
    // As many as nobody has: the API server gives a policy so much time and no more.
    for number in 0..500 {
        spec["flinkConfiguration"][format!("example.key-{number}")] = json!("x".repeat(100));
    }
    spec["job"] = json!({"jarURI": "local:///job.jar", "parallelism": 1});
    let pod = json!({"spec": {"containers": [{"name": "flink-main-container"}]}});
    spec["podTemplate"] = pod.clone();
    spec["jobManager"]["podTemplate"] = pod.clone();
    spec["taskManager"]["podTemplate"] = pod;
    child
}

/// What upstream's operator 1.7.0 sends to set its finalizer: the object as its classes read and write it.
fn as_upstream_replaces(child: &DynamicObject) -> DynamicObject {
    let mut child = child.clone();
    child.metadata.finalizers = Some(vec!["flinkdeployments.flink.apache.org/finalizer".to_owned()]);
    let spec = &mut child.data["spec"];
    spec["flinkConfiguration"]["taskmanager.numberOfTaskSlots"] = json!("2");
    spec["flinkConfiguration"]["metrics.latency"] = json!("true");
    spec["job"]["args"] = json!([]);
    spec["job"]["state"] = json!("running");
    spec["job"]["upgradeMode"] = json!("stateless");
    spec["jobManager"]["replicas"] = json!(1);
    for pointer in [
        "/podTemplate",
        "/jobManager/podTemplate",
        "/taskManager/podTemplate",
    ] {
        let pod = spec.pointer_mut(pointer).unwrap();
        pod["apiVersion"] = json!("v1");
        pod["kind"] = json!("Pod");
    }
    spec["jobManager"]["resource"]["cpu"] = json!(1.0);
    child
}

/// A policy is in force a moment after it was written.
async fn until_in_force(mut probe: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !probe().await {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "the policy does not come into force"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one policy, and everybody who meets it")]
async fn children_are_changed_by_the_operator_alone() {
    let plane = ControlPlane::shared().await.unwrap();
    plane.install_crds().await.unwrap();
    let admin = plane.client().await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let release = plane.namespace("policy").await.unwrap();
    let jobs = plane.namespace("policy-jobs").await.unwrap();
    let settings = format!("watchNamespaces={{{jobs}}}");
    for object in render(home.path(), &release, &["--set", &settings]) {
        apply(&admin, &object, Dry::No).await.unwrap();
    }
    let account = async |namespace: &str, name: &str| {
        let kubeconfig = plane
            .service_account_kubeconfig(namespace, name, home.path())
            .await;
        Hands::of(&kubeconfig.unwrap(), &jobs).await
    };
    let operator = account(&release, "sluice-operator").await;
    let upstream = account(&release, "flink-operator").await;
    make_cluster_administrator(&admin, &release, "flink-operator").await;
    let person = plane
        .user_kubeconfig("alice", Some("system:masters"), home.path())
        .await
        .unwrap();
    let alice = Hands::of(&person, &jobs).await;

    let parents: Api<DynamicObject> =
        Api::namespaced_with(admin.clone(), &jobs, &resource("FlinkBlueGreenDeployment"));
    let parent = json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkBlueGreenDeployment", "metadata": {"name": "orders"},
        "spec": {"template": {"spec": deployment("x", None)["spec"]}},
    });
    let parent = serde_json::from_value(parent).unwrap();
    let parent = parents.create(&PostParams::default(), &parent).await.unwrap();
    let uid = parent.metadata.uid.unwrap();
    let child = deployment("orders-blue", Some(("orders", &uid)));
    operator.create(&child).await.unwrap();
    // Another one each time: to make it what it is already is no change, and free.
    let mut image = 0;
    until_in_force(async || {
        image += 1;
        alice
            .set_image("orders-blue", &format!("evil:{image}"))
            .await
            .is_err()
    })
    .await;

    // A person is told what to edit instead.
    let sentence = format!(
        "the FlinkDeployment orders-blue belongs to the FlinkBlueGreenDeployment orders, and only its operator changes it; edit \
         the FlinkBlueGreenDeployment instead: kubectl edit flinkbgdep orders -n {jobs}"
    );
    let refused = |what: &str, answer: Result<(), String>| {
        let words = answer.expect_err(what);
        assert!(words.contains(&sentence), "{what}: {words}");
    };
    refused("an edit", alice.set_image("orders-blue", "flink:2").await);
    refused("a deletion", alice.delete("orders-blue").await);
    let all = alice
        .children
        .delete_collection(&DeleteParams::default(), &ListParams::default())
        .await;
    refused("the deletion of all", said(all));
    let owners = json!({"metadata": {"ownerReferences": null}});
    refused(
        "taking it from its owner",
        alice.merge("orders-blue", owners).await,
    );
    let label = json!({"metadata": {"labels": {"flink/blue-green-deployment-type": "GREEN"}}});
    refused("another colour", alice.merge("orders-blue", label).await);
    let path = json!({"metadata": {"annotations": {"flink/blue-green-restored-from": null}}});
    refused(
        "the operator's annotation",
        alice.merge("orders-blue", path).await,
    );
    // The operator of FlinkDeployments may not either, as long as nothing names it.
    refused(
        "another operator",
        upstream.set_image("orders-blue", "flink:2").await,
    );

    // Nobody makes a child but the operator.
    let words = alice
        .create(&deployment("orders-green", Some(("orders", &uid))))
        .await
        .unwrap_err();
    assert!(
        words.contains("belongs to the FlinkBlueGreenDeployment orders"),
        "{words}"
    );
    alice.create(&deployment("plain", None)).await.unwrap();
    let adopted = deployment("plain", Some(("orders", &uid)));
    let owners = json!({"metadata": {"ownerReferences": adopted["metadata"]["ownerReferences"]}});
    let words = alice.merge("plain", owners).await.unwrap_err();
    assert!(words.contains("the FlinkDeployment plain belongs to"), "{words}");

    // What is no child is nobody's business.
    alice.set_image("plain", "flink:2").await.unwrap();
    alice.delete("plain").await.unwrap();

    // Free are annotations, finalizers and the status.
    let note = json!({"metadata": {"annotations": {"example.org/note": "looked at"}}});
    alice.merge("orders-blue", note).await.unwrap();
    let finalizers = json!({"metadata": {"finalizers": ["flinkdeployments.flink.apache.org/finalizer"]}});
    upstream.merge("orders-blue", finalizers).await.unwrap();
    let status = json!({"status": {"lifecycleState": "STABLE"}});
    let written = upstream
        .children
        .patch_status("orders-blue", &PatchParams::default(), &Patch::Merge(status))
        .await;
    said(written).unwrap();
    upstream
        .merge("orders-blue", json!({"metadata": {"finalizers": null}}))
        .await
        .unwrap();

    // The operator goes on with its work.
    let mut replaced = operator.children.get("orders-blue").await.unwrap();
    replaced.data["spec"]["image"] = json!("flink:1.20.1");
    let parameters = PostParams::default();
    said(
        operator
            .children
            .replace("orders-blue", &parameters, &replaced)
            .await,
    )
    .unwrap();

    // What is orphaned is deleted, under either name that the garbage collector may have.
    let collector = account("kube-system", "generic-garbage-collector").await;
    collector.delete("orders-blue").await.unwrap();
    operator.create(&child).await.unwrap();
    let manager = plane
        .user_kubeconfig(
            "system:kube-controller-manager",
            Some("system:masters"),
            home.path(),
        )
        .await
        .unwrap();
    let manager = Hands::of(&manager, &jobs).await;
    manager.delete("orders-blue").await.unwrap();
    operator.create(&child).await.unwrap();
    let namespaces = account("kube-system", "namespace-controller").await;
    namespaces.delete("orders-blue").await.unwrap();

    // Another operator of FlinkDeployments, and a person, once the values name them.
    operator.create(&child).await.unwrap();
    let arguments = [
        "--set".to_owned(),
        settings,
        "--set".to_owned(),
        format!("flinkDeploymentControllers={{system:serviceaccount:{release}:flink-operator}}"),
        "--set".to_owned(),
        "admissionPolicy.exemptUsers={alice}".to_owned(),
    ];
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    for object in render(home.path(), &release, &arguments) {
        apply(&admin, &object, Dry::No).await.unwrap();
    }
    until_in_force(async || upstream.set_image("orders-blue", "flink:1.20.2").await.is_ok()).await;
    alice.delete("orders-blue").await.unwrap();

    // In a namespace that is not watched the policy has no say.
    let elsewhere = plane.namespace("policy-elsewhere").await.unwrap();
    let config = sluice_cluster::client_config(&plane.kubeconfig()).await.unwrap();
    let elsewhere = Hands::with(config, &elsewhere);
    elsewhere.create(&child).await.unwrap();
    elsewhere.set_image("orders-blue", "flink:2").await.unwrap();
}

#[tokio::test]
async fn an_operator_writes_out_defaults_with_its_finalizer_and_nothing_else() {
    let plane = ControlPlane::shared().await.unwrap();
    plane.install_crds().await.unwrap();
    let admin = plane.client().await.unwrap();
    let home = tempfile::tempdir().unwrap();
    let release = plane.namespace("defaults").await.unwrap();
    let jobs = plane.namespace("defaults-jobs").await.unwrap();
    let settings = format!("watchNamespaces={{{jobs}}}");
    for object in render(home.path(), &release, &["--set", &settings]) {
        apply(&admin, &object, Dry::No).await.unwrap();
    }
    let account = async |name: &str| {
        let kubeconfig = plane
            .service_account_kubeconfig(&release, name, home.path())
            .await;
        Hands::of(&kubeconfig.unwrap(), &jobs).await
    };
    let operator = account("sluice-operator").await;
    let upstream = account("flink-operator").await;
    make_cluster_administrator(&admin, &release, "flink-operator").await;
    operator
        .create(&plain_child(("orders", "4e3b2d0c-57f1-4b8e-9d1c-0a2f3b4c5d6e")))
        .await
        .unwrap();
    let mut image = 0;
    until_in_force(async || {
        image += 1;
        let image = format!("evil:{image}");
        upstream.set_image("orders-blue", &image).await.is_err()
    })
    .await;
    let replace = async |child: &DynamicObject| {
        let parameters = PostParams::default();
        said(upstream.children.replace("orders-blue", &parameters, child).await)
    };

    // Nobody has named its account. What is more than a default is refused, be it among defaults.
    let edits = [
        ("/image", json!("flink:2")),
        ("/restartNonce", json!(1)),
        ("/mode", json!("standalone")),
        ("/job/parallelism", json!(2)),
        ("/job/args", json!(["--evil"])),
        ("/job/state", json!("suspended")),
        ("/job/upgradeMode", json!("savepoint")),
        ("/job/entryClass", json!("org.example.Evil")),
        ("/jobManager/replicas", json!(2)),
        ("/jobManager/resource/memory", json!("2g")),
        ("/taskManager/replicas", json!(1)),
        ("/podTemplate/spec/containers/0/image", json!("evil")),
        ("/jobManager/podTemplate/metadata", json!({"labels": {"a": "b"}})),
        ("/taskManager/podTemplate/kind", json!("Deployment")),
        ("/flinkConfiguration/rest.port", json!("8082")),
        ("/flinkConfiguration/metrics.latency", json!("false")),
        ("/flinkConfiguration/parallelism.default", json!("1")),
        ("/job", Value::Null),
        ("/job/parallelism", Value::Null),
        ("/podTemplate", Value::Null),
        ("/flinkConfiguration", Value::Null),
        ("/flinkConfiguration/rest.port", Value::Null),
    ];
    let made = operator.children.get("orders-blue").await.unwrap();
    for (pointer, value) in edits {
        let mut changed = as_upstream_replaces(&made);
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let fields = changed.data["spec"].pointer_mut(parent).unwrap();
        fields
            .as_object_mut()
            .unwrap()
            .insert(key.to_owned(), value.clone());
        let words = replace(&changed).await.expect_err(pointer);
        let sentence = "belongs to the FlinkBlueGreenDeployment orders, and only its operator changes it";
        assert!(words.contains(sentence), "{pointer} {value}: {words}");
    }

    // What upstream's really sends passes, and does so again when it takes its finalizer off.
    replace(&as_upstream_replaces(&made)).await.unwrap();
    let written = operator.children.get("orders-blue").await.unwrap();
    assert_eq!(
        written.data["spec"]["job"]["args"],
        json!([]),
        "{:?}",
        written.data
    );
    assert!(written.metadata.finalizers.is_some());
    let mut released = written.clone();
    released.metadata.finalizers = None;
    replace(&released).await.unwrap();

    // What is written out once is a default no more to someone who would change it.
    upstream
        .merge("orders-blue", json!({"spec": {"job": {"args": ["--evil"]}}}))
        .await
        .unwrap_err();

    // Once its account is named everything passes.
    let named = format!("flinkDeploymentControllers={{system:serviceaccount:{release}:flink-operator}}");
    for object in render(home.path(), &release, &["--set", &settings, "--set", &named]) {
        apply(&admin, &object, Dry::No).await.unwrap();
    }
    let args = json!({"spec": {"job": {"args": ["--fine"]}}});
    until_in_force(async || upstream.merge("orders-blue", args.clone()).await.is_ok()).await;
    upstream.delete("orders-blue").await.unwrap();
}
