//! The Kubernetes operator: what it needs, how soon it acts, what it asks of the API server. A real etcd and API server; Flink
//! is played by the actors of the conformance run.

mod crowd;
mod idle;
mod kinds;
mod program;
mod sight;
mod stage;
mod tables;
mod transition;
mod upstream;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::figures::{Figure, median, percent, report};
use crate::machine::{self, Busy, Memory};
use crowd::{Sizes, Template};
use idle::Idle;
use program::Program;
use sight::Sight;
use stage::Stage;
use transition::Transition;

/// How long an operator stands idle before its memory is taken.
const SETTLE: Duration = Duration::from_secs(15);
/// The namespace of the many.
const CROWD: &str = "crowd";

/// What is measured.
#[derive(Args)]
pub struct Arguments {
    /// The `sluice-operator` program, built as users get it
    #[arg(long, value_name = "FILE")]
    operator: PathBuf,
    /// Upstream's operator: its jars in `lib`, its definitions in `crds`; none: it is left out
    #[arg(long, value_name = "DIRECTORY")]
    upstream: Option<PathBuf>,
    /// How often the operator is started
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    starts: usize,
    /// How often upstream's operator is started
    #[arg(long, value_name = "COUNT", default_value_t = 3)]
    upstream_starts: usize,
    /// How many stateless transitions are measured, twice
    #[arg(long, value_name = "COUNT", default_value_t = 20)]
    transitions: usize,
    /// How many transitions with a savepoint are measured
    #[arg(long, value_name = "COUNT", default_value_t = 10)]
    savepoints: usize,
    /// How many resources there are at a time, in rising order; the first number is the one with targets
    #[arg(
        long,
        value_name = "COUNTS",
        value_delimiter = ',',
        default_value = "1000,2000,5000"
    )]
    resources: Vec<usize>,
    /// How long the idle operator is watched
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    watch: u64,
}

/// Measures everything; nothing is left running, however it ends.
pub fn measure(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let all = async {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            figures = figures(arguments) => figures,
            _ = interrupt.recv() => bail!("interrupted; everything that was started has been stopped"),
            _ = terminate.recv() => bail!("told to end; everything that was started has been stopped"),
        }
    };
    // The player of the scenes stays on this thread.
    let figures = runtime.block_on(tokio::task::LocalSet::new().run_until(all))?;
    report("operator", &figures)
}

/// What was measured of Sluice's operator.
struct Measured {
    starts: Vec<Duration>,
    empty: Memory,
    stateless: Vec<Transition>,
    savepoint: Vec<Transition>,
    ingress: Vec<Transition>,
    sizes: Sizes,
    crowds: Vec<Crowd>,
    crowded: Vec<Transition>,
    idle: Idle,
}

/// The operator, newly started, with so many resources there.
struct Crowd {
    resources: usize,
    /// How long it took to make those that were not there before.
    making: Duration,
    /// From the process to ready: everything is listed.
    ready: Duration,
    /// From the process until each resource has been looked at.
    looked: Duration,
    /// Afterwards, idle.
    memory: Memory,
    /// The most that it had until then.
    peak: u64,
}

async fn figures(arguments: &Arguments) -> Result<Vec<Figure>> {
    let busy = Busy::begin()?;
    let upstream = match &arguments.upstream {
        Some(directory) => Some(upstream::measure(directory, arguments.upstream_starts, 2 * SETTLE).await?),
        None => None,
    };
    let measured = sluice(arguments).await?;
    let mut figures = tables::of(&measured, upstream.as_ref());
    figures.push(Figure::plain(
        "how busy the machine was during the whole run, all of it counted",
        percent(busy.share()?),
    ));
    Ok(figures)
}

async fn sluice(arguments: &Arguments) -> Result<Measured> {
    let mut stage = Stage::open(&arguments.operator).await?;
    let mut starts = Vec::new();
    for _ in 0..arguments.starts {
        let (operator, time) = stage.start().await?;
        starts.push(time);
        operator.stop().await?;
    }
    println!("{} starts: median {:.1?}", starts.len(), median(starts.clone()));
    let (operator, _) = stage.start().await?;
    tokio::time::sleep(SETTLE).await;
    let empty = memory(&operator).await?;
    println!("idle: {empty:?}");

    stage.play();
    let stateless = transitions(&stage, "stateless", arguments.transitions).await?;
    let savepoint = transitions(&stage, "savepoint", arguments.savepoints).await?;
    let ingress = transitions(&stage, "ingress", arguments.savepoints.min(6)).await?;
    let template = Template::make(&stage).await?;
    operator.stop().await?;

    make_namespace(&stage).await?;
    let mut crowds = Vec::new();
    let mut with_targets = None;
    let mut there = 0;
    for &resources in &arguments.resources {
        ensure!(resources > there, "--resources: expected rising numbers");
        let making = template.copy(&stage.client, CROWD, there..resources).await?;
        there = resources;
        let (crowd, operator) = crowd(&stage, resources, making).await?;
        println!(
            "{resources} resources: ready after {:.1?}, {:?}",
            crowd.ready, crowd.memory
        );
        crowds.push(crowd);
        if with_targets.is_none() {
            let length = Duration::from_secs(arguments.watch);
            let idle = idle::watch(&stage, &operator, length).await?;
            let crowded = transitions(&stage, "stateless", arguments.transitions).await?;
            with_targets = Some((idle, crowded));
        }
        operator.stop().await?;
    }
    let (idle, crowded) = with_targets.context("--resources: expected a number")?;
    Ok(Measured {
        starts,
        empty,
        stateless,
        savepoint,
        ingress,
        sizes: template.sizes(),
        crowds,
        crowded,
        idle,
    })
}

/// The memory after the metrics were read, which makes their text.
async fn memory(operator: &Program) -> Result<Memory> {
    operator.ask("/metrics").await?;
    machine::memory(operator.pid())
}

async fn transitions(stage: &Stage, scene: &str, count: usize) -> Result<Vec<Transition>> {
    let sight = Sight::of(&stage.client, stage.namespace(scene)?);
    let mut all = Vec::new();
    for _ in 0..count {
        // No version is tried twice.
        let version = format!("{scene}-{}", jiff::Timestamp::now().as_millisecond());
        let transition = transition::run(stage, scene, &sight, &version).await?;
        println!(
            "{scene}: green {:.1?} after the answer to the edit, {:.1?} after the savepoint; {} requests",
            transition.from_answer,
            transition.from_savepoint.unwrap_or_default(),
            transition.requests.len()
        );
        all.push(transition);
    }
    Ok(all)
}

async fn make_namespace(stage: &Stage) -> Result<()> {
    let namespaces: kube::Api<k8s_openapi::api::core::v1::Namespace> = kube::Api::all(stage.client.clone());
    let namespace = serde_json::from_value(serde_json::json!({ "metadata": { "name": CROWD } }))?;
    namespaces
        .create(&kube::api::PostParams::default(), &namespace)
        .await?;
    Ok(())
}

/// Starts the operator where so many resources are, and sees that it finds nothing to do.
async fn crowd(stage: &Stage, resources: usize, making: Duration) -> Result<(Crowd, Program)> {
    let audit = stage.plane.audit().await?;
    let started = Instant::now();
    let (operator, ready) = stage.start().await?;
    while looks(&operator).await? < resources {
        ensure!(
            started.elapsed() < Duration::from_mins(5),
            "the operator has not looked at each resource:\n{}",
            operator.last_lines()
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let looked = started.elapsed();
    tokio::time::sleep(SETTLE).await;
    let done = audit.requests().await?.by_user(Stage::user()).in_namespace(CROWD);
    ensure!(
        done.is_empty(),
        "{resources} settled copies are not left alone:\n{}\n{}",
        done.counts(),
        operator.last_lines()
    );
    let crowd = Crowd {
        resources,
        making,
        ready,
        looked,
        memory: memory(&operator).await?,
        peak: machine::largest(operator.pid())?,
    };
    Ok((crowd, operator))
}

/// How many looks have ended.
async fn looks(operator: &Program) -> Result<usize> {
    let metrics = operator.ask("/metrics").await?;
    Ok(metrics
        .lines()
        .filter(|line| line.starts_with("sluice_looks_total"))
        .filter_map(|line| line.rsplit_once(' ')?.1.parse::<usize>().ok())
        .sum())
}
