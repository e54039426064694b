//! What an idle runner with ten jobs needs, and how soon it starts a new version: a real runner, and real Flink.

mod edit;
mod idle;
mod processes;
mod resource;
mod stage;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::figures::{Figure, median, megabytes, percent, report};
use edit::Edit;
use idle::Idle;
use resource::Job;
use stage::Stage;

/// How many resources are active.
const JOBS: usize = 10;
/// How many of them start at the same time: a starting JVM keeps a core busy.
const WAVE: usize = 2;
/// The pause between the last start and the measurement.
const SETTLE: Duration = Duration::from_secs(20);
/// The pause before each edit.
const PAUSE: Duration = Duration::from_secs(1);

/// The bar of the project: memory of the idle runner, in bytes, and its share of one core.
const MEMORY: u64 = 30_000_000;
const PROCESSOR: f64 = 0.01;
/// The bar of the project: from the edit to the start of the green JobManager.
const EDIT: Duration = Duration::from_millis(200);

/// What is measured.
#[derive(Args)]
pub struct Arguments {
    /// The `sluice` program, built as users get it
    #[arg(long, value_name = "FILE")]
    sluice: PathBuf,
    /// The ledger job
    #[arg(long, value_name = "FILE")]
    job_jar: PathBuf,
    /// How long the idle runner is watched
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    watch: u64,
    /// How many edits are measured
    #[arg(long, value_name = "COUNT", default_value_t = JOBS, value_parser = edits)]
    edits: usize,
}

fn edits(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (1..=JOBS).contains(&count) => Ok(count),
        _ => Err(format!(
            "expected a number from 1 to {JOBS}: each job is edited once"
        )),
    }
}

/// Measures both; nothing is left running, however it ends.
pub fn measure(arguments: &Arguments) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let figures = runtime.block_on(async {
        let (mut interrupt, mut terminate) =
            (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            figures = figures(arguments) => figures,
            _ = interrupt.recv() => bail!("interrupted; everything that was started has been stopped"),
            _ = terminate.recv() => bail!("told to end; everything that was started has been stopped"),
        }
    })?;
    report("local", &figures)
}

async fn figures(arguments: &Arguments) -> Result<Vec<Figure>> {
    let jar = arguments
        .job_jar
        .canonicalize()
        .with_context(|| format!("{} is not there", arguments.job_jar.display()))?;
    let mut stage = Stage::open(&arguments.sluice).await?;
    let jobs: Vec<Job> = (1..=JOBS)
        .map(|number| Job::new(number, &jar, &stage.files()))
        .collect::<Result<_>>()?;
    for wave in jobs.chunks(WAVE) {
        let documents = wave.iter().map(|job| job.document("v1")).collect();
        stage.client().apply(documents).await?;
        stage.wait_until_active(wave, "BLUE").await?;
        for job in wave {
            println!("{} is active", job.name());
        }
    }
    println!("Watching the idle runner for {} s", arguments.watch);
    tokio::time::sleep(SETTLE).await;
    let idle = idle::watch(&stage, Duration::from_secs(arguments.watch)).await?;

    let mut edits = Vec::new();
    for job in jobs.iter().take(arguments.edits) {
        tokio::time::sleep(PAUSE).await;
        let edit = edit::measure(&stage, job).await?;
        println!(
            "edit of {}: answered after {:.1?}, JobManager started after {:.1?}, Flink answers {:.1?} later",
            job.name(),
            edit.to_answer,
            edit.to_process,
            edit.java
        );
        edits.push(edit);
        stage
            .wait_until_active(std::slice::from_ref(job), "GREEN")
            .await?;
    }
    stage.close().await?;
    let mut figures = of_idle(&idle);
    figures.extend(of_edits(&edits));
    Ok(figures)
}

fn of_idle(idle: &Idle) -> Vec<Figure> {
    let share = |time: Duration| time.as_secs_f64() / idle.watched.as_secs_f64();
    let runner = share(idle.runner_time);
    let (job_manager_time, job_manager_resident) = idle.job_manager;
    vec![
        Figure {
            name: format!("idle runner with {JOBS} active resources, resident memory (largest)"),
            value: megabytes(idle.runner.resident),
            target: Some((
                format!("below {}", megabytes(MEMORY)),
                idle.runner.resident < MEMORY,
            )),
        },
        Figure::plain(
            "of it anonymous; proportional set size",
            format!(
                "{}; {}",
                megabytes(idle.runner.anonymous),
                megabytes(idle.runner.proportional)
            ),
        ),
        Figure {
            name: format!("idle runner, share of one core over {} s", idle.watched.as_secs()),
            value: percent(runner),
            target: Some((format!("below {}", percent(PROCESSOR)), runner < PROCESSOR)),
        },
        Figure::plain(
            format!("the {} Flink processes that it runs", idle.flink_processes),
            format!(
                "{}, {} of a core",
                megabytes(idle.flink_resident),
                percent(share(idle.flink_time))
            ),
        ),
        Figure::plain(
            "runner / these Flink processes",
            format!(
                "memory {}, processor {}",
                ratio(idle.runner.resident, idle.flink_resident),
                percent(idle.runner_time.as_secs_f64() / idle.flink_time.as_secs_f64())
            ),
        ),
        Figure::plain(
            "one idle JobManager (median)",
            format!(
                "{}, {} of a core",
                megabytes(job_manager_resident),
                percent(share(job_manager_time))
            ),
        ),
        Figure::plain("how busy the machine was meanwhile", percent(idle.machine)),
    ]
}

fn of_edits(edits: &[Edit]) -> Vec<Figure> {
    let all = |part: fn(&Edit) -> Duration| edits.iter().map(part).collect::<Vec<_>>();
    let to_process = all(|edit| edit.to_process);
    let range = |durations: &[Duration]| {
        let least = durations.iter().min().copied().unwrap_or_default();
        let most = durations.iter().max().copied().unwrap_or_default();
        format!("{least:.1?} to {most:.1?}")
    };
    let spread = range(&to_process);
    let (sluice, java) = (median(to_process), median(all(|edit| edit.java)));
    vec![
        Figure::at_most(
            format!(
                "from a stateless edit to the process of the green JobManager (median of {})",
                edits.len()
            ),
            sluice,
            EDIT,
        ),
        Figure::plain("the fastest and the slowest of them", spread),
        Figure::plain(
            "of it until the edit was answered (median)",
            format!("{:.1?}", median(all(|edit| edit.to_answer))),
        ),
        Figure::plain(
            "from that process to its first answer over REST: the JVM and Flink (median)",
            format!("{java:.1?}"),
        ),
        Figure::plain(
            "Sluice / the JVM and Flink",
            percent(sluice.as_secs_f64() / java.as_secs_f64()),
        ),
    ]
}

fn ratio(part: u64, whole: u64) -> String {
    let hundredths = part.saturating_mul(10_000) / whole.max(1);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}
