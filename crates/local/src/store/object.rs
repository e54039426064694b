//! One object as it is kept: typed metadata, and everything else as it came.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{DEFAULT_NAMESPACE, Kind, ObjectKey, StoreError};

/// One object.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// What it is called.
    pub key: ObjectKey,
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Everything but the metadata: `apiVersion`, `kind`, `spec`, `status` and what else there is.
    pub body: Map<String, Value>,
}

impl Object {
    /// Reads a manifest. Without a namespace it is in the default one.
    pub fn from_value(manifest: Value) -> Result<Self, StoreError> {
        let Value::Object(mut body) = manifest else {
            return Err(unreadable("the document", &"it is not a map of fields"));
        };
        let kind = body.get("kind").and_then(Value::as_str).unwrap_or_default();
        let kind: Kind = Kind::ALL
            .into_iter()
            .find(|known| known.name() == kind)
            .ok_or_else(|| unreadable("the document", &format!("its kind is `{kind}`")))?;
        let metadata = body.remove("metadata").unwrap_or_default();
        let mut metadata: ObjectMeta =
            serde_json::from_value(metadata).map_err(|error| unreadable(kind.name(), &error))?;
        let name = metadata.name.clone().unwrap_or_default();
        if name.is_empty() {
            return Err(unreadable(kind.name(), &"metadata.name is missing"));
        }
        let namespace = metadata
            .namespace
            .get_or_insert_with(|| DEFAULT_NAMESPACE.to_owned())
            .clone();
        Ok(Self {
            key: ObjectKey::new(kind, namespace, name),
            metadata,
            body,
        })
    }

    /// The same from a typed object.
    pub fn from_typed(object: &impl Serialize) -> Result<Self, StoreError> {
        let value = serde_json::to_value(object).map_err(|error| unreadable("the object", &error))?;
        Self::from_value(value)
    }

    /// The whole object as JSON.
    pub fn to_value(&self) -> Value {
        let mut whole = self.body.clone();
        // Metadata that was read from JSON can be written as JSON.
        let metadata = serde_json::to_value(&self.metadata).unwrap_or_default();
        whole.insert("metadata".to_owned(), metadata);
        Value::Object(whole)
    }

    /// The whole object as its type.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, StoreError> {
        serde_json::from_value(self.to_value()).map_err(|error| unreadable(self.key.to_string(), &error))
    }

    /// Which of the objects that ever had this name it is.
    pub fn uid(&self) -> &str {
        self.metadata.uid.as_deref().unwrap_or_default()
    }

    /// The version at which it last changed.
    pub fn resource_version(&self) -> &str {
        self.metadata.resource_version.as_deref().unwrap_or_default()
    }

    /// The same as a number.
    pub fn version(&self) -> u64 {
        self.resource_version().parse().unwrap_or_default()
    }

    /// Whether it was deleted and waits for its finalizers.
    pub const fn is_being_deleted(&self) -> bool {
        self.metadata.deletion_timestamp.is_some()
    }

    /// The uids of its owners.
    pub fn owners(&self) -> impl Iterator<Item = &str> {
        self.metadata
            .owner_references
            .iter()
            .flatten()
            .map(|owner| owner.uid.as_str())
    }

    /// The object of this kind that owns it.
    pub fn owner_of_kind(&self, kind: Kind) -> Option<ObjectKey> {
        self.metadata
            .owner_references
            .iter()
            .flatten()
            .find(|owner| owner.kind == kind.name())
            .map(|owner| self.key.beside(kind, owner.name.clone()))
    }

    /// Its status.
    pub fn status(&self) -> Option<&Value> {
        self.body.get("status")
    }

    /// Everything that counts as specification: a change of it is a new generation.
    pub(super) fn specification(&self) -> impl PartialEq + use<> {
        let mut specification = self.body.clone();
        specification.remove("status");
        specification
    }
}

pub(super) fn unreadable(object: impl Into<String>, detail: &impl ToString) -> StoreError {
    StoreError::Unreadable {
        object: object.into(),
        detail: detail.to_string(),
    }
}
