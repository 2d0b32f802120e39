import type { Json } from '../base/json.ts';
import type { ObjectRef } from '../kubernetes/object.ts';
import type { ObjectDiff } from './field-diff.ts';

/** What a deploy with the same inputs would do, from one look at the cluster. */
export interface PlanReport {
  objects: readonly PlannedObject[];
  steps: readonly PlannedStep[];
  /** Workloads that get another number of pods on the way, in the order of the steps. */
  pods: readonly PlannedPods[];
  /** How many pods there are at one time at most beyond those of now. */
  extraPods: number;
  /** `waiting`: a candidate is left for `promote` or `abort`. */
  end: 'live' | 'waiting';
  /** What the run would have to be allowed and is not, with the Role that allows it. */
  missingRights?: { message: string; manifest?: string };
  /** What an undo of it would leave, because it may hold data or has been carried out. */
  stays: readonly { ref: ObjectRef; reason: string }[];
}

export interface PlannedObject {
  ref: ObjectRef;
  /** `leave`: a former revision has brought it, the manifests have it no more, and a deploy does not touch it. */
  change: 'create' | 'change' | 'unchanged' | 'leave';
  /** Absent where nothing is written. */
  diff?: ObjectDiff;
}

export interface PlannedStep {
  /** `Bring in web-canary with 1 pod: 10 % of the requests` */
  title: string;
  writes: readonly PlannedWrite[];
  /** What it is done by, as a sentence goes on: `all is ready`; absent for what is done at once. */
  waitsUntil?: string;
  /** How long it holds on purpose, ms. */
  holdsMs?: number;
}

export interface PlannedWrite {
  ref: ObjectRef;
  change: 'create' | 'change' | 'remove';
  /** The one field that is set: `spec.replicas`, with what it gets; without that it is no longer set. */
  field?: string;
  to?: Json;
}

export interface PlannedPods {
  ref: ObjectRef;
  /** From now on, after each step that changes it. */
  numbers: readonly number[];
}
