//! The agent that incoming jobs are started with: a jar in the runner's own directory.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::RunnerError;

/// Copies the jar into the runner's directory, under a name made from what it holds. A job finds the very jar again that it
/// was started with, whatever becomes of the original.
///
/// Errors: [`RunnerError::Agent`].
pub(super) fn install(directory: &Path, jar: &Path) -> Result<PathBuf, RunnerError> {
    let failed = |detail: std::io::Error| RunnerError::Agent {
        path: jar.to_owned(),
        detail,
    };
    let content = fs::read(jar).map_err(failed)?;
    let digest = Sha256::digest(&content);
    let number = digest
        .iter()
        .take(8)
        .fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    let hash = format!("{number:016x}");
    let place = directory.join("agent").join(hash);
    let installed = place.join("bluegreen-agent.jar");
    if fs::read(&installed).is_ok_and(|there| there == content) {
        return Ok(installed);
    }
    fs::create_dir_all(&place).map_err(failed)?;
    let unfinished = place.join("bluegreen-agent.jar.unfinished");
    fs::write(&unfinished, content).map_err(failed)?;
    fs::rename(&unfinished, &installed).map_err(failed)?;
    Ok(installed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jar_is_kept_as_it_was_when_a_job_was_started_with_it() {
        let home = tempfile::tempdir().unwrap();
        let jar = home.path().join("agent.jar");
        fs::write(&jar, "one").unwrap();
        let one = install(home.path(), &jar).unwrap();
        assert_eq!(install(home.path(), &jar).unwrap(), one);
        fs::write(&jar, "two").unwrap();
        let two = install(home.path(), &jar).unwrap();
        assert_ne!(one, two);
        assert_eq!(fs::read_to_string(one).unwrap(), "one");
        assert_eq!(fs::read_to_string(two).unwrap(), "two");
    }

    #[test]
    fn a_jar_that_is_not_there_is_named() {
        let home = tempfile::tempdir().unwrap();
        let error = install(home.path(), &home.path().join("none.jar")).unwrap_err();
        assert!(error.to_string().contains("none.jar"), "{error}");
    }
}
