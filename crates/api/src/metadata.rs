//! Names of labels and annotations, and the few things that both kinds need of their metadata.

/// Label on a child that names its colour: `BLUE` or `GREEN` (upstream's name).
pub const LABEL_COLOR: &str = "flink/blue-green-deployment-type";
/// Label on a child that names the transition which created it (a growing number).
pub const LABEL_TRANSITION: &str = "flink/blue-green-transition";
/// Annotation on a child: the savepoint or checkpoint that it was started from.
pub const ANNOTATION_RESTORED_FROM: &str = "flink/blue-green-restored-from";
/// Annotation on the resource: a new value promotes the transition that waits for it.
pub const ANNOTATION_PROMOTE: &str = "flink/blue-green-promote";
/// Annotation on the resource: a new value aborts the transition under way.
pub const ANNOTATION_ABORT: &str = "flink/blue-green-abort";
/// Annotation on the resource: a new value tries the specification once more that an abort has set aside.
pub const ANNOTATION_RETRY: &str = "flink/blue-green-retry";
/// A command: the handover of the transition with this number is sealed, whatever may be missing then (ADVANCED, strategy WATERMARK).
pub const ANNOTATION_SEAL: &str = "flink/blue-green-seal";
/// The finalizer that upstream's operator and Sluice put on a FlinkDeployment, so that its cluster is stopped before it goes.
pub const FINALIZER_FLINK_DEPLOYMENT: &str = "flinkdeployments.flink.apache.org/finalizer";
