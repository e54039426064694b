//! Flink's configuration as the processes in the pods read it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sluice_api::FlinkDeploymentSpec;
use sluice_api::UpgradeMode;
use sluice_core::lifecycle::DeploymentPlan;
use sluice_shell::java;

use super::{Target, memory, options};
use crate::deployments::marks::{ANNOTATION_GENERATION, LABEL_DEPLOYMENT};

/// The file of Flink 1.19 and newer.
const CONFIG_YAML: &str = "config.yaml";
/// The file of older ones.
const FLINK_CONF_YAML: &str = "flink-conf.yaml";

/// The ports that Flink's processes listen on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    /// Where people find the REST API.
    pub(super) rest: u16,
    /// What it is bound to in the pod.
    pub(super) rest_bind: u16,
    pub(super) rpc: u16,
    pub(super) blob: u16,
}

/// Flink's configuration of one deployment, and what had to be read from it.
pub(super) struct Configuration {
    pub(super) map: BTreeMap<String, String>,
    pub(super) ports: Ports,
    /// Flink recovers the job by itself when its JobManager is started again.
    pub(super) is_highly_available: bool,
}

/// What needs opening on Java 9 and newer. The images' own configuration says so, and the mounted one hides it; from
/// `conf/config.yaml` of Flink 1.20 and 2.3.
const EXPORTED: [&str; 8] = [
    "--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED",
    "--add-exports=java.base/sun.net.util=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.api=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.parser=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.tree=ALL-UNNAMED",
    "--add-exports=jdk.compiler/com.sun.tools.javac.util=ALL-UNNAMED",
    "--add-exports=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
];

/// The configuration of this deployment.
pub(super) fn effective(target: &Target<'_>) -> Result<Configuration, String> {
    let Target { plan, spec, .. } = target;
    let mut map = plan.configuration.clone();
    let is_highly_available = ["high-availability.type", "high-availability"]
        .iter()
        .find_map(|key| map.get(*key))
        .is_some_and(|mode| !mode.trim().is_empty() && !mode.trim().eq_ignore_ascii_case("none"));
    if map
        .get("kubernetes.hostnetwork.enabled")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    {
        return Err(options::problem_of(
            "kubernetes.hostnetwork.enabled",
            "found `true`, expected `false`, because Sluice does not run Flink on the network of the nodes yet",
        ));
    }
    defaults(target, &mut map);
    of_specification(spec, plan, &mut map);
    let ports = ports(target, &mut map, is_highly_available)?;
    for component in ["jobmanager", "taskmanager"] {
        add_entry(
            &mut map,
            &format!("kubernetes.{component}.labels"),
            LABEL_DEPLOYMENT,
            &plan.deployment.to_string(),
        );
    }
    add_entry(
        &mut map,
        "kubernetes.jobmanager.annotations",
        ANNOTATION_GENERATION,
        &target.generation.to_string(),
    );
    let set = |map: &mut BTreeMap<String, String>, key: &str, value: &str| {
        map.insert(key.to_owned(), value.to_owned());
    };
    set(&mut map, "kubernetes.cluster-id", target.name);
    set(&mut map, "kubernetes.namespace", target.namespace);
    set(&mut map, "execution.target", "kubernetes-application");
    set(&mut map, "execution.attached", "true");
    set(&mut map, "execution.shutdown-on-attached-exit", "false");
    set(&mut map, "internal.cluster.execution-mode", "NORMAL");
    set(
        &mut map,
        "kubernetes.internal.jobmanager.entrypoint.class",
        "org.apache.flink.kubernetes.entrypoint.KubernetesApplicationClusterEntrypoint",
    );
    if is_highly_available {
        set(&mut map, "high-availability.cluster-id", target.name);
        // A job that has come to its end must be known to have done so, also to a JobManager that is started again.
        set(&mut map, "job-result-store.delete-on-commit", "false");
        if let Some(directory) = map.get("high-availability.storageDir").cloned() {
            let store = format!(
                "{}/job-result-store/{}/{}",
                directory.trim_end_matches('/'),
                target.name,
                plan.job_id
            );
            set(&mut map, "job-result-store.storage-path", &store);
        }
    }
    Ok(Configuration {
        map,
        ports,
        is_highly_available,
    })
}

/// What upstream sets unless the user does.
fn defaults(target: &Target<'_>, map: &mut BTreeMap<String, String>) {
    let mut default = |key: &str, value: String| {
        map.entry(key.to_owned()).or_insert(value);
    };
    default("kubernetes.rest-service.exposed.type", "ClusterIP".to_owned());
    default("web.cancel.enable", "false".to_owned());
    default("pipeline.name", target.name.to_owned());
    let job = target.spec.job.as_ref();
    if job.and_then(|job| job.upgrade_mode) == Some(UpgradeMode::LastState) {
        default("execution.checkpointing.interval", "300000".to_owned());
    }
    let options: Vec<String> = EXPORTED
        .map(str::to_owned)
        .into_iter()
        .chain(java::add_opens())
        .collect();
    default("env.java.default-opts.all", options.join(" "));
    if !memory::JOB_MANAGER_KEYS.iter().any(|key| map.contains_key(*key)) {
        let size = memory::DEFAULT_JOB_MANAGER.to_owned();
        map.insert("jobmanager.memory.process.size".to_owned(), size);
    }
    if !memory::TASK_MANAGER_KEYS.iter().any(|key| map.contains_key(*key)) {
        let size = memory::DEFAULT_TASK_MANAGER.to_owned();
        map.insert("taskmanager.memory.process.size".to_owned(), size);
    }
}

/// What the fields of the specification say.
fn of_specification(spec: &FlinkDeploymentSpec, plan: &DeploymentPlan, map: &mut BTreeMap<String, String>) {
    let mut set = |key: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            map.insert(key.to_owned(), value);
        }
    };
    set("kubernetes.container.image.ref", spec.image.clone());
    set(
        "kubernetes.container.image.pull-policy",
        spec.image_pull_policy.clone(),
    );
    set("kubernetes.service-account", spec.service_account.clone());
    let cpu = |resource: Option<&sluice_api::flink_deployment::Resource>| {
        let cores = resource?.cpu.as_ref()?.as_f64()?;
        // As Java writes a double.
        Some(format!("{cores:?}"))
    };
    let job_manager = spec.job_manager.as_ref();
    set(
        "kubernetes.jobmanager.cpu.amount",
        cpu(job_manager.and_then(|manager| manager.resource.as_ref())),
    );
    let task_manager = spec.task_manager.as_ref();
    set(
        "kubernetes.taskmanager.cpu.amount",
        cpu(task_manager.and_then(|manager| manager.resource.as_ref())),
    );
    set(
        "kubernetes.jobmanager.replicas",
        job_manager
            .and_then(|manager| manager.replicas)
            .map(|_| plan.job_manager_replicas.to_string()),
    );
    set("$internal.application.main", plan.entry_class.clone());
}

/// The ports, each fixed, because the services name them.
fn ports(
    target: &Target<'_>,
    map: &mut BTreeMap<String, String>,
    is_highly_available: bool,
) -> Result<Ports, String> {
    let rest = options::port_of(map, "rest.port", 8081)?;
    let rest_bind = options::port_of(map, "rest.bind-port", rest)?;
    let rpc = options::port_of(map, "jobmanager.rpc.port", 6123)?;
    let fixed = |map: &mut BTreeMap<String, String>, key: &str, default: u16| {
        // A range, or 0 for any port, which is Flink's default for some.
        let port = map
            .get(key)
            .and_then(|text| text.trim().parse::<u16>().ok())
            .filter(|port| *port > 0)
            .unwrap_or(default);
        map.insert(key.to_owned(), port.to_string());
        port
    };
    let blob = fixed(map, "blob.server.port", 6124);
    fixed(map, "taskmanager.rpc.port", 6122);
    if is_highly_available {
        fixed(map, "high-availability.jobmanager.port", rpc);
    } else {
        let address = format!("{}.{}", target.name, target.namespace);
        map.insert("jobmanager.rpc.address".to_owned(), address);
    }
    Ok(Ports {
        rest,
        rest_bind,
        rpc,
        blob,
    })
}

/// Adds an entry to an option that is a map.
fn add_entry(map: &mut BTreeMap<String, String>, key: &str, name: &str, value: &str) {
    let prefix = format!("{key}.");
    let has_own_keys = map.keys().any(|present| present.starts_with(&prefix));
    if has_own_keys && !map.contains_key(key) {
        map.insert(format!("{prefix}{name}"), value.to_owned());
        return;
    }
    let entry = format!("{name}:{value}");
    let text = match map
        .get(key)
        .map(|text| text.trim())
        .filter(|text| !text.is_empty())
    {
        Some(text) => format!("{text},{entry}"),
        None => entry,
    };
    map.insert(key.to_owned(), text);
}

/// The configuration file's name and text.
pub(super) fn file(configuration: &Configuration, plan: &DeploymentPlan) -> (&'static str, String) {
    let jars: Vec<&str> = plan.jar_uri.as_deref().into_iter().collect();
    let arguments: Vec<&str> = plan.args.iter().map(String::as_str).collect();
    let lists = [
        ("pipeline.jars", jars),
        ("pipeline.classpaths", Vec::new()),
        ("$internal.application.program-args", arguments),
    ];
    if is_old(plan.flink_version.as_deref()) {
        let mut map = configuration.map.clone();
        for (key, list) in lists {
            let list: Vec<String> = list.into_iter().map(escaped).collect();
            map.insert(key.to_owned(), list.join(";"));
        }
        let lines = map.iter().map(|(key, value)| format!("{key}: {value}\n"));
        return (FLINK_CONF_YAML, lines.collect());
    }
    // JSON is YAML, whatever is in a text.
    let mut lines: BTreeMap<&str, Value> = configuration
        .map
        .iter()
        .map(|(key, value)| (key.as_str(), json!(value)))
        .collect();
    for (key, list) in lists {
        if configuration.map.contains_key(key) && list.is_empty() {
            continue;
        }
        lines.insert(key, json!(list));
    }
    let lines = lines
        .into_iter()
        .map(|(key, value)| format!("{}: {value}\n", json!(key)));
    (CONFIG_YAML, lines.collect())
}

/// Flink before 1.19 knows the older file only.
fn is_old(flink_version: Option<&str>) -> bool {
    flink_version
        .and_then(|version| version.strip_prefix("v1_"))
        .and_then(|minor| minor.parse::<u32>().ok())
        .is_some_and(|minor| minor < 19)
}

/// An entry of a list in the older file.
fn escaped(text: &str) -> String {
    if text.contains([';', '"', '\'']) {
        format!("'{}'", text.replace('\'', "''"))
    } else {
        text.to_owned()
    }
}

/// Flink's own logging, for a specification that brings none: the console, and the file that its web page shows.
pub(super) const LOG4J: &str = "\
monitorInterval=30
rootLogger.level = ${env:ROOT_LOG_LEVEL:-INFO}
rootLogger.appenderRef.console.ref = Console
rootLogger.appenderRef.file.ref = File
appender.console.name = Console
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
appender.file.name = File
appender.file.type = RollingFile
appender.file.fileName = ${sys:log.file}
appender.file.filePattern = ${sys:log.file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 100MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = ${env:MAX_LOG_FILE_NUMBER:-10}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_added_to_a_map_however_it_is_written() {
        let mut map = BTreeMap::from([
            ("a".to_owned(), "x:y".to_owned()),
            ("b.x".to_owned(), "y".to_owned()),
        ]);
        for key in ["a", "b", "c"] {
            add_entry(&mut map, key, "n", "1");
        }
        assert_eq!(map["a"], "x:y,n:1");
        assert_eq!(map["b.n"], "1");
        assert_eq!(map["c"], "n:1");
    }

    #[test]
    fn flink_before_1_19_has_the_older_file() {
        assert!(is_old(Some("v1_18")) && !is_old(Some("v1_19")) && !is_old(Some("v2_0")) && !is_old(None));
        assert_eq!(escaped("a;b'c"), "'a;b''c'");
    }
}
