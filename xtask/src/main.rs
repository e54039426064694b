//! What `make` and continuous integration run: `cargo xtask <command>`.

mod chart;
mod ci;
mod cluster;
mod codegen;
mod conformance;
mod dependencies;
mod flink;
mod helm;
mod java;
mod licences;
mod process;
mod purity;
mod resources;
mod tidy;
mod workspace;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use workspace::Workspace;

/// The chores of the Sluice repository.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Every check and every test, in the order of continuous integration; stops at the first failure.
    #[command(visible_alias = "test")]
    Ci {
        /// Run only these steps, by name; may be given several times.
        #[arg(long, value_name = "STEP")]
        only: Vec<String>,
        /// Print the names of the steps and stop.
        #[arg(long)]
        list: bool,
    },
    /// Build `sluice`, the example job and the gate agent, then run `sluice demo`.
    Demo {
        /// Passed on to `sluice demo`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// A real etcd and kube-apiserver on this machine: `up`, `down`, `status`.
    Cluster {
        /// What to do, and its options.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        arguments: Vec<String>,
    },
    /// Play the scenarios of the blue/green controller against the operator of a cluster: `--kubeconfig`, `--list`.
    Conformance {
        /// Passed on to the player.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run a benchmark.
    Bench {
        /// What to measure.
        what: Benchmark,
        /// Passed on to the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Lint, render and package the Helm chart.
    Chart,
    /// Write the generated files again.
    Codegen {
        /// Write nothing; fail when a file is not what its generator makes.
        #[arg(long)]
        check: bool,
    },
}

#[derive(Clone, Copy, ValueEnum)]
enum Benchmark {
    /// The decisions alone.
    Core,
    /// The gate in real jobs, with the oldest and the newest Flink, beside the same jobs without it.
    Gate,
    /// Real Flink processes on this machine.
    Local,
    /// The Kubernetes operator on a real API server, upstream's beside it.
    Operator,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // Never with a backtrace: what went wrong is in the files that the message names, not in here.
            eprintln!("\n{problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let workspace = Workspace::locate()?;
    match Arguments::parse().command {
        Command::Ci { list: true, .. } => {
            ci::list();
            Ok(())
        }
        Command::Ci { only, .. } => ci::run(&workspace, &only),
        Command::Demo { arguments } => demo(&workspace, &arguments),
        Command::Cluster { arguments } => cluster::run(&workspace, &arguments),
        Command::Conformance { arguments } => conformance::run(&workspace, &arguments),
        Command::Bench { what, arguments } => bench(&workspace, what, &arguments),
        Command::Chart => chart::check(&workspace),
        Command::Codegen { check } => codegen::run(&workspace, codegen::Mode::from_check(check)),
    }
}

/// Becomes `sluice demo`, so that an interrupt from the keyboard reaches it and nothing else.
fn demo(workspace: &Workspace, arguments: &[String]) -> anyhow::Result<()> {
    let built = build(workspace)?;
    let agent_jar = java::package_agent(workspace)?;
    process::become_command(
        std::process::Command::new(built.sluice)
            .arg("demo")
            .arg("--job-jar")
            .arg(built.job_jar)
            .arg("--agent-jar")
            .arg(agent_jar)
            .args(arguments),
    )
}

/// What users run.
struct Built {
    sluice: PathBuf,
    job_jar: PathBuf,
}

fn build(workspace: &Workspace) -> anyhow::Result<Built> {
    println!("Building sluice and the example job. The first time takes some minutes.");
    process::run(
        workspace
            .cargo()
            .args(["build", "--release", "--locked", "--package", "sluice"]),
    )?;
    let job_jar = java::package(workspace, "examples/ledger-job")?;
    let sluice = workspace.target_directory()?.join("release/sluice");
    Ok(Built { sluice, job_jar })
}

fn bench(workspace: &Workspace, what: Benchmark, arguments: &[String]) -> anyhow::Result<()> {
    let mut bench = workspace.cargo();
    bench.args(["run", "--release", "--locked", "--package", "sluice-bench", "--"]);
    match what {
        Benchmark::Core => bench.arg("core"),
        Benchmark::Gate => {
            let modules = java::package_gate_benchmarks(workspace)?;
            bench.arg("gate");
            for module in modules {
                bench.arg("--module").arg(module);
            }
            &mut bench
        }
        Benchmark::Local => {
            let built = build(workspace)?;
            process::run(std::process::Command::new(&built.sluice).args([
                "flink",
                "install",
                flink::OLDEST,
            ]))?;
            bench
                .arg("local")
                .arg("--sluice")
                .arg(built.sluice)
                .arg("--job-jar")
                .arg(built.job_jar)
        }
        Benchmark::Operator => {
            process::run(workspace.cargo().args([
                "build",
                "--release",
                "--locked",
                "--package",
                "sluice-kubernetes",
            ]))?;
            let target = workspace.target_directory()?;
            let upstream = java::fetch_upstream_operator(workspace, &target)?;
            bench
                .arg("operator")
                .arg("--operator")
                .arg(target.join("release/sluice-operator"))
                .arg("--upstream")
                .arg(upstream)
        }
    };
    process::become_command(bench.args(arguments))
}
