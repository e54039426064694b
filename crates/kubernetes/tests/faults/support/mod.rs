//! The stage of these tests: a namespace with actors for each run, an operator of its own, a proxy between.

pub mod end;
pub mod operator;
pub mod proxy;
pub mod run;
pub mod views;
pub mod world;

/// The name of the resource in every test; the actors know it.
pub const RESOURCE: &str = sluice_conformance::scenario::RESOURCE;

/// What is wrong, in words that a failed test shows as they are.
pub struct Wrong(pub String);

impl std::fmt::Debug for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<String> for Wrong {
    fn from(words: String) -> Self {
        Self(words)
    }
}

pub type Tested = Result<(), Wrong>;
