//! What the runner knows beside the store; all of it may be lost at any moment.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::store::ObjectKey;

/// How many different failures are quoted.
const QUOTED: usize = 5;
/// The first pause after a failure, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// What is remembered of each object, and the counters.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    objects: Mutex<HashMap<ObjectKey, Remembered>>,
    figures: Mutex<BTreeMap<&'static str, u64>>,
}

/// What is remembered of one object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Remembered {
    /// What could not be carried out since the last success.
    pub(crate) failures: Vec<String>,
    /// The results of savepoint disposals, by path.
    pub(crate) disposals: BTreeMap<String, Result<(), String>>,
    /// Failed passes in a row.
    attempts: u32,
}

impl Memory {
    /// What is remembered of the object.
    pub(crate) fn of(&self, key: &ObjectKey) -> Remembered {
        self.objects().get(key).cloned().unwrap_or_default()
    }

    /// A failure, in the words of whoever refused. Returns how long to wait before the next try: longer each time, never
    /// for ever.
    pub(crate) fn failed(&self, key: &ObjectKey, words: String) -> Duration {
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
    pub(crate) fn succeeded(&self, key: &ObjectKey) {
        if let Some(remembered) = self.objects().get_mut(key) {
            remembered.failures.clear();
            remembered.attempts = 0;
        }
    }

    /// How the disposal of a savepoint ended.
    pub(crate) fn disposed(&self, key: &ObjectKey, path: &str, result: Result<(), String>) {
        let mut objects = self.objects();
        let disposals = &mut objects.entry(key.clone()).or_default().disposals;
        disposals.insert(path.to_owned(), result);
    }

    /// The object is gone.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        self.objects().remove(key);
    }

    /// Adds one to a figure.
    pub(crate) fn count(&self, figure: &'static str) {
        let mut figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        *figures.entry(figure).or_default() += 1;
    }

    /// All figures.
    pub(crate) fn figures(&self) -> BTreeMap<String, u64> {
        let figures = self.figures.lock().unwrap_or_else(PoisonError::into_inner);
        figures
            .iter()
            .map(|(name, value)| ((*name).to_owned(), *value))
            .collect()
    }

    fn objects(&self) -> MutexGuard<'_, HashMap<ObjectKey, Remembered>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Kind;

    #[test]
    fn the_pause_after_failures_grows_to_its_cap_and_begins_anew_after_a_success() {
        let memory = Memory::default();
        let key = ObjectKey::new(Kind::FlinkDeployment, "default", "orders");
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
