//! The distributions of one user.

use std::env;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::archive::{self, Layout};
use super::error::{Damage, InstallError, ResolveError};
use super::found::Distribution;
use super::progress::Progress;
use super::source::Source;
use super::version::{FlinkVersion, Wanted};
use super::{download, pip};

/// Where distributions are kept: `<cache>/flink/flink-<version>`, and `<cache>` is `SLUICE_CACHE`, or
/// `$XDG_CACHE_HOME/sluice`, or `~/.cache/sluice`.
///
/// A distribution comes into being by a rename, so it is there as a whole or not at all. A directory that somebody has put
/// there by hand counts as well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    flink: PathBuf,
}

impl Cache {
    /// The cache of the user who runs this.
    pub fn for_user() -> Self {
        let set = |name: &str| {
            env::var_os(name)
                .filter(|value| !value.is_empty())
                .map(PathBuf::from)
        };
        let root = set("SLUICE_CACHE")
            .or_else(|| set("XDG_CACHE_HOME").map(|cache| cache.join("sluice")))
            .or_else(|| env::home_dir().map(|home| home.join(".cache").join("sluice")))
            .unwrap_or_else(|| env::temp_dir().join("sluice-cache"));
        Self::at(root)
    }

    /// A cache in the directory `root`, which need not exist yet.
    pub fn at(root: impl AsRef<Path>) -> Self {
        Self {
            flink: root.as_ref().join("flink"),
        }
    }

    /// Where the distribution of `version` is, or would be.
    pub fn home_of(&self, version: FlinkVersion) -> PathBuf {
        self.flink.join(format!("flink-{version}"))
    }

    /// The usable distributions, oldest version first.
    pub fn installed(&self) -> Vec<Distribution> {
        self.looked_through().into_iter().filter_map(Result::ok).collect()
    }

    /// What is wrong with those that are not usable.
    pub fn broken(&self) -> Vec<Damage> {
        self.looked_through()
            .into_iter()
            .filter_map(Result::err)
            .collect()
    }

    fn looked_through(&self) -> Vec<Result<Distribution, Damage>> {
        let Ok(entries) = fs::read_dir(&self.flink) else {
            return Vec::new();
        };
        let mut versions: Vec<FlinkVersion> = entries
            .filter_map(|entry| {
                entry
                    .ok()?
                    .file_name()
                    .to_string_lossy()
                    .strip_prefix("flink-")?
                    .parse()
                    .ok()
            })
            .collect();
        versions.sort_unstable();
        versions.into_iter().map(|version| self.usable(version)).collect()
    }

    fn usable(&self, version: FlinkVersion) -> Result<Distribution, Damage> {
        let distribution = Distribution {
            version,
            home: self.home_of(version),
        };
        distribution.check().map(|()| distribution)
    }

    /// What to run for `wanted`: the distribution at `FLINK_HOME` if that is one of the wanted version or line, else the
    /// newest fitting one that is installed.
    pub fn resolve(&self, wanted: Wanted) -> Result<Distribution, ResolveError> {
        self.resolve_with(
            wanted,
            env::var_os("FLINK_HOME")
                .filter(|home| !home.is_empty())
                .map(PathBuf::from),
        )
    }

    pub(super) fn resolve_with(
        &self,
        wanted: Wanted,
        flink_home: Option<PathBuf>,
    ) -> Result<Distribution, ResolveError> {
        let home = match flink_home {
            None => None,
            Some(path) => Some(
                Distribution::from_home(path.clone())
                    .map_err(|damage| ResolveError::BrokenFlinkHome { path, damage })?,
            ),
        };
        if let Some(home) = home.as_ref().filter(|home| wanted.accepts(home.version)) {
            return Ok(home.clone());
        }
        let newest = self
            .installed()
            .into_iter()
            .rfind(|distribution| wanted.accepts(distribution.version));
        newest.ok_or_else(|| ResolveError::NotInstalled {
            wanted,
            install: wanted
                .to_install()
                .map_or_else(|| wanted.to_string(), |version| version.to_string()),
            home: home.map(|home| (home.home, home.version)),
        })
    }

    /// Makes sure that `version` is installed, and fetches it from `source` if it is not or is broken. Two installations of
    /// one version at once: the second waits, and finds it there.
    pub fn install(
        &self,
        version: FlinkVersion,
        source: &Source,
        progress: &mut dyn Progress,
    ) -> Result<Distribution, InstallError> {
        fs::create_dir_all(&self.flink).map_err(InstallError::file(&self.flink))?;
        let _held_to_the_end = self.lock(version, progress)?;
        if let Ok(distribution) = self.usable(version) {
            return Ok(distribution);
        }
        self.clear_left_overs(version);
        let staging = tempfile::Builder::new()
            .prefix(&staging_prefix(version))
            .tempdir_in(&self.flink)
            .map_err(InstallError::file(&self.flink))?;
        fetch(version, source, &staging, progress)?;
        self.move_into_place(version, &staging)
    }

    /// Only one process at a time installs a version. The lock ends with the process, however that ends.
    fn lock(&self, version: FlinkVersion, progress: &mut dyn Progress) -> Result<File, InstallError> {
        let path = self.flink.join(format!(".flink-{version}.lock"));
        let file = File::create(&path).map_err(InstallError::file(&path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::Error(error)) => return Err(InstallError::file(&path)(error)),
            Err(TryLockError::WouldBlock) => {
                progress.begin(
                    &format!("Waiting for another installation of Flink {version}"),
                    None,
                );
                let locked = file.lock();
                progress.end();
                locked.map_err(InstallError::file(&path))?;
            }
        }
        Ok(file)
    }

    /// What a killed installation of this version has left. The lock is held, so nobody is using it.
    fn clear_left_overs(&self, version: FlinkVersion) {
        let prefix = staging_prefix(version);
        for entry in fs::read_dir(&self.flink).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                let _it_only_takes_room = fs::remove_dir_all(entry.path());
            }
        }
    }

    /// The one step that makes the distribution be there.
    fn move_into_place(
        &self,
        version: FlinkVersion,
        staging: &TempDir,
    ) -> Result<Distribution, InstallError> {
        let home = self.home_of(version);
        if home.exists() {
            // A broken one: a directory cannot be renamed over another. It goes with the staging directory.
            fs::rename(&home, staging.path().join("broken")).map_err(InstallError::file(&home))?;
        }
        fs::rename(staging.path().join("home"), &home).map_err(InstallError::file(&home))?;
        Ok(Distribution { version, home })
    }
}

/// Fetches and unpacks into `<staging>/home`, and checks what came.
fn fetch(
    version: FlinkVersion,
    source: &Source,
    staging: &TempDir,
    progress: &mut dyn Progress,
) -> Result<(), InstallError> {
    let home = staging.path().join("home");
    fs::create_dir(&home).map_err(InstallError::file(&home))?;
    let from = match source {
        Source::Pip { python } => {
            let packages = pip::fetch(python, version, staging.path(), progress)?;
            archive::unpack(&packages.libraries, Layout::PythonSource, &home, progress)?;
            move_entries(&packages.scripts.join("bin"), &home.join("bin"))?;
            move_entries(&packages.scripts.join("conf"), &home.join("conf"))?;
            packages.libraries
        }
        Source::Archive { base } => {
            let file = download::fetch(base, version, staging.path(), progress)?;
            unpack_release(&file, &home, progress)?;
            file
        }
        Source::Tarball(file) => {
            unpack_release(file, &home, progress)?;
            file.clone()
        }
    };
    archive::make_programs_executable(&home)?;

    progress.begin("Checking what was installed", None);
    let checked = match Distribution::from_home(&home) {
        Ok(found) if found.version == version => found
            .write_record(source.describe())
            .map_err(InstallError::file(&home)),
        Ok(found) => Err(InstallError::WrongVersion {
            file: from,
            wanted: version,
            found: found.version,
        }),
        Err(damage) => Err(InstallError::Incomplete {
            file: from,
            damage: relative(damage, &home),
        }),
    };
    progress.end();
    checked
}

fn unpack_release(file: &Path, home: &Path, progress: &mut dyn Progress) -> Result<(), InstallError> {
    download::check_sha512(file)?;
    archive::unpack(file, Layout::Release, home, progress)
}

fn staging_prefix(version: FlinkVersion) -> String {
    format!(".flink-{version}.partial-")
}

/// Moves everything in one directory into another of the same file system.
fn move_entries(from: &Path, to: &Path) -> Result<(), InstallError> {
    fs::create_dir_all(to).map_err(InstallError::file(to))?;
    for entry in fs::read_dir(from).map_err(InstallError::file(from))? {
        let entry = entry.map_err(InstallError::file(from))?;
        let target = to.join(entry.file_name());
        fs::rename(entry.path(), &target).map_err(InstallError::file(&target))?;
    }
    Ok(())
}

/// The user knows the archive, not the directory it was unpacked to.
fn relative(damage: Damage, home: &Path) -> Damage {
    let inside = |path: PathBuf| path.strip_prefix(home).map(Path::to_owned).unwrap_or(path);
    match damage {
        Damage::Missing { path } => Damage::Missing { path: inside(path) },
        Damage::MainJar { path, count } => Damage::MainJar {
            path: inside(path),
            count,
        },
        other => other,
    }
}
