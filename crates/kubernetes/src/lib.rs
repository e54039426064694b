//! The shell for Kubernetes: it observes, decides with `sluice_core`, carries out and records.
