import type { Json } from '../base/json.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { Prepared } from '../apply/prepared.ts';

/** One thing that a plan does. Each that writes is a step of the journal, so that it can be undone on its own. */
export type Step = Apply | SetFields | Route | Hold | Check | Verify | Remove | Note;

interface Titled {
  /** What it does, as the line of a plan says it: `Bring in the candidate`. */
  title: string;
  /** Lines of the timeline, once it is done. */
  marks?: readonly string[];
}

/** Applies objects layer by layer in the order in which they need each other; done when all of them are ready. */
export interface Apply extends Titled {
  do: 'apply';
  objects: readonly Manifest[];
  /** What of them has been compared with the cluster already; the rest is when the step is carried out. */
  compared?: readonly Prepared[];
  /** Awaited with them as they are: what serves meanwhile. */
  beside?: readonly ObjectRef[];
}

/** Sets fields of live objects side by side, whoever owns them. */
export interface SetFields extends Titled {
  do: 'set';
  fields: readonly FieldChange[];
  /** Whole objects that have to change at the same moment. */
  objects?: readonly Manifest[];
  /** By default it is done when it is written. */
  until?: 'ready';
}

/** One field of an object, which is read when the step is carried out; one that is not there any more is left out. */
export interface FieldChange {
  of: ObjectRef;
  path: readonly string[];
  /** undefined: it is stated no more. */
  to: Json | undefined;
  /** The resourceVersion that the object must still have. */
  at?: string;
}

/** Done when Services send requests to the ready pods that they select and to no other, everywhere. */
interface Route extends Titled {
  do: 'route';
  services: readonly ObjectRef[];
}

/** Watches what an earlier step has applied: it has to stay ready. */
interface Hold extends Titled {
  do: 'hold';
  objects: readonly ObjectRef[];
  forMs: number;
  /** What is going on meanwhile, for the log, which adds how much time is left: `step 2 of 3: 25 %`. */
  meanwhile?: string;
}

/** Looks at candidates before the first write of their promotion. */
export interface Check extends Titled {
  do: 'check';
  candidates: readonly ObjectRef[];
  /**
   * `present`: there is something to promote. `ready`: it is also what was deployed, and ready now. `sound`: and has not
   * crashed of late, for what nobody has watched until now.
   */
  asks: 'present' | 'ready' | 'sound';
  /** What was deployed, where the journal does not say it. */
  deployed?: readonly Prepared[];
  /** Services as they would be bound, and by what name their endpoints can be seen already. */
  behind?: readonly { service: KubernetesObject; preview: string }[];
}

/** Carries the user's checks out on a candidate. */
export interface Verify extends Titled {
  do: 'verify';
  of: 'preview' | Beside;
}

/** A candidate that serves beside the stable version. */
export interface Beside {
  stable: ObjectRef;
  candidate: ObjectRef;
  /** The share of the requests that was asked for, in percent; absent where it is no step of a canary. */
  percent?: number;
}

/** Removes objects of the release that it has no more. */
interface Remove extends Titled {
  do: 'remove';
  objects: readonly KubernetesObject[];
}

/** Says something that the user should know of at this point. */
interface Note extends Titled {
  do: 'note';
}
