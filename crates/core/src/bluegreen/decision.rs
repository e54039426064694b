//! What was decided: a value that can be printed, replayed and checked.

use jiff::Timestamp;
use k8s_openapi::api::networking::v1::Ingress;
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeploymentStatus};

use crate::handover::{HandoverRecord, Version};
use crate::{Event, Wake};

/// What was decided. The status is written first, under the resourceVersion that was observed; if that write is refused,
/// nothing else of the decision is carried out. Then the effects, in order; the first that fails ends the pass.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The status to write; `None`: it stands as it is.
    pub status: Option<Box<FlinkBlueGreenDeploymentStatus>>,
    /// What to carry out, in order, each a complete value.
    pub effects: Vec<Effect>,
    /// What is being waited for.
    pub waiting: Option<Waiting>,
    /// What to tell people; only with a changed status.
    pub events: Vec<Event>,
    /// When to look again.
    pub wake: Wake,
}

/// One effect; its result can be observed again, and carrying it out twice is as good as once.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Create this child; if one of that name exists, it is not touched and the pass ends.
    CreateChild {
        /// The whole object.
        manifest: Box<FlinkDeployment>,
    },
    /// Replace the child's metadata labels, annotations and spec by these; `metadata.uid` and `metadata.resourceVersion`
    /// are preconditions.
    ReplaceChild {
        /// The whole object, without status.
        manifest: Box<FlinkDeployment>,
    },
    /// Delete this very child.
    DeleteChild {
        /// Its name.
        name: String,
        /// Precondition.
        uid: String,
        /// Precondition.
        resource_version: String,
    },
    /// Ask the child's JobManager for a savepoint while the job goes on running.
    TriggerSavepoint {
        /// The child whose JobManager is asked.
        child: String,
        /// The job.
        job_id: String,
        /// Our own trigger id.
        trigger_id: String,
        /// The target directory of this attempt alone.
        directory: String,
    },
    /// Ask the child's JobManager to stop the job with a savepoint and to drain it, so that its sinks finish what they have open. That
    /// savepoint is for nothing else.
    StopDrained {
        /// The child whose JobManager is asked.
        child: String,
        /// The job.
        job_id: String,
        /// Our own trigger id.
        trigger_id: String,
        /// The target directory.
        directory: String,
    },
    /// Dispose of a savepoint of ours through the child's JobManager.
    DisposeSavepoint {
        /// The child whose JobManager is asked.
        child: String,
        /// The savepoint.
        path: String,
    },
    /// Write the handover record, on the condition that it is still in the version that was observed.
    WriteHandover {
        /// That version; `None`: there was no record.
        expected: Option<Version>,
        /// The whole record.
        record: Box<HandoverRecord>,
    },
    /// Make the Ingress be this one.
    ApplyIngress {
        /// The whole object.
        manifest: Box<Ingress>,
    },
    /// Delete this very Ingress.
    DeleteIngress {
        /// Its name.
        name: String,
        /// Precondition.
        uid: String,
    },
}

impl Effect {
    /// Its kind in one word, for logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::CreateChild { .. } => "CreateChild",
            Self::ReplaceChild { .. } => "ReplaceChild",
            Self::DeleteChild { .. } => "DeleteChild",
            Self::TriggerSavepoint { .. } => "TriggerSavepoint",
            Self::StopDrained { .. } => "StopDrained",
            Self::DisposeSavepoint { .. } => "DisposeSavepoint",
            Self::WriteHandover { .. } => "WriteHandover",
            Self::ApplyIngress { .. } => "ApplyIngress",
            Self::DeleteIngress { .. } => "DeleteIngress",
        }
    }
}

/// What is being waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// For what.
    pub what: WaitingFor,
    /// Since when, if the record says so.
    pub since: Option<Timestamp>,
    /// Until when; `None`: until a person acts or something changes.
    pub until: Option<Timestamp>,
}

impl Waiting {
    /// Something that could not be observed.
    pub const fn observation(what: String) -> Self {
        Self {
            what: WaitingFor::Observation(what),
            since: None,
            until: None,
        }
    }

    /// Something without a clock.
    pub const fn for_person(what: WaitingFor) -> Self {
        Self {
            what,
            since: None,
            until: None,
        }
    }
}

/// What can be waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WaitingFor {
    /// Something that a decision depends on could not be observed.
    Observation(String),
    /// The savepoint of the outgoing job.
    Savepoint(Color),
    /// The outgoing job to stop with a savepoint.
    Stopped(Color),
    /// A leftover of this colour to be gone.
    LeftoverGone(Color),
    /// The child to be created.
    Created(Color),
    /// The child's cluster to be up, its job waiting.
    Warm(Color),
    /// The child to be RUNNING and STABLE.
    Ready(Color),
    /// What the handover at a cut in event time waits for, in a sentence.
    Handover(String),
    /// A person to promote the transition.
    Promotion(Color),
    /// The Ingress to lead to the child.
    Ingress(Color),
    /// The deletion delay of the outgoing child.
    DeletionDelay(Color),
    /// The outgoing child to be gone.
    Gone(Color),
    /// The active child, changed in place, to be as wanted.
    Changed(Color),
    /// The outgoing version to be back.
    Returned(Color),
    /// A person to change the specification or something else that stands in the way.
    Person(String),
}

impl std::fmt::Display for WaitingFor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Observation(why) => write!(f, "what could not be observed: {why}"),
            Self::Savepoint(color) => write!(f, "the savepoint of {color}"),
            Self::Stopped(color) => write!(f, "{color} to stop with a savepoint"),
            Self::LeftoverGone(color) => write!(f, "the earlier {color} deployment to be gone"),
            Self::Created(color) => write!(f, "{color} to be created"),
            Self::Warm(color) => write!(f, "the cluster of {color} to be up"),
            Self::Ready(color) => write!(f, "{color} to be RUNNING and STABLE"),
            Self::Handover(what) => f.write_str(what),
            Self::Promotion(color) => write!(f, "a person to promote {color}"),
            Self::Ingress(color) => write!(f, "the Ingress to lead to {color}"),
            Self::DeletionDelay(color) => write!(f, "the deletion delay of {color}"),
            Self::Gone(color) => write!(f, "{color} to be gone"),
            Self::Changed(color) => write!(f, "{color} to run as changed"),
            Self::Returned(color) => write!(f, "{color} to be back"),
            Self::Person(what) => write!(f, "a person: {what}"),
        }
    }
}
