import { at, equal } from '../../../base/json.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import type { Facts } from '../rule.ts';
import { failureOf, isNew, type Failing } from './conditions.ts';

/** What failed before our write, and still does: a controller that keeps no generation has looked at the change by then, ms. */
export const staleGraceMs = 60_000;

/**
 * Whether a part of the status is as it was before our write, so that it may be about the version before. Whoever looks only once
 * has nothing to compare with.
 */
export function isAsBefore(
  object: KubernetesObject,
  { asWritten, changed, quietMs }: Facts,
  ...path: readonly string[]
): boolean {
  return changed && quietMs !== Infinity && equal(at(object, ...path), at(asWritten, ...path));
}

/**
 * For conditions that name no generation: the same failure again does not change the time of the condition, so that one from
 * before our write counts as well, once it has stayed for long enough.
 */
export function lastingFailureOf(
  object: KubernetesObject,
  facts: Facts,
  failing: readonly Failing[],
): Verdict | undefined {
  const slow = failing.map((one) => ({ ...one, graceMs: Math.max(one.graceMs, staleGraceMs) }));
  const fresh = failureOf(object, facts, failing, (found) => isNew(found, facts));
  return fresh ?? failureOf(object, facts, slow, () => true);
}
