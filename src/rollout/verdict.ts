import type { ObjectRef } from '../kubernetes/object.ts';

/** What a rule says about one object at one moment. */
export type Verdict =
  | { state: 'ready'; message: string; held?: Held; quietMs?: QuietMs; sinceWriteMs?: number }
  /** `message` says what is missing: `2 of 5 pods updated`. */
  | { state: 'progressing'; message: string; trouble?: Trouble; isTimed?: IsTimed }
  /** It cannot become ready without a change: final, and known early. */
  | { state: 'failed'; cause: Cause }
  /** The kind has no notion of ready, or it cannot be known (`OnDelete`, paused): accepted, and said so. */
  | { state: 'unchecked'; message: string; held?: Held; quietMs?: QuietMs; sinceWriteMs?: number };

/**
 * For how long the verdict must have been the same, or nothing of the object may have changed, before it counts, ms (`sinceWriteMs`: how long
 * ago the object must have been written): a controller may raise its `observedGeneration` before it writes what it has observed
 * (knative/serving#4149), and one that keeps none may not have looked yet.
 */
export type QuietMs = number;

/** It goes on by itself after a time of its own, so that standing still until then says nothing. */
export type IsTimed = true;

/** What an object tells of itself that may still heal: final once it has lasted for its grace. */
export interface Trouble {
  cause: Cause;
  graceMs: number;
}

/** Applied as it was meant, and yet not all pods have it: it is paused, or its update strategy keeps them. In words. */
export type Held = string;

/** Why a rollout failed, in words a newcomer can act on. */
export interface Cause {
  /** The Kubernetes reason: `ImagePullBackOff`, `CrashLoopBackOff`, `FailedScheduling`, `ProgressDeadlineExceeded`, … */
  reason: string;
  /** One sentence: `container "web": image "registry.test/web:9" not found`. */
  message: string;
  /** What it is about, where other words than counts change while it lasts: it crashed, and then it keeps crashing. */
  topic?: string;
  /** One imperative sentence: what to do about it. */
  hint?: string;
  /** The object that shows it: mostly a Pod, otherwise the workload itself. */
  object: ObjectRef;
  /** Which field of the workload's manifest is to blame, where there is one: `['spec', 'template', …, 'image']`. */
  path?: (string | number)[];
  /** Which container it tells of, where it is one that may have written a log. */
  container?: string;
  /** When the cluster first showed it, milliseconds since the epoch by the server's clock. */
  since?: number;
}

/** What stays the same of a cause while its counts, addresses and container ids change. */
export function topicOf({ topic, message }: Cause): string {
  return (topic ?? message).replaceAll(/[0-9a-f]{12,}|\d+/g, '#');
}
