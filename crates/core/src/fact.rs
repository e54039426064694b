//! What is known of something foreign.

/// A foreign fact: "could not ask" never looks like "not there".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact<T> {
    /// It could not be asked for; the text says why.
    Unknown(String),
    /// It is not there.
    Absent,
    /// It is there.
    Present(T),
}

impl<T> Fact<T> {
    /// The value, if it is there.
    pub const fn present(&self) -> Option<&T> {
        match self {
            Self::Present(value) => Some(value),
            Self::Unknown(_) | Self::Absent => None,
        }
    }

    /// Whether it is known not to be there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Whether it could not be asked for.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// The same fact about a part or a form of the value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Unknown(why) => Fact::Unknown(why),
            Self::Absent => Fact::Absent,
            Self::Present(value) => Fact::Present(f(value)),
        }
    }
}
