//! From what was measured to figures with their bars.

use std::time::Duration;

use super::lines::Line;
use crate::figures::Figure;

/// The bars of the project: what a gate may add to a record, in nanoseconds.
const PASSING_NS: f64 = 8.0;
const KEEPING_NS: f64 = 100.0;
/// From COMMIT to the first record of the incoming job.
const FIRST: Duration = Duration::from_millis(100);
/// How long neither job writes anything.
const PAUSE: Duration = Duration::from_millis(250);
/// What Flink itself makes anew for each operator that a record comes to where it copies: the envelope of a record, in
/// bytes. A copy of the record would come on top.
const ENVELOPE_BYTES: f64 = 32.0;
/// Not of records: what the whole JVM allocates meanwhile, in bytes for each record.
const NOISE_BYTES: f64 = 1.0;
/// What two jobs may ask of the API server in a handover: as much for each second, and so much besides.
const REQUESTS_A_SECOND: f64 = 2.0;
const REQUESTS_BESIDES: f64 = 20.0;

/// The figures of one Flink.
pub(super) fn of(flink: &str, lines: &[Line]) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (records, what) in [
        ("LONG_REUSED", "a number, objects used again"),
        ("POJO_COPIED", "an object of three fields, copied"),
    ] {
        for (measured, bar) in [("PASSING", PASSING_NS), ("KEEPING", KEEPING_NS)] {
            figures.extend(of_records(flink, lines, (records, what), (measured, bar)));
        }
    }
    figures.extend(judging(flink, lines));
    figures.extend(handovers(flink, lines));
    figures.extend(requests(flink, lines));
    figures
}

/// One measurement: time, time of a processor, bytes.
type Costs = (f64, f64, f64);

fn of_records(
    flink: &str,
    lines: &[Line],
    (kind, what): (&str, &str),
    (verb, bar): (&str, f64),
) -> Vec<Figure> {
    let costs = |wanted: &str| -> Vec<Costs> {
        lines
            .iter()
            .filter_map(|line| match line {
                Line::Record {
                    measured,
                    gates,
                    records,
                    ns,
                    work,
                    bytes,
                    ..
                } if measured == verb && records == kind && gates == wanted => Some((*ns, *work, *bytes)),
                _ => None,
            })
            .collect()
    };
    let (without, with) = (costs("NONE"), costs(verb));
    if without.is_empty() || with.is_empty() {
        return Vec::new();
    }
    let added = |of: fn(&Costs) -> f64| {
        Sorted::of(
            with.iter()
                .zip(&without)
                .map(|(with, without)| of(with) - of(without)),
        )
    };
    let each = |costs: &[Costs], of: fn(&Costs) -> f64| Sorted::of(costs.iter().map(of));
    let (work, wall) = (added(|costs| costs.1), added(|costs| costs.0));
    let verb = verb.to_lowercase();
    let name = format!("{flink}, {verb}, {what}");
    let ratio = each(&with, |costs| costs.1).median() / each(&without, |costs| costs.1).median();
    let mut figures = vec![
        bounded(
            format!(
                "{name}: added to a record, time of a processor (median of {} rounds)",
                work.0.len()
            ),
            format!("{:.1} ns", work.median()),
            format!("at most {bar} ns"),
            work.median() <= bar,
        ),
        Figure::plain(
            format!(
                "{name}: smallest and largest of them; best with the gate less best without; gated / ungated"
            ),
            format!(
                "{:.1} to {:.1} ns; {:.1} ns; {ratio:.2} ({:.1} / {:.1} ns)",
                work.least(),
                work.most(),
                each(&with, |costs| costs.1).least() - each(&without, |costs| costs.1).least(),
                each(&with, |costs| costs.1).median(),
                each(&without, |costs| costs.1).median(),
            ),
        ),
        Figure::plain(
            format!("{name}: the same by the clock on the wall (median; best less best; gated / ungated)"),
            format!(
                "{:.1} ns; {:.1} ns; {:.1} / {:.1} ns",
                wall.median(),
                each(&with, |costs| costs.0).least() - each(&without, |costs| costs.0).least(),
                each(&with, |costs| costs.0).median(),
                each(&without, |costs| costs.0).median(),
            ),
        ),
    ];
    figures.extend(operator(&name, &costs("OPERATOR"), &without, &with));
    // What is kept is the garbage collector's work, too, which is not done by the chain's thread.
    if verb == "keeping" {
        figures.push(bounded(
            format!("{name}: added to a record by the clock on the wall (median), the garbage collector's part in it"),
            format!("{:.1} ns", wall.median()),
            format!("at most {bar} ns"),
            wall.median() <= bar,
        ));
    }
    let bytes = added(|costs| costs.2).median();
    if verb == "passing" {
        let (most, words) = if kind == "LONG_REUSED" {
            (NOISE_BYTES, "nothing".to_owned())
        } else {
            (
                ENVELOPE_BYTES + NOISE_BYTES,
                format!("{ENVELOPE_BYTES} bytes: Flink's envelope, no copy"),
            )
        };
        figures.push(bounded(
            format!("{name}: allocated for a record more than without (median)"),
            format!("{bytes:.2} bytes"),
            words,
            bytes <= most,
        ));
    } else {
        figures.push(Figure::plain(
            format!("{name}: allocated for a record more than without (median)"),
            format!("{bytes:.0} bytes"),
        ));
    }
    figures
}

/// What of it is Flink's own, for one more operator in the chain.
fn operator(name: &str, operator: &[Costs], without: &[Costs], with: &[Costs]) -> Option<Figure> {
    let work = |costs: &[Costs]| Sorted::of(costs.iter().map(|costs| costs.1));
    let (operator, without, with) = (work(operator), work(without), work(with));
    (!operator.0.is_empty()).then(|| {
        Figure::plain(
            format!("{name}: the same for another operator, which does nothing (median; best less best; the gate beyond it)"),
            format!(
                "{:.1} ns; {:.1} ns; {:.1} ns",
                operator.median() - without.median(),
                operator.least() - without.least(),
                with.median() - operator.median(),
            ),
        )
    })
}

fn judging(flink: &str, lines: &[Line]) -> Option<Figure> {
    let of = |wanted: &str| {
        lines.iter().find_map(|line| match line {
            Line::Judging { method, ns, bytes } if method == wanted => Some((*ns, *bytes)),
            _ => None,
        })
    };
    let ((without, _), (with, bytes)) = (of("ungated")?, of("passing")?);
    Some(Figure::plain(
        format!("{flink}: of it the judging, without Flink"),
        format!(
            "{:.2} ns ({with:.2} / {without:.2} ns), {bytes:.2} bytes",
            with - without
        ),
    ))
}

fn handovers(flink: &str, lines: &[Line]) -> Vec<Figure> {
    let of = |wanted: fn(&Line) -> Option<f64>| Sorted::of(lines.iter().filter_map(wanted));
    let first = of(|line| match line {
        Line::Handover {
            place,
            commit_to_first_ms,
            ..
        } if place == "FILES" => Some(*commit_to_first_ms),
        _ => None,
    });
    let pause = of(|line| match line {
        Line::Handover { place, pause_ms, .. } if place == "FILES" => Some(*pause_ms),
        _ => None,
    });
    let mut figures = Vec::new();
    for (what, times, bar) in [
        ("from COMMIT to the incoming job's first record", first, FIRST),
        ("how long neither job writes, green caught up", pause, PAUSE),
    ] {
        if times.0.is_empty() {
            continue;
        }
        figures.push(Figure::at_most(
            format!("{flink}: {what} (record in files, median of {})", times.0.len()),
            Duration::from_secs_f64(times.median().max(0.0) / 1000.0),
            bar,
        ));
        figures.push(Figure::plain(
            "the shortest and the longest of them",
            format!("{:.1}ms to {:.1}ms", times.least(), times.most()),
        ));
    }
    figures
}

fn requests(flink: &str, lines: &[Line]) -> Vec<Figure> {
    lines
        .iter()
        .filter_map(|line| match line {
            Line::Requests { subtasks, requests, writes, counts } => {
                Some((*subtasks, *requests, *writes, counts))
            }
            _ => None,
        })
        .map(|(subtasks, requests, writes, counts)| {
            let took = lines.iter().rev().find_map(|line| match line {
                Line::Handover { parallelism, took_ms, .. } if *parallelism == subtasks => Some(took_ms / 1000.0),
                _ => None,
            });
            let seconds = took.unwrap_or_default();
            let most = REQUESTS_A_SECOND.mul_add(seconds.ceil(), REQUESTS_BESIDES);
            bounded(
                format!("{flink}, {subtasks} subtasks in each job: asked of the API server by both jobs in a handover of {seconds:.1} s"),
                format!("{requests} requests, {writes} of them writes ({counts})"),
                format!("at most {most}: {REQUESTS_A_SECOND} a second, and {REQUESTS_BESIDES}"),
                #[expect(clippy::cast_precision_loss, reason = "a count of some tens")]
                (requests as f64 <= most),
            )
        })
        .collect()
}

fn bounded(name: String, value: String, bar: String, reached: bool) -> Figure {
    Figure {
        name,
        value,
        target: Some((bar, reached)),
    }
}

/// Numbers in rising order.
struct Sorted(Vec<f64>);

impl Sorted {
    fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let mut numbers: Vec<f64> = numbers.collect();
        numbers.sort_by(f64::total_cmp);
        Self(numbers)
    }

    fn median(&self) -> f64 {
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    fn least(&self) -> f64 {
        self.0.first().copied().unwrap_or_default()
    }

    fn most(&self) -> f64 {
        self.0.last().copied().unwrap_or_default()
    }
}
