//! The Maven modules: the example job, and the JVM side of the record-level handover.

use std::fs;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;
use crate::workspace::Workspace;

/// The versions of Python 3 for which there are packages of PyFlink 2.3.
const PYFLINK: RangeInclusive<u32> = 9..=12;

/// Checks the format of every Maven module, builds it and runs its tests.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let files = workspace.files()?;
    let modules = top_modules(&files);
    if modules.is_empty() {
        println!("there is no Maven module");
    }
    for module in modules {
        println!("{module}:");
        let mut maven = workspace.command("mvn");
        maven.args([
            "--batch-mode",
            "--no-transfer-progress",
            "--file",
            module,
            "spotless:check",
            "verify",
        ]);
        if module == "gate" {
            maven.args(on_clusters());
        }
        process::run_filtered(&mut maven, worth_reading)?;
    }
    Ok(())
}

/// Lets the gate's tests run on the distributions of Flink that the step before has fetched, too.
fn on_clusters() -> Vec<&'static str> {
    let mut arguments = vec!["--activate-profiles", "clusters"];
    if let Err(problem) = python_for_pyflink() {
        println!("SKIPPED: 1 test, a program of PyFlink, because {problem}");
        arguments.push("-Dcluster.left.out=torture,python");
    }
    arguments
}

/// Whether PyFlink can be installed for the Python that the tests take.
fn python_for_pyflink() -> Result<()> {
    let python = std::env::var("SLUICE_PYTHON").unwrap_or_default();
    let python = if python.is_empty() { "python3" } else { &python };
    // What makes an environment with pip is a package of its own on some systems.
    let minor = Command::new(python)
        .args(["-c", "import sys, venv, ensurepip; print(sys.version_info.minor)"])
        .output()
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8_lossy(&output.stdout).trim().parse().ok());
    match minor {
        Some(minor) if PYFLINK.contains(&minor) => Ok(()),
        Some(minor) => bail!(
            "`{python}` is Python 3.{minor}, and PyFlink is there for 3.{} to 3.{}; name another in SLUICE_PYTHON",
            PYFLINK.start(),
            PYFLINK.end()
        ),
        None => bail!("`{python}` cannot make an environment (`venv`); name another Python in SLUICE_PYTHON"),
    }
}

/// Builds the jar of a module, without its tests, and returns its path.
pub(crate) fn package(workspace: &Workspace, module: &str) -> Result<PathBuf> {
    let mut maven = workspace.command("mvn");
    maven.args([
        "--batch-mode",
        "--quiet",
        "--file",
        module,
        "-DskipTests",
        "package",
    ]);
    process::run(&mut maven)?;
    let target = workspace.root().join(module).join("target");
    let entries = fs::read_dir(&target).with_context(|| format!("{module} has no target directory"))?;
    let mut jars: Vec<PathBuf> = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(is_job_jar)
        {
            jars.push(path);
        }
    }
    match jars.as_slice() {
        [jar] => Ok(jar.clone()),
        [] => bail!("Maven built no jar in {}", target.display()),
        _ => bail!(
            "{} holds several jars, perhaps of an earlier version; remove it and try again",
            target.display()
        ),
    }
}

/// Builds the benchmarks of the gate with what they need, and returns their modules.
pub(crate) fn package_gate_benchmarks(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let modules = ["bench/flink-1.20", "bench/flink-2"];
    let gate = package_of_gate(workspace, &modules)?;
    Ok(modules.iter().map(|module| gate.join(module)).collect())
}

/// Builds the gate agent with what it needs, and returns its jar.
pub(crate) fn package_agent(workspace: &Workspace) -> Result<PathBuf> {
    let gate = package_of_gate(workspace, &["agent"])?;
    Ok(gate.join("agent/target/bluegreen-agent.jar"))
}

/// Builds these modules of `gate` with what they need, without their tests, and returns its directory.
fn package_of_gate(workspace: &Workspace, modules: &[&str]) -> Result<PathBuf> {
    let mut maven = workspace.command("mvn");
    maven
        .args([
            "--batch-mode",
            "--quiet",
            "--file",
            "gate",
            "-DskipTests",
            "--also-make",
        ])
        .args(["--projects", &modules.join(","), "package"]);
    process::run(&mut maven)?;
    Ok(workspace.root().join("gate"))
}

/// Fetches upstream's operator, with which Sluice's is compared, into the target directory, and returns where it is.
pub(crate) fn fetch_upstream_operator(workspace: &Workspace, target: &Path) -> Result<PathBuf> {
    let directory = target.join("upstream-operator");
    let mut maven = workspace.command("mvn");
    maven
        .args(["--batch-mode", "--quiet", "--file", "bench/upstream/operator.xml"])
        .arg(format!("-Dto={}", directory.display()))
        .arg("package");
    process::run(&mut maven)?;
    Ok(directory)
}

/// The directories with a `pom.xml` that are not inside another such directory.
fn top_modules(files: &[String]) -> Vec<&str> {
    let directories: Vec<&str> = files
        .iter()
        .filter_map(|file| file.strip_suffix("/pom.xml"))
        .collect();
    let inside = |directory: &str, other: &str| {
        directory
            .strip_prefix(other)
            .is_some_and(|rest| rest.starts_with('/'))
    };
    directories
        .iter()
        .copied()
        .filter(|it| !directories.iter().any(|other| inside(it, other)))
        .collect()
}

/// Not what Maven's shade, source and test plugins leave beside the jar.
fn is_job_jar(name: &str) -> bool {
    let beside = ["-sources", "-javadoc", "-tests"];
    name.strip_suffix(".jar")
        .is_some_and(|stem| !stem.starts_with("original-") && !beside.iter().any(|end| stem.ends_with(end)))
}

/// Test results and problems; not the many lines about downloads and plugins.
fn worth_reading(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("[ERROR]")
        || line.starts_with("[WARNING] Tests run:")
        || line.starts_with("[INFO] Tests run:")
        || line.starts_with("[INFO] BUILD")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_inside_a_module_is_built_with_it() {
        let files = [
            "examples/ledger-job/pom.xml",
            "gate/agent/pom.xml",
            "gate/pom.xml",
            "gate-extra/pom.xml",
            "a.rs",
        ]
        .map(str::to_owned);
        assert_eq!(top_modules(&files), ["examples/ledger-job", "gate", "gate-extra"]);
    }

    #[test]
    fn the_job_jar_is_told_from_what_lies_beside_it() {
        let names = [
            "ledger-job-0.1.0.jar",
            "original-ledger-job-0.1.0.jar",
            "ledger-job-0.1.0-sources.jar",
            "classes",
        ];
        let jars: Vec<&str> = names.into_iter().filter(|name| is_job_jar(name)).collect();
        assert_eq!(jars, ["ledger-job-0.1.0.jar"]);
    }

    #[test]
    fn the_closing_lines_of_the_tests_are_kept() {
        assert!(worth_reading(
            "[INFO] Tests run: 12, Failures: 0, Errors: 0, Skipped: 0"
        ));
        assert!(worth_reading("[ERROR] Failed to execute goal"));
        assert!(!worth_reading(
            "[INFO] --- maven-jar-plugin:3.4.1:jar (default-jar) @ ledger-job ---"
        ));
    }
}
