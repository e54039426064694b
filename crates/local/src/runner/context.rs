//! What every part of the runner shares.

use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use sluice_api::FlinkDeployment;
use sluice_core::Fact;
use sluice_flink::Client;
use sluice_shell::{Memory, Queue, flink};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::options::Options;
use crate::endpoint::Endpoints;
use crate::launcher::{LaunchError, Launcher};
use crate::store::{ObjectKey, Store};

/// What every part of the runner shares.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) directory: PathBuf,
    pub(crate) options: Options,
    pub(crate) started_at: Timestamp,
    pub(crate) store: Store,
    pub(crate) launcher: Arc<Launcher>,
    pub(crate) http: reqwest::Client,
    pub(crate) queue: Queue<ObjectKey>,
    pub(crate) memory: Memory<ObjectKey>,
    pub(crate) endpoints: Endpoints,
    /// A FlinkDeployment is gone: its cluster may be an orphan.
    pub(crate) gone: Notify,
    pub(crate) end: watch::Sender<Option<End>>,
}

/// How the runner ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The Flink processes run on; the next runner finds them.
    KeepJobs,
    /// The Flink processes end, too.
    StopJobs,
}

/// When to look at an object again after a pass.
pub(crate) enum Next {
    /// At this moment at the latest; `None`: only when something changes.
    At(Option<Instant>),
    /// The object is gone.
    Gone,
}

impl Context {
    /// Calls the launcher, which blocks.
    pub(crate) async fn launcher<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Launcher) -> T + Send + 'static,
    ) -> Result<T, String> {
        let launcher = Arc::clone(&self.launcher);
        tokio::task::spawn_blocking(move || call(&launcher))
            .await
            .map_err(|error| format!("the launcher broke off: {error}"))
    }

    /// Calls the launcher; its refusal in words.
    pub(crate) async fn launch<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Launcher) -> Result<T, LaunchError> + Send + 'static,
    ) -> Result<T, String> {
        self.launcher(call).await?.map_err(|error| error.to_string())
    }

    /// The client of the JobManager of a deployment; `None` while it has no address.
    pub(crate) async fn client_of(&self, deployment: &FlinkDeployment) -> Option<Client> {
        let uid = deployment.metadata.uid.clone()?;
        let address = self.rest_address(uid).await?;
        flink::client(&self.http, &address).ok()
    }

    /// Where the REST API of the newest cluster of this uid is.
    pub(crate) async fn rest_address(&self, uid: String) -> Option<String> {
        match self.launcher(move |launcher| launcher.rest_address(&uid)).await {
            Ok(Fact::Present(address)) => Some(address),
            Ok(Fact::Absent | Fact::Unknown(_)) | Err(_) => None,
        }
    }
}
