//! The files in `conf/`, and the JVM options and environment that stand in Flink's configuration.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use sluice_api::FlinkConfiguration;
use sluice_core::lifecycle::DeploymentPlan;
use sluice_shell::java;

use super::directory::DeploymentDirectory;
use super::error::LaunchError;
use super::intent::Ports;
use crate::distribution::Distribution;

/// Flink's configuration of this deployment, without memory: the plan's, and what only the launcher knows.
pub(super) fn effective(
    plan: &DeploymentPlan,
    directory: &DeploymentDirectory,
    ports: Ports,
) -> BTreeMap<String, String> {
    let mut configuration: BTreeMap<String, String> = plan
        .configuration
        .iter()
        // One JobManager without a standby, and no Kubernetes: a manifest that names them works all the same.
        .filter(|(key, _)| !key.starts_with("high-availability") && !key.starts_with("kubernetes."))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    for key in [
        "jobmanager.rpc.bind-port",
        "taskmanager.rpc.bind-port",
        "taskmanager.data.bind-port",
    ] {
        configuration.remove(key);
    }
    // A TaskManager is up before its JobManager; with Flink's own 10 s it would lose them all after the first try.
    configuration
        .entry("cluster.registration.error-delay".to_owned())
        .or_insert_with(|| "500".to_owned());

    let local = "127.0.0.1";
    let path = |part: &str| directory.path().join(part).display().to_string();
    let own = [
        ("jobmanager.rpc.address", local.to_owned()),
        ("jobmanager.rpc.port", ports.rpc.to_string()),
        ("jobmanager.bind-host", local.to_owned()),
        ("taskmanager.host", local.to_owned()),
        ("taskmanager.bind-host", local.to_owned()),
        ("rest.address", local.to_owned()),
        ("rest.bind-address", local.to_owned()),
        ("rest.port", ports.rest.to_string()),
        ("rest.bind-port", ports.rest.to_string()),
        // 0: Flink takes a free one as it binds.
        ("blob.server.port", "0".to_owned()),
        ("taskmanager.rpc.port", "0".to_owned()),
        ("taskmanager.data.port", "0".to_owned()),
        ("metrics.internal.query-service.port", "0".to_owned()),
        ("io.tmp.dirs", path("tmp")),
        ("user.artifacts.base-dir", path("tmp/artifacts")),
        ("parallelism.default", plan.parallelism.to_string()),
        // The JobManager stays after the job's end, so that its result, a savepoint's above all, can be read.
        ("execution.shutdown-on-application-finish", "false".to_owned()),
        (
            "execution.submit-failed-job-on-application-error",
            "true".to_owned(),
        ),
    ];
    configuration.extend(own.into_iter().map(|(key, value)| (key.to_owned(), value)));
    configuration
}

/// Writes `config.yaml` and the logging configuration.
///
/// Both Flink 1.20 and 2.x read `config.yaml`; 1.20 would prefer a `flink-conf.yaml` beside it, so there is none.
pub(super) fn write(
    configuration: &BTreeMap<String, String>,
    plan: &DeploymentPlan,
    directory: &DeploymentDirectory,
    distribution: &Distribution,
) -> Result<(), LaunchError> {
    let conf = directory.conf();
    let mut text = String::new();
    for (key, value) in configuration {
        // A JSON string is a YAML string, whatever is in it.
        let _writing_to_a_string_cannot_fail = writeln!(
            text,
            "{}: {}",
            serde_json::Value::from(key.as_str()),
            serde_json::Value::from(value.as_str())
        );
    }
    let file = conf.join("config.yaml");
    fs::write(&file, text).map_err(LaunchError::file(&file))?;

    for name in ["log4j-console.properties", "logback-console.xml"] {
        let source = distribution.conf().join(name);
        if source.is_file() && !plan.log_configuration.contains_key(name) {
            let target = conf.join(name);
            fs::copy(&source, &target).map_err(LaunchError::file(&target))?;
        }
    }
    for (name, content) in &plan.log_configuration {
        if name.is_empty() || name.starts_with('.') || name.contains('/') {
            return Err(LaunchError::Name {
                what: "logConfiguration file",
                value: name.clone(),
            });
        }
        let target = conf.join(name);
        fs::write(&target, content).map_err(LaunchError::file(&target))?;
    }
    Ok(())
}

/// The JVM options of one kind of process (`jobmanager`, `taskmanager`): the distribution's, then the user's, which so
/// have the last word.
pub(super) fn java_options(
    configuration: &BTreeMap<String, String>,
    distribution: &Distribution,
    component: &str,
) -> Result<Vec<String>, LaunchError> {
    let mut options = distribution_options(distribution);
    let specific = [
        format!("env.java.default-opts.{component}"),
        format!("env.java.opts.{component}"),
    ];
    let [default_specific, own_specific] = &specific;
    for key in [
        "env.java.default-opts.all",
        default_specific.as_str(),
        // The older name of the next one.
        "env.java.opts",
        "env.java.opts.all",
        own_specific.as_str(),
    ] {
        if let Some(value) = configuration.get(key) {
            let words = shlex::split(value).ok_or_else(|| LaunchError::Value {
                key: key.to_owned(),
                value: value.clone(),
                expected: "options with each quotation mark closed",
            })?;
            options.extend(words.into_iter().filter(|word| !word.is_empty()));
        }
    }
    Ok(options)
}

/// The environment that the configuration gives to one kind of process: `containerized.master.env.NAME` and
/// `containerized.taskmanager.env.NAME`, as on Kubernetes.
pub(super) fn environment(
    configuration: &BTreeMap<String, String>,
    prefix: &str,
) -> BTreeMap<String, String> {
    configuration
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone())))
        .collect()
}

/// Every jar of `lib/` in the order of their names, `flink-dist` last, as Flink's own scripts have it.
pub(super) fn class_path(distribution: &Distribution) -> Result<String, LaunchError> {
    let lib = distribution.lib();
    let mut jars = Vec::new();
    for entry in fs::read_dir(&lib).map_err(LaunchError::file(&lib))? {
        let path = entry.map_err(LaunchError::file(&lib))?.path();
        if path.extension().is_some_and(|extension| extension == "jar") {
            jars.push(path);
        }
    }
    let is_main = |path: &Path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("flink-dist"))
    };
    jars.sort_by_key(|path| (is_main(path), path.clone()));
    Ok(jars
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(":"))
}

/// `env.java.opts.all` of the distribution's own configuration, which only Flink's scripts read.
fn distribution_options(distribution: &Distribution) -> Vec<String> {
    let read = |path: &Path| -> Option<Vec<String>> {
        let text = fs::read_to_string(path).ok()?;
        let value: serde_json::Value = serde_saphyr::from_str(&text).ok()?;
        let configuration = FlinkConfiguration::read(&value).ok()?;
        shlex::split(configuration.get("env.java.opts.all")?)
    };
    // An older distribution has flink-conf.yaml, which is YAML with flat keys as a rule.
    let conf = distribution.conf();
    read(&conf.join("config.yaml"))
        .or_else(|| read(&conf.join("flink-conf.yaml")))
        // Those before 1.18 did not say it; left out is what only the compiler of old tools needs.
        .unwrap_or_else(|| {
            std::iter::once("--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED".to_owned())
                .chain(java::add_opens())
                .collect()
        })
}
