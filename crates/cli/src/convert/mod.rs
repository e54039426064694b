//! From `FlinkDeployment` to `FlinkBlueGreenDeployment`, as FLINK-38421's page tells: the kind, the optional configuration
//! and the template around the specification.
//!
//! The text is changed line by line, so comments, order, quotes and line ends stay. What comes out is parsed again and
//! compared with what went in; where lines are not enough (a document in JSON, a `spec` that comes out of a merge key), the
//! document is written anew from its values, and a note says so.

mod documents;
mod lines;

use serde_json::{Map, Value, json};
use sluice_api::{API_VERSION, GROUP};

use crate::output::to_yaml;

/// The longest name of a blue/green resource: its children add 6 characters and may have 45.
const LONGEST_NAME: usize = 39;

/// Keys of `metadata` that the API server writes; they belong to the object that was, not to the one to be.
const SERVER_METADATA: [&str; 6] = [
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
];

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Converted {
    /// The whole text.
    pub text: String,
    /// What the user should know, one sentence each.
    pub notes: Vec<String>,
}

/// Why nothing came out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConvertError {
    /// The text is no YAML.
    #[error("{place} is not readable YAML: {reason}")]
    Unreadable {
        /// Which document.
        place: String,
        /// The parser's words.
        reason: String,
    },
    /// A tab where YAML allows only spaces.
    #[error("Line {line} is indented with a tab, which YAML does not allow: use spaces.")]
    Tab {
        /// Counted from 1 in the whole text.
        line: usize,
    },
    /// A session cluster has no job that could be upgraded.
    #[error(
        "{place} is a session cluster (it has no spec.job), and blue/green upgrades a job: give it a job, or leave it a FlinkDeployment."
    )]
    SessionCluster {
        /// Which document.
        place: String,
    },
    /// A FlinkDeployment without `spec`.
    #[error("{place} has no spec, so there is nothing to put into a template.")]
    NoSpec {
        /// Which document.
        place: String,
    },
    /// `kubectl get -o yaml` of several objects.
    #[error("{place} is a List: give its items as documents of their own, separated by `---`.")]
    List {
        /// Which document.
        place: String,
    },
    /// Nothing to convert.
    #[error("There is no FlinkDeployment in the file.")]
    Nothing,
    /// What was made does not mean the same.
    #[error("{place} cannot be converted without changing its meaning; this is a defect of sluice.")]
    Different {
        /// Which document.
        place: String,
    },
}

/// Converts every FlinkDeployment of a text; `configuration` goes to `spec.configuration`, in this order.
///
/// Other kinds, and what is converted already, stay as they are.
pub fn convert(text: &str, configuration: &[(String, String)]) -> Result<Converted, ConvertError> {
    let mut result = Converted {
        text: String::with_capacity(text.len() + 256),
        notes: Vec::new(),
    };
    let mut found = false;
    for document in documents::split(text) {
        let place = format!("The document at line {}", document.first_line);
        let (converted, relevant) = one(&document, &place, configuration, &mut result.notes)?;
        found |= relevant;
        result.text.push_str(document.head);
        result.text.push_str(&converted);
    }
    if found {
        Ok(result)
    } else {
        Err(ConvertError::Nothing)
    }
}

/// The document's new text, and whether it is of one of the two kinds.
fn one(
    document: &documents::Document<'_>,
    place: &str,
    configuration: &[(String, String)],
    notes: &mut Vec<String>,
) -> Result<(String, bool), ConvertError> {
    let body = document.body;
    let unchanged = || body.to_owned();
    let Some(value) = parse(document, place)? else {
        return Ok((unchanged(), false));
    };
    let place = named(place, &value);
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let of_group = value
        .get("apiVersion")
        .and_then(Value::as_str)
        .is_some_and(|version| version.split('/').next() == Some(GROUP));
    match kind {
        "List" => return Err(ConvertError::List { place }),
        "FlinkBlueGreenDeployment" => {
            notes.push(format!("{place} is converted already and stays as it is."));
            return Ok((unchanged(), true));
        }
        "FlinkDeployment" if of_group => {}
        _ => {
            notes.push(format!(
                "{place} is no FlinkDeployment of {API_VERSION} and stays as it is."
            ));
            return Ok((unchanged(), false));
        }
    }
    check(&value, &place)?;
    warn(&value, &place, notes);
    let wanted = expected(&value, configuration);
    let by_lines = lines::rewrite(body, configuration).filter(|text| means(text, &wanted));
    if let Some(text) = by_lines {
        return Ok((text, true));
    }
    let text = if body.trim_start().starts_with('{') {
        serde_json::to_string_pretty(&wanted).map(|text| text + "\n").ok()
    } else {
        notes.push(format!(
            "{place} had to be written anew, so its comments are lost."
        ));
        to_yaml(&wanted).ok()
    };
    match text {
        Some(text) if means(&text, &wanted) => Ok((text, true)),
        _ => Err(ConvertError::Different { place }),
    }
}

/// The document as a value; `None` for one that holds nothing but comments.
fn parse(document: &documents::Document<'_>, place: &str) -> Result<Option<Value>, ConvertError> {
    match serde_saphyr::from_str::<Value>(document.body) {
        Ok(Value::Null) => Ok(None),
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            if let Some(line) = lines::tab_indentation(document.body) {
                return Err(ConvertError::Tab {
                    line: document.first_line + line,
                });
            }
            if document
                .body
                .lines()
                .all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
            {
                return Ok(None);
            }
            let reason = error.to_string();
            let first = reason
                .lines()
                .next()
                .unwrap_or_default()
                .trim_end_matches(['.', ':']);
            Err(ConvertError::Unreadable {
                place: place.to_owned(),
                reason: format!("{first}."),
            })
        }
    }
}

fn named(place: &str, value: &Value) -> String {
    match value.pointer("/metadata/name").and_then(Value::as_str) {
        Some(name) => format!("{place} ({name})"),
        None => place.to_owned(),
    }
}

fn check(value: &Value, place: &str) -> Result<(), ConvertError> {
    let place = || place.to_owned();
    match value.get("spec") {
        Some(Value::Object(spec)) if spec.get("job").is_some_and(Value::is_object) => Ok(()),
        Some(Value::Object(_)) => Err(ConvertError::SessionCluster { place: place() }),
        _ => Err(ConvertError::NoSpec { place: place() }),
    }
}

fn warn(value: &Value, place: &str, notes: &mut Vec<String>) {
    let name = value
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if name.chars().count() > LONGEST_NAME {
        notes.push(format!(
            "{place}: a blue/green resource's name may have {LONGEST_NAME} characters, and this one has {}; shorten it before you apply it.",
            name.chars().count()
        ));
    }
    if value.get("status").is_some() {
        notes.push(format!(
            "{place}: its status is left out; the new resource gets one of its own."
        ));
    }
    if value.pointer("/spec/ingress").is_some() {
        notes.push(format!(
            "{place}: spec.template.spec.ingress makes one Ingress for each child, with the prefixes blue- and green-; for one that always leads to the active child, move it to spec.ingress."
        ));
    }
}

/// What the converted document has to mean.
fn expected(value: &Value, configuration: &[(String, String)]) -> Value {
    let mut result = value.clone();
    let Value::Object(document) = &mut result else {
        return result;
    };
    document.remove("status");
    document.insert("kind".to_owned(), json!("FlinkBlueGreenDeployment"));
    if let Some(Value::Object(metadata)) = document.get_mut("metadata") {
        metadata.retain(|key, _| !SERVER_METADATA.contains(&key.as_str()));
    }
    let spec = document.remove("spec").unwrap_or_default();
    let mut wrapped = Map::new();
    if !configuration.is_empty() {
        let map: Map<String, Value> = configuration
            .iter()
            .map(|(key, value)| (key.clone(), json!(value)))
            .collect();
        wrapped.insert("configuration".to_owned(), Value::Object(map));
    }
    wrapped.insert("template".to_owned(), json!({ "spec": spec }));
    document.insert("spec".to_owned(), Value::Object(wrapped));
    result
}

fn means(text: &str, wanted: &Value) -> bool {
    serde_saphyr::from_str::<Value>(text).is_ok_and(|value| value == *wanted)
}
