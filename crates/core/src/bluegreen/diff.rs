//! What kind of change an edit is (FLIP-503's `FlinkBlueGreenDeploymentSpecDiff`).
//!
//! Compared are two `spec.template.spec`: the one that the active child was made from and the present one. The rules are
//! tried in the order of [`DiffKind`]'s variants; the first that applies decides. What is applied in place are the fields
//! that upstream's `@SpecDiff` annotations ignore; everything else is a transition.

use std::borrow::Cow;

use sluice_api::blue_green::FlinkBlueGreenDeploymentSpec;
use sluice_api::{FlinkDeploymentSpec, JobState};

use crate::fields::{self, job_state};
pub use crate::fields::{Change, FieldRule};

/// What an edit makes Sluice do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffKind {
    /// `job.state` went to suspended: the active child is suspended in place.
    Suspend,
    /// `job.state` went to running: the active child is resumed in place, with whatever else was edited.
    Resume,
    /// `savepointRedeployNonce` changed: a full transition from `initialSavepointPath`, without a new savepoint.
    SavepointRedeploy,
    /// The child specifications are equal, or a nonce was taken away: nothing to do.
    Ignore,
    /// Only fields that are applied in place differ: patched on the active child.
    PatchChild,
    /// Anything else: a new deployment beside the active one.
    Transition,
}

impl DiffKind {
    /// The design's word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Suspend => "SUSPEND",
            Self::Resume => "RESUME",
            Self::SavepointRedeploy => "SAVEPOINT_REDEPLOY",
            Self::Ignore => "IGNORE",
            Self::PatchChild => "PATCH_CHILD",
            Self::Transition => "TRANSITION",
        }
    }
}

/// The difference of two specifications.
#[derive(Clone, Debug, PartialEq)]
pub struct Diff {
    /// What it makes Sluice do.
    pub kind: DiffKind,
    /// The fields that differ, by path.
    pub changes: Vec<Change>,
}

/// Compares two blue/green specifications.
pub fn compare(old: &FlinkBlueGreenDeploymentSpec, new: &FlinkBlueGreenDeploymentSpec) -> Diff {
    let (old, new) = (child_spec(old), child_spec(new));
    let changes = fields::differences(&old, &new);
    Diff {
        kind: kind(&old, &new, &changes),
        changes,
    }
}

fn kind(old: &FlinkDeploymentSpec, new: &FlinkDeploymentSpec, changes: &[Change]) -> DiffKind {
    match (job_state(old), job_state(new)) {
        (JobState::Running, JobState::Suspended) => return DiffKind::Suspend,
        (JobState::Suspended, JobState::Running) => return DiffKind::Resume,
        (JobState::Running, JobState::Running) | (JobState::Suspended, JobState::Suspended) => {}
    }
    let has = |rule| changes.iter().any(|change| change.rule == rule);
    if has(FieldRule::Redeploy) {
        DiffKind::SavepointRedeploy
    } else if has(FieldRule::NewDeployment) {
        DiffKind::Transition
    } else if has(FieldRule::InPlace) {
        DiffKind::PatchChild
    } else {
        DiffKind::Ignore
    }
}

/// `template.spec`, or an empty one.
pub fn child_spec(spec: &FlinkBlueGreenDeploymentSpec) -> Cow<'_, FlinkDeploymentSpec> {
    let present = spec.template.as_ref().and_then(|template| template.spec.as_ref());
    present.map_or_else(|| Cow::Owned(FlinkDeploymentSpec::default()), Cow::Borrowed)
}
