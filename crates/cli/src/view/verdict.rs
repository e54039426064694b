//! Whether a resource is as a script waits for it.

use sluice_api::FlinkBlueGreenDeployment;
use sluice_api::blue_green::{BlueGreenState, StepStatus};
use sluice_api::flink_deployment::FlinkJobState;

use sluice_core::handover::operator::Awaited;

use super::resource::{state_text, status};
use super::transition::Progress;

/// What can be waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Wanted {
    /// The present specification is active and nothing is under way
    #[default]
    Active,
    /// The new deployment is ready and waits for a person
    Promotion,
    /// The job is suspended
    Suspended,
}

/// Whether it is so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As wanted.
    Reached(String),
    /// Not yet.
    NotYet(String),
    /// By itself it will not be: aborted, or failing.
    NotAsWanted(String),
}

/// Judges a resource; the texts are one sentence each.
pub fn judge(resource: &FlinkBlueGreenDeployment, wanted: Wanted) -> Verdict {
    let name = resource.metadata.name.as_deref().unwrap_or_default();
    let status = status(resource);
    let state = match state_text(&status) {
        "" => "not looked at yet",
        state => state,
    };
    if status.observed_generation.is_none() || status.observed_generation != resource.metadata.generation {
        return Verdict::NotYet(format!(
            "{name} is {state}; its present specification has not been looked at yet."
        ));
    }
    if let Some(condition) = status
        .conditions
        .iter()
        .find(|condition| condition.type_ == "SpecValid" && condition.status == "False")
    {
        return Verdict::NotAsWanted(format!(
            "{name} is {state}; its specification is refused: {}",
            condition.message
        ));
    }
    match Progress::of(&status) {
        Progress::Under(step) => {
            let of_handover = matches!(step.transition.step, StepStatus::HandingOver { .. })
                && step.waits_for == Awaited::Promotion.to_string();
            if of_handover || matches!(step.transition.step, StepStatus::AwaitingPromotion { .. }) {
                return match wanted {
                    Wanted::Promotion => Verdict::Reached(format!("{name} waits to be promoted.")),
                    Wanted::Active | Wanted::Suspended => {
                        Verdict::NotYet(format!("{name} is {state}; it waits for {}.", step.waits_for))
                    }
                };
            }
            Verdict::NotYet(format!("{name} is {state}; it waits for {}.", step.waits_for))
        }
        Progress::SetAside { number, message } => Verdict::NotAsWanted(format!(
            "{name} is {state}; transition {number} was aborted: {message}"
        )),
        Progress::Failing(error) => Verdict::NotAsWanted(format!("{name} is {state} and failing: {error}")),
        Progress::Suspended if wanted == Wanted::Suspended => {
            Verdict::Reached(format!("{name} is {state} and suspended."))
        }
        Progress::Suspended => Verdict::NotAsWanted(format!("{name} is {state} and suspended.")),
        Progress::Unseen => Verdict::NotYet(format!("{name} is {state}.")),
        Progress::Settled => settled(name, state, &status, wanted),
    }
}

fn settled(
    name: &str,
    state: &str,
    status: &sluice_api::blue_green::FlinkBlueGreenDeploymentStatus,
    wanted: Wanted,
) -> Verdict {
    let job = status.job_status.as_ref().and_then(|job| job.state);
    let active = matches!(
        status.blue_green_state,
        Some(BlueGreenState::ActiveBlue | BlueGreenState::ActiveGreen)
    );
    match (wanted, job) {
        (Wanted::Active, Some(FlinkJobState::Running)) if active => {
            Verdict::Reached(format!("{name} is {state}."))
        }
        (_, Some(FlinkJobState::Failing | FlinkJobState::Failed)) => {
            Verdict::NotAsWanted(format!("{name} is {state}, and its job is failing."))
        }
        (Wanted::Active, _) => Verdict::NotYet(format!("{name} is {state}.")),
        (Wanted::Promotion | Wanted::Suspended, _) => Verdict::NotYet(format!("{name} is {state}.")),
    }
}
