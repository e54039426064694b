//! Which job the handover record names as the active one.
//!
//! An incoming job that was brought up before the outgoing one was stopped waits, in its JobManager, until the record names
//! it. So naming it is what starts it, and one conditional write: of two operators that would name different jobs, one wins.
//! Going back names the outgoing job first, which makes every write fail that would still let the incoming one begin.
//!
//! An active job with gates (strategy WATERMARK) is named, too: only then do its gates let records through.

use sluice_api::FlinkDeployment;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeployment, StepStatus};

use super::decision::Effect;
use super::observed::Observed;
use super::record::Transition;
use super::view::View;
use super::{child, waiting, watermark};
use crate::Fact;
use crate::handover::{Epoch, HandoverRecord, Job, Phase, Seen, Version};

/// Which side's cluster a decision depends on; `None`: neither's.
pub fn wants_cluster(resource: &FlinkBlueGreenDeployment) -> Option<Color> {
    let transition = resource.status.as_ref()?.transition.as_ref()?;
    matches!(transition.step, StepStatus::Warming { .. }).then_some(transition.to)
}

/// The job of a child, as the record knows it.
pub fn job(color: Color, present: &FlinkDeployment) -> Job {
    Job {
        color,
        created_for: Epoch(child::transition(present)),
    }
}

/// The incoming job of a transition.
pub const fn incoming(transition: &Transition) -> Job {
    Job {
        color: transition.to,
        created_for: Epoch(transition.number),
    }
}

/// Whether the record names this job; `Unknown` where it could not be read.
pub fn names(observed: &Observed, job: Job) -> Fact<()> {
    match &observed.handover {
        Fact::Present(seen) if seen.record.active == job => Fact::Present(()),
        Fact::Present(_) | Fact::Absent => Fact::Absent,
        Fact::Unknown(why) => Fact::Unknown(why.clone()),
    }
}

/// Whether a child's job goes by the record: it waits to be named before it begins, or its gates do before they let anything through.
fn is_told(present: &FlinkDeployment) -> bool {
    waiting::awaits_savepoint(present) || watermark::has_gates(present)
}

/// Lets the incoming job begin, from the state that the outgoing one was stopped with.
pub fn let_begin(view: &View<'_>, transition: &Transition) -> Option<Effect> {
    let present = view.present(transition.to)?;
    (is_told(present) && child::transition(present) == transition.number).then_some(())?;
    write(
        view,
        transition.number,
        incoming(transition),
        transition.restore.as_deref(),
    )
}

/// Whether an incoming job that waits was let begin; of one that does not wait the record says nothing.
pub fn has_begun(view: &View<'_>, transition: &Transition) -> Fact<()> {
    if transition.warm || view.present(transition.to).is_some_and(is_told) {
        names(view.observed, incoming(transition))
    } else {
        Fact::Absent
    }
}

/// Sees to it that no write any more lets the incoming job begin: the record names the outgoing one, in this epoch.
pub fn take_back(view: &View<'_>, transition: &Transition) -> Option<Effect> {
    let from = transition.from?;
    let present = view.present(from)?;
    (transition.warm || is_told(present)).then_some(())?;
    write(view, transition.number, job(from, present), None)
}

/// Names a job that is active and would wait for it (after a restart, or its gates), where the record has got lost or names another;
/// and says that it is alone, where a handover to another one was given up.
pub fn put_right(view: &View<'_>, color: Color) -> Option<Effect> {
    let present = view.present(color)?;
    let has_gates = watermark::has_gates(present);
    let is_under_way = |seen: &Seen| seen.record.phase != Phase::Stable;
    if has_gates && view.observed.handover.present().is_some_and(is_under_way) {
        return watermark::settle(view, color);
    }
    let job = job(color, present);
    (is_told(present) && matches!(names(view.observed, job), Fact::Absent)).then_some(())?;
    let began = view
        .record
        .history
        .iter()
        .find(|entry| entry.transition == job.created_for.0);
    let started_from = match view.transition() {
        Some(transition) if incoming(transition) == job => transition.restore.clone(),
        Some(_) | None => began.and_then(|entry| entry.restored_from.clone()),
    };
    write(view, view.record.number, job, started_from.as_deref())
}

/// Names this job, unless the record does so in this epoch. Never in a record of a later one.
fn write(view: &View<'_>, epoch: u64, job: Job, savepoint: Option<&str>) -> Option<Effect> {
    let (expected, before): (Option<Version>, Option<&HandoverRecord>) = match &view.observed.handover {
        Fact::Unknown(_) => return None,
        Fact::Absent => (None, None),
        Fact::Present(seen) => (Some(seen.version), Some(&seen.record)),
    };
    let stands = before
        .is_some_and(|record| record.epoch.0 > epoch || (record.epoch.0 == epoch && record.active == job));
    if stands {
        return None;
    }
    let delay = view.settings.deployment_deletion_delay.as_millis();
    let record = HandoverRecord {
        epoch: Epoch(epoch),
        phase: Phase::Stable,
        active: job,
        incoming: None,
        fork: None,
        savepoint: savepoint.map(str::to_owned),
        deadline: None,
        reason: None,
        // What they reported fences their own earlier attempts.
        blue: before.and_then(|record| record.blue.clone()),
        green: before.and_then(|record| record.green.clone()),
        is_first_deployment: view.record.reconciled.is_none(),
        deletion_delay_ms: u64::try_from(delay).unwrap_or_default(),
    };
    Some(Effect::WriteHandover {
        expected,
        record: Box::new(record),
    })
}
