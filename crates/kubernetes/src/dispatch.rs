//! Looks at what is due, some at a time, while this process leads: the same for either kind of resource.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sluice_shell::{Memory, Queue};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::context::Context;
use crate::deployments;
use crate::kind::Name;
use crate::look::{self, Failed, Next};
use crate::watches::Synced;

/// The resources that are looked after.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resources {
    BlueGreen,
    FlinkDeployments,
}

impl Resources {
    /// What is due, and what is remembered; `None`: another operator looks after them.
    fn desk(self, context: &Context) -> Option<(&Queue<Name>, &Memory<Name>)> {
        match self {
            Self::BlueGreen => Some((&context.queue, &context.memory)),
            Self::FlinkDeployments => {
                let deployments = context.deployments.as_ref()?;
                Some((&deployments.queue, &deployments.memory))
            }
        }
    }

    async fn look(self, context: &Context, name: &Name) -> Result<Next, Failed> {
        match self {
            Self::BlueGreen => Box::pin(look::look(context, name)).await,
            Self::FlinkDeployments => Box::pin(deployments::look(context, name)).await,
        }
    }
}

/// Looks at what is due; never returns where another operator looks after these resources.
pub(crate) async fn dispatch(
    resources: Resources,
    context: &Arc<Context>,
    synced: &Synced,
    mut leads: watch::Receiver<bool>,
    looks: &Arc<Semaphore>,
) {
    let Some((queue, _)) = resources.desk(context) else {
        return std::future::pending().await;
    };
    let pauses = Arc::new(Pauses::default());
    synced.all().await;
    tracing::info!(?resources, "everything is listed");
    loop {
        if leads.wait_for(|leads| *leads).await.is_err() {
            return;
        }
        let name = queue.next().await;
        // Whatever has changed meanwhile: the API server has asked for this pause.
        if let Some(until) = pauses.until(&name) {
            queue.done(name, Some(until));
            continue;
        }
        let Ok(permit) = Arc::clone(looks).acquire_owned().await else {
            return;
        };
        if !*leads.borrow() {
            queue.done(name, Some(Instant::now()));
            continue;
        }
        let (context, pauses) = (Arc::clone(context), Arc::clone(&pauses));
        tokio::spawn(async move {
            let result = resources.look(&context, &name).await;
            if let Some((queue, memory)) = resources.desk(&context) {
                let asked = result.as_ref().err().and_then(|failed| failed.retry_after);
                pauses.keep(&name, asked);
                let again = ended(&context, memory, &name, result);
                queue.done(name, again);
            }
            drop(permit);
        });
    }
}

/// The pauses that the API server has asked for (`Retry-After`).
#[derive(Default)]
struct Pauses(Mutex<HashMap<Name, Instant>>);

impl Pauses {
    /// Until when the object is let alone; `None`: it may be looked at.
    fn until(&self, name: &Name) -> Option<Instant> {
        let until = self.lock().get(name).copied();
        until.filter(|until| *until > Instant::now())
    }

    /// Keeps the pause from now on; `None`: none was asked for.
    fn keep(&self, name: &Name, asked: Option<Duration>) {
        let mut pauses = self.lock();
        match asked {
            Some(asked) => pauses.insert(name.clone(), Instant::now() + asked),
            None => pauses.remove(name),
        };
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts and remembers how a look ended. Returns when to look again.
fn ended(
    context: &Context,
    memory: &Memory<Name>,
    name: &Name,
    result: Result<Next, Failed>,
) -> Option<Instant> {
    match result {
        Ok(Next::At(again)) => {
            context.metrics.looked("done");
            again
        }
        Ok(Next::Gone) => {
            context.metrics.looked("gone");
            None
        }
        Err(Failed { words, retry_after }) => {
            context.metrics.looked("failed");
            tracing::warn!(resource = %name, "{words}");
            let pause = jittered(memory.failed(name, words));
            Some(Instant::now() + retry_after.map_or(pause, |asked| asked.max(pause)))
        }
    }
}

/// Between three quarters and five quarters of the pause, so that many that failed together do not come back together.
fn jittered(pause: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let quarters = RandomState::new().hash_one(0) % 1000;
    let thousandths = u32::try_from(750 + quarters / 2).unwrap_or(1000);
    pause.saturating_mul(thousandths) / 1000
}
