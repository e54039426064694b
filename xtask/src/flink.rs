//! The Flink distributions that the tests start real processes from.

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// The oldest version that the tests run; the benchmark runs it, too.
pub(crate) const OLDEST: &str = "1.20.5";
/// The oldest and the newest version that the tests run.
const VERSIONS: &[&str] = &[OLDEST, "2.3.0"];

/// Whether a `sluice` that cannot install Flink fails the checks.
// To be `true`, or gone, from the commit that adds `sluice flink install`.
const INSTALLATION_REQUIRED: bool = false;

/// Installs what is not installed yet, with the same command that users have.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let sluice = ["run", "--quiet", "--locked", "--package", "sluice", "--"];
    if !INSTALLATION_REQUIRED {
        let help = process::output(workspace.cargo().args(sluice).arg("--help")).unwrap_or_default();
        if !help.contains("flink") {
            println!("NOT DONE: sluice has no command `flink install` yet, so no Flink was installed.");
            return Ok(());
        }
    }
    for version in VERSIONS {
        let installed = process::run(workspace.cargo().args(sluice).args(["flink", "install", version]));
        if let Err(problem) = installed {
            bail!("Flink {version}, which the tests need, is not there: {problem:#}");
        }
    }
    Ok(())
}
