//! The gate: what it adds to a record, how soon the incoming job takes over, and what is asked of the API server. The JVM side
//! of it is `gate/bench`, with the oldest and the newest Flink.

mod lines;
mod requests;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Args;

use crate::figures::{Figure, percent, report};
use crate::machine::Busy;
use lines::Line;

/// What is measured.
#[derive(Args)]
pub struct Arguments {
    /// A built module of `gate/bench`, such as `gate/bench/flink-2`; one for each Flink
    #[arg(long = "module", value_name = "DIRECTORY", required = true)]
    modules: Vec<PathBuf>,
    /// How often each kind of record is measured with and without a gate
    #[arg(long, value_name = "COUNT", default_value_t = 5)]
    rounds: usize,
    /// How many handovers are measured
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    handovers: usize,
    /// With how many subtasks the API server's requests are counted; none: not at all
    #[arg(long, value_name = "COUNTS", value_delimiter = ',', default_value = "1,8,64")]
    subtasks: Vec<usize>,
    /// A directory with the figures of an earlier run: nothing is measured, the tables are made anew
    #[arg(long, value_name = "DIRECTORY")]
    from: Option<PathBuf>,
}

/// A Flink that is measured.
struct Module {
    /// `flink-1.20`
    name: String,
    classpath: String,
}

/// Measures everything.
pub fn measure(arguments: &Arguments) -> Result<()> {
    let modules = arguments
        .modules
        .iter()
        .map(|directory| Module::open(directory))
        .collect::<Result<Vec<_>>>()?;
    let temporary = tempfile::tempdir()?;
    let busy = Busy::begin()?;
    let directory = if let Some(directory) = &arguments.from {
        directory.as_path()
    } else {
        take(arguments, &modules, temporary.path())?;
        temporary.path()
    };
    let mut figures = Vec::new();
    for module in &modules {
        figures.extend(tables::of(&module.name, &Line::read(&module.file(directory))?));
    }
    if arguments.from.is_none() {
        figures.push(Figure::plain(
            "how busy the machine was during the whole run, all of it counted",
            percent(busy.share()?),
        ));
    }
    report("gate", &figures)
}

/// The figures, one file for each Flink.
fn take(arguments: &Arguments, modules: &[Module], directory: &Path) -> Result<()> {
    for module in modules {
        let file = module.file(directory);
        run(module
            .java()
            .arg(MAIN)
            .arg("records")
            .arg(arguments.rounds.to_string())
            .arg(&file))?;
        run(module
            .java()
            .arg(MAIN)
            .arg("handovers")
            .arg(arguments.handovers.to_string())
            .arg(&file))?;
        if !arguments.subtasks.is_empty() {
            requests::count(module, &arguments.subtasks, &file)?;
        }
    }
    Ok(())
}

impl Module {
    fn open(directory: &Path) -> Result<Self> {
        let target = directory.join("target");
        let file = target.join("classpath");
        let dependencies = fs::read_to_string(&file).with_context(|| {
            format!(
                "{} cannot be read; `cargo xtask bench gate` builds the module first",
                file.display()
            )
        })?;
        let name = directory.file_name().and_then(|name| name.to_str());
        Ok(Self {
            name: name.context("a module has a name")?.to_owned(),
            classpath: format!("{}:{}", target.join("classes").display(), dependencies.trim()),
        })
    }

    fn file(&self, directory: &Path) -> PathBuf {
        directory.join(format!("{}.jsonl", self.name))
    }

    /// The JVM that measures. Its memory is for the records that a gate keeps.
    fn java(&self) -> Command {
        let java = std::env::var_os("JAVA_HOME").map_or_else(
            || PathBuf::from("java"),
            |home| PathBuf::from(home).join("bin/java"),
        );
        let mut command = Command::new(java);
        command.arg("-Xmx2g").arg("-XX:+UseParallelGC");
        command
            .args(sluice_shell::java::add_opens())
            .arg("-cp")
            .arg(&self.classpath);
        command
    }
}

/// What is measured in the JVM.
const MAIN: &str = "io.github.sluiceflink.gate.bench.GateBench";

fn run(command: &mut Command) -> Result<()> {
    let status = command.status().context("Java could not be started")?;
    ensure!(
        status.success(),
        "the measuring JVM ended with {status}; what it said stands above"
    );
    Ok(())
}
