//! The JobManager's pod, made as Flink's own native client makes it, and the TaskManagers' template.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sluice_api::FlinkDeploymentSpec;

use super::configuration::Configuration;
use super::template::{Parts, append, extend, merged, take_object};
use super::{Names, memory, options};
use crate::deployments::marks::{GATE, JOB_MANAGER, MAIN_CONTAINER};

/// The file that Flink reads the TaskManagers' template from, in the JobManager's pod.
pub(super) const TASK_MANAGER_TEMPLATE: &str = "taskmanager-pod-template.yaml";
/// Where that file is.
pub(super) const TEMPLATE_DIRECTORY: &str = "/opt/flink/pod-template";
/// Where the JobManager leaves the mark that it was started.
const MARK_DIRECTORY: &str = "/var/run/sluice";
const MARK_VOLUME: &str = "sluice-started";
const CONFIG_VOLUME: &str = "flink-config-volume";
const TEMPLATE_VOLUME: &str = "pod-template-volume";
const ARTIFACTS_VOLUME: &str = "user-artifacts-volume";

type Object = Map<String, Value>;

/// The TaskManagers' template; `None`: there is none.
pub(super) fn task_manager_template(
    spec: &FlinkDeploymentSpec,
    configuration: &BTreeMap<String, String>,
) -> Option<Value> {
    let manager = spec.task_manager.as_ref();
    let template = merged(
        spec.pod_template.as_ref(),
        manager.and_then(|manager| manager.pod_template.as_ref()),
        merges_by_name(configuration),
    );
    let storage = manager
        .and_then(|manager| manager.resource.as_ref())
        .and_then(|resource| resource.ephemeral_storage.as_deref());
    if template.is_none() && storage.is_none() {
        return None;
    }
    let mut parts = Parts::of(template);
    parts.store_ephemerally(storage);
    let mut whole = parts.whole();
    if let Value::Object(pod) = &mut whole {
        pod.insert("apiVersion".to_owned(), json!("v1"));
        pod.insert("kind".to_owned(), json!("Pod"));
        let mut metadata = take_object(pod, "metadata");
        metadata
            .entry("name")
            .or_insert_with(|| json!("taskmanager-pod-template"));
        pod.insert("metadata".to_owned(), Value::Object(metadata));
    }
    Some(whole)
}

fn merges_by_name(configuration: &BTreeMap<String, String>) -> bool {
    is_true(
        configuration,
        "kubernetes.operator.pod-template.merge-arrays-by-name",
        false,
    )
}

fn is_true(configuration: &BTreeMap<String, String>, key: &str, default: bool) -> bool {
    configuration
        .get(key)
        .map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
}

/// What the pod is made of.
pub(super) struct JobManager<'a> {
    pub(super) names: &'a Names,
    pub(super) spec: &'a FlinkDeploymentSpec,
    pub(super) configuration: &'a Configuration,
    /// The files of the configuration.
    pub(super) files: Vec<String>,
    pub(super) has_template: bool,
}

impl JobManager<'_> {
    fn option(&self, key: &str) -> Option<&str> {
        let text = self.configuration.map.get(key)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// The template of the Deployment: metadata and specification of the pod.
    pub(super) fn template(&self) -> Result<Value, String> {
        let manager = self.spec.job_manager.as_ref();
        let template = merged(
            self.spec.pod_template.as_ref(),
            manager.and_then(|manager| manager.pod_template.as_ref()),
            merges_by_name(&self.configuration.map),
        );
        let mut parts = Parts::of(template);
        parts.store_ephemerally(
            manager
                .and_then(|manager| manager.resource.as_ref())
                .and_then(|resource| resource.ephemeral_storage.as_deref()),
        );
        let Parts { mut pod, mut main } = parts;
        self.container(&mut main)?;

        let mut metadata = take_object(&mut pod, "metadata");
        extend(&mut metadata, "labels", &self.labels()?);
        extend(&mut metadata, "annotations", &self.annotations()?);

        let mut spec = take_object(&mut pod, "spec");
        self.pod(&mut spec)?;
        main.insert("name".to_owned(), json!(MAIN_CONTAINER));
        append(&mut spec, "containers", [Value::Object(main)]);
        Ok(json!({ "metadata": metadata, "spec": spec }))
    }

    /// The labels of the Deployment and its pods.
    pub(super) fn labels(&self) -> Result<BTreeMap<String, String>, String> {
        let mut labels = options::map_of(&self.configuration.map, "kubernetes.jobmanager.labels")?;
        labels.extend(self.names.labels(JOB_MANAGER));
        Ok(labels)
    }

    /// The annotations of the Deployment and its pods.
    pub(super) fn annotations(&self) -> Result<BTreeMap<String, String>, String> {
        options::map_of(&self.configuration.map, "kubernetes.jobmanager.annotations")
    }

    fn pod(&self, spec: &mut Object) -> Result<(), String> {
        let map = &self.configuration.map;
        let account = self
            .option("kubernetes.jobmanager.service-account")
            .or_else(|| self.option("kubernetes.service-account"))
            .map(str::to_owned)
            .or_else(|| Some(spec.get("serviceAccountName")?.as_str()?.to_owned()))
            .unwrap_or_else(|| "default".to_owned());
        spec.insert("serviceAccountName".to_owned(), json!(account));
        spec.remove("serviceAccount");
        spec.insert("restartPolicy".to_owned(), json!("Always"));
        if let Some(scheduler) = self.option("kubernetes.scheduler-name") {
            spec.insert("schedulerName".to_owned(), json!(scheduler));
        }
        let secrets = options::list_of(map, "kubernetes.container.image.pull-secrets")?;
        append(
            spec,
            "imagePullSecrets",
            secrets.iter().map(|name| json!({ "name": name })),
        );
        let selector = options::map_of(map, "kubernetes.jobmanager.node-selector")?;
        extend(spec, "nodeSelector", &selector);
        let tolerations = options::maps_of(map, "kubernetes.jobmanager.tolerations")?;
        append(spec, "tolerations", tolerations.into_iter().map(toleration));
        append(spec, "volumes", self.volumes()?);
        if !self.configuration.is_highly_available {
            append(spec, "schedulingGates", [json!({ "name": GATE })]);
        }
        Ok(())
    }

    fn volumes(&self) -> Result<Vec<Value>, String> {
        let mut volumes = vec![json!({ "name": ARTIFACTS_VOLUME, "emptyDir": {} })];
        for secret in self.secrets()?.keys() {
            volumes.push(json!({ "name": format!("{secret}-volume"), "secret": { "secretName": secret } }));
        }
        let item = |file: &str| json!({ "key": file, "path": file });
        let files: Vec<Value> = self.files.iter().map(|file| item(file)).collect();
        volumes.push(json!({
            "name": CONFIG_VOLUME,
            "configMap": { "name": self.names.job_manager_config(), "items": files },
        }));
        if self.has_template {
            volumes.push(json!({
                "name": TEMPLATE_VOLUME,
                "configMap": { "name": self.names.pod_template(), "items": [item(TASK_MANAGER_TEMPLATE)] },
            }));
        }
        if let Some(hadoop) = self.option("kubernetes.hadoop.conf.config-map.name") {
            volumes.push(json!({ "name": "hadoop-config-volume", "configMap": { "name": hadoop } }));
        }
        if !self.configuration.is_highly_available {
            volumes.push(json!({ "name": MARK_VOLUME, "emptyDir": {} }));
        }
        Ok(volumes)
    }

    fn secrets(&self) -> Result<BTreeMap<String, String>, String> {
        options::map_of(&self.configuration.map, "kubernetes.secrets")
    }

    fn container(&self, main: &mut Object) -> Result<(), String> {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let image = self
            .option("kubernetes.container.image.ref")
            .or_else(|| self.option("kubernetes.container.image"))
            .map(str::to_owned)
            .or_else(|| text(main.get("image")))
            .ok_or("spec.image: is missing, expected the image that Flink runs from")?;
        let pull = self
            .option("kubernetes.container.image.pull-policy")
            .map(str::to_owned)
            .or_else(|| text(main.get("imagePullPolicy")))
            .unwrap_or_else(|| "IfNotPresent".to_owned());
        main.insert("image".to_owned(), json!(image));
        main.insert("imagePullPolicy".to_owned(), json!(pull));
        main.insert(
            "command".to_owned(),
            json!([self
                .option("kubernetes.entry.path")
                .unwrap_or("/docker-entrypoint.sh")]),
        );
        main.insert("args".to_owned(), json!(["bash", "-c", self.script()]));
        if is_true(
            &self.configuration.map,
            "kubernetes.operator.jm-deployment.startup.probe.enabled",
            true,
        ) {
            main.entry("startupProbe").or_insert_with(|| {
                json!({
                    "httpGet": { "path": "/config", "port": "rest" },
                    "periodSeconds": 1,
                    "failureThreshold": i32::MAX,
                })
            });
        }
        self.resources(main)?;
        self.environment(main)?;
        let ports = &self.configuration.ports;
        let named = [
            ("rest", ports.rest_bind),
            ("jobmanager-rpc", ports.rpc),
            ("blobserver", ports.blob),
        ];
        append(
            main,
            "ports",
            named.map(|(name, port)| json!({ "name": name, "containerPort": port })),
        );
        self.mounts(main)
    }

    /// What is run. Without high availability a JobManager that is started a second time would start its job again from
    /// what the deployment was started from (FLINK-41262); so it leaves a mark that outlives the container and not the pod.
    fn script(&self) -> String {
        let arguments = self
            .option("kubernetes.jobmanager.entrypoint.args")
            .unwrap_or_default();
        let start = format!("kubernetes-jobmanager.sh kubernetes-application {arguments}");
        if self.configuration.is_highly_available {
            return start;
        }
        format!(
            "mkdir {MARK_DIRECTORY}/started || {{ echo 'This JobManager has run and ended. It is not started again; a new deployment takes its place.' >&2; exit 1; }}; {start}"
        )
    }

    fn resources(&self, main: &mut Object) -> Result<(), String> {
        let map = &self.configuration.map;
        let megabytes = memory::job_manager(map)?;
        let keys = ["kubernetes.jobmanager.cpu.amount", "kubernetes.jobmanager.cpu"];
        let cores = options::number_of(map, &keys, 1.0)?;
        let factor = |key: &str| options::number_of(map, &[key], 1.0);
        let cores_limit = cores * factor("kubernetes.jobmanager.cpu.limit-factor")?;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "as Flink computes it; a JobManager's memory is far below 2^52"
        )]
        let megabytes_limit =
            (megabytes as f64 * factor("kubernetes.jobmanager.memory.limit-factor")?) as u64;
        let mut resources = take_object(main, "resources");
        for (kind, cores, megabytes) in [
            ("requests", cores, megabytes),
            ("limits", cores_limit, megabytes_limit),
        ] {
            let mut amounts = take_object(&mut resources, kind);
            amounts.insert("cpu".to_owned(), json!(cores.to_string()));
            amounts.insert("memory".to_owned(), json!(format!("{megabytes}Mi")));
            resources.insert(kind.to_owned(), Value::Object(amounts));
        }
        main.insert("resources".to_owned(), Value::Object(resources));
        Ok(())
    }

    fn environment(&self, main: &mut Object) -> Result<(), String> {
        let map = &self.configuration.map;
        let prefix = "containerized.master.env.";
        let own = map
            .iter()
            .filter_map(|(key, value)| Some(json!({ "name": key.strip_prefix(prefix)?, "value": value })));
        append(main, "env", own);
        let address = json!({
            "name": "_POD_IP_ADDRESS",
            "valueFrom": { "fieldRef": { "apiVersion": "v1", "fieldPath": "status.podIP" } },
        });
        append(main, "env", [address]);
        if let Some(directory) = self.option("kubernetes.flink.log.dir") {
            append(
                main,
                "env",
                [json!({ "name": "FLINK_LOG_DIR", "value": directory })],
            );
        }
        let key = "kubernetes.env.secretKeyRef";
        for reference in options::maps_of(map, key)? {
            let part = |name: &str| {
                reference.get(name).ok_or_else(|| {
                    options::problem_of(
                        key,
                        &format!("`{name}` is missing, expected `env:NAME,secret:NAME,key:NAME`"),
                    )
                })
            };
            let variable = json!({
                "name": part("env")?,
                "valueFrom": { "secretKeyRef": { "name": part("secret")?, "key": part("key")? } },
            });
            append(main, "env", [variable]);
        }
        Ok(())
    }

    fn mounts(&self, main: &mut Object) -> Result<(), String> {
        let mount = |name: &str, path: &str| json!({ "name": name, "mountPath": path });
        let artifacts = self
            .option("user.artifacts.base-dir")
            .unwrap_or("/opt/flink/artifacts");
        let mut mounts = vec![mount(ARTIFACTS_VOLUME, artifacts)];
        for (secret, path) in self.secrets()? {
            mounts.push(mount(&format!("{secret}-volume"), &path));
        }
        let directory = self
            .option("kubernetes.flink.conf.dir")
            .unwrap_or("/opt/flink/conf");
        mounts.push(mount(CONFIG_VOLUME, directory));
        if self.has_template {
            mounts.push(mount(TEMPLATE_VOLUME, TEMPLATE_DIRECTORY));
        }
        if self.option("kubernetes.hadoop.conf.config-map.name").is_some() {
            mounts.push(mount("hadoop-config-volume", "/opt/hadoop/conf"));
            append(
                main,
                "env",
                [json!({ "name": "HADOOP_CONF_DIR", "value": "/opt/hadoop/conf" })],
            );
        }
        if !self.configuration.is_highly_available {
            mounts.push(mount(MARK_VOLUME, MARK_DIRECTORY));
        }
        append(main, "volumeMounts", mounts);
        Ok(())
    }
}

fn toleration(map: BTreeMap<String, String>) -> Value {
    let fields = map.into_iter().map(|(key, value)| {
        let value = match key.as_str() {
            "tolerationSeconds" => value
                .trim()
                .parse::<i64>()
                .map_or_else(|_| json!(value), |seconds| json!(seconds)),
            _ => json!(value),
        };
        (key, value)
    });
    Value::Object(fields.collect())
}
