//! One distribution on this machine, and the record that an installation leaves in it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::error::Damage;
use super::version::FlinkVersion;

/// The record's name in a distribution's directory.
pub(super) const RECORD: &str = "sluice-distribution.json";

/// An unpacked Flink distribution: `bin`, `conf`, `lib`, `opt`, `plugins`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its version.
    pub version: FlinkVersion,
    /// Its directory: what Flink's scripts call `FLINK_HOME`.
    pub home: PathBuf,
}

/// What an installation notes about itself.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    version: FlinkVersion,
    source: String,
    installed_at: jiff::Timestamp,
    /// The jars in `lib/`, by file name.
    lib: BTreeMap<String, Jar>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Jar {
    bytes: u64,
    sha256: String,
}

impl Distribution {
    /// The distribution in `home`, its version read from the name of `lib/flink-dist-<version>.jar`. It is checked as by
    /// [`Distribution::check`].
    pub fn from_home(home: impl Into<PathBuf>) -> Result<Self, Damage> {
        let home = home.into();
        let version = main_jar_version(&home)?;
        let found = Self { version, home };
        found.check()?;
        Ok(found)
    }

    /// The directory of the jars that every Flink process has on its class path.
    pub fn lib(&self) -> PathBuf {
        self.home.join("lib")
    }

    /// The directory of the configuration that came with it; a template, not to be edited.
    pub fn conf(&self) -> PathBuf {
        self.home.join("conf")
    }

    /// Whether everything is there: the scripts, the configuration, one main jar of the right version, and, if Sluice
    /// installed it, every jar of `lib` in its size. Takes a few milliseconds.
    pub fn check(&self) -> Result<(), Damage> {
        let found = main_jar_version(&self.home)?;
        if found != self.version {
            return Err(Damage::OtherVersion {
                path: self.home.clone(),
                expected: self.version,
                found,
            });
        }
        let bin = self.home.join("bin");
        if !bin.join("config.sh").is_file() && !bin.join("flink-daemon.sh").is_file() {
            return Err(Damage::Missing {
                path: bin.join("config.sh"),
            });
        }
        if !self.conf().is_dir() {
            return Err(Damage::Missing { path: self.conf() });
        }
        let Some(record) = self.record()? else {
            return Ok(());
        };
        if record.version != self.version {
            return Err(Damage::OtherVersion {
                path: self.home.clone(),
                expected: record.version,
                found,
            });
        }
        for (name, jar) in &record.lib {
            let path = self.lib().join(name);
            match fs::metadata(&path) {
                Ok(metadata) if metadata.len() == jar.bytes => {}
                Ok(_) => {
                    return Err(Damage::Changed {
                        path,
                        what: "its size",
                    });
                }
                Err(_) => return Err(Damage::Missing { path }),
            }
        }
        Ok(())
    }

    /// As [`Distribution::check`], and the content of every jar of `lib` against its checksum. Reads 200 to 300 MB.
    pub fn verify(&self) -> Result<(), Damage> {
        self.check()?;
        let Some(record) = self.record()? else {
            return Ok(());
        };
        for (name, jar) in &record.lib {
            let path = self.lib().join(name);
            match sha256(&path) {
                Ok(sum) if sum == jar.sha256 => {}
                Ok(_) => {
                    return Err(Damage::Changed {
                        path,
                        what: "its SHA-256 checksum",
                    });
                }
                Err(_) => return Err(Damage::NotReadable { path }),
            }
        }
        Ok(())
    }

    /// Notes what stands in `lib` now, for later checks.
    pub(super) fn write_record(&self, source: String) -> io::Result<()> {
        let mut lib = BTreeMap::new();
        for entry in fs::read_dir(self.lib())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_jar(&name) {
                lib.insert(
                    name,
                    Jar {
                        bytes: entry.metadata()?.len(),
                        sha256: sha256(&entry.path())?,
                    },
                );
            }
        }
        let record = Record {
            version: self.version,
            source,
            installed_at: jiff::Timestamp::now(),
            lib,
        };
        fs::write(self.home.join(RECORD), serde_json::to_vec_pretty(&record)?)
    }

    /// None for a directory that was put there by hand.
    fn record(&self) -> Result<Option<Record>, Damage> {
        let path = self.home.join(RECORD);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|_| Damage::Record { path }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(_) => Err(Damage::Record { path }),
        }
    }
}

/// The version of the one main jar.
fn main_jar_version(home: &Path) -> Result<FlinkVersion, Damage> {
    let lib = home.join("lib");
    if !home.is_dir() {
        return Err(Damage::NotReadable {
            path: home.to_owned(),
        });
    }
    let entries = fs::read_dir(&lib).map_err(|_| Damage::Missing { path: lib.clone() })?;
    let versions: Vec<FlinkVersion> = entries
        .filter_map(|entry| FlinkVersion::of_dist_jar(&entry.ok()?.file_name().to_string_lossy()))
        .collect();
    match versions.as_slice() {
        [version] => Ok(*version),
        others => Err(Damage::MainJar {
            path: lib,
            count: others.len(),
        }),
    }
}

fn is_jar(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|extension| extension == "jar")
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    read_in_chunks(&mut File::open(path)?, |chunk| hasher.update(chunk))?;
    Ok(hex(&hasher.finalize()))
}

/// Feeds a whole file to `take`, a piece at a time.
pub(super) fn read_in_chunks(from: &mut impl Read, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut chunk = vec![0; 1 << 20];
    loop {
        let read = from.read(&mut chunk)?;
        match chunk.get(..read) {
            None | Some([]) => return Ok(()),
            Some(bytes) => take(bytes),
        }
    }
}

/// Lower-case hexadecimal digits, as checksum files have them.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _infallible = write!(text, "{byte:02x}");
            text
        })
}
