//! Where the repository is, and the cargo that built this program.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process;

/// The checkout that the commands work on.
pub(crate) struct Workspace {
    root: PathBuf,
}

impl Workspace {
    /// The workspace that this program was built in.
    pub(crate) fn locate() -> Result<Self> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = manifest.parent().context("xtask has no parent directory")?;
        Ok(Self {
            root: root.to_path_buf(),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// A command that runs in the root of the workspace.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root);
        command
    }

    /// The cargo that started this program, so that every step uses one toolchain.
    pub(crate) fn cargo(&self) -> Command {
        let program = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        self.command(&program)
    }

    /// What `cargo metadata` says about the workspace and all that it depends on, on every platform.
    pub(crate) fn metadata(&self) -> Result<Value> {
        let json = process::output(
            self.cargo()
                .args(["metadata", "--format-version", "1", "--locked"]),
        )?;
        serde_json::from_str(&json).context("cargo metadata printed something that is not JSON")
    }

    /// Where cargo puts what it builds.
    pub(crate) fn target_directory(&self) -> Result<PathBuf> {
        let metadata = self.metadata()?;
        let directory = metadata.get("target_directory").and_then(Value::as_str);
        Ok(PathBuf::from(
            directory.context("cargo metadata named no target directory")?,
        ))
    }

    /// The files of the repository: those that git tracks, and the new ones that it does not ignore, sorted.
    pub(crate) fn files(&self) -> Result<Vec<String>> {
        // A checkout that belongs to another account is still only read here.
        let listed = process::output(self.command("git").args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]))
        .context("the list of files comes from git; this must be a git checkout")?;
        let mut files: Vec<String> = listed
            .split('\0')
            .filter(|path| !path.is_empty() && self.root.join(path).is_file())
            .map(str::to_owned)
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }
}
