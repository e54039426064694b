//! People who delete and edit what is the operator's, at each phase of a transition.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::answers::begin;
use crate::support::run::{Run, both, image, resource, resource_with, setting};
use crate::support::views::{Kind, Seen, at, text};
use crate::support::world::{Cast, World};
use crate::support::{RESOURCE, Tested, Wrong};

/// The phases of a transition with a savepoint and a deletion delay.
const PHASES: [&str; 4] = ["Savepointing", "Deploying", "Switching", "settled"];

/// What somebody does.
const HANDS: [&str; 7] = [
    "delete-blue",
    "delete-green",
    "delete-ingress",
    "edit-ingress",
    "edit-blue",
    "wipe-status",
    "break-status",
];

fn with_ingress() -> Value {
    resource_with(&both(
        json!({ "spec": { "ingress": { "template": "{{name}}.example.com" } } }),
        &setting("deployment-deletion.delay", "2 s"),
    ))
}

/// Savepoints and the start of green take long enough to do something meanwhile.
fn slowly() -> Value {
    json!([
        { "savepoints": { "blue": [{ "outcome": "completes", "after": "2 s" }] } },
        { "children": { "green": { "after": "3 s" } } }
    ])
}

/// A savepoint of a job that is gone is given up at its deadline.
const LONG: Duration = Duration::from_secs(90);

async fn interfere(run: &Run, hand: &str) {
    let blue = format!("{RESOURCE}-blue");
    let green = format!("{RESOURCE}-green");
    let parameters = PatchParams::default();
    let merge = async |kind: Kind, name: &str, patch: Value| {
        let _ = run
            .api(kind)
            .patch(name, &parameters, &Patch::Merge(&patch))
            .await;
    };
    let gone = async |kind: Kind, name: &str| {
        let _ = run
            .api(kind)
            .delete(name, &kube::api::DeleteParams::background())
            .await;
    };
    match hand {
        "delete-blue" => gone(Kind::Flink, &blue).await,
        "delete-green" => gone(Kind::Flink, &green).await,
        "delete-ingress" => gone(Kind::Ingress, RESOURCE).await,
        "edit-ingress" => {
            merge(
                Kind::Ingress,
                RESOURCE,
                json!({ "spec": { "rules": [{ "host": "elsewhere.example.com" }] } }),
            )
            .await;
        }
        "edit-blue" => {
            merge(
                Kind::Flink,
                &blue,
                json!({ "spec": { "taskManager": { "replicas": 7 } } }),
            )
            .await;
        }
        "wipe-status" | "break-status" => {
            let status = if hand == "wipe-status" {
                Value::Null
            } else {
                json!({ "abortTimestamp": "yesterday", "transition": { "step": { "name": "Nonsense" } }, "transitionNumber": "many" })
            };
            let patch = Patch::Merge(json!({ "status": status }));
            let parameters = PatchParams {
                field_manager: Some("a-person".to_owned()),
                ..PatchParams::default()
            };
            let _ = run
                .api(Kind::BlueGreen)
                .patch_status(RESOURCE, &parameters, &patch)
                .await;
        }
        other => unreachable!("{other}"),
    }
}

fn in_phase(seen: &Seen, phase: &str) -> bool {
    match phase {
        "settled" => seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none(),
        step => seen.step() == step,
    }
}

/// One child serves with the wanted image and with the state of the one before it, and the Ingress leads to it.
fn is_well(seen: &Seen) -> bool {
    let (serving, other, state) = match seen.state() {
        "ACTIVE_BLUE" => (&seen.blue, &seen.green, "ACTIVE_BLUE"),
        _ => (&seen.green, &seen.blue, "ACTIVE_GREEN"),
    };
    let backend = text(
        seen.ingress.as_ref(),
        "/spec/rules/0/http/paths/0/backend/service/name",
    );
    let name = text(serving.as_ref(), "/metadata/name");
    seen.rests(state, "RUNNING")
        && other.is_none()
        && text(serving.as_ref(), "/spec/image") == "orders:2"
        && text(serving.as_ref(), "/status/lifecycleState") == "STABLE"
        && at(serving.as_ref(), "/spec/taskManager/replicas").is_null()
        && text(serving.as_ref(), "/spec/job/initialSavepointPath").starts_with("s3://flink/")
        && backend == format!("{name}-rest")
        && text(seen.ingress.as_ref(), "/spec/rules/0/host") == format!("{RESOURCE}.example.com")
}

/// Somebody does something in a phase; what comes of it in the end.
async fn play(world: &World, name: &str, phase: &str, hand: &str) -> Result<String, Wrong> {
    let run = world.run(name).await;
    run.operator.start();
    run.apply(&with_ingress()).await;
    run.rests("ACTIVE_BLUE", "RUNNING").await?;
    run.edit(&image("orders:2")).await;
    run.until(&format!("is in {phase}"), |seen| in_phase(seen, phase))
        .await?;
    interfere(&run, hand).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let waited = run
        .within(LONG, &format!("{hand} in {phase} is mended"), is_well)
        .await;
    if let Err(wrong) = waited {
        // A person has to act: that is said, and nothing is done meanwhile.
        let seen = run.seen();
        let said = !seen.status("/error").is_null() || seen.condition("Degraded")["status"] == "True";
        if !said {
            return Err(wrong);
        }
        let writes = run.proxy.writes().len();
        tokio::time::sleep(Duration::from_secs(3)).await;
        run.check(
            run.proxy.writes().len() == writes,
            "it writes while a person is awaited",
        )?;
        return Ok(format!(
            "a person is asked for: {} / {}",
            seen.status("/error"),
            seen.condition("Degraded")["message"]
        ));
    }
    let end = run.over(world).await?;
    run.check(
        end.tally.savepoints <= 2,
        &format!("{} savepoints\n{}", end.tally.savepoints, end.trace),
    )?;
    Ok(format!(
        "mended: {} savepoints, created {:?}",
        end.tally.savepoints, end.tally.been.created
    ))
}

/// Scenarios 23 to 26 and 34 to 36 at every phase.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_36_whatever_people_delete_or_edit_is_mended_or_said() -> Tested {
    let cases: Vec<(&str, &str, String)> = PHASES
        .iter()
        .flat_map(|phase| {
            HANDS
                .iter()
                .map(move |hand| (*phase, *hand, format!("{hand}-{phase}").to_lowercase()))
        })
        .collect();
    let spaces = cases
        .iter()
        .map(|(_, _, name)| Cast::new(name.clone()).acting(&slowly()))
        .collect();
    let world = World::open(spaces, 14).await;
    let played = cases.iter().map(async |(phase, hand, name)| {
        let _turn = world.at_once.acquire().await.unwrap();
        (phase, hand, play(&world, name, phase, hand).await)
    });
    let mut failures = Vec::new();
    for (phase, hand, played) in futures::future::join_all(played).await {
        match played {
            Ok(words) => println!("{phase:<13} {hand:<15} {words}"),
            Err(Wrong(words)) => failures.push(words),
        }
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(Wrong(failures.join("\n\n")))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_31_and_32_a_resource_that_is_deleted_in_mid_transition_and_made_again_begins_anew() -> Tested {
    let (world, run) = World::one(Cast::new("deleted").acting(&slowly())).await;
    begin(&run).await?;
    run.edit(&image("orders:2")).await;
    run.until("green is being deployed", |seen| seen.step() == "Deploying")
        .await?;
    let before = run.fresh().await?;
    run.delete(Kind::BlueGreen, RESOURCE).await;
    run.until("everything is gone", |seen| {
        seen.resource.is_none() && seen.blue.is_none() && seen.green.is_none()
    })
    .await?;
    run.quiet().await?;
    run.proxy.begin();
    run.apply(&resource()).await;
    let seen = run.rests("ACTIVE_BLUE", "RUNNING").await?;
    let uid = |seen: &Seen| text(seen.resource.as_ref(), "/metadata/uid");
    run.check(uid(&seen) != uid(&before), "it is another resource")?;
    run.check(*seen.status("/transitionNumber") == 1, "the numbers begin anew")?;
    let owner = text(seen.blue.as_ref(), "/metadata/ownerReferences/0/uid");
    run.check(owner == uid(&seen), "blue belongs to the new resource")?;
    run.check(
        at(seen.blue.as_ref(), "/spec/job/initialSavepointPath").is_null(),
        "it starts from nothing",
    )?;
    run.over(&world).await?;
    Ok(())
}

/// Made again at once: the children of the one before are waited for, not taken.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_32_a_resource_made_again_at_once_waits_for_the_children_of_the_one_before() -> Tested {
    let actors = json!([{ "children": { "blue": { "terminates-after": "2 s" } } }]);
    let (world, run) = World::one(Cast::new("again-at-once").acting(&actors)).await;
    begin(&run).await?;
    let before = run.fresh().await?;
    run.delete(Kind::BlueGreen, RESOURCE).await;
    run.apply(&resource()).await;
    let uid = |object: Option<&Value>| text(object, "/metadata/uid");
    let seen = run
        .until("blue of the new resource runs", |seen| {
            seen.rests("ACTIVE_BLUE", "RUNNING")
                && uid(seen.blue.as_ref()) != uid(before.blue.as_ref())
                && uid(seen.resource.as_ref()) != uid(before.resource.as_ref())
        })
        .await?;
    let owner = text(seen.blue.as_ref(), "/metadata/ownerReferences/0/uid");
    run.check(
        owner == uid(seen.resource.as_ref()),
        "blue belongs to the new resource",
    )?;
    run.over(&world).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_28_and_37_what_belongs_to_others_is_not_touched() -> Tested {
    let (world, run) = World::one(Cast::new("foreign")).await;
    let spec = resource()["spec"]["template"]["spec"].clone();
    let child: kube::api::DynamicObject = serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1", "kind": "FlinkDeployment",
        "metadata": { "name": format!("{RESOURCE}-blue") }, "spec": spec,
    }))
    .unwrap();
    let post = kube::api::PostParams::default();
    run.api(Kind::Flink).create(&post, &child).await.unwrap();
    let ingress: kube::api::DynamicObject = serde_json::from_value(json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": { "name": RESOURCE },
        "spec": { "defaultBackend": { "service": { "name": "shop", "port": { "number": 80 } } } },
    }))
    .unwrap();
    run.api(Kind::Ingress).create(&post, &ingress).await.unwrap();
    run.operator.start();
    run.apply(&with_ingress()).await;
    let said =
        |seen: &Seen| text(seen.resource.as_ref(), "/status/error").contains(&format!("{RESOURCE}-blue"));
    run.until("the conflict is said", said).await?;
    run.quiet().await?;
    let touched: Vec<String> = run
        .proxy
        .writes()
        .into_iter()
        .filter(|write| {
            write.contains("flinkdeployments/") || write.contains("ingresses") || write.starts_with("DELETE")
        })
        .collect();
    run.check(touched.is_empty(), &format!("touched: {touched:?}"))?;
    // The names become free, and it goes on by itself; the Ingress of another holds up no deployment.
    run.delete(Kind::Flink, &format!("{RESOURCE}-blue")).await;
    let told =
        |seen: &Seen| seen.condition("Degraded")["reason"] == "IngressConflict" && seen.step() == "Switching";
    let seen = run.until("the Ingress of another is told", told).await?;
    run.check(
        at(seen.ingress.as_ref(), "/spec/rules").is_null(),
        "the Ingress was changed",
    )?;
    run.delete(Kind::Ingress, RESOURCE).await;
    let seen = run.rests("ACTIVE_BLUE", "RUNNING").await?;
    run.check(
        !at(seen.ingress.as_ref(), "/spec/rules").is_null(),
        "there is no Ingress",
    )?;
    run.over(&world).await?;
    Ok(())
}
