//! Promote, abort and retry: an annotation with a fresh token, and the wait for its acknowledgement in the status.

use std::time::Duration;

use jiff::Timestamp;
use sluice_api::FlinkBlueGreenDeployment;
use sluice_api::blue_green::AcknowledgedStatus;
use sluice_local::client::{Client, EventFilter};
use sluice_local::store::Kind;

use crate::failure::Failure;
use crate::runner::{Context, event_line, failed, read, snapshot};
use crate::view::Clock;
use crate::view::transition::change_line;

/// One of the commands that a person can give a resource.
pub(crate) struct Command {
    /// The annotation whose new value is the command.
    pub(crate) annotation: &'static str,
    /// Where the status acknowledges it.
    pub(crate) acknowledged: fn(&AcknowledgedStatus) -> Option<String>,
}

/// The runner decides within milliseconds; this is for one that is very busy.
const PATIENCE: Duration = Duration::from_secs(30);

/// How the reason of the event ends that says that a command could not be followed.
const REFUSED: &str = "Refused";

/// Gives the command and tells what came of it.
pub(crate) async fn run(name: &str, command: &Command, context: &Context) -> Result<(), Failure> {
    let client = context.client().await?;
    let namespace = context.namespace();
    let before = client.info().await.map_err(failed)?.store_version;
    // Any value that was never used before; the moment also tells people when it was given.
    let token = Timestamp::now().to_string();
    client
        .annotate(
            Kind::FlinkBlueGreenDeployment,
            namespace,
            name,
            command.annotation,
            Some(&token),
        )
        .await
        .map_err(failed)?;
    tokio::select! {
        result = acknowledged(&client, namespace, name, command, &token) => result?,
        () = tokio::time::sleep(PATIENCE) => return Err(Failure::TimedOut(format!(
            "{name} has not acknowledged the command within {} s; it is acted on when the runner looks at {name} again.",
            PATIENCE.as_secs()
        ))),
    }
    let filter = EventFilter {
        kind: Some(Kind::FlinkBlueGreenDeployment),
        namespace: Some(namespace.to_owned()),
        name: Some(name.to_owned()),
        since: Some(before),
    };
    let mut refused = None;
    for record in client.events(&filter).await.map_err(failed)? {
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
    let after = snapshot(&client, namespace, name).await?;
    context.out.line(&change_line(&after, &Clock::system()))
}

async fn acknowledged(
    client: &Client,
    namespace: &str,
    name: &str,
    command: &Command,
    token: &str,
) -> Result<(), Failure> {
    loop {
        let version = client.info().await.map_err(failed)?.store_version;
        let value = client
            .get(Kind::FlinkBlueGreenDeployment, namespace, name)
            .await
            .map_err(failed)?;
        let resource: FlinkBlueGreenDeployment = read(value)?;
        let seen = resource.status.and_then(|status| status.acknowledged);
        if seen.and_then(|seen| (command.acknowledged)(&seen)).as_deref() == Some(token) {
            return Ok(());
        }
        client.watch(version).await.map_err(failed)?;
    }
}
