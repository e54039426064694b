//! What every shell does alike: which object is due when, what is remembered of it, and what is asked of Flink.

pub mod flink;
pub mod java;
pub mod memory;
pub mod queue;
mod storage;
pub mod wake;

pub use memory::Memory;
pub use queue::Queue;
pub use storage::{Storage, finished_savepoint, last_checkpoint, savepoint_number};
