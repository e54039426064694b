/**
 * Where gates are put into a job, and what a job has to be for that. {@link
 * io.github.sluiceflink.gate.injection.GateInjection} is the whole of it.
 *
 * <p>Gates are put into the graph that Flink has generated, with the transformations that it was
 * generated from as a map: there, the ids that the operators have without gates can still be
 * computed, and everything that a gate has to take over from its neighbours is known.
 */
package io.github.sluiceflink.gate.injection;
