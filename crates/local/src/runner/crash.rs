//! Lets a test kill the runner between any two writes, at a boundary that has a name.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The environment variable that names the boundary: `bluegreen/status/after`, or with a number for the n-th time that it
/// is passed: `bluegreen/CreateChild/before#2`.
pub const FAIL_AT: &str = "SLUICE_FAIL_AT";

struct Armed {
    point: String,
    remaining: AtomicU32,
}

static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

/// Ends the process at once, as SIGKILL would, if this is the boundary that the environment names.
///
/// Without the variable this is one comparison.
pub(crate) fn point(kind: &str, step: &str, moment: &str) {
    let Some(armed) = ARMED.get_or_init(read) else {
        return;
    };
    if armed.point == format!("{kind}/{step}/{moment}") && armed.remaining.fetch_sub(1, Ordering::SeqCst) == 1
    {
        tracing::error!("the runner ends here, as {FAIL_AT}={} asks for", armed.point);
        std::process::abort();
    }
}

fn read() -> Option<Armed> {
    let text = std::env::var(FAIL_AT).ok()?;
    let (point, times) = text
        .split_once('#')
        .and_then(|(point, times)| Some((point, times.parse().ok()?)))
        .unwrap_or((text.as_str(), 1));
    Some(Armed {
        point: point.to_owned(),
        remaining: AtomicU32::new(times),
    })
}
