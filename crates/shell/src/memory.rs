//! What a shell knows beside the objects; all of it may be lost at any moment.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use sluice_core::Color;
use sluice_core::handover::GatesReport;

/// How many different failures are quoted.
const QUOTED: usize = 5;
/// The first pause after a failure, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// What is remembered of each object, and the counters.
#[derive(Debug)]
pub struct Memory<K> {
    objects: Mutex<HashMap<K, Remembered>>,
    figures: Mutex<BTreeMap<&'static str, u64>>,
}

impl<K> Default for Memory<K> {
    fn default() -> Self {
        Self {
            objects: Mutex::default(),
            figures: Mutex::default(),
        }
    }
}

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub struct Remembered {
    /// What could not be carried out since the last success.
    pub failures: Vec<String>,
    /// The results of savepoint disposals, by path.
    pub disposals: BTreeMap<String, Result<(), String>>,
    /// What each of the two jobs' gates reported last, and since when that has not changed.
    pub reports: BTreeMap<Color, (GatesReport, Timestamp)>,
    /// Failed passes in a row.
    attempts: u32,
}

impl<K: Clone + Eq + Hash> Memory<K> {
    /// What is remembered of the object.
    pub fn of(&self, key: &K) -> Remembered {
        self.objects().get(key).cloned().unwrap_or_default()
    }

    /// A failure, in the words of whoever refused. Returns how long to wait before the next try: longer each time, never
    /// for ever.
    pub fn failed(&self, key: &K, words: String) -> Duration {
        let mut objects = self.objects();
        let remembered = objects.entry(key.clone()).or_default();
        remembered.failures.retain(|other| *other != words);
        remembered.failures.push(words);
        if remembered.failures.len() > QUOTED {
            remembered.failures.remove(0);
        }
        let (first, longest) = BACKOFF;
        let pause = first
            .saturating_mul(1 << remembered.attempts.min(10))
            .min(longest);
        remembered.attempts = remembered.attempts.saturating_add(1);
        pause
    }

    /// A pass in which everything could be carried out.
    pub fn succeeded(&self, key: &K) {
        if let Some(remembered) = self.objects().get_mut(key) {
            remembered.failures.clear();
            remembered.attempts = 0;
        }
    }

    /// How the disposal of a savepoint ended.
    pub fn disposed(&self, key: &K, path: &str, result: Result<(), String>) {
        let mut objects = self.objects();
        let disposals = &mut objects.entry(key.clone()).or_default().disposals;
        disposals.insert(path.to_owned(), result);
    }

    /// What the gates of a job report by now; returns since when they have reported the same, as far as this process has seen.
    pub fn reported(&self, key: &K, color: Color, gates: &GatesReport, now: Timestamp) -> Timestamp {
        let mut objects = self.objects();
        let reports = &mut objects.entry(key.clone()).or_default().reports;
        match reports.get(&color) {
            Some((before, since)) if before == gates => *since,
            Some(_) | None => {
                reports.insert(color, (gates.clone(), now));
                now
            }
        }
    }

    /// The object is gone.
    pub fn forget(&self, key: &K) {
        self.objects().remove(key);
    }

    /// Adds one to a figure.
    pub fn count(&self, figure: &'static str) {
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        *figures.entry(figure).or_default() += 1;
    }

    /// All figures.
    pub fn figures(&self) -> BTreeMap<String, u64> {
        let figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect()
    }

    fn objects(&self) -> MutexGuard<'_, HashMap<K, Remembered>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_after_failures_grows_to_its_cap_and_begins_anew_after_a_success() {
        let memory = Memory::default();
        let key = "orders";
        let pauses: Vec<_> = (0..40)
            .map(|_| memory.failed(&key, "the disk is full".to_owned()))
            .collect();
        assert!(pauses.is_sorted());
        assert_eq!(pauses[39], Duration::from_secs(30));
        assert_eq!(memory.of(&key).failures, ["the disk is full"], "quoted once");
        memory.succeeded(&key);
        assert!(memory.of(&key).failures.is_empty());
        assert_eq!(memory.failed(&key, "x".to_owned()), pauses[0]);
    }
}
