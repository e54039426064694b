//! What the runner answers, as the commands use it.

use serde::de::DeserializeOwned;
use serde_json::Value;
use sluice_local::client::{Client, ClientError};
use sluice_local::store::Kind;

use crate::failure::Failure;

/// The runner's refusal as the user reads it.
#[expect(clippy::needless_pass_by_value, reason = "it is for `map_err`")]
pub(crate) fn failed(error: ClientError) -> Failure {
    let text = error.to_string();
    match error {
        // Each problem is a line of its own that begins with the name of an object.
        ClientError::Invalid { .. } => Failure::Refused(format!("Nothing was applied:\n{text}")),
        _ => Failure::Refused(sentence(&text)),
    }
}

/// The text with a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let begin = letters
        .next()
        .map(|first| first.to_uppercase().to_string())
        .unwrap_or_default();
    let end = if text.ends_with(['.', '!', '`']) && !text.ends_with('`') {
        ""
    } else {
        "."
    };
    format!("{begin}{}{end}", letters.as_str())
}

/// A value as its type.
pub(crate) fn read<T: DeserializeOwned>(value: Value) -> Result<T, Failure> {
    serde_json::from_value(value)
        .map_err(|error| Failure::refused(format!("The runner's answer cannot be read: {error}.")))
}

/// An object that may not be there.
pub(crate) async fn optional<T: DeserializeOwned>(
    client: &Client,
    kind: Kind,
    namespace: &str,
    name: &str,
) -> Result<Option<T>, Failure> {
    match client.get(kind, namespace, name).await {
        Ok(value) => read(value).map(Some),
        Err(ClientError::NotFound(_)) => Ok(None),
        Err(error) => Err(failed(error)),
    }
}
