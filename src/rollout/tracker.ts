import { atMost, type Clock } from '../base/clock.ts';
import { messageOf } from '../base/errors.ts';
import { equal, numberAt } from '../base/json.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { isWorkload } from '../manifests/kinds.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient, ListOptions, Resource } from '../kubernetes/client.ts';
import { describeRef, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import { observe } from '../kubernetes/watch.ts';
import { decide, type Decision, type FirstSeen } from './decide.ts';
import { isHeard } from './heard.ts';
import { isHeldBack } from './pause.ts';
import { asMeant, pauseCauseOf, PauseStopwatch } from './pause-stopwatch.ts';
import { familyOf, podsOfVersion } from './family.ts';
import { isPausedMeanwhile } from './readiness/deployment.ts';
import type { Facts } from './readiness/rule.ts';
import { userRuleFor, type UserRule } from './readiness/user/user-rule.ts';
import { inNamespace, Surroundings } from './surroundings.ts';
import type { Cause, Verdict } from './verdict.ts';
import { type Graces, defaultGraces } from './failures/graces.ts';
import type { Snapshot } from './snapshot.ts';
import { NoProgressClock, type NoProgressLimit } from './stages/no-progress.ts';
import { StartLogs } from './stages/start-logs.ts';
import { startOf } from './stages/start.ts';
import { WaitLog, type Tellings } from './wait-log.ts';

export interface Target {
  /** As the server answered our write; as it is, when nothing was written. */
  object: KubernetesObject;
  changed: boolean;
  /** When the write was carried out, milliseconds since the epoch by the server's clock. */
  writtenAt: number;
  /** As our write left it, where `object` has been read again since. */
  asWritten?: KubernetesObject;
  /** As it was before our write, where that is known. */
  before?: KubernetesObject;
  /** Whether it is meant to be paused; by default when it was so as it was written. */
  paused?: boolean;
}

interface TargetResult {
  /** As it was seen last. */
  object: KubernetesObject;
  verdict: Verdict;
  /** When it was seen to be ready, by our clock. */
  readyAt?: number;
  /** Nothing was heard of it; only where `silentMs` is given. */
  isSilent?: true;
}

export interface RolloutResult {
  /** `paused`: somebody has paused one of them, and it has stayed so for as long as that is waited for. */
  outcome: 'ready' | 'failed' | 'timed-out' | 'paused';
  targets: TargetResult[];
  /** Why not; the most certain first. Empty when all are ready. */
  causes: Cause[];
  /** What else was seen, for the evidence. */
  snapshot: Snapshot;
}

interface RolloutOptions {
  reporter: Reporter;
  clock: Clock;
  /** Milliseconds since the epoch. */
  deadline: number;
  signal: AbortSignal;
  graces?: Graces;
  /** When objects are ready or have failed where the user says so. */
  userRules?: readonly UserRule[];
  /** How long all of them are watched once they are ready; they must be so at its end. */
  holdMs?: number;
  /** What that is, for the log: `step 2 of 3: 25 %`. */
  holdTitle?: string;
  /** What earlier waits of the run have told in the log, so that this one does not tell it again. */
  told?: Tellings;
  /** Why what is there now is not what was written any more; undefined as long as it is. */
  overwritten?(asWritten: KubernetesObject, now: KubernetesObject): Cause | undefined;
  /**
   * How long a pause by somebody else is waited for, during which the deadline moves on. By default it does not, and the
   * wait runs out of time.
   */
  pauseTimeoutMs?: number;
  /** How long nothing may get further; by default only the deadline counts. */
  noProgress?: NoProgressLimit;
  /**
   * For what was restored. What its controller says nothing of is waited for this long, ms, and what was said before speaks neither
   * for nor against it; the others are waited for to their own ends, also when one has failed.
   */
  silentMs?: number;
  /** Told of the time for which the deadline has moved on, while it does. */
  onStandStill?(ms: number): void;
}

/** Time alone can make a sign final, so the state is looked at this often even when nothing happens. */
const tickMs = 500;
/** How long the last look at logs may take. */
const lastReadMs = 5_000;
/** So many may be waited for, and each change is looked at. */
const fewPending = 16;
/** How long it is until the next look at more than these, ms for each. */
const msForEach = 4;
/**
 * A workload that we did not touch may be broken for lack of what we have just changed (a ConfigMap, a quota), and its pods
 * need a moment to try again.
 */
const healingMs = 30_000;

/**
 * Waits until all targets are ready, or one of them will not be, or time is up. Nothing is asked of the server when all are
 * ready already; otherwise one watch per kind and namespace tells of every change.
 * @throws the reason of the signal; ApiError when a target's kind may not be watched
 */
export async function waitForRollout(
  client: KubernetesClient,
  targets: readonly Target[],
  options: RolloutOptions,
): Promise<RolloutResult> {
  const tracker = new Tracker(client, targets, options);
  const early = tracker.evaluate();
  if (early !== undefined) return early;
  return await tracker.follow();
}

interface Followed extends Target {
  generation: number;
  asWritten: KubernetesObject;
  decision: Decision;
  readyAt?: number;
  isSilent?: true;
  /** When this run has seen it change last, milliseconds since the epoch by the server's clock. */
  changedAt: number;
  /** What was compared last with what was written. */
  compared?: KubernetesObject;
}

class Tracker {
  readonly #client: KubernetesClient;
  readonly #options: RolloutOptions;
  readonly #targets: Followed[];
  readonly #surroundings: Surroundings;
  readonly #firstSeen: FirstSeen = new Map();
  /** When our last write was carried out; undefined when nothing was written. */
  readonly #lastWrite: number | undefined;
  /** When all were ready for the first time. */
  #readySince: number | undefined;
  readonly #stopwatch: PauseStopwatch;
  readonly #startedAt: number;
  readonly #noProgress: NoProgressClock;
  readonly #logs: StartLogs;
  readonly #log: WaitLog;

  constructor(client: KubernetesClient, targets: readonly Target[], options: RolloutOptions) {
    this.#client = client;
    this.#options = options;
    this.#surroundings = new Surroundings(options);
    this.#log = new WaitLog(options);
    this.#stopwatch = new PauseStopwatch(options.pauseTimeoutMs);
    this.#startedAt = options.clock.now();
    this.#noProgress = new NoProgressClock(options.noProgress);
    this.#logs = new StartLogs({ client, ...options });
    const writes = targets.filter(({ changed }) => changed).map(({ writtenAt }) => writtenAt);
    this.#lastWrite = writes.length === 0 ? undefined : Math.max(...writes);
    this.#targets = targets.map((target) => ({
      ...target,
      generation: numberAt(target.object, 'metadata', 'generation') ?? 0,
      asWritten: asMeant(target),
      changedAt: target.writtenAt,
      decision: { verdict: { state: 'progressing', message: '' } },
    }));
  }

  /** Looks at everything once; undefined while the wait has to go on. */
  evaluate(): RolloutResult | undefined {
    const now = this.#options.clock.now();
    const snapshot = this.#snapshot();
    for (const target of this.#targets) {
      // A final verdict stays: that an object was deleted, for one, is not to be seen on its last state.
      const { state } = target.decision.verdict;
      const overwritten = state === 'failed' ? undefined : this.#overwritten(target);
      if (overwritten !== undefined) {
        target.decision = { verdict: { state: 'failed', cause: overwritten } };
        this.#log.state(target);
        continue;
      }
      if (state !== 'progressing' && !(state === 'ready' && this.#holdMs > 0)) continue;
      const decision = decide(target.object, this.#factsOf(target), snapshot, this.#firstSeen, this.#gracesOf(target));
      target.decision = this.#asHeard(target, decision);
      if (target.decision.verdict.state === 'ready') target.readyAt ??= now;
      this.#log.state(target);
    }
    const failed = this.#targets.flatMap(({ decision: { verdict } }) =>
      verdict.state === 'failed' ? [verdict.cause] : [],
    );
    const isOver = this.#options.silentMs === undefined || this.#pending().length === 0;
    if (failed.length > 0 && isOver) return this.#result('failed', failed);
    if (this.#pending().length === 0) {
      if (this.#readySince === undefined) this.#log.hold(this.#holdMs);
      this.#readySince ??= now;
      return now - this.#readySince >= this.#holdMs ? this.#result('ready', []) : undefined;
    }
    const paused = this.#pausedMeanwhile();
    const stoodStillMs = this.#stopwatch.stoodStillMs;
    this.#stopwatch.look(paused.length > 0, now);
    this.#options.onStandStill?.(this.#stopwatch.stoodStillMs - stoodStillMs);
    if (this.#stopwatch.isOver) return this.#result('paused', paused.map(pauseCauseOf));
    if (now >= this.#deadline) return this.#result('timed-out', this.#pending().map(suspicionOf));
    return this.#whenStuck(snapshot, paused.length > 0);
  }

  /** Asked once of each state that is seen: there may be thousands of objects, of which nearly none changes any more. */
  #overwritten(target: Followed): Cause | undefined {
    if (target.compared === target.object) return undefined;
    target.compared = target.object;
    return this.#options.overwritten?.(target.asWritten, target.object);
  }

  /** What is known of a target that was restored, before its controller has said anything of that. */
  #asHeard(target: Followed, decision: Decision): Decision {
    const { silentMs, clock } = this.#options;
    const { object, asWritten } = target;
    const isOpen = ['progressing', 'failed'].includes(decision.verdict.state);
    const isGoing = object.metadata.deletionTimestamp !== undefined;
    if (silentMs === undefined || !isOpen || isGoing || isHeard(object, asWritten)) return decision;
    if (clock.now() - this.#startedAt < silentMs) {
      const { verdict } = decision;
      return verdict.state === 'failed' ? waitingForController : decision;
    }
    target.isSilent = true;
    return { verdict: { state: 'unchecked', message: 'its controller has not reported on it' } };
  }

  #snapshot(): Snapshot {
    return { ...this.#surroundings.snapshot(), logs: this.#logs.seen };
  }

  #whenStuck(snapshot: Snapshot, isPaused: boolean): RolloutResult | undefined {
    const now = this.#options.clock.now();
    const stuck = this.#noProgress.look(
      this.#pending(),
      (target) => startOf(target.object, this.#factsOf(target), snapshot),
      { now, serverNow: serverNow(this.#client, this.#options.clock), isPaused },
    );
    if (stuck === undefined) return undefined;
    const { waited, cause } = stuck;
    waited.decision = { verdict: { state: 'failed', cause } };
    this.#log.state(waited);
    return this.#result('failed', [cause]);
  }

  /** Pods of the version that is waited for. */
  #podsWaitedFor(): KubernetesObject[] {
    const snapshot = this.#surroundings.snapshot();
    return this.#pending().flatMap((target) => {
      const family = familyOf(target.object, snapshot);
      const known = family === 'unknown' ? undefined : family;
      return podsOfVersion(target.object, known, this.#factsOf(target), snapshot);
    });
  }

  /** What was broken before counts only when nothing was written that could heal it (kapp#1020). */
  #factsOf({ generation, changed, writtenAt, asWritten, before, changedAt }: Followed): Facts {
    const now = serverNow(this.#client, this.#options.clock);
    const userRule = userRuleFor(this.#options.userRules ?? [], asWritten);
    const own = { ...(userRule === undefined ? {} : { userRule }), ...(before === undefined ? {} : { before }) };
    const facts = { generation, changed, writtenAt, now, asWritten, quietMs: now - changedAt, ...own };
    if (changed || this.#lastWrite === undefined) return facts;
    return { ...facts, changed: true, isUntouched: true, writtenAt: this.#lastWrite };
  }

  #gracesOf({ changed }: Followed): Graces {
    const graces = this.#options.graces ?? defaultGraces;
    return changed || this.#lastWrite === undefined ? graces : { leastMs: healingMs, ...graces };
  }

  get #holdMs(): number {
    return this.#options.holdMs ?? 0;
  }

  /** It moves on while somebody has paused what is waited for. */
  get #deadline(): number {
    return this.#options.deadline + this.#stopwatch.stoodStillMs;
  }

  #pausedMeanwhile(): Followed[] {
    return this.#pending().filter(
      (target) => isPausedMeanwhile(target.object, this.#factsOf(target)) && isHeldBack(target.object),
    );
  }

  async follow(): Promise<RolloutResult> {
    const { signal, clock } = this.#options;
    signal.throwIfAborted();
    const stop = new AbortController();
    const watches = AbortSignal.any([signal, stop.signal]);
    try {
      const result = await new Promise<RolloutResult>((resolve, reject) => {
        const look = () => {
          if (stop.signal.aborted) return;
          try {
            const result = this.evaluate();
            if (result === undefined) return;
            stop.abort();
            resolve(result);
          } catch (error) {
            reject(error instanceof Error ? error : new Error(messageOf(error)));
          }
        };
        signal.addEventListener('abort', () => {
          reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
        });
        this.#observeAll(this.#client, watches, look, this.#paced(look, watches)).catch(reject);
        const tick = async () => {
          while (!watches.aborted) {
            await clock.sleep(tickMs, watches).catch(() => undefined);
            this.#tellProgress();
            look();
          }
        };
        void tick();
        void this.#logs.follow(() => this.#podsWaitedFor(), watches, look);
      });
      return result.outcome === 'timed-out' ? await this.#asFarAsNow(result) : result;
    } finally {
      stop.abort();
    }
  }

  /** Logs are read from time to time: how far a start has come is read once more before that is told as the cause. */
  async #asFarAsNow(result: RolloutResult): Promise<RolloutResult> {
    await atMost(this.#options.clock, lastReadMs, this.#logs.refresh(this.#podsWaitedFor()));
    return this.evaluate() ?? result;
  }

  /**
   * What is told of many workloads comes in bursts, and each look is at all of them: the more there are, the longer it is until the
   * next one. Where only some are waited for, each change is looked at.
   */
  #paced(look: () => void, signal: AbortSignal): () => void {
    const { clock } = this.#options;
    let isPlanned = false;
    let next = -Infinity;
    const lookNow = () => {
      isPlanned = false;
      look();
      const pending = this.#pending().length;
      next = pending <= fewPending ? -Infinity : clock.now() + Math.min(tickMs, pending * msForEach);
    };
    return () => {
      if (isPlanned) return;
      const restMs = next - clock.now();
      if (restMs <= 0) {
        lookNow();
        return;
      }
      isPlanned = true;
      clock.sleep(restMs, signal).then(lookNow, () => undefined);
    };
  }

  /** @param look at once; `soon` in its turn */
  async #observeAll(client: KubernetesClient, signal: AbortSignal, look: () => void, soon: () => void): Promise<void> {
    const scopes = new Map<string, { resource: Resource; namespace: string | undefined; targets: Followed[] }>();
    const followed = this.#holdMs > 0 ? this.#targets : this.#pending();
    for (const target of followed) {
      const { apiVersion, kind, metadata } = target.object;
      const resource = await client.resource(apiVersion, kind);
      if (resource === undefined) continue;
      const key = `${apiVersion}/${kind}/${metadata.namespace ?? ''}`;
      const scope = scopes.get(key) ?? { resource, namespace: metadata.namespace, targets: [] };
      scope.targets.push(target);
      scopes.set(key, scope);
    }
    const observations = [...scopes.values()].map(({ resource, namespace, targets }) => {
      const [only] = targets;
      const name =
        targets.length === 1 && only !== undefined
          ? { fieldSelector: `metadata.name=${only.object.metadata.name}` }
          : {};
      const scope = { ...inNamespace(namespace), ...name };
      return this.#observeTargets(client, resource, scope, targets, { signal, look, soon });
    });
    const objects = followed.map(({ object }) => object);
    await Promise.all([...observations, this.#surroundings.observe(client, objects, signal, soon)]);
  }

  async #observeTargets(
    client: KubernetesClient,
    resource: Resource,
    scope: ListOptions,
    targets: readonly Followed[],
    { signal, look, soon }: { signal: AbortSignal; look: () => void; soon: () => void },
  ): Promise<void> {
    const byName = new Map(targets.map((target) => [target.object.metadata.name, target]));
    const gone = (target: Followed) => {
      if (target.decision.verdict.state !== 'progressing') return;
      target.decision = deleted(target.object);
      this.#log.state(target);
    };
    const take = (object: KubernetesObject) => {
      const target = byName.get(object.metadata.name);
      if (target === undefined) return;
      // Made anew by somebody: its generation counts from 1 again, and what it says is not about our write.
      if (object.metadata.uid !== target.asWritten.metadata.uid) {
        gone(target);
        return;
      }
      if (saysOther(object, target.object)) target.changedAt = serverNow(this.#client, this.#options.clock);
      target.object = object;
    };
    const handlers = {
      onSync: (objects: KubernetesObject[]) => {
        objects.forEach(take);
        const present = new Set(objects.map((object) => object.metadata.name));
        for (const [name, target] of byName) if (!present.has(name)) gone(target);
        look();
      },
      onChange: (type: string, object: KubernetesObject) => {
        take(object);
        const target = byName.get(object.metadata.name);
        if (type !== 'DELETED' || target === undefined) {
          soon();
          return;
        }
        // What it was when it went counts.
        look();
        gone(target);
        look();
      },
    };
    try {
      await observe(client, resource, scope, handlers, signal, this.#options.clock);
    } catch (error) {
      // What this run found as it was meant needs no right to be watched.
      const isRestored = this.#options.silentMs !== undefined;
      const isNeeded = targets.some(({ changed, object }) => changed || isWorkload(object));
      if (!isStatus(error, 403) || (isNeeded && !isRestored)) throw error;
      for (const target of targets) {
        if (target.decision.verdict.state !== 'progressing') continue;
        const message = isRestored
          ? 'no permission to watch it'
          : 'no permission to watch it, and this run did not change it';
        target.decision = { verdict: { state: 'unchecked', message } };
        if (isRestored) target.isSilent = true;
        this.#log.state(target);
      }
      look();
    }
  }

  #pending(): Followed[] {
    return this.#targets.filter(({ decision }) => decision.verdict.state === 'progressing');
  }

  #result(outcome: RolloutResult['outcome'], causes: Cause[]): RolloutResult {
    for (const target of this.#targets)
      if (target.decision.verdict.state !== 'progressing') this.#log.state(target, true);
    const distinct = [...new Map(causes.map((cause) => [cause.message, cause])).values()];
    return {
      outcome,
      causes: distinct,
      snapshot: this.#snapshot(),
      targets: this.#targets.map(({ object, decision, readyAt, isSilent }) => ({
        object,
        verdict: decision.verdict,
        ...(readyAt === undefined ? {} : { readyAt }),
        ...(isSilent === undefined ? {} : { isSilent }),
      })),
    };
  }

  #tellProgress(): void {
    const now = this.#options.clock.now();
    const left = { ms: this.#deadline - now, standstillMs: this.#stopwatch.leftMs };
    const holdMs = this.#readySince === undefined ? undefined : Math.max(0, this.#readySince + this.#holdMs - now);
    this.#log.progress(this.#pending(), left, holdMs);
  }
}

const waitingForController: Decision = { verdict: { state: 'progressing', message: 'waiting for its controller' } };

/** Whether it is told anew of, or wanted otherwise: somebody may write its annotations all the time. */
function saysOther(now: KubernetesObject, before: KubernetesObject): boolean {
  return now.metadata.generation !== before.metadata.generation || !equal(now['status'], before['status']);
}

function deleted(object: KubernetesObject): Decision {
  const cause: Cause = {
    reason: 'Deleted',
    message: `${describeRef(refOf(object), true)} was deleted during the rollout`,
    hint: 'Find out what deletes it: another controller, or a TTL.',
    object: refOf(object),
  };
  return { verdict: { state: 'failed', cause } };
}

function suspicionOf({ object, decision }: Followed): Cause {
  if (decision.suspicion !== undefined) return decision.suspicion;
  const { verdict } = decision;
  return {
    reason: 'TimedOut',
    message: `${describeRef(refOf(object))}: ${verdict.state === 'progressing' ? verdict.message : ''}`,
    hint: 'Raise the input "timeout" if it just needs more time.',
    object: refOf(object),
  };
}
