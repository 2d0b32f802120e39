import { atMost, formatDuration, type Clock } from '../base/clock.ts';
import { Pace } from '../base/pace.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { numberAt, objectAt, stringAt } from '../base/json.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import { ApiError, isStatus } from '../kubernetes/errors.ts';
import { serverNow, serverTimestamp } from '../kubernetes/server-time.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import { fieldManager } from '../apply/field-manager.ts';

interface LockOptions {
  clock: Clock;
  reporter: Reporter;
  /** Until when to wait for another run, milliseconds since the epoch. */
  deadline: number;
  signal?: AbortSignal;
}

export interface Lock {
  /** Whether another run has held it since `acquireLock` was called, or had died while holding it. */
  contended: boolean;
  /** Aborts when another run holds the lock. As long as the API server is away nobody can take it, and it is not lost. */
  lost: AbortSignal;
  release(): Promise<void>;
}

/** A holder that has not renewed for this long is dead. */
const durationSeconds = 15;
const renewMs = 4000;
/** How old a renewal may be when something is written: then nobody can have taken the lock until the write has arrived. */
const freshMs = 10_000;
/** How long a write waits for a renewal while the API server is away. */
const patienceMs = 60_000;
const retryMs = 500;
const pollMs = 1000;

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
  const { clock, reporter } = options;
  let seen: { mark: string; at: number } | undefined;
  let contended = false;
  let isTold = false;
  const startedAt = clock.now();
  const pace = new Pace(startedAt);
  for (;;) {
    options.signal?.throwIfAborted();
    const lease = await client.read(ref);
    const current = stringAt(lease, 'spec', 'holderIdentity') ?? '';
    const mark = `${current} ${stringAt(lease, 'spec', 'renewTime') ?? ''}`;
    if (seen?.mark !== mark) seen = { mark, at: clock.now() };
    const lifetimeMs = (numberAt(lease, 'spec', 'leaseDurationSeconds') ?? durationSeconds) * 1000;
    const isFree = current === '' || current === holder || clock.now() - seen.at >= lifetimeMs;
    if (isFree) {
      const written = await tryTake(client, ref, lease, holder, clock);
      if (written !== undefined) {
        if (contended && current !== '' && current !== holder) {
          reporter.warning(
            `took the lock of release "${release}" over from "${current}", which died without releasing it`,
          );
        }
        return hold(client, ref, written, { holder, release, contended }, options);
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

/**
 * Whether a run holds the lock of a release and renews it, as far as one look can tell: how far
 * runners know the server's clock differs, so that a holder is given four lifetimes. False without one.
 */
export async function isHeld(
  client: KubernetesClient,
  namespace: string,
  release: string,
  clock: Clock,
): Promise<boolean> {
  const lease = await client.read(leaseRef(namespace, release));
  if ((stringAt(lease, 'spec', 'holderIdentity') ?? '') === '') return false;
  const renewedAt = timeOf(stringAt(lease, 'spec', 'renewTime')) ?? 0;
  return serverNow(client, clock) - renewedAt < 4 * durationSeconds * 1000;
}

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
  holder: string,
  clock: Clock,
): Promise<KubernetesObject | undefined> {
  const { apiVersion, kind, name, namespace = '' } = ref;
  const now = microTime(client, clock);
  const spec = { holderIdentity: holder, leaseDurationSeconds: durationSeconds, acquireTime: now, renewTime: now };
  try {
    if (lease === undefined) {
      return (await client.create({ apiVersion, kind, metadata: { name, namespace }, spec }, { fieldManager })).object;
    }
    return (await client.replace({ ...lease, spec: { ...objectAt(lease, 'spec'), ...spec } }, { fieldManager })).object;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) return undefined;
    if (isStatus(error, 404) && lease !== undefined) return undefined;
    throw error;
  }
}

function notWritable({ name, namespace = '' }: ObjectRef, release: string): Failure {
  return new Failure(
    `the lock of release "${release}" could not be taken in time: each write of the Lease "${name}" in namespace "${namespace}" met another one`,
    { hint: 'Find out who writes it: kubectl get lease --show-managed-fields -o yaml.' },
  );
}

function hold(
  client: KubernetesClient,
  ref: ObjectRef,
  taken: KubernetesObject,
  { holder, release, contended }: { holder: string; release: string; contended: boolean },
  { clock, reporter }: LockOptions,
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
          ? await tryTake(client, ref, undefined, holder, clock)
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
        hint: 'This run has changed nothing since. Check whether its runner was suspended or the API server unreachable; the other run dealt with what it left.',
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
  return {
    contended,
    lost: lost.signal,
    release: async () => {
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
    },
  };
}

/** Lease times have microseconds: `2026-01-02T03:04:05.678000Z`. They are the server's, for other runners compare them. */
function microTime(client: KubernetesClient, clock: Clock): string {
  return serverTimestamp(client, clock).replace('Z', '000Z');
}
