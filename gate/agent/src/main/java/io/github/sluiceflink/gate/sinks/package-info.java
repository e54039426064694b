/**
 * Fork-safe sinks: a job that starts from a savepoint of a job that goes on running must not take
 * over the state of that job's sinks. {@link io.github.sluiceflink.gate.sinks.ForkSafeSinks} is the
 * whole of it.
 */
package io.github.sluiceflink.gate.sinks;
