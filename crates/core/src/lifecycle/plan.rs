//! A cluster to be launched, complete: the launcher has no `if` about its meaning.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use sluice_api::FlinkDeploymentSpec;
use sluice_api::configuration::{FlinkConfiguration, parse_duration};
use sluice_api::flink_deployment::Resource;

use super::pass::{RETAINED, RETENTION};
use super::record::Record;

/// Everything that a launcher needs to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeploymentPlan {
    /// The number of this deployment.
    pub deployment: u64,
    /// The job's id; the configuration holds it, too.
    pub job_id: String,
    /// Flink's version as in the resource: `v1_20`.
    pub flink_version: Option<String>,
    /// Flink's whole configuration, flat, with all that the controller adds: job id, what to restore, memory,
    /// parallelism. Addresses, ports and directories of the processes are the launcher's.
    pub configuration: BTreeMap<String, String>,
    /// Where the job's jar is, as in the resource.
    pub jar_uri: Option<String>,
    /// The main class, if the jar's manifest does not name it.
    pub entry_class: Option<String>,
    /// Arguments of the main method.
    pub args: Vec<String>,
    /// The job's parallelism; the configuration holds it, too.
    pub parallelism: i32,
    /// What to restore; the configuration holds it, too.
    pub restore: Option<Restore>,
    /// How many JobManagers.
    pub job_manager_replicas: i32,
    /// How many TaskManagers.
    pub task_manager_replicas: i32,
    /// Files of the logging configuration by name.
    pub log_configuration: BTreeMap<String, String>,
}

/// A savepoint or checkpoint to start from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restore {
    /// Where it is.
    pub path: String,
    /// Whether state that no operator claims may be left out.
    pub allow_non_restored_state: bool,
}

impl DeploymentPlan {
    /// The plan of the record's deployment. Always the same for the same record and specification, however often it is
    /// derived. `None`: the specification cannot be read (it was readable when the record was made).
    pub(super) fn derive(record: &Record, deployed: &FlinkDeploymentSpec) -> Option<Self> {
        let job = deployed.job.as_ref()?;
        let mut configuration = match &deployed.flink_configuration {
            Some(written) => FlinkConfiguration::read(written).ok()?.into_map(),
            None => BTreeMap::new(),
        };
        let parallelism = job.parallelism.unwrap_or(1).max(1);
        let restore = record.restored_from.clone().map(|path| Restore {
            path,
            allow_non_restored_state: job.allow_non_restored_state.unwrap_or_default(),
        });
        let job_manager = deployed.job_manager.clone().unwrap_or_default();
        let task_manager = deployed.task_manager.clone().unwrap_or_default();
        let slots = slots(&configuration);
        let task_manager_replicas = task_manager
            .replicas
            .unwrap_or_else(|| (parallelism.saturating_add(slots - 1)) / slots);

        let mut set = |key: &str, value: String| {
            configuration.insert(key.to_owned(), value);
        };
        set(JOB_ID, record.job_id.clone());
        set("parallelism.default", parallelism.to_string());
        // The JobManager stays when the job has ended, so that it can be asked how it ended ...
        set("execution.shutdown-on-application-finish", "false".to_owned());
        // ... also when the job never came to be, because its main method failed.
        set(
            "execution.submit-failed-job-on-application-error",
            "true".to_owned(),
        );
        if let Some(memory) = memory(job_manager.resource) {
            set("jobmanager.memory.process.size", memory);
        }
        if let Some(memory) = memory(task_manager.resource) {
            set("taskmanager.memory.process.size", memory);
        }
        let (path_key, leave_out_key) = restore_keys(deployed.flink_version.as_deref());
        // What to restore is the record's alone: a path that stands in the configuration would be restored again and again.
        for key in RESTORE_KEYS {
            configuration.remove(key);
        }
        if let Some(restore) = &restore {
            configuration.insert(path_key.to_owned(), restore.path.clone());
            configuration.insert(
                leave_out_key.to_owned(),
                restore.allow_non_restored_state.to_string(),
            );
        }
        configuration
            .entry(RETENTION.to_owned())
            .or_insert_with(|| RETAINED.to_owned());
        shorten_refresh(&mut configuration);

        Some(Self {
            deployment: record.deployment,
            job_id: record.job_id.clone(),
            flink_version: deployed.flink_version.clone(),
            configuration,
            jar_uri: job.jar_uri.clone(),
            entry_class: job.entry_class.clone(),
            args: job.args.clone().unwrap_or_default(),
            parallelism,
            restore,
            job_manager_replicas: job_manager.replicas.unwrap_or(1),
            task_manager_replicas,
            log_configuration: deployed.log_configuration.clone().unwrap_or_default(),
        })
    }
}

/// Flink's key for a job id that is given and not drawn (`PipelineOptionsInternal.PIPELINE_FIXED_JOB_ID`).
const JOB_ID: &str = "$internal.pipeline.job-id";

/// How old the copy of the job may be that the JobManager answers from (`WebOptions.REFRESH_INTERVAL`; Flink's default
/// is 3 s).
const REFRESH: &str = "web.refresh-interval";
/// Shorter than [`SETTLING`](super::live::SETTLING), so that two looks so far apart never see the same copy, behind which the job has restarted.
const LONGEST_REFRESH: SignedDuration = SignedDuration::from_secs(1);

/// Keeps the user's interval if it is short enough, or nothing that Flink can read, which Flink itself refuses. A longer
/// one would only spare the JobManager a copy a second while somebody looks.
fn shorten_refresh(configuration: &mut BTreeMap<String, String>) {
    let is_too_long = configuration
        .get(REFRESH)
        .is_none_or(|text| parse_duration(text).is_ok_and(|interval| interval > LONGEST_REFRESH));
    if is_too_long {
        // Without a unit: before 1.20 Flink reads a number of milliseconds and nothing else.
        let milliseconds = LONGEST_REFRESH.as_millis().to_string();
        configuration.insert(REFRESH.to_owned(), milliseconds);
    }
}

/// The keys that name what to restore, in all versions.
const RESTORE_KEYS: [&str; 4] = [
    "execution.state-recovery.path",
    "execution.state-recovery.ignore-unclaimed-state",
    "execution.savepoint.path",
    "execution.savepoint.ignore-unclaimed-state",
];

/// The keys of this version: Flink 1.20 renamed them (FLINK-34454).
fn restore_keys(flink_version: Option<&str>) -> (&'static str, &'static str) {
    let old = flink_version
        .and_then(|version| version.strip_prefix("v1_"))
        .and_then(|minor| minor.parse::<u32>().ok())
        .is_some_and(|minor| minor < 20);
    if old {
        (
            "execution.savepoint.path",
            "execution.savepoint.ignore-unclaimed-state",
        )
    } else {
        (
            "execution.state-recovery.path",
            "execution.state-recovery.ignore-unclaimed-state",
        )
    }
}

/// How many slots one TaskManager has; Flink's default is 1.
fn slots(configuration: &BTreeMap<String, String>) -> i32 {
    let text = configuration.get("taskmanager.numberOfTaskSlots");
    text.and_then(|text| text.trim().parse().ok())
        .filter(|slots| *slots > 0)
        .unwrap_or(1)
}

/// The memory as Flink writes it. Kubernetes' `2Gi` is Flink's `2g`: both count in powers of two.
fn memory(resource: Option<Resource>) -> Option<String> {
    let text = resource?.memory?;
    let text = text.trim();
    Some(match text.strip_suffix('i') {
        Some(binary) => binary.to_lowercase(),
        None => text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::lifecycle::record::{Record, Step};

    fn plan(spec: serde_json::Value, restore: Option<&str>) -> DeploymentPlan {
        let record = Record {
            restored_from: restore.map(str::to_owned),
            ..Record::new(
                "u-1",
                3,
                1,
                Step::Suspended {
                    since: jiff::Timestamp::UNIX_EPOCH,
                    restore: None,
                },
            )
        };
        DeploymentPlan::derive(&record, &serde_json::from_value(spec).unwrap()).unwrap()
    }

    #[test]
    fn the_launcher_gets_the_whole_configuration() {
        let plan = plan(
            json!({"flinkVersion": "v1_20", "flinkConfiguration": {"taskmanager": {"numberOfTaskSlots": 2}},
                "jobManager": {"resource": {"memory": "2Gi"}}, "taskManager": {"resource": {"memory": "1024m"}},
                "job": {"jarURI": "local:///job.jar", "parallelism": 5, "allowNonRestoredState": true}}),
            Some("file:///sp/1"),
        );
        assert_eq!(plan.task_manager_replicas, 3);
        insta::assert_json_snapshot!(plan.configuration);
    }

    #[test]
    fn a_restore_path_in_the_configuration_is_never_restored_behind_the_records_back() {
        let spec = json!({"flinkConfiguration": {"execution.savepoint.path": "s3://old"}, "job": {}});
        assert!(
            !plan(spec, None)
                .configuration
                .values()
                .any(|value| value == "s3://old")
        );
    }

    #[test]
    fn an_older_flink_gets_the_older_key() {
        let spec = json!({"flinkVersion": "v1_19", "job": {}});
        assert_eq!(
            plan(spec, Some("s")).configuration["execution.savepoint.path"],
            "s"
        );
    }

    #[test]
    fn two_looks_at_a_settling_job_never_see_the_same_copy() {
        assert!(LONGEST_REFRESH < crate::lifecycle::live::SETTLING);
        for (users, expected) in [
            ("10000", "1000"),
            ("3 s", "1000"),
            ("often", "often"),
            ("200", "200"),
            ("1 s", "1 s"),
        ] {
            let spec = json!({"flinkConfiguration": {REFRESH: users}, "job": {}});
            assert_eq!(plan(spec, None).configuration[REFRESH], expected);
        }
    }

    #[test]
    fn retention_is_the_users_if_set() {
        let spec = json!({"flinkConfiguration": {RETENTION: "DELETE_ON_CANCELLATION"}, "job": {}});
        assert_eq!(
            plan(spec, None).configuration[RETENTION],
            "DELETE_ON_CANCELLATION"
        );
    }
}
