/**
 * The record-level handover (strategy WATERMARK), as values and functions without Flink.
 *
 * <p>Two copies of a job hand over at a cut W in event time: below it the outgoing job emits, from
 * it on the incoming one. {@link io.github.sluiceflink.gate.handover.Judge} is the rule for one
 * record, {@link io.github.sluiceflink.gate.handover.Gate} one subtask, {@link
 * io.github.sluiceflink.gate.handover.Coordinator} the one that speaks for all of them, and {@link
 * io.github.sluiceflink.gate.handover.HandoverRecord} what it shares with the operator.
 *
 * <p>The operator runs the same protocol in Rust. What both have to agree on stands in {@code
 * contract/} at the root of the repository; the tests play every row of it.
 *
 * <p>Event times, cuts and watermarks are milliseconds since 1970; see {@link
 * io.github.sluiceflink.gate.handover.Times}. Epochs, attempts, checkpoints and versions are
 * numbers from 0 on.
 */
package io.github.sluiceflink.gate.handover;
