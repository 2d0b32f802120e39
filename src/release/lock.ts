import { formatDuration, type Clock } from '../base/clock.ts';
import { Failure, messageOf } from '../base/errors.ts';
import { numberAt, objectAt, stringAt } from '../base/json.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { timeOf } from '../kubernetes/conditions.ts';
import { ApiError, isStatus } from '../kubernetes/errors.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import { fieldManager } from './field-manager.ts';

export interface LockOptions {
  clock: Clock;
  reporter: Reporter;
  /** Until when to wait for another run, milliseconds since the epoch. */
  deadline: number;
  signal?: AbortSignal;
}

export interface Lock {
  /** Whether another run has held it since `acquireLock` was called, or had died while holding it. */
  contended: boolean;
  /** Aborts when the lock is lost: another run may be at work from then on. */
  lost: AbortSignal;
  release(): Promise<void>;
}

/** A holder that has not renewed for this long is dead. */
const durationSeconds = 15;
const renewMs = 4000;
/**
 * How long we go on without a renewal. While the API server is away nobody can take the lock, so that a short outage does
 * not end a deploy; when it comes back, a renewal that finds another holder does at once.
 */
const patienceMs = 30_000;
const pollMs = 1000;
const progressMs = 30_000;

/**
 * Takes the Lease of a release, so that two runs never interleave. Waits for a live holder until the deadline; takes over
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
  let toldAt: number | undefined;
  const startedAt = clock.now();
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
            `took the lock of release "${release}" over from "${current}", which has died without releasing it`,
          );
        }
        return hold(client, ref, written, { holder, release, contended }, options);
      }
      contended = true;
      continue;
    }
    contended = true;
    if (toldAt === undefined || clock.now() - toldAt >= progressMs) {
      const since = toldAt === undefined ? '' : `, for ${formatDuration(clock.now() - startedAt)} now`;
      reporter.info(`waiting for "${current}", which is at work on release "${release}"${since}`);
      toldAt = clock.now();
    }
    if (clock.now() >= options.deadline) {
      throw new Failure(`another run ("${current}") is at work on release "${release}" and did not end in time`, {
        hint: 'Use a concurrency group in the workflow, so that deploys of one release queue up.',
      });
    }
    await clock.sleep(pollMs, options.signal);
  }
}

/**
 * Whether a run holds the lock of a release and renews it, as far as one look can tell: the clocks of runners differ, so that
 * a holder is given four lifetimes. False without one.
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
  return clock.now() - renewedAt < 4 * durationSeconds * 1000;
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
  const now = microTime(clock);
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

function hold(
  client: KubernetesClient,
  ref: ObjectRef,
  taken: KubernetesObject,
  { holder, release, contended }: { holder: string; release: string; contended: boolean },
  { clock, reporter }: LockOptions,
): Lock {
  const lost = new AbortController();
  let lease = taken;
  let renewedAt = clock.now();
  let renewing: Promise<void> = Promise.resolve();
  const renew = async () => {
    try {
      const spec = { ...objectAt(lease, 'spec'), renewTime: microTime(clock) };
      lease = (await client.replace({ ...lease, spec }, { fieldManager })).object;
      renewedAt = clock.now();
    } catch (error) {
      const current = await client.read(ref).catch(() => undefined);
      const isOurs = stringAt(current, 'spec', 'holderIdentity') === holder;
      if (current !== undefined && isOurs) lease = current;
      if ((current !== undefined && !isOurs) || clock.now() - renewedAt > patienceMs) lose(messageOf(error));
      reporter.debug(`renewing the lock failed: ${messageOf(error)}`);
    }
  };
  const lose = (why: string) => {
    const since = formatDuration(clock.now() - renewedAt);
    lost.abort(
      new Failure(`the lock of release "${release}" was lost, ${since} after its last renewal: ${why}`, {
        hint: 'See whether the API server was out of reach, or another run has taken over, then run it again.',
      }),
    );
  };
  const timer = setInterval(() => {
    // A renewal may hang while other requests get through.
    if (clock.now() - renewedAt > patienceMs) lose('the API server did not answer in time');
    renewing = renewing.then(renew);
  }, renewMs);
  timer.unref();
  return {
    contended,
    lost: lost.signal,
    release: async () => {
      clearInterval(timer);
      await renewing;
      if (lost.signal.aborted) return;
      const spec = { ...objectAt(lease, 'spec'), holderIdentity: '' };
      await client.replace({ ...lease, spec }, { fieldManager }).catch((error: unknown) => {
        // It runs out by itself; the next run waits a little longer.
        reporter.debug(`releasing the lock failed: ${messageOf(error)}`);
      });
    },
  };
}

/** Lease times have microseconds: `2026-01-02T03:04:05.678000Z`. */
function microTime(clock: Clock): string {
  return new Date(clock.now()).toISOString().replace('Z', '000Z');
}
