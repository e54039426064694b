//! Another operator on the same resource, and a specification that cannot be read.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{FieldsV1, ManagedFieldsEntry, Time};
use serde_json::json;
use sluice_api::Problem;
use sluice_api::blue_green::FlinkBlueGreenDeploymentSpec;
use sluice_api::metadata::ANNOTATION_RETRY;
use sluice_core::Wake;
use sluice_core::bluegreen::rival::STATUS_MANAGER;
use sluice_core::bluegreen::{Decision, Observed, decide, invariants};

use super::{active, active_green};

const UPSTREAM: &str = "fabric8-kubernetes-client";

/// `manager` wrote the blue/green state at this moment.
fn wrote(manager: &str, time: Timestamp) -> ManagedFieldsEntry {
    ManagedFieldsEntry {
        manager: Some(manager.to_owned()),
        operation: Some("Update".to_owned()),
        subresource: Some("status".to_owned()),
        time: Some(Time(time)),
        fields_v1: Some(FieldsV1(json!({ "f:status": { "f:blueGreenState": {} } }))),
        ..ManagedFieldsEntry::default()
    }
}

fn decided(observed: &Observed, now: Timestamp) -> Decision {
    let decision = decide(observed, now);
    assert_eq!(invariants::check(observed, &decision, now), []);
    decision
}

/// An observation in which an edit waits to be acted on, and who wrote the status when.
fn edited(writers: &[(&str, i64)]) -> (Observed, Timestamp) {
    let mut simulation = active("savepoint");
    simulation.world.set_image("app:2");
    let now = simulation.world.now;
    let mut observed = simulation.observe();
    let writers = writers
        .iter()
        .map(|(manager, ago)| wrote(manager, now - SignedDuration::from_secs(*ago)))
        .collect();
    observed.resource.metadata.managed_fields = Some(writers);
    (observed, now)
}

#[test]
fn a_resource_that_another_operator_has_managed_so_far_is_taken_over() {
    for writers in [
        vec![(UPSTREAM, 5)],
        vec![(UPSTREAM, 500), (STATUS_MANAGER, 60)],
        vec![(UPSTREAM, 60), (STATUS_MANAGER, 60)],
    ] {
        let (observed, now) = edited(&writers);
        assert!(
            decided(&observed, now)
                .status
                .is_some_and(|status| status.transition.is_some()),
            "{writers:?}"
        );
    }
}

#[test]
fn what_a_person_or_a_backup_writes_is_no_rival() {
    for manager in [
        "kubectl-edit",
        "kubectl-client-side-apply",
        "velero-server",
        "argocd-controller",
    ] {
        let (observed, now) = edited(&[(STATUS_MANAGER, 60), (manager, 5)]);
        assert!(
            decided(&observed, now).status.unwrap().rival.is_none(),
            "{manager}"
        );
    }
}

// It goes on writing after us: nothing is done, it is said once, and it stays so when the other one is silent.
#[test]
fn a_resource_that_another_operator_writes_to_is_let_alone_until_a_person_says_otherwise() {
    let (mut observed, now) = edited(&[(STATUS_MANAGER, 60), (UPSTREAM, 5)]);
    observed.resource.metadata.annotations =
        Some([(ANNOTATION_RETRY.to_owned(), "last week".to_owned())].into());
    let decision = decided(&observed, now);
    assert!(decision.effects.is_empty());
    let status = *decision.status.unwrap();
    assert_eq!(status.rival.as_ref().unwrap().manager, UPSTREAM);
    assert!(status.transition.is_none(), "the edit is not begun");
    let degraded = status
        .conditions
        .iter()
        .find(|it| it.type_ == "Degraded")
        .unwrap();
    assert_eq!(
        (degraded.status.as_str(), degraded.reason.as_str()),
        ("True", "AnotherOperator")
    );
    assert_eq!(decision.events.len(), 1);

    // Now our write is the newest. Nothing moves, whatever is edited.
    observed.resource.status = Some(status);
    observed.resource.metadata.managed_fields = Some(vec![wrote(UPSTREAM, now), wrote(STATUS_MANAGER, now)]);
    let decision = decided(&observed, now + SignedDuration::from_hours(1));
    assert!(decision.status.is_none() && decision.effects.is_empty());
    assert_eq!(decision.wake, Wake::OnChange);

    let annotations = observed.resource.metadata.annotations.as_mut().unwrap();
    annotations.insert(ANNOTATION_RETRY.to_owned(), "now".to_owned());
    let status = decided(&observed, now + SignedDuration::from_hours(1))
        .status
        .unwrap();
    assert!(status.rival.is_none());
    assert_eq!(status.acknowledged.unwrap().retry.as_deref(), Some("now"));
}

// A rival that overwrites what we say is not answered at once.
#[test]
fn two_operators_do_not_fight_a_duel_of_writes() {
    let (observed, now) = edited(&[(STATUS_MANAGER, 3), (UPSTREAM, 1)]);
    let decision = decided(&observed, now);
    assert!(decision.status.is_none() && decision.effects.is_empty());
    let Wake::At(again) = decision.wake else {
        panic!("{:?}", decision.wake);
    };
    assert!(again > now + SignedDuration::from_secs(10));
    assert!(decided(&observed, again).status.unwrap().rival.is_some());
}

// A newer CRD, or an older one, let something through that cannot be read: it is said, and nothing is touched.
#[test]
fn a_specification_that_cannot_be_read_is_said_and_touches_nothing() {
    let simulation = active_green("savepoint");
    let now = simulation.world.now;
    let mut observed = simulation.observe();
    observed.resource.spec = FlinkBlueGreenDeploymentSpec::default();
    observed.unreadable = vec![Problem::new(
        "spec.template.spec.job.parallelism",
        "found 9999999999",
    )];
    let decision = decided(&observed, now);
    assert!(decision.effects.is_empty());
    let status = *decision.status.unwrap();
    assert!(
        status
            .error
            .unwrap()
            .contains("spec.template.spec.job.parallelism: found 9999999999")
    );

    // The status is lost on top of it: what the Ingress was is not known any more, so nothing is rebuilt.
    observed.resource.status = None;
    let decision = decided(&observed, now);
    assert!(decision.status.is_none() && decision.effects.is_empty());
}
