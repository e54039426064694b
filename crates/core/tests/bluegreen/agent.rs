//! The child as it is prepared for the handover: all that its user wrote is still there, and preparing twice changes nothing.

mod properties;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_api::blue_green::{FlinkBlueGreenDeploymentSpec, TransitionMode};
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment, configuration};
use sluice_core::bluegreen::agent::{Agent, JAR, Preparation, prepare};
use sluice_core::bluegreen::child;
use sluice_core::handover::Epoch;
use sluice_core::{Color, fields};

use crate::support::fixtures::{UID, resource_text};

/// The child of transition 7, green, as the deciders make it from this `spec.template.spec`.
fn child_of(template: &Value) -> FlinkDeployment {
    colored(template, Color::Green)
}

fn colored(template: &Value, color: Color) -> FlinkDeployment {
    let mut text = resource_text("savepoint");
    text["metadata"]["uid"] = json!(UID);
    for (name, value) in template.as_object().unwrap() {
        text["spec"]["template"]["spec"][name] = value.clone();
    }
    let parent: FlinkBlueGreenDeployment = serde_json::from_value(text).unwrap();
    child::manifest(&parent, color, 7, &parent.spec, Some("s3://b/sp/7-1"))
}

fn image() -> Agent {
    Agent::Image {
        image: "registry.example/sluice-operator:0.1.0".to_owned(),
        config_map: "app-configmap".to_owned(),
    }
}

fn jar() -> Agent {
    Agent::Jar {
        path: "/srv/sluice/bluegreen-agent.jar".to_owned(),
        handover_directory: "/srv/sluice/app".to_owned(),
    }
}

fn held_back(agent: Agent) -> Preparation {
    Preparation {
        mode: TransitionMode::Advanced,
        color: Color::Green,
        created_for: Epoch(7),
        sink_epoch: 3,
        awaits_savepoint: true,
        agent,
    }
}

fn fork(agent: Agent) -> Preparation {
    Preparation {
        mode: TransitionMode::Basic,
        awaits_savepoint: false,
        ..held_back(agent)
    }
}

fn options(child: &FlinkDeployment) -> BTreeMap<String, String> {
    configuration::flatten(child.spec.flink_configuration.as_ref().unwrap())
}

fn prepared(template: &Value, preparation: &Preparation) -> FlinkDeployment {
    prepare(&child_of(template), preparation).unwrap()
}

/// The template of somebody who has much in it.
fn rich() -> Value {
    json!({
        "flinkConfiguration": {
            "state.savepoints.dir": "s3://b/sp",
            "execution": { "checkpointing": { "interval": "10 s" } },
            "taskmanager.numberOfTaskSlots": 4,
            "env": { "java": { "opts": { "all": "-XX:+UseG1GC", "jobmanager": "-javaagent:/opt/jmx.jar=9404 -Dteam='a b'" } } },
            "orders.transactional-id-prefix": "orders-%bluegreen.color%",
        },
        "podTemplate": {
            "metadata": { "labels": { "team": "payments" } },
            "spec": {
                "serviceAccountName": "flink",
                "initContainers": [{ "name": "fetch-models", "image": "models:3" }],
                "containers": [
                    { "name": "log-shipper", "image": "shipper:1" },
                    { "name": "flink-main-container", "env": [{ "name": "TZ", "value": "UTC" }], "volumeMounts": [{ "name": "models", "mountPath": "/models" }] },
                ],
                "volumes": [{ "name": "models", "emptyDir": {} }],
            },
        },
        "jobManager": {
            "resource": { "cpu": 1, "memory": "1024m" },
            "podTemplate": { "spec": { "priorityClassName": "high" } },
        },
        "job": {
            "jarURI": "local:///opt/app.jar", "parallelism": 6, "upgradeMode": "savepoint",
            "args": ["--prefix", "%bluegreen.color%-orders"],
        },
    })
}

#[test]
fn a_held_back_child_on_kubernetes() {
    let child = prepared(&rich(), &held_back(image()));
    insta::assert_snapshot!(serde_json::to_string_pretty(&child).unwrap());
}

#[test]
fn a_held_back_child_on_this_machine() {
    let child = prepared(&rich(), &held_back(jar()));
    insta::assert_snapshot!(serde_json::to_string_pretty(&child.spec).unwrap());
}

#[test]
fn a_fork_in_basic_mode_gets_the_agent_and_a_sink_epoch_and_nothing_of_the_handover() {
    for agent in [image(), jar()] {
        let child = prepared(&json!({}), &fork(agent));
        let bluegreen: Vec<(String, String)> = options(&child)
            .into_iter()
            .filter(|(key, _)| key.starts_with("bluegreen.") || key.starts_with("slotmanager."))
            .collect();
        assert_eq!(bluegreen, [("bluegreen.sinks.epoch".to_owned(), "3".to_owned())]);
        assert!(options(&child)["env.java.opts.jobmanager"].starts_with("-javaagent:/"));
    }
}

#[test]
fn what_needs_nothing_of_the_agent_stays_as_it_is() {
    let first = Preparation {
        sink_epoch: 0,
        ..fork(image())
    };
    let off = json!({ "flinkConfiguration": { "bluegreen.sinks.fork-safe": "false" } });
    let old = json!({ "flinkVersion": "v1_18" });
    let stops_first = Preparation {
        sink_epoch: 0,
        awaits_savepoint: false,
        ..held_back(Agent::None)
    };
    for (template, preparation) in [
        (json!({}), first),
        (json!({}), fork(Agent::None)),
        (off, fork(image())),
        (old, fork(image())),
        (json!({}), stops_first),
    ] {
        let child = child_of(&template);
        assert_eq!(prepare(&child, &preparation), Ok(child));
    }
}

#[test]
fn what_cannot_be_delivered_is_said_before_anything_starts() {
    let watermark = json!({ "flinkConfiguration": { "bluegreen.gate.strategy": "WATERMARK" } });
    let plain = Preparation {
        sink_epoch: 0,
        awaits_savepoint: false,
        ..held_back(Agent::None)
    };
    let restores = Preparation {
        sink_epoch: 1,
        ..plain.clone()
    };
    let odd = Agent::Jar {
        path: "/srv/a=b/bluegreen-agent.jar".to_owned(),
        handover_directory: "/tmp".to_owned(),
    };
    for (template, preparation, words) in [
        (
            watermark,
            plain,
            "spec.transitionMode: found `ADVANCED`, which needs the gate agent here (the strategy WATERMARK puts gates into the job), and there is none to deliver; expected a local runner with `--agent-jar`",
        ),
        (
            json!({}),
            held_back(Agent::None),
            "(the job is held back until the outgoing one has stopped)",
        ),
        (
            json!({}),
            restores,
            "(the job restores sinks that have had fresh state)",
        ),
        (
            json!({ "flinkVersion": "v1_19" }),
            held_back(image()),
            "spec.template.spec.flinkVersion: found `v1_19`, expected `v1_20` or newer",
        ),
        (
            json!({ "flinkConfiguration": { "bluegreen.gate.strategy": "MAGIC" } }),
            held_back(image()),
            "[bluegreen.gate.strategy]: found `MAGIC`",
        ),
        (
            json!({ "flinkConfiguration": { "a": { "b": ["%bluegreen.colour%"] } } }),
            held_back(image()),
            "spec.template.spec.flinkConfiguration[a][b]: found `%bluegreen.colour%`, which is no placeholder",
        ),
        (
            json!({}),
            held_back(odd),
            "[env.java.opts.jobmanager]: cannot name the gate agent `/srv/a=b/bluegreen-agent.jar`, whose path has '=' in it",
        ),
    ] {
        let problems = prepare(&child_of(&template), &preparation).unwrap_err();
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].contains(words), "{told:?}");
    }
}

/// The options of the JobManager's JVM: what its user wrote, and what becomes of it.
#[test]
fn the_agent_stands_behind_the_users_own_options_and_never_twice() {
    let ours = format!("-javaagent:{JAR}");
    for (written, expected) in [
        (json!({}), ours.clone()),
        (json!({ "env.java.opts.jobmanager": "" }), ours.clone()),
        (json!({ "env.java.opts.jobmanager": null }), ours.clone()),
        (
            json!({ "env.java.opts.jobmanager": "-Da=b " }),
            format!("-Da=b {ours}"),
        ),
        (
            json!({ "env.java.opts": { "jobmanager": "-Da=b" } }),
            format!("-Da=b {ours}"),
        ),
        (
            json!({ "env.java.opts.all": "-Xss2m", "env.java.opts.jobmanager": "'-Da=b c'" }),
            format!("'-Da=b c' {ours}"),
        ),
        (
            json!({ "env.java.opts.jobmanager": "-javaagent:/opt/jmx.jar=9404:/c.yaml" }),
            format!("-javaagent:/opt/jmx.jar=9404:/c.yaml {ours}"),
        ),
        // FLIP-504's own, or one that the image brings along.
        (
            json!({ "env.java.opts.jobmanager": format!("{ours} -Da=b") }),
            format!("{ours} -Da=b"),
        ),
        (
            json!({ "env.java.opts.jobmanager": "-javaagent:/baked/bluegreen-agent.jar=x" }),
            "-javaagent:/baked/bluegreen-agent.jar=x".to_owned(),
        ),
    ] {
        let template = json!({ "flinkConfiguration": written });
        let child = prepared(&template, &held_back(image()));
        assert_eq!(
            options(&child)["env.java.opts.jobmanager"],
            expected,
            "{template}"
        );
        assert!(
            configuration::FlinkConfiguration::read(child.spec.flink_configuration.as_ref().unwrap()).is_ok(),
            "{template}"
        );
    }
    // The older name of `env.java.opts.all`, and the defaults, reach the JobManager, too.
    for key in ["env.java.opts", "env.java.opts.all", "env.java.default-opts.all"] {
        let template = json!({ "flinkConfiguration": { key: format!("-Da=b {ours}") } });
        let child = prepared(&template, &held_back(image()));
        assert!(!options(&child).contains_key("env.java.opts.jobmanager"), "{key}");
        assert_eq!(options(&child)[key], format!("-Da=b {ours}"));
    }
    // A local path is quoted where a shell would take it apart, and is known again.
    let spaced = Agent::Jar {
        path: "/srv/my name/agent 1.jar".to_owned(),
        handover_directory: "/tmp/x".to_owned(),
    };
    let child = prepared(&json!({}), &held_back(spaced.clone()));
    assert_eq!(
        options(&child)["env.java.opts.jobmanager"],
        "'-javaagent:/srv/my name/agent 1.jar'"
    );
    assert_eq!(Preparation::of(&child), Some(held_back(spaced)));
}

#[test]
fn what_its_user_chose_for_the_gates_stays() {
    let template = |injection: Value| {
        json!({ "flinkConfiguration": {
            "bluegreen.gate": { "strategy": "watermark", "injection": injection, "ordering": "STRICT" },
        } })
    };
    let open = Preparation {
        awaits_savepoint: false,
        ..held_back(image())
    };
    let child = prepared(&template(json!({})), &open);
    assert_eq!(options(&child)["bluegreen.gate.injection.enabled"], "true");
    assert_eq!(options(&child)["bluegreen.gate.strategy"], "WATERMARK");
    assert_eq!(options(&child)["bluegreen.gate.ordering"], "STRICT");
    let by_hand = prepared(&template(json!({ "enabled": false })), &open);
    assert_eq!(options(&by_hand)["bluegreen.gate.injection.enabled"], "false");
    // SAVEPOINT has no gates. It is said all the same, because the gate's own default is WATERMARK.
    let without = prepared(&json!({}), &open);
    assert_eq!(options(&without)["bluegreen.gate.strategy"], "SAVEPOINT");
    assert!(!options(&without).contains_key("bluegreen.gate.injection.enabled"));
}

#[test]
fn slots_are_asked_for_ahead_only_where_flink_starts_its_task_managers_and_nobody_bounds_them() {
    let slots = |template: Value| {
        let child = prepared(&template, &held_back(image()));
        options(&child).get("slotmanager.number-of-slots.min").cloned()
    };
    let with = |key: &str, value: Value| json!({ "flinkConfiguration": { key: value } });
    assert_eq!(slots(json!({})).as_deref(), Some("2"));
    // Whole TaskManagers.
    assert_eq!(
        slots(with("taskmanager.numberOfTaskSlots", json!(4))).as_deref(),
        Some("4")
    );
    assert_eq!(
        slots(with("slotmanager.number-of-slots.max", json!("2"))).as_deref(),
        Some("2")
    );
    assert_eq!(slots(with("slotmanager.number-of-slots.max", json!("1"))), None);
    assert_eq!(slots(with("slotmanager.max-total-resource.cpu", json!(8))), None);
    assert_eq!(
        slots(with("slotmanager.number-of-slots.min", json!("9"))).as_deref(),
        Some("9")
    );
    assert_eq!(slots(with("job.autoscaler.enabled", json!(true))), None);
    assert_eq!(slots(json!({ "mode": "standalone" })), None);
    let running = Preparation {
        awaits_savepoint: false,
        ..held_back(image())
    };
    let child = prepared(&json!({}), &running);
    assert!(!options(&child).contains_key("slotmanager.number-of-slots.min"));
}

#[test]
fn what_a_user_gives_to_the_init_container_and_the_volume_by_name_stays() {
    let template = json!({ "jobManager": { "podTemplate": { "spec": {
        "volumes": [{ "name": "bluegreen-agent", "emptyDir": { "sizeLimit": "64Mi" } }],
        "initContainers": [{
            "name": "bluegreen-agent-init", "image": "other", "securityContext": { "runAsUser": 9999 },
            "resources": { "limits": { "memory": "64Mi" } },
        }],
    } } } });
    let child = prepared(&template, &held_back(image()));
    let pod = child.spec.job_manager.unwrap().pod_template.unwrap();
    assert_eq!(
        pod["spec"]["volumes"],
        json!([{ "name": "bluegreen-agent", "emptyDir": { "sizeLimit": "64Mi" } }])
    );
    assert_eq!(
        pod["spec"]["initContainers"],
        json!([{
            "name": "bluegreen-agent-init", "image": "registry.example/sluice-operator:0.1.0",
            "command": ["/sluice-operator", "copy-agent", "/bluegreen-agent/bluegreen-agent.jar"],
            "securityContext": { "runAsUser": 9999 }, "resources": { "limits": { "memory": "64Mi" } },
            "volumeMounts": [{ "name": "bluegreen-agent", "mountPath": "/bluegreen-agent" }],
        }])
    );
}

/// Otherwise a newer operator would start every job anew, because its image stands in the template.
#[test]
fn a_child_that_is_there_is_prepared_again_as_it_was() {
    for preparation in [held_back(image()), held_back(jar()), fork(image()), fork(jar())] {
        let child = child_of(&rich());
        let there = prepare(&child, &preparation).unwrap();
        let own = Preparation::of(&there).unwrap();
        assert_eq!(prepare(&child, &own), Ok(there.clone()));
        assert_eq!((own.color, own.created_for), (Color::Green, Epoch(7)));
        assert_eq!((own.mode, own.sink_epoch), (preparation.mode, 3));
        if preparation.mode == TransitionMode::Advanced {
            assert_eq!(own, preparation);
        }
    }
    assert_eq!(Preparation::of(&child_of(&rich())), None);
}

/// Upstream's client writes defaults out when it adds its finalizer, and the values of the configuration as texts.
#[test]
fn what_upstreams_client_writes_out_is_no_edit() {
    let ours = prepared(&rich(), &held_back(image())).spec;
    let mut theirs = serde_json::to_value(&ours).unwrap();
    theirs["flinkConfiguration"] = json!(configuration::flatten(&theirs["flinkConfiguration"]));
    theirs["jobManager"]["replicas"] = json!(1);
    theirs["job"]["state"] = json!("running");
    for pointer in ["/podTemplate", "/jobManager/podTemplate"] {
        let template = theirs.pointer_mut(pointer).unwrap();
        template["apiVersion"] = json!("v1");
        template["kind"] = json!("Pod");
    }
    let theirs = serde_json::from_value(theirs).unwrap();
    assert_eq!(fields::differences(&ours, &theirs), []);
}

/// The types of the deciders take what is prepared, and write it as it is.
#[test]
fn a_prepared_template_is_a_specification() {
    let child = prepared(&rich(), &held_back(image()));
    let mut resource = resource_text("savepoint");
    resource["spec"]["template"]["spec"] = serde_json::to_value(&child.spec).unwrap();
    let spec: FlinkBlueGreenDeploymentSpec = serde_json::from_value(resource["spec"].clone()).unwrap();
    assert_eq!(spec.template.unwrap().spec.unwrap(), child.spec);
}
