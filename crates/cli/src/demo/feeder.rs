//! The feeder: a thread that appends events to the files that the ledger job follows.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// How many files, as the job's `--splits`.
pub(super) const SPLITS: u64 = 4;
/// Events per second.
pub(super) const RATE: u64 = 200;
const ACCOUNTS: u64 = 50;
/// The account of the bookings that only say how late it is. They are not counted.
pub(super) const CLOSING: &str = "closing";
const PERIOD: Duration = Duration::from_millis(50);

/// A feeder that is at work. Dropping it stops it.
pub(super) struct Feeder {
    stop: Arc<AtomicBool>,
    fed: Arc<AtomicU64>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Feeder {
    /// Begins to feed into a directory, at the end of what is there.
    pub(super) fn start(directory: &Path) -> io::Result<Self> {
        fs::create_dir_all(directory)?;
        let files = Files::open(directory)?;
        let stop = Arc::new(AtomicBool::new(false));
        let fed = Arc::new(AtomicU64::new(0));
        let thread = std::thread::Builder::new().name("feeder".to_owned()).spawn({
            let (stop, fed) = (Arc::clone(&stop), Arc::clone(&fed));
            move || feed(files, &stop, &fed)
        })?;
        Ok(Self {
            stop,
            fed,
            thread: Some(thread),
        })
    }

    /// How many events it has fed so far.
    pub(super) fn fed(&self) -> u64 {
        self.fed.load(Ordering::Relaxed)
    }

    /// Stops, and says how many events it has fed. Every line is whole.
    pub(super) fn stop(mut self) -> io::Result<u64> {
        self.end()?;
        Ok(self.fed())
    }

    fn end(&mut self) -> io::Result<()> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            None => Ok(()),
            Some(Ok(result)) => result,
            Some(Err(_)) => Err(io::Error::other("the feeder has panicked")),
        }
    }
}

impl Drop for Feeder {
    fn drop(&mut self) {
        // Whoever drops it has an error of their own to tell.
        let _ended = self.end();
    }
}

struct Files {
    /// Each with the sequence number of its next event.
    files: Vec<(File, u64)>,
}

impl Files {
    fn open(directory: &Path) -> io::Result<Self> {
        let open = |split| {
            let path: PathBuf = directory.join(format!("split-{split}.log"));
            let lines = fs::read_to_string(&path).map_or(0, |text| text.lines().count());
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            Ok((file, lines as u64))
        };
        Ok(Self {
            files: (0..SPLITS).map(open).collect::<io::Result<_>>()?,
        })
    }
}

fn feed(mut files: Files, stop: &AtomicBool, fed: &AtomicU64) -> io::Result<()> {
    let begin = Instant::now();
    // Any fixed seed: which accounts are booked does not matter, but a run should be like the one before.
    let mut random = 0x5eed_1ed9_e500_0001_u64;
    let mut number = 0;
    while !stop.load(Ordering::Relaxed) {
        let due = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX) * RATE / 1000;
        let mut texts = vec![String::new(); files.files.len()];
        let now = Timestamp::now().as_millisecond();
        let batch = due - number;
        for _ in 0..batch {
            random = next(random);
            let account = random % ACCOUNTS;
            let amount = i64::try_from((random >> 16) % 2001).unwrap_or(0) - 1000;
            let turn = usize::try_from(number % SPLITS).unwrap_or(0);
            if let (Some(text), Some((_, sequence))) = (texts.get_mut(turn), files.files.get_mut(turn)) {
                let _infallible = writeln!(text, "{sequence},account-{account},{amount},{now}");
                *sequence += 1;
            }
            number += 1;
        }
        for ((file, _), text) in files.files.iter_mut().zip(&texts) {
            file.write_all(text.as_bytes())?;
        }
        fed.store(number, Ordering::Relaxed);
        std::thread::sleep(PERIOD);
    }
    // A job that waits for the watermark writes the last bookings when a later one has come.
    let later = Timestamp::now().as_millisecond().saturating_add(1000);
    for (file, sequence) in &mut files.files {
        writeln!(file, "{sequence},{CLOSING},0,{later}")?;
        *sequence += 1;
    }
    Ok(())
}

/// Xorshift (Marsaglia 2003): good enough to spread bookings over accounts.
const fn next(state: u64) -> u64 {
    let state = state ^ (state << 13);
    let state = state ^ (state >> 7);
    state ^ (state << 17)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::ledger::Fed;

    #[test]
    fn every_event_is_whole_and_the_numbers_go_on_after_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let mut total = 0;
        for _ in 0..2 {
            let feeder = Feeder::start(directory.path()).unwrap();
            while feeder.fed() < 20 {
                std::thread::sleep(Duration::from_millis(10));
            }
            total += feeder.stop().unwrap();
        }
        // A number that was given twice would stand for one event only.
        assert_eq!(Fed::read(directory.path()).unwrap().len() as u64, total);
    }
}
