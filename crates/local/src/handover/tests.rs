use std::collections::BTreeMap;
use std::fs;

use super::{RecordDirectory, RecordError};
use sluice_core::handover::{HandoverRecord, codec};
use tempfile::TempDir;

fn record() -> HandoverRecord {
    let data = [
        ("epoch", "3"),
        ("phase", "STANDBY"),
        ("active", "BLUE"),
        ("active-created-for", "2"),
    ];
    codec::decode(&data.map(|(key, value)| (key.to_owned(), value.to_owned())).into()).unwrap()
}

fn files(directory: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_last_sixteen_versions_stay_and_no_unfinished_file() {
    let directory = tempfile::tempdir().unwrap();
    let place = RecordDirectory::new(directory.path());
    for version in 0..40 {
        assert_eq!(place.write(version, &record()).unwrap(), version + 1);
    }
    let expected: Vec<String> = (25..=40).map(|version| format!("{version:020}.json")).collect();
    assert_eq!(files(&directory), expected);
    assert_eq!(place.read().unwrap().unwrap().version, 40);
}

/// A writer that slept between its look at the directory and its link, while others went on so far that its version's name
/// became free again.
#[test]
fn a_writer_that_slept_too_long_is_not_believed() {
    let directory = tempfile::tempdir().unwrap();
    let place = RecordDirectory::new(directory.path());
    for version in 0..30 {
        place.write(version, &record()).unwrap();
    }
    let written = place.link(3, &BTreeMap::new());
    assert!(
        matches!(written, Err(RecordError::Unknown { version: 4, .. })),
        "{written:?}"
    );
    assert_eq!(place.read().unwrap().unwrap().version, 30);
    assert_eq!(place.write(30, &record()).unwrap(), 31);
}

#[test]
fn what_is_no_record_is_told_with_the_file_and_what_is_wrong() {
    let directory = tempfile::tempdir().unwrap();
    let below = directory.path().join("handover");
    let place = RecordDirectory::new(&below);
    let said = || place.read().unwrap_err().to_string();
    assert_eq!(
        said(),
        format!("there is no directory {} with a handover record", below.display())
    );
    fs::create_dir(&below).unwrap();
    assert_eq!(place.read().unwrap(), None);
    for (version, text, wrong) in [
        (1, "{\"epoch\": \"3\", \"phase\": \"STAN", "EOF while parsing"),
        (2, "{\"epoch\": 3}", "expected a string"),
        (3, "{\"epoch\": \"3\", \"epoch\": \"4\"}", "stands twice"),
        (4, "{\"epoch\": \"3\"}", "lacks the key \"phase\""),
        (5, "[]", "expected an object with strings"),
    ] {
        let file = below.join(format!("{version:020}.json"));
        fs::write(&file, text).unwrap();
        let said = said();
        assert!(
            said.contains(wrong) && said.contains(&file.display().to_string()),
            "{said}"
        );
    }
    fs::write(below.join("6.json"), "nobody's").unwrap();
    let refused = place.write(4, &record()).unwrap_err();
    assert!(
        matches!(
            refused,
            RecordError::Refused {
                found: 5,
                expected: 4,
                ..
            }
        ),
        "{refused}"
    );
}
