//! The handover record in a ConfigMap, read and written by the Java side, against a real API server.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot be set up ends the test"
)]

#[path = "../../../local/tests/handover/player.rs"]
mod player;
mod proxy;
mod stage;

use std::time::{Duration, Instant};

use serde_json::json;
use sluice_cluster::ControlPlane;

use crate::player::{now, read};
use crate::proxy::Wire;
use crate::stage::{ALL, NAME, Stage, signal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_reads_and_writes_its_record_with_rights_to_this_one_config_map_only() {
    let plane = ControlPlane::shared().await.unwrap();
    let stage = Stage::set(&plane, ALL).await;
    let audit = plane.audit().await.unwrap();
    let mut player = stage.player();
    player.say("watch");
    player.expect("ABSENT");

    let created = stage.create().await;
    let (version, _, data) = read(&player.expect("READ"));
    assert_eq!((version, data["phase"].as_str()), (created, Some("STANDBY")));

    // Its own keys, on the condition of the version, and nothing else.
    player.say(&format!("write {version} 1"));
    let (version, _, data) = read(&player.expect("READ"));
    assert!(
        data["report.blue"].as_str().unwrap().contains("\"attempt\":1"),
        "{data}"
    );
    assert_eq!(player.expect("WROTE"), version.to_string());
    let there = stage.get().await;
    assert_eq!(there.metadata.resource_version, Some(version.to_string()));
    assert_eq!(there.metadata.labels.unwrap()["team"], "orders");
    let there = there.data.unwrap();
    assert_eq!(there["note"], "not the job's");
    assert_eq!(there["epoch"], "3");

    // Somebody was faster: the job knows what is there before it is told that it was refused.
    let changed = stage.patch(json!({ "data": { "phase": "PREPARE" } })).await;
    assert_eq!(read(&player.expect("READ")).0, changed);
    player.say(&format!("write {version} 2"));
    println!("{}", player.expect("REFUSED"));
    player.say(&format!("write {changed} 2"));
    let (version, _, data) = read(&player.expect("READ"));
    assert_eq!(player.expect("WROTE"), version.to_string());
    assert_eq!(data["phase"], "PREPARE");

    // What the record had and does not have any more goes, also from the job's view.
    stage
        .patch(json!({ "data": { "phase": "STANDBY", "highest": null } }))
        .await;
    assert_eq!(read(&player.expect("READ")).2["highest"], json!(null));

    // Deleted and made again: another ConfigMap, in a larger version.
    stage.delete().await;
    player.expect("ABSENT");
    let created = stage.create().await;
    assert!(created > version);
    assert_eq!(read(&player.expect("READ")).0, created);

    // Not a record: told once, and the watch goes on.
    stage.patch(json!({ "data": { "epoch": "three" } })).await;
    let sentence = player.expect("TROUBLE");
    assert!(
        sentence.contains("\"epoch\": \"three\", which is not a whole number"),
        "{sentence}"
    );
    let repaired = stage.patch(json!({ "data": { "epoch": "3" } })).await;
    assert_eq!(read(&player.expect("READ")).0, repaired);

    // However often the record changes, there is no more to ask.
    let mut latencies = Vec::new();
    for number in 0..40 {
        let before = now();
        stage
            .patch(json!({ "data": { "deployment-deletion-delay-ms": number.to_string() } }))
            .await;
        latencies.push(read(&player.expect("READ")).1 - before);
    }
    latencies.sort_unstable();
    println!(
        "from the operator's request to the listener: median {} µs, highest {} µs",
        latencies[20], latencies[39]
    );
    player.say("requests");
    assert_eq!(player.expect("REQUESTS"), "4", "a list, a watch and two writes");
    let requests = audit.requests().await.unwrap().by_user(&stage.user());
    println!("{}", requests.counts());
    assert_eq!(requests.count("list", "configmaps"), 1);
    assert_eq!(requests.count("patch", "configmaps"), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watch_that_is_dead_without_a_sign_is_noticed() {
    let plane = ControlPlane::shared().await.unwrap();
    let stage = Stage::set(&plane, ALL).await;
    let wire = Wire::to(&plane.address().unwrap()).await;
    let version = stage.create().await;
    let mut player = stage.player_at(&wire.address, 90_000);
    player.say("watch");
    player.expect("READ");

    // By a write that collides with what the watch did not tell.
    wire.cut();
    let changed = stage.patch(json!({ "data": { "phase": "PREPARE" } })).await;
    let audit = plane.audit().await.unwrap();
    let began = Instant::now();
    player.say(&format!("write {version} 1"));
    let failed = player.next();
    if failed.starts_with("FAILED") {
        // It went over a wire that was cut, too: nothing is known of it.
        println!("{failed} after {:.1} s", began.elapsed().as_secs_f64());
        player.say(&format!("write {version} 1"));
        assert_eq!(read(&player.expect("READ")).0, changed);
    } else {
        assert_eq!(read(failed.strip_prefix("READ ").unwrap()).0, changed);
    }
    player.expect("REFUSED");
    println!("known {:.1} s after the write", began.elapsed().as_secs_f64());
    let requests = audit.requests().await.unwrap().by_user(&stage.user());
    println!("{}", requests.counts());
    assert!(requests.counts().0.contains_key("patch configmaps 409"));
    let changed = stage.patch(json!({ "data": { "phase": "ABORT" } })).await;
    assert_eq!(read(&player.expect("READ")).0, changed);

    // By the silence.
    let mut listener = stage.player_at(&wire.address, 3_000);
    listener.say("watch");
    listener.expect("READ");
    wire.cut();
    let began = Instant::now();
    let changed = stage.patch(json!({ "data": { "phase": "STANDBY" } })).await;
    assert_eq!(read(&listener.expect("READ")).0, changed);
    println!(
        "known {:.1} s after the cut, with 3 s of silence allowed",
        began.elapsed().as_secs_f64()
    );
    assert!(began.elapsed() > Duration::from_secs(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_right_that_is_missing_is_named_and_found_when_it_is_given() {
    let plane = ControlPlane::shared().await.unwrap();
    for missing in ALL {
        let rights: Vec<&str> = ALL.iter().copied().filter(|verb| verb != missing).collect();
        let stage = Stage::set(&plane, &rights).await;
        let version = stage.create().await;
        let mut player = stage.player();
        player.say("watch");
        if *missing != "list" {
            player.expect("READ");
        }
        if *missing == "patch" {
            player.say(&format!("write {version} 1"));
        }
        let said = player.expect(if *missing == "patch" { "FAILED" } else { "TROUBLE" });
        println!("{said}");
        let config_map = format!("{}/{NAME}", stage.namespace);
        let expected = format!(
            "this pod's service account must not {missing} the ConfigMap \"{config_map}\": grant it list, watch and patch"
        );
        assert!(said.starts_with(&expected), "{said}");
        assert!(
            said.contains("system:serviceaccount:"),
            "the API server's own words: {said}"
        );
        stage.grant(ALL).await;
        let given = Instant::now();
        if *missing == "patch" {
            loop {
                player.say(&format!("write {version} 1"));
                if player.wait_for("").starts_with("READ") {
                    player.expect("WROTE");
                    break;
                }
            }
        } else {
            player.wait_for("READ");
            let changed = stage.patch(json!({ "data": { "phase": "ABORT" } })).await;
            assert_eq!(read(&player.wait_for("READ")).0, changed);
        }
        println!(
            "{missing}: {:.1} s after it was granted",
            given.elapsed().as_secs_f64()
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_read_again_when_the_kubelet_has_replaced_it() {
    let plane = ControlPlane::shared().await.unwrap();
    let stage = Stage::set(&plane, ALL).await;
    let version = stage.create().await;
    let mut player = stage.player();
    player.say("watch");
    player.expect("READ");

    // Replaced before the old one ends: nobody notices but the API server.
    let audit = plane.audit().await.unwrap();
    stage.become_another_account().await;
    player.say(&format!("write {version} 1"));
    let (version, ..) = read(&player.expect("READ"));
    player.expect("WROTE");
    let requests = audit.requests().await.unwrap();
    assert_eq!(requests.by_user(&stage.user()).count("patch", "configmaps"), 1);

    // Not good any more, and no other there: said, and tried again.
    stage.write_token("not a token");
    player.say(&format!("write {version} 2"));
    let said = player.expect("FAILED");
    println!("{said}");
    assert!(
        said.starts_with("the API server does not accept the token of this pod's service account"),
        "{said}"
    );
    stage.become_another_account().await;
    player.say(&format!("write {version} 2"));
    player.expect("READ");
    player.expect("WROTE");

    std::fs::remove_file(stage.token_file()).unwrap();
    let mut late = stage.player();
    late.say("watch");
    let said = late.expect("TROUBLE");
    println!("{said}");
    assert!(said.contains("automountServiceAccountToken"), "{said}");
    stage.become_another_account().await;
    late.expect("READ");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_that_is_away_is_waited_for() {
    let plane = ControlPlane::private().await.unwrap();
    let stage = Stage::set(&plane, ALL).await;
    let version = stage.create().await;
    let mut player = stage.player();
    player.say("watch");
    player.expect("READ");

    // Not of the cluster's own authority: another server, or an authority that was replaced.
    stage.trust(&ControlPlane::shared().await.unwrap());
    let mut distrustful = stage.player();
    distrustful.say("watch");
    let said = distrustful.expect("TROUBLE");
    println!("{said}");
    assert!(said.contains("is not trusted"), "{said}");
    stage.trust(&plane);
    distrustful.expect("READ");
    drop(distrustful);

    // As a crash ends it.
    plane.kill_api_server().await.unwrap();
    let said = player.expect("TROUBLE");
    println!("{said}");
    assert!(said.contains("cannot be reached"), "{said}");
    player.say("requests");
    let before: u32 = player.wait_for("REQUESTS").parse().unwrap();
    // Whoever is told of a failure may try again at once.
    let began = Instant::now();
    let mut tries = 0;
    while began.elapsed() < Duration::from_secs(10) {
        player.say(&format!("write {version} 1"));
        player.wait_for("FAILED");
        tries += 1;
    }
    player.say("requests");
    let after: u32 = player.wait_for("REQUESTS").parse().unwrap();
    println!(
        "in 10 s without an API server: {} requests, {tries} of them writes",
        after - before
    );
    assert!(after - before < 20);
    plane.start_api_server().await.unwrap();
    let back = Instant::now();
    let again = read(&player.wait_for("READ"));
    println!(
        "told again {:.1} s after it was back",
        back.elapsed().as_secs_f64()
    );
    assert_eq!(again.0, version);
    player.say(&format!("write {version} 2"));
    let (version, ..) = read(&player.wait_for("READ"));
    player.expect("WROTE");

    // As an upgrade ends it.
    plane.restart_api_server().await.unwrap();
    let changed = stage.patch(json!({ "data": { "phase": "PREPARE" } })).await;
    assert!(changed > version);
    loop {
        if read(&player.wait_for("READ")).0 == changed {
            break;
        }
    }

    // The job stood still meanwhile, and nobody knows any more what happened since its version.
    signal(&player, "STOP");
    for phase in ["STANDBY", "ABORT"] {
        // It remembers nothing of what was before its start.
        plane.restart_api_server().await.unwrap();
        stage.patch(json!({ "data": { "phase": phase } })).await;
    }
    let audit = plane.audit().await.unwrap();
    signal(&player, "CONT");
    let (_, _, data) = read(&player.wait_for("READ"));
    assert_eq!(data["phase"], "ABORT");
    // That it is told shows that there is a watch again, which begins a moment after what was listed is told.
    let changed = stage.patch(json!({ "data": { "phase": "STANDBY" } })).await;
    assert_eq!(read(&player.wait_for("READ")).0, changed);
    let requests = audit.requests().await.unwrap().by_user(&stage.user());
    println!("{}", requests.counts());
    // The watch that could not be taken up, and what followed.
    assert_eq!(requests.count("list", "configmaps"), 1);
    assert!(requests.count("watch", "configmaps") >= 1);
}
