//! What the job's own options say, in `args` and in `flinkConfiguration`: placeholders, and Kafka's transactions.

use jiff::SignedDuration;

use super::CheckedCluster;
use crate::blue_green::{Color, TransitionMode};
use crate::problem::Problem;
use crate::settings::BlueGreenSettings;
use crate::{placeholder, sentence};

/// Refuses placeholders that nothing would fill in.
pub(super) fn check_placeholders(path: &str, checked: &CheckedCluster, problems: &mut Vec<Problem>) {
    let mut judge = |field: String, text: &str| {
        let message = match placeholder::fill(text, Color::Blue) {
            Err(message) => message,
            // No shell fills them in yet: as it stands, it would be the same text for both jobs.
            Ok(_) if placeholder::is_in(text) => sentence::PLACEHOLDER_NOT_FILLED.with(&[placeholder::COLOR]),
            Ok(_) => return,
        };
        problems.push(Problem::new(field, message));
    };
    for (key, text) in checked.configuration.iter() {
        judge(format!("{path}.flinkConfiguration[{key}]"), text);
    }
    for (position, text) in checked.job.args.iter().flatten().enumerate() {
        judge(format!("{path}.job.args[{position}]"), text);
    }
    for (key, _) in checked.configuration.iter() {
        if placeholder::is_in(key) {
            problems.push(Problem::new(
                format!("{path}.flinkConfiguration"),
                sentence::PLACEHOLDER_IN_KEY.with(&[key]),
            ));
        }
    }
}

/// The end of the name of Kafka's option, however a program prefixes it.
const TRANSACTION_TIMEOUT: &str = "transaction.timeout.ms";

/// A transaction that the outgoing job left open at its savepoint is committed by the incoming job, or by the outgoing one
/// if that has to come back. If Kafka has given it up by then, what was written in it is lost. A timeout that the program
/// sets by itself cannot be seen from here.
pub(super) fn check_transactions(
    path: &str,
    checked: &CheckedCluster,
    mode: TransitionMode,
    settings: &BlueGreenSettings,
    problems: &mut Vec<Problem>,
) {
    if mode == TransitionMode::Basic {
        return;
    }
    let handover = settings
        .savepoint_timeout
        .saturating_add(settings.abort_grace_period);
    let mut judge = |field: String, text: &str| {
        let Ok(milliseconds) = text.trim().parse::<i64>() else {
            return;
        };
        if SignedDuration::from_millis(milliseconds) <= handover {
            problems.push(Problem::new(
                field,
                sentence::TRANSACTION_TIMEOUT.with(&[text.trim(), &handover.as_millis().to_string()]),
            ));
        }
    };
    for (key, text) in checked.configuration.iter() {
        if key.ends_with(TRANSACTION_TIMEOUT) {
            judge(format!("{path}.flinkConfiguration[{key}]"), text);
        }
    }
    let args = checked.job.args.as_deref().unwrap_or_default();
    for (position, text) in args.iter().enumerate() {
        if let Some((name, value)) = text.split_once('=')
            && name.ends_with(TRANSACTION_TIMEOUT)
        {
            judge(format!("{path}.job.args[{position}]"), value);
        } else if text.ends_with(TRANSACTION_TIMEOUT)
            && let Some(value) = args.get(position + 1)
        {
            judge(format!("{path}.job.args[{}]", position + 1), value);
        }
    }
}
