//! The figures, each with what it has to reach.

use std::collections::BTreeMap;
use std::time::Duration;

use sluice_cluster::Requests;

use super::transition::Transition;
use super::upstream::Upstream;
use super::{Crowd, Measured};
use crate::figures::{Figure, median, megabytes, percent};

/// The bar of the project.
const START: Duration = Duration::from_millis(300);
const EMPTY: u64 = 25_000_000;
const CROWDED: u64 = 80_000_000;
const EDIT: Duration = Duration::from_millis(50);
const SAVEPOINT: Duration = Duration::from_millis(300);
const REQUESTS: usize = 25;
const WRITES: usize = 12;

/// All of them.
pub(super) fn of(measured: &Measured, upstream: Option<&Upstream>) -> Vec<Figure> {
    let mut figures = of_starts(measured, upstream);
    figures.extend(of_crowds(measured));
    figures.extend(of_idle(measured));
    figures.extend(of_edits("", &measured.stateless));
    if let Some(first) = measured.crowds.first() {
        let there = format!(", {} other resources there", first.resources);
        figures.extend(of_edits(&there, &measured.crowded));
    }
    figures.extend(of_savepoints(&measured.savepoint));
    let all = [
        ("stateless", &measured.stateless),
        ("with a savepoint", &measured.savepoint),
        ("with a savepoint and an Ingress", &measured.ingress),
    ];
    for (what, transitions) in all {
        figures.extend(of_requests(what, transitions));
    }
    figures
}

fn of_starts(measured: &Measured, upstream: Option<&Upstream>) -> Vec<Figure> {
    let start = median(measured.starts.clone());
    let mut figures = vec![
        Figure::at_most(
            format!("process start to ready (median of {})", measured.starts.len()),
            start,
            START,
        ),
        Figure::plain("the fastest and the slowest of them", range(&measured.starts)),
    ];
    if let Some(upstream) = upstream {
        figures.push(Figure::plain(
            "upstream's operator 1.7.0, process start to ready (median)",
            format!(
                "{:.1?}; {}",
                upstream.ready,
                times(upstream.ready.as_secs_f64() / start.as_secs_f64())
            ),
        ));
    }
    figures.push(Figure::no_larger(
        "resident memory, no resources",
        measured.empty.resident,
        EMPTY,
    ));
    figures.push(Figure::plain(
        "of it anonymous",
        megabytes(measured.empty.anonymous),
    ));
    if let Some(upstream) = upstream {
        figures.push(Figure::plain(
            "upstream's operator 1.7.0, resident memory, no resources (largest; the JVM's default heap)",
            format!(
                "{}; {}",
                megabytes(upstream.memory.resident),
                times(part(upstream.memory.resident, measured.empty.resident))
            ),
        ));
    }
    figures
}

fn of_crowds(measured: &Measured) -> Vec<Figure> {
    let mut figures = vec![Figure::plain(
        "the many: a resource with its status, the larger of its two children with its status (JSON, without managed fields)",
        format!(
            "{} bytes, {} bytes",
            measured.sizes.resource, measured.sizes.child
        ),
    )];
    for (number, crowd) in measured.crowds.iter().enumerate() {
        let name = format!(
            "resident memory, {} resources with two children each",
            crowd.resources
        );
        figures.push(if number == 0 {
            Figure::no_larger(name, crowd.memory.resident, CROWDED)
        } else {
            Figure::plain(name, megabytes(crowd.memory.resident))
        });
        figures.push(of_crowd(crowd));
    }
    if let [first, .., last] = measured.crowds.as_slice() {
        let more = last.memory.resident.saturating_sub(first.memory.resident);
        let each = more
            / u64::try_from(last.resources - first.resources)
                .unwrap_or(1)
                .max(1);
        figures.push(Figure::plain(
            format!("growth from {} to {} resources", first.resources, last.resources),
            format!("{} kB a resource with its two children", each / 1000),
        ));
    }
    figures
}

fn of_crowd(crowd: &Crowd) -> Figure {
    Figure::plain(
        "of it anonymous; the most since the start; everything listed after; every resource looked at after (made in)",
        format!(
            "{}; {}; {:.2?}; {:.2?} ({:.0?})",
            megabytes(crowd.memory.anonymous),
            megabytes(crowd.peak),
            crowd.ready,
            crowd.looked,
            crowd.making
        ),
    )
}

fn of_idle(measured: &Measured) -> Vec<Figure> {
    let idle = &measured.idle;
    let resources = measured.crowds.first().map_or(0, |crowd| crowd.resources);
    let seconds = idle.watched.as_secs();
    let (regular, others): (Vec<_>, Vec<_>) = idle
        .requests
        .0
        .iter()
        .cloned()
        .partition(|request| request.verb == "watch" || request.resource == "leases");
    vec![
        Figure::plain(
            format!(
                "idle with {resources} resources for {seconds} s, metrics read every 30 s: share of one core; largest memory"
            ),
            format!("{}; {}", percent(idle.share()), megabytes(idle.memory.resident)),
        ),
        Figure::no_more(
            format!("requests for {resources} settled resources in {seconds} s, watches and the lease aside"),
            others.len(),
            0,
        ),
        Figure::plain(
            "watches opened anew, and the lease, in the same time",
            by_verb(&Requests(regular)),
        ),
        Figure::plain("how busy the machine was meanwhile", percent(idle.machine)),
        Figure::plain(
            "upstream, a settled resource with its child (its main branch, an earlier measurement, not this run)",
            "15 to 20 requests a minute",
        ),
    ]
}

fn of_edits(there: &str, transitions: &[Transition]) -> Vec<Figure> {
    let from_answer: Vec<Duration> = transitions.iter().map(|it| it.from_answer).collect();
    let from_edit: Vec<Duration> = transitions.iter().map(|it| it.from_edit).collect();
    vec![
        Figure::at_most(
            format!(
                "from the answer to a stateless edit to the created green child{there} (median of {})",
                transitions.len()
            ),
            median(from_answer.clone()),
            EDIT,
        ),
        Figure::plain(
            "the fastest and the slowest of them; the median from just before the edit was sent",
            format!("{}; {:.1?}", range(&from_answer), median(from_edit)),
        ),
    ]
}

fn of_savepoints(transitions: &[Transition]) -> Vec<Figure> {
    let times: Vec<Duration> = transitions.iter().filter_map(|it| it.from_savepoint).collect();
    vec![
        Figure::at_most(
            format!(
                "from the complete savepoint to the created green child (median of {})",
                times.len()
            ),
            median(times.clone()),
            SAVEPOINT,
        ),
        Figure::plain("the fastest and the slowest of them", range(&times)),
        Figure::plain(
            "upstream, the same (its main branch, an earlier measurement, not this run)",
            format!(
                "15 to 16 s; {}",
                self::times(15.0 / median(times).as_secs_f64().max(0.001))
            ),
        ),
    ]
}

/// Of the transition that asked most.
fn of_requests(what: &str, transitions: &[Transition]) -> Vec<Figure> {
    let split = |transition: &Transition| {
        let events = transition.requests.only(|request| request.resource == "events");
        let others = transition.requests.only(|request| request.resource != "events");
        (others, events)
    };
    let Some((others, events)) = transitions
        .iter()
        .map(split)
        .max_by_key(|(others, events)| (others.len() + events.len(), others.writes().len()))
    else {
        return Vec::new();
    };
    let all = others.len() + events.len();
    vec![
        Figure::no_more(
            format!(
                "API requests of one transition {what} (the most of {})",
                transitions.len()
            ),
            all,
            REQUESTS,
        ),
        Figure::no_more(
            "of them writes",
            others.writes().len() + events.writes().len(),
            WRITES,
        ),
        Figure::plain(
            "of them events; the others by verb; upstream (its main branch, an earlier measurement, not this run)",
            format!(
                "{}; {}; 116 to 129, {}",
                events.len(),
                by_verb(&others),
                times(116.0 / f64::from(u32::try_from(all).unwrap_or(u32::MAX)))
            ),
        ),
    ]
}

fn by_verb(requests: &Requests) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for request in &requests.0 {
        *counts
            .entry(format!("{} {}", request.verb, request.target()))
            .or_default() += 1;
    }
    let counts: Vec<String> = counts
        .into_iter()
        .map(|(what, count)| format!("{count} {what}"))
        .collect();
    counts.join(", ")
}

fn range(durations: &[Duration]) -> String {
    let least = durations.iter().min().copied().unwrap_or_default();
    let most = durations.iter().max().copied().unwrap_or_default();
    format!("{least:.1?} to {most:.1?}")
}

fn times(factor: f64) -> String {
    format!("{factor:.0} times Sluice's")
}

#[expect(
    clippy::cast_precision_loss,
    reason = "memory of a process is far below 2^52 bytes"
)]
fn part(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}
