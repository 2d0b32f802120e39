import type { Clock } from '../base/clock.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import type { Journal } from '../release/journal.ts';
import type { Labels } from '../traffic/services.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { TrafficStep } from '../report/traffic-step.ts';

/** What a strategy knows before the first write: enough to find everything that is wrong with the input. */
export interface PlanContext {
  client: KubernetesClient;
  namespace: string;
  /** Reads what is there and lets the server try these objects. @throws Failures with every problem */
  look(manifests: readonly Manifest[], options?: { force?: boolean }): Promise<Prepared[]>;
  /** A sentence that the user should know of. */
  note(text: string): void;
  /** What is to be done where nodes or quotas have no room for the pods of a candidate. */
  onLowCapacity: 'fail' | 'warn';
  reporter: Reporter;
}

/** What a strategy needs to bring in the new version. */
export interface StrategyContext extends PlanContext {
  journal: Journal;
  force: boolean;
  clock: Clock;
  signal: AbortSignal;
  /** Until when all must be ready, milliseconds since the epoch: planned waits move it on. */
  deadline(): number;
  onSettle(ms: number): void;
  /**
   * Waits until these objects are ready, and then as long as `holdMs` says; throws a RolloutFailed when they will not be, or
   * do not stay so.
   */
  wait(written: ReadonlyMap<Prepared, KubernetesObject>, options?: { holdMs?: number }): Promise<void>;
  /**
   * Whether these are ready now; a few moments are given. What nobody has watched until now (`afterWait: false`) must not have
   * crashed of late either. @throws RolloutFailed with the causes that a wait for a deploy would name
   */
  check(objects: readonly KubernetesObject[], options: { afterWait: boolean }): Promise<void>;
  onApplied(prepared: Prepared, object: KubernetesObject): void;
  /**
   * Carries the user's checks out on the candidate. Answers the share of the requests that it was measured to get, where
   * one was wanted and the checks say how versions are told apart. @throws VerificationFailed
   */
  verifyCandidate(candidate: VerifiedCandidate): Promise<MeasuredShare | undefined>;
  /** A line of the timeline. */
  mark(text: string): void;
  onTraffic(step: TrafficStep): void;
}

/**
 * A candidate that serves beside the stable version, known by labels that no other pods behind its Services have, with the
 * share that its pods give it now, and gave it before (percent); or one that does not serve yet, and is asked through its previews.
 */
export type VerifiedCandidate = { selector: Labels; wantedShare: number; formerShare: number } | 'preview';

export interface MeasuredShare {
  percent: number;
  requests: number;
}

/** How it went: all is in, or a candidate is left waiting for `promote` or `abort`. */
export type Progress = Complete | Waiting;

export interface Waiting {
  state: 'waiting';
  candidates: ObjectRef[];
  constantTotal?: boolean;
  /** How many pods the workloads that serve have meanwhile, by their keys. */
  numbers?: Readonly<Record<string, number>>;
}

export interface Complete {
  state: 'complete';
  /** What workloads of the manifests are called where they are not called as in the manifests, by their keys. */
  serving?: Record<string, string>;
  /** What served before and still runs, to switch back to for a while. */
  retired?: ObjectRef[];
  /** What was brought in, compared with what it replaces; by default what was planned for. */
  brought?: Prepared[];
}

/** What a strategy is going to do. It holds what was read of the cluster, so that it is of use only while that is fresh. */
export interface Plan {
  run(context: StrategyContext): Promise<Progress>;
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
