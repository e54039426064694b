/**
 * Where the handover record is kept: a ConfigMap, or a directory of files in local runs.
 *
 * <p>{@link io.github.sluiceflink.gate.record.RecordPlace} names a place, and {@link
 * io.github.sluiceflink.gate.record.RecordStore} is what a job does there: one watch, whatever its
 * parallelism, and writes on the condition that nobody wrote in between.
 */
package io.github.sluiceflink.gate.record;
