//! The life of one FlinkDeployment.
