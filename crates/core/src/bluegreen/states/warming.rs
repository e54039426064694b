//! WARMING (ADVANCED, strategy SAVEPOINT, with the agent): the incoming cluster comes up and its job waits.
//!
//! The outgoing job goes on as if nothing were. So nothing is lost, and nothing has to be brought back, if the new version's
//! cluster does not come up; and once it is up, the pause is a savepoint and a restore.

use jiff::Timestamp;
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::AbortReason;

use super::super::record::Transition;
use super::super::view::{Mine, Verdict, View};
use super::super::{abort, child, plan};
use crate::{Event, Fact};

/// Goes on once the incoming cluster has the slots that its job needs; aborts only after it was seen not to.
pub fn next(view: &View<'_>, transition: &Transition, deadline: Timestamp) -> Verdict {
    let to = transition.to;
    let late = view.now >= deadline;
    match view.mine(to) {
        Mine::Present(incoming)
            if child::transition(incoming) == transition.number && is_warm(view, transition, incoming) =>
        {
            let message = format!("the cluster of {to} is up and waits; the outgoing job is stopped for it");
            Verdict::next(
                view.record.at_step(transition, view.stopping()),
                Event::normal("ClusterWarm", message),
            )
        }
        Mine::Present(incoming) if late => {
            let message = format!(
                "the cluster of {to} was not up by {deadline:.0}: {}",
                describe(view, transition, incoming)
            );
            abort::abort(view, transition, AbortReason::NotReady, message)
        }
        Mine::Absent if late => {
            let message = format!("{to} was deleted by someone and its cluster not up by {deadline:.0}");
            abort::abort(view, transition, AbortReason::NotReady, message)
        }
        Mine::Foreign => abort::abort(
            view,
            transition,
            AbortReason::NotCreated,
            abort::name_conflict(view, to),
        ),
        Mine::Present(_) | Mine::Terminating | Mine::Absent | Mine::Unknown(_) => Verdict::stay(view),
    }
}

fn is_warm(view: &View<'_>, transition: &Transition, incoming: &FlinkDeployment) -> bool {
    match &view.side(transition.to).cluster {
        Fact::Present(cluster) => cluster.slots >= plan::parallelism(&incoming.spec),
        Fact::Absent | Fact::Unknown(_) => false,
    }
}

fn describe(view: &View<'_>, transition: &Transition, incoming: &FlinkDeployment) -> String {
    match &view.side(transition.to).cluster {
        Fact::Present(cluster) => format!(
            "its TaskManagers have {} of the {} slots that the job needs",
            cluster.slots,
            plan::parallelism(&incoming.spec)
        ),
        Fact::Unknown(why) => format!(
            "its JobManager does not answer ({why}); {}",
            child::describe(incoming)
        ),
        Fact::Absent => format!("its JobManager does not answer; {}", child::describe(incoming)),
    }
}
