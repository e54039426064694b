//! Single objects inside one transaction: found, written under the next version, deleted with what they own.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::error::StoreError;
use super::kind::ObjectKey;
use super::object::{self, Object};

/// How many removed objects are remembered.
const REMEMBERED: u64 = 1000;

/// A refusal of ours or of SQLite, inside a transaction.
pub(super) enum Failure {
    Store(StoreError),
    Sql(rusqlite::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

pub(super) fn parse(text: &str) -> Result<Object, StoreError> {
    let value = serde_json::from_str(text).map_err(|error| object::unreadable("a stored object", &error))?;
    Object::from_value(value)
}

/// SQLite's error outside, that of the content inside.
pub(super) fn content(row: &Row<'_>) -> rusqlite::Result<Result<Object, StoreError>> {
    let text: String = row.get("content")?;
    Ok(parse(&text))
}

pub(super) fn find(connection: &Connection, key: &ObjectKey) -> Result<Option<Object>, Failure> {
    let found = connection
        .prepare_cached("SELECT content FROM objects WHERE kind = ?1 AND namespace = ?2 AND name = ?3")?
        .query_row(params![key.kind.name(), key.namespace, key.name], content)
        .optional()?;
    Ok(found.transpose()?)
}

pub(super) fn required(connection: &Connection, key: &ObjectKey) -> Result<Object, Failure> {
    find(connection, key)?.ok_or_else(|| StoreError::NotFound(key.clone()).into())
}

pub(super) fn create(transaction: &Transaction<'_>, manifest: Object) -> Result<Object, Failure> {
    if find(transaction, &manifest.key)?.is_some() {
        return Err(StoreError::AlreadyExists(manifest.key).into());
    }
    let mut owner_there = true;
    for owner in manifest.owners() {
        owner_there = exists(transaction, owner)?;
        if owner_there {
            break;
        }
    }
    if !owner_there {
        let owner = manifest.metadata.owner_references.iter().flatten().next();
        return Err(StoreError::OwnerGone {
            owner: owner
                .map(|owner| format!("{} {}", owner.kind, owner.name))
                .unwrap_or_default(),
            key: manifest.key,
        }
        .into());
    }
    let mut object = manifest;
    object.metadata.uid = Some(uuid::Uuid::new_v4().to_string());
    object.metadata.generation = Some(1);
    object.metadata.creation_timestamp = Some(Time(whole_seconds(Timestamp::now())));
    object.metadata.deletion_timestamp = None;
    object.metadata.managed_fields = None;
    object.body.remove("status");
    Ok(store(transaction, object)?)
}

/// Writes what differs from the current object, if anything does; a changed specification is a new generation.
pub(super) fn update(
    transaction: &Transaction<'_>,
    current: &Object,
    mut wanted: Object,
) -> Result<Object, Failure> {
    wanted.body.remove("status");
    if let Some(status) = current.status() {
        wanted.body.insert("status".to_owned(), status.clone());
    }
    for map in [&mut wanted.metadata.labels, &mut wanted.metadata.annotations] {
        map.take_if(|map| map.is_empty());
    }
    wanted
        .metadata
        .finalizers
        .take_if(|finalizers| finalizers.is_empty());
    if wanted == *current {
        return Ok(wanted);
    }
    if wanted.specification() != current.specification() {
        let generation = current.metadata.generation.unwrap_or_default();
        wanted.metadata.generation = Some(generation + 1);
    }
    Ok(store(transaction, wanted)?)
}

/// Writes the object under the next version.
pub(super) fn store(transaction: &Transaction<'_>, mut object: Object) -> rusqlite::Result<Object> {
    let version = next_version(transaction)?;
    object.metadata.resource_version = Some(version.to_string());
    transaction
        .prepare_cached(
            "INSERT INTO objects (kind, namespace, name, uid, version, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (kind, namespace, name) DO UPDATE SET version = excluded.version, content = excluded.content",
        )?
        .execute(params![
            object.key.kind.name(),
            object.key.namespace,
            object.key.name,
            object.uid(),
            version,
            object.to_value().to_string(),
        ])?;
    transaction.execute("DELETE FROM owners WHERE dependent = ?1", [object.uid()])?;
    for owner in object.owners() {
        transaction.execute(
            "INSERT OR IGNORE INTO owners (owner, dependent) VALUES (?1, ?2)",
            [owner, object.uid()],
        )?;
    }
    Ok(object)
}

pub(super) fn delete(transaction: &Transaction<'_>, current: Object) -> Result<(), Failure> {
    let finalizers = current.metadata.finalizers.as_ref();
    if finalizers.is_none_or(Vec::is_empty) {
        return remove(transaction, &current);
    }
    if current.is_being_deleted() {
        return Ok(());
    }
    let mut marked = current;
    marked.metadata.deletion_timestamp = Some(Time(whole_seconds(Timestamp::now())));
    // As the API server does: being deleted is something that a controller has to observe.
    marked.metadata.generation = Some(marked.metadata.generation.unwrap_or_default() + 1);
    store(transaction, marked)?;
    Ok(())
}

/// Removes the object, and deletes what no other owner holds.
pub(super) fn remove(transaction: &Transaction<'_>, object: &Object) -> Result<(), Failure> {
    let version = next_version(transaction)?;
    let key = &object.key;
    transaction.execute("DELETE FROM objects WHERE uid = ?1", [object.uid()])?;
    transaction.execute(
        "INSERT INTO removed (version, kind, namespace, name, uid, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            version,
            key.kind.name(),
            key.namespace,
            key.name,
            object.uid(),
            object.to_value().to_string()
        ],
    )?;
    let oldest: Option<i64> = transaction
        .query_row(
            "SELECT version FROM removed ORDER BY version DESC LIMIT 1 OFFSET ?1",
            [number(REMEMBERED)],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(oldest) = oldest {
        transaction.execute("DELETE FROM removed WHERE version <= ?1", [oldest])?;
        transaction.execute("UPDATE versions SET forgotten = ?1", [oldest])?;
    }
    for dependent in dependents(transaction, object.uid())? {
        let mut held = false;
        for owner in dependent.owners() {
            held = held || exists(transaction, owner)?;
        }
        if !held {
            delete(transaction, dependent)?;
        }
    }
    transaction.execute("DELETE FROM owners WHERE dependent = ?1", [object.uid()])?;
    Ok(())
}

pub(super) fn dependents(connection: &Connection, owner: &str) -> Result<Vec<Object>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT content FROM objects JOIN owners ON objects.uid = owners.dependent WHERE owners.owner = ?1",
    )?;
    let rows = statement.query_map([owner], content)?;
    rows.map(|object| object.map_err(Failure::from).and_then(|object| Ok(object?)))
        .collect()
}

pub(super) fn exists(connection: &Connection, uid: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM objects WHERE uid = ?1")?
        .exists([uid])
}

pub(super) fn last_version(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT last FROM versions", [], |row| {
        row.get::<_, i64>(0).map(unsigned)
    })
}

pub(super) fn next_version(transaction: &Transaction<'_>) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached("UPDATE versions SET last = last + 1 RETURNING last")?
        .query_row([], |row| row.get(0))
}

pub(super) fn number(version: u64) -> i64 {
    i64::try_from(version).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(version: i64) -> u64 {
    u64::try_from(version).unwrap_or_default()
}

/// Kubernetes writes its times without fractions of a second.
pub(super) fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
