//! What someone meets at the runner's socket: a process of its own, its store on disk, its endpoint on a port.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "the helpers of a test fail the test"
)]

mod support;

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value, json};
use sluice_local::client::{Change, Client, ClientError, EventFilter};
use sluice_local::store::Kind;
use support::{Runner, eventually};
use tempfile::TempDir;

const PARENT: Kind = Kind::FlinkBlueGreenDeployment;

fn resource(name: &str, jar: &str) -> Value {
    json!({
        "apiVersion": sluice_api::API_VERSION,
        "kind": "FlinkBlueGreenDeployment",
        "metadata": { "name": name },
        "spec": { "template": { "spec": {
            "flinkVersion": "v1_20",
            "flinkConfiguration": {
                "state.savepoints.dir": "file:///tmp/nowhere",
                "state.checkpoints.dir": "file:///tmp/nowhere",
                "execution.checkpointing.interval": "1 s",
            },
            "jobManager": { "resource": { "memory": "768m", "cpu": 0.5 } },
            "taskManager": { "resource": { "memory": "1024m", "cpu": 0.5 } },
            "job": { "jarURI": jar, "parallelism": 1, "upgradeMode": "savepoint" },
        } } },
    })
}

#[tokio::test]
async fn without_a_runner_the_user_is_told_to_start_one() {
    let directory = TempDir::new().unwrap();
    let error = Client::connect(directory.path()).await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }), "{error}");
    assert!(
        error.to_string().ends_with("start one with `sluice local up`"),
        "{error}"
    );

    // A socket that a killed runner has left behind answers nobody.
    let mut runner = Runner::start(directory.path(), None);
    runner.client().await;
    runner.kill();
    assert!(directory.path().join("sluice.sock").exists());
    let error = Client::connect(directory.path()).await.unwrap_err();
    assert!(matches!(error, ClientError::NotRunning { .. }), "{error}");
}

#[tokio::test]
async fn a_second_runner_on_the_directory_refuses_and_the_first_goes_on() {
    let directory = TempDir::new().unwrap();
    let mut first = Runner::start(directory.path(), None);
    let client = first.client().await;
    let pid = client.info().await.unwrap().pid;
    let mut second = Runner::start(directory.path(), None);
    let status = second.ended_within(Duration::from_secs(10)).await.unwrap();
    assert!(!status.success());
    let log = second.log();
    assert!(
        log.contains(&format!("is in use by the runner with process id {pid}; stop it")),
        "{log}"
    );
    assert_eq!(client.info().await.unwrap().pid, pid);
    let socket = std::fs::metadata(directory.path().join("sluice.sock")).unwrap();
    assert_eq!(socket.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn of_documents_with_problems_none_is_stored_and_all_problems_are_told() {
    let directory = TempDir::new().unwrap();
    let mut runner = Runner::start(directory.path(), None);
    let client = runner.client().await;
    let good = resource("orders", "file:///tmp/nowhere.jar");
    let error = client
        .apply(vec![
            good.clone(),
            json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "web" } }),
            resource(
                "a-name-that-is-much-too-long-for-the-names-made-from-it",
                "file:///x.jar",
            ),
        ])
        .await
        .unwrap_err();
    let ClientError::Invalid { problems } = error else {
        panic!("{error}");
    };
    let documents: Vec<usize> = problems.iter().map(|problem| problem.document).collect();
    assert_eq!(documents, [1, 2], "{problems:?}");
    assert!(client.list(PARENT, None).await.unwrap().is_empty());

    let applied = client.apply(vec![good.clone()]).await.unwrap();
    assert_eq!(applied[0].change, Change::Created);
    assert_eq!(
        client.apply(vec![good]).await.unwrap()[0].change,
        Change::Unchanged
    );
    let missing = client.get(PARENT, "default", "other").await.unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("there is no FlinkBlueGreenDeployment other"),
        "{missing}"
    );
}

#[tokio::test]
async fn a_missing_jar_is_told_in_the_resource_and_the_runner_goes_on() {
    let directory = TempDir::new().unwrap();
    let mut runner = Runner::start(directory.path(), None);
    let client = runner.client().await;
    client
        .apply(vec![resource("orders", "file:///tmp/no-such-directory/job.jar")])
        .await
        .unwrap();
    let error = eventually("the child's error", Duration::from_secs(20), async || {
        let child = client
            .get(Kind::FlinkDeployment, "default", "orders-blue")
            .await
            .ok()?;
        Some(child.pointer("/status/error")?.as_str()?.to_owned())
    })
    .await;
    assert!(error.contains("/tmp/no-such-directory/job.jar"), "{error}");

    // Deleted, it goes, and takes its child along.
    client.delete(PARENT, "default", "orders").await.unwrap();
    eventually("the child's end", Duration::from_secs(20), async || {
        let left = client.list(Kind::FlinkDeployment, None).await.ok()?;
        left.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_active_endpoint_keeps_its_address_and_says_why_it_leads_nowhere() {
    let directory = TempDir::new().unwrap();
    let mut runner = Runner::start(directory.path(), None);
    let client = runner.client().await;
    client
        .apply(vec![resource("orders", "file:///tmp/nowhere.jar")])
        .await
        .unwrap();
    let address = endpoint(&client).await;
    let answer = reqwest::get(format!("{address}/overview")).await.unwrap();
    assert_eq!(answer.status(), 503);
    assert_eq!(
        answer.text().await.unwrap(),
        "FlinkBlueGreenDeployment orders has no active deployment yet\n"
    );

    runner.kill();
    let mut runner = Runner::start(directory.path(), None);
    let client = runner.client().await;
    assert_eq!(endpoint(&client).await, address);

    // Somebody else takes the port while no runner is up.
    assert!(runner.terminate().success());
    let port = address.rsplit(':').next().unwrap();
    let thief = std::net::TcpListener::bind(format!("127.0.0.1:{port}")).unwrap();
    let mut runner = Runner::start(directory.path(), None);
    let client = runner.client().await;
    let told = eventually("the warning", Duration::from_secs(10), async || {
        let events = client.events(&EventFilter::default()).await.ok()?;
        events
            .into_iter()
            .find(|event| event.reason == "EndpointNotServed")
    })
    .await;
    assert!(
        told.message.contains(&format!("its port {port} cannot be had")),
        "{told:?}"
    );
    drop(thief);
    eventually("the endpoint", Duration::from_secs(15), async || {
        reqwest::get(&address)
            .await
            .ok()
            .map(|answer| assert_eq!(answer.status(), 503))
    })
    .await;
}

async fn endpoint(client: &Client) -> String {
    eventually("the endpoint", Duration::from_secs(10), async || {
        let info = client.info().await.ok()?;
        let endpoint = info.endpoints.into_iter().next()?;
        reqwest::get(&endpoint.address).await.ok()?;
        Some(endpoint.address)
    })
    .await
}

#[tokio::test]
async fn a_watch_wakes_at_a_change_and_ends_with_the_runner() {
    let directory = TempDir::new().unwrap();
    let mut runner = Runner::start(directory.path(), None);
    let client = runner.client().await;
    let since = client.watch(0).await.map_or(0, |changes| changes.version);
    let waiting = {
        let client = client.clone();
        tokio::spawn(async move { client.watch(since).await })
    };
    client
        .apply(vec![resource("orders", "file:///tmp/nowhere.jar")])
        .await
        .unwrap();
    let changes = tokio::time::timeout(Duration::from_secs(5), waiting)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(changes.objects[0].name, "orders");

    client.shutdown(false).await.unwrap();
    let status = runner.ended_within(Duration::from_secs(15)).await.unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn an_idle_runner_with_ten_resources_is_small_and_quiet() {
    let directory = TempDir::new().unwrap();
    let mut runner = Runner::start(directory.path(), None);
    let client = runner.client().await;
    let suspended = |number: usize| {
        let mut resource = resource(&format!("orders-{number}"), "file:///tmp/nowhere.jar");
        resource["spec"]["template"]["spec"]["job"]["state"] = json!("suspended");
        resource
    };
    client.apply((0..10).map(suspended).collect()).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = runner.processor_ticks();
    tokio::time::sleep(Duration::from_secs(10)).await;
    let used = runner.processor_ticks() - before;
    let resident = runner.resident_kilobytes();
    println!("ten resources at rest: {resident} kB resident, {used} hundredths of a second in 10 s");
    assert!(resident < 60_000, "{resident} kB"); // 30 MB in a release build, see `cargo xtask bench local`
    assert!(used <= 30, "{used} hundredths of a second in 10 s");
}
