//! One look at a FlinkBlueGreenDeployment: decide on what the watches brought; if that would do anything, read everything
//! afresh, and decide, record and carry out until nothing more is to be done at once.

use std::time::Duration;

use jiff::Timestamp;
use kube::core::DynamicObject;
use serde_json::Value;
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeploymentStatus, StepStatus};
use sluice_core::bluegreen::{self, Decision, Effect, SavepointObservation, Side, WaitingFor, child};
use sluice_core::{Event, Fact, Wake};
use sluice_shell::flink::{self, Asked};
use sluice_shell::wake;
use tokio::time::Instant;

use crate::context::{Context, POLL_AWAITING};
use crate::events;
use crate::kind::{Kind, Name};
use crate::object::typed;
use crate::observe::{self, Sight};
use crate::server::{Deleted, ServerError, manager};

/// How often one look decides anew on what it has just done, before others have their turn.
const ROUNDS: usize = 8;
/// An object that somebody else has just changed: the watch will bring it within this time, or it is read.
pub(crate) const CHANGED_MEANWHILE: Duration = Duration::from_millis(50);

/// When to look again.
pub(crate) enum Next {
    /// At this moment at the latest; `None`: only when something changes.
    At(Option<Instant>),
    /// The resource is gone.
    Gone,
}

/// Why a look ended early.
pub(crate) struct Failed {
    pub(crate) words: String,
    /// How long the server asks to wait.
    pub(crate) retry_after: Option<Duration>,
}

impl From<String> for Failed {
    fn from(words: String) -> Self {
        Self {
            words,
            retry_after: None,
        }
    }
}

/// How a round ended.
enum Round {
    /// There is more to be done at once.
    Again,
    /// Nothing more at once.
    Over(Next),
}

/// One look.
pub(crate) async fn look(context: &Context, name: &Name) -> Result<Next, Failed> {
    let Some(watched) = observe::watched(context, name).await? else {
        forget(context, name);
        return Ok(Next::Gone);
    };
    remember_leaving(context, name, &watched).await;
    let decision = bluegreen::decide(&watched.observed, Timestamp::now());
    if !does_something(&decision) {
        return Ok(settled(context, name, next(&watched, &decision)));
    }
    let mut sight = observe::afresh(context, name, &watched).await?;
    let mut draft = Draft::default();
    let mut resource_is_fresh = false;
    for _ in 0..ROUNDS {
        let now = Timestamp::now();
        let mut decision = bluegreen::decide(&sight.observed, now);
        let violations = bluegreen::invariants::check(&sight.observed, &decision, now);
        if !violations.is_empty() {
            context.metrics.broke_a_law(name);
            let listed: Vec<String> = violations.iter().map(ToString::to_string).collect();
            let listed = listed.join("; ");
            return Err(format!("a decision is not carried out, because it breaks a law: {listed}").into());
        }
        draft.take(&mut decision);
        if draft.status.is_some() && decision.effects.is_empty() && matches!(decision.wake, Wake::Now) {
            // Nothing is done yet that would have to be written down before: it is written with what comes next.
            sight.observed.resource.status = draft.status.as_deref().cloned();
            continue;
        }
        if resource_is_fresh && !decision.effects.is_empty() && draft.says_the_same_as(&sight.object) {
            // What is awaited is told otherwise, and that is all: the written record asks for these effects already, and the
            // next round writes what has come of them.
            draft.status = None;
        }
        if draft.status.is_none() && !resource_is_fresh {
            // The condition of a status write would have told that the resource has changed; without one it is read.
            if decision.effects.is_empty() {
                return Ok(settled(context, name, next(&sight, &decision)));
            }
            if !observe::resource_afresh(context, name, &mut sight).await? {
                forget(context, name);
                return Ok(Next::Gone);
            }
            resource_is_fresh = true;
            continue;
        }
        match round(context, name, &mut sight, std::mem::take(&mut draft), &decision).await? {
            Round::Again => resource_is_fresh = true,
            Round::Over(next) => return Ok(next),
        }
    }
    Ok(Next::At(Some(Instant::now())))
}

/// What has been decided and is not written yet.
#[derive(Default)]
struct Draft {
    status: Option<Box<FlinkBlueGreenDeploymentStatus>>,
    events: Vec<Event>,
}

impl Draft {
    /// Takes over what a decision wants written and told.
    fn take(&mut self, decision: &mut Decision) {
        if let Some(status) = decision.status.take() {
            self.status = Some(status);
        }
        self.events.append(&mut decision.events);
    }

    /// Whether nothing but the words of conditions would change in the resource as it was read or written last.
    fn says_the_same_as(&self, resource: &DynamicObject) -> bool {
        let Some(status) = self.status.as_deref().filter(|_| self.events.is_empty()) else {
            return false;
        };
        let mut written =
            FlinkBlueGreenDeploymentStatus::read(resource.data.get("status").unwrap_or(&Value::Null));
        written.last_reconciled_timestamp = status.last_reconciled_timestamp;
        for (before, after) in written.conditions.iter_mut().zip(&status.conditions) {
            if (&before.type_, &before.reason) == (&after.type_, &after.reason) {
                before.message.clone_from(&after.message);
            }
        }
        written == *status
    }
}

/// Nothing is to be done. What had failed before is over, and the status may still quote it: it is looked at once more.
fn settled(context: &Context, name: &Name, next: Next) -> Next {
    if context.memory.of(name).failures.is_empty() {
        return next;
    }
    context.memory.succeeded(name);
    Next::At(Some(Instant::now()))
}

/// Records what was decided, carries it out, and tells it.
async fn round(
    context: &Context,
    name: &Name,
    sight: &mut Sight,
    draft: Draft,
    decision: &Decision,
) -> Result<Round, Failed> {
    let recorded = draft.status.is_some();
    if let Some(status) = &draft.status {
        match record(context, sight, status).await {
            Ok(()) => {}
            Err(ServerError::Stale(words)) => {
                tracing::debug!(resource = %name, "{words}");
                if let Some(object) = read_resource(context, name).await? {
                    context.cache.update(Kind::FlinkBlueGreenDeployment, &object);
                }
                return Ok(Round::Over(stale()));
            }
            Err(error) => return Err(error.into()),
        }
    }
    // People hear of it a moment later than the cluster does.
    let carried_out = carry_out_all(context, name, sight, &decision.effects).await;
    let metadata = &sight.observed.resource.metadata;
    events::tell(context, Kind::FlinkBlueGreenDeployment, metadata, &draft.events).await;
    if let Some(next) = carried_out? {
        return Ok(Round::Over(next));
    }
    context.memory.succeeded(name);
    let acted = recorded || !decision.effects.is_empty();
    if acted && matches!(decision.wake, Wake::Now) {
        return Ok(Round::Again);
    }
    Ok(Round::Over(next_after(sight, decision, acted)))
}

/// Somebody else has just changed what was observed.
fn stale() -> Next {
    Next::At(Some(Instant::now() + CHANGED_MEANWHILE))
}

/// Carries out the effects in order; the first that fails, or that finds another object than was observed, ends the look.
async fn carry_out_all(
    context: &Context,
    name: &Name,
    sight: &mut Sight,
    effects: &[Effect],
) -> Result<Option<Next>, Failed> {
    for effect in effects {
        tracing::info!(resource = %name, effect = effect.name(), "carries out");
        match carry_out(context, name, sight, effect).await {
            Ok(()) => context.metrics.carried_out(effect.name()),
            Err(Failure::Server(ServerError::Stale(words))) => {
                tracing::debug!(resource = %name, "{words}");
                return Ok(Some(stale()));
            }
            Err(Failure::Server(error)) => return Err(error.into()),
            Err(Failure::Flink(words)) => return Err(words.into()),
        }
    }
    Ok(None)
}

impl From<ServerError> for Failed {
    fn from(error: ServerError) -> Self {
        let words = error.to_string();
        let retry_after = match error {
            ServerError::Refused { retry_after, .. } => retry_after,
            ServerError::Stale(_) => None,
        };
        Self { words, retry_after }
    }
}

async fn read_resource(context: &Context, name: &Name) -> Result<Option<DynamicObject>, Failed> {
    Ok(context.server.get(Kind::FlinkBlueGreenDeployment, name).await?)
}

fn forget(context: &Context, name: &Name) {
    context.memory.forget(name);
    context
        .left
        .forget(&Color::BOTH.map(|color| name.beside(color.child_name(&name.name))));
}

/// What is going is asked after as long as it answers.
async fn remember_leaving(context: &Context, name: &Name, sight: &Sight) {
    for color in Color::BOTH {
        if let Fact::Present(present) = &sight.observed.side(color).child
            && child::is_terminating(present)
        {
            let child_name = name.beside(color.child_name(&name.name));
            observe::remember_leaving(context, &child_name, present).await;
        }
    }
}

fn does_something(decision: &Decision) -> bool {
    let cannot_tell = |waiting: &bluegreen::Waiting| matches!(waiting.what, WaitingFor::Observation(_));
    decision.status.is_some()
        || !decision.effects.is_empty()
        || matches!(decision.wake, Wake::Now)
        || decision.waiting.as_ref().is_some_and(cannot_tell)
}

fn next(sight: &Sight, decision: &Decision) -> Next {
    next_after(sight, decision, false)
}

fn next_after(sight: &Sight, decision: &Decision, acted: bool) -> Next {
    let next = wake::at(decision.wake, acted);
    // Flink does not call: a savepoint is asked after.
    let status = sight.observed.resource.status.as_ref();
    let step = status
        .and_then(|status| status.transition.as_ref())
        .map(|transition| &transition.step);
    let asked = matches!(
        step,
        Some(StepStatus::Savepointing { .. } | StepStatus::Sealing { .. })
    );
    let poll = asked.then(|| Instant::now() + POLL_AWAITING);
    Next::At(wake::earlier(next, poll))
}

/// Writes the status, and sees that the API server has kept it: a CRD that does not know Sluice's fields drops them.
async fn record(
    context: &Context,
    sight: &mut Sight,
    status: &FlinkBlueGreenDeploymentStatus,
) -> Result<(), ServerError> {
    let refused = |words: String| ServerError::Refused {
        words,
        retry_after: None,
    };
    let value = serde_json::to_value(status)
        .map_err(|error| refused(format!("the status cannot be written: {error}")))?;
    let mut written = context
        .server
        .write_status(
            Kind::FlinkBlueGreenDeployment,
            manager::STATUS,
            &sight.object,
            &value,
        )
        .await?;
    crate::object::trim(&mut written);
    context.cache.update(Kind::FlinkBlueGreenDeployment, &written);
    let kept = FlinkBlueGreenDeploymentStatus::read(written.data.get("status").unwrap_or(&Value::Null));
    observe::take_resource(sight, written).map_err(refused)?;
    if kept == *status {
        return Ok(());
    }
    Err(refused(
        "the API server does not keep the status as it was written: the CustomResourceDefinition \
         flinkbluegreendeployments.flink.apache.org that is installed does not know all of its fields; install the one that \
         comes with Sluice"
            .to_owned(),
    ))
}

enum Failure {
    Server(ServerError),
    Flink(String),
}

impl From<ServerError> for Failure {
    fn from(error: ServerError) -> Self {
        Self::Server(error)
    }
}

/// Carries out one effect. What the API server answers is what the next round sees.
async fn carry_out(
    context: &Context,
    name: &Name,
    sight: &mut Sight,
    effect: &Effect,
) -> Result<(), Failure> {
    let server = &context.server;
    match effect {
        Effect::CreateChild { manifest } => {
            let created = server
                .create(Kind::FlinkDeployment, manager::CHILD, manifest)
                .await?;
            let uid = created.metadata.uid.as_deref().unwrap_or_default();
            context.left.meet(&crate::object::name_of(&created), uid);
            see_child(name, sight, &created);
        }
        Effect::ReplaceChild { manifest } => {
            let replaced = server
                .replace(Kind::FlinkDeployment, manager::CHILD, manifest)
                .await?;
            context.cache.update(Kind::FlinkDeployment, &replaced);
            see_child(name, sight, &replaced);
        }
        Effect::DeleteChild {
            name: child,
            uid,
            resource_version,
        } => {
            let child = name.beside(child.clone());
            if let Some(side) = side_of(name, sight, &child.name)
                && let Fact::Present(present) = &side.child
            {
                context.left.remember(child.clone(), present, &side.checkpoint);
            }
            match server
                .delete(Kind::FlinkDeployment, &child, uid, Some(resource_version))
                .await?
            {
                Deleted::Terminating(object) => {
                    context.cache.update(Kind::FlinkDeployment, &object);
                    see_child(name, sight, &object);
                }
                Deleted::Gone => set_child(name, sight, &child.name, Fact::Absent),
            }
        }
        Effect::TriggerSavepoint {
            child,
            job_id,
            trigger_id,
            directory,
        }
        | Effect::StopDrained {
            child,
            job_id,
            trigger_id,
            directory,
        } => {
            let client = client_of(context, name, sight, child)?;
            let asked = Asked {
                job: job_id,
                trigger: trigger_id,
                directory,
            };
            let answer = match effect {
                Effect::StopDrained { .. } => flink::stop_drained(&client, asked).await,
                _ => flink::trigger_savepoint(&client, asked).await,
            };
            answer.map_err(Failure::Flink)?;
            sight.observed.savepoint = Some(SavepointObservation {
                trigger_id: trigger_id.clone(),
                progress: Fact::Unknown("it has just been asked for".to_owned()),
            });
        }
        Effect::DisposeSavepoint { child, path } => {
            let client = client_of(context, name, sight, child)?;
            let result = flink::dispose(&client, path).await.map_err(Failure::Flink)?;
            sight.observed.disposals.insert(path.clone(), result.clone());
            context.memory.disposed(name, path, result);
            context.queue.wake(name.clone());
        }
        // Nothing is asked for in a record that nobody reads here (see `observe.rs`).
        Effect::WriteHandover { .. } => {
            return Err(Failure::Flink(
                "there is no agent here that reads a handover record".to_owned(),
            ));
        }
        Effect::ApplyIngress { manifest } => {
            let ingress = if sight.observed.ingress.is_absent() {
                server.create(Kind::Ingress, manager::INGRESS, manifest).await?
            } else {
                server.apply(Kind::Ingress, manager::INGRESS, manifest).await?
            };
            context.cache.update(Kind::Ingress, &ingress);
            sight.observed.ingress = typed(&ingress).map_or_else(Fact::Unknown, Fact::Present);
        }
        Effect::DeleteIngress { name: ingress, uid } => {
            server
                .delete(Kind::Ingress, &name.beside(ingress.clone()), uid, None)
                .await?;
            sight.observed.ingress = Fact::Absent;
        }
    }
    Ok(())
}

fn client_of(
    context: &Context,
    name: &Name,
    sight: &Sight,
    child: &str,
) -> Result<sluice_flink::Client, Failure> {
    let known = side_of(name, sight, child).and_then(|side| side.child.present());
    known
        .and_then(|child| context.job_managers.of(child))
        .ok_or_else(|| Failure::Flink(format!("the JobManager of {} has no address", name.beside(child))))
}

fn side_of<'a>(name: &Name, sight: &'a Sight, child: &str) -> Option<&'a Side> {
    let color = Color::BOTH
        .into_iter()
        .find(|color| color.child_name(&name.name) == child)?;
    Some(sight.observed.side(color))
}

/// Puts the child as it is now into the sight.
fn see_child(name: &Name, sight: &mut Sight, object: &DynamicObject) {
    let fact: Fact<FlinkDeployment> = typed(object).map_or_else(Fact::Unknown, Fact::Present);
    let child = object.metadata.name.as_deref().unwrap_or_default();
    set_child(name, sight, child, fact);
}

fn set_child(name: &Name, sight: &mut Sight, child: &str, fact: Fact<FlinkDeployment>) {
    if Color::Blue.child_name(&name.name) == child {
        sight.observed.blue.child = fact;
    } else if Color::Green.child_name(&name.name) == child {
        sight.observed.green.child = fact;
    }
}
