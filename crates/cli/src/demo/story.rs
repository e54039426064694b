//! The story: four acts, each told while it happens.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use sluice_api::FlinkBlueGreenDeployment;
use sluice_api::blue_green::Color;
use sluice_api::flink_deployment::FlinkDeployment;
use sluice_api::gate::Strategy;
use sluice_core::bluegreen::active_color;
use sluice_local::client::Client;
use sluice_local::store::{DEFAULT_NAMESPACE, Kind};

use super::Settings;
use super::commits::Commits;
use super::feeder::{Feeder, RATE, SPLITS};
use super::ledger::{Fed, Output, count};
use super::manifest::Manifest;
use super::place::Place;
use super::report::{Ledger, Passage, Way, report};
use super::stage::{Act, Stage};
use crate::failure::Failure;
use crate::output::Out;
use crate::runner::{failed, optional};
use crate::view::verdict::{Verdict, Wanted};

/// How long a version that cannot start is given. Its JVMs have to come up within it and the job has to fail, also on a
/// busy machine, or the abort has no error of Flink's to quote. The outgoing job's savepoint has to be done within it, too.
pub(super) const SHORT_GRACE_PERIOD: &str = "45 s";
/// So much output before an upgrade and after it, so that the gap around it is one of the transition.
const COMMITS_BETWEEN: usize = 10;
/// When no more output comes for so long, what is missing will not come. A checkpoint commits every second.
const SILENCE: Duration = Duration::from_secs(8);
const LOOK: Duration = Duration::from_millis(200);

/// Tells the whole story. An error if ADVANCED mode lost or doubled anything.
pub(super) async fn tell(
    settings: &Settings,
    place: &Place,
    client: &Client,
    out: &Out,
) -> Result<(), Failure> {
    let stage = Stage::new(client, out);
    stage.say(&format!(
        "Flink {} is installed; the runner is up on {}.",
        settings.flink,
        settings.directory.display()
    ))?;
    let ways = [Way::Basic, Way::Advanced(settings.strategy)];
    let mut manifests = Vec::new();
    let mut ledgers = Vec::new();
    for (way, number) in ways.into_iter().zip([1, 4]) {
        let manifest = Manifest::new(way, place.path(), settings.flink)?;
        ledgers.push(Box::pin(perform(&stage, place, &manifest, way, number)).await?);
        manifests.push(manifest);
    }

    stage.heading("What the committed output says")?;
    stage.text(&report(&ledgers, stage.palette()))?;
    let exact = ledgers
        .iter()
        .filter(|ledger| ledger.way != Way::Basic)
        .all(|ledger| ledger.count.is_exact());
    if !exact {
        return Err(Failure::refused("The output of ADVANCED mode is not exact."));
    }
    if settings.keep {
        stage.heading("The jobs go on")?;
        for manifest in &manifests {
            stage.act(&manifest.version("v4"), Wanted::Active).await?;
        }
        let names: Vec<String> = manifests.iter().map(Manifest::name).collect();
        stage.text(&how_to_look(settings, client, &names).await?)?;
    }
    Ok(())
}

/// One resource from its first deployment to its last record.
async fn perform(
    stage: &Stage<'_>,
    place: &Place,
    manifest: &Manifest,
    way: Way,
    number: u32,
) -> Result<Ledger, Failure> {
    let name = manifest.name();
    let (input, output) = (place.file(&name).join("in"), place.file(&name).join("out"));
    // In ADVANCED mode the three changes are one act of the story, with letters.
    let title = |step: u32, text: &str| {
        let letter = char::from(b'a' + u8::try_from(step).unwrap_or(0));
        match way {
            Way::Advanced(strategy) => format!(
                "{number}{letter}. {name}, ADVANCED, strategy {}: {text}",
                strategy.name()
            ),
            Way::Basic => format!("{}. {name}, BASIC: {text}", number + step),
        }
    };
    stage.heading(&format!("{name} ({way}): the first deployment"))?;
    let feeder = Feeder::start(&input).map_err(Failure::refused)?;
    stage.say(&format!(
        "{RATE} events a second go to {SPLITS} files in {}.",
        input.display()
    ))?;
    let commits = Commits::watch(&output).map_err(Failure::refused)?;
    let first = stage.act(manifest, Wanted::Active).await?;
    reached(&first)?;
    output_comes(stage, &commits).await?;

    let mut acts: Vec<(String, Act)> = Vec::new();
    stage.heading(&title(0, "an upgrade with state, blue to green"))?;
    let act = stage.act(&manifest.version("v2"), Wanted::Active).await?;
    reached(&act)?;
    took(stage, &act)?;
    acts.push(("upgrade, blue to green".to_owned(), act));
    output_comes(stage, &commits).await?;

    stage.heading(&title(1, "a version that cannot start"))?;
    stage.say(&format!("It is given up after {SHORT_GRACE_PERIOD}."))?;
    let before = active_job(stage, &name).await?;
    let act = stage
        .act(&manifest.version("v3").broken(SHORT_GRACE_PERIOD), Wanted::Active)
        .await?;
    aborted(stage, &name, &act, before, way).await?;
    acts.push(("a version that cannot start".to_owned(), act));
    output_comes(stage, &commits).await?;

    stage.heading(&title(2, "an upgrade back, green to blue"))?;
    let act = stage.act(&manifest.version("v4"), Wanted::Active).await?;
    reached(&act)?;
    took(stage, &act)?;
    acts.push(("upgrade, green to blue".to_owned(), act));
    output_comes(stage, &commits).await?;

    stage.heading(&format!("{name}: the end"))?;
    let fed = feeder.stop().map_err(Failure::refused)?;
    stage.say(&format!(
        "{fed} events were fed; the job is given the time to write them all."
    ))?;
    settled_output(&output, fed).await?;
    let end = stage
        .act(&manifest.version("v4").state("suspended"), Wanted::Suspended)
        .await?;
    reached(&end)?;

    let passages = acts
        .into_iter()
        .map(|(what, act)| passage(what, &act, &commits))
        .collect();
    let count = counted(input, output).await?;
    Ok(Ledger {
        name,
        way,
        count,
        passages,
    })
}

/// Reads and compares everything, beside the runtime.
async fn counted(input: PathBuf, output: PathBuf) -> Result<super::ledger::Count, Failure> {
    tokio::task::spawn_blocking(move || -> std::io::Result<_> {
        Ok(count(&Fed::read(&input)?, &Output::read(&output)?))
    })
    .await
    .map_err(Failure::refused)?
    .map_err(|error| Failure::refused(format!("The output cannot be counted: {error}.")))
}

fn reached(act: &Act) -> Result<(), Failure> {
    match &act.verdict {
        Verdict::Reached(_) => Ok(()),
        Verdict::NotYet(text) | Verdict::NotAsWanted(text) => Err(Failure::NotAsWanted(text.clone())),
    }
}

fn took(stage: &Stage<'_>, act: &Act) -> Result<(), Failure> {
    let seconds = act.to.duration_since(act.from).as_secs_f64();
    stage.say(&format!(
        "From the edit to the end of the transition: {seconds:.1} s."
    ))
}

/// The id of the active child's job.
async fn active_job(stage: &Stage<'_>, name: &str) -> Result<Option<(Color, String)>, Failure> {
    let resource: Option<FlinkBlueGreenDeployment> = optional(
        stage.client,
        Kind::FlinkBlueGreenDeployment,
        DEFAULT_NAMESPACE,
        name,
    )
    .await?;
    let status = resource.and_then(|resource| resource.status).unwrap_or_default();
    let Some(color) = active_color(&status) else {
        return Ok(None);
    };
    let child: Option<FlinkDeployment> = optional(
        stage.client,
        Kind::FlinkDeployment,
        DEFAULT_NAMESPACE,
        &color.child_name(name),
    )
    .await?;
    let job_id = child.and_then(|child| child.status?.job_status?.job_id);
    Ok(job_id.map(|job_id| (color, job_id)))
}

/// The version that cannot start must have been given up, and the active side be as it was.
async fn aborted(
    stage: &Stage<'_>,
    name: &str,
    act: &Act,
    before: Option<(Color, String)>,
    way: Way,
) -> Result<(), Failure> {
    if let Verdict::Reached(text) | Verdict::NotYet(text) = &act.verdict {
        return Err(Failure::refused(format!(
            "The version that cannot start was not given up: {text}"
        )));
    }
    let after = active_job(stage, name).await?;
    match (before, after) {
        (Some((color, job)), Some((color_after, job_after))) if color == color_after && job == job_after => {
            stage.say(&format!("{color} was not touched: it is still job {job}."))
        }
        (Some((color, _)), Some((color_after, _)))
            if color == color_after && way == Way::Advanced(Strategy::Savepoint) =>
        {
            stage.say(&format!(
                "{color} is back: it has resumed from the savepoint that it was stopped with."
            ))
        }
        (before, after) => Err(Failure::refused(format!(
            "The abort has not left the active job as it was: {before:?} before, {after:?} after."
        ))),
    }
}

/// Waits for some commits, so that there is something to upgrade.
async fn output_comes(stage: &Stage<'_>, commits: &Commits) -> Result<(), Failure> {
    let begin = (Instant::now(), commits.len());
    while commits.len() < begin.1 + COMMITS_BETWEEN {
        if begin.0.elapsed() > SILENCE * 4 {
            return stage.say("No output is committed; the story goes on all the same.");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// Waits until every event is in the committed output, or no more comes.
async fn settled_output(output: &std::path::Path, fed: u64) -> Result<(), Failure> {
    let mut last = (0, Instant::now());
    loop {
        let directory = output.to_owned();
        let events =
            tokio::task::spawn_blocking(move || Output::read(&directory).map(|output| output.events()))
                .await
                .map_err(Failure::refused)?
                .map_err(|error| Failure::refused(format!("The output cannot be read: {error}.")))?;
        if events as u64 >= fed {
            return Ok(());
        }
        if events != last.0 {
            last = (events, Instant::now());
        } else if last.1.elapsed() > SILENCE {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn passage(what: String, act: &Act, commits: &Commits) -> Passage {
    let status = act.resource.status.clone().unwrap_or_default();
    let entry = status.history.first();
    let outcome = match (&act.verdict, entry) {
        (Verdict::Reached(_), _) => crate::view::resource::state_text(&status).to_owned(),
        (_, Some(entry)) => format!("{:?}", entry.outcome).to_lowercase(),
        (_, None) => "not done".to_owned(),
    };
    Passage {
        what,
        outcome,
        took: act.to.duration_since(act.from),
        gap: commits.longest_gap(act.from, act.to),
        pause: entry
            .and_then(|entry| entry.pause_milliseconds)
            .and_then(|pause| u64::try_from(pause).ok())
            .map(Duration::from_millis),
    }
}

/// For `--keep`.
async fn how_to_look(settings: &Settings, client: &Client, names: &[String]) -> Result<String, Failure> {
    let (first, last) = match names {
        [first, .., last] => (first.as_str(), last.as_str()),
        [only] => (only.as_str(), only.as_str()),
        [] => ("", ""),
    };
    let directory = settings.directory.display();
    let info = client.info().await.map_err(failed)?;
    let mut text =
        format!("\nIt goes on running, with its files in {directory}. Flink's web UI of the active job:\n");
    for endpoint in &info.endpoints {
        let _infallible = writeln!(text, "  {}  {}", endpoint.name, endpoint.address);
    }
    let _infallible = write!(
        text,
        "To look:\n\
         \x20 export SLUICE_HOME={directory}\n\
         \x20 sluice get\n\
         \x20 sluice describe {first}\n\
         \x20 sluice history {last}\n\
         \x20 sluice watch {first}\n\
         To try an upgrade:\n\
         \x20 sluice get flinkbgdep {first} -o yaml > edit.yaml    change a label in the arguments\n\
         \x20 sluice plan -f edit.yaml && sluice apply -f edit.yaml\n\
         To end it:\n\
         \x20 sluice local down\n"
    );
    Ok(text)
}
