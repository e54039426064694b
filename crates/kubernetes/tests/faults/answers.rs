//! A transition with a savepoint, and one bad answer at each of its writes: the end is the same, and nothing is done twice.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::end::differences;
use crate::support::proxy::{Act, Exchange};
use crate::support::run::{End, Run, image, resource};
use crate::support::world::{Cast, World};
use crate::support::{Tested, Wrong};

const AT_ONCE: usize = 16;
/// What `Retry-After` says, seconds.
const RETRY_AFTER: u32 = 2;

const ACTS: [Act; 5] = [
    Act::Answer(409, None),
    Act::Answer(429, Some(RETRY_AFTER)),
    Act::Answer(500, None),
    Act::Cut,
    Act::CutAfter,
];

/// Plays the transition; the writes of it as they came by.
async fn play(world: &World, name: &str, harm: Option<(usize, Act)>) -> Result<(End, Vec<Exchange>), Wrong> {
    let _turn = world.at_once.acquire().await.unwrap();
    let run = world.run(name).await;
    begin(&run).await?;
    if let Some((write, act)) = harm {
        let mut writes = 0;
        run.proxy.when(move |exchange| {
            writes += usize::from(exchange.is_write());
            (exchange.is_write() && writes == write).then_some(act)
        });
    }
    run.edit(&image("orders:2")).await;
    run.until("green serves alone", |seen| {
        seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none()
    })
    .await?;
    run.quiet().await?;
    let exchanges = run.proxy.exchanges();
    Ok((run.over(world).await?, exchanges))
}

/// Blue serves, and all is quiet.
pub async fn begin(run: &Run) -> Tested {
    run.operator.start();
    run.apply(&resource()).await;
    run.rests("ACTIVE_BLUE", "RUNNING").await?;
    let pause = Duration::from_millis(400);
    run.proxy
        .quiet(pause, pause * 50)
        .await
        .map_err(|words| run.wrong(&words))?;
    run.proxy.begin();
    Ok(())
}

/// How long after the refusal the same was asked again.
fn gap(exchanges: &[Exchange]) -> Option<Duration> {
    let refused = exchanges.iter().position(|exchange| exchange.act.is_some())?;
    let first = exchanges.get(refused)?;
    let again = exchanges
        .get(refused + 1..)?
        .iter()
        .find(|exchange| exchange.what() == first.what())?;
    Some(again.at.duration_since(first.at))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_bad_answer_to_any_write_changes_nothing_about_the_end() -> Tested {
    let began = Instant::now();
    let world = World::open(vec![Cast::new("plain")], 1).await;
    let (plain, exchanges) = play(&world, "plain", None).await?;
    let writes: Vec<Exchange> = exchanges.into_iter().filter(Exchange::is_write).collect();
    let every = std::env::var_os("SLUICE_CRASHES").is_some();
    let mut runs = Vec::new();
    for (number, write) in (1..).zip(&writes) {
        let about_flink = write.path.starts_with("/jobmanager");
        for (place, act) in ACTS.into_iter().enumerate() {
            // Flink answers neither 409 nor 429; events are told once more or not at all.
            let sensible = !about_flink || !matches!(act, Act::Answer(409 | 429, _));
            let turn = number % 2 == place % 2 || !write.what().contains("event");
            if sensible && (turn || every) {
                runs.push((number, act, format!("write-{number}-{place}")));
            }
        }
    }
    let casts = runs.iter().map(|(_, _, name)| Cast::new(name.clone())).collect();
    let world = World::open(casts, AT_ONCE).await;
    let played = runs
        .iter()
        .map(async |(number, act, name)| (number, act, play(&world, name, Some((*number, *act))).await));
    let mut failures = Vec::new();
    let mut gaps = Vec::new();
    for (number, act, played) in futures::future::join_all(played).await {
        let what = writes[number - 1].what();
        let mut wrong = Vec::new();
        match played {
            Err(Wrong(words)) => wrong.push(words),
            Ok((end, exchanges)) => {
                wrong.extend(differences(&plain.state, &end.state));
                if end.tally != plain.tally {
                    wrong.push(format!("counted {:?}, undisturbed {:?}", end.tally, plain.tally));
                }
                // Which write it was in this run: events come a moment earlier or later. They are not told again.
                let refused = exchanges.iter().find(|exchange| exchange.act.is_some());
                let event = refused.is_none_or(|exchange| exchange.what().contains("events"));
                if *act == Act::Answer(429, Some(RETRY_AFTER)) && !event {
                    let gap = gap(&exchanges);
                    gaps.push(format!(
                        "{what} {:.1} s",
                        gap.map_or(f64::NAN, |gap| gap.as_secs_f64())
                    ));
                    if gap.is_none_or(|gap| gap < Duration::from_secs(u64::from(RETRY_AFTER))) {
                        wrong.push(format!(
                            "Retry-After {RETRY_AFTER} s was answered, and it was asked again after {gap:?}"
                        ));
                    }
                }
                if !wrong.is_empty() {
                    wrong.push(end.trace);
                }
            }
        }
        if !wrong.is_empty() {
            failures.push(format!(
                "write {number} ({what}), {act:?}:\n  {}",
                wrong.join("\n  ")
            ));
        }
    }
    println!(
        "{} writes, {} runs, {} failed; after 429 with Retry-After {RETRY_AFTER}: {}; {:.0} s",
        writes.len(),
        runs.len(),
        failures.len(),
        gaps.join(", "),
        began.elapsed().as_secs_f64()
    );
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Wrong(failures.join("\n\n")))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_18_a_child_that_changed_under_the_operator_is_looked_at_again_and_nobodys_finalizer_is_lost()
-> Tested {
    let (world, run) = World::one(Cast::new("child-conflict")).await;
    begin(&run).await?;
    let keep = json!({ "metadata": { "annotations": { "people.example.com/note": "keep" }, "labels": { "mine": "yes" } } });
    let parameters = kube::api::PatchParams::default();
    let blue = format!("{}-blue", crate::support::RESOURCE);
    let patch = kube::api::Patch::Merge(keep);
    let children = run.api(crate::support::views::Kind::Flink);
    children.patch(&blue, &parameters, &patch).await.unwrap();
    let mut refused = 0;
    run.proxy.when(move |exchange| {
        let child = exchange.method == "PUT" && exchange.what().ends_with("flinkdeployments/orders-blue");
        refused += usize::from(child);
        (child && refused <= 2).then_some(Act::Answer(409, None))
    });
    run.edit(&crate::support::run::child(
        &json!({ "job": { "allowNonRestoredState": true } }),
    ))
    .await;
    run.rests("ACTIVE_BLUE", "RUNNING").await?;
    let blue = run.fresh().await?.blue.unwrap();
    run.check(
        blue["spec"]["job"]["allowNonRestoredState"] == true,
        "the change is told to be complete, and the child is as it was",
    )?;
    run.check(!blue["metadata"]["finalizers"].is_null(), "the finalizer is lost")?;
    run.check(
        blue["metadata"]["labels"]["mine"] == "yes",
        "somebody's label is lost",
    )?;
    run.check(
        blue["metadata"]["annotations"]["people.example.com/note"] == "keep",
        "somebody's annotation is lost",
    )?;
    run.over(&world).await?;
    Ok(())
}

/// Rows 19 and 20: the API server is away for a while, again and again refused, and nobody gives up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_19_and_20_whatever_the_server_answers_for_20_seconds_is_waited_out() -> Tested {
    let acts = [
        ("busy", Act::Answer(503, None)),
        ("full", Act::Answer(429, Some(1))),
        ("cut", Act::Cut),
    ];
    let world = World::open(acts.iter().map(|(name, _)| Cast::new(*name)).collect(), 3).await;
    let played = acts.iter().map(async |(name, act)| {
        let run = world.run(name).await;
        begin(&run).await?;
        run.edit(&image("orders:2")).await;
        run.until("the savepoint is under way", |seen| {
            seen.state() == "SAVEPOINTING_BLUE"
        })
        .await?;
        let (from, act) = (run.proxy.count(), *act);
        run.proxy
            .when(move |exchange| (!exchange.path.starts_with("/jobmanager")).then_some(act));
        run.proxy.cut_watches();
        tokio::time::sleep(Duration::from_secs(20)).await;
        let asked = run.proxy.count() - from;
        run.proxy.peace();
        let seen = run
            .until("green serves alone", |seen| {
                seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none()
            })
            .await?;
        println!("{name}: {asked} requests in 20 s");
        run.check(asked < 120, &format!("{asked} requests in 20 s are a storm"))?;
        run.check(seen.status("/error").is_null(), "an error stays")?;
        let end = run.over(&world).await?;
        run.check(
            end.tally.savepoints == 1,
            &format!("{} savepoints", end.tally.savepoints),
        )
    });
    futures::future::try_join_all(played).await?;
    Ok(())
}
