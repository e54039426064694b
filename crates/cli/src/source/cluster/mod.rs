//! A cluster, asked through its API server.

mod changes;
mod connect;
mod error;
mod events;
mod ingress;
mod observe;

use std::time::Duration;

use kube::api::{Api, DynamicObject, ListParams, Patch, PatchParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use sluice_local::store::Kind;

pub(crate) use changes::Changes;

use crate::failure::Failure;
use crate::place::Program;
use error::Request;

/// As which the API server remembers who set the annotations.
const FIELD_MANAGER: &str = "sluice-command";

/// How many objects one answer holds at most, as with kubectl.
const PAGE: u32 = 500;

/// How long an ordinary answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// A cluster, and the namespace to look in.
#[derive(Clone)]
pub(crate) struct Cluster {
    client: kube::Client,
    namespace: String,
    /// `context prod`, or `this pod's`.
    name: String,
    /// The API server's address.
    address: String,
    program: Program,
}

impl Cluster {
    /// `context prod (https://10.0.0.1:6443), namespace flink`.
    pub(crate) fn described(&self) -> String {
        format!("{} ({}), namespace {}", self.name, self.address, self.namespace)
    }

    /// The namespace to look in.
    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// What people write to ask it once more.
    pub(crate) const fn program(&self) -> &'static str {
        self.program.name()
    }

    /// There is no such object.
    pub(super) fn missing(&self, kind: Kind, namespace: &str, name: &str) -> Failure {
        let option = match kind {
            Kind::FlinkBlueGreenDeployment => "",
            Kind::FlinkDeployment => " flinkdep",
            Kind::Ingress => " ingress",
        };
        Failure::Refused(format!(
            "There is no {kind} {name} in the namespace {namespace}; `{} get{option} -n {namespace}` lists what there is.",
            self.program()
        ))
    }

    pub(super) async fn get(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Value>, Failure> {
        let request = Request::one("get", kind, namespace, name);
        let api = self.api(kind, Some(namespace));
        let object = self.answer_or_missing(&request, api.get(name)).await?;
        object.map(|object| shown(kind, object)).transpose()
    }

    pub(super) async fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Value>, Failure> {
        let request = Request::all("list", kind, namespace);
        let api = self.api(kind, namespace);
        let mut objects = Vec::new();
        let mut parameters = ListParams::default().limit(PAGE);
        loop {
            let page = self.answer(&request, api.list(&parameters)).await?;
            for object in page.items {
                objects.push(shown(kind, object)?);
            }
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters = parameters.continue_token(&token),
                None => return Ok(objects),
            }
        }
    }

    pub(super) async fn annotate(&self, name: &str, key: &str, value: &str) -> Result<(), Failure> {
        let kind = Kind::FlinkBlueGreenDeployment;
        let change = json!({ "metadata": { "annotations": { key: value } } });
        let parameters = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let request = Request::one("patch", kind, &self.namespace, name);
        let api = self.api(kind, Some(&self.namespace));
        let patch = Patch::Merge(change);
        let patched = self
            .answer_or_missing(&request, api.patch(name, &parameters, &patch))
            .await?;
        match patched {
            Some(_) => Ok(()),
            None => Err(self.missing(kind, &self.namespace, name)),
        }
    }

    /// The answer to a request.
    async fn answer<T>(
        &self,
        request: &Request<'_>,
        answer: impl Future<Output = kube::Result<T>>,
    ) -> Result<T, Failure> {
        self.timed(answer)
            .await?
            .map_err(|error| self.refused(request, &error))
    }

    /// The answer to a request for an object that may not be there.
    async fn answer_or_missing<T>(
        &self,
        request: &Request<'_>,
        answer: impl Future<Output = kube::Result<T>>,
    ) -> Result<Option<T>, Failure> {
        match self.timed(answer).await? {
            Ok(value) => Ok(Some(value)),
            Err(error) if error::is_missing_object(&error) => Ok(None),
            Err(error) => Err(self.refused(request, &error)),
        }
    }

    async fn timed<T>(&self, answer: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::time::timeout(ANSWER_LIMIT, answer).await.map_err(|_| {
            Failure::Refused(format!(
                "The API server {} of {} has given no answer within {} s.",
                self.address,
                self.name,
                ANSWER_LIMIT.as_secs()
            ))
        })
    }

    fn api(&self, kind: Kind, namespace: Option<&str>) -> Api<DynamicObject> {
        let resource = api_resource(kind);
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client.clone(), namespace, &resource),
            None => Api::all_with(self.client.clone(), &resource),
        }
    }
}

/// Where the API server has the objects of a kind.
fn api_resource(kind: Kind) -> ApiResource {
    let (group, version) = kind.api_version().split_once('/').unwrap_or_default();
    ApiResource::from_gvk_with_plural(
        &GroupVersionKind::gvk(group, version, kind.name()),
        match kind {
            Kind::FlinkBlueGreenDeployment => sluice_api::Kind::FlinkBlueGreenDeployment.plural(),
            Kind::FlinkDeployment => sluice_api::Kind::FlinkDeployment.plural(),
            Kind::Ingress => "ingresses",
        },
    )
}

/// The object as kubectl prints it: with its kind, which the items of a list lack, and without the book-keeping of who set
/// which field.
fn shown(kind: Kind, mut object: DynamicObject) -> Result<Value, Failure> {
    object.metadata.managed_fields = None;
    let mut value = serde_json::to_value(object)
        .map_err(|error| Failure::refused(format!("A {kind} cannot be read: {error}.")))?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("apiVersion".to_owned(), kind.api_version().into());
        fields.insert("kind".to_owned(), kind.name().into());
    }
    Ok(value)
}
