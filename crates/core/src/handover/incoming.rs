//! What the coordinator of the incoming job wants to write: its report, and nothing else.

use super::phase::Phase;
use super::record::Change;
use super::situation::Coordinator;

/// The next write, given that it holds its attempt.
pub(super) fn wish(coordinator: &Coordinator) -> Option<Change> {
    let record = &coordinator.seen.as_ref()?.record;
    match record.phase {
        Phase::Standby { .. } | Phase::Prepare { .. } | Phase::Commit { .. } | Phase::Sealed { .. } => {
            if !coordinator.publish_due {
                return None;
            }
            coordinator
                .new_report(record)
                .map(|report| Change::Report { report })
        }
        // It was given up, or there is nothing to take over.
        Phase::Stable | Phase::Abort => None,
    }
}
