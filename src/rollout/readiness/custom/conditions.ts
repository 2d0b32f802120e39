import { numberAt, stringAt } from '../../../base/json.ts';
import { condition, type StatusCondition } from '../../../kubernetes/conditions.ts';
import type { KubernetesObject } from '../../../kubernetes/object.ts';
import type { Verdict } from '../../verdict.ts';
import { failed, isSinceWrite, notObserved, progressing, ready, troubled, unchecked, type Facts } from '../rule.ts';

/** A condition that says that it will not get ready. */
export interface Failing {
  type: string;
  /** `False` unless said otherwise. */
  status?: 'True' | 'False';
  /** Any, unless they are named. */
  reasons?: readonly string[];
  /** For how long it may last, ms; 0 for what cannot heal without a change. */
  graceMs: number;
  /** One imperative sentence. */
  hint: string;
}

/** What a kind tells of itself by its conditions. */
export interface Awaited {
  /** Conditions that are True of one that is ready. */
  types: readonly string[];
  /**
   * What says that the controller has seen the write: the generation in the status, that in each condition, or none at all, where
   * only a change of the condition, or that nothing changes, can tell.
   */
  observed: 'status' | 'conditions' | 'nowhere';
  failing: readonly Failing[];
}

/** A controller that keeps no generation has looked at a change after this time, ms. */
export const lookMs = 10_000;
/** For how long a status that never names a generation has to stay as it is before it is accepted, ms. */
const acceptMs = 60_000;
/** What is still said this long after the write is about it, also where neither a time nor a generation tells, ms. */
const staleMs = 30_000;

/** The verdict by conditions alone; what fails is looked at first, since some controllers then name no new generation. */
export function judgeConditions(
  object: KubernetesObject,
  facts: Facts,
  { types, observed, failing }: Awaited,
): Verdict {
  const failure = failureOf(object, facts, failing);
  if (failure !== undefined) return failure;
  const found = types.map((type) => ({ type, now: condition(object, type) }));
  const missing = found.find(({ now }) => now?.status !== 'True');
  const isSeen = observed !== 'status' || (observedGeneration(object) ?? 0) >= facts.generation;
  if (missing !== undefined) {
    const isOurs = isSeen || (missing.now?.observedGeneration ?? -1) >= facts.generation;
    return isOurs ? waitingFor(missing.type, missing.now) : notObserved;
  }
  if (!isSeen) return whenNeverObserved(facts);
  const conditions = found.flatMap(({ now }) => now ?? []);
  const isOld = conditions.some(({ observedGeneration: seen }) => seen !== undefined && seen < facts.generation);
  if (isOld) return notObserved;
  const message = types.map(lower).join(', ');
  const hasChanged = conditions.some((one) => isNew(one, facts));
  // Some statuses are written again at every poll and are never quiet (KEDA's lastActiveTime).
  return observed === 'nowhere' && !hasChanged ? { ...ready(message), sinceWriteMs: lookMs } : ready(message);
}

/**
 * The first condition that says that it will not get ready, if it is about what was written.
 * @param isMeant whether it is, where its kind has another way to tell
 */
export function failureOf(
  object: KubernetesObject,
  facts: Facts,
  failing: readonly Failing[],
  isMeant = (found: StatusCondition) => isHeard(object, found, facts),
): Verdict | undefined {
  for (const { type, status = 'False', reasons, graceMs, hint } of failing) {
    const found = condition(object, type);
    if (found?.status !== status || !isMeant(found)) continue;
    if (reasons !== undefined && !reasons.includes(found.reason)) continue;
    const told = { reason: found.reason === '' ? type : found.reason, message: saidBy(found), hint };
    return graceMs === 0 ? failed(object, told.reason, told.message, hint) : troubled(object, graceMs, told);
  }
  return undefined;
}

/** Whether a condition was written after our write: by its generation, by its time, or since it was another one then. */
export function isNew(found: StatusCondition, facts: Facts): boolean {
  if (isSinceWrite(found, facts)) return true;
  if (found.observedGeneration !== undefined) return false;
  const before = condition(facts.asWritten, found.type);
  return found.status !== before?.status || found.reason !== before.reason || found.message !== before.message;
}

/**
 * Whether a condition is about what was written. One whose status stays the same keeps its time, and some controllers write none, so
 * that one of before counts, too, once the status names our generation; where it names none, once its controller had time to look.
 */
export function isHeard(object: KubernetesObject, found: StatusCondition, facts: Facts): boolean {
  if (isNew(found, facts)) return true;
  if (found.observedGeneration !== undefined) return false;
  const { asWritten, generation, now, writtenAt } = facts;
  const seen = observedGeneration(object);
  if (seen !== undefined && seen >= generation) return true;
  return !namesGenerations(asWritten, generation) && now - writtenAt >= staleMs;
}

/** Whether the status named the generation before our write: then its controller will come to ours. */
function namesGenerations(asWritten: KubernetesObject, generation: number): boolean {
  const before = observedGeneration(asWritten);
  return before !== undefined && before >= generation - 1;
}

/** `not Ready yet: SecretSyncedError: could not get secret` */
export function waitingFor(type: string, found: StatusCondition | undefined): Verdict {
  if (found === undefined) return progressing(`its condition ${type} is not set yet`);
  const why = [found.reason, found.message].filter((text) => text !== '').join(': ');
  return progressing(why === '' ? `not ${type} yet` : `not ${type} yet: ${why}`);
}

/**
 * Where the status does not name the generation although all else says "ready": if it named the one before our write, its controller
 * will come to it. One that never names any (k8s-config-connector#7317, istio/istio#31931) is accepted after a while, and said so.
 */
function whenNeverObserved({ asWritten, generation }: Facts): Verdict {
  if (namesGenerations(asWritten, generation)) return notObserved;
  return { ...unchecked('its status does not say which generation it is for'), quietMs: acceptMs };
}

/** Argo Rollouts writes it as a string (argoproj/argo-rollouts#4672). */
export function observedGeneration(object: KubernetesObject): number | undefined {
  const text = stringAt(object, 'status', 'observedGeneration');
  if (text !== undefined) return /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  return numberAt(object, 'status', 'observedGeneration');
}

function saidBy({ type, status, message, reason }: StatusCondition): string {
  if (message !== '') return message;
  return `its condition ${type} is ${status}${reason === '' ? '' : ` (${reason})`}`;
}

function lower(type: string): string {
  return type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}
