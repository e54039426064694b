//! The custom resources of `flink.apache.org/v1beta1` as Sluice reads and writes them.
//!
//! Field names, enum values and defaults are those of the Apache Flink Kubernetes Operator, so that a user's YAML
//! works unchanged. Fields that Sluice does not know are kept (`extra`) and written back untouched.

pub mod blue_green;
pub mod configuration;
pub mod crd;
pub mod flink_deployment;
pub mod gate;
mod lenient;
pub mod metadata;
pub mod placeholder;
mod problem;
pub mod read;
mod rules;
mod sentence;
pub mod settings;
mod structural;
pub mod validation;

pub use blue_green::{
    BlueGreenState, FlinkBlueGreenDeployment, FlinkBlueGreenDeploymentSpec, TransitionMode,
};
pub use configuration::FlinkConfiguration;
pub use crd::Kind;
pub use flink_deployment::{FlinkDeployment, FlinkDeploymentSpec, JobSpec, JobState, UpgradeMode};
pub use problem::Problem;
pub use read::{check_types, read_blue_green, read_flink_deployment};
pub use settings::BlueGreenSettings;
pub use validation::{ValidDeployment, ValidSpec, validate, validate_flink_deployment};

/// The API group of both kinds.
pub const GROUP: &str = "flink.apache.org";
/// The only version of both kinds.
pub const VERSION: &str = "v1beta1";
/// `group/version`, as it stands in `apiVersion`.
pub const API_VERSION: &str = "flink.apache.org/v1beta1";
