//! Watches that break off, that are dead without a word, and lists that are older than what was known.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::answers::begin;
use crate::support::Tested;
use crate::support::proxy::Act;
use crate::support::run::{Run, image};
use crate::support::world::{Cast, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_16_watches_that_are_cut_again_and_again_lose_nothing() -> Tested {
    let (world, run) = World::one(Cast::new("cut")).await;
    begin(&run).await?;
    let opened = run.proxy.watches();
    let proxy = std::sync::Arc::clone(&run.proxy);
    let cutting = tokio::spawn(async move {
        loop {
            proxy.cut_watches();
            tokio::time::sleep(Duration::from_millis(700)).await;
        }
    });
    run.edit(&image("orders:2")).await;
    run.until("green serves alone", |seen| {
        seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none()
    })
    .await?;
    cutting.abort();
    run.check(run.proxy.watches() > opened + 3, "the watches were not cut")?;
    let end = run.over(&world).await?;
    run.check(end.tally.savepoints == 1, "one savepoint")?;
    run.check(
        end.tally.been.created.values().all(|uids| uids.len() == 1),
        "a child was created twice",
    )
}

/// By default a watch lasts 60 s and a dead one is noticed 5 s later; here it lasts 4 s.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_17_a_watch_that_is_dead_without_a_word_blinds_no_longer_than_it_lasts_and_5_s() -> Tested {
    let world = World::open(vec![Cast::new("dead-watch")], 1).await;
    let run = Run::with(&world, "dead-watch", &["--watch-seconds=4"]).await;
    begin(&run).await?;
    run.proxy.deafen_watches();
    let began = Instant::now();
    run.edit(&image("orders:2")).await;
    run.until("the edit is seen", |seen| seen.state() == "SAVEPOINTING_BLUE")
        .await?;
    let blind = began.elapsed();
    println!("blind for {:.1} s", blind.as_secs_f64());
    run.check(blind > Duration::from_secs(2), "the watches were not dead")?;
    run.check(
        blind < Duration::from_secs(4 + 5 + 6),
        &format!("blind for {blind:?}"),
    )?;
    run.until("green serves alone", |seen| {
        seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none()
    })
    .await?;
    let end = run.over(&world).await?;
    run.check(end.tally.savepoints == 1, "one savepoint")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_15_lists_after_a_restart_that_are_older_than_the_last_look_do_no_harm() -> Tested {
    let (world, run) = World::one(Cast::new("stale-list")).await;
    begin(&run).await?;
    // What is replayed below is a list of the time when blue served, before green came.
    run.operator.kill();
    run.operator.start();
    tokio::time::sleep(Duration::from_secs(2)).await;
    run.edit(&image("orders:2")).await;
    run.until("green serves alone", |seen| {
        seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none()
    })
    .await?;
    run.operator.kill();
    run.proxy.begin();
    run.proxy.when(|exchange| {
        let is_list = exchange.method == "GET" && !exchange.what().contains('/');
        is_list.then_some(Act::Replay)
    });
    run.operator.start();
    tokio::time::sleep(Duration::from_secs(4)).await;
    run.proxy.peace();
    let writes: Vec<String> = run.proxy.writes();
    run.check(
        writes.iter().all(|write| write.contains("event")),
        &format!("it wrote {writes:?}"),
    )?;
    let seen = run.rests("ACTIVE_GREEN", "RUNNING").await?;
    run.check(
        seen.green.is_some() && seen.blue.is_none(),
        "the children have changed",
    )?;
    run.edit(&json!({ "spec": { "template": { "spec": { "image": "orders:3" } } } }))
        .await;
    run.until("blue serves alone", |seen| {
        seen.rests("ACTIVE_BLUE", "RUNNING") && seen.green.is_none()
    })
    .await?;
    run.over(&world).await?;
    Ok(())
}
