//! The control plane that tests hold in their hands.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::PostParams;
use kube::{Api, Client};

use crate::audit::Audit;
use crate::binaries::Binaries;
use crate::crds;
use crate::instance::{self, Instance};
use crate::kubeconfig::{self, Credentials};
use crate::places::{self, Lock};
use crate::processes::Process;

/// Names the process that a private control plane belongs to.
const OWNER: &str = "owner.json";
/// Beside the shared control plane's state and not in it, because the state is deleted as a whole.
const LOCK_EXTENSION: &str = "lock";
/// How long a token of a service account is good, in seconds.
const TOKEN_LIFE: i64 = 24 * 60 * 60;

/// A running etcd and kube-apiserver, or a private one that its test has stopped for a while.
#[derive(Debug)]
pub struct ControlPlane {
    instance: Instance,
    private: bool,
}

/// What [`ControlPlane::status`] tells.
#[derive(Clone, Debug)]
pub struct Status {
    /// Where its state is kept.
    pub directory: PathBuf,
    /// The API server's URL.
    pub address: String,
    /// The administrator's kubeconfig.
    pub kubeconfig: PathBuf,
    /// What the API server calls its version, for example `v1.34.4`; `None` if it does not answer.
    pub version: Option<String>,
    /// Which programs run: [`Binaries::id`].
    pub binaries: String,
    /// The process of etcd, if it was started.
    pub etcd: Option<Process>,
    /// The process of the API server, if it was started.
    pub api_server: Option<Process>,
}

impl ControlPlane {
    /// The one that all tests of this user share; started if it is down, and never stopped by a test. Concurrent callers, in
    /// this process and in others, get the same one.
    pub async fn shared() -> Result<Self> {
        let instance = Instance::in_directory(places::shared()?);
        if !is_ready(&instance).await? {
            let _lock = lock_shared(&instance).await?;
            // Another may have started it in the meantime.
            if instance.runs()? {
                instance.wait_until_ready().await?;
            } else {
                let binaries = find_binaries().await?;
                instance.start(&binaries).await?;
            }
        }
        Ok(Self {
            instance,
            private: false,
        })
    }

    /// As [`ControlPlane::shared`]; one that runs from other programs than those it would be started from now is
    /// restarted, with its data. For people and continuous integration, not for tests.
    pub async fn shared_and_current() -> Result<Self> {
        let instance = Instance::in_directory(places::shared()?);
        let binaries = find_binaries().await?;
        {
            let _lock = lock_shared(&instance).await?;
            let state = instance.state()?;
            if let Some(state) = state.filter(|it| it.binaries != binaries.id) {
                eprintln!(
                    "The control plane ran from {}; starting it again from {}.",
                    state.binaries, binaries.id
                );
                instance.start(&binaries).await?;
            }
        }
        Self::shared().await
    }

    /// One for this test alone, with ports and data of its own. It ends when this value is dropped; what a killed test
    /// leaves behind is ended by the next one that starts.
    pub async fn private() -> Result<Self> {
        sweep_private()?;
        let binaries = find_binaries().await?;
        let directory = places::private()?.join(uuid::Uuid::new_v4().simple().to_string());
        places::create_directory(&directory)?;
        let owner = serde_json::to_string(&Process::own()?).context("The owner could not be written.")?;
        places::write(&directory.join(OWNER), &owner)?;
        let plane = Self {
            instance: Instance::in_directory(directory),
            private: true,
        };
        plane.instance.start(&binaries).await?;
        Ok(plane)
    }

    /// Stops the shared control plane and, with `wipe`, deletes its data, keys and logs; also ends what killed tests left.
    /// Returns whether it ran.
    pub async fn stop_shared(wipe: bool) -> Result<bool> {
        let instance = Instance::in_directory(places::shared()?);
        sweep_private()?;
        let _lock = lock_shared(&instance).await?;
        let ran = instance.runs()?;
        instance.stop()?;
        if wipe {
            instance.wipe()?;
        }
        Ok(ran)
    }

    /// About the shared control plane; `None` if it was not started, or stopped.
    pub async fn status() -> Result<Option<Status>> {
        let instance = Instance::in_directory(places::shared()?);
        let Some(state) = instance.state()? else {
            return Ok(None);
        };
        let version = match client(&instance).await {
            Ok(client) => client.apiserver_version().await.ok(),
            Err(_) => None,
        };
        Ok(Some(Status {
            directory: instance.directory().to_path_buf(),
            address: instance::address(state.ports),
            kubeconfig: instance.kubeconfig(),
            version: version.map(|version| version.git_version),
            binaries: state.binaries,
            etcd: state.etcd,
            api_server: state.api_server,
        }))
    }

    /// The API server's URL.
    pub fn address(&self) -> Result<String> {
        Ok(instance::address(self.instance.started()?.ports))
    }

    /// The PEM file with the authority behind the API server's certificate, for a proxy between it and a client.
    pub fn certificate_authority(&self) -> PathBuf {
        self.instance.certificates().authority()
    }

    /// The administrator's kubeconfig, who may do everything.
    pub fn kubeconfig(&self) -> PathBuf {
        self.instance.kubeconfig()
    }

    /// A new client for the administrator, without the retries that the client would make by itself. A client belongs to the
    /// tokio runtime that made it.
    pub async fn client(&self) -> Result<Client> {
        client(&self.instance).await
    }

    /// Creates a namespace whose name begins with `prefix` and that nobody has used. The API server labels it with its own
    /// name. No test need delete it: without a controller-manager a namespace never finishes terminating.
    pub async fn namespace(&self, prefix: &str) -> Result<String> {
        let namespaces: Api<Namespace> = Api::all(self.client().await?);
        let namespace = Namespace {
            metadata: ObjectMeta {
                generate_name: Some(format!("{prefix}-")),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let created = namespaces.create(&PostParams::default(), &namespace).await;
        let created = created.with_context(|| format!("A namespace {prefix}-... could not be created."))?;
        created
            .metadata
            .name
            .context("The API server named the new namespace nothing.")
    }

    /// Installs the definitions in `deploy/crds` and returns when the API server serves them. Concurrent test processes take
    /// turns.
    pub async fn install_crds(&self) -> Result<()> {
        let lock = self.instance.crds_lock();
        let _lock =
            Lock::wait_async(lock, "Another process installs the definitions; waiting for it.").await?;
        crds::install(&self.client().await?).await
    }

    /// Writes a kubeconfig into `directory` by which a program acts as a service account. The account is created if it is not
    /// there; what it may do is left to the test.
    pub async fn service_account_kubeconfig(
        &self,
        namespace: &str,
        name: &str,
        directory: &Path,
    ) -> Result<PathBuf> {
        let token = self.service_account_token(namespace, name).await?;
        let file = directory.join(format!("{namespace}-{name}.kubeconfig"));
        self.write_kubeconfig(&file, namespace, &Credentials::Token(&token))?;
        Ok(file)
    }

    /// A token of a service account, good for a day. The account is created if it is not there.
    pub async fn service_account_token(&self, namespace: &str, name: &str) -> Result<String> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client().await?, namespace);
        let account = ServiceAccount {
            metadata: ObjectMeta {
                name: Some(name.to_owned()),
                ..ObjectMeta::default()
            },
            ..ServiceAccount::default()
        };
        let problem = || format!("The service account {namespace}/{name} could not be used.");
        match accounts.create(&PostParams::default(), &account).await {
            Err(kube::Error::Api(answer)) if answer.code == 409 => {}
            result => {
                result.with_context(problem)?;
            }
        }
        let request = TokenRequest {
            spec: TokenRequestSpec {
                expiration_seconds: Some(TOKEN_LIFE),
                ..TokenRequestSpec::default()
            },
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(name, &PostParams::default(), &request)
            .await
            .with_context(problem)?;
        answer
            .status
            .map(|status| status.token)
            .context("The API server answered a request for a token without one.")
    }

    /// Writes a kubeconfig into `directory` by which a program acts as a user, in one group or in none (beside
    /// `system:authenticated`).
    pub async fn user_kubeconfig(
        &self,
        user: &str,
        group: Option<&str>,
        directory: &Path,
    ) -> Result<PathBuf> {
        let file_name: String = user
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let directory = std::path::absolute(directory)?;
        let certificate = directory.join(format!("{file_name}.crt"));
        let key = directory.join(format!("{file_name}.key"));
        let kubeconfig = directory.join(format!("{file_name}.kubeconfig"));
        let files = self.instance.certificates();
        let (user, group) = (user.to_owned(), group.map(str::to_owned));
        let (certificate, key) = tokio::task::spawn_blocking(move || {
            files
                .user(&user, group.as_deref(), &certificate, &key)
                .map(|()| (certificate, key))
        })
        .await
        .context("Making a certificate was interrupted.")??;
        let credentials = Credentials::Certificate {
            certificate: &certificate,
            key: &key,
        };
        self.write_kubeconfig(&kubeconfig, "default", &credentials)?;
        Ok(kubeconfig)
    }

    fn write_kubeconfig(&self, file: &Path, namespace: &str, credentials: &Credentials<'_>) -> Result<()> {
        let authority = self.certificate_authority();
        kubeconfig::write(file, &self.address()?, &authority, namespace, credentials)
    }

    /// Counts requests from now on; see [`Audit::requests`].
    pub async fn audit(&self) -> Result<Audit> {
        Audit::begin(self.instance.audit_log(), self.client().await?).await
    }

    /// Ends the API server of a private control plane as an upgrade does: it answers the requests under way and ends the
    /// watches. etcd goes on. Its port stays its own.
    pub async fn stop_api_server(&self) -> Result<()> {
        self.end_api_server(true).await
    }

    /// Ends the API server of a private control plane in the middle of whatever it does, as a crash does.
    pub async fn kill_api_server(&self) -> Result<()> {
        self.end_api_server(false).await
    }

    async fn end_api_server(&self, with_a_word: bool) -> Result<()> {
        self.is_private()?;
        let instance = self.instance.clone();
        tokio::task::spawn_blocking(move || instance.stop_api_server(with_a_word))
            .await
            .context("Stopping the API server was interrupted.")?
    }

    /// Starts the API server of a private control plane again, at the same address and with the same data, and returns when
    /// it is ready.
    pub async fn start_api_server(&self) -> Result<()> {
        self.is_private()?;
        self.instance.start_api_server(&find_binaries().await?).await
    }

    /// Stops and starts the API server of a private control plane.
    pub async fn restart_api_server(&self) -> Result<()> {
        self.stop_api_server().await?;
        self.start_api_server().await
    }

    fn is_private(&self) -> Result<()> {
        if self.private {
            return Ok(());
        }
        bail!(
            "The shared control plane is not stopped by a test, because others use it; use `ControlPlane::private`."
        )
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        if self.private
            && let Err(problem) = self.instance.destroy()
        {
            eprintln!("A private control plane was not ended: {problem:#}");
        }
    }
}

async fn client(instance: &Instance) -> Result<Client> {
    let config = kubeconfig::client_config(&instance.kubeconfig()).await?;
    Client::try_from(config).context("A client of the control plane could not be made.")
}

async fn find_binaries() -> Result<Binaries> {
    tokio::task::spawn_blocking(Binaries::find_or_build)
        .await
        .context("Finding the programs was interrupted.")?
}

async fn lock_shared(instance: &Instance) -> Result<Lock> {
    let lock = instance.directory().with_added_extension(LOCK_EXTENSION);
    Lock::wait_async(
        lock,
        "Another process starts or stops the control plane; waiting for it.",
    )
    .await
}

/// Whether both processes run and the API server says within seconds that it is ready.
async fn is_ready(instance: &Instance) -> Result<bool> {
    const PATIENCE: Duration = Duration::from_secs(5);
    if !instance.runs()? {
        return Ok(false);
    }
    let ready = tokio::time::timeout(PATIENCE, instance.wait_until_ready()).await;
    Ok(matches!(ready, Ok(Ok(()))))
}

/// Ends the private control planes whose processes are gone.
fn sweep_private() -> Result<()> {
    let Ok(entries) = fs::read_dir(places::private()?) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let directory = entry.path();
        // One without an owner is being made this moment.
        let Ok(text) = fs::read_to_string(directory.join(OWNER)) else {
            continue;
        };
        let owner: Option<Process> = serde_json::from_str(&text).ok();
        if !owner.is_some_and(|owner| owner.is_alive())
            && let Err(problem) = Instance::in_directory(directory).destroy()
        {
            // Another process may be at it this moment, too.
            eprintln!("What a killed test left was not deleted: {problem:#}");
        }
    }
    Ok(())
}
