//! The API server as its users have it: raw JSON in, an object or a sentence out.

use std::collections::BTreeMap;
use std::time::Duration;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::api::{DeleteParams, GetParams, Patch, PatchParams, PostParams};
use kube::core::Request;
use kube::runtime::wait::{await_condition, conditions};
use kube::{Api, Client};
use serde_json::{Value, json};
use sluice_api::{
    Kind, Problem, read_blue_green, read_flink_deployment, validate, validate_flink_deployment,
};
use sluice_cluster::ControlPlane;
use tokio::sync::OnceCell;

/// Where objects of one test are, in one API group.
pub struct Server {
    pub client: Client,
    namespace: String,
    group: String,
}

impl Server {
    /// The shared API server with our definitions, and a namespace for one test.
    pub async fn with_our_definitions(test: &str) -> Self {
        static INSTALLED: OnceCell<()> = OnceCell::const_new();
        let plane = ControlPlane::shared().await.unwrap();
        INSTALLED
            .get_or_init(async || plane.install_crds().await.unwrap())
            .await;
        Self {
            client: plane.client().await.unwrap(),
            namespace: plane.namespace(test).await.unwrap(),
            group: sluice_api::GROUP.to_owned(),
        }
    }

    /// The same with other definitions, in a group of their own beside ours.
    pub async fn with_definitions(test: &str, definitions: &[Value]) -> Self {
        let plane = ControlPlane::shared().await.unwrap();
        let namespace = plane.namespace(test).await.unwrap();
        let server = Self {
            client: plane.client().await.unwrap(),
            group: format!("{namespace}.sluice.test"),
            namespace,
        };
        for definition in definitions {
            server.install(definition).await;
        }
        server
    }

    /// Installs or replaces a definition in this server's group.
    pub async fn install(&self, definition: &Value) {
        let mut definition = definition.clone();
        let plural = definition["spec"]["names"]["plural"].as_str().unwrap().to_owned();
        let name = format!("{plural}.{}", self.group);
        definition["metadata"] = json!({ "name": name });
        definition["spec"]["group"] = json!(self.group);
        // Short names are shared by all groups.
        definition["spec"]["names"]["shortNames"] = json!([]);
        let all: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        all.patch(
            &name,
            &PatchParams::apply("admission").force(),
            &Patch::Apply(&definition),
        )
        .await
        .unwrap();
        let established = await_condition(all, &name, conditions::is_crd_established());
        tokio::time::timeout(Duration::from_mins(1), established)
            .await
            .unwrap()
            .unwrap();
    }

    /// Takes this server's own definitions away again, and their objects with them.
    pub async fn remove(self) {
        let all: Api<CustomResourceDefinition> = Api::all(self.client.clone());
        for kind in Kind::ALL {
            let name = format!("{}.{}", kind.plural(), self.group);
            let _ = all.delete(&name, &DeleteParams::default()).await;
        }
    }

    pub fn requests(&self, kind: Kind) -> Request {
        Request::new(format!(
            "/apis/{}/v1beta1/namespaces/{}/{}",
            self.group,
            self.namespace,
            kind.plural()
        ))
    }

    /// The object in this server's group and namespace.
    fn here(&self, value: &Value) -> Value {
        let mut value = value.clone();
        if value.get("apiVersion") == Some(&json!(sluice_api::API_VERSION)) {
            value["apiVersion"] = json!(format!("{}/v1beta1", self.group));
        }
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.remove("namespace");
        }
        value
    }

    /// The object in the group that our reading knows.
    fn back(mut value: Value) -> Value {
        value["apiVersion"] = json!(sluice_api::API_VERSION);
        value
    }

    /// Whether the API server would store the object: as it would stand there, or the sentence.
    pub async fn would_take(&self, kind: Kind, value: &Value) -> Result<Value, String> {
        self.post(kind, self.here(value).to_string().into_bytes(), true)
            .await
    }

    /// A body in this server's group, if it names one.
    pub fn body_here(&self, body: &[u8]) -> Vec<u8> {
        let Ok(text) = std::str::from_utf8(body) else {
            return body.to_vec();
        };
        let ours = format!("\"{}\"", sluice_api::API_VERSION);
        text.replacen(&ours, &format!("\"{}/v1beta1\"", self.group), 1)
            .into_bytes()
    }

    /// The same of a body that may be anything.
    pub async fn would_take_body(&self, kind: Kind, body: Vec<u8>) -> Result<Value, String> {
        self.post(kind, body, true).await
    }

    pub async fn create(&self, kind: Kind, value: &Value) -> Result<Value, String> {
        self.post(kind, self.here(value).to_string().into_bytes(), false)
            .await
    }

    async fn post(&self, kind: Kind, body: Vec<u8>, dry_run: bool) -> Result<Value, String> {
        let parameters = PostParams {
            dry_run,
            field_manager: Some("admission".to_owned()),
        };
        let request = || self.requests(kind).create(&parameters, body.clone()).unwrap();
        match self.client.request(request()).await {
            // After a body that is too large the API server hangs up, also on who comes next.
            Err(kube::Error::Service(_)) => answer(self.client.request(request()).await),
            answered => answer(answered),
        }
    }

    pub async fn get(&self, kind: Kind, name: &str) -> Result<Value, String> {
        let request = self.requests(kind).get(name, &GetParams::default()).unwrap();
        answer(self.client.request(request).await)
    }

    pub async fn delete(&self, kind: Kind, name: &str) {
        let request = self.requests(kind).delete(name, &DeleteParams::default());
        let _: Value = self.client.request(request.unwrap()).await.unwrap();
    }

    /// Merges `patch` into the object.
    pub async fn merge(&self, kind: Kind, name: &str, patch: &Value) -> Result<Value, String> {
        let patch = Patch::Merge(patch);
        let request = self.requests(kind).patch(name, &PatchParams::default(), &patch);
        answer(self.client.request(request.unwrap()).await)
    }

    /// Merges `patch` into the object by way of its status.
    pub async fn merge_status(&self, kind: Kind, name: &str, patch: &Value) -> Result<Value, String> {
        let patch = Patch::Merge(patch);
        let request = self
            .requests(kind)
            .patch_subresource("status", name, &PatchParams::default(), &patch);
        answer(self.client.request(request.unwrap()).await)
    }

    /// Applies `status` as the whole status that `manager` wants.
    pub async fn apply_status(
        &self,
        kind: Kind,
        name: &str,
        manager: &str,
        status: &Value,
    ) -> Result<Value, String> {
        let parameters = PatchParams::apply(manager);
        self.apply(kind, name, &parameters, status).await
    }

    /// The same, against what others have written.
    pub async fn force_status(
        &self,
        kind: Kind,
        name: &str,
        manager: &str,
        status: &Value,
    ) -> Result<Value, String> {
        let parameters = PatchParams::apply(manager).force();
        self.apply(kind, name, &parameters, status).await
    }

    async fn apply(
        &self,
        kind: Kind,
        name: &str,
        parameters: &PatchParams,
        status: &Value,
    ) -> Result<Value, String> {
        let object = json!({
            "apiVersion": format!("{}/v1beta1", self.group),
            "kind": kind.name(),
            "metadata": { "name": name },
            "status": status,
        });
        let patch = Patch::Apply(&object);
        let request = self
            .requests(kind)
            .patch_subresource("status", name, parameters, &patch);
        answer(self.client.request(request.unwrap()).await)
    }
}

fn answer(result: kube::Result<Value>) -> Result<Value, String> {
    match result {
        Ok(value) => Ok(Server::back(value)),
        Err(kube::Error::Api(status)) => Err(status.message.clone()),
        // It hangs up on a body that is too large, at times before its answer arrives.
        Err(kube::Error::Service(error)) => Err(format!("no answer: {error}")),
        Err(other) => panic!("the API server did not answer: {other}"),
    }
}

/// What our own reading and validation say.
pub fn problems(kind: Kind, value: &Value) -> Vec<Problem> {
    let result = match kind {
        Kind::FlinkBlueGreenDeployment => {
            read_blue_green(value).and_then(|it| validate(&it, &BTreeMap::new()).map(drop))
        }
        Kind::FlinkDeployment => {
            read_flink_deployment(value).and_then(|it| validate_flink_deployment(&it).map(drop))
        }
    };
    result.err().unwrap_or_default()
}
