//! From nothing running to the next deployment, or to rest.

use jiff::{SignedDuration, Timestamp};
use sluice_api::{JobState, UpgradeMode};

use super::change;
use super::pass::{Draft, Obstacle, Pass, Sight, Target};
use super::record::{Record, Step};
use super::restore;
use crate::{Event, fields};

/// The longest pause between two starts after crashes.
const LONGEST_PAUSE_SECONDS: i64 = 60;

/// Suspended: stays so until the specification says running.
pub(super) fn advance_suspended(pass: &Pass<'_>, draft: &mut Draft, kept: Option<String>) {
    if was_launched_late(pass, draft, kept.as_deref()) {
        take_for_running(pass, draft);
        return;
    }
    let present = match &pass.present {
        Ok(present) => present,
        Err(problem) => {
            draft.obstacle = Some(Obstacle::Person(problem.clone()));
            return;
        }
    };
    let target = Target {
        valid: present.clone(),
        generation: pass.generation(),
    };
    if fields::job_state(&present.spec) == JobState::Suspended {
        draft.deployed = present.spec.clone();
        draft.record.generation = pass.generation();
        return;
    }
    let restores = if draft.record.deployment == 0 {
        Ok(restore::initial_path(present))
    } else if change::asks_for_redeploy(&draft.deployed, &present.spec) {
        restore::redeploy_path(present).map(Some)
    } else if change::upgrade_mode(&present.spec) == UpgradeMode::Stateless {
        Ok(None)
    } else {
        Ok(kept)
    };
    match restores {
        Ok(path) => start(pass, draft, target, path, None),
        Err(obstacle) => draft.obstacle = Some(obstacle),
    }
}

/// Whether the deployment was launched after it was suspended, by somebody who had read the record before that. It
/// began with what the next start was to restore, so what it completed since is newer. If the suspension gave up the
/// state of the deployment, what it completed is given up, too.
fn was_launched_late(pass: &Pass<'_>, draft: &Draft, kept: Option<&str>) -> bool {
    let record = &draft.record;
    let is_there = match pass.sight(record) {
        Sight::Silent(_) | Sight::NoJob | Sight::Job(_) => true,
        Sight::Dead(_) => !record.was_seen,
        Sight::Unknown(_) | Sight::NotLaunched | Sight::Other(_) => false,
    };
    is_there && record.deployment > 0 && kept == record.restored_from.as_deref()
}

/// A cluster that was launched late is taken for a running one: it stops with its state for what the specification says.
fn take_for_running(pass: &Pass<'_>, draft: &mut Draft) {
    let deployment = draft.record.deployment;
    draft.record.was_launched_late = true;
    draft.record.step = Step::Deploying {
        since: pass.now,
        not_before: None,
        first_look: None,
    };
    if let Some(job) = &mut draft.deployed.job {
        job.state = Some(JobState::Running);
    }
    draft.events.push(Event::warning(
        "LaunchedLate",
        format!(
            "Deployment {deployment} was launched after it was suspended; what its job has completed is kept"
        ),
    ));
}

/// Records the next deployment.
pub(super) fn start(
    pass: &Pass<'_>,
    draft: &mut Draft,
    target: Target,
    restores: Option<String>,
    not_before: Option<Timestamp>,
) {
    let crashes = draft.record.crashes.take().filter(|_| not_before.is_some());
    let deployment = draft.record.deployment.max(pass.observed.last_launched) + 1;
    let from = restores
        .as_deref()
        .map_or_else(|| "nothing".to_owned(), str::to_owned);
    let step = Step::Deploying {
        since: pass.now,
        not_before,
        first_look: None,
    };
    draft.record = Record {
        restored_from: restores,
        crashes,
        ..Record::new(pass.uid(), deployment, target.generation, step)
    };
    draft.deployed = target.valid.spec;
    draft.events.push(Event::normal(
        "Deploying",
        format!("Deployment {deployment} starts from {from}"),
    ));
}

/// Records that nothing runs, and what the next start restores.
pub(super) fn suspend(pass: &Pass<'_>, draft: &mut Draft, target: Target, kept: Option<String>) {
    let from = kept
        .as_deref()
        .map_or_else(|| "from nothing".to_owned(), |path| format!("from {path}"));
    draft.record.step = Step::Suspended {
        since: pass.now,
        restore: kept,
    };
    draft.record.generation = target.generation;
    draft.record.was_seen |= !matches!(pass.sight(&draft.record), Sight::NotLaunched);
    draft.record.was_launched_late = false;
    draft.record.set_aside = None;
    draft.record.crashes = None;
    draft.deployed = target.valid.spec;
    draft.events.push(Event::normal(
        "Suspended",
        format!("The job is suspended and will resume {from}"),
    ));
}

/// How long to wait after the crash with this number in a row: 1 s, 2 s, 4 s and so on, at most a minute.
pub(super) fn pause_after(crashes: u32) -> SignedDuration {
    let seconds = 2_i64.saturating_pow(crashes.saturating_sub(1));
    SignedDuration::from_secs(seconds.min(LONGEST_PAUSE_SECONDS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_a_minute() {
        let pauses: Vec<i64> = (1..=8).map(|crashes| pause_after(crashes).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(pause_after(63).as_secs(), 60);
        assert_eq!(pause_after(64).as_secs(), 60);
        assert_eq!(pause_after(1000).as_secs(), 60);
    }
}
