/**
 * The gate in Flink: an operator before each sink and its coordinator in the JobManager.
 *
 * <p>What is decided is decided in {@link io.github.sluiceflink.gate.handover}; here stands only
 * how it is carried out with Flink's operators, state, events and threads. Everything is compiled
 * with Flink 1.20 and runs from there to 2.3.
 */
package io.github.sluiceflink.gate.flink;
