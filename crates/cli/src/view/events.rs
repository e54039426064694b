//! What has happened, one line each.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Clock, Palette, Tone, table};

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventLine {
    /// When.
    pub at: Timestamp,
    /// Whether someone should look.
    pub warning: bool,
    /// One word.
    pub reason: String,
    /// `FlinkBlueGreenDeployment/ledger`.
    pub object: String,
    /// One sentence.
    pub message: String,
}

/// The events as a table, oldest first; `with_object` where they are of several objects.
pub fn events(events: &[EventLine], with_object: bool, palette: Palette, clock: &Clock) -> String {
    if events.is_empty() {
        return "No events.\n".to_owned();
    }
    let rows: Vec<Vec<String>> = events
        .iter()
        .map(|event| {
            let kind = if event.warning {
                palette.paint(Tone::Bad, "Warning")
            } else {
                "Normal".to_owned()
            };
            let mut row = vec![clock.moment(event.at), kind, event.reason.clone()];
            if with_object {
                row.push(event.object.clone());
            }
            row.push(event.message.clone());
            row
        })
        .collect();
    let headings: &[&str] = if with_object {
        &["TIME", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    } else {
        &["TIME", "TYPE", "REASON", "MESSAGE"]
    };
    table(palette, headings, &rows)
}
