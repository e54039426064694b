//! One transition: when what happened, and what the API server was asked for it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};
use sluice_cluster::Requests;
use sluice_flink::{JobId, OperationStatus, Options, TriggerId};

use super::kinds::{blue_green, text};
use super::sight::{Seen, Sight};
use super::stage::Stage;

/// The resource of every scene.
pub(super) const RESOURCE: &str = sluice_conformance::scenario::RESOURCE;

/// How often the JobManager is asked whether the savepoint is complete.
const LOOK: Duration = Duration::from_millis(2);
/// How long anything may take.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// What comes late still belongs to the transition.
const AFTERMATH: Duration = Duration::from_secs(1);

/// What was seen of one transition.
pub(super) struct Transition {
    /// From the answer to the edit until the created child was seen; zero if it was seen before.
    pub(super) from_answer: Duration,
    /// From just before the edit was sent until then.
    pub(super) from_edit: Duration,
    /// From when the savepoint was complete until then.
    pub(super) from_savepoint: Option<Duration>,
    /// What the operator asked of the API server in the resource's namespace.
    pub(super) requests: Requests,
}

/// Waits until the resource is active and nothing but its active child is there.
pub(super) async fn settled(sight: &Sight) -> Result<String> {
    sight
        .until("active", PATIENCE, |seen| {
            let active = seen.state().strip_prefix("ACTIVE_")?.to_lowercase();
            let runs = text(&seen.resource, "/status/jobStatus/state") == "RUNNING";
            (runs && seen.children.len() == 1 && seen.children.contains_key(&format!("{RESOURCE}-{active}")))
                .then_some(active)
        })
        .await
}

/// Edits the scene's resource, which is settled, and follows the transition to its end.
pub(super) async fn run(stage: &Stage, scene: &str, sight: &Sight, version: &str) -> Result<Transition> {
    let namespace = stage.namespace(scene)?;
    let active = settled(sight).await?;
    tokio::time::sleep(AFTERMATH).await;
    let outgoing = format!("{RESOURCE}-{active}");
    let incoming = format!("{RESOURCE}-{}", if active == "blue" { "green" } else { "blue" });
    let savepoint = with_savepoint(&sight.now());
    let audit = stage.plane.audit().await?;

    let edit = json!({ "spec": { "template": { "spec": { "image": format!("orders:{version}") } } } });
    let sent = Instant::now();
    blue_green(&stage.client, namespace)
        .patch(RESOURCE, &PatchParams::default(), &Patch::Merge(&edit))
        .await
        .context("the resource cannot be edited")?;
    let answered = Instant::now();

    let created = sight.until("the new child", PATIENCE, |seen| {
        seen.children.get(&incoming).map(|child| child.seen)
    });
    let (created, complete) = if savepoint {
        let complete = savepoint_complete(stage, namespace, sight, &outgoing);
        let (created, complete) = tokio::try_join!(created, complete)?;
        (created, Some(complete))
    } else {
        (created.await?, None)
    };
    sight
        .until("the switch", PATIENCE, |seen| {
            (seen.state() != format!("ACTIVE_{}", active.to_uppercase())).then_some(())
        })
        .await?;
    settled(sight).await?;
    tokio::time::sleep(AFTERMATH).await;
    let requests = audit
        .requests()
        .await?
        .by_user(Stage::user())
        .in_namespace(namespace)
        .only(|request| request.verb != "watch" && request.resource != "leases");
    Ok(Transition {
        from_answer: created.saturating_duration_since(answered),
        from_edit: created.saturating_duration_since(sent),
        from_savepoint: complete.map(|complete| created.saturating_duration_since(complete)),
        requests,
    })
}

fn with_savepoint(seen: &Seen) -> bool {
    text(&seen.resource, "/spec/template/spec/job/upgradeMode") == "savepoint"
}

/// When the JobManager said for the first time that the savepoint is complete.
async fn savepoint_complete(
    stage: &Stage,
    namespace: &str,
    sight: &Sight,
    outgoing: &str,
) -> Result<Instant> {
    let (trigger, job) = sight
        .until("the savepoint", PATIENCE, |seen| {
            let trigger = text(&seen.resource, "/status/savepointTriggerId");
            let child = seen.children.get(outgoing).map(|child| &child.object);
            let job = child.map(|child: &Value| text(child, "/status/jobStatus/jobId"))?;
            (!trigger.is_empty()).then(|| (trigger.to_owned(), job.to_owned()))
        })
        .await?;
    let (trigger, job): (TriggerId, JobId) = (trigger.parse()?, job.parse()?);
    let address = stage.job_manager(namespace, outgoing);
    let client = sluice_flink::Client::new(&address, Options::default())?;
    let began = Instant::now();
    loop {
        // Until it is triggered, the JobManager does not know it.
        if let Ok(OperationStatus::Completed(_)) = client.savepoint_status(job, trigger).await {
            return Ok(Instant::now());
        }
        anyhow::ensure!(
            began.elapsed() < PATIENCE,
            "the savepoint {trigger} of {outgoing} is not complete within {} s",
            PATIENCE.as_secs()
        );
        tokio::time::sleep(LOOK).await;
    }
}
