//! From an edit to the start of the new version's JobManager, and what the JVM itself then takes.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use sluice_flink::Options;

use super::processes;
use super::resource::Job;
use super::stage::Stage;

/// How often the system is asked whether the process is there.
const LOOK: Duration = Duration::from_millis(1);
/// How long the process may take to be there.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long Flink may take to answer.
const FLINK: Duration = Duration::from_mins(2);

/// The times of one edit.
pub(super) struct Edit {
    /// From just before the request was sent until the JobManager's process was there.
    pub(super) to_process: Duration,
    /// From just before the request was sent until it was answered.
    pub(super) to_answer: Duration,
    /// From the process to its first answer over REST.
    pub(super) java: Duration,
}

/// Applies a new version of a job that is active in blue, without state, and takes the times.
pub(super) async fn measure(stage: &Stage, job: &Job) -> Result<Edit> {
    let before = processes::pids()?;
    let document = job.document("v2");
    let seen = tokio::task::spawn_blocking({
        let (directory, child) = (stage.directory().to_owned(), job.child("green"));
        move || wait_for_job_manager(&directory, &child, &before)
    });
    let begun = Instant::now();
    stage.client().apply(vec![document]).await?;
    let to_answer = begun.elapsed();
    let at = seen.await??;
    let java = first_answer(stage, &job.child("green"), at).await?;
    Ok(Edit {
        to_process: at.saturating_duration_since(begun),
        to_answer,
        java,
    })
}

/// The moment at which a process with the marks of this JobManager was there.
fn wait_for_job_manager(directory: &Path, child: &str, before: &HashSet<i32>) -> Result<Instant> {
    let begun = Instant::now();
    loop {
        // Only what is new is read: the processes of ten jobs would take longer than the pause between two looks.
        let found = processes::flink(directory, before)?;
        if found
            .iter()
            .any(|process| process.is_job_manager() && process.belongs_to(child))
        {
            return Ok(Instant::now());
        }
        ensure!(
            begun.elapsed() < PATIENCE,
            "no JobManager of {child} within {} s",
            PATIENCE.as_secs()
        );
        std::thread::sleep(LOOK);
    }
}

/// How long after its start the JobManager answered for the first time.
async fn first_answer(stage: &Stage, child: &str, started: Instant) -> Result<Duration> {
    let info = stage.client().info().await?;
    let address = info
        .deployments
        .iter()
        .find(|deployment| deployment.name == child)
        .map(|deployment| deployment.rest.clone())
        .with_context(|| format!("{child} has no address"))?;
    let flink = sluice_flink::Client::new(&address, Options::default())?;
    loop {
        if flink.overview().await.is_ok() {
            return Ok(started.elapsed());
        }
        ensure!(
            started.elapsed() < FLINK,
            "{child} does not answer within {} s",
            FLINK.as_secs()
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
