//! How long one decision takes, beside reading and writing the same resource as JSON in the same run.

use std::hint::black_box;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use sluice_api::blue_green::{Color, FlinkBlueGreenDeployment};
use sluice_api::flink_deployment::{FlinkDeploymentStatus, FlinkJobState, JobStatus, LifecycleState};
use sluice_core::bluegreen::{Effect, Observed, decide};
use sluice_core::{Fact, Wake};

use crate::figures::{Figure, medians, report};

const RUNS: usize = 20_000;
/// The bar of the project: one decision at the median.
const TARGET: Duration = Duration::from_micros(50);

/// Measures a settled resource, one with an edit, and one in transition.
pub fn measure() -> anyhow::Result<()> {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse()?;
    let settled = settled(now)?;
    let mut edited = settled.clone();
    if let Some(job) = edited
        .resource
        .spec
        .template
        .as_mut()
        .and_then(|template| template.spec.as_mut())
        .and_then(|spec| spec.job.as_mut())
    {
        job.args = Some(vec!["--label".to_owned(), "v2".to_owned()]);
    }
    edited.resource.metadata.generation = Some(2);
    let mut in_transition = edited.clone();
    in_transition.resource.status = decide(&edited, now).status.map(|status| *status);

    let mut figures = Vec::new();
    for (name, observed) in [
        ("settled", &settled),
        ("with an edit", &edited),
        ("in transition", &in_transition),
    ] {
        let text = serde_json::to_string(&observed.resource)?;
        let (decision, json) = medians(
            RUNS,
            || {
                black_box(decide(black_box(observed), now));
            },
            || {
                let read: Result<FlinkBlueGreenDeployment, _> = serde_json::from_str(black_box(&text));
                black_box(
                    read.ok()
                        .and_then(|resource| serde_json::to_string(&resource).ok()),
                );
            },
        );
        figures.push(Figure::at_most(
            format!("decide, {name} (median)"),
            decision,
            TARGET,
        ));
        figures.push(Figure::plain(
            format!("decide / reading and writing the resource as JSON, {name}"),
            format!(
                "{:.2} ({} bytes in {json:.1?})",
                decision.as_secs_f64() / json.as_secs_f64(),
                text.len()
            ),
        ));
    }
    report("core", &figures)
}

/// A resource with an active blue child, and nothing to do.
fn settled(now: Timestamp) -> anyhow::Result<Observed> {
    let resource: FlinkBlueGreenDeployment = serde_json::from_value(json!({
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkBlueGreenDeployment",
        "metadata": {"name": "orders", "namespace": "default", "uid": "u-1", "generation": 1, "resourceVersion": "1"},
        "spec": {
            "configuration": {"kubernetes.operator.bluegreen.abort.grace-period": "5 min"},
            "template": {"spec": {
                "image": "registry.example.com/orders:1",
                "flinkVersion": "v1_20",
                "flinkConfiguration": {
                    "taskmanager.numberOfTaskSlots": "2",
                    "execution.checkpointing.interval": "10 s",
                    "state.checkpoints.dir": "s3://orders/checkpoints",
                    "state.savepoints.dir": "s3://orders/savepoints",
                    "high-availability.type": "kubernetes",
                    "high-availability.storageDir": "s3://orders/ha"
                },
                "serviceAccount": "flink",
                "jobManager": {"resource": {"memory": "2048m", "cpu": 1}},
                "taskManager": {"resource": {"memory": "4096m", "cpu": 2}},
                "job": {"jarURI": "local:///opt/flink/usrlib/orders.jar", "parallelism": 4, "upgradeMode": "savepoint",
                        "args": ["--label", "v1"]}
            }}
        }
    }))?;
    let mut observed = Observed::alone(resource);
    // The first deployment, played by the shell that this is.
    for _ in 0..16 {
        let decision = decide(&observed, now);
        if let Some(status) = decision.status {
            observed.resource.status = Some(*status);
        }
        for effect in decision.effects {
            if let Effect::CreateChild { manifest } = effect {
                let mut child = *manifest;
                child.metadata.uid = Some("c-1".to_owned());
                child.metadata.generation = Some(1);
                child.metadata.resource_version = Some("2".to_owned());
                child.status = Some(FlinkDeploymentStatus {
                    lifecycle_state: Some(LifecycleState::Stable),
                    observed_generation: Some(1),
                    job_status: Some(JobStatus {
                        state: Some(FlinkJobState::Running),
                        job_id: Some("00000000000000000000000000000001".to_owned()),
                        ..JobStatus::default()
                    }),
                    ..FlinkDeploymentStatus::default()
                });
                observed.blue.child = Fact::Present(child);
            }
        }
        if decision.wake == Wake::OnChange {
            break;
        }
    }
    let active = observed
        .resource
        .status
        .as_ref()
        .and_then(sluice_core::bluegreen::active_color);
    anyhow::ensure!(active == Some(Color::Blue), "the resource did not settle");
    Ok(observed)
}
