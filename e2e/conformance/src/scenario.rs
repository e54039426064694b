//! The language of the scenarios. docs/conformance.md describes it for people.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value, json};
use sluice_api::blue_green::Color;

use crate::expectation::Expectation;

/// The name of the resource in every scenario.
pub const RESOURCE: &str = "orders";

/// One story: what people do, what the world does, what has to come of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name, that of the file without its ending.
    pub name: String,
    /// One or two sentences: the rule that it is about.
    pub about: String,
    /// The steps, one after the other.
    pub steps: Vec<Step>,
}

/// One step of a scenario.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Create the resource: the usual one with these fields over it.
    Apply(Edit),
    /// Change the resource.
    Edit(Edit),
    /// What the children of each colour do from now on.
    Children(BTreeMap<Colour, ChildScript>),
    /// What the next savepoints of each colour do; the last one of the list stays.
    Savepoints(BTreeMap<Colour, Vec<SavepointScript>>),
    /// How the JobManager of each colour answers from now on.
    JobManagers(BTreeMap<Colour, JobManagerScript>),
    /// Until all of this holds.
    Wait(Wait),
    /// All of this holds now.
    Expect(Expectation),
    /// Nothing changes for so long: not the specification, the state, the job's state and the error of the resource, nor the
    /// children, the Ingress and what is counted.
    Hold(Span),
    /// Time passes.
    Pause(Span),
    /// Remember values under names, for `$name` in later steps: an object and a JSON pointer, as in `green /metadata/uid`.
    Remember(BTreeMap<String, String>),
    /// Somebody deletes `blue`, `green`, `ingress` or `resource`.
    Delete(String),
    /// Somebody changes the status of the resource; null removes it all.
    Status(Value),
    /// The API server refuses to create objects of a kind from now on.
    Refuse(Refusal),
    /// The API server takes them again.
    Allow(Refused),
}

/// A change of the resource. Each field is laid over what is there as a merge patch; null removes.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// `spec.template.spec.image`.
    image: Option<String>,
    /// `spec.template.spec.job`.
    job: Option<Value>,
    /// `spec.template.spec.flinkConfiguration`.
    flink: Option<Value>,
    /// `spec.template.spec`.
    child: Option<Value>,
    /// `spec.configuration`, each key after `kubernetes.operator.bluegreen.`.
    settings: Option<BTreeMap<String, Option<String>>>,
    /// `spec`.
    spec: Option<Value>,
    /// `metadata`.
    metadata: Option<Value>,
}

impl Edit {
    /// The change as a merge patch of the resource.
    pub fn patch(&self) -> Value {
        let mut patch = json!({});
        let child = |fields: Value| json!({ "spec": { "template": { "spec": fields } } });
        let settings = self.settings.as_ref().map(|settings| {
            settings
                .iter()
                .map(|(key, value)| (format!("kubernetes.operator.bluegreen.{key}"), json!(value)))
                .collect::<Map<_, _>>()
        });
        let parts = [
            self.metadata.clone().map(|fields| json!({ "metadata": fields })),
            self.spec.clone().map(|fields| json!({ "spec": fields })),
            settings.map(|settings| json!({ "spec": { "configuration": settings } })),
            self.child.clone().map(child),
            self.flink
                .clone()
                .map(|keys| child(json!({ "flinkConfiguration": keys }))),
            self.job.clone().map(|job| child(json!({ "job": job }))),
            self.image.as_ref().map(|image| child(json!({ "image": image }))),
        ];
        for part in parts.into_iter().flatten() {
            lay_over(&mut patch, &part, false);
        }
        patch
    }
}

/// Lays a merge patch (RFC 7396) over a value; `removes`: null takes the field away, otherwise it stays as null.
pub fn lay_over(value: &mut Value, patch: &Value, removes: bool) {
    let Value::Object(patch) = patch else {
        *value = patch.clone();
        return;
    };
    if !value.is_object() {
        *value = json!({});
    }
    let Value::Object(fields) = value else { return };
    for (key, change) in patch {
        if change.is_null() && removes {
            fields.remove(key);
        } else {
            lay_over(fields.entry(key.clone()).or_insert(Value::Null), change, removes);
        }
    }
}

/// A colour as the scenarios write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// Blue.
    Blue,
    /// Green.
    Green,
}

impl Colour {
    /// The name of the child of this colour.
    pub fn child_name(self) -> String {
        match self {
            Self::Blue => Color::Blue.child_name(RESOURCE),
            Self::Green => Color::Green.child_name(RESOURCE),
        }
    }
}

/// A time such as `200 ms` or `3 s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = sluice_api::configuration::parse_duration(&text).map_err(de::Error::custom)?;
        Duration::try_from(span).map(Self).map_err(de::Error::custom)
    }
}

/// What a child does, from this step on.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ChildScript {
    /// What becomes of it.
    pub outcome: ChildOutcome,
    /// How long that takes, from the start of the job or from this step.
    pub after: Span,
    /// The words of its failure.
    pub error: String,
    /// Whether its status tells the generation that it describes.
    pub tells_generation: bool,
    /// How long its controller takes to see an edit.
    pub notices_edits_after: Span,
    /// How long it takes to be gone once it is deleted.
    pub terminates_after: Span,
}

impl Default for ChildScript {
    fn default() -> Self {
        Self {
            outcome: ChildOutcome::Ready,
            after: Span(Duration::from_millis(400)),
            error: String::new(),
            tells_generation: true,
            notices_edits_after: Span(Duration::from_millis(50)),
            terminates_after: Span(Duration::from_millis(100)),
        }
    }
}

/// What becomes of a child that is to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChildOutcome {
    /// It runs and is stable.
    Ready,
    /// Its JobManager never answers.
    StaysDeploying,
    /// Its job fails for good.
    Fails,
    /// Its job runs for a moment, fails, and is started again, without end.
    CrashLoops,
}

/// What one savepoint does.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(from = "SavepointText")]
pub struct SavepointScript {
    /// What becomes of it.
    pub outcome: SavepointOutcome,
    /// How long it takes.
    pub after: Span,
    /// The words of its failure.
    pub cause: String,
}

impl Default for SavepointScript {
    fn default() -> Self {
        Self {
            outcome: SavepointOutcome::Completes,
            after: Span(Duration::from_millis(200)),
            cause: "Checkpoint expired before completing".to_owned(),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SavepointText {
    Short(SavepointOutcome),
    Long(SavepointFields),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SavepointFields {
    outcome: SavepointOutcome,
    after: Option<Span>,
    cause: Option<String>,
}

impl From<SavepointText> for SavepointScript {
    fn from(text: SavepointText) -> Self {
        let usual = Self::default();
        match text {
            SavepointText::Short(outcome) => Self { outcome, ..usual },
            SavepointText::Long(fields) => Self {
                outcome: fields.outcome,
                after: fields.after.unwrap_or(usual.after),
                cause: fields.cause.unwrap_or(usual.cause),
            },
        }
    }
}

/// What becomes of a savepoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SavepointOutcome {
    /// It is taken, and Flink tells its path.
    Completes,
    /// Flink calls it complete and tells no path.
    CompletesWithoutPath,
    /// It fails.
    Fails,
    /// It is in progress for ever.
    NeverEnds,
    /// The request is refused with status 503.
    Refused,
    /// The request is accepted and its answer lost; the savepoint is taken all the same.
    AnswerLost,
    /// The request is accepted, and the JobManager does not know its id afterwards.
    Forgotten,
}

/// How a JobManager answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobManagerScript {
    /// As Flink does.
    Answers,
    /// With status 500 to everything.
    #[serde(rename = "fails-with-500")]
    FailsWith500,
    /// With status 503 to everything.
    #[serde(rename = "fails-with-503")]
    FailsWith503,
    /// Never.
    Hangs,
    /// It cuts every connection without an answer.
    Cuts,
    /// It is started anew: it forgets its savepoints, and the job goes on.
    Restarts,
}

/// Something to be waited for.
#[derive(Clone, Debug)]
pub struct Wait {
    /// How long at most.
    pub within: Span,
    /// What has to hold.
    pub until: Expectation,
}

/// On a machine with much else to do, everything takes its time.
const USUAL_PATIENCE: Span = Span(Duration::from_mins(2));

impl<'de> Deserialize<'de> for Wait {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let within = match fields.remove("within") {
            Some(text) => Span::deserialize(text).map_err(de::Error::custom)?,
            None => USUAL_PATIENCE,
        };
        let until = Expectation::deserialize(Value::Object(fields)).map_err(de::Error::custom)?;
        Ok(Self { within, until })
    }
}

/// What the API server refuses.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The kind.
    pub creating: Refused,
    /// Its words.
    pub saying: String,
}

/// A kind whose creation can be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Refused {
    /// FlinkDeployments.
    Children,
    /// Ingresses.
    Ingresses,
}

/// Reads every scenario of a directory, sorted by name.
pub fn read_all(directory: &Path) -> Result<Vec<Scenario>> {
    let listed = std::fs::read_dir(directory)
        .with_context(|| format!("the scenarios are expected in {}", directory.display()))?;
    let mut scenarios = Vec::new();
    for entry in listed {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            scenarios.push(read(&path)?);
        }
    }
    scenarios.sort_by(|a: &Scenario, b| a.name.cmp(&b.name));
    Ok(scenarios)
}

fn read(path: &Path) -> Result<Scenario> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let value: Value =
        serde_saphyr::from_str(&text).with_context(|| format!("{} is no YAML", path.display()))?;
    let scenario: Scenario =
        serde_json::from_value(value).with_context(|| format!("{} is no scenario", path.display()))?;
    if path.file_stem().is_none_or(|stem| stem != scenario.name.as_str()) {
        bail!(
            "{} holds the scenario {}; give both one name",
            path.display(),
            scenario.name
        );
    }
    Ok(scenario)
}

/// The directory of the scenarios in the checkout that this was built from.
pub fn directory() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios"))
}
