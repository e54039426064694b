//! What `apply` means: the user's manifest becomes the object's specification; what others added to the metadata stays.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};

use super::rows::{Failure, create, find, update};
use super::{Object, Store, StoreError};
use crate::client::Change;

/// One object of an apply: what became of it.
#[derive(Clone, Debug)]
pub struct Apply {
    /// As it is now.
    pub object: Object,
    /// What became of it.
    pub change: Change,
}

/// The names of what the last apply brought into the metadata: what it brought and the next one does not is removed.
#[derive(Default, Serialize, Deserialize)]
struct LastApplied {
    labels: BTreeSet<String>,
    annotations: BTreeSet<String>,
}

impl Store {
    /// Creates or changes these objects, all or none.
    ///
    /// Errors: [`StoreError::BeingDeleted`] for one that is on its way out.
    pub fn apply(&self, manifests: Vec<Object>) -> Result<Vec<Apply>, StoreError> {
        self.write(|transaction| {
            manifests
                .into_iter()
                .map(|manifest| apply(transaction, manifest))
                .collect()
        })
    }
}

fn apply(transaction: &Transaction<'_>, manifest: Object) -> Result<Apply, Failure> {
    let applied = LastApplied {
        labels: names(manifest.metadata.labels.as_ref()),
        annotations: names(manifest.metadata.annotations.as_ref()),
    };
    let (object, change) = match find(transaction, &manifest.key)? {
        None => (create(transaction, manifest)?, Change::Created),
        Some(current) if current.is_being_deleted() => {
            return Err(StoreError::BeingDeleted(current.key).into());
        }
        Some(current) => {
            let last = last_applied(transaction, &current)?;
            let mut wanted = current.clone();
            let metadata = &mut wanted.metadata;
            merge(&mut metadata.labels, &last.labels, manifest.metadata.labels);
            merge(
                &mut metadata.annotations,
                &last.annotations,
                manifest.metadata.annotations,
            );
            wanted.body = manifest.body;
            let object = update(transaction, &current, wanted)?;
            let change = if object.version() == current.version() {
                Change::Unchanged
            } else {
                Change::Configured
            };
            (object, change)
        }
    };
    transaction.execute(
        "UPDATE objects SET applied = ?2 WHERE uid = ?1",
        params![object.uid(), serde_json::to_string(&applied).unwrap_or_default()],
    )?;
    Ok(Apply { object, change })
}

fn last_applied(transaction: &Transaction<'_>, current: &Object) -> rusqlite::Result<LastApplied> {
    let text: Option<Option<String>> = transaction
        .query_row(
            "SELECT applied FROM objects WHERE uid = ?1",
            [current.uid()],
            |row| row.get(0),
        )
        .optional()?;
    Ok(text
        .flatten()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default())
}

fn names(map: Option<&BTreeMap<String, String>>) -> BTreeSet<String> {
    map.into_iter().flatten().map(|(name, _)| name.clone()).collect()
}

fn merge(
    current: &mut Option<BTreeMap<String, String>>,
    last: &BTreeSet<String>,
    wanted: Option<BTreeMap<String, String>>,
) {
    let map = current.get_or_insert_default();
    map.retain(|name, _| !last.contains(name));
    map.extend(wanted.unwrap_or_default());
}
