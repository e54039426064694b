//! The demo: a real job, upgraded while it runs, and the count of what it wrote.

mod feeder;
pub mod ledger;
