//! Promote, abort and retry: an annotation with a fresh token, and the wait for its acknowledgement in the status.

use std::time::Duration;

use jiff::Timestamp;
use sluice_api::blue_green::AcknowledgedStatus;
use sluice_local::client::EventFilter;
use sluice_local::store::Kind;

use crate::context::Context;
use crate::failure::Failure;
use crate::source::{Changes, Scope, Source, event_line};
use crate::view::Clock;
use crate::view::transition::change_line;

/// One of the commands that a person can give a resource.
pub(crate) struct Command {
    /// The annotation whose new value is the command.
    pub(crate) annotation: &'static str,
    /// Where the status acknowledges it.
    pub(crate) acknowledged: fn(&AcknowledgedStatus) -> Option<String>,
}

/// It is decided within milliseconds; this is for a runner or an operator that is very busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the reason of the event ends that says that a command could not be followed.
const REFUSED: &str = "Refused";

/// Gives the command and tells what came of it.
pub(crate) async fn run(name: &str, command: &Command, context: &Context) -> Result<(), Failure> {
    let source = context.source().await?;
    let filter = EventFilter {
        kind: Some(Kind::FlinkBlueGreenDeployment),
        namespace: Some(source.namespace().to_owned()),
        name: Some(name.to_owned()),
        since: None,
    };
    // All that can refuse the command comes before it is given.
    source.resource(name).await?;
    let before = source.events(&filter).await?;
    let mut changes = source.changes(name, Scope::Resource).await?;
    // Any value that was never used before; the moment also tells people when it was given.
    let token = Timestamp::now().to_string();
    source.annotate(name, command.annotation, &token).await?;
    tokio::select! {
        result = acknowledged(&source, &mut changes, name, command, &token) => result?,
        () = tokio::time::sleep(PATIENCE) => return Err(Failure::TimedOut(format!(
            "{name} has not acknowledged the command within {} s; it is acted on when the {} looks at {name} again.",
            PATIENCE.as_secs(),
            source.decider()
        ))),
    }
    let mut refused = None;
    for record in source.events_since(&filter, &before).await? {
        if record.reason.ends_with(REFUSED) {
            refused = Some(format!("{name}: {}.", record.message.trim_end_matches('.')));
        } else {
            let event = event_line(record);
            context
                .out
                .line(&format!("{}: {}", event.reason, event.message))?;
        }
    }
    if let Some(sentence) = refused {
        return Err(Failure::Refused(sentence));
    }
    let object = source
        .required(Kind::FlinkBlueGreenDeployment, source.namespace(), name)
        .await?;
    let after = source.snapshot(object).await?;
    context.out.line(&change_line(&after, &Clock::system()))
}

async fn acknowledged(
    source: &Source,
    changes: &mut Changes<'_>,
    name: &str,
    command: &Command,
    token: &str,
) -> Result<(), Failure> {
    loop {
        changes.look().await?;
        let status = source.resource(name).await?.status;
        let seen = status.and_then(|status| status.acknowledged);
        if seen.and_then(|seen| (command.acknowledged)(&seen)).as_deref() == Some(token) {
            return Ok(());
        }
        changes.changed().await?;
    }
}
