//! A model of the record-level handover, checked over the functions that ship.
