import { equal } from '../../base/json.ts';
import type { KubernetesObject } from '../../kubernetes/object.ts';
import { podContentOf } from '../../manifests/pod-template.ts';
import type { Facts } from './rule.ts';

/** The very object as it was before our write; undefined where that is not known, or it was made anew. */
export function beforeWrite({ before, asWritten }: Facts): KubernetesObject | undefined {
  return before?.metadata.uid === asWritten.metadata.uid ? before : undefined;
}

/** Whether our write has changed what the pods of an object are to be; false where it is not known how it was before. */
export function changesTemplate(facts: Facts): boolean {
  const before = beforeWrite(facts);
  return before !== undefined && !equal(podContentOf(before), podContentOf(facts.asWritten));
}
