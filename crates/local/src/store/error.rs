//! Why the store refused.

use std::path::PathBuf;

use super::ObjectKey;

/// Why the store refused; nothing was written then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another runner uses the directory.
    #[error("{} is in use by the runner with process id {pid}; stop it with `sluice local down`, or use another directory", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The process id that stands in the lock file.
        pid: String,
    },
    /// The store was written by a newer Sluice.
    #[error("{} was written by a newer Sluice (its form is {found}, this one knows up to {known}); use that version, or another directory", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The form that it has.
        found: i64,
        /// The newest form that is known here.
        known: i64,
    },
    /// There is no such object.
    #[error("there is no {0}")]
    NotFound(ObjectKey),
    /// There is such an object already.
    #[error("{0} exists already")]
    AlreadyExists(ObjectKey),
    /// The object is not any more what it was when it was looked at.
    #[error("{0} has changed since it was read")]
    Conflict(ObjectKey),
    /// The object that should own it is gone.
    #[error("{key} is not created, because its owner {owner} is gone")]
    OwnerGone {
        /// What was to be created.
        key: ObjectKey,
        /// Kind and name of the owner.
        owner: String,
    },
    /// The object is on its way out.
    #[error("{0} is being deleted; wait until it is gone, then apply it again")]
    BeingDeleted(ObjectKey),
    /// The object cannot be read as what it should be.
    #[error("{object} cannot be read: {detail}")]
    Unreadable {
        /// What it calls itself.
        object: String,
        /// What is wrong.
        detail: String,
    },
    /// There is no room.
    #[error("the disk with {} is full: nothing was written and nothing is lost; make room, and Sluice goes on by itself", path.display())]
    DiskFull {
        /// The store.
        path: PathBuf,
    },
    /// A file could not be used.
    #[error("{} cannot be used ({detail}); check that it belongs to you and is writable", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        detail: String,
    },
}

impl StoreError {
    /// Whether someone else was faster, so that looking again is all there is to do.
    pub const fn is_stale(&self) -> bool {
        matches!(
            self,
            Self::Conflict(_) | Self::NotFound(_) | Self::AlreadyExists(_) | Self::OwnerGone { .. }
        )
    }
}
