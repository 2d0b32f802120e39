import { numberAt } from '../../base/json.ts';
import type { StatusCondition } from '../../kubernetes/conditions.ts';
import { refOf, type KubernetesObject, type ObjectRef } from '../../kubernetes/object.ts';
import type { Held, Verdict } from '../verdict.ts';
import type { UserRule } from './user/user-rule.ts';

/** What a rule knows beside the object. */
export interface Facts {
  /** The generation that our write made, or the live one when nothing was changed. */
  generation: number;
  /** False when the object was already as the manifest says. */
  changed: boolean;
  /** This run has written others, and found this one as it was meant. */
  isUntouched?: true;
  /** When the server carried our write out, milliseconds since the epoch by its clock. */
  writtenAt: number;
  /** Milliseconds since the epoch, by the server's clock too. */
  now: number;
  /** The object as our write left it, or as it was found: tells what others have changed since. */
  asWritten: KubernetesObject;
  /** As it was before this run wrote it first, or one of its name; absent where it was not there, was not changed, or is not known. */
  before?: KubernetesObject;
  /** For how long its status and what is wanted of it have not changed, ms, as far as this run has seen; for ever where it looks only once. */
  quietMs: number;
  /** What it owns, and what that owns, of the kinds that its rule names and pods; undefined where that may not be seen. */
  descendants?: readonly KubernetesObject[];
  /** What the user says of when it is ready, or has failed. */
  userRule?: UserRule;
}

type Judge = (object: KubernetesObject, facts: Facts) => Verdict;

export interface Rule {
  /** Kinds of a group; `*` for all kinds of it that no other rule names, and then `*.example.com` for all groups below a domain. */
  kinds: readonly { kind: string; group: string }[];
  /** In words, for the documentation. */
  ready: string;
  failed: string;
  /** Where the rule comes from. */
  source: string;
  judge: Judge;
  /** Kinds that objects of it own and that tell how it is: the status of a parent may say less than theirs. */
  children?: readonly Child[];
  /** What it owns are pods at last: they are watched, and tell why it does not get ready, or which template they are of. */
  runsPods?: true;
}

/** A kind as it is listed: `{ apiVersion: 'serving.knative.dev/v1', kind: 'Service' }` */
export type Child = Pick<ObjectRef, 'apiVersion' | 'kind'>;

export const ready = (message: string): Accepted => ({ state: 'ready', message });
export const progressing = (message: string): Verdict => ({ state: 'progressing', message });
export const unchecked = (message: string): Accepted => ({ state: 'unchecked', message });

export type Accepted = Extract<Verdict, { state: 'ready' | 'unchecked' }>;
export type Progressing = Extract<Verdict, { state: 'progressing' }>;

/** Accepted, though not all pods have what was applied. */
export function heldBack(state: 'ready' | 'unchecked', held: Held, message = held): Accepted {
  return { state, message, held };
}

export function failed(object: KubernetesObject, reason: string, message: string, hint: string): Verdict {
  return { state: 'failed', cause: { reason, message, hint, object: refOf(object) } };
}

/**
 * Nothing in a status counts before the controller has seen the generation that our write made. The API server answers the
 * creation of an object with a status, too, all of whose counts are 0: a DaemonSet would seem to want no pod at all.
 */
export function isObserved(object: KubernetesObject, { generation }: Facts): boolean {
  return (numberAt(object, 'status', 'observedGeneration') ?? 0) >= generation;
}

export const notObserved = progressing('waiting for the controller');

/** `1 extra pod terminating` */
export function surplus(count: number): string {
  return `${count === 1 ? '1 extra pod' : `${count} extra pods`} terminating`;
}

/** `1 pod`, `2 pods` */
export function pods(count: number): string {
  return count === 1 ? '1 pod' : `${count} pods`;
}

/** Not ready for a reason that may heal by itself: final once it has lasted for its grace. */
export function troubled(
  object: KubernetesObject,
  graceMs: number,
  { reason, message, hint }: { reason: string; message: string; hint: string },
): Progressing {
  return {
    state: 'progressing',
    message,
    trouble: { graceMs, cause: { reason, message, hint, object: refOf(object) } },
  };
}

/**
 * Whether something has happened since our write. The API keeps seconds, so that all of the second of the write may have come after it.
 * @param time milliseconds since the epoch
 */
export function isSince(time: number | undefined, { writtenAt }: Pick<Facts, 'writtenAt'>): boolean {
  return time !== undefined && time >= Math.floor(writtenAt / 1000) * 1000;
}

/** Whether a condition tells of what was written: it names that generation, or, where it names none, has changed since. */
export function isSinceWrite({ observedGeneration, updatedAt }: StatusCondition, facts: Facts): boolean {
  const { changed, generation } = facts;
  if (!changed) return true;
  if (observedGeneration !== undefined) return observedGeneration >= generation;
  return isSince(updatedAt ?? 0, facts);
}
