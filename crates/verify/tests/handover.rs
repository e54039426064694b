//! Searches all states of small worlds: no law of the handover is broken in any, every run comes to an end, and each thing
//! done wrong breaks the law that it should. Prints what was searched, and the shortest way found to each broken law.

mod common;

use common::{Searched, clean, ends, one_subtask, search, two_subtasks};
use sluice_core::handover::{Ordering, Rules};
use sluice_verify::mutant::Mutant;
use sluice_verify::world::{Bounds, Input};

use Input::{Late, Record, Watermark};

/// A task or the JobManager of the outgoing job dies, once.
fn outgoing_dies(bounds: Bounds) -> Bounds {
    Bounds {
        crashes: 1,
        victims: [true, false],
        checkpoints: [2, 0],
        ..bounds
    }
}

/// The same of the incoming job.
fn incoming_dies(bounds: Bounds) -> Bounds {
    Bounds {
        crashes: 1,
        victims: [false, true],
        checkpoints: [1, 1],
        ..bounds
    }
}

/// The outgoing job emitted its first record before the fork, and may go back behind it.
fn forked_later(bounds: Bounds) -> Bounds {
    let mut bounds = bounds;
    bounds.forked_at[0] = 1;
    bounds
}

#[test]
fn a_handover_without_a_fault_is_exact_however_slow_everything_is() {
    clean(&Bounds {
        slow: true,
        ..two_subtasks()
    });
}

#[test]
fn a_handover_is_exact_with_watermarks_between_the_records() {
    clean(&Bounds {
        inputs: vec![
            vec![Record(2), Watermark(2), Record(4), Watermark(9)],
            vec![Record(3), Watermark(9)],
        ],
        ..two_subtasks()
    });
}

#[test]
fn nothing_is_lost_when_output_is_committed_long_after_its_checkpoint() {
    clean(&Bounds {
        commit_lag: true,
        ..two_subtasks()
    });
    clean(&Bounds {
        commit_lag: true,
        ..outgoing_dies(one_subtask())
    });
}

#[test]
fn no_late_record_is_lost() {
    let late = vec![Record(4), Watermark(5), Late(1), Watermark(9)];
    clean(&Bounds {
        inputs: vec![late.clone(), vec![Record(2), Watermark(9)]],
        ..two_subtasks()
    });
    let late = Bounds {
        inputs: vec![late],
        ..one_subtask()
    };
    clean(&outgoing_dies(late.clone()));
    clean(&incoming_dies(late));
}

#[test]
fn a_handover_is_exact_when_the_outgoing_job_dies() {
    clean(&Bounds {
        checkpoints: [1, 0],
        ..outgoing_dies(forked_later(two_subtasks()))
    });
}

#[test]
fn a_handover_is_exact_when_the_incoming_job_dies() {
    clean(&incoming_dies(forked_later(two_subtasks())));
}

#[test]
fn a_handover_is_exact_when_two_die() {
    clean(&Bounds {
        crashes: 2,
        victims: [true, true],
        ..forked_later(one_subtask())
    });
}

/// With three deaths a JobManager can come up, and its tasks restart, while its predecessor's write is still on its way.
#[test]
fn a_handover_comes_to_its_end_when_the_outgoing_job_dies_three_times() {
    let searched = search(&Bounds {
        inputs: vec![vec![Record(2), Watermark(9)]],
        checkpoints: [1, 0],
        crashes: 3,
        ..outgoing_dies(one_subtask())
    });
    assert!(searched.broken().is_empty(), "{searched:#?}");
    // There is one record only.
    assert_eq!(searched.unseen(), ["both jobs have written"]);
}

/// A handover that is given up is begun anew, from another fork.
fn begun_anew(bounds: Bounds) -> Bounds {
    Bounds { epochs: 2, ..bounds }
}

#[test]
fn a_handover_is_exact_though_one_before_it_was_given_up() {
    clean(&begun_anew(two_subtasks()));
    clean(&begun_anew(outgoing_dies(one_subtask())));
}

#[test]
fn a_handover_is_exact_when_the_jobs_take_turns() {
    let strict = |bounds| Bounds {
        rules: Rules {
            ordering: Ordering::Strict,
            ..Rules::default()
        },
        ..bounds
    };
    clean(&strict(two_subtasks()));
    clean(&strict(outgoing_dies(one_subtask())));
    clean(&strict(incoming_dies(forked_later(one_subtask()))));
}

#[test]
fn a_handover_is_exact_when_records_are_kept_for_too_long() {
    clean(&Bounds {
        hold_timeout: true,
        ..outgoing_dies(one_subtask())
    });
}

/// It is the one way in which a handover may never end, and nothing is emitted twice or lost meanwhile.
#[test]
fn input_that_falls_silent_delays_the_end_and_breaks_nothing_else() {
    let silent = Bounds {
        inputs: vec![vec![Record(2), Watermark(9)], vec![Record(3)]],
        ..two_subtasks()
    };
    let searched = search(&silent);
    assert_eq!(
        searched.broken(),
        ["convergence: what comes to rest is done"],
        "{searched:#?}"
    );
}

/// The short cuts are argued for where they are; this is the proof of the pudding.
#[test]
fn a_world_with_short_cuts_ends_in_the_same_ways_as_a_slow_one() {
    for hasty in [
        one_subtask(),
        Bounds {
            checkpoints: [1, 0],
            ..outgoing_dies(one_subtask())
        },
        incoming_dies(forked_later(one_subtask())),
    ] {
        let slow = Bounds {
            slow: true,
            ..hasty.clone()
        };
        let (hasty, slow) = (ends(&hasty), ends(&slow));
        assert!(slow.len() > 2, "{slow:?}");
        assert_eq!(hasty, slow);
    }
}

const I1: &str = "I1: nothing is emitted by both jobs";
const I2: &str = "I2: when all is done, nothing is missing";
const I3: &str = "I3: W is above all that was emitted";
const I4: &str = "I4: the incoming job drops nothing of its own";
const I5: &str = "I5: the outgoing job drops nothing of its own";
const I11: &str = "I11: the phase moves along its table";
const CONVERGENCE: &str = "convergence: what comes to rest is done";

/// What each thing done wrong breaks, and in which world.
fn wrongs() -> Vec<(Mutant, Bounds, &'static str)> {
    let lag = Bounds {
        commit_lag: true,
        ..two_subtasks()
    };
    let died = || outgoing_dies(one_subtask());
    vec![
        (Mutant::CutAtHighest, two_subtasks(), I3),
        (Mutant::CommitWithoutVersion, two_subtasks(), I11),
        (Mutant::FirstDrainedSpeaksForAll, two_subtasks(), I2),
        (Mutant::IdleIsDrained, two_subtasks(), I2),
        (Mutant::DeletedBeforeCommit, lag, I2),
        (Mutant::IncomingDropsTooEarly, two_subtasks(), I4),
        (Mutant::ClosedAfterAbort, two_subtasks(), I5),
        (Mutant::SealedPassesEverything, two_subtasks(), I1),
        (Mutant::AbortAfterCommit, two_subtasks(), I11),
        // H counts only where what was emitted is forgotten by who emitted it.
        (Mutant::CutFromAnswersOnly, died(), I11),
        (Mutant::RestartStartsOpen, died(), I3),
        // Seen only where the outgoing job dies after its claim and goes back behind it.
        (Mutant::DrainedWithoutCheckpoint, died(), I2),
        (Mutant::PrepareWithoutSettledFork, forked_later(died()), I2),
        (Mutant::KeptIsNotCheckpointed, died(), I2),
        (
            Mutant::KeptIsNotCheckpointed,
            incoming_dies(forked_later(one_subtask())),
            I2,
        ),
        (Mutant::WatermarkIsNotCheckpointed, died(), CONVERGENCE),
        (Mutant::TellsWithoutAttempt, died(), I3),
        (Mutant::ForkForgetsKept, begun_anew(one_subtask()), I2),
    ]
}

#[test]
fn each_thing_done_wrong_breaks_a_law_where_nothing_else_does() {
    let wrongs = wrongs();
    for mutant in Mutant::ALL {
        assert!(wrongs.iter().any(|it| it.0 == mutant), "nobody tries {mutant:?}");
    }
    for (mutant, bounds, law) in wrongs {
        let searched = search(&Bounds {
            mutant: Some(mutant),
            ..bounds
        });
        assert!(searched.broken().contains(&law), "{mutant:?}: {searched:#?}");
    }
}

/// Larger than can be searched: two subtasks, three deaths, nothing hasty. The walks are the same each time.
#[test]
fn walks_through_a_larger_world_break_no_law() {
    let larger = Bounds {
        inputs: vec![
            vec![Record(2), Record(1), Watermark(9)],
            vec![Record(3), Watermark(3), Record(5), Watermark(9)],
        ],
        forked_at: vec![1, 0],
        crashes: 3,
        victims: [true, true],
        checkpoints: [3, 2],
        commit_lag: true,
        hold_timeout: true,
        slow: true,
        epochs: 2,
        rules: Rules::default(),
        mutant: None,
    };
    let walked = Searched::by_walking(&larger, 100_000);
    assert!(walked.broken().is_empty(), "{walked:#?}");
    let wrong = Bounds {
        mutant: Some(Mutant::RestartStartsOpen),
        ..larger
    };
    let walked = Searched::by_walking(&wrong, 100_000);
    assert!(!walked.broken().is_empty(), "a walk finds nothing wrong");
}
