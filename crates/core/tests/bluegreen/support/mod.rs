//! A small world to decide in: an object store, a child controller, a model of Flink, and a shell that observes, decides,
//! records and acts. Time is data. Every decision goes through the checker of the laws, and a violation fails the test.

pub mod controller;
pub mod fixtures;
pub mod flink;
pub mod gates;
pub mod shell;
pub mod story;
pub mod words;
pub mod world;
