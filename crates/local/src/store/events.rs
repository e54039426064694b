//! What has happened, kept for people.

use jiff::Timestamp;
use rusqlite::{Row, Transaction, params};
use sluice_core::{Event, EventKind};

use super::rows::{self, number, unsigned};
use super::{Kind, Object, ObjectKey, Store, StoreError};
use crate::client::{EventFilter, EventRecord, Severity};

/// How many different events are kept of one object.
const KEPT_PER_OBJECT: i64 = 1000;
/// How many are kept of all objects together, those that are gone among them.
const KEPT: i64 = 20_000;

impl Store {
    /// Tells an event about an object; the same one again is counted, not repeated.
    pub fn tell(&self, key: &ObjectKey, event: &Event) -> Result<(), StoreError> {
        self.write(|transaction| {
            let object = rows::required(transaction, key)?;
            Ok(tell(transaction, &object, event, Timestamp::now())?)
        })
    }

    /// The events that a filter lets through, in the order in which they were last told.
    pub fn events(&self, filter: &EventFilter) -> Result<Vec<EventRecord>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT * FROM events WHERE version > ?1 AND (?2 IS NULL OR kind = ?2)
                 AND (?3 IS NULL OR namespace = ?3) AND (?4 IS NULL OR name = ?4) ORDER BY version",
            )?;
            let rows = statement.query_map(
                params![
                    number(filter.since.unwrap_or_default()),
                    filter.kind.map(Kind::name),
                    filter.namespace,
                    filter.name
                ],
                event,
            )?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}

pub(super) fn tell(
    transaction: &Transaction<'_>,
    object: &Object,
    event: &Event,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let severity = match event.kind {
        EventKind::Normal => "Normal",
        EventKind::Warning => "Warning",
    };
    transaction
        .prepare_cached(
            "INSERT INTO events (version, kind, namespace, name, uid, severity, reason, message, count, first_at, last_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?9)
             ON CONFLICT (uid, severity, reason, message)
             DO UPDATE SET version = excluded.version, count = count + 1, last_at = excluded.last_at",
        )?
        .execute(params![
            rows::next_version(transaction)?,
            object.key.kind.name(),
            object.key.namespace,
            object.key.name,
            object.uid(),
            severity,
            event.reason,
            event.message,
            now.to_string(),
        ])?;
    transaction
        .prepare_cached(
            "DELETE FROM events WHERE uid = ?1 AND version <=
             (SELECT version FROM events WHERE uid = ?1 ORDER BY version DESC LIMIT 1 OFFSET ?2)",
        )?
        .execute(params![object.uid(), KEPT_PER_OBJECT])?;
    transaction
        .prepare_cached(
            "DELETE FROM events WHERE version <= (SELECT version FROM events ORDER BY version DESC LIMIT 1 OFFSET ?1)",
        )?
        .execute([KEPT])?;
    Ok(())
}

fn event(row: &Row<'_>) -> rusqlite::Result<EventRecord> {
    let kind: String = row.get("kind")?;
    let severity: String = row.get("severity")?;
    let time = |text: String| text.parse().unwrap_or_default();
    Ok(EventRecord {
        version: unsigned(row.get("version")?),
        kind: kind.parse().unwrap_or(Kind::FlinkBlueGreenDeployment),
        namespace: row.get("namespace")?,
        name: row.get("name")?,
        uid: row.get("uid")?,
        severity: if severity == "Warning" {
            Severity::Warning
        } else {
            Severity::Normal
        },
        reason: row.get("reason")?,
        message: row.get("message")?,
        count: unsigned(row.get("count")?),
        first_at: time(row.get("first_at")?),
        last_at: time(row.get("last_at")?),
    })
}
