//! Helm, and what the chart renders.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kube::Client;
use kube::api::{Api, ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, ValidationDirective};
use serde_json::Value;

/// Who has applied what the chart renders.
const FIELD_MANAGER: &str = "chart-test";

/// The chart's directory.
pub fn chart() -> PathBuf {
    repository().join("deploy/helm/sluice")
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program that HELM names, or the one that `cargo xtask chart` has built.
fn program() -> PathBuf {
    if let Some(named) = env::var_os("HELM").filter(|value| !value.is_empty()) {
        return named.into();
    }
    let go_mod = fs::read_to_string(repository().join("e2e/helm/go.mod")).unwrap();
    let version = go_mod
        .lines()
        .find_map(|line| {
            line.trim_start_matches("require ")
                .strip_prefix("helm.sh/helm/v3 v")
        })
        .expect("e2e/helm/go.mod pins Helm");
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .unwrap();
    let program = cache.join("sluice/helm").join(version).join("helm");
    assert!(
        program.is_file(),
        "Helm {version} is not at {}; `cargo xtask chart` builds it, or name one in HELM.",
        program.display()
    );
    program
}

/// Runs Helm; it keeps nothing outside of `home`. What it printed, or what it said when it failed.
pub fn helm(home: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(program())
        .args(arguments)
        .env("HELM_CACHE_HOME", home.join("helm-cache"))
        .env("HELM_CONFIG_HOME", home.join("helm-config"))
        .env("HELM_DATA_HOME", home.join("helm-data"))
        .output()
        .expect("Helm starts");
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8(output.stderr).unwrap())
    }
}

/// What the chart renders as a release `sluice` in a namespace.
pub fn render(home: &Path, namespace: &str, arguments: &[&str]) -> Vec<DynamicObject> {
    let chart = chart();
    let mut all = vec![
        "template",
        "sluice",
        chart.to_str().unwrap(),
        "--namespace",
        namespace,
    ];
    all.extend(arguments);
    let rendered = helm(home, &all).unwrap();
    let documents: Vec<Value> = serde_saphyr::from_multiple(&rendered).unwrap();
    documents
        .into_iter()
        .filter(|document| !document.is_null())
        .map(|document| serde_json::from_value(document).unwrap())
        .collect()
}

/// Whether to only ask the API server what it would say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Dry {
    Run,
    No,
}

/// Applies an object; a field that the API server does not know is an error.
pub async fn apply(client: &Client, object: &DynamicObject, dry: Dry) -> Result<(), kube::Error> {
    let parameters = PatchParams {
        dry_run: dry == Dry::Run,
        field_validation: Some(ValidationDirective::Strict),
        ..PatchParams::apply(FIELD_MANAGER).force()
    };
    api(client, object)
        .patch(
            object.metadata.name.as_deref().unwrap(),
            &parameters,
            &Patch::Apply(object),
        )
        .await
        .map(drop)
}

/// Where objects like this one are.
fn api(client: &Client, object: &DynamicObject) -> Api<DynamicObject> {
    let types = object.types.as_ref().unwrap();
    let (group, version) = types
        .api_version
        .split_once('/')
        .unwrap_or(("", &types.api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &types.kind));
    match &object.metadata.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}

/// The only object of a kind.
pub fn only<'a>(objects: &'a [DynamicObject], kind: &str) -> &'a DynamicObject {
    let found: Vec<&DynamicObject> = objects.iter().filter(|it| kind_of(it) == kind).collect();
    assert_eq!(found.len(), 1, "objects of kind {kind}");
    found[0]
}

/// The kind of an object.
pub fn kind_of(object: &DynamicObject) -> &str {
    &object.types.as_ref().unwrap().kind
}
