//! The handover record in a directory, with the Java side in processes of its own: what one side writes the other reads.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot be set up ends the test"
)]

mod player;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use sluice_core::handover::{Attempt, Epoch, HandoverRecord, Incarnation, Report, codec};
use sluice_local::handover::{RecordDirectory, RecordError};

use crate::player::{Player, now, read};

const NOTE: &str = "of somebody else, and left alone";

fn data(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    let owned = entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    owned.collect()
}

fn standby() -> HandoverRecord {
    codec::decode(&data(&[
        ("epoch", "3"),
        ("phase", "STANDBY"),
        ("active", "BLUE"),
        ("active-created-for", "2"),
    ]))
    .unwrap()
}

fn with_attempt(record: &HandoverRecord, attempt: u64) -> HandoverRecord {
    let report = record.blue.clone().unwrap_or(Report {
        created_for: Epoch(2),
        incarnation: Incarnation(7),
        ..Report::default()
    });
    HandoverRecord {
        blue: Some(Report {
            attempt: Attempt(attempt),
            ..report
        }),
        ..record.clone()
    }
}

fn attempt(record: &HandoverRecord) -> u64 {
    record.blue.as_ref().map_or(0, |report| report.attempt.0)
}

fn strings(file: &Path) -> BTreeMap<String, String> {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

#[test]
fn the_example_of_the_contract_is_read_and_continued() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../contract/record-directory");
    let directory = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(example).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), directory.path().join(entry.file_name())).unwrap();
    }
    let place = RecordDirectory::new(directory.path());
    let newest = place.read().unwrap().unwrap();
    assert_eq!(newest.version, 11);
    let mut expected = strings(&directory.path().join("00000000000000000011.json"));
    assert_eq!(expected.remove("note").as_deref(), Some(NOTE));
    assert_eq!(codec::encode(&newest.record), expected);

    assert_eq!(place.write(11, &with_attempt(&newest.record, 5)).unwrap(), 12);
    let written = strings(&directory.path().join("00000000000000000012.json"));
    assert_eq!(written["note"], NOTE);
    assert!(written["report.blue"].contains("\"attempt\":5"), "{written:?}");
    for nobodys in [
        "12.json",
        "99999999999999999999.json",
        "00000000000000000010.json",
    ] {
        assert!(directory.path().join(nobodys).is_file(), "{nobodys}");
    }
}

#[tokio::test]
async fn what_one_side_writes_the_other_reads_and_neither_overwrites() {
    let directory = tempfile::tempdir().unwrap();
    let place = RecordDirectory::new(directory.path());
    let mut player = Player::start(&["directory", directory.path().to_str().unwrap()]);
    player.say("watch");
    player.expect("ABSENT");

    // The operator creates, the job reads and writes, the operator reads.
    place.write(0, &standby()).unwrap();
    let (version, _, told) = read(&player.expect("READ"));
    assert_eq!(version, 1);
    assert_eq!(
        serde_json::from_value::<BTreeMap<String, String>>(told).unwrap(),
        codec::encode(&standby())
    );
    player.say("write 1 4");
    assert_eq!(place.changed(1).await.unwrap(), 2);
    assert_eq!(place.read().unwrap().unwrap().record, with_attempt(&standby(), 4));
    player.expect("READ 2");
    assert_eq!(player.expect("WROTE"), "2");

    // Neither overwrites what it has not read.
    let refused = place.write(1, &standby()).unwrap_err();
    assert!(
        matches!(refused, RecordError::Refused { found: 2, .. }),
        "{refused}"
    );
    place.write(2, &with_attempt(&standby(), 5)).unwrap();
    player.expect("READ 3");
    player.say("write 2 9");
    let said = player.expect("REFUSED");
    assert!(
        said.contains("is in version 3, and the write was made for version 2"),
        "{said}"
    );

    // A record that the job makes, in a directory that was emptied.
    fs::remove_dir_all(directory.path()).unwrap();
    player.expect("TROUBLE there is no directory");
    let json = serde_json::to_string(&codec::encode(&standby())).unwrap();
    player.say(&format!("put 0 {json}"));
    assert_eq!(place.changed(0).await.unwrap(), 1);
    assert_eq!(place.read().unwrap().unwrap().record, standby());
    player.expect("READ 1");
    player.expect("WROTE");

    // How long it takes from one process to the other.
    let mut to_job = Vec::new();
    let mut to_operator = Vec::new();
    for round in 0..40 {
        let version = 1 + 2 * round;
        let before = now();
        place
            .write(version, &with_attempt(&standby(), version + 1))
            .unwrap();
        to_job.push(read(&player.expect("READ")).1 - before);
        player.say(&format!("write {} {}", version + 1, version + 2));
        place.changed(version + 1).await.unwrap();
        let seen = now();
        to_operator.push(seen.saturating_sub(read(&player.expect("READ")).1));
        player.expect("WROTE");
    }
    to_job.sort_unstable();
    to_operator.sort_unstable();
    println!(
        "from the operator's write to the job: median {} µs, highest {} µs; to the operator after the writing job's own listener: \
         median {} µs, highest {} µs",
        to_job[20], to_job[39], to_operator[20], to_operator[39]
    );
}

#[test]
fn what_both_sides_add_at_the_same_time_is_there_once_each() {
    const TIMES: u64 = 60;
    let directory = tempfile::tempdir().unwrap();
    let place = RecordDirectory::new(directory.path());
    place.write(0, &standby()).unwrap();
    let mut players: Vec<Player> = (0..2)
        .map(|_| Player::start(&["directory", directory.path().to_str().unwrap()]))
        .collect();
    for player in &mut players {
        player.say("watch");
        player.expect("READ");
        player.say(&format!("count {TIMES}"));
    }
    let mut counted: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| scope.spawn(|| (0..TIMES).map(|_| add_one(&place)).collect::<Vec<u64>>()))
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    for player in &players {
        counted.extend((0..TIMES).map(|_| player.wait_for("COUNTED").parse::<u64>().unwrap()));
    }
    counted.sort_unstable();
    let all: Vec<u64> = (1..=4 * TIMES).collect();
    assert_eq!(counted, all);
    let newest = place.read().unwrap().unwrap();
    assert_eq!(
        (newest.version, attempt(&newest.record)),
        (4 * TIMES + 1, 4 * TIMES)
    );
}

/// Adds one to the attempt; what was refused is tried again with what is there by then.
fn add_one(place: &RecordDirectory) -> u64 {
    loop {
        let seen = place.read().unwrap().unwrap();
        let next = attempt(&seen.record) + 1;
        match place.write(seen.version, &with_attempt(&seen.record, next)) {
            Ok(_) => return next,
            Err(RecordError::Refused { .. }) => {}
            Err(error) => panic!("{error}"),
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
