//! Unpacking: what a Flink distribution needs, out of a release archive or out of the Python packages.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::GzDecoder;

use super::error::InstallError;
use super::progress::Progress;

/// What is kept. The rest (examples, the Python sources) no process of Sluice's needs.
const KEPT: [&str; 8] = [
    "bin", "conf", "lib", "opt", "plugins", "licenses", "LICENSE", "NOTICE",
];

/// How the distribution stands in an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Apache's release: `flink-1.20.5/lib/...`.
    Release,
    /// The Python package: `apache_flink_libraries-1.20.5/deps/lib/...`.
    PythonSource,
}

/// Unpacks what is kept of the gzipped tar `archive` into the directory `into`.
pub(super) fn unpack(
    archive: &Path,
    layout: Layout,
    into: &Path,
    progress: &mut dyn Progress,
) -> Result<(), InstallError> {
    let file = File::open(archive).map_err(InstallError::file(archive))?;
    let bytes = file.metadata().map_err(InstallError::file(archive))?.len();
    progress.begin("Unpacking Flink", Some(bytes));
    let outcome = unpack_entries(file, archive, layout, into, progress);
    progress.end();
    outcome
}

fn unpack_entries(
    file: File,
    archive: &Path,
    layout: Layout,
    into: &Path,
    progress: &mut dyn Progress,
) -> Result<(), InstallError> {
    let damaged = |error: io::Error| InstallError::DamagedArchive {
        file: archive.to_owned(),
        detail: error.to_string(),
    };
    let read = Arc::new(AtomicU64::new(0));
    let mut tar = tar::Archive::new(GzDecoder::new(Counting {
        inner: file,
        read: Arc::clone(&read),
    }));
    for entry in tar.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        progress.reached(read.load(Ordering::Relaxed));
        let name = entry.path().map_err(damaged)?.into_owned();
        let Some(kept) = place(&name, layout) else {
            continue;
        };
        // Flink's archives have plain files only; a link could lead out of the directory.
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let target = into.join(&kept);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(InstallError::file(parent))?;
        }
        let mut out = File::create(&target).map_err(InstallError::file(&target))?;
        copy(&mut entry, &mut out, &damaged, &target, &read, progress)?;
    }
    Ok(())
}

/// Copies one entry. Reading and writing fail for different reasons, so they are told apart.
fn copy(
    from: &mut impl Read,
    to: &mut impl io::Write,
    damaged: &impl Fn(io::Error) -> InstallError,
    target: &Path,
    read: &AtomicU64,
    progress: &mut dyn Progress,
) -> Result<(), InstallError> {
    let mut chunk = vec![0; 1 << 18];
    loop {
        let count = from.read(&mut chunk).map_err(damaged)?;
        match chunk.get(..count) {
            None | Some([]) => return Ok(()),
            Some(bytes) => to.write_all(bytes).map_err(InstallError::file(target))?,
        }
        progress.reached(read.load(Ordering::Relaxed));
    }
}

/// Where an entry of the archive goes in the distribution, if it is kept.
fn place(name: &Path, layout: Layout) -> Option<PathBuf> {
    let mut parts = Vec::new();
    for component in name.components() {
        match component {
            Component::Normal(part) => parts.push(part),
            Component::CurDir => {}
            // Nothing may be written outside of the directory.
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let inside = match (layout, parts.as_slice()) {
        (Layout::Release, [_, inside @ ..]) => inside,
        (Layout::PythonSource, [_, deps, inside @ ..]) if *deps == "deps" => inside,
        (Layout::PythonSource, [_, file]) => std::slice::from_ref(file),
        _ => return None,
    };
    let first = inside.first()?;
    KEPT.iter()
        .any(|kept| *first == *kept)
        .then(|| inside.iter().collect())
}

/// Marks Flink's programs as such: neither the Python packages nor every way of copying an archive keep that.
pub(super) fn make_programs_executable(home: &Path) -> Result<(), InstallError> {
    use std::os::unix::fs::PermissionsExt;

    let bin = home.join("bin");
    let Ok(entries) = fs::read_dir(&bin) else {
        return Ok(());
    };
    for entry in entries {
        let path = entry.map_err(InstallError::file(&bin))?.path();
        let is_program = path.extension().is_none_or(|extension| extension == "sh");
        if is_program {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))
                .map_err(InstallError::file(&path))?;
        }
    }
    Ok(())
}

/// Counts what is read, for the progress bar: the size of the archive is known, that of its content is not.
struct Counting {
    inner: File,
    read: Arc<AtomicU64>,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
