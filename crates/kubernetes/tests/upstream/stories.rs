//! The stories.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::job_managers::FAILURE;
use crate::kubelet::{FAILS, MISSING};
use crate::stage::Stage;
use crate::story::{Story, text};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upstreams_operator_runs_the_children_of_sluices() {
    let mut stage = Stage::set(&["upgrade", "missing", "fails", "advanced"]).await;
    let [upgrade, missing, fails, advanced] = stage.stories.as_slice() else {
        panic!("four stories");
    };
    let port = stage.port;
    let told = futures::future::join_all([
        told(upgrades_suspends_and_resumes(upgrade, port)),
        told(stays_with_blue(missing, port, MISSING, "Back-off pulling image")),
        told(stays_with_blue(fails, port, FAILS, FAILURE)),
        told(stops_before_it_starts(advanced, port)),
    ])
    .await;
    let unknown = stage.managers.unknown();
    if told.iter().any(Result::is_err) || !stage.upstream.runs() || !stage.sluice.runs() {
        println!("upstream's operator:\n{}\n", stage.upstream.log(400));
        println!("Sluice's:\n{}\n", stage.sluice.log(100));
        println!("asked for and not answered: {unknown:?}");
    }
    for story in told {
        if let Err(problem) = story {
            std::panic::resume_unwind(problem);
        }
    }
    assert!(stage.upstream.runs() && stage.sluice.runs(), "an operator ended");
    assert!(unknown.is_empty(), "nobody answers these: {unknown:?}");
}

/// The others go on to their ends when one fails.
fn told<'a>(story: impl Future<Output = ()> + Send + 'a) -> BoxFuture<'a, std::thread::Result<()>> {
    AssertUnwindSafe(story).catch_unwind().boxed()
}

/// The first deployment, a transition with a savepoint, a suspension, a resumption.
async fn upgrades_suspends_and_resumes(story: &Story, port: u16) {
    // Upstream's client writes all of this differently from how its author has written it.
    let pod = json!({ "spec": { "containers": [{ "name": "flink-main-container" }] } });
    let spec = json!({
        "flinkConfiguration": { "taskmanager.numberOfTaskSlots": 2 },
        "podTemplate": pod,
        "jobManager": { "podTemplate": pod },
        "taskManager": { "podTemplate": pod },
    });
    story.apply(port, json!({ "template": { "spec": spec } })).await;
    story.until("ACTIVE_BLUE", "RUNNING").await;
    let blue = story.child("blue").await;
    assert_eq!(
        blue["status"]["jobStatus"]["jobId"],
        json!(story.job("blue").unwrap())
    );
    nobody_fights_over(&blue);

    story.edit(json!({ "image": "orders:2" })).await;
    story.until("ACTIVE_GREEN", "RUNNING").await;
    let savepoints = story.asked("/savepoints");
    assert_eq!(savepoints.len(), 1, "{savepoints:?}");
    assert_eq!(savepoints[0].child, "orders-blue");
    assert_eq!(
        text(&savepoints[0].body, "/triggerId").len(),
        32,
        "{savepoints:?}"
    );
    let green = story.child("green").await;
    let path = text(&green, "/spec/job/initialSavepointPath");
    assert!(path.ends_with("-savepoints"), "{path}");
    assert_eq!(story.restored("green").as_deref(), Some(path));
    nobody_fights_over(&green);
    // Upstream's finalizer holds it until its cluster is gone.
    story.until_gone("blue").await;

    story.edit(json!({ "job": { "state": "suspended" } })).await;
    story.until("ACTIVE_GREEN", "SUSPENDED").await;
    let stops = story.asked("/stop");
    assert_eq!(stops.len(), 1, "{stops:?}");

    story.edit(json!({ "job": { "state": "running" } })).await;
    story.until("ACTIVE_GREEN", "RUNNING").await;
    let restored = story.restored("green").unwrap();
    assert!(restored.ends_with("-stop"), "{restored}");
    assert_eq!(story.asked("/savepoints").len(), 1);
}

/// A version that does not come up: it has no image, or its job fails.
async fn stays_with_blue(story: &Story, port: u16, image: &str, words: &str) {
    let delete = json!({ "kubernetes.operator.bluegreen.abort.failed-deployment": "DELETE" });
    story.apply(port, json!({ "configuration": delete })).await;
    story.until("ACTIVE_BLUE", "RUNNING").await;
    let job = story.job("blue").unwrap();
    // Long enough for upstream's operator to say what is wrong.
    story
        .configure(json!({ "kubernetes.operator.bluegreen.abort.grace-period": "15 s" }))
        .await;
    story.edit(json!({ "image": image })).await;
    let aborted = story
        .until_resource(&format!("{image} is set aside"), |resource| {
            text(resource, "/status/blueGreenState") == "ACTIVE_BLUE"
                && !resource["status"]["failed"].is_null()
        })
        .await;
    assert!(text(&aborted, "/status/error").contains(words), "{aborted}");
    story.until_gone("green").await;
    assert_eq!(story.job("blue"), Some(job));
    assert!(story.asked("/stop").is_empty());
}

/// ADVANCED, strategy SAVEPOINT: one writer at a time.
async fn stops_before_it_starts(story: &Story, port: u16) {
    let advanced = json!({
        "transitionMode": "ADVANCED",
        "template": { "spec": { "flinkConfiguration": {
            "bluegreen.gate.strategy": "SAVEPOINT",
            "execution.checkpointing.interval": "10 s",
        } } },
    });
    story.apply(port, advanced).await;
    story.until("ACTIVE_BLUE", "RUNNING").await;
    story.edit(json!({ "image": "orders:2" })).await;
    story.until("ACTIVE_GREEN", "RUNNING").await;
    let stops = story.asked("/stop");
    assert_eq!(stops.len(), 1, "{stops:?}");
    assert_eq!(stops[0].child, "orders-blue");
    let restored = story.restored("green").unwrap();
    assert!(restored.ends_with("-stop"), "{restored}");
    assert!(story.asked("/savepoints").is_empty());
    story.until_gone("blue").await;
}

/// Upstream's client writes defaults into the specification when it adds its finalizer; Sluice does not take them for
/// somebody's edit, so nothing is written a third time.
fn nobody_fights_over(child: &Value) {
    let generation = child["metadata"]["generation"].as_i64().unwrap();
    assert!(generation <= 2, "{child}");
}
