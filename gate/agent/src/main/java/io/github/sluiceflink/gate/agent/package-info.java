/**
 * The Java agent: where it reaches into Flink, and nothing else.
 *
 * <p>Each place is a pair: an advice, which byte-buddy copies into a method of Flink, and a hook,
 * which the advice calls. What is copied may name only JDK types, because the class loader of
 * Flink's SQL planner does not see the agent. So an advice finds its hook by name through the
 * system class loader, to which {@code -javaagent} adds the agent's jar.
 */
package io.github.sluiceflink.gate.agent;
