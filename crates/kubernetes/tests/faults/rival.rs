//! Another operator that writes the status of the same resource: Sluice stands aside, and takes over when it is gone.

use std::time::{Duration, Instant};

use kube::api::{DynamicObject, PostParams};
use serde_json::{Value, json};
use sluice_api::metadata::{ANNOTATION_RETRY, LABEL_COLOR};

use crate::answers::begin;
use crate::support::run::{Run, both, image, resource_with};
use crate::support::views::{Kind, Seen, at, text};
use crate::support::world::{Cast, World};
use crate::support::{RESOURCE, Tested, Wrong};

/// The name of upstream's client in the managed fields.
const UPSTREAM: &str = "fabric8-kubernetes-client";

/// The status as upstream writes it: whole, without what it does not know.
async fn write(run: &Run, state: &str, job: &str, spec: &Value, more: &Value) {
    let api = run.api(Kind::BlueGreen);
    let post = PostParams {
        field_manager: Some(UPSTREAM.to_owned()),
        ..PostParams::default()
    };
    let reconciled = json!({ "spec": spec, "resource_metadata": { "apiVersion": "flink.apache.org/v1beta1", "firstDeployment": false } });
    let status = json!({
        "blueGreenState": state,
        "jobStatus": { "state": job },
        "lastReconciledSpec": reconciled.to_string(),
        "lastReconciledTimestamp": jiff::Timestamp::now().to_string(),
        "abortTimestamp": "1970-01-01T00:00:00Z",
        "deploymentReadyTimestamp": "1970-01-01T00:00:00Z",
    });
    let status = both(status, more);
    for _ in 0..20 {
        let mut object = api.get(RESOURCE).await.unwrap();
        object.data["status"] = status.clone();
        object.metadata.managed_fields = None;
        match api.replace_status(RESOURCE, &post, &object).await {
            Ok(_) => return,
            Err(kube::Error::Api(answer)) if answer.code == 409 => {}
            Err(error) => panic!("{error}"),
        }
    }
    panic!("upstream's status cannot be written");
}

fn says_so(seen: &Seen) -> bool {
    let degraded = seen.condition("Degraded");
    degraded["status"] == "True" && degraded["reason"] == "AnotherOperator"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_that_another_operator_writes_is_let_alone_until_a_person_says_so() -> Tested {
    let (world, run) = World::one(Cast::new("rival")).await;
    begin(&run).await?;
    let spec = run.seen().resource.unwrap()["spec"].clone();
    // Whole seconds stand in the managed fields.
    tokio::time::sleep(Duration::from_secs(2)).await;
    run.proxy.begin();
    let began = Instant::now();
    write(&run, "TRANSITIONING_TO_BLUE", "RECONCILING", &spec, &json!({})).await;
    run.until("it is said", says_so).await?;
    let said = began.elapsed();
    // The watch may be faster than the answer that the proxy counts.
    tokio::time::sleep(Duration::from_millis(500)).await;
    let writes = run.proxy.writes();
    println!("said after {:.1} s; writes: {writes:?}", said.as_secs_f64());
    run.check(said < Duration::from_secs(25), "too late")?;
    let of_status = writes.iter().filter(|write| write.contains("/status")).count();
    run.check(
        of_status == 1 && !writes.iter().any(|write| write.contains("flinkdeployments/")),
        "one write",
    )?;

    // The other goes on, and a user edits: Sluice does nothing.
    run.proxy.begin();
    run.edit(&image("orders:2")).await;
    for round in 0..6 {
        let state = if round % 2 == 0 {
            "ACTIVE_BLUE"
        } else {
            "TRANSITIONING_TO_BLUE"
        };
        write(&run, state, "RECONCILING", &spec, &json!({})).await;
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    write(&run, "ACTIVE_BLUE", "RUNNING", &spec, &json!({})).await;
    run.until("it is said again", says_so).await?;
    run.quiet().await?;
    let writes = run.proxy.writes();
    let asked = run.proxy.count();
    println!("while the other writes: {asked} requests, writes {writes:?}");
    let effects = writes
        .iter()
        .filter(|write| !write.contains("/status") && !write.contains("events"))
        .count();
    run.check(effects == 0, "it acted beside the other")?;
    run.check(
        writes.iter().filter(|write| write.contains("/status")).count() <= 3,
        "a duel",
    )?;
    run.check(run.seen().green.is_none(), "green was created")?;

    // The other is silent, and a person asks for it to be tried again.
    let annotations = json!({ ANNOTATION_RETRY: "1" });
    run.edit(&json!({ "metadata": { "annotations": annotations } }))
        .await;
    run.until("green serves alone", |seen| {
        seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none()
    })
    .await?;
    let end = run.over(&world).await?;
    run.check(!says_so(&end.seen), "the condition stays")?;
    run.check(
        end.tally.savepoints == 1,
        &format!("{} savepoints", end.tally.savepoints),
    )
}

/// A state that upstream has left behind.
struct Left {
    state: &'static str,
    job: &'static str,
    blue: Option<&'static str>,
    green: Option<&'static str>,
    /// The image in the resource, and in the specification reconciled last.
    images: [&'static str; 2],
    end: &'static str,
}

const LEFT: [Left; 7] = [
    Left {
        state: "INITIALIZING_BLUE",
        job: "RECONCILING",
        blue: None,
        green: None,
        images: ["orders:1", "orders:1"],
        end: "ACTIVE_BLUE",
    },
    Left {
        state: "ACTIVE_BLUE",
        job: "RUNNING",
        blue: Some("orders:1"),
        green: None,
        images: ["orders:1", "orders:1"],
        end: "ACTIVE_BLUE",
    },
    Left {
        state: "ACTIVE_GREEN",
        job: "RUNNING",
        blue: None,
        green: Some("orders:1"),
        images: ["orders:1", "orders:1"],
        end: "ACTIVE_GREEN",
    },
    Left {
        state: "TRANSITIONING_TO_BLUE",
        job: "RECONCILING",
        blue: Some("orders:2"),
        green: Some("orders:1"),
        images: ["orders:2", "orders:2"],
        end: "ACTIVE_BLUE",
    },
    Left {
        state: "TRANSITIONING_TO_GREEN",
        job: "RECONCILING",
        blue: Some("orders:1"),
        green: Some("orders:2"),
        images: ["orders:2", "orders:2"],
        end: "ACTIVE_GREEN",
    },
    Left {
        state: "SAVEPOINTING_BLUE",
        job: "RECONCILING",
        blue: Some("orders:1"),
        green: None,
        images: ["orders:2", "orders:1"],
        end: "ACTIVE_GREEN",
    },
    Left {
        state: "SAVEPOINTING_GREEN",
        job: "RECONCILING",
        blue: None,
        green: Some("orders:1"),
        images: ["orders:2", "orders:1"],
        end: "ACTIVE_BLUE",
    },
];

/// As a namespace may be called.
fn name_of(left: &Left) -> String {
    left.state.to_lowercase().replace('_', "-")
}

async fn take_over(world: &World, left: &Left) -> Result<String, Wrong> {
    let run = world.run(&name_of(left)).await;
    run.apply(&resource_with(&image(left.images[0]))).await;
    let seen = run
        .until("the resource is there", |seen| seen.resource.is_some())
        .await?;
    let owner = text(seen.resource.as_ref(), "/metadata/uid");
    for (colour, wanted) in [("blue", left.blue), ("green", left.green)] {
        let Some(wanted) = wanted else { continue };
        let spec = resource_with(&image(wanted))["spec"]["template"]["spec"].clone();
        let child: DynamicObject = serde_json::from_value(json!({
            "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
            "metadata": {
                "name": format!("{RESOURCE}-{colour}"),
                "labels": { LABEL_COLOR: colour.to_uppercase() },
                "ownerReferences": [{
                    "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkBlueGreenDeployment", "name": RESOURCE, "uid": owner,
                    "controller": false, "blockOwnerDeletion": true,
                }],
            },
            "spec": spec,
        }))
        .unwrap();
        let post = PostParams {
            field_manager: Some(UPSTREAM.to_owned()),
            ..PostParams::default()
        };
        run.api(Kind::Flink).create(&post, &child).await.unwrap();
    }
    let runs = |child: &Option<Value>, wanted: Option<&str>| {
        wanted.is_none() || text(child.as_ref(), "/status/lifecycleState") == "STABLE"
    };
    let before = run
        .until("the children run", |seen| {
            runs(&seen.blue, left.blue) && runs(&seen.green, left.green)
        })
        .await?;
    let spec = resource_with(&image(left.images[1]))["spec"].clone();
    let more = match left.state {
        state if state.starts_with("SAVEPOINTING") => {
            json!({ "savepointTriggerId": "0123456789abcdef0123456789abcdef" })
        }
        state if state.starts_with("TRANSITIONING") => {
            let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(5);
            json!({ "abortTimestamp": soon.to_string() })
        }
        _ => json!({}),
    };
    write(&run, left.state, left.job, &spec, &more).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    run.operator.start();
    let other = |seen: &Seen| {
        if left.end == "ACTIVE_BLUE" {
            seen.green.is_none()
        } else {
            seen.blue.is_none()
        }
    };
    run.until(&format!("{} is taken over", left.state), |seen| {
        seen.rests(left.end, "RUNNING") && other(seen)
    })
    .await?;
    run.quiet().await?;
    let after = run.fresh().await?;
    for (was, is) in [(&before.blue, &after.blue), (&before.green, &after.green)] {
        let of = |child: &Option<Value>, place| at(child.as_ref(), place).clone();
        let same = |place| was.is_none() || is.is_none() || of(was, place) == of(is, place);
        run.check(same("/metadata/uid"), "a child is another one")?;
        run.check(
            same("/metadata/generation") && same("/spec"),
            "a child's specification was changed",
        )?;
        run.check(same("/status/jobStatus/jobId"), "a job was started anew")?;
    }
    let end = run.over(world).await?;
    Ok(format!(
        "savepoints {}, stops {}, children {:?}",
        end.tally.savepoints, end.tally.stops, end.tally.been.created
    ))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_resource_that_upstream_has_managed_is_taken_over_in_each_of_its_states_with_nothing_restarted()
-> Tested {
    let world = World::open(
        LEFT.iter().map(|left| Cast::new(name_of(left))).collect(),
        LEFT.len(),
    )
    .await;
    let played = LEFT
        .iter()
        .map(async |left| (left.state, take_over(&world, left).await));
    let mut failures = Vec::new();
    for (state, played) in futures::future::join_all(played).await {
        match played {
            Ok(words) => println!("{state:<23} {words}"),
            Err(Wrong(words)) => failures.push(words),
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Wrong(failures.join("\n\n")))
    }
}
