//! Figures: measured, printed, written down.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// One figure, and what it has to reach.
pub struct Figure {
    /// What was measured.
    pub name: String,
    /// What came out, with its unit.
    pub value: String,
    /// What it has to reach, if anything was set.
    pub target: Option<(String, bool)>,
}

impl Figure {
    /// A figure without a target.
    pub fn plain(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            target: None,
        }
    }

    /// A duration that must not be longer than `target`.
    pub fn at_most(name: impl Into<String>, value: Duration, target: Duration) -> Self {
        let reached = value <= target;
        Self {
            name: name.into(),
            value: format!("{value:.1?}"),
            target: Some((format!("at most {target:.1?}"), reached)),
        }
    }

    /// Memory that must not be more than `target`, both in bytes.
    pub fn no_larger(name: impl Into<String>, value: u64, target: u64) -> Self {
        Self {
            name: name.into(),
            value: megabytes(value),
            target: Some((format!("at most {}", megabytes(target)), value <= target)),
        }
    }

    /// How many there are, and how many there may be.
    pub fn no_more(name: impl Into<String>, value: usize, target: usize) -> Self {
        Self {
            name: name.into(),
            value: value.to_string(),
            target: Some((format!("at most {target}"), value <= target)),
        }
    }
}

/// Bytes in millions.
pub fn megabytes(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

/// A share of one.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

/// Runs two things in turn, so that both see the same machine, and returns their medians.
pub fn medians(runs: usize, mut first: impl FnMut(), mut second: impl FnMut()) -> (Duration, Duration) {
    let (mut firsts, mut seconds) = (Vec::with_capacity(runs), Vec::with_capacity(runs));
    for _ in 0..runs {
        firsts.push(timed(&mut first));
        seconds.push(timed(&mut second));
    }
    (median(firsts), median(seconds))
}

fn timed(run: &mut impl FnMut()) -> Duration {
    let began = Instant::now();
    run();
    began.elapsed()
}

/// The middle one.
pub fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

/// Prints the figures and writes them to `bench/results/<name>.md`.
///
/// # Errors
/// If the file cannot be written, or a figure misses its target.
pub fn report(name: &str, figures: &[Figure]) -> anyhow::Result<()> {
    let mut text = format!("# {name}\n\n| what | measured | has to be | |\n|---|---|---|---|\n");
    let mut missed = Vec::new();
    for figure in figures {
        let (target, mark) = match &figure.target {
            Some((target, true)) => (target.as_str(), "reached"),
            Some((target, false)) => {
                missed.push(figure.name.clone());
                (target.as_str(), "MISSED")
            }
            None => ("", ""),
        };
        writeln!(text, "| {} | {} | {target} | {mark} |", figure.name, figure.value)?;
    }
    print!("{text}");
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    std::fs::create_dir_all(&directory)?;
    std::fs::write(directory.join(format!("{name}.md")), text)?;
    anyhow::ensure!(missed.is_empty(), "missed: {}", missed.join(", "));
    Ok(())
}
