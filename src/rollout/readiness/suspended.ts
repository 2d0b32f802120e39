import type { KubernetesObject } from '../../kubernetes/object.ts';
import { namesQueue } from '../queue/kinds.ts';
import { unchecked } from './rule.ts';

/** Kueue suspends what it queues, and lets it go in a moment where there is room; ms. */
export const queueQuietMs = 15_000;

/** What is suspended is accepted; in a queue of Kueue once it has waited there for a while. */
export function suspended(object: KubernetesObject): ReturnType<typeof unchecked> {
  const accepted = unchecked('it is suspended');
  return namesQueue(object) ? { ...accepted, quietMs: queueQuietMs } : accepted;
}
