//! What every shell does alike: which object is due when, and what is asked of Flink.
