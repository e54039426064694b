//! Searching, and worlds to search.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use sluice_core::handover::Rules;
use sluice_verify::world::{Bounds, INCOMING, Input, OUTGOING, Records};
use stateright::{Checker, Expectation, HasDiscoveries, Model, UniformChooser};

use Input::{Record, Watermark};

/// One record comes to each of two subtasks, and then a watermark beyond all. Nobody dies.
pub fn two_subtasks() -> Bounds {
    Bounds {
        inputs: vec![vec![Record(2), Watermark(9)], vec![Record(3), Watermark(9)]],
        forked_at: vec![0, 0],
        crashes: 0,
        victims: [false, false],
        checkpoints: [1, 0],
        commit_lag: false,
        hold_timeout: false,
        slow: false,
        epochs: 1,
        rules: Rules::default(),
        mutant: None,
    }
}

/// Both records come to the same subtask.
pub fn one_subtask() -> Bounds {
    Bounds {
        inputs: vec![vec![Record(2), Record(3), Watermark(9)]],
        forked_at: vec![0],
        ..two_subtasks()
    }
}

/// What a search found.
#[derive(Debug)]
pub struct Searched {
    /// The broken laws, each with a way to a state in which it is.
    broken: BTreeMap<&'static str, String>,
    /// What is possible and was not seen.
    unseen: BTreeSet<&'static str>,
}

impl Searched {
    /// The broken laws.
    pub fn broken(&self) -> Vec<&'static str> {
        self.broken.keys().copied().collect()
    }

    /// What is possible and was not seen.
    pub fn unseen(&self) -> Vec<&'static str> {
        self.unseen.iter().copied().collect()
    }

    /// By random walks, until a law is broken or so many states were seen.
    pub fn by_walking(bounds: &Bounds, states: usize) -> Self {
        let checker = bounds
            .clone()
            .checker()
            .threads(1)
            .target_state_count(states)
            .finish_when(HasDiscoveries::AnyFailures)
            .spawn_simulation(7, UniformChooser);
        Self::of(&checker.join(), bounds)
    }

    fn of(checker: &impl Checker<Bounds>, bounds: &Bounds) -> Self {
        let mut searched = Self {
            broken: BTreeMap::new(),
            unseen: BTreeSet::new(),
        };
        let mut discoveries = checker.discoveries();
        for property in checker.model().properties() {
            match (property.expectation, discoveries.remove(property.name)) {
                (Expectation::Always, Some(path)) => {
                    let events = path.into_actions();
                    searched.broken.insert(property.name, format!("{events:?}"));
                }
                (Expectation::Sometimes, None) => {
                    searched.unseen.insert(property.name);
                }
                _ => {}
            }
        }
        println!(
            "{} states ({} with repetitions), {} deep: {bounds:?}\n  broken: {:#?}",
            checker.unique_state_count(),
            checker.state_count(),
            checker.max_depth(),
            searched.broken
        );
        searched
    }
}

/// Searches all states; with something done wrong, until a law is broken.
pub fn search(bounds: &Bounds) -> Searched {
    let finish_when = match bounds.mutant {
        Some(_) => HasDiscoveries::AnyFailures,
        None => HasDiscoveries::All,
    };
    // One thread, so that the search is the same each time.
    let checker = bounds.clone().checker().threads(1).finish_when(finish_when);
    Searched::of(&checker.spawn_bfs().join(), bounds)
}

/// Searches all states: no law is broken, and a handover can come to its end and be given up.
pub fn clean(bounds: &Bounds) {
    let searched = search(bounds);
    assert!(searched.broken.is_empty(), "{bounds:?}: {:#?}", searched.broken);
    assert!(searched.unseen.is_empty(), "never seen: {:?}", searched.unseen);
}

/// The ways in which a world can come to rest: the phase, and what each job has emitted.
pub fn ends(bounds: &Bounds) -> BTreeSet<(&'static str, Records, Records)> {
    let mut ends = BTreeSet::new();
    let mut waiting = bounds.init_states();
    let mut known: HashSet<_> = waiting.iter().cloned().collect();
    while let Some(world) = waiting.pop() {
        if bounds.is_at_rest(&world) {
            let [outgoing, incoming] = [OUTGOING, INCOMING].map(|place| world.jobs[place].emitted());
            ends.insert((world.record.phase.name(), outgoing, incoming));
        }
        for next in bounds.next_states(&world) {
            if known.insert(next.clone()) {
                waiting.push(next);
            }
        }
    }
    println!("{} states, {} ends: {bounds:?}", known.len(), ends.len());
    ends
}
