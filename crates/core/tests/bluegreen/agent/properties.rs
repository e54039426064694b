//! Specifications as people may write them, prepared: nothing of theirs is lost, and preparing twice changes nothing.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sluice_api::FlinkDeployment;
use sluice_api::blue_green::TransitionMode;
use sluice_core::Color;
use sluice_core::bluegreen::agent::{Agent, JAR, Preparation, prepare};
use sluice_core::handover::Epoch;

use super::{colored, image, jar, options};

fn text() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "",
        "a",
        "-Da=b",
        "'-Da=b c'",
        "10 s",
        "-javaagent:/opt/jmx.jar=1",
        "v-%bluegreen.color%",
        "100%",
    ])
    .prop_map(str::to_owned)
}

/// Keys that stand in many ways, among them those that preparing writes.
fn configurations() -> impl Strategy<Value = Value> {
    let keys = prop::sample::select(vec![
        "env.java.opts.jobmanager",
        "env.java.opts.all",
        "env.java.opts",
        "bluegreen.gate.injection.enabled",
        "bluegreen.gate.ordering",
        "bluegreen.sinks.fork-safe",
        "bluegreen.theme",
        "taskmanager.numberOfTaskSlots",
        "slotmanager.number-of-slots.max",
        "job.autoscaler.enabled",
        "bluegreen.sinks.epoch.more",
        "state.savepoints.dir",
    ]);
    let strategy = prop::option::of(prop::sample::select(vec!["SAVEPOINT", "WATERMARK", "savepoint"]));
    let merge = any::<bool>();
    let entries = prop::collection::btree_map(keys, (text(), 0usize..4), 0..7);
    (entries, strategy, merge).prop_map(|(entries, strategy, merge)| {
        let mut map = Map::new();
        for (key, (value, depth)) in entries {
            nest(&mut map, key, depth, json!(value));
        }
        if let Some(strategy) = strategy {
            map.insert("bluegreen.gate.strategy".to_owned(), json!(strategy));
        }
        if merge {
            let key = "kubernetes.operator.pod-template.merge-arrays-by-name";
            map.insert(key.to_owned(), json!("true"));
        }
        Value::Object(map)
    })
}

/// Puts a value under a key of which the first parts are maps, where nothing else stands there.
fn nest(map: &mut Map<String, Value>, key: &str, depth: usize, value: Value) {
    if depth > 0
        && let Some((first, rest)) = key.split_once('.')
        && let Value::Object(below) = map.entry(first).or_insert_with(|| json!({}))
    {
        nest(below, rest, depth - 1, value);
    } else {
        map.insert(key.to_owned(), value);
    }
}

fn named(names: &'static [&'static str]) -> impl Strategy<Value = Value> {
    prop::collection::vec((prop::sample::select(names), 0u8..3), 0..4).prop_map(|entries| {
        entries
            .into_iter()
            .map(|(name, number)| json!({ "name": name, "mountPath": format!("/{name}/{number}"), "n": number }))
            .collect()
    })
}

fn pods() -> impl Strategy<Value = Option<Value>> {
    let containers = prop::collection::vec(
        (
            prop::sample::select(vec!["flink-main-container", "sidecar", "shipper"]),
            prop::option::of(named(&["models", "bluegreen-agent", "logs"])),
        ),
        0..3,
    )
    .prop_map(|containers| {
        containers
            .into_iter()
            .map(|(name, mounts)| match mounts {
                Some(mounts) => json!({ "name": name, "volumeMounts": mounts, "args": ["a"] }),
                None => json!({ "name": name }),
            })
            .collect::<Vec<_>>()
    });
    let spec = (
        prop::option::of(containers),
        prop::option::of(named(&["fetch", "bluegreen-agent-init"])),
        prop::option::of(named(&["models", "bluegreen-agent", "logs"])),
    )
        .prop_map(|(containers, inits, volumes)| {
            let mut spec = Map::new();
            for (name, list) in [
                ("containers", containers.map(Value::from)),
                ("initContainers", inits),
                ("volumes", volumes),
            ] {
                spec.extend(list.map(|list| (name.to_owned(), list)));
            }
            json!({ "metadata": { "labels": { "a": "b" } }, "spec": spec })
        });
    prop::option::of(spec)
}

fn preparations() -> impl Strategy<Value = Preparation> {
    (
        any::<bool>(),
        any::<bool>(),
        1u64..3,
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(
            |(advanced, green, sink_epoch, awaits_savepoint, on_kubernetes)| Preparation {
                mode: if advanced {
                    TransitionMode::Advanced
                } else {
                    TransitionMode::Basic
                },
                color: if green { Color::Green } else { Color::Blue },
                created_for: Epoch(7),
                sink_epoch,
                awaits_savepoint,
                agent: if on_kubernetes { image() } else { jar() },
            },
        )
}

/// Everything of `part` is in `whole`: objects may have more fields, lists more entries at their end. Of the init
/// container that bears the operator's name, image, command and mounts are the operator's.
fn assert_in(part: &Value, whole: &Value, path: &str) {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            for (name, value) in part {
                assert!(whole.contains_key(name), "{path}.{name} is gone");
                assert_in(value, &whole[name], &format!("{path}.{name}"));
            }
        }
        (Value::Array(part), Value::Array(whole)) => {
            assert!(part.len() <= whole.len(), "{path}");
            for (position, (part, whole)) in part.iter().zip(whole).enumerate() {
                assert_in(part, whole, &format!("{path}[{position}]"));
            }
        }
        (part, whole) => assert_eq!(part, whole, "{path}"),
    }
}

/// One template laid over another, as upstream does it by position.
fn laid_over(common: Option<&Value>, particular: Option<&Value>) -> Value {
    match (common, particular) {
        (Some(Value::Object(common)), Some(Value::Object(particular))) => {
            let mut whole = common.clone();
            for (name, value) in particular {
                whole.insert(name.clone(), laid_over(common.get(name), Some(value)));
            }
            Value::Object(whole)
        }
        (Some(Value::Array(common)), Some(Value::Array(particular))) => {
            let longest = common.len().max(particular.len());
            (0..longest)
                .map(|position| laid_over(common.get(position), particular.get(position)))
                .collect()
        }
        (common, particular) => particular.or(common).cloned().unwrap_or_default(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn preparing_twice_is_preparing_once_and_all_that_its_user_wrote_is_still_there(
        options_written in configurations(),
        common in pods(),
        own in pods(),
        preparation in preparations(),
    ) {
        let mut template = json!({ "flinkConfiguration": options_written });
        if let Some(common) = &common {
            template["podTemplate"] = common.clone();
        }
        if let Some(own) = &own {
            template["jobManager"] = json!({ "podTemplate": own, "replicas": 2 });
        }
        let child = colored(&template, preparation.color);
        let once = prepare(&child, &preparation).unwrap();
        let twice = prepare(&once, &preparation).unwrap();
        prop_assert_eq!(&twice, &once);
        if let Some(own) = Preparation::of(&once) {
            prop_assert_eq!(&prepare(&child, &own).unwrap(), &once);
        }

        // The configuration: what is written in addition to the user's own, or behind it.
        let (before, after) = (options(&child), options(&once));
        for (key, text) in &before {
            let text = text.replace("%bluegreen.color%", preparation.color.name());
            match key.as_str() {
                "env.java.opts.jobmanager" => prop_assert!(after[key].starts_with(text.trim_end())),
                "bluegreen.gate.strategy" => prop_assert!(after[key].eq_ignore_ascii_case(&text)),
                _ => prop_assert_eq!(&after[key], &text, "{}", key),
            }
        }
        let jars = after.get("env.java.opts.jobmanager").map_or(0, |text| text.matches("bluegreen-agent.jar").count());
        prop_assert!(jars <= 1);

        // The rest of the specification.
        let (mut rest_before, mut rest_after) = (child.spec.clone(), once.spec.clone());
        for spec in [&mut rest_before, &mut rest_after] {
            spec.flink_configuration = None;
            spec.job_manager = None;
        }
        prop_assert_eq!(rest_before, rest_after);
        prop_assert_eq!(&once.metadata, &child.metadata);

        // The JobManager's pod, as it is deployed.
        let by_name = after.contains_key("kubernetes.operator.pod-template.merge-arrays-by-name");
        let template_of = |child: &FlinkDeployment| {
            child.spec.job_manager.as_ref().and_then(|manager| manager.pod_template.clone())
        };
        let deployed = |child: &FlinkDeployment| {
            let own = template_of(child);
            let pod = if by_name { own.unwrap_or_default() } else { laid_over(common.as_ref(), own.as_ref()) };
            if pod.is_null() { json!({}) } else { pod }
        };
        let (part, whole) = (deployed(&child), deployed(&once));
        assert_in(&part, &whole, "pod");
        let whole = whole.to_string();
        let needs = matches!(preparation.agent, Agent::Image { .. })
            && (preparation.mode == TransitionMode::Advanced
                || before.get("bluegreen.sinks.fork-safe").is_none_or(|text| text != "false"));
        prop_assert_eq!(whole.contains("copy-agent"), needs);
        prop_assert_eq!(whole.contains(JAR), needs);
    }
}
