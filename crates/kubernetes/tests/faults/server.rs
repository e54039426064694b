//! The API server that goes away, that does not allow, that refuses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::Api;
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use serde_json::{Value, json};
use sluice_cluster::ControlPlane;

use crate::answers::begin;
use crate::support::Tested;
use crate::support::proxy::Proxy;
use crate::support::run::{Run, image, operator_with, resource};
use crate::support::views::{Seen, text};
use crate::support::world::{Cast, World};

fn api(run: &Run, group: &str, kind: &str, plural: &str) -> Api<DynamicObject> {
    let resource = ApiResource::from_gvk_with_plural(&GroupVersionKind::gvk(group, "v1", kind), plural);
    Api::namespaced_with(run.client.clone(), &run.namespace, &resource)
}

async fn create(api: &Api<DynamicObject>, object: Value) {
    let object: DynamicObject = serde_json::from_value(object).unwrap();
    api.create(&PostParams::default(), &object).await.unwrap();
}

fn green_serves(seen: &Seen) -> bool {
    seen.rests("ACTIVE_GREEN", "RUNNING") && seen.blue.is_none()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_api_server_in_mid_transition_is_waited_out() -> Tested {
    let plane = Arc::new(ControlPlane::private().await.unwrap());
    let world = World::on(Arc::clone(&plane), vec![Cast::new("restart")], 1).await;
    let run = world.run("restart").await;
    begin(&run).await?;
    run.edit(&image("orders:2")).await;
    run.until("the savepoint is under way", |seen| {
        seen.state() == "SAVEPOINTING_BLUE"
    })
    .await?;
    plane.kill_api_server().await.unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    plane.start_api_server().await.unwrap();
    let back = Instant::now();
    run.within(Duration::from_secs(90), "green serves alone", green_serves)
        .await?;
    println!(
        "{:.1} s after the API server was back, all was done",
        back.elapsed().as_secs_f64()
    );
    let end = run.over(&world).await?;
    run.check(
        end.tally.savepoints == 1,
        &format!("{} savepoints\n{}", end.tally.savepoints, end.trace),
    )?;
    run.check(
        end.tally.been.created.values().all(|uids| uids.len() == 1),
        "a child was created twice",
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_57_a_right_that_is_taken_away_in_mid_transition_is_named_and_waited_for() -> Tested {
    let world = World::open(vec![Cast::new("rights")], 1).await;
    let namespace = world.namespace("rights");
    let token = world
        .plane
        .service_account_token(&namespace, "sluice")
        .await
        .unwrap();
    let address = world.plane.address().unwrap();
    let proxy = Proxy::open(address, &world.plane.certificate_authority(), world.job_managers).await;
    let (operator, proxy) = operator_with(&world, &namespace, "rights", &token, proxy, &[]);
    let run = Run::of(&world, "rights", operator, proxy);

    let group = "rbac.authorization.k8s.io";
    let roles = api(&run, group, "Role", "roles");
    let bindings = api(&run, group, "RoleBinding", "rolebindings");
    let rule = |group: &str, resources: &[&str], verbs: &[&str]| json!({ "apiGroups": [group], "resources": resources, "verbs": verbs });
    let flink = "flink.apache.org";
    let usual = [
        rule(
            flink,
            &["flinkbluegreendeployments", "flinkbluegreendeployments/status"],
            &["*"],
        ),
        rule(
            flink,
            &["flinkdeployments"],
            &["get", "list", "watch", "update", "patch", "delete"],
        ),
        rule("networking.k8s.io", &["ingresses"], &["*"]),
        rule("events.k8s.io", &["events"], &["*"]),
    ];
    let creating = [rule(flink, &["flinkdeployments"], &["create"])];
    let binding = |name: &str| {
        json!({
            "apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": { "name": name },
            "roleRef": { "apiGroup": group, "kind": "Role", "name": name },
            "subjects": [{ "kind": "ServiceAccount", "name": "sluice", "namespace": namespace }],
        })
    };
    for (name, rules) in [("usual", json!(usual)), ("creating", json!(creating))] {
        let object = json!({ "apiVersion": format!("{group}/v1"), "kind": "Role", "metadata": { "name": name }, "rules": rules });
        create(&roles, object).await;
        create(&bindings, binding(name)).await;
    }
    begin(&run).await?;
    bindings
        .delete("creating", &DeleteParams::default())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    run.edit(&image("orders:2")).await;
    let named = |seen: &Seen| {
        let error = text(seen.resource.as_ref(), "/status/error");
        error.contains("cannot create") && error.contains("flinkdeployments")
    };
    let seen = run.until("the error names verb and resource", named).await?;
    println!("error: {}", seen.status("/error"));
    run.check(seen.blue.is_some(), "blue serves on")?;
    let before = run.proxy.count();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let asked = run.proxy.count() - before;
    run.check(asked < 60, &format!("{asked} requests in 10 s are a storm"))?;
    create(&bindings, binding("creating")).await;
    let given = Instant::now();
    let seen = run
        .within(Duration::from_mins(2), "green serves alone", green_serves)
        .await?;
    println!(
        "{asked} requests in 10 s without the right; done {:.1} s after it was given back",
        given.elapsed().as_secs_f64()
    );
    run.check(seen.status("/error").is_null(), "the error stays")?;
    let end = run.over(&world).await?;
    run.check(
        end.tally.savepoints == 1,
        &format!("{} savepoints\n{}", end.tally.savepoints, end.trace),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_56_a_child_that_admission_refuses_is_quoted_and_blue_serves_on() -> Tested {
    const WORDS: &str = "images come from our own registry";
    let actors = json!([
        { "wait": { "within": "60 s", "state": "ACTIVE_BLUE", "job": "RUNNING" } },
        { "refuse": { "creating": "children", "saying": WORDS } },
        { "edit": { "image": "orders:2" } },
        { "wait": { "within": "60 s", "error": "present" } },
        { "pause": "3 s" },
        { "allow": "children" }
    ]);
    let (world, run) = World::one(Cast::new("admission").acting(&actors)).await;
    run.operator.start();
    run.apply(&resource()).await;
    let quoted = |seen: &Seen| text(seen.resource.as_ref(), "/status/error").contains(WORDS);
    let seen = run.until("the refusal is quoted", quoted).await?;
    println!("error: {}", seen.status("/error"));
    run.check(
        text(seen.blue.as_ref(), "/status/jobStatus/state") == "RUNNING",
        "blue serves on",
    )?;
    run.until("green serves alone", green_serves).await?;
    let end = run.over(&world).await?;
    run.check(
        end.tally.savepoints == 1,
        &format!("{} savepoints", end.tally.savepoints),
    )
}

/// No controller counts what there is, so the test writes the status of the quota as one would.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_58_a_quota_that_is_used_up_is_quoted_and_waited_for() -> Tested {
    let (world, run) = World::one(Cast::new("quota")).await;
    begin(&run).await?;
    let quotas = api(&run, "", "ResourceQuota", "resourcequotas");
    let counted = "count/flinkdeployments.flink.apache.org";
    create(
        &quotas,
        json!({
            "apiVersion": "v1", "kind": "ResourceQuota", "metadata": { "name": "jobs" }, "spec": { "hard": { counted: "1" } }
        }),
    )
    .await;
    let count = async |hard: &str, used: &str| {
        let status = json!({ "status": { "hard": { counted: hard }, "used": { counted: used } } });
        let patch = Patch::Merge(status);
        quotas
            .patch_status("jobs", &PatchParams::default(), &patch)
            .await
            .unwrap();
    };
    count("1", "1").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    run.edit(&image("orders:2")).await;
    let quoted = |seen: &Seen| text(seen.resource.as_ref(), "/status/error").contains("exceeded quota");
    let seen = run.until("the quota is quoted", quoted).await?;
    println!("error: {}", seen.status("/error"));
    run.check(
        text(seen.blue.as_ref(), "/status/jobStatus/state") == "RUNNING",
        "blue serves on",
    )?;
    let more = Patch::Merge(json!({ "spec": { "hard": { counted: "5" } } }));
    quotas
        .patch("jobs", &PatchParams::default(), &more)
        .await
        .unwrap();
    count("5", "1").await;
    run.within(Duration::from_mins(2), "green serves alone", green_serves)
        .await?;
    run.over(&world).await?;
    Ok(())
}

/// Without a controller-manager the namespace stays as it is: nothing can be created in it any more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_33_in_a_namespace_that_is_terminating_there_is_no_storm() -> Tested {
    let (world, run) = World::one(Cast::new("terminating")).await;
    begin(&run).await?;
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(world.client.clone());
    namespaces
        .delete(&run.namespace, &DeleteParams::default())
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    run.proxy.begin();
    run.edit(&image("orders:2")).await;
    let said = |seen: &Seen| text(seen.resource.as_ref(), "/status/error").contains("terminated");
    run.until("it is said", said).await?;
    tokio::time::sleep(Duration::from_secs(15)).await;
    let asked = run.proxy.count();
    println!("{asked} requests, error: {}", run.seen().status("/error"));
    run.check(asked < 120, &format!("{asked} requests in 15 s are a storm"))?;
    run.check(
        run.seen().blue.is_some(),
        "blue is left to the deletion of the namespace",
    )?;
    run.check(run.operator.runs(), "the operator has ended")
}
