//! What a child needs for the handover beside what its user wrote: the agent in its JobManager, and the keys that tell the
//! job who it is. The names are FLIP-504's where it has them.
//!
//! `prepared.rs` decides which child needs it. So far only the shell for one machine delivers an agent, as a jar. A child that is
//! there is prepared with what it was created with ([`Preparation::of`]) and not with what would be delivered today: otherwise a
//! newer operator's image, which stands in the pod template, would look like an edit of every child and start every job anew.

mod options;
mod pod;

use sluice_api::blue_green::TransitionMode;
use sluice_api::configuration::{self, FlinkConfiguration};
use sluice_api::gate::{self, Strategy, key};
use sluice_api::metadata::LABEL_COLOR;
use sluice_api::{FlinkDeployment, FlinkDeploymentSpec, Problem};

use super::child;
use crate::handover::Epoch;
use sluice_api::blue_green::Color;

/// Where the jar is in the JobManager's container (FLIP-504).
pub const JAR: &str = "/opt/flink/lib/bluegreen-agent.jar";

/// How the agent gets to a JobManager: what the shell can deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agent {
    /// It cannot: the operator does not know its own image, or this build has no jar.
    None,
    /// A jar on this machine, for the local runner.
    Jar {
        /// The jar's absolute path.
        path: String,
        /// The directory of the handover record.
        handover_directory: String,
    },
    /// An image that holds the jar (`OPERATOR_IMAGE`, or the chart's value).
    Image {
        /// The image, as a pod names it.
        image: String,
        /// The name of the ConfigMap of the handover record, in the child's namespace.
        config_map: String,
    },
}

/// What one child is told. It stays with the child for life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preparation {
    /// How the active side changes.
    pub mode: TransitionMode,
    /// The child's colour.
    pub color: Color,
    /// The epoch that the child was created for: the number of its transition.
    pub created_for: Epoch,
    /// The sink epoch; 0 for the ids that Flink itself gives to sinks.
    pub sink_epoch: u64,
    /// Whether the job waits, before it is submitted, until the record names the savepoint to start from.
    pub awaits_savepoint: bool,
    /// How the agent gets there.
    pub agent: Agent,
}

impl Preparation {
    /// What a child was prepared with, read from the child itself; `None` for one that has no agent, and that is to go
    /// without ([`Agent::None`]).
    ///
    /// Somebody may have edited the child by hand: what the record knows (colour, epoch) is to be taken from there.
    pub fn of(child: &FlinkDeployment) -> Option<Self> {
        let flat = child
            .spec
            .flink_configuration
            .as_ref()
            .map(configuration::flatten)
            .unwrap_or_default();
        let text = |key: &str| flat.get(key).map(String::as_str);
        let sink_epoch = text(key::SINKS_EPOCH)?.parse().ok()?;
        let told = text(key::ACTIVE_DEPLOYMENT_TYPE);
        let label = child.metadata.labels.as_ref();
        let color = told.or_else(|| label?.get(LABEL_COLOR).map(String::as_str))?;
        let color = Color::BOTH.into_iter().find(|known| known.label() == color)?;
        let created_for = text(key::HANDOVER_EPOCH).and_then(|text| text.parse().ok());
        let agent = match pod::image(&child.spec) {
            Some(image) => Agent::Image {
                image: image.to_owned(),
                config_map: text(key::CONFIGMAP_NAME).unwrap_or_default().to_owned(),
            },
            None => Agent::Jar {
                path: options::agent(&flat)?.to_owned(),
                handover_directory: text(key::HANDOVER_DIRECTORY).unwrap_or_default().to_owned(),
            },
        };
        Some(Self {
            mode: told.map_or(TransitionMode::Basic, |_| TransitionMode::Advanced),
            color,
            created_for: Epoch(created_for.unwrap_or_else(|| child::transition(child))),
            sink_epoch,
            awaits_savepoint: text(key::AWAIT_SAVEPOINT) == Some("true"),
            agent,
        })
    }
}

/// What a child needs of the agent.
enum Need {
    Nothing,
    /// Sink state of its own (BASIC).
    Sinks,
    /// All of it (ADVANCED).
    Handover(Strategy),
}

/// The child with its placeholders filled in, and with the agent and its keys where it needs them.
///
/// All that its user wrote is still there. Preparing twice is the same as preparing once. A child that needs nothing of
/// the agent, such as the first deployment in BASIC mode, stays byte for byte as it is.
///
/// # Errors
///
/// What cannot be delivered, and specifications that validation has refused before. The fields are those of the blue/green resource.
pub fn prepare(child: &FlinkDeployment, preparation: &Preparation) -> Result<FlinkDeployment, Vec<Problem>> {
    let mut prepared = child.clone();
    let spec = &mut prepared.spec;
    options::fill_placeholders(spec, preparation.color)?;
    let configuration = match &spec.flink_configuration {
        Some(written) => FlinkConfiguration::read_at(&field("flinkConfiguration"), written)?,
        None => FlinkConfiguration::default(),
    };
    let need = need(spec, &configuration, preparation).map_err(|problem| vec![problem])?;
    let mut keys = match need {
        Need::Nothing => return Ok(prepared),
        Need::Sinks => Vec::new(),
        Need::Handover(strategy) => handover_keys(child, &configuration, strategy, preparation),
    };
    keys.push((key::SINKS_EPOCH, preparation.sink_epoch.to_string()));
    let path = match &preparation.agent {
        Agent::None => return Ok(prepared),
        Agent::Jar { path, .. } => path.as_str(),
        Agent::Image { image, .. } => {
            pod::deliver(spec, &configuration, image);
            if matches!(need, Need::Handover(_)) && preparation.awaits_savepoint {
                keys.extend(options::slots_ahead(spec, &configuration));
            }
            JAR
        }
    };
    keys.extend(options::with_agent(&configuration, path).map_err(|problem| vec![problem])?);
    options::write(spec, keys);
    Ok(prepared)
}

/// What the user of a child wrote, without what a jar on this machine needed in it: where a status is lost, it is read from
/// the child, and must not look like an edit. A key that stands in the user's present specification, too, is as it is there.
pub fn as_written(child: &FlinkDeployment, present: &FlinkDeploymentSpec) -> FlinkDeploymentSpec {
    let mut spec = child.spec.clone();
    if let Some(Preparation {
        agent: Agent::Jar { path, .. },
        ..
    }) = Preparation::of(child)
    {
        options::take_out(&mut spec, present, &path);
    }
    spec
}

/// The path of a field of the child in the blue/green resource.
fn field(name: &str) -> String {
    format!("spec.template.spec.{name}")
}

fn need(
    spec: &FlinkDeploymentSpec,
    configuration: &FlinkConfiguration,
    preparation: &Preparation,
) -> Result<Need, Problem> {
    let version = spec.flink_version.as_deref();
    let can_run = is_supported(version);
    let can_deliver = preparation.agent != Agent::None && can_run;
    if preparation.mode == TransitionMode::Basic {
        let forks = preparation.sink_epoch > 0 && gate::is_fork_safe(configuration);
        return Ok(if forks && can_deliver {
            Need::Sinks
        } else {
            Need::Nothing
        });
    }
    let Some(strategy) = Strategy::of(configuration) else {
        let found = configuration.get(key::STRATEGY).unwrap_or_default();
        return Err(Problem::new(
            field(&format!("flinkConfiguration[{}]", key::STRATEGY)),
            format!("found `{found}`, expected `SAVEPOINT` or `WATERMARK`"),
        ));
    };
    if can_deliver {
        return Ok(Need::Handover(strategy));
    }
    let why = if strategy == Strategy::Watermark {
        "the strategy WATERMARK puts gates into the job"
    } else if preparation.awaits_savepoint {
        "the job is held back until the outgoing one has stopped"
    } else if preparation.sink_epoch > 0 {
        "the job restores sinks that have had fresh state"
    } else {
        return Ok(Need::Nothing);
    };
    Err(if can_run {
        Problem::new(
            "spec.transitionMode",
            format!(
                "found `ADVANCED`, which needs the gate agent here ({why}), and there is none to deliver; expected a local runner with `--agent-jar` (the operator on Kubernetes does not deliver the agent yet), or `bluegreen.gate.strategy: SAVEPOINT`"
            ),
        )
    } else {
        Problem::new(
            field("flinkVersion"),
            format!(
                "found `{}`, expected `v1_20` or newer, because {why}, and the gate agent does not run on older ones",
                version.unwrap_or_default()
            ),
        )
    })
}

/// What the agent is tested on begins with Flink 1.20; what is newer than it knows, it refuses by itself with a sentence.
fn is_supported(flink_version: Option<&str>) -> bool {
    let numbers = flink_version
        .and_then(|version| version.strip_prefix('v')?.split_once('_'))
        .and_then(|(major, minor)| Some((major.parse::<u32>().ok()?, minor.parse::<u32>().ok()?)));
    numbers.is_some_and(|numbers| numbers >= (1, 20))
}

fn handover_keys(
    child: &FlinkDeployment,
    configuration: &FlinkConfiguration,
    strategy: Strategy,
    preparation: &Preparation,
) -> Vec<(&'static str, String)> {
    // The strategy is said in any case: the gate's own default is FLIP-504's, WATERMARK.
    let mut keys = vec![
        (key::STRATEGY, strategy.name().to_owned()),
        (key::ACTIVE_DEPLOYMENT_TYPE, preparation.color.label().to_owned()),
        (key::HANDOVER_EPOCH, preparation.created_for.0.to_string()),
    ];
    // Not against its user, who may have put gates into the program by hand.
    if strategy == Strategy::Watermark && configuration.get(key::INJECTION_ENABLED).is_none() {
        keys.push((key::INJECTION_ENABLED, true.to_string()));
    }
    if preparation.awaits_savepoint {
        keys.push((key::AWAIT_SAVEPOINT, true.to_string()));
    }
    match &preparation.agent {
        Agent::None => {}
        Agent::Jar {
            handover_directory, ..
        } => keys.push((key::HANDOVER_DIRECTORY, handover_directory.clone())),
        Agent::Image { config_map, .. } => {
            keys.push((key::CONFIGMAP_NAME, config_map.clone()));
            if let Some(namespace) = &child.metadata.namespace {
                keys.push((key::CONFIGMAP_NAMESPACE, namespace.clone()));
            }
        }
    }
    keys
}
