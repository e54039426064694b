//! The form of the store's file, and how an older one becomes the present one.

use rusqlite::Connection;

/// Each step leads from the form of its index to the next. A step that was ever released never changes.
const STEPS: &[&str] = &["
    CREATE TABLE versions (last INTEGER NOT NULL, forgotten INTEGER NOT NULL) STRICT;
    INSERT INTO versions VALUES (0, 0);

    -- `applied` holds the names of the labels and annotations that the last apply brought.
    CREATE TABLE objects (
        kind TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        uid TEXT NOT NULL UNIQUE,
        version INTEGER NOT NULL UNIQUE,
        content TEXT NOT NULL,
        applied TEXT,
        PRIMARY KEY (kind, namespace, name)
    ) STRICT;

    CREATE TABLE owners (
        owner TEXT NOT NULL,
        dependent TEXT NOT NULL,
        PRIMARY KEY (owner, dependent)
    ) STRICT, WITHOUT ROWID;

    -- What was removed, with its last content: for watches, and to find the state of a job whose resource is gone.
    CREATE TABLE removed (
        version INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        uid TEXT NOT NULL,
        content TEXT NOT NULL
    ) STRICT;

    CREATE TABLE events (
        version INTEGER PRIMARY KEY,
        kind TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        uid TEXT NOT NULL,
        severity TEXT NOT NULL,
        reason TEXT NOT NULL,
        message TEXT NOT NULL,
        count INTEGER NOT NULL,
        first_at TEXT NOT NULL,
        last_at TEXT NOT NULL,
        UNIQUE (uid, severity, reason, message)
    ) STRICT;

    CREATE TABLE ports (
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        port INTEGER NOT NULL UNIQUE,
        PRIMARY KEY (namespace, name)
    ) STRICT;
"];

/// The form that this program writes.
pub(super) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The form that the file has; 0 for a new file.
pub(super) fn found(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// Brings the file to the newest form, all steps or none.
pub(super) fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let from = usize::try_from(found(connection)?).unwrap_or_default();
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for step in STEPS.iter().skip(from) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", newest())?;
    transaction.commit()
}
