//! Why the record could not be read or written.

use std::io;
use std::path::PathBuf;

use sluice_core::handover::codec::CodecError;

/// Why the record could not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordError {
    /// The condition of a write does not hold; nothing was written.
    #[error("the handover record in {} is in version {found}, and the write was made for version {expected}", directory.display())]
    Refused {
        /// The directory.
        directory: PathBuf,
        /// The version that was to be replaced.
        expected: u64,
        /// The version that is there.
        found: u64,
    },
    /// A write may have happened, or not: read the record.
    #[error("nothing is known of the write of version {version} of the handover record in {}: {detail}", directory.display())]
    Unknown {
        /// The directory.
        directory: PathBuf,
        /// The version that was to be written.
        version: u64,
        /// What happened.
        detail: String,
    },
    /// There is no such directory.
    #[error("there is no directory {} with a handover record", directory.display())]
    NoDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// A file or the directory cannot be used.
    #[error("the handover record in {} cannot be used ({source}); check that it belongs to you and is readable and writable", path.display())]
    File {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The newest version is not JSON of strings.
    #[error("the handover record in {} cannot be read: it has to be an object in JSON with strings ({source})", path.display())]
    NoStrings {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// The newest version is not a handover record.
    #[error("{source} (in {})", path.display())]
    NoRecord {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: CodecError,
    },
}
