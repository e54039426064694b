//! Blue and green mirrored: nothing but the first colour of a new resource tells them apart.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sluice_core::Fact;
use sluice_core::bluegreen::{Decision, Effect, Observed, Side, decide, record};
use sluice_core::handover::{HandoverRecord, Seen, Version};

use crate::properties::{Happens, any_script, play, started};

/// Words that hold both colours and mean neither.
const BOTH: [(&str, &str); 6] = [
    ("blue_green", "\u{b}"),
    ("blue-green", "\u{1}"),
    ("bluegreen", "\u{2}"),
    ("blueGreen", "\u{3}"),
    ("BlueGreen", "\u{4}"),
    ("BLUE_GREEN", "\u{5}"),
];

/// Each colour's words, as the other's.
const COLORS: [(&str, &str, &str); 3] = [
    ("blue", "green", "\u{6}"),
    ("Blue", "Green", "\u{7}"),
    ("BLUE", "GREEN", "\u{8}"),
];

fn mirrored_text(text: &str) -> String {
    let mut text = text.to_owned();
    for (word, stand_in) in BOTH {
        text = text.replace(word, stand_in);
    }
    for (blue, green, stand_in) in COLORS {
        text = text
            .replace(blue, stand_in)
            .replace(green, blue)
            .replace(stand_in, green);
    }
    for (word, stand_in) in BOTH {
        text = text.replace(stand_in, word);
    }
    text
}

fn mirrored<T: Serialize + DeserializeOwned>(value: &T) -> T {
    // The control characters that stand in are escaped in JSON, and never in these objects.
    serde_json::from_str(&mirrored_text(&serde_json::to_string(value).unwrap())).unwrap()
}

fn mirrored_fact<T: Serialize + DeserializeOwned>(fact: &Fact<T>) -> Fact<T> {
    match fact {
        Fact::Unknown(why) => Fact::Unknown(mirrored_text(why)),
        Fact::Absent => Fact::Absent,
        Fact::Present(value) => Fact::Present(mirrored(value)),
    }
}

fn mirrored_side(side: &Side) -> Side {
    Side {
        child: mirrored_fact(&side.child),
        checkpoint: side.checkpoint.clone(),
        cluster: side.cluster.clone(),
        still_since: side.still_since,
    }
}

fn mirrored_observation(observed: &Observed) -> Observed {
    Observed {
        resource: mirrored(&observed.resource),
        defaults: BTreeMap::new(),
        blue: mirrored_side(&observed.green),
        green: mirrored_side(&observed.blue),
        savepoint: observed.savepoint.clone(),
        agent: observed.agent.clone(),
        handover: match &observed.handover {
            Fact::Present(seen) => Fact::Present(Seen {
                version: seen.version,
                record: mirrored(&seen.record),
            }),
            other => other.clone(),
        },
        ingress: mirrored_fact(&observed.ingress),
        unreadable: observed.unreadable.clone(),
        disposals: observed.disposals.clone(),
        failures: observed.failures.iter().map(|why| mirrored_text(why)).collect(),
    }
}

/// A decision, and the handover records that it writes: these have a field for each colour, which text would put the wrong way round.
fn apart(mut decision: Decision) -> (Decision, Vec<(Option<Version>, HandoverRecord)>) {
    let mut records = Vec::new();
    decision.effects.retain(|effect| match effect {
        Effect::WriteHandover { expected, record } => {
            records.push((*expected, HandoverRecord::clone(record)));
            false
        }
        _ => true,
    });
    (decision, records)
}

/// Everything that is seen while this happens is decided on as its mirror. How many handover records that writes.
fn assert_alike(mode: &str, advanced: bool, script: &[Happens]) -> usize {
    let mut written = 0;
    let mut simulation = started(mode, advanced);
    simulation.seen = Some(Vec::new());
    for happens in script {
        play(&mut simulation, happens);
    }
    for (observed, now) in simulation.seen.take().unwrap() {
        // A new resource begins with blue, and so does a record that has to be rebuilt, where nothing says otherwise.
        let record = observed.resource.status.as_ref().and_then(record::read);
        if record.is_none_or(|record| record.reconciled.is_none()) {
            continue;
        }
        let (decision, records) = apart(decide(&observed, now));
        let (of_mirror, records_of_mirror) = apart(decide(&mirrored_observation(&observed), now));
        assert_eq!(
            mirrored_text(&format!("{decision:#?}")),
            format!("{of_mirror:#?}")
        );
        let mirrored_record = |(expected, record): &(_, _)| (*expected, mirrored(record));
        let records: Vec<_> = records.iter().map(mirrored_record).collect();
        assert_eq!(records, records_of_mirror);
        written += records.len();
    }
    written
}

#[test]
fn a_handover_record_is_written_as_its_mirror() {
    let upgrade = [
        Happens::UpgradeMode("savepoint"),
        Happens::Ticks(4),
        Happens::Image("app:2"),
        Happens::Agent(true),
        Happens::Ticks(5),
    ];
    assert!(assert_alike("stateless", true, &upgrade) > 0);
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, max_shrink_iters: 200, ..Config::with_cases(96) })]

    #[test]
    fn the_mirrored_observation_is_decided_on_as_the_mirror(
        mode in prop::sample::select(vec!["stateless", "savepoint", "last-state"]),
        advanced in any::<bool>(),
        script in any_script(),
    ) {
        assert_alike(mode, advanced, &script);
    }
}
