import { atMost, formatDuration, type Clock } from '../base/clock.ts';
import { Pace } from '../base/pace.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { numberAt, objectAt, stringAt } from '../base/json.ts';
import { longestReason } from '../base/reason.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import { ApiError, isStatus } from '../kubernetes/errors.ts';
import { serverNow, serverTimestamp } from '../kubernetes/server-time.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import { fieldManager } from '../apply/field-manager.ts';
import type { RunIdentity } from './run-identity.ts';

interface LockOptions {
  /** What the Lease says of its holder beside its name, for whoever asks who is at work. */
  about?: HolderFacts;
  clock: Clock;
  reporter: Reporter;
  /** Until when to wait for another run, milliseconds since the epoch. */
  deadline: number;
  signal?: AbortSignal;
  /** As it was seen free by `lookAtLock`. */
  seen?: LockSeen | undefined;
}

/** The Lease of a lock that nobody holds; `lease` is undefined when there is none yet. */
export interface LockSeen {
  lease: KubernetesObject | undefined;
}

export interface Lock {
  /** Whether another run has held it since `acquireLock` was called, or had died while holding it. */
  contended: boolean;
  /** Nobody has had it since it was seen free: what only its holders write is as it was read after that. */
  isAsSeen: boolean;
  /** Aborts when another run holds the lock. As long as the API server is away nobody can take it, and it is not lost. */
  lost: AbortSignal;
  /** Whether nobody else can have it now: what a write waits for. */
  isFresh(): boolean;
  /** Gives it back, once. */
  release(): Promise<void>;
}

/** Who holds a lock, and for what. */
export interface HolderFacts extends Pick<RunIdentity, 'url' | 'actor' | 'reason'> {
  command?: string;
}

/** The holder of a lock, as one look at its Lease tells. */
export interface LockHolder extends HolderFacts {
  holder: string;
  /** Whether it renews the lock, as far as one look can tell. */
  isAlive: boolean;
  /** ISO 8601. */
  since?: string;
  /** ISO 8601. */
  renewedAt?: string;
}

/** Whom the annotations below are about: an older version of this action leaves those of the holder before it. */
const holderAnnotation = 'gke-rollout/holder';

const annotations = {
  command: 'gke-rollout/command',
  actor: 'gke-rollout/actor',
  url: 'gke-rollout/run-url',
  reason: 'gke-rollout/reason',
} as const satisfies Record<keyof HolderFacts, string>;

/** A holder that has not renewed for this long is dead. */
const durationSeconds = 15;
const renewMs = 4000;
/** How old a renewal may be when something is written: then nobody can have taken the lock until the write has arrived. */
const freshMs = 10_000;
/** How long a write waits for a renewal while the API server is away. */
const patienceMs = 60_000;
const retryMs = 500;
const pollMs = 1000;
/** What one look at most adds to the time in which a holder was silent: a clock that was set forward says nothing of the holder. */
const longestLookMs = 5000;

/**
 * Takes the Lease of a release, so that two runs never interleave: nothing is written by this client from then on without a fresh
 * renewal, so that a run which was stopped for a while, and has lost the lock meanwhile, changes nothing any more. Waits for a live holder until the deadline; takes over
 * from one that does not renew any more (observed by our own clock, so that no two clocks need to agree), and at once
 * from a holder of our own name: the main step of which we are the post step.
 * @throws Failure when another run holds it until the deadline
 */
export async function acquireLock(
  client: KubernetesClient,
  namespace: string,
  release: string,
  holder: string,
  options: LockOptions,
): Promise<Lock> {
  const ref = leaseRef(namespace, release);
  const { about = {}, clock, reporter } = options;
  // The write is refused where the Lease is not as it was seen.
  const taken = options.seen && (await tryTake(client, ref, options.seen.lease, { holder, about, clock }));
  if (taken !== undefined)
    return hold(client, ref, taken, { holder, release, contended: false, isAsSeen: true }, options);
  let seen: { mark: string; at: number; silentMs: number } | undefined;
  let contended = options.seen !== undefined;
  let isTold = false;
  const startedAt = clock.now();
  const pace = new Pace(startedAt);
  for (;;) {
    options.signal?.throwIfAborted();
    const lease = await client.read(ref);
    const current = stringAt(lease, 'spec', 'holderIdentity') ?? '';
    const mark = `${current} ${stringAt(lease, 'spec', 'renewTime') ?? ''}`;
    const now = clock.now();
    const sinceLook = seen?.mark === mark ? Math.min(Math.max(now - seen.at, 0), longestLookMs) : undefined;
    seen = { mark, at: now, silentMs: sinceLook === undefined ? 0 : (seen?.silentMs ?? 0) + sinceLook };
    const lifetimeMs = (numberAt(lease, 'spec', 'leaseDurationSeconds') ?? durationSeconds) * 1000;
    const isFree = current === '' || current === holder || seen.silentMs >= lifetimeMs;
    if (isFree) {
      const written = await tryTake(client, ref, lease, { holder, about, clock });
      if (written !== undefined) {
        if (contended && current !== '' && current !== holder) {
          reporter.warning(
            `took the lock of release "${release}" over from "${current}", which died without releasing it`,
          );
        }
        return hold(client, ref, written, { holder, release, contended, isAsSeen: false }, options);
      }
    }
    contended = true;
    if (!isFree && (!isTold || pace.isDue(clock.now()))) {
      const since = isTold ? `, for ${formatDuration(clock.now() - startedAt)} now` : '';
      reporter.info(`waiting for "${current}", which holds the lock on release "${release}"${since}`);
      isTold = true;
    }
    if (clock.now() >= options.deadline) {
      if (isFree) throw notWritable(ref, release);
      throw new Failure(
        `another run ("${current}") holds the lock on release "${release}" and did not finish in time`,
        {
          hint: 'Use a concurrency group in the workflow, so deploys of one release queue up.',
        },
      );
    }
    await clock.sleep(pollMs, options.signal);
  }
}

/** The lock as it is, for a run that will take it; undefined when it is not free. */
export async function lookAtLock(
  client: KubernetesClient,
  namespace: string,
  release: string,
): Promise<LockSeen | undefined> {
  const lease = await client.read(leaseRef(namespace, release));
  return (stringAt(lease, 'spec', 'holderIdentity') ?? '') === '' ? { lease } : undefined;
}

/**
 * Who holds the lock of a release; undefined when nobody does. How far runners know the server's clock differs, so that a holder is
 * given four lifetimes until it counts as dead.
 */
export async function readLock(
  client: KubernetesClient,
  namespace: string,
  release: string,
  clock: Clock,
): Promise<LockHolder | undefined> {
  const lease = await client.read(leaseRef(namespace, release));
  const holder = stringAt(lease, 'spec', 'holderIdentity') ?? '';
  if (holder === '') return undefined;
  const [since, renewedAt] = [timeIn(lease, 'acquireTime'), timeIn(lease, 'renewTime')];
  const age = serverNow(client, clock) - (timeOf(renewedAt) ?? 0);
  return {
    holder,
    isAlive: age < 4 * durationSeconds * 1000,
    ...(since === undefined ? {} : { since }),
    ...(renewedAt === undefined ? {} : { renewedAt }),
    ...factsIn(lease, holder),
  };
}

function timeIn(lease: KubernetesObject | undefined, field: 'acquireTime' | 'renewTime'): string | undefined {
  const time = timeOf(stringAt(lease, 'spec', field));
  return time === undefined ? undefined : new Date(time).toISOString();
}

/** Anybody may have written them: each is one line of bounded length, or is left out. */
function factsIn(lease: KubernetesObject | undefined, holder: string): HolderFacts {
  if (lease?.metadata.annotations?.[holderAnnotation] !== holder) return {};
  const entries = Object.entries(annotations).flatMap(([fact, key]) => {
    const value = lease.metadata.annotations?.[key];
    return value === undefined || value === '' || value.length > longestFact || /\p{Cc}/u.test(value)
      ? []
      : [[fact, value]];
  });
  return Object.fromEntries(entries) as HolderFacts;
}

const longestFact = 2 * longestReason;

/** Frees the lock if this holder has it still: it may have died after its last write, or before its first. */
export async function releaseLeftLock(
  client: KubernetesClient,
  namespace: string,
  release: string,
  holder: string,
): Promise<void> {
  const ref = leaseRef(namespace, release);
  const lease = await client.read(ref);
  if (lease === undefined || stringAt(lease, 'spec', 'holderIdentity') !== holder) return;
  // With the resourceVersion that was read: somebody who has taken it meanwhile keeps it.
  await client.replace({ ...lease, spec: { ...objectAt(lease, 'spec'), holderIdentity: '' } }, { fieldManager });
}

function leaseRef(namespace: string, release: string): ObjectRef {
  return { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', namespace, name: `gke-rollout.${release}` };
}

/** Undefined when somebody else was quicker. */
async function tryTake(
  client: KubernetesClient,
  ref: ObjectRef,
  lease: KubernetesObject | undefined,
  { holder, about, clock }: { holder: string; about: HolderFacts; clock: Clock },
): Promise<KubernetesObject | undefined> {
  const { apiVersion, kind, name, namespace = '' } = ref;
  const now = microTime(client, clock);
  const spec = { holderIdentity: holder, leaseDurationSeconds: durationSeconds, acquireTime: now, renewTime: now };
  try {
    if (lease === undefined) {
      const metadata = { name, namespace, annotations: annotationsFor(holder, about) };
      return (await client.create({ apiVersion, kind, metadata, spec }, { fieldManager })).object;
    }
    const told = annotationsFor(holder, about, lease.metadata.annotations);
    const taken = { ...lease, metadata: { ...lease.metadata, annotations: told } };
    return (await client.replace({ ...taken, spec: { ...objectAt(lease, 'spec'), ...spec } }, { fieldManager })).object;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return undefined;
    if (isStatus(error, 404) && lease !== undefined) return undefined;
    throw error;
  }
}

/** With what others have noted; nothing stays of the holder before. */
function annotationsFor(
  holder: string,
  about: HolderFacts,
  before: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const own: readonly string[] = [holderAnnotation, ...Object.values(annotations)];
  const others = Object.entries(before).filter(([key]) => !own.includes(key));
  const told = Object.entries(annotations).flatMap(([fact, key]) => {
    const value = about[fact as keyof HolderFacts];
    return value === undefined ? [] : [[key, value] as const];
  });
  return Object.fromEntries([...others, [holderAnnotation, holder], ...told]);
}

function notWritable({ name, namespace = '' }: ObjectRef, release: string): Failure {
  return new Failure(
    `the lock of release "${release}" could not be taken in time: each write of the Lease "${name}" in namespace "${namespace}" collided with another writer`,
    { hint: 'Find out who writes it: kubectl get lease --show-managed-fields -o yaml.' },
  );
}

function hold(
  client: KubernetesClient,
  ref: ObjectRef,
  taken: KubernetesObject,
  { holder, release, contended, isAsSeen }: Pick<Lock, 'contended' | 'isAsSeen'> & { holder: string; release: string },
  { about = {}, clock, reporter }: LockOptions,
): Lock {
  const lost = new AbortController();
  let lease: KubernetesObject | undefined = taken;
  let renewedAt = clock.now();
  let isReleased = false;
  const isFresh = () => {
    const age = clock.now() - renewedAt;
    // A clock that was set back tells nothing.
    return age >= 0 && age < freshMs;
  };

  const renew = async () => {
    const from = clock.now();
    try {
      const written =
        lease === undefined
          ? await tryTake(client, ref, undefined, { holder, about, clock })
          : (
              await client.replace(
                { ...lease, spec: { ...objectAt(lease, 'spec'), renewTime: microTime(client, clock) } },
                { fieldManager },
              )
            ).object;
      if (written === undefined) throw new Failure('someone has recreated its Lease');
      lease = written;
      renewedAt = from;
    } catch (error) {
      reporter.debug(`renewing the lock failed: ${messageOf(error)}`);
      await lookAgain();
    }
  };
  /** Who has the lock after a renewal that failed; without an answer nobody knows, and nobody can take it either. */
  const lookAgain = async () => {
    let current: KubernetesObject | undefined;
    try {
      current = await client.read(ref);
    } catch {
      return;
    }
    if (current === undefined || stringAt(current, 'spec', 'holderIdentity') === holder) lease = current;
    else lose(stringAt(current, 'spec', 'holderIdentity') ?? '');
  };
  const lose = (by: string) => {
    const since = formatDuration(clock.now() - renewedAt);
    const taken = by === '' ? 'another run took it over and has finished' : `"${by}" has taken it over`;
    lost.abort(
      new Failure(`the lock of release "${release}" was lost, ${since} after its last renewal: ${taken}`, {
        hint: 'This run wrote nothing since; the other run cleaned up. Check if the runner was suspended or the API server unreachable.',
      }),
    );
  };
  /** One renewal is under way at most: while the server does not answer, they would queue up. */
  let renewal: Promise<void> | undefined;
  const renewOnce = () =>
    (renewal ??= renew().finally(() => {
      renewal = undefined;
    }));
  const timer = setInterval(() => {
    if (!lost.signal.aborted) void renewOnce();
  }, renewMs);
  timer.unref();

  const endGuard = client.guardWrites(async (given) => {
    const until = Math.min(clock.now() + patienceMs, given);
    for (;;) {
      lost.signal.throwIfAborted();
      if (isFresh() || isReleased) return;
      const left = until - clock.now();
      if (left <= 0) {
        throw new Failure(
          `the lock of release "${release}" could not be renewed for ${formatDuration(clock.now() - renewedAt)}, and nothing can be written without it`,
          {
            hint: 'Check whether the API server was unreachable, then run it again: that undoes what this run left.',
          },
        );
      }
      await atMost(clock, left, renewOnce());
      if (!isFresh()) await clock.sleep(Math.min(retryMs, left), lost.signal);
    }
  });
  let releasing: Promise<void> | undefined;
  return {
    contended,
    isAsSeen,
    lost: lost.signal,
    isFresh: () => !lost.signal.aborted && isFresh(),
    release: () => (releasing ??= giveBack()),
  };

  async function giveBack(): Promise<void> {
    clearInterval(timer);
    isReleased = true;
    endGuard();
    await atMost(clock, freshMs, renewal);
    if (lost.signal.aborted || lease === undefined) return;
    const spec = { ...objectAt(lease, 'spec'), holderIdentity: '' };
    await client.replace({ ...lease, spec }, { fieldManager }).catch((error: unknown) => {
      // It runs out by itself; the next run waits a little longer.
      reporter.debug(`releasing the lock failed: ${messageOf(error)}`);
    });
  }
}

/** Lease times have microseconds: `2026-01-02T03:04:05.678000Z`. They are the server's, for other runners compare them. */
function microTime(client: KubernetesClient, clock: Clock): string {
  return serverTimestamp(client, clock).replace('Z', '000Z');
}
