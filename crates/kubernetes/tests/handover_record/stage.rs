//! A namespace with a service account of few rights, and a ConfigMap that the operator would make.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use sluice_cluster::{ControlPlane, Grantee};
use tempfile::TempDir;

use crate::player::Player;

/// The name of the ConfigMap.
pub const NAME: &str = "orders-configmap";
/// All that a job needs.
pub const ALL: &[&str] = &["list", "watch", "patch"];

pub struct Stage<'a> {
    plane: &'a ControlPlane,
    client: Client,
    pub namespace: String,
    /// What a pod finds below `/var/run/secrets`.
    pub service_account: TempDir,
    accounts: AtomicU32,
}

impl<'a> Stage<'a> {
    pub async fn set(plane: &'a ControlPlane, verbs: &[&str]) -> Self {
        let namespace = plane.namespace("record").await.unwrap();
        let stage = Self {
            plane,
            client: plane.client().await.unwrap(),
            namespace,
            service_account: tempfile::tempdir().unwrap(),
            accounts: AtomicU32::new(0),
        };
        stage.trust(plane);
        stage.become_another_account().await;
        stage.grant(verbs).await;
        stage
    }

    fn account(&self) -> String {
        format!("job-{}", self.accounts.load(Ordering::Relaxed))
    }

    /// As the API server calls the job.
    pub fn user(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.account())
    }

    /// So that it shows whose token is used.
    pub async fn become_another_account(&self) {
        self.accounts.fetch_add(1, Ordering::Relaxed);
        let token = self
            .plane
            .service_account_token(&self.namespace, &self.account())
            .await
            .unwrap();
        self.write_token(&token);
    }

    pub fn token_file(&self) -> PathBuf {
        self.service_account.path().join("token")
    }

    /// The pod is told to trust the authority of this cluster.
    pub fn trust(&self, plane: &ControlPlane) {
        let file = self.service_account.path().join("ca.crt");
        fs::copy(plane.certificate_authority(), file).unwrap();
    }

    /// In one step, as the kubelet does it.
    pub fn write_token(&self, token: &str) {
        let aside = self.service_account.path().join("aside");
        fs::write(&aside, token).unwrap();
        fs::rename(aside, self.token_file()).unwrap();
    }

    /// Lets every service account of the namespace do this with the one ConfigMap.
    pub async fn grant(&self, verbs: &[&str]) {
        self.plane
            .grant_config_maps(&self.namespace, Grantee::EveryAccount, &[NAME], verbs)
            .await
            .unwrap();
    }

    /// A job that watches nothing yet.
    pub fn player(&self) -> Player {
        self.player_at(&self.plane.address().unwrap(), 90_000)
    }

    /// One that finds the API server at this URL, and takes a longer silence of its watch for its end.
    pub fn player_at(&self, url: &str, longest_silence_ms: u32) -> Player {
        let service_account = self.service_account.path().to_str().unwrap();
        let silence = longest_silence_ms.to_string();
        Player::start(&[
            "configmap",
            url,
            service_account,
            &self.namespace,
            NAME,
            // Seconds for an answer: a loaded machine may need long.
            "60",
            &silence,
        ])
    }

    fn config_maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// The operator makes the record; its version.
    pub async fn create(&self) -> u64 {
        let map = serde_json::from_value(json!({
            "metadata": { "name": NAME, "labels": { "team": "orders" } },
            "data": {
                "epoch": "3", "phase": "STANDBY", "highest": "45", "active": "BLUE", "active-created-for": "2",
                "incoming-created-for": "3", "note": "not the job's",
            },
        }));
        let made = self
            .config_maps()
            .create(&PostParams::default(), &map.unwrap())
            .await;
        version(&made.unwrap())
    }

    /// The operator, or anybody else, changes it; its version.
    pub async fn patch(&self, patch: Value) -> u64 {
        let patched = self
            .config_maps()
            .patch(NAME, &PatchParams::default(), &Patch::Merge(patch))
            .await;
        version(&patched.unwrap())
    }

    pub async fn get(&self) -> ConfigMap {
        self.config_maps().get(NAME).await.unwrap()
    }

    pub async fn delete(&self) {
        self.config_maps()
            .delete(NAME, &DeleteParams::default())
            .await
            .unwrap();
    }
}

/// Sends a signal by its name.
pub fn signal(player: &Player, name: &str) {
    let sent = std::process::Command::new("kill")
        .args([format!("-{name}"), player.child.id().to_string()])
        .status();
    assert!(sent.unwrap().success());
}

fn version(map: &ConfigMap) -> u64 {
    map.metadata.resource_version.as_ref().unwrap().parse().unwrap()
}
