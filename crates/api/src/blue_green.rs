//! `FlinkBlueGreenDeployment`: one Flink job that is upgraded blue/green.

mod handover;
mod status;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::flink_deployment::{Extra, FlinkDeploymentSpec, IngressSpec};
use crate::lenient::lenient;

pub use handover::{
    GateFiguresStatus, GiveUpStatus, LedgerStatus, MissingStatus, StopStatus, WatermarkStatus,
};
pub use status::{
    AbortReason, AcknowledgedStatus, FailedDeploymentPolicy, FailedStatus, FlinkBlueGreenDeploymentStatus,
    Guarantee, HistoryEntry, KeptStatus, Outcome, RivalStatus, SavepointStatus, StepStatus, TransitionCause,
    TransitionStatus,
};

/// A Flink job that is upgraded blue/green.
///
/// The status is read leniently, field by field, so that a damaged status never makes the resource itself unreadable.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FlinkBlueGreenDeployment {
    /// `flink.apache.org/v1beta1`.
    #[serde(default)]
    pub api_version: String,
    /// `FlinkBlueGreenDeployment`.
    #[serde(default)]
    pub kind: String,
    /// Name, labels, annotations and the rest of Kubernetes' metadata.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// What the user wants.
    #[serde(default)]
    pub spec: FlinkBlueGreenDeploymentSpec,
    /// What was recorded last.
    #[serde(
        default,
        deserialize_with = "lenient",
        skip_serializing_if = "Option::is_none"
    )]
    pub status: Option<FlinkBlueGreenDeploymentStatus>,
}

/// What the user wants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkBlueGreenDeploymentSpec {
    /// Settings of the blue/green controller, `kubernetes.operator.bluegreen.*`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<BTreeMap<String, String>>,
    /// The Ingress that always leads to the active child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ingress: Option<IngressSpec>,
    /// How the active side changes (FLIP-504).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_mode: Option<TransitionMode>,
    /// The children are made from this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<FlinkDeploymentTemplate>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// The children are made from this.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FlinkDeploymentTemplate {
    /// Labels and annotations of the children.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<ObjectMeta>,
    /// The specification of the children.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<FlinkDeploymentSpec>,
    /// Fields that Sluice does not know.
    #[serde(flatten)]
    #[schemars(skip)]
    pub extra: Extra,
}

/// How the active side changes (FLIP-504).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum TransitionMode {
    /// The new deployment runs beside the old one and takes over once it is stable.
    #[default]
    Basic,
    /// Record by record: every output record is written exactly once.
    Advanced,
}

/// Upstream's seven names of the state; they exist only in the wire form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "upstream's names, described in docs/states.md")]
pub enum BlueGreenState {
    InitializingBlue,
    ActiveBlue,
    ActiveGreen,
    SavepointingBlue,
    SavepointingGreen,
    TransitioningToBlue,
    TransitioningToGreen,
}

/// The colour of a child, as the wire writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Color {
    /// `<name>-blue`.
    Blue,
    /// `<name>-green`.
    Green,
}

impl Color {
    /// Both colours, blue first.
    pub const BOTH: [Self; 2] = [Self::Blue, Self::Green];

    /// The other colour.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    /// `blue` or `green`, as in the child's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }

    /// `BLUE` or `GREEN`, as in the child's label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Blue => "BLUE",
            Self::Green => "GREEN",
        }
    }

    /// The name of the child of this colour of the resource `parent`.
    pub fn child_name(self, parent: &str) -> String {
        format!("{parent}-{}", self.name())
    }
}

impl std::fmt::Display for Color {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A moment on the wire; upstream writes "unset" as 1970-01-01T00:00:00Z, and so do we, for its sake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WireTime(pub Option<Timestamp>);

impl Serialize for WireTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.unwrap_or(Timestamp::UNIX_EPOCH).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WireTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let time = value.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        Ok(Self(time.filter(|time| *time != Timestamp::UNIX_EPOCH)))
    }
}

impl JsonSchema for WireTime {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}
