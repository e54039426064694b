//! The count: what was fed to the ledger job, and what its committed output says became of it.
//!
//! Committed is a part file whose name does not begin with `.` and does not contain `.inprogress`: Flink's FileSink names
//! files so until the checkpoint that they belong to is complete.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::feeder::CLOSING;

/// One event: which file it is in, and its number there.
type EventId = (u32, u64);

/// A booking as it was fed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Booking {
    account: String,
    amount: i64,
    time: i64,
}

/// What was fed.
#[derive(Clone, Debug, Default)]
pub struct Fed {
    bookings: HashMap<EventId, Booking>,
}

/// One line of the job's output.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    event: EventId,
    booking: Booking,
    balance: i64,
    /// How many bookings the account has had, this one included.
    count: u64,
}

/// What the job wrote and committed.
#[derive(Clone, Debug, Default)]
pub struct Output {
    lines: Vec<Written>,
    unreadable: u64,
}

/// The result of the comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Events fed.
    pub fed: u64,
    /// Lines in committed output.
    pub written: u64,
    /// Events that are not in it.
    pub lost: u64,
    /// Events that are in it more than once.
    pub doubled: u64,
    /// Lines beyond the first of those events.
    pub surplus: u64,
    /// Lines that no event was fed for, or that differ from the event, or that cannot be read.
    pub foreign: u64,
    /// Lines whose balance does not follow from the line before of the same account, and accounts that end with another
    /// balance than the sum of what was booked on them.
    pub wrong_balances: u64,
}

impl Count {
    /// Whether every event is in the output once, with the right balance.
    pub const fn is_exact(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.foreign == 0 && self.wrong_balances == 0
    }
}

impl Fed {
    /// Reads the files `split-<k>.log` of a directory. A last line without its line feed has not been fed.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let mut fed = Self::default();
        for entry in fs::read_dir(directory)? {
            let path = entry?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            let Some(split) = name
                .strip_prefix("split-")
                .and_then(|name| name.strip_suffix(".log"))
                .and_then(|number| number.parse().ok())
            else {
                continue;
            };
            let text = fs::read_to_string(&path)?;
            let whole = text
                .rfind('\n')
                .map_or("", |end| text.get(..end).unwrap_or_default());
            for line in whole.lines() {
                fed.add(split, line).ok_or_else(|| {
                    let problem = format!("{} has the line \"{line}\", which is no event", path.display());
                    io::Error::new(io::ErrorKind::InvalidData, problem)
                })?;
            }
        }
        Ok(fed)
    }

    /// A line `sequence,account,amount,eventTimeMillis`.
    fn add(&mut self, split: u32, line: &str) -> Option<()> {
        let mut fields = line.split(',');
        let sequence = fields.next()?.parse().ok()?;
        let booking = booking(&mut fields)?;
        if fields.next().is_some() {
            return None;
        }
        if booking.account == CLOSING {
            return Some(());
        }
        self.bookings.insert((split, sequence), booking);
        Some(())
    }

    /// How many events there are.
    pub fn len(&self) -> usize {
        self.bookings.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bookings.is_empty()
    }
}

/// `account,amount,time`.
fn booking<'a>(fields: &mut impl Iterator<Item = &'a str>) -> Option<Booking> {
    Some(Booking {
        account: fields.next()?.to_owned(),
        amount: fields.next()?.parse().ok()?,
        time: fields.next()?.parse().ok()?,
    })
}

/// The committed part files of a sink, in its directory and those below it.
pub fn committed_files(directory: &Path) -> io::Result<BTreeSet<PathBuf>> {
    let mut files = BTreeSet::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            // The job makes it when it writes for the first time.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(['.', '_']) || name.contains(".inprogress") {
                continue;
            }
            if entry.file_type()?.is_dir() {
                open.push(entry.path());
            } else {
                files.insert(entry.path());
            }
        }
    }
    Ok(files)
}

impl Output {
    /// Reads the committed output in a directory.
    pub fn read(directory: &Path) -> io::Result<Self> {
        let mut output = Self::default();
        for file in committed_files(directory)? {
            // A file that another job has truncated may end in the middle of a character.
            let bytes = fs::read(&file)?;
            let text = String::from_utf8_lossy(&bytes);
            for line in text.lines() {
                output.add(line);
            }
        }
        Ok(output)
    }

    /// A line `split,sequence,account,amount,balance,count,eventTime,label`.
    fn add(&mut self, line: &str) {
        match Self::parse(line) {
            Some(written) if written.booking.account == CLOSING => {}
            Some(written) => self.lines.push(written),
            None => self.unreadable += 1,
        }
    }

    fn parse(line: &str) -> Option<Written> {
        let fields: Vec<&str> = line.split(',').collect();
        let [split, sequence, account, amount, balance, count, time, _label] = fields.as_slice() else {
            return None;
        };
        Some(Written {
            event: (split.parse().ok()?, sequence.parse().ok()?),
            booking: booking(&mut [*account, *amount, *time].into_iter())?,
            balance: balance.parse().ok()?,
            count: count.parse().ok()?,
        })
    }

    /// How many different events are in it.
    pub fn events(&self) -> usize {
        self.lines
            .iter()
            .map(|line| line.event)
            .collect::<HashSet<_>>()
            .len()
    }
}

/// Compares what was fed with what was written.
pub fn count(fed: &Fed, output: &Output) -> Count {
    let mut times: HashMap<EventId, u64> = HashMap::new();
    let mut foreign = output.unreadable;
    let mut accounts: BTreeMap<&str, Vec<&Written>> = BTreeMap::new();
    for line in &output.lines {
        if fed.bookings.get(&line.event) == Some(&line.booking) {
            *times.entry(line.event).or_default() += 1;
            accounts.entry(&line.booking.account).or_default().push(line);
        } else {
            foreign += 1;
        }
    }
    let doubled = times.values().filter(|times| **times > 1).count() as u64;
    Count {
        fed: fed.bookings.len() as u64,
        written: output.lines.len() as u64 + output.unreadable,
        lost: (fed.bookings.len() - times.len()) as u64,
        doubled,
        surplus: times.values().map(|times| times - 1).sum(),
        foreign,
        wrong_balances: accounts.values().map(|lines| broken_links(lines)).sum::<u64>()
            + wrong_ends(fed, &times, &accounts),
    }
}

/// Lines of one account whose balance does not follow from any line with the count before.
///
/// In which order the job sees events of different files is not determined, so the balance after one event is not known
/// beforehand; but every line must follow from one that stands before it. Where that one is lost, nothing can be said.
fn broken_links(lines: &[&Written]) -> u64 {
    let mut by_count: HashMap<u64, Vec<i64>> = HashMap::new();
    for line in lines {
        by_count.entry(line.count).or_default().push(line.balance);
    }
    let follows = |line: &Written| {
        let before = line.balance - line.booking.amount;
        match line.count.checked_sub(1) {
            None => false,
            Some(0) => before == 0,
            Some(count) => by_count
                .get(&count)
                .is_none_or(|balances| balances.contains(&before)),
        }
    };
    lines.iter().filter(|line| !follows(line)).count() as u64
}

/// Accounts whose last line does not have all that was booked on them, as far as the lost events do not explain it.
fn wrong_ends(fed: &Fed, times: &HashMap<EventId, u64>, accounts: &BTreeMap<&str, Vec<&Written>>) -> u64 {
    let mut booked: BTreeMap<&str, (u64, i64, u64)> = BTreeMap::new();
    for (event, booking) in &fed.bookings {
        let (count, sum, lost) = booked.entry(&booking.account).or_default();
        *count += 1;
        *sum += booking.amount;
        *lost += u64::from(!times.contains_key(event));
    }
    let wrong = |account: &&str| {
        let (count, sum, lost) = booked.get(*account).copied().unwrap_or_default();
        let lines = accounts.get(*account).map(Vec::as_slice).unwrap_or_default();
        let highest = lines.iter().map(|line| line.count).max().unwrap_or(0);
        let balances: Vec<i64> = lines
            .iter()
            .filter(|line| line.count == highest)
            .map(|line| line.balance)
            .collect();
        highest > count
            || highest + lost < count
            || (highest == count && !balances.iter().all(|balance| *balance == sum))
    };
    booked.keys().filter(|account| wrong(account)).count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Account `a` is booked +5, +7 and -2 from two files, `b` once.
    fn fed() -> Fed {
        let mut fed = Fed::default();
        for (split, line) in [
            (0, "0,a,5,1000"),
            (0, "1,a,7,1001"),
            (1, "0,a,-2,1000"),
            (1, "1,b,9,1002"),
        ] {
            fed.add(split, line).unwrap();
        }
        fed
    }

    fn written(lines: &[&str]) -> Output {
        let mut output = Output::default();
        for line in lines {
            output.add(line);
        }
        output
    }

    const RIGHT: [&str; 4] = [
        "0,0,a,5,5,1,1000,v1",
        "1,0,a,-2,3,2,1000,v1",
        "0,1,a,7,10,3,1001,v2",
        "1,1,b,9,9,1,1002,v2",
    ];

    #[test]
    fn a_ledger_with_every_event_once_is_exact_in_whatever_order_the_files_were_read() {
        let right = count(&fed(), &written(&RIGHT));
        assert_eq!(
            right,
            Count {
                fed: 4,
                written: 4,
                ..Count::default()
            }
        );
        let other_order = [
            "0,0,a,5,5,1,1000,v1",
            "0,1,a,7,12,2,1001,v1",
            "1,0,a,-2,10,3,1000,v1",
            "1,1,b,9,9,1,1002,v1",
        ];
        assert!(count(&fed(), &written(&other_order)).is_exact());
    }

    #[test]
    fn a_line_that_is_missing_is_lost_and_does_not_make_the_balances_wrong() {
        let found = count(&fed(), &written(&[RIGHT[0], RIGHT[2], RIGHT[3]]));
        assert_eq!(
            found,
            Count {
                fed: 4,
                written: 3,
                lost: 1,
                ..Count::default()
            }
        );
        let last_missing = count(&fed(), &written(&[RIGHT[0], RIGHT[1], RIGHT[3]]));
        assert_eq!(
            last_missing,
            Count {
                fed: 4,
                written: 3,
                lost: 1,
                ..Count::default()
            }
        );
    }

    #[test]
    fn two_jobs_that_overlap_double_events_but_each_keeps_its_books() {
        let both = [
            RIGHT.as_slice(),
            &["0,1,a,7,12,2,1001,v2", "1,0,a,-2,10,3,1000,v2"],
        ]
        .concat();
        let found = count(&fed(), &written(&both));
        assert_eq!(
            found,
            Count {
                fed: 4,
                written: 6,
                doubled: 2,
                surplus: 2,
                ..Count::default()
            }
        );
    }

    #[test]
    fn a_job_that_started_from_nothing_has_wrong_balances_though_no_event_is_missing() {
        // Account a's third booking was counted by a job that did not know the first two.
        let forgot = [RIGHT[0], RIGHT[1], "0,1,a,7,7,1,1001,v2", RIGHT[3]];
        let found = count(&fed(), &written(&forgot));
        assert_eq!(
            found,
            Count {
                fed: 4,
                written: 4,
                wrong_balances: 1,
                ..Count::default()
            }
        );
        assert!(!found.is_exact());
    }

    #[test]
    fn a_balance_that_does_not_follow_is_wrong() {
        let found = count(
            &fed(),
            &written(&[RIGHT[0], "1,0,a,-2,4,2,1000,v1", "0,1,a,7,11,3,1001,v1", RIGHT[3]]),
        );
        // The line itself, and the end of the account.
        assert_eq!(found.wrong_balances, 2);
    }

    #[test]
    fn half_a_line_and_a_line_of_no_event_are_foreign() {
        let lines = [
            RIGHT.as_slice(),
            &["0,1,a,7,1", "7,0,z,1,1,1,1,v1", "0,0,a,6,6,1,1000,v1"],
        ]
        .concat();
        let found = count(&fed(), &written(&lines));
        assert_eq!((found.foreign, found.lost, found.doubled), (3, 0, 0));
    }

    #[test]
    fn only_committed_files_and_whole_events_count() {
        let directory = tempfile::tempdir().unwrap();
        let (input, output) = (directory.path().join("in"), directory.path().join("out"));
        fs::create_dir_all(&input).unwrap();
        fs::create_dir_all(&output).unwrap();
        fs::write(input.join("split-0.log"), "0,a,5,1000\n1,a,7,10").unwrap();
        fs::write(input.join("notes.txt"), "nothing").unwrap();
        fs::write(output.join("part-x-0"), "0,0,a,5,5,1,1000,v1\n").unwrap();
        fs::write(output.join(".part-x-1.inprogress.abc"), "0,1,a,7,12,2,1001,v1\n").unwrap();
        let fed = Fed::read(&input).unwrap();
        let output = Output::read(&output).unwrap();
        assert_eq!((fed.len(), output.events()), (1, 1));
        assert!(count(&fed, &output).is_exact());
        assert_eq!(
            Output::read(&directory.path().join("not there"))
                .unwrap()
                .events(),
            0
        );
    }
}
