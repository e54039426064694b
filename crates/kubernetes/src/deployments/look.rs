//! One look at a FlinkDeployment: decide on what the watches brought and Flink says; if that would do anything, read
//! everything afresh, decide again, record and carry out.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use sluice_api::flink_deployment::FlinkDeploymentStatus;
use sluice_core::Wake;
use sluice_core::lifecycle::{self, Decision, Effect, WaitingFor};
use sluice_shell::{flink, wake};
use tokio::time::Instant;

use super::effects::{self, Carried, Failure};
use super::observe::{self, Sight};
use super::rival;
use crate::context::Context;
use crate::events;
use crate::kind::{Kind, Name};
use crate::look::{CHANGED_MEANWHILE, Failed, Next};
use crate::object::typed;
use crate::server::{ServerError, manager};

/// How often Flink is asked while something is awaited of it.
const POLL_AWAITING: Duration = Duration::from_millis(500);
/// How soon what is left of an earlier cluster is looked at again.
const POLL_LEFT: Duration = Duration::from_millis(200);

/// How soon the last checkpoint is asked for again that nobody could tell.
const POLL_CHECKPOINT: Duration = Duration::from_secs(5);

/// One look.
pub(crate) async fn look(context: &Context, name: &Name) -> Result<Next, Failed> {
    let Some(deployments) = &context.deployments else {
        return Ok(Next::Gone);
    };
    let Some(watched) = observe::watched(context, name).await? else {
        deployments.forget(name);
        return Ok(Next::Gone);
    };
    if rival::is_there(context, deployments, name, &watched.object).await {
        return Ok(Next::At(None));
    }
    let decision = lifecycle::decide(&watched.observed, Timestamp::now());
    if !does_something(&watched, &decision) {
        if deployments.memory.of(name).failures.is_empty() {
            return Ok(next(&decision, false));
        }
        // What had failed before is over, and the status may still quote it.
        deployments.memory.succeeded(name);
        return Ok(Next::At(Some(Instant::now())));
    }
    let Some(mut sight) = observe::afresh(context, name).await? else {
        deployments.forget(name);
        return Ok(Next::Gone);
    };
    if rival::is_there(context, deployments, name, &sight.object).await {
        return Ok(Next::At(None));
    }
    let now = Timestamp::now();
    let decision = lifecycle::decide(&sight.observed, now);
    let violations = lifecycle::invariants::check(&sight.observed, &decision, now);
    if !violations.is_empty() {
        context.metrics.broke_a_law(name);
        let listed: Vec<String> = violations.into_iter().map(|violation| violation.0).collect();
        let listed = listed.join("; ");
        return Err(format!("a decision is not carried out, because it breaks a law: {listed}").into());
    }
    match carry_out(context, name, &mut sight, &decision).await {
        Ok(Carried::Done) => {
            deployments.memory.succeeded(name);
            let acted = decision.status.is_some() || !decision.effects.is_empty();
            Ok(next(&decision, acted))
        }
        Ok(Carried::LookAgain) => Ok(Next::At(Some(Instant::now() + POLL_LEFT))),
        Err(Failure::Stale(words)) => {
            tracing::debug!(resource = %name, "{words}");
            Ok(Next::At(Some(Instant::now() + CHANGED_MEANWHILE)))
        }
        Err(Failure::Failed(failed)) => Err(failed),
    }
}

async fn carry_out(
    context: &Context,
    name: &Name,
    sight: &mut Sight,
    decision: &Decision,
) -> Result<Carried, Failure> {
    if let Some(status) = &decision.status {
        record(context, sight, status).await?;
    }
    events::tell(
        context,
        Kind::FlinkDeployment,
        &sight.observed.resource.metadata,
        &decision.events,
    )
    .await;
    for effect in &decision.effects {
        tracing::info!(resource = %name, effect = effect.name(), "carries out");
        if effects::carry_out(context, name, sight, effect).await? == Carried::LookAgain {
            return Ok(Carried::LookAgain);
        }
        context.metrics.carried_out(effect.name());
    }
    if is_recorded(sight) {
        effects::keep(context, name, sight).await?;
    }
    Ok(Carried::Done)
}

/// Whether the record says that the cluster was seen: only then it may begin to run.
fn is_recorded(sight: &Sight) -> bool {
    let record = flink::record(&sight.observed.resource);
    let number = sight
        .objects
        .deployment
        .as_ref()
        .map(|deployment| super::objects::number(deployment).unwrap_or(1));
    record.is_some_and(|record| record.was_seen && Some(record.deployment) == number)
}

fn does_something(sight: &Sight, decision: &Decision) -> bool {
    let cannot_tell = decision.waiting.as_ref().is_some_and(|waiting| {
        matches!(
            waiting.what,
            WaitingFor::Observation(_) | WaitingFor::LastCheckpoint(_)
        )
    });
    // What is being deleted already is waited for, and the watch will tell.
    let is_stopping = sight.view.is_terminating
        && decision
            .effects
            .iter()
            .all(|effect| matches!(effect, Effect::StopCluster { .. } | Effect::Deploy { .. }));
    let upkeep = is_recorded(sight) && !sight.view.upkeep.is_empty();
    decision.status.is_some()
        || (!decision.effects.is_empty() && !is_stopping)
        || upkeep
        || (cannot_tell && !sight.view.is_terminating)
}

fn next(decision: &Decision, acted: bool) -> Next {
    let next = wake::at(decision.wake, acted);
    let awaits = decision
        .waiting
        .as_ref()
        .is_some_and(|waiting| !matches!(waiting.what, WaitingFor::Person(_)));
    if let Some(WaitingFor::LastCheckpoint(_)) = decision.waiting.as_ref().map(|waiting| &waiting.what) {
        // It costs requests to the API server, and comes, if at all, with a JobManager that comes back.
        return Next::At(Some(Instant::now() + POLL_CHECKPOINT));
    }
    let poll = (awaits || matches!(decision.wake, Wake::Now)).then(|| Instant::now() + POLL_AWAITING);
    Next::At(wake::earlier(next, poll))
}

/// Writes the status, and sees that the API server has kept it.
async fn record(
    context: &Context,
    sight: &mut Sight,
    status: &FlinkDeploymentStatus,
) -> Result<(), ServerError> {
    let refused = |words: String| ServerError::Refused {
        words,
        retry_after: None,
    };
    let value = serde_json::to_value(status)
        .map_err(|error| refused(format!("the status cannot be written: {error}")))?;
    let kind = Kind::FlinkDeployment;
    let mut written = context
        .server
        .write_status(kind, manager::DEPLOYMENT_STATUS, &sight.object, &value)
        .await?;
    crate::object::trim(&mut written);
    context.cache.update(kind, &written);
    let kept = written.data.get("status").cloned().unwrap_or(Value::Null);
    sight.observed.resource = typed(&written).map_err(refused)?;
    sight.object = written;
    if sight.observed.resource.status.as_ref() == Some(status) {
        return Ok(());
    }
    tracing::debug!(wanted = %value, %kept, "the status was not kept");
    Err(refused(
        "the API server does not keep the status as it was written: the CustomResourceDefinition \
         flinkdeployments.flink.apache.org that is installed does not know all of its fields; install the one that comes \
         with Sluice"
            .to_owned(),
    ))
}
