//! `cargo xtask conformance`: the scenarios of the blue/green controller against whatever operator runs on a cluster.

use anyhow::Result;

use crate::process;
use crate::workspace::Workspace;

/// Becomes the player, so that an interrupt from the keyboard reaches it and nothing else.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    let mut player = workspace.cargo();
    player.args([
        "run",
        "--quiet",
        "--locked",
        "--package",
        "sluice-conformance",
        "--",
    ]);
    process::become_command(player.args(arguments))
}
