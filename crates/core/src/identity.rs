//! Names and ids, all derived: the same intent has the same id however often it is derived.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A trigger id for Flink (32 hexadecimal digits): a hash of what it is for.
///
/// Flink answers a repeated request with the same id with the same operation, so a request may be sent again.
pub fn trigger_id(uid: &str, operation: &str, transition: u64, attempt: impl Into<u64>) -> String {
    hexadecimal(
        &[
            "trigger",
            uid,
            operation,
            &transition.to_string(),
            &attempt.into().to_string(),
        ],
        32,
    )
}

/// A job id for Flink (32 hexadecimal digits) for one deployment of a FlinkDeployment.
pub fn job_id(uid: &str, deployment: u64) -> String {
    hexadecimal(&["job", uid, &deployment.to_string()], 32)
}

/// Names a specification: equal content has an equal hash, whatever the order of its keys was.
pub fn content_hash(content: &impl Serialize) -> String {
    // A value of ours that cannot be written as JSON does not exist; were there one, it would hash as nothing.
    let text = serde_json::to_value(content)
        .map(|value| value.to_string())
        .unwrap_or_default();
    hexadecimal(&[&text], 16)
}

/// The target directory of one attempt at a savepoint, under the savepoint directory of the job.
pub fn savepoint_directory(base: &str, uid: &str, transition: u64, attempt: impl Into<u64>) -> String {
    let attempt: u64 = attempt.into();
    format!("{}/{uid}/{transition}-{attempt}", base.trim_end_matches('/'))
}

fn hexadecimal(parts: &[&str], digits: usize) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    let mut text = String::with_capacity(64);
    for byte in hasher.finalize() {
        for nibble in [byte >> 4, byte & 0xf] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text.truncate(digits);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_intent_has_the_same_trigger_id_and_another_attempt_has_another() {
        let first = trigger_id("uid", "savepoint", 3, 1_u32);
        assert_eq!(first.len(), 32);
        assert_eq!(first, trigger_id("uid", "savepoint", 3, 1_u32));
        assert_ne!(first, trigger_id("uid", "savepoint", 3, 2_u32));
        assert_ne!(first, trigger_id("uid", "savepoint", 31, 1_u32));
        assert_ne!(trigger_id("ab", "c", 1, 1_u32), trigger_id("a", "bc", 1, 1_u32));
    }

    #[test]
    fn a_savepoint_directory_is_one_attempts_own() {
        assert_eq!(
            savepoint_directory("file:///sp/", "u-1", 7, 2_u32),
            "file:///sp/u-1/7-2"
        );
    }
}
