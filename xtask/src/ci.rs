//! The steps of continuous integration, in order.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::workspace::Workspace;
use crate::{chart, cluster, codegen, dependencies, flink, java, process, purity, tidy};

struct Step {
    name: &'static str,
    what: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

/// What is quick comes first.
const STEPS: &[Step] = &[
    Step {
        name: "format",
        what: "Rust sources are formatted",
        run: format,
    },
    Step {
        name: "purity",
        what: "what the crates are built from keeps them apart",
        run: purity::check,
    },
    Step {
        name: "tidy",
        what: "files are short and name no developer's machine",
        run: tidy::check,
    },
    Step {
        name: "clippy",
        what: "lints, warnings are errors",
        run: clippy,
    },
    Step {
        name: "dependencies",
        what: "licences, sources and versions",
        run: dependencies::check,
    },
    Step {
        name: "codegen",
        what: "generated files are up to date",
        run: check_generated,
    },
    Step {
        name: "chart",
        what: "the Helm chart: lint, rendering, package",
        run: chart::check,
    },
    Step {
        name: "flink",
        what: "Flink distributions for the tests",
        run: flink::check,
    },
    Step {
        name: "java",
        what: "Maven modules: format, build, tests",
        run: java::check,
    },
    Step {
        name: "kubernetes",
        what: "the API server for the tests",
        run: cluster::check,
    },
    Step {
        name: "test",
        what: "Rust tests",
        run: test,
    },
];

/// Prints the names of the steps.
pub(crate) fn list() {
    for step in STEPS {
        println!("{:<14}{}", step.name, step.what);
    }
}

/// Runs all steps, or those named, and stops at the first that fails.
pub(crate) fn run(workspace: &Workspace, only: &[String]) -> Result<()> {
    for name in only {
        if !STEPS.iter().any(|step| step.name == name) {
            let names: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
            bail!("there is no step `{name}`; the steps are {}", names.join(", "));
        }
    }
    let chosen = || {
        STEPS
            .iter()
            .filter(|step| only.is_empty() || only.iter().any(|name| name == step.name))
    };
    let mut timings: Vec<(&str, Duration)> = Vec::new();
    let started = Instant::now();
    for (number, step) in (1..).zip(chosen()) {
        heading(&format!(
            "{number}/{} {}: {}",
            chosen().count(),
            step.name,
            step.what
        ));
        let step_started = Instant::now();
        let result = (step.run)(workspace);
        let took = step_started.elapsed();
        println!("{}: {:.1} s", step.name, took.as_secs_f64());
        timings.push((step.name, took));
        if let Err(problem) = result {
            bail!("the step `{}` failed:\n{problem:#}", step.name);
        }
    }
    heading("all steps passed");
    for (name, took) in timings {
        println!("{name:<14}{:>8.1} s", took.as_secs_f64());
    }
    println!("{:<14}{:>8.1} s", "in all", started.elapsed().as_secs_f64());
    Ok(())
}

fn heading(text: &str) {
    if std::io::stdout().is_terminal() {
        println!("\n\x1b[1m== {text}\x1b[0m");
    } else {
        println!("\n== {text}");
    }
    // The programs that follow write to the same place by themselves; a heading that cannot be shown stops nothing.
    drop(std::io::stdout().flush());
}

fn format(workspace: &Workspace) -> Result<()> {
    process::run(workspace.cargo().args(["fmt", "--all", "--check"]))
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let mut clippy = workspace.cargo();
    clippy.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "--deny",
        "warnings",
    ]);
    process::run(&mut clippy)
}

fn check_generated(workspace: &Workspace) -> Result<()> {
    codegen::run(workspace, codegen::Mode::Check)
}

/// The tests start the API server themselves if the step before did not; either way it ends with them.
fn test(workspace: &Workspace) -> Result<()> {
    let tested = run_tests(workspace);
    let stopped = cluster::stop(workspace);
    tested.and(stopped)
}

/// All tests run even if some fail, so that one run names every failure.
fn run_tests(workspace: &Workspace) -> Result<()> {
    let mut test = workspace.cargo();
    test.args(["test", "--workspace", "--locked", "--no-fail-fast"]);
    // A snapshot that differs is a failure here, never a file to review later.
    test.env("INSTA_UPDATE", "no");
    cluster::use_own(workspace, &mut test)?;
    process::run(&mut test)?;
    test_against_upstream(workspace)
}

/// Compares the lists of upstream's fields with upstream's own files, where these are: named by a variable, or beside the
/// repository.
fn test_against_upstream(workspace: &Workspace) -> Result<()> {
    let named = std::env::var_os("SLUICE_UPSTREAM_CRDS").map(PathBuf::from);
    let beside = workspace.root().join("../shared/reference/crds");
    let Some(directory) = named.or_else(|| beside.is_dir().then_some(beside)) else {
        println!(
            "SKIPPED: 1 test, because upstream's own CRDs are not here (name their directory in SLUICE_UPSTREAM_CRDS); \
             the lists derived from them were compared."
        );
        return Ok(());
    };
    let test = "the_lists_are_what_upstreams_own_files_declare";
    let package = [
        "test",
        "--locked",
        "--package",
        "sluice-api",
        "--test",
        "upstream",
    ];
    let mut command = workspace.cargo();
    command
        .args(package)
        .args(["--", "--ignored", "--exact", test])
        .env("SLUICE_UPSTREAM_CRDS", directory);
    process::run(&mut command)
}
