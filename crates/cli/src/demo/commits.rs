//! When output was committed: a thread that looks for new part files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::ledger::committed_files;

/// How exactly a commit's moment is known.
const LOOK: Duration = Duration::from_millis(50);

/// The moments at which committed files were first seen. Dropping it ends the watch.
pub(super) struct Commits {
    seen: Arc<Mutex<BTreeMap<PathBuf, Instant>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Commits {
    /// Begins to watch a directory.
    pub(super) fn watch(directory: &Path) -> std::io::Result<Self> {
        let seen = Arc::new(Mutex::new(BTreeMap::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let directory = directory.to_owned();
        let thread = std::thread::Builder::new().name("commits".to_owned()).spawn({
            let (seen, stop) = (Arc::clone(&seen), Arc::clone(&stop));
            move || {
                while !stop.load(Ordering::Relaxed) {
                    // A directory that cannot be read now is read at the next look, and at the latest by the count.
                    let files = committed_files(&directory).unwrap_or_default();
                    let now = Instant::now();
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    for file in files {
                        seen.entry(file).or_insert(now);
                    }
                    drop(seen);
                    std::thread::sleep(LOOK);
                }
            }
        })?;
        Ok(Self {
            seen,
            stop,
            thread: Some(thread),
        })
    }

    /// How many files have been committed so far.
    pub(super) fn len(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// The longest time without a commit that touches the time between two moments.
    pub(super) fn longest_gap(&self, from: Instant, to: Instant) -> Option<Duration> {
        let mut moments: Vec<Instant> = self
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .copied()
            .collect();
        moments.sort_unstable();
        longest_gap(&moments, from, to)
    }
}

impl Drop for Commits {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It cannot fail but by a panic, which has been printed.
            let _ended = thread.join();
        }
    }
}

fn longest_gap(moments: &[Instant], from: Instant, to: Instant) -> Option<Duration> {
    moments
        .iter()
        .zip(moments.iter().skip(1))
        .filter(|(before, after)| **after >= from && **before <= to)
        .map(|(before, after)| after.duration_since(*before))
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_counts_as_a_whole_if_any_of_it_lies_in_the_time_asked_about() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let moments = [0, 1, 2, 9, 10, 30].map(at);
        let gap = |from, to| longest_gap(&moments, at(from), at(to)).map(|gap| gap.as_secs());
        assert_eq!(gap(0, 1), Some(1));
        assert_eq!(gap(4, 10), Some(20));
        assert_eq!(gap(4, 9), Some(7));
        assert_eq!(gap(31, 40), None);
    }

    #[test]
    fn a_committed_file_is_noticed_and_one_in_progress_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let commits = Commits::watch(directory.path()).unwrap();
        std::fs::write(directory.path().join(".part-0.inprogress.x"), "").unwrap();
        std::fs::write(directory.path().join("part-0"), "").unwrap();
        let begin = Instant::now();
        while commits.len() == 0 && begin.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(LOOK);
        }
        std::thread::sleep(LOOK * 2);
        assert_eq!(commits.len(), 1);
    }
}
