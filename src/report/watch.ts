import { Failure } from '../base/errors.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { decidesAnswers } from '../manifests/kinds.ts';
import { foreignChange } from '../apply/foreign-change.ts';
import { inCluster } from '../apply/owned-change.ts';
import { readLive } from '../apply/preflight.ts';
import { hasTimeToLive } from '../apply/still-there.ts';
import { applyEntry } from '../apply/managed-fields.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import { collectEvidence } from '../rollout/diagnosis.ts';
import type { Evidence } from '../rollout/evidence.ts';
import { excerptFor } from '../rollout/log-excerpt.ts';
import { unstable } from '../rollout/instability.ts';
import { ownAmong } from '../rollout/ownership.ts';
import { isHeldBack, isPaused } from '../rollout/pause.ts';
import type { UserRule } from '../rollout/readiness/user/user-rule.ts';
import { recentCrash } from '../rollout/recent-crash.ts';
import { defaultNoProgress, type NoProgressLimit } from '../rollout/stages/no-progress.ts';
import { waitForRollout, type RolloutResult } from '../rollout/tracker.ts';
import type { Cause, Verdict } from '../rollout/verdict.ts';
import type { Tellings } from '../rollout/wait-log.ts';
import { podsSelectedBy } from '../traffic/pods.ts';
import type { Context } from '../release/context.ts';
import type { FailureReport } from './run-report.ts';
import type { Graces } from '../rollout/failures/graces.ts';

/** What has been running may still be busy with a restart, which takes this long to be believed; it must then hold a moment. */
const lookMs = 20_000;
const lookHoldMs = 1_000;

/** Objects that were written will not be ready. */
class RolloutFailed extends Failure {
  readonly result: RolloutResult;
  readonly causes: readonly Cause[];
  override readonly keepsState: boolean;

  constructor(result: RolloutResult) {
    const { causes } = result;
    const [first] = causes;
    const message = first?.message ?? 'the rollout did not become ready';
    super(
      result.outcome === 'timed-out' ? `not ready in time: ${message}` : message,
      first?.hint === undefined ? {} : { hint: first.hint },
    );
    this.result = result;
    this.causes = causes;
    // The wait was given up because somebody has paused what it was for.
    this.keepsState = result.outcome === 'paused';
  }
}

export interface WatchOptions {
  /** How long a pod may fit on no node before the wait ends. */
  unschedulableGraceMs: number;
  /** How long a rollout that somebody pauses is waited for; that time is none of the deadline. */
  pauseTimeoutMs: number;
  /** The rules of the input `await`; none by default. */
  userRules?: readonly UserRule[];
  /** How long nothing may get further, 0 being for ever; absent, it is the default of starts that say how far they are. */
  noProgressTimeoutMs?: number;
}

/** A workload, and the pods that it selects. */
export interface WorkloadPods {
  workload: KubernetesObject;
  pods: readonly KubernetesObject[];
}

/** What is waited for; `paused` as a `Target` has it. */
interface Watched {
  object: KubernetesObject;
  changed: boolean;
  paused?: boolean;
  /** As our write left it, where `object` has been read again since. */
  asWritten?: KubernetesObject;
  /** As it was before our write. */
  before?: KubernetesObject;
}

/** Waits for what a command has written, and remembers what is needed to tell of it. */
export class RolloutWatch {
  readonly #context: Context;
  readonly #graces: Graces;
  readonly #pauseTimeoutMs: number;
  readonly #userRules: readonly UserRule[];
  readonly #noProgress: NoProgressLimit;
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #verdicts = new Map<string, Verdict>();
  readonly #startedAt = new Map<string, number>();
  readonly #readyAt = new Map<string, number>();
  /** As the last wait for each was told that it had been written. */
  readonly #asWritten = new Map<string, KubernetesObject>();
  /** As each was before this run has written it for the first time. */
  readonly #before = new Map<string, KubernetesObject>();
  readonly #noted = new Set<string>();
  readonly #told: Tellings = new Map();
  /** What was seen when all was ready, as long as nothing else was done since. */
  #seen: ReadonlyMap<string, KubernetesObject> = new Map();
  #failed: RolloutFailed | undefined;
  #evidence: Evidence[] = [];
  /** By the server's clock, as the causes have it. */
  #namedAt: number | undefined;
  wroteAnything = false;

  constructor(context: Context, options: WatchOptions) {
    const { unschedulableGraceMs, pauseTimeoutMs, userRules = [], noProgressTimeoutMs: ms } = options;
    this.#context = context;
    this.#graces = { unschedulableMs: unschedulableGraceMs };
    this.#pauseTimeoutMs = pauseTimeoutMs;
    this.#userRules = userRules;
    this.#noProgress = ms === undefined ? defaultNoProgress : { ms, ofMeasured: false };
  }

  /** @throws RolloutFailed when one of them will not be ready, or the deadline passes */
  async wait(
    targets: readonly Watched[],
    { deadline, signal, ...hold }: { deadline: number; signal: AbortSignal; holdMs?: number; holdTitle?: string },
  ): Promise<void> {
    const { client, clock, reporter } = this.#context;
    const now = clock.now();
    for (const { object, changed, asWritten = object, before } of targets) {
      const key = keyOf(refOf(object));
      this.#objects.set(key, object);
      // What has been written anew goes through its states once more.
      if (this.#asWritten.get(key)?.metadata.generation !== asWritten.metadata.generation) this.#told.delete(key);
      this.#asWritten.set(key, asWritten);
      if (before !== undefined && !this.#before.has(key)) this.#before.set(key, before);
      if (changed) this.wroteAnything = true;
      if (!this.#startedAt.has(key)) this.#startedAt.set(key, now);
    }
    const result = await waitForRollout(
      client,
      targets.map((target) => ({
        ...target,
        ...this.#knownBefore(target),
        writtenAt: writtenAt(target.asWritten ?? target.object) ?? serverNow(client, clock),
      })),
      {
        reporter,
        clock,
        deadline,
        signal,
        ...hold,
        told: this.#told,
        graces: this.#graces,
        userRules: this.#userRules,
        pauseTimeoutMs: this.#pauseTimeoutMs,
        noProgress: this.#noProgress,
        onStandStill: (ms) => {
          this.#context.limit.extend(ms);
        },
        overwritten: (asWritten, object) => this.#overwritten(asWritten, object),
      },
    );
    for (const { object, verdict, readyAt } of result.targets) {
      const key = keyOf(refOf(object));
      this.#objects.set(key, object);
      this.#verdicts.set(key, verdict);
      if (readyAt !== undefined) this.#readyAt.set(key, readyAt);
    }
    if (result.outcome === 'ready') return;
    this.#namedAt = serverNow(client, clock);
    this.#failed = new RolloutFailed(result);
    throw this.#failed;
  }

  /** Later waits of the same run are told of the write by an earlier one. */
  #knownBefore({ object, changed }: Watched): Pick<Watched, 'before'> {
    const before = changed ? this.#before.get(keyOf(refOf(object))) : undefined;
    return before === undefined ? {} : { before };
  }

  /** Tells what was seen of the cluster last. */
  saw(live: ReadonlyMap<string, KubernetesObject>): void {
    this.#seen = live;
  }

  /**
   * Looks once more at what decides what pods answer, at the end of all: it must still be what was written, and ready. Where that
   * was just looked at and nothing was waited for or asked since (`isFresh`), what was seen then counts.
   * @throws Failure, RolloutFailed when it is not, or does not get so again before the deadline
   */
  async confirm({ isFresh, ...options }: { deadline: number; signal: AbortSignal; isFresh: boolean }): Promise<void> {
    const awaited = [...this.#asWritten.values()].filter((object) => decidesAnswers(object) && !hasTimeToLive(object));
    const seen = isFresh ? this.#seen : new Map<string, KubernetesObject>();
    const unseen = awaited.filter((object) => !seen.has(keyOf(refOf(object))));
    const live = new Map([...seen, ...(await readLive(this.#context.client, unseen.map(inCluster), new Set()))]);
    const now = awaited.map((asWritten) => {
      const object = live.get(keyOf(refOf(asWritten)));
      if (object === undefined || object.metadata.uid !== asWritten.metadata.uid) {
        throw new Failure(`${describeRef(refOf(asWritten), true)} was deleted before the run finished`, {
          hint: 'Find out who deletes it, then run it again.',
        });
      }
      return { object, changed: true, asWritten };
    });
    await this.wait(now, options);
  }

  /** What runs now is another version; a mere number of pods is told once. */
  #overwritten(asWritten: KubernetesObject, object: KubernetesObject): Cause | undefined {
    const change = foreignChange(asWritten, object);
    if (change === undefined) return undefined;
    const { message, hint, isOther } = change;
    if (isOther) return { reason: 'ChangedMeanwhile', message, hint, object: refOf(object) };
    if (!this.#noted.has(message)) this.#context.reporter.warning(message);
    this.#noted.add(message);
    return undefined;
  }

  /**
   * Whether objects that somebody else may have changed are ready, stay so for a moment, and have not crashed of late: their
   * pods are looked at too.
   * @throws RolloutFailed
   */
  async check(
    objects: readonly KubernetesObject[],
    { signal, timeoutMs, afterWait }: { signal: AbortSignal; timeoutMs: number; afterWait: boolean },
  ): Promise<void> {
    const { wroteAnything } = this;
    const deadline = this.#context.clock.now() + Math.min(lookMs, timeoutMs);
    const targets = objects.map((object) => ({ object, changed: true }));
    await this.wait(targets, { deadline, signal, holdMs: lookHoldMs });
    this.wroteAnything = wroteAnything;
    if (afterWait) return;
    for (const object of objects) await this.#refuseCrashing(object);
  }

  async #refuseCrashing(workload: KubernetesObject): Promise<void> {
    const { client, clock } = this.#context;
    const pods = ownAmong(workload, await podsSelectedBy(client, workload));
    this.#refuse({ workload, pods }, recentCrash(pods, serverNow(client, clock)));
  }

  /**
   * Whether pods of what is ready keep crashing, though they run at this moment: nobody has waited for them to settle where nothing
   * was written.
   * @param seen as they were listed just now
   * @throws RolloutFailed
   */
  refuseUnstable(seen: readonly WorkloadPods[]): void {
    const now = serverNow(this.#context.client, this.#context.clock);
    for (const { workload, pods } of seen) {
      const verdict = this.#verdicts.get(keyOf(refOf(workload)));
      if (verdict?.state !== 'ready' || verdict.held !== undefined) continue;
      const own = ownAmong(workload, pods);
      this.#refuse({ workload, pods: own }, unstable(own, now));
    }
  }

  #refuse({ workload, pods }: WorkloadPods, crash: Cause | undefined): void {
    if (crash === undefined) return;
    const cause = { ...crash, message: `${describeRef(refOf(workload))}: ${crash.message}` };
    const verdict: Verdict = { state: 'failed', cause };
    const targets: RolloutResult['targets'] = [{ object: workload, verdict }];
    const snapshot = { pods, replicaSets: [], events: [] };
    this.#verdicts.set(keyOf(refOf(workload)), verdict);
    this.#namedAt = serverNow(this.#context.client, this.#context.clock);
    this.#failed = new RolloutFailed({ outcome: 'failed', targets, causes: [cause], snapshot });
    throw this.#failed;
  }

  /** Looks at the failed objects while they are still there. */
  async collectEvidence(error: unknown): Promise<void> {
    if (!(error instanceof RolloutFailed)) return;
    this.#evidence = await collectEvidence(this.#context.client, error.result, this.#context.clock);
  }

  /** Adds what was seen to what is said; `manifests` are where the blamed fields stand. */
  explain(failure: FailureReport, manifests: readonly Manifest[] = []): FailureReport {
    const causes = [...(this.#failed?.causes ?? [])];
    const byKey = new Map(manifests.map((manifest) => [keyOf(refOf(manifest.object)), manifest]));
    const problems = (this.#failed?.result.targets ?? []).flatMap(({ object, verdict }) => {
      const manifest = byKey.get(keyOf(refOf(object)));
      if (verdict.state !== 'failed' || verdict.cause.path === undefined || manifest === undefined) return [];
      const { message, hint, path } = verdict.cause;
      const said = excerptFor(verdict.cause, this.#evidence);
      return [
        {
          message: hint === undefined ? message : `${message}. ${hint}`,
          location: manifest.source.locate(path),
          ...(said === undefined ? {} : { log: said }),
        },
      ];
    });
    const [first] = causes;
    const log = first === undefined ? undefined : excerptFor(first, this.#evidence);
    const since = first?.since;
    return {
      ...failure,
      causes,
      problems: [...failure.problems, ...problems],
      evidence: this.#evidence,
      ...(log === undefined ? {} : { log }),
      ...(since === undefined || this.#namedAt === undefined
        ? {}
        : { namedAfterSeconds: Math.max(0, Math.round((this.#namedAt - since) / 1000)) }),
    };
  }

  /** What is applied and yet not in all pods, one sentence for each: `Deployment "web": paused by octocat: 0 of 3 pods updated`. */
  get held(): string[] {
    return [...this.#verdicts].flatMap(([key, verdict]) => {
      const held = verdict.state === 'ready' || verdict.state === 'unchecked' ? verdict.held : undefined;
      const object = this.#objects.get(key);
      return held === undefined || object === undefined ? [] : [`${describeRef(refOf(object))}: ${held}`];
    });
  }

  /** All that was awaited, as it was seen last. */
  get awaited(): { object: KubernetesObject; verdict: Verdict }[] {
    return [...this.#verdicts].flatMap(([key, verdict]) => {
      const object = this.#objects.get(key);
      return object === undefined ? [] : [{ object, verdict }];
    });
  }

  /** What has all its pods and is paused, so that the next change would not reach them. */
  get paused(): KubernetesObject[] {
    return [...this.#objects.values()].filter((object) => isPaused(object) && !isHeldBack(object));
  }

  /** The object as it was seen last. */
  latest(ref: ObjectRef): KubernetesObject | undefined {
    return this.#objects.get(keyOf(ref));
  }

  durationOf(ref: ObjectRef): number | undefined {
    const [from, to] = [this.#startedAt.get(keyOf(ref)), this.#readyAt.get(keyOf(ref))];
    return from === undefined || to === undefined ? undefined : to - from;
  }

  stateOf(ref: ObjectRef): { state: Verdict['state']; message: string } {
    const verdict = this.#verdicts.get(keyOf(ref));
    if (verdict === undefined) return { state: 'unchecked', message: 'not awaited' };
    return { state: verdict.state, message: verdict.state === 'failed' ? verdict.cause.message : verdict.message };
  }
}

/** When the server carried our last apply out, by its own clock. */
function writtenAt(object: KubernetesObject): number | undefined {
  return timeOf(applyEntry(object, fieldManager)?.time);
}
