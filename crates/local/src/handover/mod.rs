//! The handover record as a directory of files: the operator's side of it, without Kubernetes.
//!
//! `contract/record-directory.md` says what both sides keep to; the jobs' side is in Java, in `gate/runtime`. Calls block for
//! the time that the disk needs.

mod error;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, DirEntry, File, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use sluice_core::handover::HandoverRecord;
use sluice_core::handover::codec;

pub use error::RecordError;

/// How many versions stay. A writer that slept through more of them must not be believed.
const KEPT: u64 = 16;
const DIGITS: usize = 20;
const UNFINISHED: &str = ".unfinished-";
/// An unfinished file that is older belongs to a process that is gone.
const ABANDONED_AFTER: Duration = Duration::from_hours(1);
/// How often [`RecordDirectory::changed`] looks.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The record of one deployment.
#[derive(Clone, Debug)]
pub struct RecordDirectory {
    path: PathBuf,
}

/// The record in a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordVersion {
    /// The version; a later one is larger.
    pub version: u64,
    /// What it says.
    pub record: HandoverRecord,
}

impl RecordDirectory {
    /// The record in this directory, which need not be there before it is written.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The newest version; `None` if there is none.
    ///
    /// Errors: every one but [`RecordError::Refused`] and [`RecordError::Unknown`].
    pub fn read(&self) -> Result<Option<RecordVersion>, RecordError> {
        loop {
            let version = self.newest()?;
            if version == 0 {
                return Ok(None);
            }
            let Some(data) = self.data(version)? else {
                // So many were written meanwhile that it was removed: the newest is another by now.
                continue;
            };
            let record = codec::decode(&data).map_err(|source| RecordError::NoRecord {
                path: self.file(version),
                source,
            })?;
            return Ok(Some(RecordVersion { version, record }));
        }
    }

    /// Replaces the record on the condition that it is there in the expected version, and returns the version written. With
    /// an expected version of 0 it creates the record, if there is none. Keys of somebody else stay.
    ///
    /// Errors: [`RecordError::Refused`] if the condition does not hold; after any other the record has to be read to know
    /// whether it was written.
    pub fn write(&self, expected: u64, record: &HandoverRecord) -> Result<u64, RecordError> {
        if expected == 0 {
            fs::create_dir_all(&self.path).map_err(|source| unusable(&self.path, source))?;
        }
        let found = self.newest()?;
        let there = match expected {
            0 => Some(BTreeMap::new()),
            version => self.data(version)?,
        };
        let Some(mut data) = there.filter(|_| found == expected) else {
            return Err(self.refused(expected));
        };
        data.retain(|key, _| !codec::KEYS.contains(&key.as_str()));
        data.extend(codec::encode(record));
        self.link(expected, &data)
    }

    /// Makes the version after the expected one.
    fn link(&self, expected: u64, data: &BTreeMap<String, String>) -> Result<u64, RecordError> {
        let version = expected + 1;
        let unknown = |detail: String| RecordError::Unknown {
            directory: self.path.clone(),
            version,
            detail,
        };
        let linked = self.write_and_link(version, data);
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(self.refused(expected)),
            Err(error) => return Err(unknown(error.to_string())),
        }
        let versions = self.versions()?;
        let newest = versions.last().copied().unwrap_or_default();
        if newest >= version + KEPT {
            // The name may have been free only because that version had been there and was removed.
            return Err(unknown(format!("version {newest} is there by now")));
        }
        // So that the new name outlives a loss of power, too.
        File::open(&self.path)
            .and_then(|directory| directory.sync_all())
            .map_err(|error| unknown(error.to_string()))?;
        self.remove_old(&versions);
        Ok(version)
    }

    fn write_and_link(&self, version: u64, data: &BTreeMap<String, String>) -> io::Result<()> {
        let mut unfinished = tempfile::Builder::new()
            .prefix(UNFINISHED)
            // As any other file: a temporary one would be readable by this user alone.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(&self.path)?;
        unfinished.write_all(&serde_json::to_vec_pretty(data)?)?;
        unfinished.as_file().sync_all()?;
        // The condition: of those who make this name, one succeeds. The unfinished name goes with its value.
        fs::hard_link(unfinished.path(), self.file(version))
    }

    /// The oldest first, so that none is missing between two that are there. What fails is in nobody's way, and the next
    /// writer tries again.
    fn remove_old(&self, versions: &BTreeSet<u64>) {
        let newest = versions.last().copied().unwrap_or_default();
        for version in versions.iter().take_while(|version| **version + KEPT <= newest) {
            let _ = fs::remove_file(self.file(*version));
        }
        let Ok(entries) = fs::read_dir(&self.path) else {
            return;
        };
        for entry in entries.flatten() {
            if is_abandoned(&entry) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Returns when the newest version is another than this one, with it; 0 stands for no record or no directory. It looks
    /// 50 times a second, and can be dropped at any time.
    pub async fn changed(&self, known: u64) -> Result<u64, RecordError> {
        loop {
            let newest = match self.newest() {
                Ok(newest) => newest,
                Err(RecordError::NoDirectory { .. }) => 0,
                Err(error) => return Err(error),
            };
            if newest != known {
                return Ok(newest);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// The newest version; 0 if there is none.
    fn newest(&self) -> Result<u64, RecordError> {
        Ok(self.versions()?.last().copied().unwrap_or_default())
    }

    fn versions(&self) -> Result<BTreeSet<u64>, RecordError> {
        let unusable = |source: io::Error| match source.kind() {
            ErrorKind::NotFound => RecordError::NoDirectory {
                directory: self.path.clone(),
            },
            _ => unusable(&self.path, source),
        };
        let mut versions = BTreeSet::new();
        for entry in fs::read_dir(&self.path).map_err(unusable)? {
            versions.extend(version(&entry.map_err(unusable)?));
        }
        Ok(versions)
    }

    /// What a version holds; `None` if it is not there any more.
    fn data(&self, version: u64) -> Result<Option<BTreeMap<String, String>>, RecordError> {
        let path = self.file(version);
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(unusable(&path, source)),
        };
        match serde_json::from_slice::<Strings>(&json) {
            Ok(strings) => Ok(Some(strings.0)),
            Err(source) => Err(RecordError::NoStrings { path, source }),
        }
    }

    fn refused(&self, expected: u64) -> RecordError {
        RecordError::Refused {
            directory: self.path.clone(),
            expected,
            // For the message only: one that cannot be told makes it poorer, not wrong.
            found: self.newest().unwrap_or_default(),
        }
    }

    fn file(&self, version: u64) -> PathBuf {
        self.path.join(format!("{version:020}.json"))
    }
}

fn unusable(path: &Path, source: io::Error) -> RecordError {
    RecordError::File {
        path: path.to_owned(),
        source,
    }
}

/// The version that a file is by its name.
fn version(entry: &DirEntry) -> Option<u64> {
    let name = entry.file_name();
    let digits = name.to_str()?.strip_suffix(".json")?;
    let is_version = digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit());
    // Java has no larger numbers.
    let number = is_version.then(|| digits.parse::<i64>().ok()).flatten()?;
    u64::try_from(number).ok()
}

fn is_abandoned(entry: &DirEntry) -> bool {
    let is_unfinished = entry
        .file_name()
        .to_str()
        .is_some_and(|name| name.starts_with(UNFINISHED));
    let age = || {
        let written = entry.metadata().ok()?.modified().ok()?;
        SystemTime::now().duration_since(written).ok()
    };
    is_unfinished && age().is_some_and(|age| age > ABANDONED_AFTER)
}

/// An object whose values are strings, each key once.
struct Strings(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Strings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OfStrings;
        impl<'de> Visitor<'de> for OfStrings {
            type Value = Strings;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("an object with strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Strings, A::Error> {
                let mut strings = BTreeMap::new();
                while let Some((key, value)) = entries.next_entry::<String, String>()? {
                    if let Some(twice) = strings.insert(key.clone(), value) {
                        return Err(serde::de::Error::custom(format_args!(
                            "\"{key}\" stands twice, first as \"{twice}\""
                        )));
                    }
                }
                Ok(Strings(strings))
            }
        }
        deserializer.deserialize_map(OfStrings)
    }
}
