/**
 * What this action takes from outside at most: one place for all of it, and docs/limits.md states each (a test compares them).
 * They are far above what real repositories and clusters have, and far below what would stop a runner.
 */

/**
 * Characters of one sentence of a server: an error, an event, a condition. Kubernetes allows conditions 32,768 and events 1,024;
 * what is said stands at the beginning.
 */
export const longestMessage = 16_384;
