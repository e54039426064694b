//! Who plays the parts beside the operator.

pub(crate) mod flink;
pub(crate) mod flink_deployments;
pub(crate) mod garbage;
pub(crate) mod job_manager;
pub(crate) mod reports;
