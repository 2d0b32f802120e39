import type { Claims } from '../apply/takeover.ts';
import type { OnLowCapacity } from '../capacity/report.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { Strategy } from '../plan/plan.ts';
import type { ChangeOptions } from '../release/context.ts';
import type { RunReport, Status } from '../report/run-report.ts';
import type { WatchOptions } from '../report/watch.ts';
import type { Check } from '../verify/check.ts';
import type { ChangeTask } from '../release/change.ts';

export interface RollOutOptions extends Required<ChangeOptions>, WatchOptions {
  /** The name of the strategy, for the record. */
  strategy: string;
  forceConflicts: boolean;
  /** How long the side that served before stays after a switch. */
  keepOldForMs: number;
  /** What is to be done where there is no room for more pods; by default it is an error. */
  onLowCapacity?: OnLowCapacity;
  /** Namespaces that are not there yet. */
  newNamespaces: ReadonlySet<string>;
  /** What must hold once all is ready. */
  checks: readonly Check[];
  /** Whether pods are made anew when config changes that they read; undefined: pod templates are applied as they are given. */
  restartOnConfig: boolean | undefined;
  /** Another release, whose objects this one may take. */
  takeFromRelease?: string;
  /** What this release was called until now: its history comes along. */
  adoptRelease?: string;
  /** The same as the user has written it, for whoever promotes what is left waiting. */
  verify?: string;
  /** The rules as the user has written them, for the record. */
  await?: string;
}

/** What brings the objects in, and how its report speaks of it. */
export interface Purpose {
  command: string;
  status: Status;
  manifests: readonly Manifest[];
  /** The commit that these come from; of what a controller keeps, none is known. */
  commit?: string | undefined;
  strategy: Strategy;
  /** What becomes of a candidate that waits. */
  candidate?: ChangeTask<unknown>['candidate'];
  /** The revision that waits and is to become live; otherwise a new one is made. */
  promotes?: number;
  /** What was live when it was decided where to go: with another live revision under the lock that is no answer any more. */
  from?: { live: number | undefined };
  /** Objects of the live revision that the new one does not have, to be removed once all else is ready. */
  surplus: readonly KubernetesObject[];
  /** Objects of the release that are recorded again without being touched. */
  alongside?: readonly KubernetesObject[];
  /** What those are called where they run, by their keys. */
  serving?: Record<string, string>;
  /** What the files of the user's other side hold, where there are two. */
  idle?: KubernetesObject[];
  /** Paths that the apply is to own alone. */
  claims?: Claims;
  /** Config that cannot be changed any more may be deleted and made anew. */
  remake?: boolean;
  /** The revision whose objects these are, when they are those of an earlier one. */
  restores?: number;
  /** What is done instead where there is nothing to change; by default it is looked whether all is healthy. */
  whenUnchanged?: () => Promise<RunReport>;
  /** What headings begin with, instead of the name of the release. */
  subject?: string;
  /** What a heading says of it when all is in: `live`, `rolled back to revision 5`. */
  done: string;
  /** What it says of it when it fails: `deploy`, `rollback to revision 5`. */
  attempt: string;
}
