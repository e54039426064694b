//! The operator is killed at each of its requests in turn: before it is sent on, with its answer lost, and after the
//! answer. The end is the same, and nothing is created, triggered or deleted twice.
//!
//! By default every request is played at one of the moments, and every few at all of them. `SLUICE_CRASHES=all` plays all,
//! and `SLUICE_CRASHES=savepoint-12-lost` the runs of that name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::end::differences;
use crate::support::proxy::{Act, Exchange, Moment};
use crate::support::run::{End, both, child, image, resource, resource_with, setting};
use crate::support::views::Seen;
use crate::support::world::{Cast, World};
use crate::support::{Tested, Wrong};

/// How many runs go on at a time.
const AT_ONCE: usize = 20;
/// Every so-manieth request is played at all moments.
const STRIDE: usize = 10;

/// A story that an operator is killed in.
struct Story {
    name: &'static str,
    /// What the actors do.
    actors: Value,
    resource: Value,
    /// The state from which on requests are counted; none: from the start of the operator.
    before: Option<[&'static str; 2]>,
    /// Edits, and the state in which each ends.
    edits: Vec<(Value, [&'static str; 2])>,
}

fn stories() -> Vec<Story> {
    let ingress = json!({ "spec": { "ingress": { "template": "{{name}}.example.com" } } });
    let usual = |name, edits| Story {
        name,
        actors: json!([]),
        resource: resource(),
        before: Some(["ACTIVE_BLUE", "RUNNING"]),
        edits,
    };
    vec![
        Story {
            before: None,
            ..usual("first", vec![(Value::Null, ["ACTIVE_BLUE", "RUNNING"])])
        },
        Story {
            resource: resource_with(&both(
                child(&json!({ "job": { "upgradeMode": "stateless" } })),
                &ingress,
            )),
            ..usual(
                "stateless-ingress",
                vec![(image("orders:2"), ["ACTIVE_GREEN", "RUNNING"])],
            )
        },
        usual(
            "savepoint",
            vec![(image("orders:2"), ["ACTIVE_GREEN", "RUNNING"])],
        ),
        Story {
            actors: json!([{ "children": { "green": { "outcome": "stays-deploying" } } }]),
            ..usual(
                "abort",
                vec![(
                    both(
                        image("orders:2"),
                        &both(
                            both(
                                setting("abort.grace-period", "6 s"),
                                &setting("savepoint.timeout", "60 s"),
                            ),
                            &setting("abort.failed-deployment", "DELETE"),
                        ),
                    ),
                    ["ACTIVE_BLUE", "FAILING"],
                )],
            )
        },
        usual(
            "suspend-resume",
            vec![
                (
                    child(&json!({ "job": { "state": "suspended" } })),
                    ["ACTIVE_BLUE", "SUSPENDED"],
                ),
                (
                    child(&json!({ "job": { "state": "running" } })),
                    ["ACTIVE_BLUE", "RUNNING"],
                ),
            ],
        ),
        usual(
            "in-place",
            vec![(
                child(&json!({ "job": { "allowNonRestoredState": true } })),
                ["ACTIVE_BLUE", "RUNNING"],
            )],
        ),
    ]
}

/// What came of a run.
struct Played {
    end: End,
    /// Requests that were carried out and change something, by what they are.
    writes: BTreeMap<String, usize>,
    events: BTreeMap<String, usize>,
    exchanges: Vec<Exchange>,
    hit: Option<Exchange>,
}

fn is_there(seen: &Seen, rest: [&str; 2]) -> bool {
    let [state, job] = rest;
    let gone = |child: &Option<Value>| child.is_none();
    let one_child = match state {
        "ACTIVE_BLUE" => gone(&seen.green),
        "ACTIVE_GREEN" => gone(&seen.blue),
        _ => true,
    };
    seen.rests(state, job) && one_child
}

/// Plays a story with the operator killed at this request and moment.
async fn play(
    world: &World,
    name: &str,
    story: &Story,
    crash: Option<(usize, Moment)>,
) -> Result<Played, Wrong> {
    let _turn = world.at_once.acquire().await.unwrap();
    let run = world.run(name).await;
    if let Some(before) = story.before {
        run.operator.start();
        run.apply(&story.resource).await;
        run.rests(before[0], before[1]).await?;
        // What was to be told of the settled state was told.
        let pause = std::time::Duration::from_millis(400);
        run.proxy
            .quiet(pause, pause * 30)
            .await
            .map_err(|words| run.wrong(&words))?;
    }
    run.proxy.begin();
    if let Some((number, moment)) = crash {
        run.proxy.at(number, Act::Kill(moment));
    }
    let (proxy, operator) = (Arc::clone(&run.proxy), run.operator.clone());
    let again = tokio::spawn(async move {
        proxy.until_hit().await;
        operator.start();
    });
    for (edit, rest) in &story.edits {
        if edit.is_null() {
            run.apply(&story.resource).await;
            run.operator.start();
        } else {
            run.edit(edit).await;
        }
        run.until(&format!("rests {rest:?}"), |seen| is_there(seen, *rest))
            .await?;
        let pause = std::time::Duration::from_millis(500);
        run.proxy
            .quiet(pause, pause * 30)
            .await
            .map_err(|words| run.wrong(&words))?;
    }
    run.quiet().await?;
    again.abort();
    let exchanges = run.proxy.exchanges();
    let mut writes = BTreeMap::new();
    for exchange in exchanges.iter().filter(|exchange| exchange.took_effect()) {
        *writes.entry(exchange.what()).or_default() += 1;
    }
    let (events, hit) = (run.events().await, run.proxy.hit());
    Ok(Played {
        events,
        writes,
        exchanges,
        hit,
        end: run.over(world).await?,
    })
}

/// What is not as it has to be.
fn judge(plain: &Played, crashed: &Played) -> Vec<String> {
    let mut wrong = differences(&plain.end.state, &crashed.end.state);
    if plain.end.tally != crashed.end.tally {
        wrong.push(format!(
            "the actors counted {:?}, undisturbed {:?}",
            crashed.end.tally, plain.end.tally
        ));
    }
    for (what, count) in &crashed.writes {
        let usual = plain.writes.get(what).copied().unwrap_or_default();
        // A status may be written once more, and a trigger id be sent twice: it is one savepoint.
        let free = what.contains("/status") || what.contains("events") || what.contains("/savepoints");
        if *count > usual && !free {
            wrong.push(format!(
                "{what} was carried out {count} times, undisturbed {usual}"
            ));
        }
    }
    for (reason, count) in &crashed.events {
        let usual = plain.events.get(reason).copied().unwrap_or_default();
        if *count > usual {
            wrong.push(format!("{reason} was told {count} times, undisturbed {usual}"));
        }
    }
    wrong
}

/// Which runs are wished for; none: the usual choice.
fn wish() -> Option<String> {
    std::env::var("SLUICE_CRASHES")
        .ok()
        .filter(|wish| !wish.is_empty())
}

/// The crashes to be played of a story with so many requests.
fn chosen(requests: usize) -> Vec<(usize, Moment)> {
    let every = wish().is_some();
    let mut all = Vec::new();
    for number in 1..=requests {
        for (place, moment) in Moment::ALL.into_iter().enumerate() {
            let turn = number % Moment::ALL.len() == place;
            if every || turn || number % STRIDE == 0 {
                all.push((number, moment));
            }
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whenever_the_operator_is_killed_the_end_is_the_same_and_nothing_is_done_twice() -> Tested {
    let began = Instant::now();
    let stories = stories();
    let casts = |story: &Story, name: String| Cast::new(name).acting(&story.actors);
    let first = stories
        .iter()
        .map(|story| casts(story, format!("plain-{}", story.name)));
    let world = World::open(first.collect(), stories.len()).await;
    let plain = stories
        .iter()
        .map(async |story| play(&world, &format!("plain-{}", story.name), story, None).await);
    let plain: Vec<Played> = futures::future::try_join_all(plain).await?;
    println!("undisturbed: {:.0} s", began.elapsed().as_secs_f64());

    let mut runs = Vec::new();
    for (index, story) in stories.iter().enumerate() {
        for (number, moment) in chosen(plain[index].exchanges.len()) {
            runs.push((
                index,
                number,
                moment,
                format!("{}-{number}-{moment:?}", story.name).to_lowercase(),
            ));
        }
    }
    let wish = wish().filter(|wish| wish != "all");
    runs.retain(|run| wish.as_ref().is_none_or(|wish| run.3.contains(wish)));
    let cast = runs
        .iter()
        .map(|(index, _, _, name)| casts(&stories[*index], name.clone()));
    let world = World::open(cast.collect(), AT_ONCE).await;
    let ends = runs.iter().map(async |(index, number, moment, name)| {
        let end = play(&world, name, &stories[*index], Some((*number, *moment))).await;
        println!(
            "{:>6.1} {name} {}",
            began.elapsed().as_secs_f64(),
            if end.is_ok() { "ends" } else { "does not end" }
        );
        (index, number, moment, end)
    });
    let ends = futures::future::join_all(ends).await;

    let mut report = String::new();
    let (mut failures, mut missed) = (Vec::new(), 0);
    for (index, number, moment, end) in ends {
        let story = stories[*index].name;
        match end {
            Err(Wrong(words)) => failures.push(format!("{story}, {moment:?} request {number}: {words}")),
            Ok(end) => {
                let Some(hit) = &end.hit else {
                    missed += 1;
                    continue;
                };
                let wrong = judge(&plain[*index], &end);
                if !wrong.is_empty() {
                    let what = hit.what();
                    let trace = &end.end.trace;
                    let wrong = wrong.join("\n  ");
                    failures.push(format!(
                        "{story}, {moment:?} request {number} ({what}):\n  {wrong}\n{trace}"
                    ));
                }
            }
        }
    }
    for (story, plain) in stories.iter().zip(&plain) {
        let played = runs
            .iter()
            .filter(|run| stories[run.0].name == story.name)
            .count();
        let all = plain.exchanges.len();
        let _ = writeln!(
            report,
            "{:<18} {all:>3} requests, {played:>3} of {:>3} crashes played",
            story.name,
            all * 3
        );
    }
    println!(
        "{report}{} runs, {} failed, {missed} in which the request did not come; {:.0} s",
        runs.len(),
        failures.len(),
        began.elapsed().as_secs_f64()
    );
    if failures.is_empty() {
        return Ok(());
    }
    Err(Wrong(failures.join("\n\n")))
}
