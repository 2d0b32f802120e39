import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import { at, booleanAt } from '../base/json.ts';
import { isPassingStatus } from '../http/passing.ts';
import { pauseMs } from '../http/retry.ts';
import type { KubernetesClient, ListOptions, Resource } from './client.ts';
import { ApiError, ConnectionError, isStatus } from './errors.ts';
import type { KubernetesObject, ManagedFieldsEntry } from './object.ts';

/**
 * What an observer is told. The objects come without `managedFields`: they are half of the size, and nobody's status. Of what
 * is paused stays who has paused it.
 */
export interface Handlers {
  /** After each list: everything that is there now. What was there before and is missing has gone. */
  onSync(objects: KubernetesObject[]): void;
  onChange(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject): void;
  /** The API server cannot be reached or has an error; the observation goes on and tries again. */
  onTrouble?(error: unknown): void;
}

const between = { firstMs: 100, lastMs: 3000 };
/** A watch that has lived this long has worked, and the next one may begin at once. */
const healthyMs = 10_000;
/** A list as a safety net: watches have been seen to lose events silently behind load balancers. */
const relistMs = 180_000;

/**
 * Follows the objects of one kind until the signal aborts: a list, then watches that go on where the last one ended, and
 * a new list when the server has forgotten that place (410) or three minutes have passed. Each request that follows a
 * failed or short one waits, with jitter, at least 50 ms and at most 4.5 s.
 * @throws ApiError for what will not heal by itself: 401, 403, 404; and whatever a handler throws
 */
export async function observe(
  client: KubernetesClient,
  resource: Resource,
  scope: ListOptions,
  handlers: Handlers,
  signal: AbortSignal,
  clock: Clock,
  random: () => number = Math.random,
): Promise<void> {
  const pace = new Pace(clock, signal, random);
  while (!isAborted(signal)) {
    pace.begin();
    try {
      const { items, resourceVersion } = await client.list(resource, scope, signal);
      if (isAborted(signal)) return;
      handle(() => {
        handlers.onSync(items.map(withoutManagedFields));
      });
      await follow(client, resource, { ...scope, resourceVersion }, handlers, signal, clock, pace);
    } catch (error) {
      if (error instanceof HandlerFailure) throw error.cause;
      if (isAborted(signal)) return;
      if (!isTransient(error)) throw error;
      handlers.onTrouble?.(error);
    }
    await pace.next();
  }
}

/** Watches, again and again from the last place seen, until that place is forgotten or it is time for a list. */
async function follow(
  client: KubernetesClient,
  resource: Resource,
  from: ListOptions & { resourceVersion: string },
  handlers: Handlers,
  signal: AbortSignal,
  clock: Clock,
  pace: Pace,
): Promise<void> {
  const until = clock.now() + relistMs;
  let { resourceVersion } = from;
  while (!isAborted(signal) && clock.now() < until) {
    const limit = limitedBy(signal, until - clock.now(), clock);
    try {
      pace.begin();
      for await (const event of client.watch(resource, { ...from, resourceVersion }, limit.signal)) {
        if (event.type === 'ERROR') {
          if (event.code === 410) return;
          handle(() => handlers.onTrouble?.(new Failure(event.message)));
          break;
        }
        if (event.type === 'BOOKMARK') {
          resourceVersion = event.resourceVersion;
        } else {
          resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
          handle(() => {
            handlers.onChange(event.type, withoutManagedFields(event.object));
          });
        }
      }
    } catch (error) {
      if (error instanceof HandlerFailure || !isTransient(error)) throw error;
      if (isStatus(error, 410)) return;
      // A watch that breaks off or stays silent is nothing to tell: the next one goes on where it ended.
      if (error instanceof Failure) handlers.onTrouble?.(error);
    } finally {
      await limit.end();
    }
    await pace.next();
  }
}

/** A signal that aborts with `signal`, or after `ms`; `end` takes the timer away. */
function limitedBy(signal: AbortSignal, ms: number, clock: Clock): { signal: AbortSignal; end(): Promise<void> } {
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  const timer = clock.sleep(ms, both).then(
    () => {
      over.abort();
    },
    () => undefined,
  );
  return {
    signal: both,
    end: async () => {
      over.abort();
      await timer;
    },
  };
}

/** Keeps requests apart when the last ones were of no use, however the server behaves. */
class Pace {
  /** So many requests in a row have been of no use. */
  #count = 0;
  #begun: number;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #random: () => number;

  constructor(clock: Clock, signal: AbortSignal, random: () => number) {
    this.#clock = clock;
    this.#signal = signal;
    this.#random = random;
    this.#begun = clock.now();
  }

  begin(): void {
    this.#begun = this.#clock.now();
  }

  /** Waits before the next request, unless the signal has aborted. */
  async next(): Promise<void> {
    if (this.#signal.aborted) return;
    if (this.#clock.now() - this.#begun >= healthyMs) this.#count = 0;
    this.#count += 1;
    await this.#clock.sleep(pauseMs(between, this.#count, this.#random), this.#signal).catch(() => undefined);
  }
}

function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  const metadata = { ...object.metadata };
  delete metadata.managedFields;
  if (booleanAt(object, 'spec', 'paused') === true) metadata.managedFields = ownersOfPause(object);
  return { ...object, metadata };
}

function ownersOfPause({ metadata }: KubernetesObject): ManagedFieldsEntry[] {
  return (metadata.managedFields ?? [])
    .filter((entry) => at(entry.fieldsV1, 'f:spec', 'f:paused') !== undefined)
    .map((entry) => ({ ...entry, fieldsV1: { 'f:spec': { 'f:paused': {} } } }));
}

/** Tells a failing handler, which is our bug, from a broken connection. */
class HandlerFailure extends Error {}

function handle(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new HandlerFailure('a handler of a watch failed', { cause: error });
  }
}

/** Errors that are no Failure come from connections that broke while events were read. */
function isTransient(error: unknown): boolean {
  if (error instanceof ApiError) return isPassingStatus(error.status) || error.status === 410;
  return !(error instanceof Failure) || error instanceof ConnectionError;
}

/** A function, because the signal changes while we wait and the compiler does not expect that. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
