//! A blue/green specification as the record keeps it.

use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sluice_api::blue_green::FlinkBlueGreenDeploymentSpec;

/// A specification with its wire form, JSON `{"spec": ...}` as upstream writes it: read once, and written as it was read.
#[derive(Clone, Debug)]
pub struct Specification(Arc<Content>);

#[derive(Debug)]
struct Content {
    text: String,
    spec: FlinkBlueGreenDeploymentSpec,
}

#[derive(Deserialize)]
struct Read {
    spec: FlinkBlueGreenDeploymentSpec,
}

#[derive(Serialize)]
struct Written<'a> {
    spec: &'a FlinkBlueGreenDeploymentSpec,
}

impl Specification {
    /// With its wire form.
    pub fn new(spec: FlinkBlueGreenDeploymentSpec) -> Self {
        // It writes plain fields with text keys into memory, which cannot fail.
        let text = serde_json::to_string(&Written { spec: &spec }).unwrap_or_default();
        Self(Arc::new(Content { text, spec }))
    }

    /// From its wire form; `None` if that is none.
    pub fn read(text: &str) -> Option<Self> {
        let Read { spec } = serde_json::from_str(text).ok()?;
        Some(Self(Arc::new(Content {
            text: text.to_owned(),
            spec,
        })))
    }

    /// Its wire form.
    pub fn text(&self) -> &str {
        &self.0.text
    }
}

impl Deref for Specification {
    type Target = FlinkBlueGreenDeploymentSpec;

    fn deref(&self) -> &Self::Target {
        &self.0.spec
    }
}

impl PartialEq for Specification {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text || self.0.spec == other.0.spec
    }
}
