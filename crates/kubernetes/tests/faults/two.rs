//! Two operators at the same time: side by side without a lease, and one after the other with one.

use std::time::{Duration, Instant};

use crate::answers::begin;
use crate::support::Tested;
use crate::support::operator::Ends;
use crate::support::proxy::Exchange;
use crate::support::run::{Run, image, resource, second_operator};
use crate::support::world::{Cast, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_22_two_operators_side_by_side_do_nothing_twice() -> Tested {
    let (world, run) = World::one(Cast::new("side-by-side")).await;
    let (other, proxy) = second_operator(&world, &run.namespace, "other", &[]).await;
    let _ends = Ends(other.clone());
    other.start();
    begin(&run).await?;
    run.edit(&image("orders:2")).await;
    run.until("green serves alone", |seen| {
        seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none()
    })
    .await?;
    run.edit(&image("orders:3")).await;
    run.until("blue serves alone", |seen| {
        seen.rests("ACTIVE_BLUE", "RUNNING") && seen.green.is_none()
    })
    .await?;
    run.quiet().await?;
    proxy
        .quiet(Duration::from_secs(3), Duration::from_secs(20))
        .await
        .map_err(|words| run.wrong(&words))?;
    let refused = |exchanges: Vec<crate::support::proxy::Exchange>| {
        exchanges
            .iter()
            .filter(|exchange| exchange.status == Some(409))
            .count()
    };
    println!(
        "writes of the one {}, of the other {}; refused with 409: {} and {}",
        run.proxy.writes().len(),
        proxy.writes().len(),
        refused(run.proxy.exchanges()),
        refused(proxy.exchanges())
    );
    run.check(other.runs(), "the other operator has ended by itself")?;
    other.kill();
    let end = run.over(&world).await?;
    run.check(
        end.tally.savepoints == 2,
        &format!("{} savepoints\n{}", end.tally.savepoints, end.trace),
    )?;
    let created: usize = end.tally.been.created.values().map(Vec::len).sum();
    run.check(
        created == 3,
        &format!("{created} children were created\n{}", end.trace),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_21_the_next_leader_finishes_what_a_killed_one_began_and_sigterm_hands_over_at_once() -> Tested {
    let world = World::open(vec![Cast::new("leaders")], 1).await;
    let namespace = world.namespace("leaders");
    let lease = format!("--lease-namespace={namespace}");
    let arguments = ["--leader-election=true", lease.as_str()];
    let run = Run::with(&world, "leaders", &arguments).await;
    begin_with_lease(&run).await?;
    let (second, proxy) = second_operator(&world, &namespace, "second", &arguments).await;
    let _ends = Ends(second.clone());
    second.start();
    run.edit(&image("orders:2")).await;
    run.until("the savepoint is under way", |seen| {
        seen.state() == "SAVEPOINTING_BLUE"
    })
    .await?;
    run.operator.kill();
    let killed = Instant::now();
    run.until("green serves alone", |seen| {
        seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none()
    })
    .await?;
    let first_write = proxy
        .exchanges()
        .into_iter()
        .find(Exchange::is_write)
        .map(|exchange| exchange.at);
    let taken = first_write.map_or(f64::NAN, |at| at.duration_since(killed).as_secs_f64());
    println!("after SIGKILL the other acts within {taken:.1} s");
    run.check(taken < 25.0, "the lease lasts 15 s")?;

    // The first one comes back and waits; the second hands over.
    run.operator.start();
    tokio::time::sleep(Duration::from_secs(3)).await;
    run.proxy.begin();
    let began = Instant::now();
    let ending = second.terminate().await;
    run.edit(&image("orders:3")).await;
    println!(
        "the edit is made {:.1} s after the signal",
        began.elapsed().as_secs_f64()
    );
    run.until("the next transition has begun", |seen| !seen.step().is_empty())
        .await?;
    let taken = began.elapsed();
    println!(
        "SIGTERM ends it within {:.1} s, and the other acts {:.1} s after the signal",
        ending.as_secs_f64(),
        taken.as_secs_f64()
    );
    run.check(
        taken < Duration::from_secs(8),
        &format!("taken over after {taken:?}"),
    )?;
    run.until("blue serves alone", |seen| {
        seen.rests("ACTIVE_BLUE", "RUNNING") && seen.green.is_none()
    })
    .await?;
    let end = run.over(&world).await?;
    run.check(
        end.tally.savepoints == 2,
        &format!("{} savepoints", end.tally.savepoints),
    )?;
    let created: usize = end.tally.been.created.values().map(Vec::len).sum();
    run.check(created == 3, &format!("{created} children were created"))
}

async fn begin_with_lease(run: &Run) -> Tested {
    run.operator.start();
    run.apply(&resource()).await;
    run.rests("ACTIVE_BLUE", "RUNNING").await?;
    Ok(())
}
