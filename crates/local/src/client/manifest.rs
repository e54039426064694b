//! Reads YAML (and so JSON) files with one or more documents.

use serde_json::Value;

/// A file that is not YAML.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin} is not YAML that can be read: {detail}; nothing was applied")]
pub struct UnreadableManifest {
    /// The file, or `standard input`.
    pub origin: String,
    /// The parser's words, with line and column.
    pub detail: String,
}

/// The documents of a YAML or JSON text, the empty ones left out. `origin` names the text in the error.
pub fn read_manifests(origin: &str, text: &str) -> Result<Vec<Value>, UnreadableManifest> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(text).map_err(|error| UnreadableManifest {
        origin: origin.to_owned(),
        detail: error.to_string(),
    })?;
    Ok(documents
        .into_iter()
        .filter(|document| !document.is_null())
        .collect())
}
