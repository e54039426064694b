//! Helm: the one that the variable HELM names, or one built once from the Go module `e2e/helm`.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

const MODULE: &str = "e2e/helm";
const PACKAGE: &str = "helm.sh/helm/v3";
/// Helm takes what it knows of Kubernetes' version from its linker flags; this is the version of the tests' API server.
const KUBERNETES_MINOR: &str = "34";

/// The program, built if it is not there yet.
pub(crate) fn program(workspace: &Workspace) -> Result<PathBuf> {
    if let Some(named) = env::var_os("HELM").filter(|value| !value.is_empty()) {
        let named = PathBuf::from(named);
        if !process::succeeds(Command::new(&named).arg("version")) {
            bail!(
                "HELM names {}, which does not run as Helm; name another, or unset it to have one built",
                named.display()
            );
        }
        return Ok(named);
    }
    let module = workspace.root().join(MODULE);
    let go_mod = fs::read_to_string(module.join("go.mod"))
        .with_context(|| format!("{MODULE}/go.mod cannot be read"))?;
    let version =
        pinned_version(&go_mod).with_context(|| format!("{MODULE}/go.mod requires no {PACKAGE}"))?;
    let program = cache()?.join(version).join("helm");
    if !program.is_file() {
        build(&module, version, &program)?;
    }
    Ok(program)
}

/// Where tests look for Helm, too (`crates/kubernetes/tests/chart.rs`).
fn cache() -> Result<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    let cache = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cache")))
        .context("there is no place for a cache: set HOME or XDG_CACHE_HOME")?;
    Ok(cache.join("sluice/helm"))
}

/// Builds beside the final name, so that a build that is cut short is not taken for a whole one.
fn build(module: &Path, version: &str, program: &Path) -> Result<()> {
    let directory = program.parent().context("Helm has no place")?;
    fs::create_dir_all(directory).with_context(|| format!("{} cannot be made", directory.display()))?;
    println!("Building Helm {version} from its Go modules. This happens once and takes some minutes.");
    let unfinished = program.with_extension(format!("unfinished-{}", std::process::id()));
    let mut go = Command::new("go");
    go.current_dir(module)
        .env("CGO_ENABLED", "0")
        .args(["build", "-mod=readonly", "-trimpath", "-ldflags"])
        .arg(linker_flags(version))
        .arg("-o")
        .arg(&unfinished)
        .arg(format!("{PACKAGE}/cmd/helm"));
    process::run(&mut go).context(
        "Helm, which the chart is checked with, could not be built; install Go 1.24 or newer (https://go.dev/dl), or name a Helm 3 in HELM",
    )?;
    fs::rename(&unfinished, program)
        .with_context(|| format!("{} cannot be put in its place", program.display()))
}

fn linker_flags(version: &str) -> String {
    let packages = ["chartutil", "lint/rules"].map(|package| {
        format!(
            "-X {PACKAGE}/pkg/{package}.k8sVersionMajor=1 -X {PACKAGE}/pkg/{package}.k8sVersionMinor={KUBERNETES_MINOR}"
        )
    });
    format!(
        "-s -w -X {PACKAGE}/internal/version.version=v{version} {}",
        packages.join(" ")
    )
}

/// `3.19.5` from the line `require helm.sh/helm/v3 v3.19.5`.
fn pinned_version(go_mod: &str) -> Option<&str> {
    go_mod.lines().find_map(|line| {
        let line = line.trim();
        let line = line.strip_prefix("require ").unwrap_or(line);
        line.strip_prefix("helm.sh/helm/v3 v")?.split_whitespace().next()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_the_module_requires() {
        assert_eq!(
            pinned_version("go 1.24.0\n\nrequire helm.sh/helm/v3 v3.19.5\n"),
            Some("3.19.5")
        );
        assert_eq!(
            pinned_version("require (\n\thelm.sh/helm/v3 v3.20.0 // indirect\n)\n"),
            Some("3.20.0")
        );
        assert_eq!(
            pinned_version("require sigs.k8s.io/helm.sh/helm/v3 v3.1.0\n"),
            None
        );
    }
}
