//! What the output of both jobs of a transition will add up to, computed before anything starts, with the condition that is
//! missing. A promise for exactly-once sinks and replayable sources, as for any Flink job.
//!
//! **No shell uses it yet.** `plan` and the history state the guarantee of the strategy alone.

use sluice_api::blue_green::TransitionMode;
use sluice_api::configuration::FlinkConfiguration;
use sluice_api::gate::{self, Strategy};
use sluice_api::settings::RequiredGuarantee;

/// What is known of the job beside its specification. `None`: nobody has told yet, and nothing is lowered for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KnownOfJob {
    /// Whether each of its sinks is exactly-once by itself.
    pub sinks_are_transactional: Option<bool>,
    /// Whether each record at a gate carries an event time.
    pub records_have_event_time: Option<bool>,
    /// Whether a sink takes updates and deletions: such records cannot be told apart by their time.
    pub writes_a_changelog: Option<bool>,
    /// Whether the agent gets into both JobManagers.
    pub agent_is_there: Option<bool>,
}

/// What a job gets, and what keeps it from more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// What is guaranteed.
    pub guarantee: RequiredGuarantee,
    /// Each condition that is missing for EXACTLY_ONCE, half a sentence.
    pub missing: Vec<&'static str>,
}

impl Promise {
    /// Whether it is at least what is required.
    pub fn meets(&self, required: RequiredGuarantee) -> bool {
        rank(self.guarantee) <= rank(required)
    }
}

/// Lower is more.
const fn rank(guarantee: RequiredGuarantee) -> u8 {
    match guarantee {
        RequiredGuarantee::ExactlyOnce => 0,
        RequiredGuarantee::ExactlyOnceExceptLate => 1,
        RequiredGuarantee::AtLeastOnce => 2,
    }
}

/// What a stateful upgrade of this job from one version to the next guarantees.
pub fn promise(mode: TransitionMode, configuration: &FlinkConfiguration, job: KnownOfJob) -> Promise {
    let mut missing = Vec::new();
    let is_watermark = Strategy::of(configuration) == Some(Strategy::Watermark);
    if mode == TransitionMode::Basic {
        missing.push("both jobs write while they run side by side (BASIC)");
        if !gate::is_fork_safe(configuration) || job.agent_is_there == Some(false) {
            missing.push("the new job restores the sinks of the running one, which may lose records, too");
        }
    }
    if job.sinks_are_transactional == Some(false) {
        missing.push("a sink is not exactly-once by itself");
    }
    let interval = configuration.get("execution.checkpointing.interval");
    if mode == TransitionMode::Advanced && interval.is_none() {
        missing.push("checkpoints are not known to be on");
    }
    let is_lax = configuration
        .get("execution.checkpointing.mode")
        .is_some_and(|text| text.eq_ignore_ascii_case("AT_LEAST_ONCE"));
    if is_lax {
        missing.push("checkpoints are taken in the mode AT_LEAST_ONCE");
    }
    if mode == TransitionMode::Advanced && is_watermark {
        if job.agent_is_there == Some(false) {
            missing.push("the gates cannot be put into the job");
        }
        let is_told = gate::EXTRACTORS
            .iter()
            .any(|key| configuration.get(key).is_some());
        if job.records_have_event_time == Some(false) && !is_told {
            missing.push("records have no event time, and no key says where it is");
        }
        if job.writes_a_changelog == Some(true) {
            missing.push("a sink takes updates and deletions, which cannot be parted by their time");
        }
    }
    let guarantee = match (missing.is_empty(), mode, is_watermark) {
        (true, TransitionMode::Advanced, true) => {
            missing.push("records that come behind the watermark cannot be parted exactly (WATERMARK)");
            RequiredGuarantee::ExactlyOnceExceptLate
        }
        (true, ..) => RequiredGuarantee::ExactlyOnce,
        (false, ..) => RequiredGuarantee::AtLeastOnce,
    };
    Promise { guarantee, missing }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const ALL: [RequiredGuarantee; 3] = [
        RequiredGuarantee::ExactlyOnce,
        RequiredGuarantee::ExactlyOnceExceptLate,
        RequiredGuarantee::AtLeastOnce,
    ];

    fn of(mode: TransitionMode, options: &[(&str, &str)], job: KnownOfJob) -> Promise {
        let options: BTreeMap<String, String> = options
            .iter()
            .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
            .collect();
        promise(mode, &FlinkConfiguration::from(options), job)
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn each_missing_condition_lowers_the_promise_and_is_named() {
        const INTERVAL: (&str, &str) = ("execution.checkpointing.interval", "10 s");
        const WATERMARK: (&str, &str) = ("bluegreen.gate.strategy", "WATERMARK");
        let nothing = KnownOfJob::default();
        let timeless = KnownOfJob {
            records_have_event_time: Some(false),
            ..nothing
        };
        let field = ("bluegreen.gate.watermark.field-path", "time");
        let (basic, advanced) = (TransitionMode::Basic, TransitionMode::Advanced);
        let changelog = KnownOfJob {
            writes_a_changelog: Some(true),
            ..nothing
        };
        let files = KnownOfJob {
            sinks_are_transactional: Some(false),
            ..nothing
        };
        let no_agent = KnownOfJob {
            agent_is_there: Some(false),
            ..nothing
        };
        let lax = ("execution.checkpointing.mode", "at_least_once");
        for (mode, options, job, level, words) in [
            (advanced, vec![INTERVAL], nothing, 0, vec![]),
            // Without gates neither times nor changelogs matter, nor the agent.
            (advanced, vec![INTERVAL], timeless, 0, vec![]),
            (advanced, vec![INTERVAL], changelog, 0, vec![]),
            (advanced, vec![INTERVAL], no_agent, 0, vec![]),
            (
                advanced,
                vec![INTERVAL, WATERMARK],
                nothing,
                1,
                vec!["behind the watermark"],
            ),
            (
                advanced,
                vec![INTERVAL, WATERMARK, field],
                timeless,
                1,
                vec!["behind the watermark"],
            ),
            (
                advanced,
                vec![INTERVAL, WATERMARK],
                timeless,
                2,
                vec!["no event time"],
            ),
            (
                advanced,
                vec![INTERVAL, WATERMARK],
                changelog,
                2,
                vec!["updates and deletions"],
            ),
            (
                advanced,
                vec![INTERVAL, WATERMARK],
                no_agent,
                2,
                vec!["gates cannot be put"],
            ),
            (
                advanced,
                vec![INTERVAL],
                files,
                2,
                vec!["not exactly-once by itself"],
            ),
            (
                advanced,
                vec![],
                files,
                2,
                vec!["not exactly-once", "checkpoints are not known"],
            ),
            (
                advanced,
                vec![INTERVAL, lax],
                nothing,
                2,
                vec!["the mode AT_LEAST_ONCE"],
            ),
            (basic, vec![INTERVAL], nothing, 2, vec!["side by side"]),
            (
                basic,
                vec![INTERVAL],
                no_agent,
                2,
                vec!["side by side", "may lose records"],
            ),
        ] {
            let promise = of(mode, &options, job);
            assert_eq!(promise.guarantee, ALL[level], "{promise:?}");
            assert_eq!(promise.missing.len(), words.len(), "{promise:?}");
            for (missing, words) in promise.missing.iter().zip(words) {
                assert!(missing.contains(words), "{promise:?}");
            }
            for (required, asked) in ALL.into_iter().enumerate() {
                assert_eq!(promise.meets(asked), level <= required);
            }
        }
    }
}
