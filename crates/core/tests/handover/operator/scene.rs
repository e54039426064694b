//! A scene: a record, what is observed of both jobs, and what is wanted; the operator looks at it again and again.

use jiff::{SignedDuration, Timestamp};
use sluice_core::handover::operator::{
    Committables, Decision, Goal, Guarantee, JobObserved, JobState, Observed, Origin, Promise, Settings,
    decide, laws,
};
use sluice_core::handover::{
    Attempt, CheckpointId, Cut, Epoch, EventTime, Figures, Fork, GateReport, GatesReport, HandoverRecord,
    Incarnation, Job, Passed, Phase, Report, Restore, Seen, Version, Watermark,
};
use sluice_core::{Color, Fact};

/// Noon, when every scene begins.
pub fn noon() -> Timestamp {
    "2026-01-31T12:00:00Z".parse().unwrap()
}

/// So many seconds.
pub const fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

pub const BLUE: Job = Job {
    color: Color::Blue,
    created_for: Epoch(1),
};
pub const GREEN: Job = Job {
    color: Color::Green,
    created_for: Epoch(2),
};

/// The fork of transition 2.
pub const FORK: Fork = Fork {
    checkpoint: CheckpointId(10),
    attempt: Attempt(1),
};

pub const W: Cut = Cut(91);

/// What is looked at.
#[derive(Clone)]
pub struct Scene {
    pub observed: Observed,
    pub settings: Settings,
    pub now: Timestamp,
}

/// A job that runs, and is STABLE.
pub fn running(job: Job) -> JobObserved {
    JobObserved {
        created_for: job.created_for,
        state: JobState::Running {
            since: noon() - seconds(60),
            stable: true,
        },
        still_since: None,
        committables: Fact::Absent,
    }
}

/// A gate that has seen watermarks up to 80.
pub fn gate() -> GateReport {
    GateReport {
        gate: 0,
        name: "orders".to_owned(),
        watermark: Watermark(80),
        idle: false,
        figures: Figures::default(),
    }
}

/// The report of a job that goes on well: it restored checkpoint 10 and has completed 12.
pub fn report(job: Job) -> Report {
    Report {
        created_for: job.created_for,
        attempt: Attempt(1),
        incarnation: Incarnation(7),
        restores: vec![Restore {
            attempt: Attempt(1),
            checkpoint: (job == GREEN).then_some(CheckpointId(10)),
        }],
        completed: Some(CheckpointId(12)),
        passed: None,
        gates: GatesReport {
            all_reporting: true,
            heard: Some(Epoch(2)),
            watermark: Watermark(80),
            highest_dropped: EventTime::NONE,
            figures: Figures::default(),
            each: vec![gate()],
        },
    }
}

/// Blue is active; green, created for transition 2, is to take over.
pub fn hand_over() -> Goal {
    Goal::HandOver {
        epoch: Epoch(2),
        origin: Origin::Fork {
            fork: FORK,
            highest: None,
        },
    }
}

impl Scene {
    /// Blue is active and alone; the handover to green is wanted.
    pub fn begin() -> Self {
        let record = HandoverRecord {
            epoch: Epoch(1),
            phase: Phase::Stable,
            active: BLUE,
            incoming: None,
            fork: None,
            savepoint: None,
            deadline: None,
            reason: None,
            blue: Some(report(BLUE)),
            green: None,
            is_first_deployment: true,
            deletion_delay_ms: 0,
        };
        Self {
            observed: Observed {
                record: Fact::Present(Seen {
                    version: Version(1),
                    record,
                }),
                goal: hand_over(),
                blue: Fact::Present(running(BLUE)),
                green: Fact::Absent,
                forced: None,
                stated: Promise::of(Guarantee::ExactlyOnce),
            },
            settings: Settings::default(),
            now: noon(),
        }
    }

    /// Green runs, its gates are closed, and nothing is missing any more.
    pub fn standby() -> Self {
        let mut scene = Self::begin();
        scene.look();
        scene.change(|record| {
            record.green = Some(report(GREEN));
            record.phase = Phase::Standby {
                highest: EventTime::of(90),
            };
        });
        scene.observed.green = Fact::Present(running(GREEN));
        scene
    }

    /// Blue has been asked for the cut, and has agreed on it.
    pub fn prepared() -> Self {
        let mut scene = Self::standby();
        scene.look();
        scene.change(|record| {
            record.phase = Phase::Prepare {
                highest: EventTime::of(90),
                cut: Some(W),
            };
        });
        scene
    }

    /// COMMIT is written.
    pub fn committed() -> Self {
        let mut scene = Self::prepared();
        scene.look();
        scene
    }

    /// Blue has passed the cut at checkpoint 14.
    pub fn drained() -> Self {
        let mut scene = Self::committed();
        scene.change(|record| {
            let blue = record.blue.as_mut().unwrap();
            blue.passed = Some(Passed {
                epoch: Epoch(2),
                checkpoint: CheckpointId(14),
            });
        });
        scene
    }

    /// Blue was stopped and drained, and SEALED is written.
    pub fn sealed() -> Self {
        let mut scene = Self::drained();
        scene.job(Color::Blue).state = stopped();
        scene.look();
        scene
    }

    /// The record as it stands.
    pub fn record(&self) -> &HandoverRecord {
        &self.observed.record.present().unwrap().record
    }

    /// Somebody else changes the record.
    pub fn change(&mut self, change: impl FnOnce(&mut HandoverRecord)) {
        let Fact::Present(seen) = &mut self.observed.record else {
            panic!("there is no record");
        };
        change(&mut seen.record);
        seen.version = seen.version.next();
    }

    /// What is observed of the job of this colour.
    pub fn job(&mut self, color: Color) -> &mut JobObserved {
        let observed = match color {
            Color::Blue => &mut self.observed.blue,
            Color::Green => &mut self.observed.green,
        };
        match observed {
            Fact::Present(job) => job,
            Fact::Absent | Fact::Unknown(_) => panic!("there is no {color} job"),
        }
    }

    /// The report of the job of this colour.
    pub fn report(&mut self, color: Color, change: impl FnOnce(&mut Report)) {
        self.change(|record| {
            let report = match color {
                Color::Blue => &mut record.blue,
                Color::Green => &mut record.green,
            };
            change(report.as_mut().unwrap());
        });
    }

    /// What the operator decides, which breaks no law.
    pub fn decide(&self) -> Decision {
        let decision = decide(&self.observed, &self.settings, self.now);
        let violations = laws::check(&self.observed, &self.settings, &decision, self.now);
        assert!(violations.is_empty(), "{violations:?}\n{decision:#?}");
        decision
    }

    /// Decides, and lets the write succeed.
    pub fn look(&mut self) -> Decision {
        let decision = self.decide();
        if let Some(write) = &decision.write {
            self.observed.record = Fact::Present(Seen {
                version: write.expected.unwrap_or_default().next(),
                record: write.record.clone(),
            });
        }
        self.observed.stated = decision.guarantee.clone();
        decision
    }

    /// The phase that the operator writes now; none if it writes nothing.
    pub fn writes(&self) -> Option<&'static str> {
        self.decide().write.map(|it| it.record.phase.name())
    }

    /// What is awaited, in a sentence.
    pub fn awaits(&self) -> String {
        let awaited = self.decide().awaited;
        awaited
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    }

    /// Why the handover is given up now.
    pub fn gives_up(&self) -> String {
        let decision = self.decide();
        let record = decision.write.expect("nothing is written").record;
        assert_eq!(record.phase, Phase::Abort);
        record.reason.expect("no reason is given").to_string()
    }
}

/// Stopped with a savepoint, and drained.
pub fn stopped() -> JobState {
    JobState::Stopped {
        savepoint: Some("file:/savepoints/2-1".to_owned()),
        drained: true,
    }
}

/// Everything up to this checkpoint is committed.
pub fn all_committed(checkpoint: u64) -> Fact<Committables> {
    Fact::Present(Committables {
        checkpoint: CheckpointId(checkpoint),
        pending: 0,
        failed: 0,
    })
}
