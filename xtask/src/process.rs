//! Running other programs.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Runs a program with its output on ours; an error names the command line.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let line = command_line(command);
    let status = command
        .status()
        .with_context(|| format!("`{line}` could not be started"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a program and returns what it printed; its error output goes to ours.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{line}` could not be started"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed something that is not UTF-8"))
}

/// Whether a program starts and says that all is well; prints nothing.
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Runs a talkative program and prints only the lines that `keep` chooses, as they come. When it fails, the last
/// of the other lines follow.
pub(crate) fn run_filtered(command: &mut Command, keep: fn(&str) -> bool) -> Result<()> {
    const LAST_LINES: usize = 120;
    let line = command_line(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("`{line}` could not be started"))?;
    let mut others = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for bytes in BufReader::new(stdout).split(b'\n') {
            let text = String::from_utf8_lossy(&bytes?).into_owned();
            if keep(&text) {
                println!("{text}");
            } else {
                others.push(text);
            }
        }
    }
    let status = child.wait()?;
    if !status.success() {
        println!("--- the last {LAST_LINES} other lines of `{line}`:");
        for text in others.iter().skip(others.len().saturating_sub(LAST_LINES)) {
            println!("{text}");
        }
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Replaces this program by another. Returns only when that is not possible.
#[cfg(unix)]
pub(crate) fn become_command(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let line = command_line(command);
    Err(command.exec()).with_context(|| format!("`{line}` could not be started"))
}

/// Runs a program as the last thing that this one does.
#[cfg(not(unix))]
pub(crate) fn become_command(command: &mut Command) -> Result<()> {
    run(command)
}

fn command_line(command: &Command) -> String {
    let program = command.get_program();
    let name = std::path::Path::new(program).file_name().unwrap_or(program);
    std::iter::once(name)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}
