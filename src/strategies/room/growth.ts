import type { JsonObject } from '../../base/json.ts';
import type { ObjectRef } from '../../kubernetes/object.ts';

/** So many pods of one template. */
export interface PodsWanted {
  /** `metadata` and `spec` of the pods. */
  template: JsonObject;
  count: number;
}

/** What an update brings beside the pods that run, before any of them goes. */
export interface Growth {
  /** What it is, as messages say it. */
  what: 'extra group' | 'new cluster';
  /** All of it. */
  pods: PodsWanted[];
  /** Parts without any of which, each by itself, the update cannot go on. */
  parts: PodsWanted[][];
  /** What would go if it were done in place: the owner of these pods, and how many at most. */
  inPlace: { owner: ObjectRef; count: number };
  /** Pods of it that are about to go, and give back what they hold. */
  isLeaving: (labels: Readonly<Record<string, string>>) => boolean;
  /** Whether there are to be more of them than now, for which doing it in place makes no room. */
  grows?: boolean;
  /** What else to say of doing it in place. */
  note?: string;
}
