//! What every part of the operator shares.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sluice_api::FlinkDeployment;
use sluice_core::Fact;
use sluice_core::bluegreen::{CompletedCheckpoint, child};
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
pub(crate) struct Left(Mutex<HashMap<Name, Leaving>>);

/// What one child has left.
#[derive(Clone, Debug)]
struct Leaving {
    owner_uid: String,
    transition: u64,
    /// `None`: nothing, its job never ran or completed nothing.
    checkpoint: Option<CompletedCheckpoint>,
}

impl Left {
    /// Remembers what this child leaves; `Unknown` is not remembered.
    pub(crate) fn remember(&self, name: Name, child: &FlinkDeployment, last: &Fact<CompletedCheckpoint>) {
        let checkpoint = match (CompletedCheckpoint::suspended(child), last) {
            (Some(left), _) => Some(left),
            (None, Fact::Present(last)) => Some(last.clone()),
            (None, Fact::Absent) => None,
            (None, Fact::Unknown(_)) if !child::has_run(child) => None,
            (None, Fact::Unknown(_)) => return,
        };
        let leaving = Leaving {
            owner_uid: owner_uid(child),
            transition: child::transition(child),
            checkpoint,
        };
        self.lock().insert(name, leaving);
    }

    /// Whether it is remembered what the child that this transition made has left.
    pub(crate) fn knows(&self, child: &Name, transition: u64) -> bool {
        self.lock()
            .get(child)
            .is_some_and(|leaving| leaving.transition == transition)
    }

    /// The last completed checkpoint of a child that is gone.
    pub(crate) fn of(&self, child: &Name, owner_uid: &str) -> Fact<CompletedCheckpoint> {
        let left = self.lock();
        match left.get(child).filter(|leaving| leaving.owner_uid == owner_uid) {
            Some(leaving) => leaving.checkpoint.clone().map_or(Fact::Absent, Fact::Present),
            None => Fact::Unknown("the operator has not seen its JobManager before it was gone".to_owned()),
        }
    }

    /// Forgets the children of a resource that is gone.
    pub(crate) fn forget(&self, children: &[Name]) {
        let mut left = self.lock();
        for child in children {
            left.remove(child);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Name, Leaving>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The uid of the FlinkBlueGreenDeployment that owns the child.
fn owner_uid(child: &FlinkDeployment) -> String {
    let owners = child.metadata.owner_references.as_deref().unwrap_or_default();
    owners
        .iter()
        .find(|owner| owner.kind == crate::kind::Kind::FlinkBlueGreenDeployment.name())
        .map(|owner| owner.uid.clone())
        .unwrap_or_default()
}
