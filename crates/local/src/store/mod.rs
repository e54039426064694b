//! Objects on disk, with the semantics of Kubernetes' API: versions, generations, preconditions, finalizers, owners.
//!
//! One process uses a directory at a time. Every call is one transaction of SQLite that is on the disk when the call
//! returns (`synchronous=FULL`): a record that was written survives a killed process and a power cut. The calls block, for a
//! millisecond or the time that the disk needs.

mod apply;
mod error;
mod events;
mod kind;
mod lock;
mod object;
mod rows;
mod schema;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::Value;
use tokio::sync::watch;

pub use apply::Apply;
pub use error::StoreError;
pub use kind::{DEFAULT_NAMESPACE, Kind, ObjectKey, UnknownKind};
use lock::DirectoryLock;
pub use object::Object;
use rows::Failure;

/// The objects of one directory.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    connection: Mutex<Connection>,
    version: watch::Sender<u64>,
    _lock: DirectoryLock,
}

/// What has changed since a version.
#[derive(Debug, Default)]
pub struct StoreChanges {
    /// The version up to which this tells.
    pub version: u64,
    /// Whether removals before this may be missing.
    pub incomplete: bool,
    /// The objects that changed (or are gone: `None`), in the order of the versions.
    pub objects: Vec<(u64, ObjectKey, Option<Object>)>,
}

/// What must still be true of an object; `None` does not restrict.
#[derive(Clone, Debug, Default)]
pub struct Preconditions {
    /// It is this very object.
    pub uid: Option<String>,
    /// It has not changed since this version.
    pub resource_version: Option<String>,
}

impl Store {
    /// Opens the store of the directory, which is created if it is not there, and keeps everyone else out.
    ///
    /// Errors: [`StoreError::InUse`] if another process has it open.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let directory = make_directory(directory)?;
        let lock = DirectoryLock::take(&directory)?;
        let path = directory.join("sluice.db");
        let failed = |error: rusqlite::Error| sql_error(&path, &error);
        let mut connection = Connection::open(&path).map_err(failed)?;
        // The cache is small on purpose: the whole store is a few hundred kilobytes.
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -512; PRAGMA busy_timeout = 5000;",
            )
            .map_err(failed)?;
        let found = schema::found(&connection).map_err(failed)?;
        if found > schema::newest() {
            return Err(StoreError::Newer {
                path,
                found,
                known: schema::newest(),
            });
        }
        schema::migrate(&mut connection).map_err(failed)?;
        let last = rows::last_version(&connection).map_err(failed)?;
        Ok(Self {
            version: watch::Sender::new(last),
            connection: Mutex::new(connection),
            path,
            _lock: lock,
        })
    }

    /// The version of the last change; it wakes whoever waits for one.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    /// One object.
    pub fn get(&self, key: &ObjectKey) -> Result<Option<Object>, StoreError> {
        self.read(|connection| rows::find(connection, key))
    }

    /// All objects of a kind, by namespace and name.
    pub fn list(&self, kind: Kind, namespace: Option<&str>) -> Result<Vec<Object>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT content FROM objects WHERE kind = ?1 AND (?2 IS NULL OR namespace = ?2) ORDER BY namespace, name",
            )?;
            let found = statement.query_map(params![kind.name(), namespace], rows::content)?;
            found
                .map(|object| object.map_err(Failure::from).and_then(|object| Ok(object?)))
                .collect()
        })
    }

    /// The last object of this name that was removed, with its last content.
    pub fn last_removed(&self, key: &ObjectKey) -> Result<Option<Object>, StoreError> {
        self.read(|connection| {
            let found = connection
                .prepare_cached(
                    "SELECT content FROM removed WHERE kind = ?1 AND namespace = ?2 AND name = ?3 ORDER BY version DESC LIMIT 1",
                )?
                .query_row(params![key.kind.name(), key.namespace, key.name], rows::content)
                .optional()?;
            Ok(found.transpose()?)
        })
    }

    /// The uids of removed FlinkDeployments after which another one of the same name was removed: nobody will ask for the
    /// state of their jobs any more.
    pub fn superseded_removed(&self) -> Result<Vec<String>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT uid FROM removed AS older WHERE kind = ?1 AND EXISTS (
                     SELECT 1 FROM removed AS newer WHERE newer.kind = older.kind AND newer.name = older.name
                     AND newer.namespace = older.namespace AND newer.version > older.version)",
            )?;
            let rows = statement.query_map([Kind::FlinkDeployment.name()], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Creates an object. What the manifest says of uid, version, generation and status does not count.
    ///
    /// Errors: [`StoreError::AlreadyExists`], whoever's it is; [`StoreError::OwnerGone`] if it names owners and none is there.
    pub fn create(&self, manifest: Object) -> Result<Object, StoreError> {
        self.write(|transaction| rows::create(transaction, manifest))
    }

    /// Replaces labels, annotations and specification; uid and resourceVersion of the manifest are preconditions where they
    /// are given. Status, owners and finalizers stay. Nothing is written if nothing differs.
    pub fn replace(&self, manifest: Object) -> Result<Object, StoreError> {
        self.write(|transaction| {
            let current = rows::required(transaction, &manifest.key)?;
            let preconditions = Preconditions {
                uid: manifest.metadata.uid.clone(),
                resource_version: manifest.metadata.resource_version.clone(),
            };
            preconditions.check(&current)?;
            let mut wanted = current.clone();
            wanted.metadata.labels = manifest.metadata.labels;
            wanted.metadata.annotations = manifest.metadata.annotations;
            wanted.body = manifest.body;
            rows::update(transaction, &current, wanted)
        })
    }

    /// Writes the status of the very object that was read, and tells the events with it: both or neither.
    ///
    /// Errors: [`StoreError::Conflict`] if the object has changed since `resource_version`.
    pub fn record(
        &self,
        key: &ObjectKey,
        uid: &str,
        resource_version: &str,
        status: Option<Value>,
        events: &[sluice_core::Event],
    ) -> Result<Object, StoreError> {
        self.write(|transaction| {
            let current = rows::required(transaction, key)?;
            let preconditions = Preconditions {
                uid: Some(uid.to_owned()),
                resource_version: Some(resource_version.to_owned()),
            };
            preconditions.check(&current)?;
            for event in events {
                events::tell(transaction, &current, event, Timestamp::now())?;
            }
            let Some(status) = status else {
                return Ok(current);
            };
            if current.status() == Some(&status) {
                return Ok(current);
            }
            let mut wanted = current;
            wanted.body.insert("status".to_owned(), status);
            Ok(rows::store(transaction, wanted)?)
        })
    }

    /// Sets an annotation, or removes it.
    pub fn annotate(
        &self,
        key: &ObjectKey,
        annotation: &str,
        value: Option<&str>,
    ) -> Result<Object, StoreError> {
        self.write(|transaction| {
            let current = rows::required(transaction, key)?;
            let mut wanted = current.clone();
            let annotations = wanted.metadata.annotations.get_or_insert_default();
            match value {
                Some(value) => annotations.insert(annotation.to_owned(), value.to_owned()),
                None => annotations.remove(annotation),
            };
            rows::update(transaction, &current, wanted)
        })
    }

    /// Puts a finalizer on this very object, or takes it off; without its last finalizer, a deleted object goes.
    pub fn set_finalizer(
        &self,
        key: &ObjectKey,
        uid: &str,
        finalizer: &str,
        wanted: bool,
    ) -> Result<(), StoreError> {
        self.write(|transaction| {
            let current = rows::required(transaction, key)?;
            let preconditions = Preconditions {
                uid: Some(uid.to_owned()),
                resource_version: None,
            };
            preconditions.check(&current)?;
            let mut changed = current.clone();
            let finalizers = changed.metadata.finalizers.get_or_insert_default();
            finalizers.retain(|other| other != finalizer);
            if wanted {
                finalizers.push(finalizer.to_owned());
            }
            let was_last = finalizers.is_empty();
            if was_last && current.is_being_deleted() {
                rows::remove(transaction, &current)
            } else {
                rows::update(transaction, &current, changed)?;
                Ok(())
            }
        })
    }

    /// Deletes an object. One with finalizers is only marked, and goes with the last of them; what it owns is deleted
    /// when it goes.
    pub fn delete(&self, key: &ObjectKey, preconditions: &Preconditions) -> Result<(), StoreError> {
        self.write(|transaction| {
            let current = rows::required(transaction, key)?;
            preconditions.check(&current)?;
            rows::delete(transaction, current)
        })
    }

    /// What has changed since a version; 0: every object.
    pub fn changes(&self, since: u64) -> Result<StoreChanges, StoreError> {
        self.read(|connection| {
            let since = rows::number(since);
            let (version, forgotten): (i64, i64) =
                connection.query_row("SELECT last, forgotten FROM versions", [], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            let mut objects = Vec::new();
            let mut changed = connection.prepare_cached("SELECT content FROM objects WHERE version > ?1")?;
            for object in changed.query_map([since], rows::content)? {
                let object = object??;
                objects.push((object.version(), object.key.clone(), Some(object)));
            }
            let mut removed = connection
                .prepare_cached("SELECT version, content FROM removed WHERE version > ?1 AND ?1 > 0")?;
            let rows = removed.query_map([since], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
            })?;
            for row in rows {
                let (version, text) = row?;
                objects.push((rows::unsigned(version), rows::parse(&text)?.key, None));
            }
            objects.sort_by_key(|(version, _, _)| *version);
            Ok(StoreChanges {
                version: rows::unsigned(version),
                incomplete: since > 0 && since < forgotten,
                objects,
            })
        })
    }

    /// The recorded port of an endpoint.
    pub fn port(&self, namespace: &str, name: &str) -> Result<Option<u16>, StoreError> {
        self.read(|connection| {
            Ok(connection
                .query_row(
                    "SELECT port FROM ports WHERE namespace = ?1 AND name = ?2",
                    [namespace, name],
                    |row| row.get(0),
                )
                .optional()?)
        })
    }

    /// Every recorded port.
    pub fn ports(&self) -> Result<Vec<u16>, StoreError> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT port FROM ports")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Records the port of an endpoint.
    pub fn set_port(&self, namespace: &str, name: &str, port: u16) -> Result<(), StoreError> {
        self.write(|transaction| {
            transaction.execute(
                "INSERT OR REPLACE INTO ports (namespace, name, port) VALUES (?1, ?2, ?3)",
                params![namespace, name, port],
            )?;
            Ok(())
        })
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, StoreError> {
        // A thread that panicked left a transaction that SQLite rolled back: the connection is good.
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        work(&connection).map_err(|failure| self.explain(failure))
    }

    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Failure>) -> Result<T, StoreError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let result = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Failure::from)
            .and_then(|transaction| {
                let done = work(&transaction)?;
                let version = rows::last_version(&transaction)?;
                transaction.commit()?;
                Ok((done, version))
            });
        let (done, version) = result.map_err(|failure| self.explain(failure))?;
        self.version.send_if_modified(|last| {
            let moved = *last != version;
            *last = version;
            moved
        });
        Ok(done)
    }

    fn explain(&self, failure: Failure) -> StoreError {
        match failure {
            Failure::Store(error) => error,
            Failure::Sql(error) => sql_error(&self.path, &error),
        }
    }
}

impl Preconditions {
    fn check(&self, current: &Object) -> Result<(), StoreError> {
        let same =
            |wanted: &Option<String>, found: &str| wanted.as_deref().is_none_or(|wanted| wanted == found);
        if same(&self.uid, current.uid()) && same(&self.resource_version, current.resource_version()) {
            Ok(())
        } else {
            Err(StoreError::Conflict(current.key.clone()))
        }
    }
}

fn make_directory(directory: &Path) -> Result<PathBuf, StoreError> {
    use std::os::unix::fs::DirBuilderExt;
    let unusable = |error: std::io::Error| StoreError::File {
        path: directory.to_owned(),
        detail: error.to_string(),
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(unusable)?;
    directory.canonicalize().map_err(unusable)
}

fn sql_error(path: &Path, error: &rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => StoreError::DiskFull {
            path: path.to_owned(),
        },
        _ => StoreError::File {
            path: path.to_owned(),
            detail: error.to_string(),
        },
    }
}
