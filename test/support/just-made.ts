import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { timeAt } from './rollout-objects.ts';

/** The object as one that the write itself has made: generation 1, and no older than the write. */
export function justMade(object: KubernetesObject): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, generation: 1, creationTimestamp: timeAt(0) } };
}
