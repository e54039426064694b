//! Moments and durations for people.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// What time it is, and where the reader is.
#[derive(Clone, Debug)]
pub struct Clock {
    /// The present moment.
    pub now: Timestamp,
    /// The zone that moments are shown in.
    pub zone: TimeZone,
}

impl Clock {
    /// This machine's clock and zone.
    pub fn system() -> Self {
        Self {
            now: Timestamp::now(),
            zone: TimeZone::system(),
        }
    }

    /// The time of day, with the date in front if it is another one than today's.
    pub fn moment(&self, time: Timestamp) -> String {
        let zoned = time.to_zoned(self.zone.clone());
        let today = self.now.to_zoned(self.zone.clone()).date();
        if zoned.date() == today {
            zoned.strftime("%H:%M:%S").to_string()
        } else {
            zoned.strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
    }

    /// How long ago, as kubectl writes ages.
    pub fn ago(&self, time: Timestamp) -> String {
        span(self.now.duration_since(time))
    }

    /// `12:10:10 (9m48s left)`, or `12:10:10 (3s ago)`.
    pub fn until(&self, time: Timestamp) -> String {
        let left = time.duration_since(self.now);
        if left.is_negative() {
            format!("{} ({} ago)", self.moment(time), span(-left))
        } else {
            format!("{} ({} left)", self.moment(time), span(left))
        }
    }
}

/// A duration in its one or two largest units: `47s`, `9m48s`, `3h5m`, `2d4h`; never negative.
pub fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    let two = |large: i64, unit: &str, small: i64, small_unit: &str| {
        if small == 0 {
            format!("{large}{unit}")
        } else {
            format!("{large}{unit}{small}{small_unit}")
        }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..3600 => two(minutes, "m", seconds % 60, "s"),
        3600..172_800 => two(hours, "h", minutes % 60, "m"),
        _ => two(days, "d", hours % 24, "h"),
    }
}

/// Milliseconds as seconds with one digit: `12.3 s`; below one second as `240 ms`.
pub fn milliseconds(value: i64) -> String {
    if value < 1000 {
        format!("{value} ms")
    } else {
        format!("{}.{} s", value / 1000, value % 1000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_and_keep_what_matters() {
        let of = |seconds| span(SignedDuration::from_secs(seconds));
        let shown: Vec<String> = [-3, 0, 119, 120, 588, 3600, 11_100, 172_800, 187_200]
            .map(of)
            .into();
        assert_eq!(
            shown,
            ["0s", "0s", "119s", "2m", "9m48s", "1h", "3h5m", "2d", "2d4h"]
        );
        assert_eq!(milliseconds(240), "240 ms");
        assert_eq!(milliseconds(12_340), "12.3 s");
    }

    #[test]
    fn a_moment_of_another_day_has_its_date() {
        let clock = Clock {
            now: "2026-11-21T12:00:00Z".parse().unwrap(),
            zone: TimeZone::UTC,
        };
        assert_eq!(clock.moment("2026-11-21T11:59:00Z".parse().unwrap()), "11:59:00");
        assert_eq!(
            clock.moment("2026-11-20T11:59:00Z".parse().unwrap()),
            "2026-11-20 11:59:00"
        );
        assert_eq!(
            clock.until("2026-11-21T12:09:48Z".parse().unwrap()),
            "12:09:48 (9m48s left)"
        );
        assert_eq!(
            clock.until("2026-11-21T11:59:57Z".parse().unwrap()),
            "11:59:57 (3s ago)"
        );
    }
}
