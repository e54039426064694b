//! The operator's side. It is Rust's alone, so its rows are tests here and not vectors in `contract/`, which are for what two
//! languages have to agree on. Every decision of every test is checked against the laws.

mod endings;
mod properties;
mod readiness;
mod scene;
mod stories;
