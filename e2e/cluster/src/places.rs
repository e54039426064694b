//! Where things are kept on this machine.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The variable that moves the shared control plane's state to another directory.
pub const STATE_DIRECTORY: &str = "SLUICE_CLUSTER_DIR";

/// What this crate keeps in the user's cache.
pub(crate) fn cache() -> Result<PathBuf> {
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .context("There is no place for a cache: neither XDG_CACHE_HOME nor HOME is set. Set one of them.")?;
    Ok(cache.join("sluice/kube"))
}

/// The state of the control plane that all tests of a user share.
pub(crate) fn shared() -> Result<PathBuf> {
    match env::var_os(STATE_DIRECTORY).filter(|value| !value.is_empty()) {
        Some(directory) => std::path::absolute(&directory)
            .with_context(|| format!("{STATE_DIRECTORY} names no directory: {}.", directory.display())),
        None => Ok(cache()?.join("run")),
    }
}

/// Below here each private control plane has a directory of its own.
pub(crate) fn private() -> Result<PathBuf> {
    Ok(cache()?.join("private"))
}

/// A directory of this workspace, by its path from `e2e/cluster`.
pub(crate) fn in_workspace(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Creates a directory that only its owner may read, because keys and tokens are in it.
pub(crate) fn create_directory(directory: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .with_context(|| format!("The directory {} could not be created.", directory.display()))
}

/// Writes a file that only its owner may read. Readers see the old text or the new one, never a part.
pub(crate) fn write(file: &Path, text: &str) -> Result<()> {
    let unfinished = file.with_extension(format!("{}.tmp", std::process::id()));
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut opened| opened.write_all(text.as_bytes()))
        .and_then(|()| fs::rename(&unfinished, file))
        .with_context(|| format!("The file {} could not be written.", file.display()))
}

/// A lock that holds until it is dropped, between processes and between the threads of one.
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock; `while_waiting` says why, when another has it.
    pub(crate) fn wait(file: &Path, while_waiting: &str) -> Result<Self> {
        let problem = || format!("The lock {} could not be taken.", file.display());
        if let Some(parent) = file.parent() {
            create_directory(parent)?;
        }
        let opened = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(file)
            .with_context(problem)?;
        match opened.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!("{while_waiting}");
                opened.lock().with_context(problem)?;
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(problem),
        }
        Ok(Self { _file: opened })
    }

    /// As [`Lock::wait`], without holding up the other tasks of this thread.
    pub(crate) async fn wait_async(file: PathBuf, while_waiting: &'static str) -> Result<Self> {
        tokio::task::spawn_blocking(move || Self::wait(&file, while_waiting))
            .await
            .context("Waiting for a lock was interrupted.")?
    }
}
