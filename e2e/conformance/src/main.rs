//! Plays the scenarios against the operator that runs on a cluster, and prints what happened.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sluice_conformance::{Options, Scenario, Stage, report, scenario};

/// Scenarios of the blue/green controller, played against the operator that runs on a cluster.
///
/// Only the actors are started: the controller of FlinkDeployments, the JobManagers, and, where asked for, the garbage
/// collector. docs/conformance.md says what the operator needs to reach them.
#[derive(Parser)]
#[command(bin_name = "cargo xtask conformance")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
struct Arguments {
    /// The kubeconfig file of the cluster; by default as kubectl finds it.
    #[arg(long, value_name = "FILE", env = "KUBECONFIG")]
    kubeconfig: Option<PathBuf>,
    /// The context in it; by default the current one.
    #[arg(long)]
    context: Option<String>,
    /// Play only this scenario; may be given several times.
    #[arg(long, value_name = "NAME")]
    scenario: Vec<String>,
    /// Print the scenarios and stop.
    #[arg(long)]
    list: bool,
    /// Where the JobManager actor listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Make Services `<child>-rest` that lead to the JobManager actor at this address of this machine.
    #[arg(long, value_name = "IP")]
    service_address: Option<IpAddr>,
    /// How many scenarios are played at a time.
    #[arg(long, value_name = "N", default_value_t = 16)]
    at_once: usize,
    /// Play the garbage collector, too: for an API server without a controller-manager.
    #[arg(long)]
    collect_garbage: bool,
    /// A label on every resource, for an operator that watches by label.
    #[arg(long, value_name = "KEY=VALUE", value_parser = label)]
    label: Option<(String, String)>,
    /// Set everything up, print what the operator has to watch, and begin when a line comes in.
    #[arg(long)]
    wait: bool,
    /// Print the traces of the scenarios that pass, too.
    #[arg(long)]
    traces: bool,
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("expected KEY=VALUE, such as team=payments")?;
    Ok((key.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Arguments::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<bool> {
    let all = scenario::read_all(scenario::directory())?;
    if arguments.list {
        for scenario in &all {
            println!("{}\n    {}", scenario.name, scenario.about.trim());
        }
        return Ok(true);
    }
    let scenarios = chosen(all, &arguments.scenario)?;
    let client = client(&arguments).await?;
    let options = Options {
        listen: arguments.listen,
        service_address: arguments.service_address,
        at_once: arguments.at_once,
        collects_garbage: arguments.collect_garbage,
        label: arguments.label,
    };
    let stage = Stage::set(client, scenarios, options).await?;
    println!(
        "The JobManager of a child is at http://{}/{{namespace}}/{{name}}",
        stage.address()
    );
    println!("The namespaces have the label {}", stage.namespace_selector());
    println!("They are {}", stage.namespaces().join(","));
    if arguments.wait {
        println!("Press return to begin.");
        tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new())).await??;
    }
    let traces = arguments.traces;
    let outcomes = stage
        .play(|outcome| {
            if traces || !outcome.passed() {
                println!("{}", outcome.story());
            }
        })
        .await;
    print!("{}", report::table(&outcomes));
    Ok(outcomes.iter().all(report::Outcome::passed))
}

fn chosen(all: Vec<Scenario>, names: &[String]) -> Result<Vec<Scenario>> {
    if let Some(unknown) = names
        .iter()
        .find(|name| all.iter().all(|scenario| scenario.name != **name))
    {
        bail!("there is no scenario {unknown}; --list names them");
    }
    Ok(all
        .into_iter()
        .filter(|scenario| names.is_empty() || names.contains(&scenario.name))
        .collect())
}

async fn client(arguments: &Arguments) -> Result<Client> {
    let options = KubeConfigOptions {
        context: arguments.context.clone(),
        ..KubeConfigOptions::default()
    };
    let config = match &arguments.kubeconfig {
        Some(file) => {
            let kubeconfig = Kubeconfig::read_from(file)
                .with_context(|| format!("{} is no kubeconfig", file.display()))?;
            Config::from_custom_kubeconfig(kubeconfig, &options).await?
        }
        None => Config::from_kubeconfig(&options).await?,
    };
    Ok(Client::try_from(config)?)
}
