//! A model of the gates of both jobs: what their coordinators write into the handover record, tick by tick.

use sluice_api::FlinkDeployment;
use sluice_api::configuration::flatten;
use sluice_core::Color;
use sluice_core::bluegreen::agent::Preparation;
use sluice_core::bluegreen::child;
use sluice_core::handover::{
    Attempt, CheckpointId, Cut, Epoch, EventTime, Figures, GateReport, GatesReport, HandoverRecord, Job,
    Passed, Phase, Report, Restore, Watermark,
};

use super::controller::job_runs;
use super::fixtures::NAME;
use super::world::World;

/// Whether the child's job has gates.
pub fn has_gates(child: &FlinkDeployment) -> bool {
    let flat = child.spec.flink_configuration.as_ref().map(flatten);
    Preparation::of(child).is_some()
        && flat
            .is_some_and(|flat| flat.get("bluegreen.gate.strategy").map(String::as_str) == Some("WATERMARK"))
}

/// What the world does to gates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a test")]
pub struct Gates {
    /// No input moves, and all of it is idle.
    pub idle: bool,
    /// The incoming job does not catch up.
    pub behind: bool,
    /// Records without a timestamp come to them.
    pub untimed: bool,
    /// The outgoing job does not come to the cut.
    pub stuck: bool,
}

impl World {
    /// The job of a child with gates that runs, by the name that the record has for it.
    fn gated(&self, color: Color) -> Option<(Job, u32, Option<u64>, Option<u64>)> {
        let child = self.child(color).filter(|child| has_gates(child))?;
        let cluster = self.cluster(color).filter(|cluster| job_runs(child, cluster))?;
        let starts = self.deployed.get(child.metadata.uid.as_ref()?)?.starts;
        let restored = cluster.started_from.as_ref().map(|_| cluster.restored);
        let job = Job {
            color,
            created_for: Epoch(child::transition(child)),
        };
        Some((
            job,
            starts,
            restored,
            cluster.checkpoint.as_ref().map(|(id, _)| *id),
        ))
    }

    /// What the coordinators write in this tick.
    pub fn tick_gates(&mut self) {
        let Some((version, before)) = self.handover.clone() else {
            return;
        };
        let mut record = before.clone();
        for color in Color::BOTH {
            self.report(&mut record, color);
        }
        if let Phase::Prepare { highest, cut: None } = record.phase
            && self.gated(record.active.color).is_some()
        {
            let cut = Some(Cut(self.now.as_millisecond()));
            record.phase = Phase::Prepare { highest, cut };
        }
        if record != before {
            self.handover = Some((version + 1, record));
            self.changed = true;
        }
    }

    fn report(&self, record: &mut HandoverRecord, color: Color) {
        let Some((job, starts, restored, completed)) = self.gated(color) else {
            return;
        };
        let is_outgoing = record.active == job;
        if !is_outgoing && record.incoming_job() != Some(job) {
            return;
        }
        let attempt = Attempt(starts.into());
        let old = record
            .report(color)
            .filter(|it| it.created_for == job.created_for)
            .cloned();
        // Where nothing is under way, nothing is reported that somebody waits for.
        if record.phase == Phase::Stable && old.as_ref().is_some_and(|it| it.attempt == attempt) {
            return;
        }
        let mut history = old.as_ref().map(|it| it.restores.clone()).unwrap_or_default();
        if history.last().is_none_or(|it| it.attempt != attempt) {
            history.push(Restore {
                attempt,
                checkpoint: restored.map(CheckpointId),
            });
        }
        let mut watermark = self.now.as_millisecond();
        if self.gates.idle {
            watermark = 1_000;
        } else if self.gates.behind && !is_outgoing {
            watermark -= 3_600_000;
        }
        let cut = match record.phase {
            Phase::Commit { cut } | Phase::Sealed { cut } => Some(cut),
            _ => None,
        };
        let comes_to_it = cut.is_some_and(|cut| Watermark(watermark).has_reached(cut))
            && !(is_outgoing && self.gates.stuck);
        let passed = old.as_ref().and_then(|it| it.passed);
        let proof = completed.map(|checkpoint| Passed {
            epoch: record.epoch,
            checkpoint: CheckpointId(checkpoint),
        });
        let figures = Figures {
            emitted: if is_outgoing || cut.is_some() { 10 } else { 0 },
            dropped: if is_outgoing { 0 } else { 10 },
            untimed: self.gates.untimed.into(),
            ..Figures::default()
        };
        let gates = GatesReport {
            all_reporting: true,
            heard: Some(record.epoch),
            watermark: Watermark(watermark),
            highest_dropped: EventTime::NONE,
            figures,
            each: vec![GateReport {
                gate: 0,
                name: "ledger".to_owned(),
                watermark: Watermark(watermark),
                idle: self.gates.idle,
                figures,
            }],
        };
        let report = Report {
            created_for: job.created_for,
            attempt,
            restores: history,
            completed: completed.map(CheckpointId),
            passed: if comes_to_it { proof } else { passed },
            gates,
            ..old.unwrap_or_default()
        };
        match color {
            Color::Blue => record.blue = Some(report),
            Color::Green => record.green = Some(report),
        }
    }

    /// Whether the gates of this child keep its job from writing.
    pub fn is_closed(&self, color: Color) -> bool {
        let Some(child) = self
            .children
            .get(&color.child_name(NAME))
            .filter(|it| has_gates(it))
        else {
            return false;
        };
        let job = Job {
            color,
            created_for: Epoch(child::transition(child)),
        };
        self.handover
            .as_ref()
            .is_none_or(|(_, record)| record.active != job)
    }
}
