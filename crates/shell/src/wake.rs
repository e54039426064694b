//! From the core's clock to the shell's.

use std::time::Duration;

use jiff::Timestamp;
use sluice_core::Wake;
use tokio::time::Instant;

/// A decision that wants to be taken again at once though it wrote nothing must not keep a core busy.
const BREATH: Duration = Duration::from_millis(200);

/// The moment at which to look again; `None`: only when something changes.
pub fn at(wake: Wake, has_moved: bool) -> Option<Instant> {
    let now = Instant::now();
    match wake {
        Wake::Now if has_moved => Some(now),
        Wake::Now => Some(now + BREATH),
        Wake::At(time) => {
            let remaining = Timestamp::now().duration_until(time);
            let pause = Duration::try_from(remaining).unwrap_or(Duration::ZERO);
            // A clock that was set back must not put an object to sleep for days; looking too early costs little.
            let pause = pause.clamp(
                if has_moved { Duration::ZERO } else { BREATH },
                Duration::from_hours(1),
            );
            Some(now + pause)
        }
        Wake::OnChange => None,
    }
}

/// The earlier of two moments.
pub fn earlier(first: Option<Instant>, second: Option<Instant>) -> Option<Instant> {
    match (first, second) {
        (Some(first), Some(second)) => Some(first.min(second)),
        (one, other) => one.or(other),
    }
}
