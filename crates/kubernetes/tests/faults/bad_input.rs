//! Specifications that the API server takes and that are wrong all the same: each is told with its field, none touches the
//! running job, and once it is put right all is as before. What the API server refuses by itself is in `tests/admission`.

use kube::api::PostParams;
use serde_json::{Value, json};
use sluice_api::{read_blue_green, validate};

use crate::answers::begin;
use crate::support::run::{Run, image, resource};
use crate::support::views::{Kind, Seen, text};
use crate::support::world::{Cast, World};
use crate::support::{RESOURCE, Tested, Wrong};

/// Durations that are none, or none that makes sense.
const DURATIONS: &[&str] = &[
    "",
    " ",
    "often",
    "5 minutes and a bit",
    "-1 s",
    "- 1 s",
    "1 s 2",
    "s",
    "10 parsecs",
    "1,5 s",
    "1.5 s",
    "0x10 s",
    "∞",
    "١٠ s",
    "10 s; drop table",
    "P",
    "PT",
    "P1",
    "PT10",
    "1m30s",
    "999999999999999999999 d",
    "NaN",
    "null",
    "true",
    "{}",
    "10\u{a0}s",
    "10 min ago",
    "ten s",
    "1 s s",
    "1 minute minute",
    "1e9 s",
    "+-1 s",
    "1 s;",
    "\t",
    "1\n2",
    "--1",
    "1 ms 1 ns",
    "PT-",
    "P1Y",
    "T5S",
    "5 s 5",
    "1_000 ms",
    "½ s",
    "1 Ms Ms",
    "0.0.1 s",
    "s 5",
    "5 sxx",
    "[5 s]",
];

/// What may stand nowhere in `flinkConfiguration`, as it belongs to the operator or is no value.
fn wrong() -> Vec<(&'static str, Value)> {
    let mut cases = Vec::new();
    for duration in DURATIONS {
        for key in [
            "execution.checkpointing.interval",
            "execution.checkpointing.timeout",
        ] {
            cases.push((key, json!(duration)));
        }
    }
    for key in [
        "kubernetes.cluster-id",
        "kubernetes.namespace",
        "kubernetes.container.image.ref",
        "$internal.pipeline.job-id",
        "high-availability.cluster-id",
        "execution.savepoint.path",
        "execution.state-recovery.path",
        "kubernetes.operator.bluegreen.promotion",
    ] {
        cases.push((key, json!("x")));
    }
    for strategy in ["MAGIC", "", "watermark ", "SAVEPOINTS", "1"] {
        cases.push(("bluegreen.gate.strategy", json!(strategy)));
    }
    for value in [
        json!([]),
        json!([1]),
        json!(["a", "b"]),
        json!([{ "a": 1 }]),
        json!(null),
        json!({}),
    ] {
        cases.push(("execution.checkpointing.interval", value.clone()));
        cases.push(("state.savepoints.dir", value));
    }
    for directory in ["", " ", "\n", "relative", "s3:/", "://x"] {
        cases.push(("state.savepoints.dir", json!(directory)));
    }
    cases
}

/// The whole of `flinkConfiguration`.
fn wrong_as_a_whole() -> Vec<Value> {
    let mut deep = json!("x");
    for _ in 0..40 {
        deep = json!({ "a": deep });
    }
    vec![
        json!("text"),
        json!([]),
        json!([1]),
        json!(1),
        json!(true),
        json!({}),
        json!(null),
        json!({ "state.savepoints.dir": null }),
        json!({ "state": { "savepoints": "s3://b" } }),
        deep,
        json!({ "x": "y".repeat(300 * 1024) }),
    ]
}

/// Every specification that is to be tried: those that our own validation refuses.
fn specifications() -> Vec<(String, Value)> {
    let with = |change: &dyn Fn(&mut Value)| {
        let mut value = resource();
        change(&mut value["spec"]["template"]["spec"]["flinkConfiguration"]);
        value
    };
    let mut all: Vec<(String, Value)> = wrong()
        .into_iter()
        .map(|(key, value)| (format!("{key}: {value}"), with(&|it| it[key] = value.clone())))
        .collect();
    all.extend(wrong_as_a_whole().into_iter().enumerate().map(|(number, value)| {
        (
            format!("flinkConfiguration {number}"),
            with(&|it| *it = value.clone()),
        )
    }));
    all.retain(|(_, value)| match read_blue_green(value) {
        Err(_) => true,
        Ok(resource) => validate(&resource, &std::collections::BTreeMap::new()).is_err(),
    });
    all.into_iter()
        .map(|(what, value)| (what, value["spec"].clone()))
        .collect()
}

/// Replaces the specification; `false`: the API server does not take it.
async fn replace(run: &Run, spec: &Value) -> Option<i64> {
    let api = run.api(Kind::BlueGreen);
    for _ in 0..20 {
        let mut object = api.get(RESOURCE).await.unwrap();
        object.data["spec"] = spec.clone();
        object.metadata.managed_fields = None;
        match api.replace(RESOURCE, &PostParams::default(), &object).await {
            Ok(replaced) => return replaced.metadata.generation,
            Err(kube::Error::Api(answer)) if answer.code == 409 => {}
            Err(kube::Error::Api(answer)) if answer.code == 422 || answer.code == 400 => return None,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("{RESOURCE} cannot be replaced");
}

fn judged(seen: &Seen, generation: i64, valid: &str) -> bool {
    let condition = seen.condition("SpecValid");
    condition["status"] == valid && condition["observedGeneration"] == generation
}

async fn shown(run: &Run, what: &str, generation: i64) -> Result<(), Wrong> {
    let seen = run
        .until(&format!("it is said of {what}"), |seen| {
            judged(seen, generation, "False")
        })
        .await?;
    let error = text(seen.resource.as_ref(), "/status/error");
    run.check(
        error.starts_with("spec") && error.len() > 20,
        &format!("{what}: {error:?}"),
    )?;
    run.check(
        seen.state() == "ACTIVE_BLUE",
        &format!("{what}: {}", seen.state()),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_wrong_specifications_are_told_and_touch_no_running_job() -> Tested {
    let (_world, run) = World::one(Cast::new("bad-input")).await;
    begin(&run).await?;
    let right = resource()["spec"].clone();
    let before = run.seen().blue.unwrap();
    let cases = specifications();
    let (mut told, mut refused) = (0, 0);
    for (what, spec) in &cases {
        match replace(&run, spec).await {
            None => refused += 1,
            Some(generation) => {
                shown(&run, what, generation).await?;
                told += 1;
            }
        }
    }
    println!("{told} wrong specifications were told, {refused} refused by the API server");
    run.check(told + refused >= 100, "there were to be a hundred")?;
    let generation = replace(&run, &right).await.unwrap();
    run.until("it is right again", |seen| judged(seen, generation, "True"))
        .await?;
    run.quiet().await?;
    let after = run.seen();
    let of = |object: &Value, field: &str| text(Some(object), &format!("/metadata/{field}"));
    let blue = after.blue.unwrap();
    for field in ["uid", "generation"] {
        run.check(of(&before, field) == of(&blue, field), "blue was touched")?;
    }
    run.check(after.green.is_none(), "green was created")?;

    // And an edit that is right is acted on.
    run.edit(&image("orders:2")).await;
    run.rests("ACTIVE_GREEN", "RUNNING").await?;
    Ok(())
}
