//! Events of the resources, as the API server keeps them for an hour or so.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use sluice_local::client::{EventFilter, EventRecord, Severity};
use sluice_local::store::Kind;

use super::error::Request;
use super::{Cluster, PAGE};
use crate::failure::Failure;
use crate::source::newer;

/// How long an event may come after the status that it belongs to.
const EVENT_LIMIT: Duration = Duration::from_secs(3);
/// How often they are looked for meanwhile.
const LOOK: Duration = Duration::from_millis(150);

impl Cluster {
    /// What has happened to the resources and their children, oldest first.
    pub(crate) async fn events(&self, filter: &EventFilter) -> Result<Vec<EventRecord>, Failure> {
        let kinds = match filter.kind {
            Some(kind) => vec![kind],
            None => vec![Kind::FlinkBlueGreenDeployment, Kind::FlinkDeployment],
        };
        let mut records = Vec::new();
        for kind in kinds {
            self.events_of(kind, filter, &mut records).await?;
        }
        records.sort_by_key(|record| (record.last_at, record.version));
        Ok(records)
    }

    /// What was told since `before`. The operator writes the status first and tells of it afterwards, so it is waited for:
    /// until something came and nothing more does, or the time is up.
    pub(crate) async fn events_since(
        &self,
        filter: &EventFilter,
        before: &[EventRecord],
    ) -> Result<Vec<EventRecord>, Failure> {
        let deadline = tokio::time::Instant::now() + EVENT_LIMIT;
        let mut last = newer(self.events(filter).await?, before);
        loop {
            tokio::time::sleep(LOOK).await;
            let now = newer(self.events(filter).await?, before);
            if (!now.is_empty() && now == last) || tokio::time::Instant::now() >= deadline {
                return Ok(now);
            }
            last = now;
        }
    }

    async fn events_of(
        &self,
        kind: Kind,
        filter: &EventFilter,
        records: &mut Vec<EventRecord>,
    ) -> Result<(), Failure> {
        let api: Api<Event> = match &filter.namespace {
            Some(namespace) => Api::namespaced(self.client.clone(), namespace),
            None => Api::all(self.client.clone()),
        };
        let selection = match &filter.name {
            Some(name) => format!("regarding.kind={kind},regarding.name={name}"),
            None => format!("regarding.kind={kind}"),
        };
        let request = Request::events(filter.namespace.as_deref());
        let mut parameters = ListParams::default().fields(&selection).limit(PAGE);
        loop {
            let page = self.answer(&request, api.list(&parameters)).await?;
            records.extend(page.items.into_iter().filter_map(|event| record(kind, event)));
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => parameters = parameters.continue_token(&token),
                None => return Ok(()),
            }
        }
    }
}

/// The event as the commands show it; `None` for one that is about another kind of this name, or tells no time.
fn record(kind: Kind, event: Event) -> Option<EventRecord> {
    let regarding = event.regarding?;
    let group = |version: &str| version.split_once('/').map(|(group, _)| group.to_owned());
    let version = regarding.api_version.as_deref().unwrap_or(kind.api_version());
    if group(version) != group(kind.api_version()) {
        return None;
    }
    // A writer of the older API gives these, and no series.
    let deprecated_first = event.deprecated_first_timestamp.map(|time| time.0);
    let deprecated_last = event.deprecated_last_timestamp.map(|time| time.0);
    let created = event.metadata.creation_timestamp.map(|time| time.0);
    let first_at: Timestamp = event
        .event_time
        .map(|time| time.0)
        .or(deprecated_first)
        .or(created)?;
    let (count, last_at) = match event.series {
        Some(series) => (series.count, series.last_observed_time.0),
        None => (
            event.deprecated_count.unwrap_or(1),
            deprecated_last.unwrap_or(first_at),
        ),
    };
    Some(EventRecord {
        // Numbers that grow, as etcd has it; of others nothing is concluded but the order.
        version: event
            .metadata
            .resource_version
            .and_then(|version| version.parse().ok())
            .unwrap_or(0),
        kind,
        namespace: regarding.namespace.unwrap_or_default(),
        name: regarding.name.unwrap_or_default(),
        uid: regarding.uid.unwrap_or_default(),
        severity: if event.type_.as_deref() == Some("Warning") {
            Severity::Warning
        } else {
            Severity::Normal
        },
        reason: event.reason.unwrap_or_default(),
        message: event.note.unwrap_or_default(),
        count: u64::try_from(count).unwrap_or(1).max(1),
        first_at,
        last_at,
    })
}
