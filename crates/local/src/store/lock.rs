//! One runner per directory.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::StoreError;

/// The lock of a directory; it ends with the process at the latest, however that ends.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    _file: Flock<File>,
}

impl DirectoryLock {
    /// Takes the lock and writes the process id into it, for the message of the one who comes second.
    pub(super) fn take(directory: &Path) -> Result<Self, StoreError> {
        let path = directory.join("lock");
        let unusable = |error: std::io::Error| StoreError::File {
            path: path.clone(),
            detail: error.to_string(),
        };
        // Opened close-on-exec, as std does: a Flink process must not inherit the lock.
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(unusable)?;
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(mut file) => {
                file.set_len(0).map_err(unusable)?;
                file.rewind().map_err(unusable)?;
                write!(file, "{}", std::process::id()).map_err(unusable)?;
                Ok(Self { _file: file })
            }
            Err((mut file, Errno::EWOULDBLOCK)) => {
                let mut pid = String::new();
                // The pid is for the message only: an empty one makes it poorer, not wrong.
                let _ = file.read_to_string(&mut pid);
                Err(StoreError::InUse {
                    directory: directory.to_owned(),
                    pid: if pid.is_empty() { "unknown".to_owned() } else { pid },
                })
            }
            Err((_, error)) => Err(unusable(error.into())),
        }
    }
}
