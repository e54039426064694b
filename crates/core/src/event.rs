//! What is told to people when something happens.

/// A Kubernetes event to be, told once, when a decision changes the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whether someone should look.
    pub kind: EventKind,
    /// One word of the reason, for filters: `SavepointTriggered`.
    pub reason: &'static str,
    /// One sentence.
    pub message: String,
}

/// Whether someone should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// All is well.
    Normal,
    /// Someone should look.
    Warning,
}

impl Event {
    /// An event that says that all is well.
    pub fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: EventKind::Normal,
            reason,
            message: message.into(),
        }
    }

    /// An event that asks someone to look.
    pub fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            kind: EventKind::Warning,
            reason,
            message: message.into(),
        }
    }
}
