//! An incoming child whose job waits until the outgoing one has stopped (strategy SAVEPOINT, with the agent).

use sluice_api::FlinkDeployment;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeploymentSpec};

use super::agent::{Agent, Preparation};
use super::prepared::{self, Made};
use super::record::Transition;
use super::view::View;

/// Whether the shell can deliver an agent that makes a child of this specification wait.
pub fn is_possible(view: &View<'_>, color: Color, number: u64, spec: &FlinkBlueGreenDeploymentSpec) -> bool {
    let made = Made {
        number,
        spec,
        restore: None,
        sink_epoch: view.record.sink_epoch,
        waits: true,
    };
    view.observed.agent != Agent::None
        && prepared::manifest(view, color, &made).is_ok_and(|child| awaits_savepoint(&child))
}

/// Whether the child of a transition can be told to wait.
pub fn can(view: &View<'_>, transition: &Transition) -> bool {
    is_possible(view, transition.to, transition.number, &transition.spec)
}

/// Whether the job of this child waits, whenever its JobManager starts, until the handover record names it.
pub fn awaits_savepoint(child: &FlinkDeployment) -> bool {
    Preparation::of(child).is_some_and(|preparation| preparation.awaits_savepoint)
}
