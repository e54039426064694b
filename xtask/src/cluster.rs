//! The real API server that the tests run against.
//!
//! What starts it is a program of the workspace and not a part of this one, which would otherwise take minutes to build.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// Names the directory with a control plane's state; `e2e/cluster` reads it.
const STATE_DIRECTORY: &str = "SLUICE_CLUSTER_DIR";

/// `cargo xtask cluster ...`.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    process::become_command(program(workspace).args(arguments))
}

fn program(workspace: &Workspace) -> Command {
    let mut command = workspace.cargo();
    command.args(["run", "--quiet", "--locked", "--package", "sluice-cluster", "--"]);
    command
}

/// Continuous integration has a control plane of its own, new with every run, so that it neither meets nor disturbs what a
/// developer has in the shared one.
fn own_state(workspace: &Workspace) -> Result<PathBuf> {
    Ok(workspace.target_directory()?.join("kubernetes"))
}

/// Lets a command use the control plane of continuous integration.
pub(crate) fn use_own(workspace: &Workspace, command: &mut Command) -> Result<()> {
    command.env(STATE_DIRECTORY, own_state(workspace)?);
    Ok(())
}

/// Builds or finds the programs, and starts them with nothing in them.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    stop(workspace)?;
    let mut up = program(workspace);
    use_own(workspace, &mut up)?;
    if let Err(problem) = process::run(up.arg("up")) {
        bail!("the API server that the tests need did not start: {problem:#}");
    }
    Ok(())
}

/// Stops the control plane of continuous integration and deletes its state.
pub(crate) fn stop(workspace: &Workspace) -> Result<()> {
    let mut down = program(workspace);
    use_own(workspace, &mut down)?;
    process::run(down.args(["down", "--wipe"]))
}
