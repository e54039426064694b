//! What becomes of malformed resources: refused by the API server, refused by our own reading, or valid after all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic;

use futures::{StreamExt, stream};
use serde_json::Value;
use sluice_api::{FlinkBlueGreenDeployment, FlinkDeployment, Kind};

use crate::generator::{Malformed, by_hand, malformed};
use crate::server::{Server, problems};

const AT_ONCE: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    RefusedNamingTheField,
    RefusedAsAWhole,
    RefusedThoughValid,
    ProblemsInSentences,
    Valid,
    CannotBeRead,
    Panics,
}

/// What became of all.
#[derive(Default)]
pub struct Outcomes {
    pub counts: BTreeMap<Outcome, usize>,
    /// What stands behind the outcomes that need to be looked at.
    pub examples: BTreeMap<Outcome, Vec<String>>,
    /// What the API server lets through and the types alone cannot take, by path.
    pub types_cannot_take: BTreeMap<String, Vec<String>>,
}

impl Outcomes {
    pub fn of(&self, outcome: Outcome) -> usize {
        self.counts.get(&outcome).copied().unwrap_or_default()
    }

    pub fn print(&self, title: &str) {
        let mut text = format!("\n{title}\n");
        for (outcome, count) in &self.counts {
            let _ = writeln!(text, "  {count:>6} {outcome:?}");
        }
        for (outcome, examples) in &self.examples {
            let _ = writeln!(text, "  {outcome:?}:");
            for example in examples {
                let _ = writeln!(text, "    {example}");
            }
        }
        let _ = writeln!(text, "  let through, and the types alone cannot take it:");
        for (path, whats) in &self.types_cannot_take {
            let _ = writeln!(text, "    {path}: {}", whats.join(", "));
        }
        println!("{text}");
    }
}

struct Judged {
    outcome: Outcome,
    words: String,
    types: Option<String>,
}

fn by_types(kind: Kind, value: &Value) -> Option<String> {
    let value = value.clone();
    match kind {
        Kind::FlinkBlueGreenDeployment => serde_json::from_value::<FlinkBlueGreenDeployment>(value).err(),
        Kind::FlinkDeployment => serde_json::from_value::<FlinkDeployment>(value).err(),
    }
    .map(|error| error.to_string())
}

/// `field`: what a refusal has to name, if there is a field.
fn judge(kind: Kind, field: Option<&str>, written: Option<&Value>, answer: Result<Value, String>) -> Judged {
    match answer {
        Err(message) => {
            let valid = written.is_some_and(|it| problems(kind, it).is_empty());
            let named = field.is_some_and(|it| message.contains(it));
            Judged {
                outcome: match (valid, named) {
                    (true, _) => Outcome::RefusedThoughValid,
                    (_, true) => Outcome::RefusedNamingTheField,
                    _ => Outcome::RefusedAsAWhole,
                },
                words: message,
                types: None,
            }
        }
        Ok(stored) => {
            let Ok(problems) = panic::catch_unwind(|| problems(kind, &stored)) else {
                return Judged {
                    outcome: Outcome::Panics,
                    words: String::new(),
                    types: None,
                };
            };
            let unread = problems.iter().find(|it| it.message.contains("cannot be read"));
            let outcome = match (&unread, problems.is_empty()) {
                (Some(_), _) => Outcome::CannotBeRead,
                (_, true) => Outcome::Valid,
                _ => Outcome::ProblemsInSentences,
            };
            for problem in &problems {
                assert!(
                    !problem.field.is_empty() && problem.message.len() > 10,
                    "{problem:?}"
                );
            }
            Judged {
                outcome,
                words: unread
                    .or(problems.first())
                    .map(ToString::to_string)
                    .unwrap_or_default(),
                types: by_types(kind, &stored),
            }
        }
    }
}

/// The first words of a sentence, for a table.
fn short(words: &str) -> String {
    words.chars().filter(|it| !it.is_control()).take(400).collect()
}

/// Gives the API server everything malformed of `kind`, and reads what it lets through.
pub async fn of_everything_malformed(server: &Server, kind: Kind) -> Outcomes {
    let mut outcomes = Outcomes::default();
    let mut note = |name: String, what: String, judged: Judged| {
        *outcomes.counts.entry(judged.outcome).or_default() += 1;
        if ![
            Outcome::RefusedNamingTheField,
            Outcome::ProblemsInSentences,
            Outcome::Valid,
        ]
        .contains(&judged.outcome)
        {
            let example = format!("{name}, {what}: {}", short(&judged.words));
            outcomes.examples.entry(judged.outcome).or_default().push(example);
        }
        if judged.types.is_some() {
            outcomes.types_cannot_take.entry(name).or_default().push(what);
        }
    };
    let generated = stream::iter(malformed(kind))
        .map(|it: Malformed| async move {
            let answer = server.would_take(kind, &it.value).await;
            let judged = judge(kind, Some(&it.field), Some(&it.value), answer);
            (it.path, it.what, judged)
        })
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    for (path, what, judged) in generated {
        note(path, what, judged);
    }
    for (what, body) in by_hand(kind) {
        let answer = server.would_take_body(kind, server.body_here(&body)).await;
        note(
            "by hand".to_owned(),
            what.to_owned(),
            judge(kind, None, None, answer),
        );
    }
    outcomes
}
