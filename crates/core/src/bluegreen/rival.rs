//! Two operators on one resource: where another one writes the status after us, we stand aside.
//!
//! Who wrote which field, and when, stands in `metadata.managedFields`. A resource that another operator has managed so far
//! is taken over; one that it goes on writing to after that is let alone, for two that act on one resource undo each
//! other's work. It stays so until the other one is gone and a person asks for it to be tried again (`sluice retry`).

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ManagedFieldsEntry, Time};
use sluice_api::blue_green::{AcknowledgedStatus, FlinkBlueGreenDeploymentStatus, RivalStatus};
use sluice_api::metadata::{ANNOTATION_ABORT, ANNOTATION_PROMOTE, ANNOTATION_RETRY};

use super::decision::{Decision, Waiting, WaitingFor};
use super::observed::Observed;
use super::status;
use crate::{Event, Wake};

/// The field manager under which Sluice writes the status of a FlinkBlueGreenDeployment.
pub const STATUS_MANAGER: &str = "sluice-status";

const DEGRADED: &str = "Degraded";

/// What is said of a rival is written this long after our last write at the earliest: one that overwrites it at once must
/// not be answered at once, for that would be a duel.
const QUIET: SignedDuration = SignedDuration::from_secs(15);

/// Whether another operator has written since we did.
pub(super) fn is_there(observed: &Observed) -> bool {
    newer_writer(observed).is_some()
}

/// The decision to do nothing but say so; `None`: nobody else writes here.
pub(super) fn stand_aside(observed: &Observed, now: Timestamp) -> Option<Decision> {
    let empty = FlinkBlueGreenDeploymentStatus::default();
    let previous = observed.resource.status.as_ref().unwrap_or(&empty);
    match (newer_writer(observed), &previous.rival) {
        (None, None) => None,
        (None, Some(_)) if is_to_be_tried_again(observed, previous) => None,
        (None, Some(rival)) => Some(aside(None, rival, Vec::new(), Wake::OnChange)),
        // In one second with our last write, which told of it: a person knows better which came first.
        (Some(writer), Some(_)) if !writer.is_later() && is_to_be_tried_again(observed, previous) => None,
        (Some(writer), told) => Some(tell(observed, previous, &writer, told.as_ref(), now)),
    }
}

/// Another operator's write that is newer than our last one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Its field manager.
    pub manager: String,
    /// When it wrote last, in whole seconds.
    pub at: Timestamp,
    /// When we wrote last, in whole seconds.
    pub ours: Timestamp,
}

impl Writer {
    /// Whether it is later by the clock; else it was in the same second, and what is ours is no longer so.
    fn is_later(&self) -> bool {
        self.at > self.ours
    }
}

/// How a status tells who has written it, by JSON pointers into the managed fields.
#[derive(Clone, Copy, Debug)]
pub struct Marks {
    /// The field manager under which Sluice writes the status.
    pub manager: &'static str,
    /// What we always write: whoever writes it, too, takes it over.
    pub ours: &'static str,
    /// What another operator writes.
    pub theirs: &'static str,
}

const STATE: Marks = Marks {
    manager: STATUS_MANAGER,
    ours: "/f:status/f:blueGreenState",
    theirs: "/f:status/f:blueGreenState",
};

fn newer_writer(observed: &Observed) -> Option<Writer> {
    newest(observed.resource.metadata.managed_fields.as_deref()?, STATE)
}

/// The operator that has written the status after us. `None`: there is none, or we have never written, and take over.
pub fn newest(entries: &[ManagedFieldsEntry], marks: Marks) -> Option<Writer> {
    // Whoever changes the state takes it over: what is left to us of our last write need not hold it.
    let mine = || {
        let of_status = entries
            .iter()
            .filter(|entry| entry.subresource.as_deref() == Some("status"));
        of_status.filter(|entry| entry.manager.as_deref() == Some(marks.manager))
    };
    let ours = mine().filter_map(time).max()?;
    let state_is_ours = mine().any(|entry| writes(entry, marks.ours));
    // The times have whole seconds. In one and the same, whose the state is tells who was last.
    let is_newer = |theirs: Timestamp| theirs > ours || (theirs == ours && !state_is_ours);
    let other = entries
        .iter()
        .filter(|entry| writes(entry, marks.theirs))
        .filter(|entry| is_operator(entry.manager.as_deref().unwrap_or_default()))
        .filter(|entry| time(entry).is_some_and(is_newer))
        .max_by_key(|entry| time(entry))?;
    Some(Writer {
        manager: other.manager.clone().unwrap_or_default(),
        at: time(other)?,
        ours,
    })
}

fn writes(entry: &ManagedFieldsEntry, field: &str) -> bool {
    let fields = entry.fields_v1.as_ref();
    entry.subresource.as_deref() == Some("status")
        && fields.is_some_and(|fields| fields.0.pointer(field).is_some())
}

fn time(entry: &ManagedFieldsEntry) -> Option<Timestamp> {
    entry.time.as_ref().map(|time| time.0)
}

/// Whether this field manager is another operator. What a person's tool or a backup writes is repaired (scenarios 34 and
/// 35); what an operator writes is its own. Upstream's is written in Java, with a client whose name stands in the managed
/// fields.
pub fn is_operator(manager: &str) -> bool {
    let manager = manager.to_ascii_lowercase();
    manager != STATUS_MANAGER
        && ["fabric8", "flink", "okhttp", "java"]
            .iter()
            .any(|word| manager.contains(word))
}

fn is_to_be_tried_again(observed: &Observed, previous: &FlinkBlueGreenDeploymentStatus) -> bool {
    let acknowledged = previous.acknowledged.as_ref();
    let value = annotation(observed, ANNOTATION_RETRY);
    value.is_some() && value != acknowledged.and_then(|acknowledged| acknowledged.retry.clone())
}

fn annotation(observed: &Observed, key: &str) -> Option<String> {
    let value = observed.resource.metadata.annotations.as_ref()?.get(key)?;
    (!value.is_empty()).then(|| value.clone())
}

fn tell(
    observed: &Observed,
    previous: &FlinkBlueGreenDeploymentStatus,
    writer: &Writer,
    told: Option<&RivalStatus>,
    now: Timestamp,
) -> Decision {
    let rival = RivalStatus {
        manager: writer.manager.clone(),
        since: told.map_or(status::whole_seconds(now), |told| told.since),
    };
    if told.is_some() {
        return aside(None, &rival, Vec::new(), Wake::OnChange);
    }
    let again = writer.ours.saturating_add(QUIET).unwrap_or(Timestamp::MAX);
    if now < again {
        return aside(None, &rival, Vec::new(), Wake::At(again));
    }
    let mut status = previous.clone();
    status.conditions = with_condition(observed, previous, &rival, now);
    // The other operator does not keep what we acknowledged: what stands there now was asked for before.
    status.acknowledged = Some(AcknowledgedStatus {
        promote: annotation(observed, ANNOTATION_PROMOTE),
        abort: annotation(observed, ANNOTATION_ABORT),
        retry: annotation(observed, ANNOTATION_RETRY),
    });
    status.rival = Some(rival.clone());
    let event = Event::warning("AnotherOperator", message(&rival));
    aside(Some(Box::new(status)), &rival, vec![event], Wake::OnChange)
}

fn message(rival: &RivalStatus) -> String {
    format!(
        "{} writes the status of this resource, too, so Sluice does nothing with it; end the other operator or keep it from \
         this resource, then run `sluice retry`",
        rival.manager
    )
}

fn with_condition(
    observed: &Observed,
    previous: &FlinkBlueGreenDeploymentStatus,
    rival: &RivalStatus,
    now: Timestamp,
) -> Vec<Condition> {
    let mut conditions = previous.conditions.clone();
    let before = conditions.iter().find(|condition| condition.type_ == DEGRADED);
    let since = before
        .filter(|before| before.status == "True")
        .map_or(Time(status::whole_seconds(now)), |before| {
            before.last_transition_time.clone()
        });
    conditions.retain(|condition| condition.type_ != DEGRADED);
    conditions.push(Condition {
        type_: DEGRADED.to_owned(),
        status: "True".to_owned(),
        reason: "AnotherOperator".to_owned(),
        message: message(rival),
        observed_generation: observed.resource.metadata.generation,
        last_transition_time: since,
    });
    conditions
}

fn aside(
    status: Option<Box<FlinkBlueGreenDeploymentStatus>>,
    rival: &RivalStatus,
    events: Vec<Event>,
    wake: Wake,
) -> Decision {
    Decision {
        status,
        effects: Vec::new(),
        waiting: Some(Waiting::for_person(WaitingFor::Person(message(rival)))),
        events,
        wake,
    }
}
