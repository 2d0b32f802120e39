import type { Reporter } from '../base/reporter.ts';
import type { OnLowCapacity } from '../capacity/report.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { Step } from './step.ts';

/** What looks at the cluster: all that a strategy reads with. */
export interface PlanContext {
  client: KubernetesClient;
  namespace: string;
  /** Reads what is there and lets the server try these objects. @throws Failures with every problem */
  look(manifests: readonly Manifest[], options?: { force?: boolean }): Promise<Prepared[]>;
  /** A sentence that the user should know of. */
  note(text: string): void;
  /** What is to be done where nodes or quotas have no room for the pods of a candidate, or of a rolling update. */
  onLowCapacity: OnLowCapacity;
  reporter: Reporter;
}

/** What is going to be done: stages one after the other, each decided when it begins. */
export interface Plan {
  stages: readonly Stage[];
  /** What only a candidate needs: it goes once the revision is recorded as live. */
  temporary?: readonly ObjectRef[];
}

/** What no stage may begin beside while somebody has paused it. */
export interface HeldBy {
  refs: readonly ObjectRef[];
  /** Whether what was done stays where the pause lasts for too long; otherwise it is undone. */
  keepsState: boolean;
}

/** Stages of which none begins as long as somebody has paused what serves meanwhile. */
export function heldByPauses(stages: readonly Stage[], heldBy: HeldBy | undefined): Stage[] {
  return stages.map((one) => (heldBy === undefined ? one : { ...one, heldBy }));
}

/**
 * A part of a plan for which one look at the cluster holds. Hours may lie between two of them, and other hands: numbers of pods and
 * selectors are read when they are used.
 */
export interface Stage {
  /** Looks, and decides. @throws Failure where what it finds does not fit */
  decide(context: PlanContext): Promise<Decision>;
  /** It does not begin as long as somebody has paused one of these. */
  heldBy?: HeldBy;
  /** It only refuses what is half done; what a dead run has left so is undone before the plan is carried out. */
  guard?: true;
}

export interface Decision {
  /** A line of the log before the first step, where the log is to say where in the plan it is. */
  heading?: string;
  steps: readonly Step[];
  /** How the plan ends with this stage; a plan of which no stage says it ends live. */
  end?: End;
}

export type End = Live | Waiting;

/** A candidate is left waiting for `promote` or `abort`. */
export interface Waiting {
  state: 'waiting';
  candidates: ObjectRef[];
  constantTotal?: boolean;
  /** How many pods the workloads that serve have meanwhile, by their keys. */
  numbers?: Readonly<Record<string, number>>;
}

/** All is in. */
export interface Live {
  state: 'live';
  /** What workloads of the manifests are called where they are not called as in the manifests, by their keys. */
  serving?: Record<string, string>;
  /** What served before and still runs, to switch back to for a while. */
  retired?: ObjectRef[];
  /** What the objects of the last step take the place of, by the keys of the new ones. */
  replaces?: ReadonlyMap<string, KubernetesObject>;
}

/** A stage from a look and what is decided by it alone. */
export function stage<World>(
  look: (context: PlanContext) => Promise<World>,
  decide: (world: World) => Decision,
): Stage {
  return { decide: async (context) => decide(await look(context)) };
}

/** A stage that needs no other look than the plan itself. */
export function settled(steps: readonly Step[], end?: End): Stage {
  return { decide: () => Promise.resolve({ steps, ...(end === undefined ? {} : { end }) }) };
}

/** What a strategy makes of the user's manifests, from one look at the cluster. */
export interface Arrangement {
  /** The manifests as they are called and labelled in the cluster now. */
  manifests: readonly Manifest[];
  /**
   * @param prepared these, compared with the cluster
   * @throws InvalidInput when the strategy does not fit them
   */
  plan(prepared: readonly Prepared[]): Promise<Plan>;
}

export type Strategy = (context: PlanContext, manifests: readonly Manifest[]) => Promise<Arrangement>;

/** What the last step of a plan has brought in, compared with what it takes the place of; undefined where it replaces nothing. */
export function broughtIn({ replaces }: Live, applied: readonly Prepared[]): Prepared[] | undefined {
  if (replaces === undefined) return undefined;
  return applied.map((entry) => {
    const { object } = entry.manifest;
    const old = replaces.get(keyOf(refOf(object)));
    return old === undefined ? entry : { ...entry, live: old, change: 'configured' };
  });
}
