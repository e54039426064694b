//! What the chart lets the operator do: with all of it nothing is lacking, and without any one verb something is.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use kube::Client;
use kube::api::{Api, ApiResource, DeleteParams, DynamicObject, GroupVersionKind, ListParams};
use serde_json::{Value, json};
use sluice_cluster::{AuditedRequest, ControlPlane, Requests};
use sluice_conformance::{Options, Scenario, Stage};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::helm::{Dry, apply, kind_of, only, render};

/// A life in which the operator does everything that it ever does on the API server.
const LIFE: &str = r#"
about: A change in place, an Ingress deleted by hand, a transition, the Ingress given up.
steps:
- apply: { spec: { ingress: { template: "{{name}}.example.com" } } }
- wait: { within: 60 s, state: ACTIVE_BLUE, job: RUNNING, ingress: { backend: orders-blue-rest } }
- edit: { flink: { kubernetes.operator.savepoint.history.max.count: "3" } }
- wait:
    within: 60 s
    state: ACTIVE_BLUE
    job: RUNNING
    blue: { /spec/flinkConfiguration/kubernetes.operator.savepoint.history.max.count: "3" }
- remember: { ingress: ingress /metadata/uid }
- delete: ingress
- wait: { within: 60 s, ingress: { backend: orders-blue-rest, uid: { not: $ingress } } }
- edit: { image: "orders:2" }
- wait:
    within: 60 s
    state: ACTIVE_GREEN
    job: RUNNING
    blue: absent
    ingress: { backend: orders-green-rest }
- edit: { spec: { ingress: null } }
- wait: { within: 60 s, ingress: absent }
"#;

fn life(name: &str) -> Scenario {
    let mut life: Value = serde_saphyr::from_str(LIFE).unwrap();
    life["name"] = json!(name);
    serde_json::from_value(life).unwrap()
}

/// How the namespaces to watch are named in the values.
#[derive(Clone, Copy)]
enum Watch {
    ByName,
    ByLabel,
}

impl Watch {
    fn values(self, namespace: &str) -> Value {
        match self {
            Self::ByName => json!({"watchNamespaces": [namespace]}),
            Self::ByLabel => {
                json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}})
            }
        }
    }
}

/// A release of the chart for one namespace of jobs. Its Deployment is not for this API server, which has no nodes; the
/// operator is started here, as the Deployment would.
struct Release {
    home: TempDir,
    namespace: String,
    objects: Vec<DynamicObject>,
}

impl Release {
    async fn render(plane: &ControlPlane, watch: Watch, jobs: &str, stage: &Stage) -> Self {
        let home = tempfile::tempdir().unwrap();
        let namespace = plane.namespace("operator").await.unwrap();
        let mut values = watch.values(jobs);
        values["restAddress"] = json!(format!("http://{}/{{namespace}}/{{name}}", stage.address()));
        values["defaultConfiguration"] =
            json!({"config.yaml": {"kubernetes.operator.bluegreen.deployment-deletion.delay": "10 ms"}});
        let file = home.path().join("values.json");
        fs::write(&file, values.to_string()).unwrap();
        let objects = render(home.path(), &namespace, &["--values", file.to_str().unwrap()]);
        Self {
            home,
            namespace,
            objects,
        }
    }

    fn user(&self) -> String {
        format!("system:serviceaccount:{}:sluice-operator", self.namespace)
    }

    /// Every verb that the roles grant.
    fn grants(&self) -> Vec<Grant> {
        let mut grants = Vec::new();
        for (object, role) in self.roles() {
            for (rule, granted) in role.data["rules"].as_array().into_iter().flatten().enumerate() {
                let strings = |field: &str| {
                    let listed = granted[field].as_array().into_iter().flatten();
                    listed
                        .map(|it| it.as_str().unwrap().to_owned())
                        .collect::<Vec<_>>()
                };
                for resource in strings("resources") {
                    for verb in strings("verbs") {
                        grants.push(Grant {
                            object,
                            rule,
                            resource: resource.clone(),
                            verb,
                        });
                    }
                }
            }
        }
        grants
    }

    fn roles(&self) -> impl Iterator<Item = (usize, &DynamicObject)> {
        let roles = self.objects.iter().enumerate();
        roles.filter(|(_, object)| matches!(kind_of(object), "Role" | "ClusterRole"))
    }

    /// Takes one verb out of a role.
    fn withhold(&mut self, grant: &Grant) {
        let rule = &mut self.objects[grant.object].data["rules"][grant.rule];
        // One verb of one resource: as the chart writes its rules.
        assert_eq!(rule["resources"], json!([grant.resource]));
        let verbs = rule["verbs"].as_array_mut().unwrap();
        let before = verbs.len();
        verbs.retain(|verb| verb != &json!(grant.verb));
        assert_eq!(verbs.len(), before - 1);
        if verbs.is_empty() {
            let rules = self.objects[grant.object].data["rules"].as_array_mut().unwrap();
            rules.remove(grant.rule);
        }
    }

    async fn install(&self, client: &Client, with_policy: bool) {
        for object in &self.objects {
            let policy = kind_of(object).starts_with("ValidatingAdmissionPolicy");
            if kind_of(object) != "Deployment" && (with_policy || !policy) {
                apply(client, object, Dry::No).await.unwrap();
            }
        }
    }

    /// Deletes what is in no namespace, which others that use this API server would see.
    async fn remove(&self, client: &Client) {
        for object in self.objects.iter().filter(|it| it.metadata.namespace.is_none()) {
            let types = object.types.as_ref().unwrap();
            let (group, version) = types.api_version.split_once('/').unwrap();
            let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &types.kind));
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
            let name = object.metadata.name.as_deref().unwrap();
            let _ = api.delete(name, &DeleteParams::default()).await;
        }
    }

    /// Starts the operator with the Deployment's own arguments and environment.
    async fn start(&self, plane: &ControlPlane) -> Operator {
        let pod = &only(&self.objects, "Deployment").data["spec"]["template"]["spec"];
        assert_eq!(pod["serviceAccountName"], json!("sluice-operator"));
        let defaults = self.home.path().join("config.yaml");
        let config_map = only(&self.objects, "ConfigMap");
        fs::write(
            &defaults,
            config_map.data["data"]["config.yaml"].as_str().unwrap(),
        )
        .unwrap();
        let arguments: Vec<String> = pod["containers"][0]["args"]
            .as_array()
            .unwrap()
            .iter()
            .map(|argument| argument.as_str().unwrap())
            .map(|argument| match argument.split_once('=') {
                // Where the ConfigMap is in the pod, and a port that nobody else has.
                Some(("--defaults-file", _)) => format!("--defaults-file={}", defaults.display()),
                Some(("--listen", _)) => "--listen=127.0.0.1:0".to_owned(),
                _ => argument.to_owned(),
            })
            .collect();
        let kubeconfig = plane
            .service_account_kubeconfig(&self.namespace, "sluice-operator", self.home.path())
            .await
            .unwrap();
        let log = self.home.path().join("operator.log");
        let process = Command::new(env!("CARGO_BIN_EXE_sluice-operator"))
            .args(arguments)
            .env("KUBECONFIG", kubeconfig)
            .env("POD_NAME", "sluice-operator-0")
            .env("POD_NAMESPACE", &self.namespace)
            .stderr(File::create(&log).unwrap())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Operator {
            _process: process,
            log,
        }
    }
}

/// Ends when it is dropped.
struct Operator {
    _process: Child,
    log: PathBuf,
}

/// One verb of one rule.
#[derive(Clone, Debug)]
struct Grant {
    object: usize,
    rule: usize,
    resource: String,
    verb: String,
}

impl Grant {
    /// Whether a request was refused for the lack of this.
    fn is_lacking_in(&self, request: &AuditedRequest) -> bool {
        // What an apply makes anew has to be allowed to be created, too; the request itself is a patch.
        let verb = request.verb == self.verb || (self.verb == "create" && request.verb == "patch");
        request.code == 403 && verb && request.target() == self.resource
    }
}

fn refused(requests: &Requests) -> Requests {
    requests.only(|request| request.code == 403)
}

fn log_of(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_permissions_suffice() {
    let plane = ControlPlane::shared().await.unwrap();
    plane.install_crds().await.unwrap();
    let client = plane.client().await.unwrap();
    let scenarios = vec![life("permissions-by-name"), life("permissions-by-label")];
    let stage = Stage::set(client.clone(), scenarios, Options::default())
        .await
        .unwrap();
    let audit = plane.audit().await.unwrap();
    let mut releases = Vec::new();
    for (watch, jobs) in [Watch::ByName, Watch::ByLabel]
        .into_iter()
        .zip(stage.namespaces())
    {
        let release = Release::render(&plane, watch, &jobs, &stage).await;
        // With its policy: the operator must get through that, too.
        release.install(&client, true).await;
        let operator = release.start(&plane).await;
        releases.push((release, operator));
    }
    let outcomes = stage.play(|_| {}).await;
    let requests = audit.requests().await.unwrap();
    for (release, operator) in &releases {
        release.remove(&client).await;
        let of_this = requests.by_user(&release.user());
        assert!(refused(&of_this).is_empty(), "{}", refused(&of_this).counts());
        assert!(of_this.count("update", "leases") + of_this.count("patch", "leases") > 0);
        println!("{}\n{}", release.namespace, of_this.counts());
        for outcome in &outcomes {
            assert!(outcome.passed(), "{}\n{}", outcome.story(), log_of(&operator.log));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_verb_is_needed() {
    const PATIENCE: Duration = Duration::from_secs(90);
    let plane = ControlPlane::shared().await.unwrap();
    plane.install_crds().await.unwrap();
    let client = plane.client().await.unwrap();

    // What there is to be withheld: all that a release with a selector is granted, which is more than one with names.
    let home = tempfile::tempdir().unwrap();
    let probe = Release {
        objects: render(
            home.path(),
            "probe",
            &["--set", "namespaceSelector.matchLabels.a=b"],
        ),
        namespace: "probe".to_owned(),
        home,
    };
    let grants = probe.grants();
    assert!(grants.len() > 15, "{grants:?}");
    let scenarios = (0..grants.len()).map(|number| life(&format!("without-{number}")));
    let options = Options {
        at_once: grants.len(),
        ..Options::default()
    };
    let stage = Stage::set(client.clone(), scenarios.collect(), options)
        .await
        .unwrap();
    let namespaces = stage.namespaces();
    let audit = plane.audit().await.unwrap();
    let mut releases = Vec::new();
    for (grant, jobs) in grants.iter().zip(&namespaces) {
        let mut release = Release::render(&plane, Watch::ByLabel, jobs, &stage).await;
        release.withhold(grant);
        release.install(&client, false).await;
        let operator = release.start(&plane).await;
        releases.push((release, operator));
    }
    // Most of the lives never end, for something is missing: they are played until each verb has been missed.
    let started = Instant::now();
    let watch = async {
        let mut missing: BTreeSet<usize> = (0..grants.len()).collect();
        while !missing.is_empty() && started.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let requests = audit.requests().await.unwrap();
            missing.retain(|number| {
                let (grant, release) = (&grants[*number], &releases[*number].0);
                let of_this = requests.by_user(&release.user());
                !of_this.0.iter().any(|request| grant.is_lacking_in(request))
            });
        }
        missing
    };
    let play = async {
        stage.play(|_| {}).await;
        std::future::pending().await
    };
    let missing: BTreeSet<usize> = tokio::select! {
        missing = watch => missing,
        never = play => never,
    };
    let took = started.elapsed();
    let requests = audit.requests().await.unwrap();
    let mut unneeded = String::new();
    for number in &missing {
        let (grant, (release, operator)) = (&grants[*number], &releases[*number]);
        unneeded += &format!(
            "{} {} is granted, and nobody missed it. Requests without it:\n{}\n{}\n",
            grant.verb,
            grant.resource,
            requests.by_user(&release.user()).counts(),
            log_of(&operator.log)
        );
    }
    // And nothing else was refused.
    for (grant, (release, _)) in grants.iter().zip(&releases) {
        let others =
            refused(&requests.by_user(&release.user())).only(|request| !grant.is_lacking_in(request));
        if !others.is_empty() {
            unneeded += &format!("without {grant:?} also refused:\n{}\n", others.counts());
        }
    }
    for (release, operator) in releases {
        drop(operator);
        release.remove(&client).await;
    }
    clean_up(&client, &namespaces).await;
    println!(
        "each of {} verbs was missed within {:.1} s",
        grants.len(),
        took.as_secs_f64()
    );
    assert!(unneeded.is_empty(), "{unneeded}");
}

/// Nothing may be left for another operator to find.
async fn clean_up(client: &Client, namespaces: &[String]) {
    for (kind, group) in [
        ("FlinkBlueGreenDeployment", "flink.apache.org/v1beta1"),
        ("FlinkDeployment", "flink.apache.org/v1beta1"),
        ("Ingress", "networking.k8s.io/v1"),
    ] {
        let (group, version) = group.split_once('/').unwrap();
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        for namespace in namespaces {
            let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), namespace, &resource);
            let all = ListParams::default();
            api.delete_collection(&DeleteParams::default(), &all)
                .await
                .unwrap();
        }
    }
}
