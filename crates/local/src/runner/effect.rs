//! What became of an effect.

use crate::store::StoreError;

/// What became of an effect that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carried {
    /// It is done, or had been done.
    Done,
    /// The object is not what was observed: the pass ends, and the next one sees what it is.
    LookAgain,
}

/// The store's answer to an effect.
pub(crate) fn of_store<T>(result: Result<T, StoreError>) -> Result<Carried, String> {
    match result {
        Ok(_) => Ok(Carried::Done),
        Err(error) if error.is_stale() => {
            tracing::debug!("{error}");
            Ok(Carried::LookAgain)
        }
        Err(error) => Err(error.to_string()),
    }
}
