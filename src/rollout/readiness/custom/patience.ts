import { conditionsOf, timeOf } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { notObserved, unchecked, type Facts } from '../rule.ts';
import { judgeConditions, type Awaited } from './conditions.ts';

/** A controller that has said nothing this long after the object was made is perhaps not installed, ms. */
const silentMs = 60_000;

/** Whether as much time has passed since the write; where nothing was written, there is nothing to wait for. */
export function hasWaited({ changed, now, writtenAt }: Facts, ms: number): boolean {
  return !changed || now - writtenAt >= ms;
}

/**
 * For an object without any status: it is awaited for a while, and then accepted, since a definition may be there without its
 * controller. Undefined once there is a status.
 */
export function whenSilent(
  object: KubernetesObject,
  facts: Facts,
  hasSpoken = conditionsOf(object).length > 0,
): Verdict | undefined {
  if (hasSpoken) return undefined;
  const madeAt = timeOf(object.metadata.creationTimestamp) ?? facts.writtenAt;
  if (facts.changed && facts.now - madeAt < silentMs) return notObserved;
  return unchecked('its controller has set no status; check that it is installed');
}

/** The verdict by conditions, of a kind whose controller sets them soon after it sees an object. */
export function awaitConditions(object: KubernetesObject, facts: Facts, awaited: Awaited): Verdict {
  return whenSilent(object, facts) ?? judgeConditions(object, facts, awaited);
}

/** What is slow by design is awaited for as long, and then accepted with what is still missing; trouble is not. */
export function acceptSlow(verdict: Verdict, facts: Facts, ms: number, still: string): Verdict {
  if (verdict.state !== 'progressing' || verdict.trouble !== undefined || !hasWaited(facts, ms)) return verdict;
  return unchecked(`${still}: ${verdict.message}`);
}

/** With another message where it is ready: `synced` says more than the names of its conditions. */
export function readyAs(verdict: Verdict, message: string): Verdict {
  return verdict.state === 'ready' ? { ...verdict, message } : verdict;
}
