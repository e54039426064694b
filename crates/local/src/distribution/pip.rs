//! Fetching the Python packages of Flink with the user's own pip.
//!
//! pip is asked, and not the package index itself, because pip knows the user's index, proxy, credentials and
//! certificates. `pip download` installs nothing: what it must build to read a source package's metadata it builds in an
//! environment of its own, under the temporary directory that is given here, and clears away.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::error::InstallError;
use super::progress::Progress;
use super::version::FlinkVersion;

/// Any platform's wheel has the same scripts and configuration; this one exists for every release.
const WHEEL_PLATFORM: &str = "manylinux2014_x86_64";
const WHEEL_PYTHON: &str = "3.11";

/// The two packages that make up a distribution.
pub(super) struct Packages {
    /// The source package with the jars, a gzipped tar.
    pub(super) libraries: PathBuf,
    /// The directory with `bin` and `conf`, unpacked from the wheel.
    pub(super) scripts: PathBuf,
}

/// Fetches both packages of `version` into `staging`.
pub(super) fn fetch(
    python: &Path,
    version: FlinkVersion,
    staging: &Path,
    progress: &mut dyn Progress,
) -> Result<Packages, InstallError> {
    let pip = Pip {
        python,
        version,
        staging,
    };
    // The small package first: a release that does not exist is then known after a second.
    let scripts_package = format!("apache-flink=={version}");
    let wheel = pip.download(
        "Fetching Flink's scripts",
        &[
            "--only-binary",
            ":all:",
            "--platform",
            WHEEL_PLATFORM,
            "--python-version",
            WHEEL_PYTHON,
            &scripts_package,
        ],
        "wheel",
        progress,
    )?;
    let libraries_package = format!("apache-flink-libraries=={version}");
    let libraries = pip.download(
        "Fetching Flink's jars (about 300 MB)",
        &["--no-binary", "apache-flink-libraries", &libraries_package],
        "libraries",
        progress,
    )?;
    let unpacked = staging.join("scripts");
    let output = Command::new(python)
        .args(["-m", "zipfile", "-e"])
        .args([&wheel, &unpacked])
        .output()
        .map_err(InstallError::file(python))?;
    if !output.status.success() {
        return Err(pip.explain(&String::from_utf8_lossy(&output.stderr)));
    }
    Ok(Packages {
        libraries,
        scripts: unpacked.join("pyflink"),
    })
}

struct Pip<'a> {
    python: &'a Path,
    version: FlinkVersion,
    staging: &'a Path,
}

impl Pip<'_> {
    /// Runs one `pip download` and returns the one file that it fetched.
    fn download(
        &self,
        step: &str,
        arguments: &[&str],
        name: &str,
        progress: &mut dyn Progress,
    ) -> Result<PathBuf, InstallError> {
        let into = self.staging.join(name);
        let temporary = self.staging.join(format!("{name}.tmp"));
        let complaints = self.staging.join(format!("{name}.err"));
        for directory in [&into, &temporary] {
            fs::create_dir_all(directory).map_err(InstallError::file(directory))?;
        }
        let stderr = File::create(&complaints).map_err(InstallError::file(&complaints))?;
        let mut command = Command::new(self.python);
        command
            .args([
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-input",
                "--no-deps",
                "--no-cache-dir",
            ])
            .args(["--disable-pip-version-check", "--progress-bar", "off", "--dest"])
            .arg(&into)
            .args(arguments)
            // So that nothing is left in the system's temporary directory, even when this process is killed.
            .env("TMPDIR", &temporary)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr);

        progress.begin(step, None);
        let outcome = self.run(&mut command, &[&temporary, &into], progress);
        progress.end();
        if !outcome? {
            return Err(self.explain(&fs::read_to_string(&complaints).unwrap_or_default()));
        }
        // The build environment is a gigabyte for a moment; it must not stand beside what is unpacked next.
        let _already_gone = fs::remove_dir_all(&temporary);
        let mut fetched = fs::read_dir(&into).map_err(InstallError::file(&into))?;
        match fetched.next() {
            Some(entry) => Ok(entry.map_err(InstallError::file(&into))?.path()),
            None => Err(self.explain("pip reports success, but has fetched no file")),
        }
    }

    /// Whether pip succeeded. Its progress is seen in what it writes.
    fn run(
        &self,
        command: &mut Command,
        written: &[&Path],
        progress: &mut dyn Progress,
    ) -> Result<bool, InstallError> {
        let mut child = command.spawn().map_err(|source| InstallError::NoPython {
            python: self.python.to_owned(),
            source,
        })?;
        loop {
            if let Some(status) = child.try_wait().map_err(InstallError::file(self.python))? {
                return Ok(status.success());
            }
            progress.reached(written.iter().map(|directory| bytes_in(directory)).sum());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// What pip's complaint means for the user.
    fn explain(&self, complaint: &str) -> InstallError {
        explain(self.python, self.version, self.staging, complaint)
    }
}

/// What pip's complaint means for the user. A network that does not answer ends, for pip, in "no such version", so the
/// order matters.
pub(super) fn explain(python: &Path, version: FlinkVersion, staging: &Path, complaint: &str) -> InstallError {
    const NETWORK: [&str; 6] = [
        "NewConnectionError",
        "ConnectTimeoutError",
        "Max retries exceeded",
        "Cannot connect to proxy",
        "SSLError",
        "Temporary failure in name resolution",
    ];
    let origin = "the Python package index".to_owned();
    let has = |text: &str| complaint.contains(text);
    if has("No module named pip") {
        InstallError::NoPip {
            python: python.to_owned(),
        }
    } else if has("No space left on device") || has("Disk quota exceeded") {
        InstallError::DiskFull {
            path: staging.to_owned(),
        }
    } else if let Some(sign) = NETWORK.iter().find(|sign| has(sign)) {
        InstallError::Network {
            version,
            origin,
            detail: (*sign).to_owned(),
        }
    } else if has("(from versions: none)") {
        // Also what pip says, and all it says, of an index that does not answer when it may not try twice.
        let detail = "it lists no release of Flink at all".to_owned();
        InstallError::Network {
            version,
            origin,
            detail,
        }
    } else if has("No matching distribution found") {
        InstallError::NoSuchVersion { version, origin }
    } else {
        let last = complaint
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty());
        InstallError::Pip {
            version,
            detail: last.unwrap_or("it gave no reason").to_owned(),
        }
    }
}

/// The bytes of all files below `directory`; files that vanish meanwhile do not count.
fn bytes_in(directory: &Path) -> u64 {
    fn sum(directory: &Path) -> io::Result<u64> {
        let mut bytes = 0;
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            // Not through links: the entry's own metadata.
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => bytes += sum(&entry.path()).unwrap_or(0),
                Ok(metadata) => bytes += metadata.len(),
                Err(_) => {}
            }
        }
        Ok(bytes)
    }
    sum(directory).unwrap_or(0)
}
