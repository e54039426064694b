//! The demo's own directory. Everything in it is the demo's, so it can be cleared.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sluice_local::client::Client;

use crate::failure::Failure;

/// Marks a directory as the demo's own; no other is ever cleared.
const MARK: &str = ".sluice-demo";

/// The demo's own directory.
#[derive(Debug)]
pub(super) struct Place {
    directory: PathBuf,
}

impl Place {
    /// Makes the directory, or clears what an earlier demo has left there, and puts the job's jar into it.
    pub(super) async fn prepare(directory: &Path, jar: &Path) -> Result<Self, Failure> {
        let place = Self {
            directory: directory.to_owned(),
        };
        if Client::connect(directory).await.is_ok() {
            return Err(Failure::refused(format!(
                "A runner is up on {0}, perhaps of a demo that was kept: stop it with `sluice local down --directory {0}`.",
                directory.display()
            )));
        }
        if !jar.is_file() {
            return Err(Failure::refused(format!(
                "The ledger job's jar {} is not there: build it with `make demo` or with Maven, or give another one with --job-jar.",
                jar.display()
            )));
        }
        place.clear()?;
        place
            .make(jar)
            .map_err(|error| place.failure("cannot be used", &error))?;
        Ok(place)
    }

    fn make(&self, jar: &Path) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        fs::write(
            self.directory.join(MARK),
            "The demo of sluice clears this directory.\n",
        )?;
        fs::copy(jar, self.file("ledger-job.jar"))?;
        Ok(())
    }

    fn clear(&self) -> Result<(), Failure> {
        let directory = self.directory.as_path();
        match fs::read_dir(directory).map(Iterator::count) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failure("cannot be read", &error)),
            Ok(0) => return Ok(()),
            Ok(_) if !directory.join(MARK).is_file() => {
                return Err(Failure::refused(format!(
                    "The directory {} is not empty and not of a demo: give the demo one of its own.",
                    directory.display()
                )));
            }
            Ok(_) => {}
        }
        self.remove()
    }

    /// Removes it with all that is in it.
    pub(super) fn remove(&self) -> Result<(), Failure> {
        fs::remove_dir_all(&self.directory).map_err(|error| self.failure("cannot be removed", &error))
    }

    /// A file in it.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// The directory itself.
    pub(super) fn path(&self) -> &Path {
        &self.directory
    }

    fn failure(&self, what: &str, error: &io::Error) -> Failure {
        Failure::refused(format!(
            "The directory {} {what}: {error}.",
            self.directory.display()
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_directory_of_somebody_else_is_not_cleared() {
        let home = tempfile::tempdir().unwrap();
        let jar = home.path().join("job.jar");
        fs::write(&jar, "jar").unwrap();
        let refused = Place::prepare(home.path(), &jar).await.unwrap_err().to_string();
        assert!(refused.contains("not empty and not of a demo"), "{refused}");
        assert!(jar.is_file());

        let own = home.path().join("demo");
        let place = Place::prepare(&own, &jar).await.unwrap();
        fs::write(place.file("left-over"), "x").unwrap();
        let again = Place::prepare(&own, &jar).await.unwrap();
        assert!(!again.file("left-over").exists());
        assert!(again.file("ledger-job.jar").is_file());
        again.remove().unwrap();
        assert!(!own.exists());
    }
}
