//! What the demo found, as text.

use std::fmt;
use std::time::Duration;

use sluice_api::gate::Strategy;

use super::ledger::Count;
use crate::view::{Palette, table};

/// How a resource is upgraded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Both jobs write for a while.
    Basic,
    /// Each record is written once.
    Advanced(Strategy),
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic => f.write_str("BASIC"),
            Self::Advanced(strategy) => write!(f, "ADVANCED, {}", strategy.name()),
        }
    }
}

/// What was counted of one resource.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// The resource.
    pub name: String,
    /// How it was upgraded.
    pub way: Way,
    /// The count.
    pub count: Count,
    /// Its transitions, in order.
    pub passages: Vec<Passage>,
}

/// One transition.
#[derive(Clone, Debug)]
pub struct Passage {
    /// `upgrade, blue to green`.
    pub what: String,
    /// How it ended.
    pub outcome: String,
    /// From the edit until it was over.
    pub took: Duration,
    /// The longest time without newly committed output around it.
    pub gap: Option<Duration>,
    /// For how long no job ran, by the resource's own history.
    pub pause: Option<Duration>,
}

/// The tables, and what they mean.
pub fn report(ledgers: &[Ledger], palette: Palette) -> String {
    let number = |value: u64| value.to_string();
    let counts: Vec<Vec<String>> = ledgers
        .iter()
        .map(|ledger| {
            let count = &ledger.count;
            vec![
                ledger.name.clone(),
                ledger.way.to_string(),
                number(count.fed),
                number(count.written),
                number(count.lost),
                number(count.doubled),
                number(count.foreign),
                number(count.wrong_balances),
            ]
        })
        .collect();
    let passages: Vec<Vec<String>> = ledgers
        .iter()
        .flat_map(|ledger| {
            ledger.passages.iter().map(|passage| {
                vec![
                    ledger.name.clone(),
                    passage.what.clone(),
                    passage.outcome.clone(),
                    seconds(passage.took),
                    passage.gap.map(seconds).unwrap_or_default(),
                    passage.pause.map(seconds).unwrap_or_default(),
                ]
            })
        })
        .collect();
    let mut text = table(
        palette,
        &[
            "RESOURCE",
            "MODE",
            "FED",
            "WRITTEN",
            "LOST",
            "DOUBLED",
            "FOREIGN",
            "WRONG BALANCES",
        ],
        &counts,
    );
    text.push('\n');
    text.push_str(&table(
        palette,
        &[
            "RESOURCE",
            "TRANSITION",
            "OUTCOME",
            "TOOK",
            "LONGEST GAP",
            "NO JOB RAN",
        ],
        &passages,
    ));
    text.push_str(
        "\nFOREIGN: lines that belong to no event, or are torn. LONGEST GAP: between two moments at which output was committed,\n\
         around the transition; output is committed with each checkpoint, so about a second is the least.\n",
    );
    for ledger in ledgers {
        text.push('\n');
        text.push_str(&meaning(ledger));
    }
    text
}

/// What the numbers of one resource mean.
fn meaning(ledger: &Ledger) -> String {
    let Count { lost, doubled, .. } = ledger.count;
    let name = &ledger.name;
    let sentences = match (ledger.way, ledger.count.is_exact()) {
        (Way::Advanced(strategy), true) => vec![
            "nothing is lost and nothing came twice, over every transition.".to_owned(),
            match strategy {
                Strategy::Savepoint => "One job stops with a savepoint before the other goes on from it; the price is the time in which no job runs.",
                Strategy::Watermark => "Both jobs run, and each record is written on one side of a cut in event time: no time in which no job runs.",
            }
            .to_owned(),
        ],
        (Way::Advanced(strategy), false) => vec![
            "this must not be.".to_owned(),
            format!(
                "Strategy {} promises that nothing is lost and nothing comes twice here; please report it.",
                strategy.name()
            ),
        ],
        (Way::Basic, _) => vec![
            match doubled {
                0 => "no record came twice, which is luck.".to_owned(),
                _ => format!("{doubled} records came twice."),
            },
            "In BASIC mode both jobs write between the savepoint and the end of the old job.".to_owned(),
            match lost {
                0 => "None is missing this time, but nothing guarantees it.".to_owned(),
                _ => format!("{lost} records are missing, and no log has an error."),
            },
            "The new job restores the sinks as well, and can take over files that the old one still writes.".to_owned(),
            "ADVANCED mode avoids both; for BASIC mode fresh sinks of the new job come with a later release.".to_owned(),
        ],
    };
    format!("{name}: {}\n", sentences.join("\n  "))
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(what: &str, outcome: &str, took: u64, pause: Option<u64>) -> Passage {
        Passage {
            what: what.to_owned(),
            outcome: outcome.to_owned(),
            took: Duration::from_millis(took),
            gap: Some(Duration::from_millis(1200)),
            pause: pause.map(Duration::from_millis),
        }
    }

    fn ledgers(basic: Count, advanced: Count) -> Vec<Ledger> {
        vec![
            Ledger {
                name: "ledger-basic".to_owned(),
                way: Way::Basic,
                count: basic,
                passages: vec![
                    passage("upgrade, blue to green", "ACTIVE_GREEN", 12_300, None),
                    passage("a version that cannot start", "aborted", 21_000, None),
                ],
            },
            Ledger {
                name: "ledger-advanced".to_owned(),
                way: Way::Advanced(Strategy::Savepoint),
                count: advanced,
                passages: vec![passage(
                    "upgrade, blue to green",
                    "ACTIVE_GREEN",
                    14_000,
                    Some(8100),
                )],
            },
        ]
    }

    #[test]
    fn the_report_says_what_happened_and_why() {
        let exact = Count {
            fed: 9000,
            written: 9000,
            ..Count::default()
        };
        let harmed = Count {
            fed: 15_000,
            written: 15_900,
            lost: 210,
            doubled: 1110,
            surplus: 1110,
            ..Count::default()
        };
        insta::assert_snapshot!(report(&ledgers(harmed, exact.clone()), Palette::Plain));
        let broken = Count {
            lost: 1,
            ..exact.clone()
        };
        insta::assert_snapshot!(report(&ledgers(exact, broken), Palette::Plain));
    }
}
