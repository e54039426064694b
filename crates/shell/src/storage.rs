//! Checkpoints and savepoints where they are kept, for when no JobManager can be asked.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use sluice_core::Fact;
use sluice_core::lifecycle::CompletedCheckpoint;

/// Where Flink keeps its checkpoints and savepoints, seen from the shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// `file:` directories are this machine's own.
    ThisMachine,
    /// Whatever the address is, it cannot be looked into from here: `file:` is the file system of a pod.
    OutOfReach,
}

impl Storage {
    /// The newest completed checkpoint of a job; see [`last_checkpoint`].
    pub async fn last_checkpoint(self, directory: String, job_id: String) -> Fact<CompletedCheckpoint> {
        match self {
            Self::ThisMachine => blocking(move || last_checkpoint(&directory, &job_id)).await,
            Self::OutOfReach => out_of_reach(&directory),
        }
    }

    /// The complete savepoint in the directory of one attempt, with its number; see [`finished_savepoint`].
    pub async fn finished_savepoint(self, directory: String) -> Fact<(String, Option<u64>)> {
        let look = move || {
            finished_savepoint(&directory).map(|location| {
                let number = savepoint_number(&location);
                (location, number)
            })
        };
        match self {
            Self::ThisMachine => blocking(look).await,
            Self::OutOfReach => Fact::Unknown("its directory cannot be looked into from here".to_owned()),
        }
    }
}

async fn blocking<T: Send + 'static>(look: impl FnOnce() -> Fact<T> + Send + 'static) -> Fact<T> {
    tokio::task::spawn_blocking(look)
        .await
        .unwrap_or_else(|error| Fact::Unknown(error.to_string()))
}

fn out_of_reach<T>(directory: &str) -> Fact<T> {
    Fact::Unknown(format!("{directory} cannot be looked into from here"))
}

/// Written last by Flink, under another name first: where it is, the checkpoint is complete.
const METADATA: &str = "_metadata";

/// The newest completed checkpoint of a job in its checkpoint directory (`execution.checkpointing.dir`), on this machine
/// (`file:`), for when no JobManager answers: `<directory>/<job id>/chk-<n>/_metadata`.
///
/// `Absent`: there is none. `Unknown`: the directory is on another file system or cannot be read.
pub fn last_checkpoint(directory: &str, job_id: &str) -> Fact<CompletedCheckpoint> {
    let Some(path) = local_path(directory) else {
        return elsewhere(directory);
    };
    let root = path.join(job_id);
    let mut newest: Option<(u64, PathBuf)> = None;
    let entries = match entries(&root) {
        Ok(entries) => entries,
        Err(error) => return Fact::Unknown(format!("{} cannot be read: {error}", root.display())),
    };
    for path in entries {
        let number = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_prefix("chk-")?.parse::<u64>().ok());
        let Some(number) = number else { continue };
        if newest.as_ref().is_some_and(|(found, _)| *found > number) {
            continue;
        }
        match is_complete(&path) {
            Ok(true) => newest = Some((number, path)),
            Ok(false) => {}
            Err(error) => return Fact::Unknown(format!("{} cannot be read: {error}", path.display())),
        }
    }
    newest.map_or(Fact::Absent, |(id, path)| {
        let written = fs::metadata(path.join(METADATA)).and_then(|metadata| metadata.modified());
        Fact::Present(CompletedCheckpoint {
            job_id: job_id.to_owned(),
            id,
            path: format!("file://{}", path.display()),
            completed_at: written.ok().and_then(|time| Timestamp::try_from(time).ok()),
        })
    })
}

/// The complete savepoint in the directory that one attempt has to itself: `<directory>/savepoint-*/_metadata`.
///
/// `Absent`: there is none (yet). `Unknown`: the directory is on another file system or cannot be read.
pub fn finished_savepoint(directory: &str) -> Fact<String> {
    let Some(root) = local_path(directory) else {
        return elsewhere(directory);
    };
    let find = || -> io::Result<Option<PathBuf>> {
        let mut paths = entries(&root)?;
        paths.sort_unstable();
        for path in paths {
            let is_savepoint = path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("savepoint-"));
            if is_savepoint && is_complete(&path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    };
    match find() {
        Ok(Some(path)) => Fact::Present(format!("file://{}", path.display())),
        Ok(None) => Fact::Absent,
        Err(error) => Fact::Unknown(format!("{} cannot be read: {error}", root.display())),
    }
}

/// The number that a complete savepoint on this machine has in its job, by which it can be told from a later checkpoint;
/// `None`: it cannot be read.
///
/// `_metadata` begins with a magic number and its version, 4 bytes each, and then, in every version since the second,
/// with this number (Flink's `Checkpoints.storeCheckpointMetadata` and `MetadataV2V3SerializerBase`).
pub fn savepoint_number(savepoint: &str) -> Option<u64> {
    const MAGIC: [u8; 4] = 0x4960_672d_u32.to_be_bytes();
    let mut file = File::open(local_path(savepoint)?.join(METADATA)).ok()?;
    let (mut magic, mut version, mut number) = ([0; 4], [0; 4], [0; 8]);
    file.read_exact(&mut magic).ok()?;
    file.read_exact(&mut version).ok()?;
    file.read_exact(&mut number).ok()?;
    (magic == MAGIC && u32::from_be_bytes(version) >= 2).then(|| u64::from_be_bytes(number))
}

/// The path on this machine: `file:///dir`, `file:/dir` or `/dir`.
fn local_path(directory: &str) -> Option<PathBuf> {
    let path = match directory.strip_prefix("file:") {
        Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
        None => directory,
    };
    path.starts_with('/').then(|| PathBuf::from(path))
}

fn elsewhere<T>(directory: &str) -> Fact<T> {
    if directory.is_empty() {
        return Fact::Unknown("no directory is configured".to_owned());
    }
    Fact::Unknown(format!(
        "{directory} is not on this machine (a directory here is written file:///...)"
    ))
}

fn is_complete(checkpoint: &Path) -> io::Result<bool> {
    match fs::metadata(checkpoint.join(METADATA)) {
        Ok(metadata) => Ok(metadata.is_file() && metadata.len() > 0),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(directory) {
        Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_complete_checkpoint_of_this_job_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let root = format!("file://{}", directory.path().display());
        assert_eq!(last_checkpoint(&root, "aa"), Fact::Absent);
        let job = directory.path().join("aa");
        for number in [9, 10] {
            fs::create_dir_all(job.join(format!("chk-{number}"))).unwrap();
            fs::write(job.join(format!("chk-{number}")).join(METADATA), "x").unwrap();
        }
        // Under way, and broken off.
        fs::create_dir_all(job.join("chk-11")).unwrap();
        fs::create_dir_all(job.join("chk-12")).unwrap();
        fs::write(job.join("chk-12").join(METADATA), "").unwrap();
        fs::create_dir_all(job.join("shared")).unwrap();
        let found = last_checkpoint(&root, "aa");
        let found = found.present().unwrap();
        assert_eq!(
            (found.id, found.path.as_str()),
            (10, format!("{root}/aa/chk-10").as_str())
        );
        assert_eq!(last_checkpoint(&root, "bb"), Fact::Absent);
    }

    #[test]
    fn a_savepoint_counts_when_it_is_complete() {
        let directory = tempfile::tempdir().unwrap();
        let root = format!("file:{}", directory.path().display());
        assert_eq!(finished_savepoint(&root), Fact::Absent);
        let savepoint = directory.path().join("savepoint-aa-12");
        fs::create_dir_all(&savepoint).unwrap();
        assert_eq!(finished_savepoint(&root), Fact::Absent);
        fs::write(savepoint.join(METADATA), "x").unwrap();
        assert_eq!(
            finished_savepoint(&root),
            Fact::Present(format!("file://{}", savepoint.display()))
        );
    }

    #[test]
    fn a_savepoint_tells_its_number() {
        let directory = tempfile::tempdir().unwrap();
        let root = format!("file://{}", directory.path().display());
        let head = |magic: u32, number: u64| {
            let mut head = magic.to_be_bytes().to_vec();
            head.extend(4_u32.to_be_bytes());
            head.extend(number.to_be_bytes());
            head.extend(b"and the rest");
            head
        };
        assert_eq!(savepoint_number(&root), None);
        let metadata = directory.path().join(METADATA);
        fs::write(&metadata, head(0x4960_672d, 412)).unwrap();
        assert_eq!(savepoint_number(&root), Some(412));
        fs::write(&metadata, head(0x4960_672e, 412)).unwrap();
        assert_eq!(savepoint_number(&root), None);
        fs::write(&metadata, &head(0x4960_672d, 412)[..12]).unwrap();
        assert_eq!(savepoint_number(&root), None);
        assert_eq!(savepoint_number("s3://bucket/savepoint-aa-12"), None);
    }

    #[test]
    fn another_file_system_is_not_taken_for_an_empty_one() {
        assert!(last_checkpoint("s3://bucket/checkpoints", "aa").is_unknown());
        assert!(finished_savepoint("hdfs:///savepoints").is_unknown());
        assert!(last_checkpoint("", "aa").is_unknown());
    }
}
