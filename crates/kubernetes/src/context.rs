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

/// The queue of FlinkDeployments, and what is remembered of them.
#[derive(Debug, Default)]
pub(crate) struct Deployments {
    pub(crate) queue: Queue<Name>,
    pub(crate) memory: Memory<Name>,
    /// The other operators that were told of, by their field managers.
    rivals: Mutex<HashMap<Name, String>>,
}

impl Deployments {
    /// The other operators that were told of, by their field managers.
    pub(crate) fn rivals(&self) -> std::sync::MutexGuard<'_, HashMap<Name, String>> {
        self.rivals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The resource is gone.
    pub(crate) fn forget(&self, name: &Name) {
        self.memory.forget(name);
        self.rivals().remove(name);
    }
}

/// What the jobs of children that are gone, or going, had completed last, as far as this process has seen it.
#[derive(Debug, Default)]
pub(crate) struct Left(Mutex<HashMap<Name, Leaving>>);

/// What one child has left.
#[derive(Clone, Debug)]
struct Leaving {
    owner_uid: String,
    /// The child itself: another one of its name and transition may come after it, and go further.
    child_uid: String,
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
            child_uid: uid(child).to_owned(),
            checkpoint,
        };
        self.lock().insert(name, leaving);
    }

    /// Whether it is remembered what this very child has left.
    pub(crate) fn knows(&self, name: &Name, child: &FlinkDeployment) -> bool {
        self.lock()
            .get(name)
            .is_some_and(|leaving| leaving.child_uid == uid(child))
    }

    /// A child of this name is there. What an earlier one had left is no answer any more when this one is gone.
    pub(crate) fn meet(&self, name: &Name, child_uid: &str) {
        let mut left = self.lock();
        if left
            .get(name)
            .is_some_and(|leaving| leaving.child_uid != child_uid)
        {
            left.remove(name);
        }
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

fn uid(child: &FlinkDeployment) -> &str {
    child.metadata.uid.as_deref().unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn child(uid: &str, owner: &str) -> FlinkDeployment {
        let owner = json!({ "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkBlueGreenDeployment", "name": "orders", "uid": owner });
        serde_json::from_value(json!({
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkDeployment",
            "metadata": {
                "name": "orders-green", "namespace": "flink", "uid": uid,
                "labels": { "flink/blue-green-transition": "2" }, "ownerReferences": [owner],
            },
            "spec": {},
            "status": { "jobStatus": { "state": "RUNNING", "jobId": "3f3646238f4fc3389bcd7b5fd8b1e712" } },
        }))
        .unwrap()
    }

    fn checkpoint(path: &str) -> Fact<CompletedCheckpoint> {
        Fact::Present(CompletedCheckpoint {
            transition: 2,
            path: path.to_owned(),
        })
    }

    // Scenario 24, twice: the same transition makes its child again, which goes further before it is deleted, too.
    #[test]
    fn a_child_that_was_made_again_leaves_what_it_has_itself_completed() {
        let left = Left::default();
        let name = Name::new("flink", "orders-green");
        let (first, second) = (child("u-1", "u-orders"), child("u-2", "u-orders"));
        left.remember(name.clone(), &first, &checkpoint("s3://b/chk-5"));
        assert!(left.knows(&name, &first));
        assert!(
            !left.knows(&name, &second),
            "it is another one, and has to be asked"
        );
        left.remember(name.clone(), &second, &checkpoint("s3://b/chk-9"));
        assert_eq!(left.of(&name, "u-orders"), checkpoint("s3://b/chk-9"));
        assert!(left.of(&name, "u-others").is_unknown());
    }

    // It goes without a word: what the one before it had left is older than what it has committed.
    #[test]
    fn what_an_earlier_child_had_left_is_no_answer_for_a_later_one() {
        let left = Left::default();
        let name = Name::new("flink", "orders-green");
        left.remember(
            name.clone(),
            &child("u-1", "u-orders"),
            &checkpoint("s3://b/chk-5"),
        );
        left.meet(&name, "u-1");
        assert_eq!(
            left.of(&name, "u-orders"),
            checkpoint("s3://b/chk-5"),
            "a late look at the same one"
        );
        left.meet(&name, "u-2");
        let silent = Fact::Unknown("connection refused".to_owned());
        left.remember(name.clone(), &child("u-2", "u-orders"), &silent);
        assert!(left.of(&name, "u-orders").is_unknown());
    }
}
