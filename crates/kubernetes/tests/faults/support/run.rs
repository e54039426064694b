//! One run: a namespace, a resource in it, an operator for it, a proxy between.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::events::v1::Event;
use kube::Client;
use kube::api::{Api, DeleteParams, DynamicObject, ListParams, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::end::Tally;
use super::operator::{Ends, Operator};
use super::proxy::Proxy;
use super::views::{Kind, Seen, Views};
use super::world::{OVER, World};
use super::{RESOURCE, Wrong};

/// On a machine with much else to do, everything takes its time.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// So long nothing may be asked when all is done.
const QUIET: Duration = Duration::from_secs(3);

/// One run. Its operator ends with it.
pub struct Run {
    pub name: String,
    pub namespace: String,
    pub client: Client,
    pub proxy: Arc<Proxy>,
    pub operator: Operator,
    views: Views,
    _ends: Ends,
}

/// The resource that every test begins with.
pub fn resource() -> Value {
    json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkBlueGreenDeployment",
        "metadata": { "name": RESOURCE, "labels": { "team": "payments" } },
        "spec": {
            "configuration": {
                "kubernetes.operator.bluegreen.abort.grace-period": "60 s",
                "kubernetes.operator.bluegreen.reconciliation.reschedule-interval": "1 s"
            },
            "template": { "spec": {
                "image": "orders:1",
                "flinkVersion": "v1_20",
                "serviceAccount": "flink",
                "flinkConfiguration": {
                    "state.savepoints.dir": "s3://flink/savepoints",
                    "state.checkpoints.dir": "s3://flink/checkpoints"
                },
                "jobManager": { "resource": { "cpu": 1, "memory": "1024m" } },
                "taskManager": { "resource": { "cpu": 1, "memory": "2048m" } },
                "job": {
                    "jarURI": "local:///opt/flink/usrlib/orders.jar", "parallelism": 2, "upgradeMode": "savepoint"
                }
            } }
        }
    })
}

/// The resource with a merge patch over it.
pub fn resource_with(patch: &Value) -> Value {
    let mut resource = resource();
    sluice_conformance::scenario::lay_over(&mut resource, patch, true);
    resource
}

/// A change of the child's specification.
pub fn child(fields: &Value) -> Value {
    json!({ "spec": { "template": { "spec": fields } } })
}

pub fn image(image: &str) -> Value {
    child(&json!({ "image": image }))
}

/// A change of a setting, by its name after the common prefix.
pub fn setting(key: &str, value: &str) -> Value {
    json!({ "spec": { "configuration": { format!("kubernetes.operator.bluegreen.{key}"): value } } })
}

pub fn both(mut first: Value, second: &Value) -> Value {
    sluice_conformance::scenario::lay_over(&mut first, second, false);
    first
}

/// An operator on a namespace, by a proxy of its own.
pub async fn second_operator(
    world: &World,
    namespace: &str,
    name: &str,
    arguments: &[&str],
) -> (Operator, Arc<Proxy>) {
    let address = world.plane.address().unwrap();
    let proxy = Proxy::open(address, &world.plane.certificate_authority(), world.job_managers).await;
    let token = token(&world.plane.kubeconfig());
    operator_with(world, namespace, name, &token, proxy, arguments)
}

/// As [`second_operator`], with this token.
pub fn operator_with(
    world: &World,
    namespace: &str,
    name: &str,
    token: &str,
    proxy: Proxy,
    arguments: &[&str],
) -> (Operator, Arc<Proxy>) {
    let kubeconfig = world.file(&format!("{name}.kubeconfig"));
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "proxy",
        "clusters": [{ "name": "proxy", "cluster": { "server": proxy.address() } }],
        "contexts": [{ "name": "proxy", "context": { "cluster": "proxy", "user": "proxy" } }],
        "users": [{ "name": "proxy", "user": { "token": token } }],
    });
    std::fs::write(&kubeconfig, config.to_string()).unwrap();
    let mut all = vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--watch-namespaces={namespace}"),
        format!("--rest-address={}", proxy.rest_address()),
        "--listen=127.0.0.1:0".to_owned(),
        "--log-level=info,sluice_kubernetes=debug".to_owned(),
    ];
    if !arguments.iter().any(|it| it.starts_with("--leader-election")) {
        all.push("--leader-election=false".to_owned());
    }
    all.extend(arguments.iter().map(|it| (*it).to_owned()));
    let operator = Operator::new(all, world.file(&format!("{name}.log")));
    let killer = operator.clone();
    proxy.kills(move || killer.kill());
    (operator, Arc::new(proxy))
}

/// The administrator's token.
pub fn token(kubeconfig: &std::path::Path) -> String {
    let text = std::fs::read_to_string(kubeconfig).unwrap();
    let config: Value = serde_saphyr::from_str(&text).unwrap();
    config["users"][0]["user"]["token"].as_str().unwrap().to_owned()
}

impl Run {
    pub async fn open(world: &World, name: &str) -> Self {
        Self::with(world, name, &[]).await
    }

    /// With more arguments for the operator.
    pub async fn with(world: &World, name: &str, arguments: &[&str]) -> Self {
        let namespace = world.namespace(name);
        let (operator, proxy) = second_operator(world, &namespace, name, arguments).await;
        Self::of(world, name, operator, proxy)
    }

    pub fn of(world: &World, name: &str, operator: Operator, proxy: Arc<Proxy>) -> Self {
        Self {
            name: name.to_owned(),
            namespace: world.namespace(name),
            client: world.client.clone(),
            proxy,
            _ends: Ends(operator.clone()),
            operator,
            views: world.views.clone(),
        }
    }

    pub fn api(&self, kind: Kind) -> Api<DynamicObject> {
        kind.within(&self.client, &self.namespace)
    }

    pub fn seen(&self) -> Seen {
        self.views.seen(&self.namespace)
    }

    /// Creates the resource.
    pub async fn apply(&self, resource: &Value) {
        let object: DynamicObject = serde_json::from_value(resource.clone()).unwrap();
        let api = self.api(Kind::BlueGreen);
        api.create(&PostParams::default(), &object).await.unwrap();
    }

    /// Changes the resource; returns its new generation.
    pub async fn edit(&self, patch: &Value) -> i64 {
        let api = self.api(Kind::BlueGreen);
        let parameters = PatchParams::apply("faults-user");
        let edited = api
            .patch(RESOURCE, &parameters, &Patch::Merge(patch))
            .await
            .unwrap();
        let (generation, version) = (
            edited.metadata.generation.unwrap(),
            edited.metadata.resource_version.unwrap(),
        );
        // What is waited for next is not said of the time before.
        let version: u64 = version.parse().unwrap();
        let known = self.until("the test sees its edit", |seen| {
            let seen = super::views::text(seen.resource.as_ref(), "/metadata/resourceVersion");
            seen.parse::<u64>().is_ok_and(|seen| seen >= version)
        });
        known.await.unwrap();
        generation
    }

    pub async fn delete(&self, kind: Kind, name: &str) {
        self.api(kind)
            .delete(name, &DeleteParams::background())
            .await
            .unwrap();
    }

    /// Waits until this holds; says what there is when it does not.
    pub async fn until(&self, what: &str, holds: impl Fn(&Seen) -> bool) -> Result<Seen, Wrong> {
        self.within(PATIENCE, what, holds).await
    }

    pub async fn within(
        &self,
        patience: Duration,
        what: &str,
        holds: impl Fn(&Seen) -> bool,
    ) -> Result<Seen, Wrong> {
        let waited = self.views.until(&self.namespace, patience, holds).await;
        waited.map_err(|Wrong(why)| self.wrong(&format!("{what}: {why}")))
    }

    /// Waits until the resource rests in this state.
    pub async fn rests(&self, state: &str, job: &str) -> Result<Seen, Wrong> {
        self.until(&format!("rests {state} {job}"), |seen| seen.rests(state, job))
            .await
    }

    /// Nothing is asked for 3 s, soon.
    pub async fn quiet(&self) -> Result<(), Wrong> {
        self.proxy
            .quiet(QUIET, PATIENCE)
            .await
            .map_err(|words| self.wrong(&words))
    }

    /// With everything there is to know.
    pub fn wrong(&self, words: &str) -> Wrong {
        let seen = self.seen();
        let log = self.operator.log();
        let lines: Vec<&str> = log.lines().collect();
        let log = lines
            .get(lines.len().saturating_sub(60)..)
            .unwrap_or_default()
            .join("\n");
        let short = |object: &Option<Value>| {
            object.as_ref().map_or("absent".to_owned(), |object| {
                format!(
                    "uid {} generation {} deleted {} {} {}",
                    object["metadata"]["uid"],
                    object["metadata"]["generation"],
                    object["metadata"]["deletionTimestamp"],
                    object["status"]["jobStatus"]["state"],
                    object["status"]["lifecycleState"]
                )
            })
        };
        let status = seen.resource.as_ref().map(|resource| {
            let mut status = resource["status"].clone();
            if let Value::Object(fields) = &mut status {
                fields.remove("lastReconciledSpec");
            }
            serde_json::to_string_pretty(&status).unwrap()
        });
        Wrong(format!(
            "{}: {words}\n-- the operator runs: {}\n-- status: {}\n-- blue: {}\n-- green: {}\n-- ingress: {}\n-- requests\n{}\n-- log\n{log}\n",
            self.name,
            self.operator.runs(),
            status.unwrap_or("there is no resource".to_owned()),
            short(&seen.blue),
            short(&seen.green),
            short(&seen.ingress),
            self.proxy.story()
        ))
    }

    pub fn check(&self, holds: bool, words: &str) -> Result<(), Wrong> {
        if holds { Ok(()) } else { Err(self.wrong(words)) }
    }

    /// How often each reason was told.
    pub async fn events(&self) -> std::collections::BTreeMap<String, usize> {
        let api: Api<Event> = Api::namespaced(self.client.clone(), &self.namespace);
        let mut reasons = std::collections::BTreeMap::new();
        for event in api.list(&ListParams::default()).await.unwrap() {
            *reasons.entry(event.reason.unwrap_or_default()).or_default() += 1;
        }
        reasons
    }

    /// Everything is done: nothing is asked for 3 s. Then the operator is stopped. Returns the end, and what happened on the way.
    pub async fn over(&self, world: &World) -> Result<End, Wrong> {
        self.quiet().await?;
        self.check(self.operator.runs(), "the operator has ended by itself")?;
        self.operator.kill();
        let seen = self.fresh().await?;
        let been = self.views.been(&self.namespace);
        let object = json!({ "metadata": { "annotations": { OVER: "yes" } } });
        let parameters = PatchParams::default();
        let told = self
            .api(Kind::BlueGreen)
            .patch(RESOURCE, &parameters, &Patch::Merge(&object))
            .await;
        if told.is_err() {
            // There is no resource any more: the actors wait for one.
            let resource = resource_with(&json!({ "metadata": { "annotations": { OVER: "yes" } } }));
            self.apply(&resource).await;
        }
        let trace = world.trace(&self.name).await;
        Ok(End {
            state: super::end::end(&seen),
            tally: Tally::of(been, &trace),
            seen,
            trace,
        })
    }

    /// What is there now; the watches of the test have brought it, too.
    pub async fn fresh(&self) -> Result<Seen, Wrong> {
        let get = async |kind: Kind, name: String| {
            let found = self.api(kind).get_opt(&name).await.unwrap();
            found.map(|object| serde_json::to_value(object).unwrap())
        };
        let fresh = Seen {
            resource: get(Kind::BlueGreen, RESOURCE.to_owned()).await,
            blue: get(Kind::Flink, format!("{RESOURCE}-blue")).await,
            green: get(Kind::Flink, format!("{RESOURCE}-green")).await,
            ingress: get(Kind::Ingress, RESOURCE.to_owned()).await,
        };
        let generation =
            |object: &Option<Value>| super::views::at(object.as_ref(), "/metadata/generation").clone();
        let all = |seen: &Seen| [&seen.resource, &seen.blue, &seen.green, &seen.ingress].map(generation);
        self.until("the watches of the test are as far", |seen| {
            all(seen) == all(&fresh)
        })
        .await?;
        Ok(fresh)
    }
}

/// What came of a run.
pub struct End {
    pub seen: Seen,
    /// Without what is different each time.
    pub state: Value,
    pub tally: Tally,
    /// What the actors saw, a line each.
    pub trace: String,
}
