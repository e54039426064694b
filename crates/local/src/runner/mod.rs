//! Observes, decides, writes, carries out: for every object of a directory, until it is told to end.
//!
//! There is no policy here. What is to be done is decided by `sluice_core`; a wish for an `if` about the meaning of a
//! resource is a wish for a rule over there.

mod agent;
mod blue_green;
mod context;
mod crash;
mod deployment;
mod effect;
mod options;
mod orphans;
mod processes;
mod record;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sluice_api::blue_green::Color;
use sluice_shell::{Memory, Queue, flink};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::time::Instant;

pub(crate) use blue_green::{Depth, observe};
use context::Next;
pub(crate) use context::{Context, End};
pub use crash::FAIL_AT;
pub use options::Options;

use crate::launcher::{LaunchError, Launcher};
use crate::store::{Kind, ObjectKey, Store, StoreError};
use crate::{endpoint, server};

/// How many objects are looked at at the same time.
const AT_ONCE: usize = 4;
/// How long a pass that is under way has to end when the runner ends.
const LAST_PASSES: Duration = Duration::from_secs(10);

/// Why the runner does not run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunnerError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The directory for the Flink processes cannot be used.
    #[error(transparent)]
    Launch(#[from] LaunchError),
    /// The agent's jar cannot be copied.
    #[error("the agent {} cannot be copied into the runner's directory: {detail}", path.display())]
    Agent {
        /// Where it was looked for.
        path: PathBuf,
        /// Why.
        detail: std::io::Error,
    },
    /// The socket cannot be served.
    #[error(transparent)]
    Server(#[from] server::ServerError),
    /// The client for Flink cannot be made.
    #[error(transparent)]
    Flink(#[from] sluice_flink::Error),
    /// The signals that end the runner cannot be received.
    #[error("the signals that end the runner cannot be received: {0}")]
    Signals(std::io::Error),
    /// Some Flink processes are left.
    #[error("the runner has ended, but {0}")]
    JobsLeft(String),
}

/// Runs until SIGTERM, SIGINT or a client's `shutdown`. What it leaves behind, at whatever moment it ends, is a state from
/// which the next runner of this directory goes on.
///
/// Errors: [`StoreError::InUse`] if another runner has the directory.
pub async fn run(directory: &Path, options: Options) -> Result<(), RunnerError> {
    let store = Store::open(directory)?;
    let directory = directory.canonicalize().map_err(|error| StoreError::File {
        path: directory.to_owned(),
        detail: error.to_string(),
    })?;
    let options = Options {
        agent: match &options.agent {
            Some(jar) => Some(agent::install(&directory, jar)?),
            None => None,
        },
        ..options
    };
    let listener = server::bind(&directory)?;
    let launcher = Arc::new(Launcher::new(&directory)?);
    let context = Arc::new(Context {
        options,
        started_at: Timestamp::now(),
        store,
        launcher,
        http: flink::http()?,
        queue: Queue::default(),
        memory: Memory::default(),
        endpoints: endpoint::Endpoints::default(),
        gone: Notify::new(),
        end: watch::Sender::new(None),
        directory,
    });
    signals(&context)?;
    tracing::info!(directory = %context.directory.display(), pid = std::process::id(), "the runner is up");
    let end = work(&context, listener).await;
    if end == End::StopJobs {
        orphans::stop_all(&context).await.map_err(RunnerError::JobsLeft)?;
    }
    tracing::info!("the runner ends");
    Ok(())
}

async fn work(context: &Arc<Context>, listener: tokio::net::UnixListener) -> End {
    let prepared = Arc::clone(&context.launcher);
    tokio::task::spawn_blocking(move || {
        // The first launch says the same, to the object that it is for.
        if let Err(error) = prepared.prepare() {
            tracing::warn!("{error}");
        }
    });
    let mut end = context.end.subscribe();
    let serving = tokio::spawn(server::serve(Arc::clone(context), listener));
    let passes = Arc::new(Semaphore::new(AT_ONCE));
    let ended = tokio::select! {
        ended = end.wait_for(Option::is_some) => ended.ok().and_then(|end| *end),
        () = follow(context) => None,
        () = orphans::sweep(context) => None,
        () = processes::follow(context) => None,
        () = endpoint::serve(context) => None,
        () = dispatch(context, &passes) => None,
    };
    // A pass that is under way comes to its end: it is short, and an effect that is cut off has to be looked for.
    let all = u32::try_from(AT_ONCE).unwrap_or(1);
    let last = tokio::time::timeout(LAST_PASSES, passes.acquire_many(all)).await;
    if last.is_err() {
        tracing::warn!("a pass did not end in time; the next runner goes on from the record");
    }
    serving.abort();
    ended.unwrap_or(End::KeepJobs)
}

fn signals(context: &Arc<Context>) -> Result<(), RunnerError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(RunnerError::Signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunnerError::Signals)?;
    let context = Arc::clone(context);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        context.end.send_replace(Some(End::KeepJobs));
    });
    Ok(())
}

/// Wakes what a change of the store concerns; first of all, everything.
async fn follow(context: &Context) {
    let mut version = context.store.watch();
    let mut seen = 0;
    loop {
        version.borrow_and_update();
        match context.store.changes(seen) {
            Ok(changes) => {
                seen = changes.version;
                for (_, key, object) in changes.objects {
                    let owner =
                        object.and_then(|object| object.owner_of_kind(Kind::FlinkBlueGreenDeployment));
                    wake(context, key, owner);
                }
            }
            Err(error) => {
                tracing::warn!("{error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        }
        if version.changed().await.is_err() {
            return;
        }
    }
}

fn wake(context: &Context, key: ObjectKey, owner: Option<ObjectKey>) {
    // By name as well: a foreign object of a child's name is in the way until it is gone.
    let by_name = match key.kind {
        Kind::FlinkBlueGreenDeployment => None,
        Kind::Ingress => Some(key.name.clone()),
        Kind::FlinkDeployment => Color::BOTH.into_iter().find_map(|color| {
            let parent = key.name.strip_suffix(color.name())?.strip_suffix('-')?;
            Some(parent.to_owned())
        }),
    };
    let by_name = by_name.map(|name| key.beside(Kind::FlinkBlueGreenDeployment, name));
    for concerned in [by_name, owner].into_iter().flatten() {
        context.queue.wake(concerned);
    }
    if key.kind != Kind::Ingress {
        context.queue.wake(key);
    }
}

/// Looks at what is due, some at a time.
async fn dispatch(context: &Arc<Context>, passes: &Arc<Semaphore>) {
    loop {
        let key = context.queue.next().await;
        let Ok(permit) = Arc::clone(passes).acquire_owned().await else {
            return;
        };
        let context = Arc::clone(context);
        tokio::spawn(async move {
            let again = Box::pin(look(&context, &key)).await;
            context.queue.done(key, again);
            drop(permit);
        });
    }
}

/// One pass over one object. Returns when it is to be looked at again.
async fn look(context: &Context, key: &ObjectKey) -> Option<Instant> {
    context.memory.count("passes");
    let result = match key.kind {
        Kind::FlinkBlueGreenDeployment => Box::pin(blue_green::pass(context, key)).await,
        Kind::FlinkDeployment => Box::pin(deployment::pass(context, key)).await,
        Kind::Ingress => return None,
    };
    match result {
        Ok(Next::At(again)) => again,
        Ok(Next::Gone) => None,
        Err(words) => {
            context.memory.count("failures");
            tracing::warn!(object = %key, "{words}");
            let pause = context.memory.failed(key, words);
            Some(Instant::now() + pause)
        }
    }
}
