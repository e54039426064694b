//! What Sluice may be built from: the licences of `deny.toml`, crates.io as the only source, no wildcard versions.
//!
//! cargo-deny knows more, but building it takes a good part of the time that all checks together take. So these three are
//! checked here, always; cargo-deny runs where it is installed, and continuous integration installs it.

use std::fs;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::workspace::Workspace;
use crate::{licences, process};

/// The version whose answers are known.
const CARGO_DENY: &str = "cargo-deny@0.20.2";

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Fails with one line for each dependency that breaks a rule.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let deny_toml =
        fs::read_to_string(workspace.root().join("deny.toml")).context("deny.toml cannot be read")?;
    let allowed = licences::allowed_by(&deny_toml)?;
    let metadata = workspace.metadata()?;
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .context("cargo metadata names no packages")?;
    let complaints: Vec<String> = packages
        .iter()
        .flat_map(|package| complaints(package, &allowed))
        .collect();
    if !complaints.is_empty() {
        bail!("{}", complaints.join("\n"));
    }
    println!(
        "{} packages: licences, sources and versions are as deny.toml allows",
        packages.len()
    );
    cargo_deny(workspace)
}

fn complaints(package: &Value, allowed: &[String]) -> Vec<String> {
    let text = |value: &Value, field: &str| value.get(field).and_then(Value::as_str).map(str::to_owned);
    let name = text(package, "name").unwrap_or_else(|| "a package without a name".to_owned());
    let source = text(package, "source");
    let mut complaints = Vec::new();

    match text(package, "license").map(|expression| (licences::permits(&expression, allowed), expression)) {
        None => complaints.push(format!("{name} names no licence; use another crate")),
        Some((Err(problem), _)) => complaints.push(format!("{name}: {problem:#}")),
        Some((Ok(false), expression)) => complaints.push(format!(
            "{name} has the licence `{expression}`, which deny.toml does not allow; use another crate, or add the licence there with its reason"
        )),
        Some((Ok(true), _)) => {}
    }
    match source.as_deref() {
        // A path in this workspace.
        None => {
            let dependencies = package
                .get("dependencies")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            for dependency in dependencies.filter(|it| text(it, "path").is_none()) {
                if text(dependency, "req").as_deref() == Some("*") {
                    let other = text(dependency, "name").unwrap_or_default();
                    complaints.push(format!("{name} depends on any version of {other}; name one"));
                }
            }
        }
        Some(CRATES_IO) => {}
        Some(other) => complaints.push(format!("{name} comes from {other}; only crates.io is allowed")),
    }
    complaints
}

fn cargo_deny(workspace: &Workspace) -> Result<()> {
    let installed = || process::succeeds(workspace.cargo().args(["deny", "--version"]));
    if !installed() && std::env::var_os("CI").is_some() {
        println!("Installing cargo-deny, which takes some minutes.");
        let mut install = workspace.cargo();
        install.args(["install", "--quiet", "--locked", CARGO_DENY]);
        if let Err(problem) = process::run(&mut install) {
            println!("{problem:#}");
        }
    }
    if !installed() {
        println!(
            "SKIPPED: cargo-deny is not installed, so duplicates and known vulnerabilities were not looked up; `cargo install --locked {CARGO_DENY}` adds that."
        );
        return Ok(());
    }
    let check = ["deny", "--log-level", "error", "check", "--hide-inclusion-graph"];
    process::run(
        workspace
            .cargo()
            .args(check)
            .args(["licenses", "bans", "sources"]),
    )?;
    if process::succeeds(workspace.cargo().args(["deny", "fetch", "db"])) {
        process::run(
            workspace
                .cargo()
                .args(check)
                .args(["--disable-fetch", "advisories"]),
        )
    } else {
        println!("The advisory database cannot be reached, so known vulnerabilities were not looked up.");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn complaints_about(package: &Value) -> Vec<String> {
        complaints(package, &["MIT".to_owned()])
    }

    #[test]
    fn a_crate_from_crates_io_with_an_allowed_licence_is_fine() {
        let package = json!({"name": "a", "license": "MIT", "source": CRATES_IO});
        assert_eq!(complaints_about(&package), Vec::<String>::new());
    }

    #[test]
    fn a_crate_from_a_git_repository_or_without_a_licence_is_refused_by_name() {
        let from_git = json!({"name": "b", "license": "MIT", "source": "git+https://example.org/b#1"});
        let unlicensed = json!({"name": "c", "source": CRATES_IO});
        let copyleft = json!({"name": "d", "license": "GPL-3.0-only", "source": CRATES_IO});
        for (package, expected) in [
            (&from_git, "b comes from git+"),
            (&unlicensed, "c names no"),
            (&copyleft, "d has"),
        ] {
            let complaints = complaints_about(package);
            assert_eq!(complaints.len(), 1, "{complaints:?}");
            assert!(
                complaints.iter().all(|it| it.starts_with(expected)),
                "{complaints:?}"
            );
        }
    }

    #[test]
    fn only_a_path_dependency_may_leave_its_version_open() {
        let ours = json!({"name": "ours", "license": "MIT", "source": null, "dependencies": [
            {"name": "sibling", "req": "*", "path": "crates/sibling"},
            {"name": "tokio", "req": "*"},
            {"name": "serde", "req": "^1"},
        ]});
        assert_eq!(
            complaints_about(&ours),
            ["ours depends on any version of tokio; name one"]
        );
    }
}
