//! Metrics and watermarks: what readiness and catching up are judged by.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::Error;
use crate::ids::{JobId, VertexId};
use crate::transport::{Client, Request};
use crate::wire::number_or_text;

/// Metrics by name. A metric that does not exist, or has not been fetched yet, is simply missing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Metrics(BTreeMap<String, String>);

impl Metrics {
    /// The value as Flink writes it.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value as a whole number.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.text(name)?.parse().ok()
    }

    /// The value as a finite number.
    pub fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }

    /// All of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// How the values of a vertex's subtasks are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aggregation {
    /// The smallest value.
    Min,
    /// The largest value.
    Max,
    /// All values added up.
    Sum,
    /// The mean.
    Avg,
}

impl Aggregation {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Avg => "avg",
        }
    }
}

/// One metric over all subtasks of a vertex; only what was asked for is there.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct Aggregated {
    /// The metric's name.
    pub id: String,
    /// The smallest value.
    #[serde(default, deserialize_with = "number_or_text")]
    pub min: Option<f64>,
    /// The largest value.
    #[serde(default, deserialize_with = "number_or_text")]
    pub max: Option<f64>,
    /// All values added up.
    #[serde(default, deserialize_with = "number_or_text")]
    pub sum: Option<f64>,
    /// The mean.
    #[serde(default, deserialize_with = "number_or_text")]
    pub avg: Option<f64>,
}

/// The watermark of one subtask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SubtaskWatermark {
    /// The subtask's index, from 0.
    pub subtask: u32,
    /// Its input watermark, in the job's event time; none while it has seen none.
    pub watermark: Option<i64>,
}

#[derive(Deserialize)]
struct Metric {
    id: String,
    #[serde(default)]
    value: Option<String>,
}

impl Client {
    /// Metrics of the job, such as `numRestarts`, `uptime`, `numberOfCompletedCheckpoints`.
    pub async fn job_metrics(&self, job: JobId, names: &[&str]) -> Result<Metrics, Error> {
        let names = names.join(",");
        let request = Request::get(format!("/jobs/{job}/metrics"));
        let answer: Vec<Metric> = self.ask(request.query(&[("get", &names)])).await?;
        Ok(Metrics(
            answer
                .into_iter()
                .filter_map(|metric| Some((metric.id, metric.value?)))
                .collect(),
        ))
    }

    /// Metrics of a vertex, put together over its subtasks, such as `numRecordsInPerSecond` or
    /// `busyTimeMsPerSecond`.
    ///
    /// A single name that no subtask has (or not yet: metrics come some seconds after the start) makes the whole
    /// answer empty, on 1.20 and 2.x; so does an unknown vertex. Ask apart for what may be missing.
    pub async fn vertex_metrics(
        &self,
        job: JobId,
        vertex: VertexId,
        names: &[&str],
        aggregations: &[Aggregation],
    ) -> Result<Vec<Aggregated>, Error> {
        let names = names.join(",");
        let aggregations = aggregations
            .iter()
            .map(|a| a.as_str())
            .collect::<Vec<_>>()
            .join(",");
        let request = Request::get(format!("/jobs/{job}/vertices/{vertex}/subtasks/metrics"));
        // An empty `agg` is an error, a missing one means all.
        let query = [("get", names.as_str()), ("agg", aggregations.as_str())];
        let query = if aggregations.is_empty() {
            query.get(..1).unwrap_or_default()
        } else {
            &query
        };
        self.ask(request.query(query)).await
    }

    /// The names of the metrics of a vertex, over all its subtasks: those of an operator begin with its name.
    pub async fn vertex_metric_names(&self, job: JobId, vertex: VertexId) -> Result<Vec<String>, Error> {
        let request = Request::get(format!("/jobs/{job}/vertices/{vertex}/subtasks/metrics"));
        let answer: Vec<Metric> = self.ask(request).await?;
        Ok(answer.into_iter().map(|metric| metric.id).collect())
    }

    /// The input watermark of each subtask of a vertex. A source has no input, and so none; neither has a vertex
    /// whose metrics have not been fetched yet.
    pub async fn watermarks(&self, job: JobId, vertex: VertexId) -> Result<Vec<SubtaskWatermark>, Error> {
        let request = Request::get(format!("/jobs/{job}/vertices/{vertex}/watermarks"));
        let call = request.call();
        let answer: Vec<Metric> = self.ask(request).await?;
        answer
            .into_iter()
            .map(|metric| {
                watermark(&metric).ok_or_else(|| {
                    let value = metric.value.as_deref().unwrap_or("nothing");
                    self.unreadable(
                        &call,
                        format!(
                            "\"{}\" = \"{value}\" is not the watermark of a subtask",
                            metric.id
                        ),
                    )
                })
            })
            .collect()
    }
}

/// From `{"id": "0.currentInputWatermark", "value": "3509"}`.
fn watermark(metric: &Metric) -> Option<SubtaskWatermark> {
    let subtask = metric.id.split('.').next()?.parse().ok()?;
    let value: i64 = metric.value.as_deref()?.parse().ok()?;
    // Flink's way to say that there is none.
    Some(SubtaskWatermark {
        subtask,
        watermark: (value != i64::MIN).then_some(value),
    })
}
