//! The identifiers of Flink's REST API: 16 bytes, written as 32 hexadecimal digits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that is not 32 hexadecimal digits was given where an identifier is needed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{what} must be 32 hexadecimal digits, but it is \"{found}\"; copy it from the JobManager's answer or log"
)]
pub struct BadId {
    /// Which identifier was expected: "a job id", "a trigger id", "a vertex id".
    pub what: &'static str,
    /// The text that was found.
    pub found: String,
}

fn parse(what: &'static str, text: &str) -> Result<[u8; 16], BadId> {
    let bad = || BadId {
        what,
        found: text.to_owned(),
    };
    // The number parser alone would also take a leading sign.
    if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(bad());
    }
    u128::from_str_radix(text, 16)
        .map(u128::to_be_bytes)
        .map_err(|_| bad())
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 16]);

        impl $name {
            /// The identifier made of these 16 bytes, for example the first half of a SHA-256 hash.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The 16 bytes of the identifier.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                parse($what, text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

hex_id!(
    /// The id of a Flink job.
    JobId,
    "a job id"
);
hex_id!(
    /// The id of an asynchronous operation (savepoint, stop, checkpoint, disposal), chosen by the caller.
    ///
    /// Savepoints and stops of a job share one space of ids, so two operations must never share an id.
    TriggerId,
    "a trigger id"
);
hex_id!(
    /// The id of a job vertex: a chain of operators that runs as one task.
    VertexId,
    "a vertex id"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_the_way_through_text_and_bytes() {
        let text = "00112233445566778899aabbccddeeff";
        let id: JobId = text.parse().unwrap();
        assert_eq!(id.to_string(), text);
        assert_eq!(JobId::from_bytes(*id.as_bytes()), id);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{text}\""));
        assert_eq!(text.to_uppercase().parse::<JobId>().unwrap(), id);
    }

    #[test]
    fn what_is_not_32_digits_is_refused_with_what_was_found() {
        for bad in [
            "",
            "zz",
            "+0112233445566778899aabbccddeeff",
            "00112233445566778899aabbccddeeffa",
        ] {
            let message = bad.parse::<TriggerId>().unwrap_err().to_string();
            assert!(
                message.starts_with("a trigger id must be 32 hexadecimal digits"),
                "{message}"
            );
            assert!(message.contains(&format!("\"{bad}\"")), "{message}");
        }
    }
}
