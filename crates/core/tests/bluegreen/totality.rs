//! Whatever stands in the objects, a decision comes of it, the same one each time, and what it writes can be read again.

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::{Value, json};
use sluice_api::blue_green::FlinkBlueGreenDeploymentStatus;
use sluice_core::Fact;
use sluice_core::bluegreen::{Observed, decide, plan, record};

use crate::properties::{any_script, play, started};

/// Which object is damaged.
#[derive(Clone, Copy, Debug)]
enum Where {
    Resource,
    Blue,
    Green,
}

fn garbage() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!("9999-12-31T23:59:59Z")),
        Just(json!("-009999-01-02T01:59:59Z")),
        Just(json!("18446744073709551616")),
        Just(json!(u64::MAX)),
    ]
}

/// Every place in a document, by its pointer.
fn places(path: &str, value: &Value, found: &mut Vec<String>) {
    found.push(path.to_owned());
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                places(
                    &format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")),
                    value,
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                places(&format!("{path}/{index}"), value, found);
            }
        }
        _ => {}
    }
}

/// The document with garbage in one place; `None` where that is no such object any more.
fn damaged<T>(object: &T, place: usize, garbage: &Value) -> Option<T>
where
    T: serde::Serialize + serde::de::DeserializeOwned,
{
    let mut document = serde_json::to_value(object).unwrap();
    let mut found = Vec::new();
    places("", &document, &mut found);
    let pointer = &found[place % found.len()];
    *document.pointer_mut(pointer)? = garbage.clone();
    // A shell that cannot read an object says so and decides nothing.
    serde_json::from_value(document).ok()
}

fn damage(observed: &Observed, at: Where, place: usize, garbage: &Value) -> Option<Observed> {
    let mut observed = observed.clone();
    match at {
        Where::Resource => observed.resource = damaged(&observed.resource, place, garbage)?,
        Where::Blue => {
            observed.blue.child = Fact::Present(damaged(observed.blue.child.present()?, place, garbage)?);
        }
        Where::Green => {
            observed.green.child = Fact::Present(damaged(observed.green.child.present()?, place, garbage)?);
        }
    }
    Some(observed)
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, max_shrink_iters: 200, ..Config::with_cases(96) })]

    #[test]
    fn damaged_objects_are_decided_on_too(
        advanced in any::<bool>(),
        script in any_script(),
        damages in prop::collection::vec(
            (
                prop::sample::select(vec![Where::Resource, Where::Resource, Where::Blue, Where::Green]),
                any::<usize>(),
                garbage(),
            ),
            40,
        ),
    ) {
        let mut simulation = started("savepoint", advanced);
        simulation.seen = Some(Vec::new());
        for happens in &script {
            play(&mut simulation, happens);
        }
        let seen = simulation.seen.take().unwrap();
        for (index, (observed, now)) in seen.iter().enumerate() {
            let (at, place, garbage) = &damages[index % damages.len()];
            let Some(observed) = damage(observed, *at, *place, garbage) else { continue };
            let decision = decide(&observed, *now);
            prop_assert_eq!(&decision, &decide(&observed, *now));
            plan::plan(&observed, &observed.resource, *now);
            if let Some(status) = &decision.status {
                prop_assert!(record::read(status).is_some(), "what is written can be read: {status:#?}");
            }
        }
    }

    #[test]
    fn what_is_written_is_read_as_it_was_meant(
        advanced in any::<bool>(),
        script in any_script(),
    ) {
        let mut simulation = started("savepoint", advanced);
        simulation.seen = Some(Vec::new());
        for happens in &script {
            play(&mut simulation, happens);
        }
        for (observed, now) in simulation.seen.take().unwrap() {
            let Some(status) = decide(&observed, now).status else { continue };
            let text = serde_json::to_string(&status).unwrap();
            let read: FlinkBlueGreenDeploymentStatus = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, status.as_ref());
            prop_assert_eq!(record::read(&read), record::read(&status));
        }
    }
}
