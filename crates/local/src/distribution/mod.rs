//! Apache Flink on this machine: fetched once, checked, kept in the user's cache, found again.
//!
//! Everything here blocks (files, child processes); asynchronous callers use `spawn_blocking`.
//!
//! Where a distribution comes from is in [`Source`]; what the cache looks like is in [`Cache`].

mod archive;
mod cache;
mod download;
mod error;
mod found;
mod java;
mod pip;
mod progress;
mod source;
mod version;

#[cfg(test)]
mod tests;

pub use cache::Cache;
pub use error::{Damage, InstallError, ResolveError};
pub use found::Distribution;
pub use java::{JavaError, JavaRuntime};
pub use progress::{PlainProgress, Progress, TerminalProgress, progress_for_terminal};
pub use source::Source;
pub use version::{FlinkLine, FlinkVersion, VersionError, Wanted};
