//! The store keeps Kubernetes' promises.

use serde_json::{Value, json};
use sluice_core::Event;
use tempfile::TempDir;

use super::{Kind, Object, ObjectKey, Preconditions, Store, StoreError};
use crate::client::{Change, EventFilter};

fn opened() -> (TempDir, Store) {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    (directory, store)
}

fn manifest(kind: Kind, name: &str, parallelism: i32) -> Object {
    Object::from_value(json!({
        "apiVersion": kind.api_version(),
        "kind": kind.name(),
        "metadata": { "name": name, "labels": { "team": "orders" } },
        "spec": { "job": { "parallelism": parallelism } },
    }))
    .unwrap()
}

fn parent(name: &str) -> Object {
    manifest(Kind::FlinkBlueGreenDeployment, name, 1)
}

fn child_of(owner: &Object, name: &str) -> Object {
    let mut child = manifest(Kind::FlinkDeployment, name, 1);
    child.metadata.owner_references = serde_json::from_value(json!([{
        "apiVersion": sluice_api::API_VERSION,
        "kind": owner.key.kind.name(),
        "name": owner.key.name,
        "uid": owner.uid(),
        "controller": true,
        "blockOwnerDeletion": true,
    }]))
    .unwrap();
    child
}

fn status(store: &Store, object: &Object, status: Value) -> Result<Object, StoreError> {
    store.record(
        &object.key,
        object.uid(),
        object.resource_version(),
        Some(status),
        &[],
    )
}

#[test]
fn a_created_object_gets_its_identity_and_a_second_one_of_that_name_is_refused() {
    let (_directory, store) = opened();
    let mut sent = parent("orders");
    sent.body
        .insert("status".to_owned(), json!({ "error": "made up" }));
    let created = store.create(sent).unwrap();
    assert_eq!(created.key.namespace, "default");
    assert_eq!(created.metadata.generation, Some(1));
    assert_eq!(created.uid().len(), 36);
    assert_eq!(created.status(), None);
    assert!(created.metadata.creation_timestamp.is_some());
    assert_eq!(store.get(&created.key).unwrap(), Some(created.clone()));

    let error = store.create(parent("orders")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "FlinkBlueGreenDeployment orders exists already"
    );
    assert_eq!(store.get(&created.key).unwrap(), Some(created));
}

#[test]
fn only_a_changed_specification_is_a_new_generation_and_an_equal_one_is_no_write() {
    let (_directory, store) = opened();
    let created = store.create(parent("orders")).unwrap();
    let with_status = status(&store, &created, json!({ "blueGreenState": "ACTIVE_BLUE" })).unwrap();
    assert_eq!(with_status.metadata.generation, Some(1));
    assert!(with_status.version() > created.version());

    let same = store.replace(parent("orders")).unwrap();
    assert_eq!(same, with_status);

    let annotated = store
        .annotate(&created.key, "flink/blue-green-retry", Some("1"))
        .unwrap();
    assert_eq!(annotated.metadata.generation, Some(1));
    assert!(annotated.version() > same.version());

    let edited = store
        .replace(manifest(Kind::FlinkBlueGreenDeployment, "orders", 2))
        .unwrap();
    assert_eq!(edited.metadata.generation, Some(2));
    assert_eq!(edited.status(), with_status.status(), "an edit keeps the status");
}

#[test]
fn a_status_is_written_only_to_what_was_read() {
    let (_directory, store) = opened();
    let read = store.create(parent("orders")).unwrap();
    store
        .replace(manifest(Kind::FlinkBlueGreenDeployment, "orders", 2))
        .unwrap();
    let error = status(&store, &read, json!({ "error": "stale" })).unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    assert_eq!(store.get(&read.key).unwrap().unwrap().status(), None);

    // Deleted and created again under the same name: another object.
    store.delete(&read.key, &Preconditions::default()).unwrap();
    let again = store.create(parent("orders")).unwrap();
    let stale = store.record(
        &read.key,
        read.uid(),
        again.resource_version(),
        Some(json!({})),
        &[],
    );
    assert!(matches!(stale, Err(StoreError::Conflict(_))));
}

#[test]
fn a_status_and_its_events_are_written_together_or_not_at_all() {
    let (_directory, store) = opened();
    let read = store.create(parent("orders")).unwrap();
    let events = [Event::normal(
        "SavepointTriggered",
        "A savepoint of blue was asked for.",
    )];
    let written = store
        .record(
            &read.key,
            read.uid(),
            read.resource_version(),
            Some(json!({ "error": "" })),
            &events,
        )
        .unwrap();
    store
        .record(
            &read.key,
            read.uid(),
            read.resource_version(),
            Some(json!({})),
            &events,
        )
        .unwrap_err();
    let told = store.events(&EventFilter::default()).unwrap();
    assert_eq!((told.len(), told[0].count), (1, 1));

    store
        .record(&read.key, read.uid(), written.resource_version(), None, &events)
        .unwrap();
    let told = store.events(&EventFilter::default()).unwrap();
    assert_eq!((told.len(), told[0].count), (1, 2), "the same event is counted");
    let since = EventFilter {
        since: Some(told[0].version),
        ..EventFilter::default()
    };
    assert!(store.events(&since).unwrap().is_empty());
}

#[test]
fn the_events_of_one_object_are_capped_and_the_newest_stay() {
    let (_directory, store) = opened();
    let key = store.create(parent("orders")).unwrap().key;
    for number in 0..1005 {
        let event = Event::warning("Noise", format!("number {number}"));
        store.tell(&key, &event).unwrap();
    }
    let told = store.events(&EventFilter::default()).unwrap();
    assert_eq!(told.len(), 1000);
    assert_eq!(told.last().unwrap().message, "number 1004");
}

#[test]
fn a_deleted_object_waits_for_its_finalizers_and_takes_what_it_owns_along() {
    let (_directory, store) = opened();
    let owner = store.create(parent("orders")).unwrap();
    let child = store.create(child_of(&owner, "orders-blue")).unwrap();
    store
        .set_finalizer(&child.key, child.uid(), "flink/stop", true)
        .unwrap();
    let bystander = store.create(manifest(Kind::FlinkDeployment, "other", 1)).unwrap();

    store.delete(&owner.key, &Preconditions::default()).unwrap();
    assert_eq!(store.get(&owner.key).unwrap(), None);
    let marked = store.get(&child.key).unwrap().unwrap();
    assert!(marked.is_being_deleted());
    assert_eq!(marked.metadata.generation, Some(2));

    // Deleting again changes nothing, and applying is refused with a sentence.
    store.delete(&child.key, &Preconditions::default()).unwrap();
    assert_eq!(store.get(&child.key).unwrap().unwrap(), marked);
    let refused = store.apply(vec![manifest(Kind::FlinkDeployment, "orders-blue", 2)]);
    assert!(refused.unwrap_err().to_string().contains("is being deleted"));

    store
        .set_finalizer(&child.key, child.uid(), "flink/stop", false)
        .unwrap();
    assert_eq!(store.get(&child.key).unwrap(), None);
    assert_eq!(
        store.last_removed(&child.key).unwrap().unwrap().uid(),
        child.uid()
    );
    assert_eq!(store.get(&bystander.key).unwrap(), Some(bystander));
}

#[test]
fn a_child_is_not_created_for_an_owner_that_is_gone() {
    let (_directory, store) = opened();
    let owner = store.create(parent("orders")).unwrap();
    store.delete(&owner.key, &Preconditions::default()).unwrap();
    store.create(parent("orders")).unwrap();
    let error = store.create(child_of(&owner, "orders-blue")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "FlinkDeployment orders-blue is not created, because its owner FlinkBlueGreenDeployment orders is gone"
    );
}

#[test]
fn a_delete_with_the_uid_or_version_of_another_object_deletes_nothing() {
    let (_directory, store) = opened();
    let read = store.create(parent("orders")).unwrap();
    let edited = store
        .replace(manifest(Kind::FlinkBlueGreenDeployment, "orders", 2))
        .unwrap();
    for stale in [
        Preconditions {
            uid: Some(read.uid().to_owned()),
            resource_version: Some(read.resource_version().to_owned()),
        },
        Preconditions {
            uid: Some("another".to_owned()),
            resource_version: None,
        },
    ] {
        let error = store.delete(&read.key, &stale).unwrap_err();
        assert!(error.is_stale(), "{error}");
    }
    assert_eq!(store.get(&read.key).unwrap(), Some(edited));
}

#[test]
fn apply_removes_what_the_last_apply_brought_and_keeps_what_others_added() {
    let (_directory, store) = opened();
    let with_labels = |labels: Value| {
        let mut manifest = parent("orders");
        manifest.metadata.labels = serde_json::from_value(labels).unwrap();
        manifest
    };
    let first = store
        .apply(vec![with_labels(json!({ "team": "orders", "stage": "test" }))])
        .unwrap();
    assert_eq!(first[0].change, Change::Created);
    let key = first[0].object.key.clone();
    store
        .annotate(&key, "flink/blue-green-promote", Some("1"))
        .unwrap();

    let second = store
        .apply(vec![with_labels(json!({ "team": "orders" }))])
        .unwrap();
    assert_eq!(second[0].change, Change::Configured);
    let metadata = &second[0].object.metadata;
    assert_eq!(
        json!(metadata.labels),
        json!({ "team": "orders" }),
        "`stage` was ours and is gone"
    );
    assert_eq!(
        json!(metadata.annotations),
        json!({ "flink/blue-green-promote": "1" })
    );

    let third = store
        .apply(vec![with_labels(json!({ "team": "orders" }))])
        .unwrap();
    assert_eq!(third[0].change, Change::Unchanged);
}

#[test]
fn of_several_applied_objects_all_are_stored_or_none() {
    let (_directory, store) = opened();
    let doomed = store.create(parent("doomed")).unwrap();
    store
        .set_finalizer(&doomed.key, doomed.uid(), "flink/stop", true)
        .unwrap();
    store.delete(&doomed.key, &Preconditions::default()).unwrap();
    store.apply(vec![parent("orders"), parent("doomed")]).unwrap_err();
    let key = ObjectKey::new(Kind::FlinkBlueGreenDeployment, "default", "orders");
    assert_eq!(store.get(&key).unwrap(), None);
}

#[test]
fn a_watch_tells_every_change_once_with_its_newest_content() {
    let (_directory, store) = opened();
    let mut woken = store.watch();
    let orders = store.create(parent("orders")).unwrap();
    let other = store.create(parent("other")).unwrap();
    assert!(woken.has_changed().unwrap());
    let all = store.changes(0).unwrap();
    assert_eq!(all.objects.len(), 2);
    assert_eq!(*woken.borrow_and_update(), all.version);

    let edited = status(&store, &orders, json!({ "error": "x" })).unwrap();
    store.delete(&other.key, &Preconditions::default()).unwrap();
    let changed = store.changes(all.version).unwrap();
    assert!(!changed.incomplete);
    let seen: Vec<_> = changed
        .objects
        .into_iter()
        .map(|(_, key, object)| (key, object))
        .collect();
    assert_eq!(seen, [(orders.key, Some(edited)), (other.key, None)]);
    assert!(store.changes(changed.version).unwrap().objects.is_empty());
}

#[test]
fn a_watch_that_fell_far_behind_is_told_to_list_anew() {
    let (_directory, store) = opened();
    store.create(parent("first")).unwrap();
    let since = store.changes(0).unwrap().version;
    for number in 0..1001 {
        let made = store.create(parent(&format!("passing-{number}"))).unwrap();
        store.delete(&made.key, &Preconditions::default()).unwrap();
    }
    assert!(store.changes(since).unwrap().incomplete);
}

#[test]
fn everything_is_there_again_after_the_process_is_gone() {
    let directory = TempDir::new().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let created = store.create(parent("orders")).unwrap();
    let written = status(&store, &created, json!({ "blueGreenState": "ACTIVE_BLUE" })).unwrap();
    store.set_port("default", "orders", 18_081).unwrap();
    drop(store);
    let store = Store::open(directory.path()).unwrap();
    assert_eq!(store.get(&created.key).unwrap(), Some(written.clone()));
    assert_eq!(store.port("default", "orders").unwrap(), Some(18_081));
    assert!(store.create(parent("other")).unwrap().version() > written.version());
}

#[test]
fn a_second_runner_on_the_directory_is_refused_by_one_sentence_with_the_pid() {
    let (directory, _store) = opened();
    let error = Store::open(directory.path()).unwrap_err().to_string();
    let pid = std::process::id();
    assert!(
        error.contains(&format!("is in use by the runner with process id {pid}")),
        "{error}"
    );
}

#[test]
fn a_store_of_a_newer_sluice_is_left_alone() {
    let (directory, store) = opened();
    let version = super::schema::newest() + 1;
    store
        .write(|transaction| Ok(transaction.pragma_update(None, "user_version", version)?))
        .unwrap();
    drop(store);
    let error = Store::open(directory.path()).unwrap_err().to_string();
    assert!(error.contains("was written by a newer Sluice"), "{error}");
}

#[test]
fn a_full_disk_loses_nothing_and_says_so() {
    let (_directory, store) = opened();
    let created = store.create(parent("orders")).unwrap();
    let limit = |pages: i64| {
        let connection = store.connection.lock().unwrap();
        connection
            .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| {
                row.get::<_, i64>(0)
            })
            .unwrap()
    };
    let free = limit(1_000_000);
    limit(1);
    let long = "x".repeat(1_000_000);
    let error = status(&store, &created, json!({ "error": long })).unwrap_err();
    assert!(matches!(error, StoreError::DiskFull { .. }), "{error}");
    assert!(
        error
            .to_string()
            .contains("make room, and Sluice goes on by itself")
    );
    assert_eq!(store.get(&created.key).unwrap(), Some(created.clone()));

    limit(free);
    status(&store, &created, json!({ "error": long })).unwrap();
}

#[test]
fn a_manifest_that_names_no_known_kind_is_refused() {
    for (document, words) in [
        (
            json!({ "kind": "Deployment", "metadata": { "name": "x" } }),
            "`Deployment`",
        ),
        (json!([1, 2]), "not a map"),
        (
            json!({ "kind": "FlinkDeployment", "metadata": {} }),
            "metadata.name is missing",
        ),
    ] {
        let error = Object::from_value(document).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
