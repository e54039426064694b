/**
 * What a gate costs, measured in real jobs beside the same jobs without it. {@code cargo xtask
 * bench gate} starts it and writes down what comes out.
 */
package io.github.sluiceflink.gate.bench;
