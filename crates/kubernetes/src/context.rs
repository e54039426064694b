//! What every part of the operator shares.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sluice_api::FlinkDeployment;
use sluice_core::Fact;
use sluice_core::bluegreen::CompletedCheckpoint;
use sluice_shell::{Memory, Queue};

use crate::cache::Cache;
use crate::job_manager::JobManagers;
use crate::kind::Name;
use crate::metrics::Metrics;
use crate::server::Server;

/// How often Flink is asked while something is awaited of it.
pub(crate) const POLL_AWAITING: Duration = Duration::from_millis(150);

/// What every part of the operator shares.
pub(crate) struct Context {
    pub(crate) server: Server,
    pub(crate) job_managers: JobManagers,
    pub(crate) cache: Cache,
    pub(crate) queue: Queue<Name>,
    pub(crate) memory: Memory<Name>,
    /// The FlinkDeployments that this operator looks after; `None`: another one does.
    pub(crate) deployments: Option<Deployments>,
    pub(crate) left: Left,
    pub(crate) metrics: Metrics,
    /// Seconds after which the server ends a watch and it is opened anew. A connection that died without a word is noticed 5 s
    /// later than this.
    pub(crate) watch_seconds: u32,
    /// Operator-wide defaults of the keys of `spec.configuration`.
    pub(crate) defaults: BTreeMap<String, String>,
    /// Who tells events: the pod.
    pub(crate) instance: String,
}

/// The queue and the memory of FlinkDeployments.
#[derive(Debug, Default)]
pub(crate) struct Deployments {
    pub(crate) queue: Queue<Name>,
    pub(crate) memory: Memory<Name>,
}

/// What the jobs of children that are gone, or going, had completed last, as far as this process has seen it.
#[derive(Debug, Default)]
pub(crate) struct Left(Mutex<HashMap<Name, (String, CompletedCheckpoint)>>);

impl Left {
    /// Remembers it for a child of this owner.
    pub(crate) fn remember(&self, child: Name, owner_uid: String, checkpoint: CompletedCheckpoint) {
        self.lock().insert(child, (owner_uid, checkpoint));
    }

    /// Whether something is remembered of the child that this transition made.
    pub(crate) fn knows(&self, child: &Name, transition: u64) -> bool {
        self.lock()
            .get(child)
            .is_some_and(|(_, checkpoint)| checkpoint.transition == transition)
    }

    /// The last completed checkpoint of a child that is gone.
    pub(crate) fn of(&self, child: &Name, owner_uid: &str) -> Fact<CompletedCheckpoint> {
        match self.lock().get(child) {
            Some((uid, checkpoint)) if uid == owner_uid => Fact::Present(checkpoint.clone()),
            Some(_) | None => {
                Fact::Unknown("the operator has not seen its JobManager before it was gone".to_owned())
            }
        }
    }

    /// Forgets the children of a resource that is gone.
    pub(crate) fn forget(&self, children: &[Name]) {
        let mut left = self.lock();
        for child in children {
            left.remove(child);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Name, (String, CompletedCheckpoint)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The uid of the FlinkBlueGreenDeployment that owns the child.
pub(crate) fn owner_uid(child: &FlinkDeployment) -> String {
    let owners = child.metadata.owner_references.as_deref().unwrap_or_default();
    owners
        .iter()
        .find(|owner| owner.kind == crate::kind::Kind::FlinkBlueGreenDeployment.name())
        .map(|owner| owner.uid.clone())
        .unwrap_or_default()
}
