import type { Clock } from '../base/clock.ts';
import type { TimeLimit } from '../base/time-limit.ts';
import { nameFrom, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { Journal } from '../release/journal.ts';
import type { TrafficStep } from '../report/traffic-step.ts';
import type { RoutingOptions } from '../traffic/endpoints.ts';
import type { Labels } from '../traffic/services.ts';
import type { HeldBy, PlanContext } from './plan.ts';

/** What a plan is carried out with. */
export interface Execution extends PlanContext {
  journal: Journal;
  /** Take fields over from other managers. */
  force: boolean;
  clock: Clock;
  signal: AbortSignal;
  /** Until when all must be ready: planned waits move it on. */
  limit: TimeLimit;
  /**
   * Waits until these objects are ready, and then as long as `holdMs` says; throws a RolloutFailed when they will not be, or
   * do not stay so. What that time is for is told in the log.
   */
  wait(written: ReadonlyMap<Prepared, KubernetesObject>, options?: HoldOptions): Promise<void>;
  /** Waits as long as somebody has paused one of these. @throws Failure where that lasts for too long */
  untilResumed(heldBy: HeldBy): Promise<void>;
  /**
   * Whether these are ready now; a few moments are given. What nobody has watched until now (`afterWait: false`) must not have
   * crashed of late either. @throws RolloutFailed with the causes that a wait for a deploy would name
   */
  check(objects: readonly KubernetesObject[], options: { afterWait: boolean }): Promise<void>;
  /**
   * Carries the user's checks out on the candidate. Answers the share of the requests that it was measured to get, where
   * one was wanted and the checks say how versions are told apart. @throws VerificationFailed
   */
  verify(candidate: VerifiedCandidate): Promise<MeasuredShare | undefined>;
  /** Told what was seen of the cluster last, by key, once all was ready; an empty map as soon as something else is done. */
  saw(live: ReadonlyMap<string, KubernetesObject>): void;
  /** A line of the timeline. */
  mark(text: string): void;
  onTraffic(step: TrafficStep): void;
}

interface HoldOptions {
  holdMs?: number;
  holdTitle?: string;
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

/** Says what was written, as the log has it. */
export function tellApplied(
  { reporter, namespace }: PlanContext,
  { change }: Prepared,
  object: KubernetesObject,
): void {
  reporter.info(`${nameFrom(namespace, refOf(object))} ${change}`);
}

/** How long anything of a plan may be waited for. */
export function waitingIn({ clock, reporter, signal, limit }: Execution): RoutingOptions {
  return { clock, reporter, signal, deadline: limit.until };
}
