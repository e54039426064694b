//! An observation on its way to `plan`: the same values as [`Observed`], in a form that can be sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::networking::v1::Ingress;
use serde::{Deserialize, Serialize};
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment};
use sluice_core::Fact;
use sluice_core::bluegreen::agent::Agent;
use sluice_core::bluegreen::{
    ClusterView, CompletedCheckpoint, Observed, SavepointObservation, SavepointProgress, Side,
};
use sluice_core::handover::{HandoverRecord, Seen, Version};

#[derive(Serialize, Deserialize)]
pub(crate) struct ObservedForm {
    resource: FlinkBlueGreenDeployment,
    defaults: BTreeMap<String, String>,
    blue: SideForm,
    green: SideForm,
    savepoint: Option<SavepointForm>,
    agent: Option<AgentForm>,
    handover: FactForm<RecordForm>,
    ingress: FactForm<Ingress>,
    disposals: BTreeMap<String, Result<(), String>>,
    failures: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct SideForm {
    child: FactForm<FlinkDeployment>,
    checkpoint: FactForm<CheckpointForm>,
    slots: FactForm<u32>,
    still_since: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct AgentForm {
    path: String,
    handover_directory: String,
}

#[derive(Serialize, Deserialize)]
struct RecordForm {
    version: u64,
    record: HandoverRecord,
}

#[derive(Serialize, Deserialize)]
enum FactForm<T> {
    Unknown(String),
    Absent,
    Present(T),
}

#[derive(Serialize, Deserialize)]
struct CheckpointForm {
    transition: u64,
    path: String,
}

#[derive(Serialize, Deserialize)]
struct SavepointForm {
    trigger_id: String,
    progress: FactForm<ProgressForm>,
}

#[derive(Serialize, Deserialize)]
enum ProgressForm {
    InProgress,
    Completed {
        location: String,
        checkpoint: Option<u64>,
    },
    Failed {
        cause: String,
    },
}

impl<T> FactForm<T> {
    fn of<U>(fact: Fact<U>, form: impl FnOnce(U) -> T) -> Self {
        match fact {
            Fact::Unknown(why) => Self::Unknown(why),
            Fact::Absent => Self::Absent,
            Fact::Present(value) => Self::Present(form(value)),
        }
    }

    fn into_fact<U>(self, value: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Unknown(why) => Fact::Unknown(why),
            Self::Absent => Fact::Absent,
            Self::Present(form) => Fact::Present(value(form)),
        }
    }
}

impl From<Observed> for ObservedForm {
    fn from(observed: Observed) -> Self {
        Self {
            resource: observed.resource,
            defaults: observed.defaults,
            blue: observed.blue.into(),
            green: observed.green.into(),
            savepoint: observed.savepoint.map(|savepoint| SavepointForm {
                trigger_id: savepoint.trigger_id,
                progress: FactForm::of(savepoint.progress, |progress| match progress {
                    SavepointProgress::InProgress => ProgressForm::InProgress,
                    SavepointProgress::Completed { location, checkpoint } => {
                        ProgressForm::Completed { location, checkpoint }
                    }
                    SavepointProgress::Failed { cause } => ProgressForm::Failed { cause },
                }),
            }),
            agent: match observed.agent {
                Agent::Jar {
                    path,
                    handover_directory,
                } => Some(AgentForm {
                    path,
                    handover_directory,
                }),
                // No runner delivers an image.
                Agent::None | Agent::Image { .. } => None,
            },
            handover: FactForm::of(observed.handover, |seen| RecordForm {
                version: seen.version.0,
                record: seen.record,
            }),
            ingress: FactForm::of(observed.ingress, |ingress| ingress),
            disposals: observed.disposals,
            failures: observed.failures,
        }
    }
}

impl From<ObservedForm> for Observed {
    fn from(form: ObservedForm) -> Self {
        Self {
            resource: form.resource,
            // The store takes only what can be read.
            unreadable: Vec::new(),
            defaults: form.defaults,
            blue: form.blue.into(),
            green: form.green.into(),
            savepoint: form.savepoint.map(|savepoint| SavepointObservation {
                trigger_id: savepoint.trigger_id,
                progress: savepoint.progress.into_fact(|progress| match progress {
                    ProgressForm::InProgress => SavepointProgress::InProgress,
                    ProgressForm::Completed { location, checkpoint } => {
                        SavepointProgress::Completed { location, checkpoint }
                    }
                    ProgressForm::Failed { cause } => SavepointProgress::Failed { cause },
                }),
            }),
            agent: form.agent.map_or(Agent::None, |agent| Agent::Jar {
                path: agent.path,
                handover_directory: agent.handover_directory,
            }),
            handover: form.handover.into_fact(|form| Seen {
                version: Version(form.version),
                record: form.record,
            }),
            ingress: form.ingress.into_fact(|ingress| ingress),
            disposals: form.disposals,
            failures: form.failures,
        }
    }
}

impl From<Side> for SideForm {
    fn from(side: Side) -> Self {
        Self {
            child: FactForm::of(side.child, |child| child),
            checkpoint: FactForm::of(side.checkpoint, |checkpoint| CheckpointForm {
                transition: checkpoint.transition,
                path: checkpoint.path,
            }),
            slots: FactForm::of(side.cluster, |cluster| cluster.slots),
            still_since: side.still_since,
        }
    }
}

impl From<SideForm> for Side {
    fn from(form: SideForm) -> Self {
        Self {
            child: form.child.into_fact(|child| child),
            checkpoint: form.checkpoint.into_fact(|checkpoint| CompletedCheckpoint {
                transition: checkpoint.transition,
                path: checkpoint.path,
            }),
            cluster: form.slots.into_fact(|slots| ClusterView { slots }),
            still_since: form.still_since,
        }
    }
}
