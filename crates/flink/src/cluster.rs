//! The cluster: its version, its slots, its configuration, its TaskManagers.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Error;
use crate::transport::{Client, Request};
use crate::wire::EpochMillis;

/// The cluster in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClusterOverview {
    /// Registered TaskManagers.
    pub taskmanagers: u32,
    /// Slots of all TaskManagers.
    pub slots_total: u32,
    /// Slots without a task.
    pub slots_available: u32,
    /// Jobs that have not ended.
    pub jobs_running: u32,
    /// Jobs that ended by themselves.
    pub jobs_finished: u32,
    /// Jobs that were cancelled.
    pub jobs_cancelled: u32,
    /// Jobs that failed.
    pub jobs_failed: u32,
    /// As in `1.20.5`.
    pub flink_version: String,
}

/// What the JobManager says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct ClusterConfig {
    /// As in `1.20.5`.
    pub flink_version: String,
    /// Commit and date of the build.
    pub flink_revision: String,
    /// Milliseconds between two refreshes of the web interface.
    pub refresh_interval: u64,
}

/// One TaskManager.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TaskManager {
    /// Its resource id.
    pub id: String,
    /// Its slots.
    pub slots_number: u32,
    /// Its slots without a task.
    pub free_slots: u32,
    /// When the JobManager last heard of it (Flink calls the field `timeSinceLastHeartbeat`).
    #[serde(rename = "timeSinceLastHeartbeat")]
    pub last_heartbeat: EpochMillis,
}

#[derive(Deserialize)]
struct TaskManagers {
    taskmanagers: Vec<TaskManager>,
}

#[derive(Deserialize)]
struct ConfigEntry {
    key: String,
    value: String,
}

impl Client {
    /// The cluster in numbers. The cheapest call: use it to ask whether a JobManager is there.
    pub async fn overview(&self) -> Result<ClusterOverview, Error> {
        self.ask(Request::get("/overview")).await
    }

    /// What the JobManager says about itself.
    pub async fn config(&self) -> Result<ClusterConfig, Error> {
        self.ask(Request::get("/config")).await
    }

    /// The JobManager's configuration, with the values that it runs with; secrets are masked by Flink.
    pub async fn job_manager_config(&self) -> Result<BTreeMap<String, String>, Error> {
        let entries: Vec<ConfigEntry> = self.ask(Request::get("/jobmanager/config")).await?;
        Ok(entries
            .into_iter()
            .map(|entry| (entry.key, entry.value))
            .collect())
    }

    /// The registered TaskManagers with their slots.
    pub async fn task_managers(&self) -> Result<Vec<TaskManager>, Error> {
        let answer: TaskManagers = self.ask(Request::get("/taskmanagers")).await?;
        Ok(answer.taskmanagers)
    }
}
