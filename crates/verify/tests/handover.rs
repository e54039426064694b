//! Random walks through the model: worlds in which no law is broken, and the same with one thing done wrong, which has to
//! be noticed. A walk shows less than a search of all states; the world is too large for that so far.

use std::time::{Duration, Instant};

use sluice_verify::mutant::Mutant;
use sluice_verify::world::{Bounds, Input};
use stateright::{Checker, HasDiscoveries, Model, UniformChooser};

use Input::{Record, Watermark};

/// One record comes to each subtask, and then a watermark beyond all.
fn two_records() -> Bounds {
    Bounds {
        inputs: [vec![Record(2), Watermark(9)], vec![Record(3), Watermark(9)]],
        forked_at: [0, 0],
        crashes: 0,
        checkpoints: [1, 0],
        commit_lag: false,
        hold_timeout: false,
        mutant: None,
    }
}

/// Walks until a law is broken; whether one was within `longest`.
fn breaks_a_law(bounds: Bounds, longest: Duration) -> bool {
    let begin = Instant::now();
    let of = format!("{bounds:?}");
    let checker = bounds
        .checker()
        .timeout(longest)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_simulation(7, UniformChooser)
        .join();
    let taken = begin.elapsed();
    println!(
        "{} states in {:.1} s, {} deep: {of}",
        checker.state_count(),
        taken.as_secs_f64(),
        checker.max_depth()
    );
    // Nothing but a broken law ends a walk before its time.
    taken < longest
}

#[test]
fn no_law_is_broken_without_a_fault() {
    assert!(!breaks_a_law(two_records(), Duration::from_secs(8)));
}

#[test]
fn no_law_is_broken_when_a_task_or_a_job_manager_dies() {
    let bounds = Bounds {
        crashes: 1,
        forked_at: [1, 0],
        checkpoints: [2, 1],
        ..two_records()
    };
    assert!(!breaks_a_law(bounds, Duration::from_secs(8)));
}

/// Those of [`Mutant::ALL`] that walks find; the others wait for the search of all states.
#[test]
fn what_is_done_wrong_is_noticed() {
    for mutant in [
        Mutant::CutAtHighest,
        Mutant::RestartStartsOpen,
        Mutant::CommitWithoutVersion,
        Mutant::FirstDrainedSpeaksForAll,
        Mutant::DeletedBeforeCommit,
        Mutant::IncomingDropsTooEarly,
        Mutant::ClosedAfterAbort,
        Mutant::SealedPassesEverything,
        Mutant::PrepareWithoutSettledFork,
        Mutant::AbortAfterCommit,
    ] {
        let bounds = Bounds {
            crashes: 1,
            forked_at: [1, 0],
            checkpoints: [2, 1],
            commit_lag: mutant == Mutant::DeletedBeforeCommit,
            mutant: Some(mutant),
            ..two_records()
        };
        assert!(
            breaks_a_law(bounds, Duration::from_mins(1)),
            "nothing notices {mutant:?}"
        );
    }
}
