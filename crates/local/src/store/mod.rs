//! Objects on disk, with the semantics of Kubernetes' API.

mod kind;

pub use kind::{DEFAULT_NAMESPACE, Kind, ObjectKey, UnknownKind};
