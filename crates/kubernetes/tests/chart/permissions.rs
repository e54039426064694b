//! What the chart lets the operator do: with all of it nothing is lacking, and without any one verb something is.

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
- wait: { within: 120 s, state: ACTIVE_BLUE, job: RUNNING, ingress: { backend: orders-blue-rest } }
- edit: { flink: { kubernetes.operator.savepoint.history.max.count: "3" } }
- wait:
    within: 120 s
    state: ACTIVE_BLUE
    job: RUNNING
    blue: { /spec/flinkConfiguration/kubernetes.operator.savepoint.history.max.count: "3" }
    events: [ChildChangeCompleted]
- remember: { ingress: ingress /metadata/uid }
- delete: ingress
- wait: { within: 120 s, ingress: { backend: orders-blue-rest, uid: { not: $ingress } } }
- edit: { image: "orders:2" }
- wait:
    within: 120 s
    state: ACTIVE_GREEN
    job: RUNNING
    blue: absent
    ingress: { backend: orders-green-rest }
- edit: { spec: { ingress: null } }
- wait: { within: 120 s, ingress: absent }
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
    /// So many operators at once are as many as two processors bear.
    const AT_ONCE: usize = 6;
    let plane = ControlPlane::shared().await.unwrap();
    plane.install_crds().await.unwrap();

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
    // One at a time; but each kind is listed and watched by itself, so those are withheld of all kinds together.
    let (together, alone): (Vec<Grant>, Vec<Grant>) = grants
        .iter()
        .cloned()
        .partition(|grant| grant.verb == "list" || grant.verb == "watch");
    let (lists, watches): (Vec<Grant>, Vec<Grant>) = together.into_iter().partition(|it| it.verb == "list");
    let mut trials = vec![lists, watches];
    trials.extend(alone.into_iter().map(|grant| vec![grant]));

    let began = Instant::now();
    let mut problems = Vec::new();
    for trials in trials.chunks(AT_ONCE) {
        problems.extend(missed(&plane, trials).await);
    }
    println!(
        "{} verbs in {} lives: {:.1} s",
        grants.len(),
        trials.len(),
        began.elapsed().as_secs_f64()
    );
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Plays a life for each trial, in which its grants are withheld, until each of them has been missed. What was not missed
/// within the patience, and what else was refused, in words.
async fn missed(plane: &ControlPlane, trials: &[Vec<Grant>]) -> Vec<String> {
    const PATIENCE: Duration = Duration::from_mins(3);
    let client = plane.client().await.unwrap();
    let scenarios = (0..trials.len()).map(|number| life(&format!("without-{number}")));
    let stage = Stage::set(client.clone(), scenarios.collect(), Options::default())
        .await
        .unwrap();
    let namespaces = stage.namespaces();
    let audit = plane.audit().await.unwrap();
    let mut runs = Vec::new();
    for (trial, jobs) in trials.iter().zip(&namespaces) {
        let mut release = Release::render(plane, Watch::ByLabel, jobs, &stage).await;
        // From the back, so that a rule that goes away moves none that is still to be found.
        for grant in trial.iter().rev() {
            release.withhold(grant);
        }
        release.install(&client, false).await;
        let operator = release.start(plane).await;
        runs.push((trial, release, Some(operator)));
    }
    let not_missed = |requests: &Requests, trial: &[Grant], release: &Release| {
        let of_this = requests.by_user(&release.user());
        let was_missed = |grant: &&Grant| of_this.0.iter().any(|request| grant.is_lacking_in(request));
        let missing = trial.iter().filter(|grant| !was_missed(grant));
        missing
            .map(|grant| format!("{} {}", grant.verb, grant.resource))
            .collect::<Vec<_>>()
    };
    // Most of the lives never end, because something is missing.
    let watch = async {
        let started = Instant::now();
        while runs.iter().any(|(.., operator)| operator.is_some()) && started.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let requests = audit.requests().await.unwrap();
            for (trial, release, operator) in &mut runs {
                if not_missed(&requests, trial, release).is_empty() {
                    operator.take();
                }
            }
        }
    };
    let play = async {
        stage.play(|_| {}).await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = watch => {}
        () = play => {}
    }
    let requests = audit.requests().await.unwrap();
    let mut problems = Vec::new();
    for (trial, release, operator) in &runs {
        let of_this = requests.by_user(&release.user());
        let unneeded = not_missed(&requests, trial, release);
        if !unneeded.is_empty() {
            let log = operator.as_ref().map(|it| log_of(&it.log)).unwrap_or_default();
            problems.push(format!(
                "granted, and never missed: {}. Requests without it:\n{}\n{log}",
                unneeded.join(", "),
                of_this.counts()
            ));
        }
        let others =
            refused(&of_this).only(|request| !trial.iter().any(|grant| grant.is_lacking_in(request)));
        if !others.is_empty() {
            problems.push(format!("without {trial:?} also refused:\n{}", others.counts()));
        }
    }
    for (_, release, operator) in runs {
        drop(operator);
        release.remove(&client).await;
    }
    clean_up(&client, &namespaces).await;
    problems
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
