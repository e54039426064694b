//! When to look again.

use jiff::Timestamp;

/// When to look again; a change of anything observed wakes in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// At once: the record has moved and the next step is due.
    Now,
    /// At this moment at the latest.
    At(Timestamp),
    /// Only when something changes.
    OnChange,
}

impl Wake {
    /// The earlier of two.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        match (self, other) {
            (Self::Now, _) | (_, Self::Now) => Self::Now,
            (Self::At(a), Self::At(b)) => Self::At(a.min(b)),
            (Self::At(a), Self::OnChange) | (Self::OnChange, Self::At(a)) => Self::At(a),
            (Self::OnChange, Self::OnChange) => Self::OnChange,
        }
    }
}
