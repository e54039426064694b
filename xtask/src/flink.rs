//! The Flink distributions that the tests start real processes from.

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// The oldest version that the tests run; the benchmark runs it, too.
pub(crate) const OLDEST: &str = "1.20.5";
/// The oldest and the newest version that the tests run.
const VERSIONS: &[&str] = &[OLDEST, "2.3.0"];

/// Installs what is not installed yet, with the same command that users have.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let sluice = ["run", "--quiet", "--locked", "--package", "sluice", "--"];
    for version in VERSIONS {
        let installed = process::run(workspace.cargo().args(sluice).args(["flink", "install", version]));
        if let Err(problem) = installed {
            bail!("Flink {version}, which the tests need, is not there: {problem:#}");
        }
    }
    Ok(())
}
