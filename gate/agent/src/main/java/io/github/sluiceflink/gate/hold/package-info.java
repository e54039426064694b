/**
 * Strategy SAVEPOINT: the incoming job waits just before its submission, its JobManager and
 * TaskManagers up, until the handover record makes it the active job and names the savepoint that
 * it starts from.
 */
package io.github.sluiceflink.gate.hold;
