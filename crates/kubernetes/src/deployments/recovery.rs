//! The last checkpoint of a job, from what Flink's high availability keeps on Kubernetes: for when no JobManager can be
//! asked. Where checkpoints are stored cannot be looked into from here.

use std::collections::BTreeMap;

use serde_json::Value;
use sluice_api::FlinkDeploymentSpec;
use sluice_api::configuration::{flatten, parse_boolean};
use sluice_core::Fact;
use sluice_core::lifecycle::{CompletedCheckpoint, Record};

/// Flink's key of one completed checkpoint: this, and its number in 19 digits.
const CHECKPOINT: &str = "checkpointID-";

/// The ConfigMap of one job, as Flink names it.
pub(super) fn config_map(cluster: &str, job: &str) -> String {
    format!("{cluster}-{job}-config-map")
}

/// The ConfigMap of a cluster, which names its leaders.
pub(super) fn config_map_of_cluster(cluster: &str) -> String {
    format!("{cluster}-cluster-config-map")
}

/// Whether the deployed cluster keeps its metadata on Kubernetes.
pub(super) fn is_kept_on_kubernetes(spec: &FlinkDeploymentSpec) -> bool {
    let flat = flat(spec);
    ["high-availability.type", "high-availability"]
        .iter()
        .find_map(|key| flat.get(*key))
        .is_some_and(|mode| {
            let mode = mode.trim();
            mode.eq_ignore_ascii_case("kubernetes") || mode.ends_with(".KubernetesHaServicesFactory")
        })
}

fn flat(spec: &FlinkDeploymentSpec) -> BTreeMap<String, String> {
    spec.flink_configuration.as_ref().map(flatten).unwrap_or_default()
}

/// What the job's ConfigMap says. `restored`: the number of the checkpoint that the job was started from, which stands there,
/// too, until the job has completed one of its own.
pub(super) fn last_checkpoint(
    spec: &FlinkDeploymentSpec,
    record: &Record,
    restored: Option<u64>,
    data: Option<&Value>,
) -> Fact<CompletedCheckpoint> {
    let Some(data) = data.and_then(Value::as_object) else {
        return Fact::Unknown("Flink's high availability has nothing about the job".to_owned());
    };
    let newest = data
        .keys()
        .filter_map(|key| key.strip_prefix(CHECKPOINT)?.parse::<u64>().ok())
        .max();
    let Some(number) = newest else {
        return Fact::Absent;
    };
    if let Some(from) = &record.restored_from {
        let of_path = from
            .trim_end_matches('/')
            .rsplit_once("/chk-")
            .and_then(|(_, number)| number.parse::<u64>().ok());
        match of_path.or(restored) {
            Some(restored) if restored >= number => return Fact::Absent,
            Some(_) => {}
            None => {
                return Fact::Unknown(
                    "it is not known whether the job has completed a checkpoint since it was started from a savepoint"
                        .to_owned(),
                );
            }
        }
    }
    let flat = flat(spec);
    let directory = ["execution.checkpointing.dir", "state.checkpoints.dir"]
        .iter()
        .find_map(|key| flat.get(*key))
        .map(|directory| directory.trim().trim_end_matches('/').to_owned())
        .filter(|directory| !directory.is_empty());
    let Some(directory) = directory else {
        return Fact::Unknown("the specification names no directory for checkpoints".to_owned());
    };
    let has_own = [
        "execution.checkpointing.create-subdir",
        "state.checkpoints.create-subdir",
    ]
    .iter()
    .find_map(|key| flat.get(*key))
    .is_none_or(|text| parse_boolean(text).unwrap_or(true));
    let path = if has_own {
        format!("{directory}/{}/chk-{number}", record.job_id)
    } else {
        format!("{directory}/chk-{number}")
    };
    Fact::Present(CompletedCheckpoint {
        job_id: record.job_id.clone(),
        id: number,
        path,
        completed_at: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(restored_from: Option<&str>) -> Record {
        serde_json::from_value(json!({
            "deployment": 2, "jobId": "ab", "restoredFrom": restored_from,
            "step": { "name": "Running", "since": "2026-11-21T20:00:00Z" },
        }))
        .unwrap()
    }

    fn spec(configuration: Value) -> FlinkDeploymentSpec {
        FlinkDeploymentSpec {
            flink_configuration: Some(configuration),
            ..FlinkDeploymentSpec::default()
        }
    }

    #[test]
    fn the_newest_checkpoint_stands_in_the_key() {
        let spec =
            spec(json!({ "state.checkpoints.dir": "s3://b/cp/", "high-availability.type": "kubernetes" }));
        assert!(is_kept_on_kubernetes(&spec));
        let data = json!({ "checkpointID-0000000000000000009": "x", "checkpointID-0000000000000000010": "x", "counter": "11" });
        let of = |from: Option<&str>, restored| last_checkpoint(&spec, &record(from), restored, Some(&data));
        let path = |fact: Fact<CompletedCheckpoint>| fact.present().map(|checkpoint| checkpoint.path.clone());
        assert_eq!(path(of(None, None)).as_deref(), Some("s3://b/cp/ab/chk-10"));
        assert_eq!(
            path(of(Some("s3://b/cp/aa/chk-8"), None)).as_deref(),
            Some("s3://b/cp/ab/chk-10")
        );
        assert!(
            of(Some("s3://b/cp/aa/chk-10"), None).is_absent(),
            "only what it was started from"
        );
        assert!(of(Some("s3://b/sp/savepoint-1"), None).is_unknown());
        assert!(of(Some("s3://b/sp/savepoint-1"), Some(10)).is_absent());
        assert!(of(Some("s3://b/sp/savepoint-1"), Some(9)).present().is_some());

        let none = json!({ "counter": "1" });
        assert!(last_checkpoint(&spec, &record(None), None, Some(&none)).is_absent());
        assert!(last_checkpoint(&spec, &record(None), None, None).is_unknown());
    }

    #[test]
    fn a_directory_may_be_shared_by_all_jobs() {
        let spec =
            spec(json!({ "execution": { "checkpointing": { "dir": "s3://b/cp", "create-subdir": false } } }));
        assert!(!is_kept_on_kubernetes(&spec));
        let data = json!({ "checkpointID-0000000000000000010": "x" });
        let found = last_checkpoint(&spec, &record(None), None, Some(&data));
        assert_eq!(found.present().unwrap().path, "s3://b/cp/chk-10");
    }
}
