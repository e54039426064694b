//! Plays every row of `contract/vectors`.

use std::collections::BTreeSet;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sluice_core::handover::{
    Coordinator, CoordinatorAction, CoordinatorMessage, EventTime, Gate, GateAction, GateMessage, GateState,
    Rules, Told, Verdict, Watermark, judge,
};

#[derive(Deserialize)]
struct File<R> {
    rows: Vec<R>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Judgement {
    name: String,
    told: Told,
    #[serde(default)]
    rules: Rules,
    #[serde(default)]
    emitted: EventTime,
    arrival: Watermark,
    timestamp: EventTime,
    verdict: Verdict,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<S, M, A> {
    name: String,
    situation: S,
    message: M,
    expected: Expected<S, A>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected<S, A> {
    situation: S,
    messages: Vec<A>,
}

macro_rules! vectors {
    ($($file:literal),*) => {
        /// The text of a file of vectors.
        fn text(file: &str) -> &'static str {
            match file {
                $($file => include_str!(concat!("../../../../contract/vectors/", $file)),)*
                _ => panic!("there is no {file}"),
            }
        }
    };
}

vectors!(
    "judge.json",
    "gate.json",
    "rescale.json",
    "outgoing-coordinator.json",
    "incoming-coordinator.json"
);

fn rows<R: Serialize + DeserializeOwned>(file: &str) -> Vec<R> {
    let rows: File<Value> =
        serde_json::from_str(text(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
    rows.rows
        .into_iter()
        .map(|written| {
            let row: R = serde_json::from_value(written.clone())
                .unwrap_or_else(|error| panic!("{file}: {error} in {written}"));
            let read = serde_json::to_value(&row).unwrap();
            assert!(
                is_understood(&written, &read),
                "{file} says what nobody reads.\n written {written}\n read    {read}"
            );
            row
        })
        .collect()
}

/// Whether all that was written was read: a misspelt key would be passed over in silence otherwise.
fn is_understood(written: &Value, read: &Value) -> bool {
    match (written, read) {
        (Value::Object(written), Value::Object(read)) => written.iter().all(|(key, value)| {
            value.is_null() || read.get(key).is_some_and(|read| is_understood(value, read))
        }),
        (Value::Array(written), Value::Array(read)) => {
            written.len() == read.len()
                && written
                    .iter()
                    .zip(read)
                    .all(|(written, read)| is_understood(written, read))
        }
        // The highest number stands for no timestamp.
        (Value::Number(number), Value::Null) => number.as_i64() == Some(i64::MAX),
        _ => written == read,
    }
}

/// Plays the rows, and names all that come out otherwise.
fn play<S, M, A>(file: &str, act: impl Fn(S, M) -> (S, Vec<A>))
where
    S: Serialize + DeserializeOwned + Debug + PartialEq,
    M: Serialize + DeserializeOwned,
    A: Serialize + DeserializeOwned + Debug + PartialEq,
{
    let mut names = BTreeSet::new();
    let mut complaints = Vec::new();
    for row in rows::<Row<S, M, A>>(file) {
        let (situation, messages) = act(row.situation, row.message);
        if situation != row.expected.situation || messages != row.expected.messages {
            complaints.push(format!(
                "{}\n  expected {:?}\n        -> {:?}\n  found    {situation:?}\n        -> {messages:?}",
                row.name, row.expected.situation, row.expected.messages
            ));
        }
        assert!(
            names.insert(row.name.clone()),
            "{file} has two rows named \"{}\"",
            row.name
        );
    }
    assert!(!names.is_empty(), "{file} has no rows");
    assert!(complaints.is_empty(), "{file}\n{}", complaints.join("\n"));
}

#[test]
fn a_gate_judges_as_the_vectors_say() {
    let mut complaints = Vec::new();
    for row in rows::<Judgement>("judge.json") {
        let verdict = judge(row.rules, row.told, row.emitted, row.arrival, row.timestamp);
        if verdict != row.verdict {
            complaints.push(format!(
                "{}: expected {:?}, found {verdict:?}",
                row.name, row.verdict
            ));
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Every cell of the table of phases stands in judge.json, and what can be decided otherwise in it is.
#[test]
fn the_vectors_leave_out_no_cell_of_the_table() {
    let cells: BTreeSet<String> = rows::<Judgement>("judge.json")
        .iter()
        .map(|row| match row.told {
            Told::Nothing => "nothing".to_owned(),
            Told::Stranger => "stranger".to_owned(),
            Told::Outgoing(phase) => format!("outgoing {phase} {}", phase.cut().is_some()),
            Told::Incoming(phase) => format!("incoming {phase} {}", phase.cut().is_some()),
        })
        .collect();
    for role in ["outgoing", "incoming"] {
        for phase in [
            "STABLE false",
            "STANDBY false",
            "PREPARE false",
            "COMMIT true",
            "SEALED true",
            "ABORT false",
        ] {
            assert!(
                cells.contains(&format!("{role} {phase}")),
                "no row for {role} {phase}"
            );
        }
    }
    assert!(cells.contains("outgoing PREPARE true"));
    assert!(cells.contains("nothing") && cells.contains("stranger"));
}

#[test]
fn a_gate_acts_as_the_vectors_say() {
    play(
        "gate.json",
        |mut gate: Gate<String>, message: GateMessage<String>| -> (_, Vec<GateAction<String>>) {
            let actions = gate.on(message);
            (gate, actions)
        },
    );
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rescaling {
    name: String,
    checkpoint: Vec<GateState<String>>,
    parallelism: usize,
    expected: Vec<GateState<String>>,
}

#[test]
fn subtasks_restore_what_the_vectors_say() {
    for row in rows::<Rescaling>("rescale.json") {
        let found = GateState::restore(&row.checkpoint, row.parallelism);
        assert_eq!(found, row.expected, "{}", row.name);
    }
}

#[test]
fn the_outgoing_coordinator_acts_as_the_vectors_say() {
    play("outgoing-coordinator.json", coordinate);
}

#[test]
fn the_incoming_coordinator_acts_as_the_vectors_say() {
    play("incoming-coordinator.json", coordinate);
}

fn coordinate(situation: Coordinator, message: CoordinatorMessage) -> (Coordinator, Vec<CoordinatorAction>) {
    situation.on(message)
}
