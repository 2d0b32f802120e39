import type { Clock } from '../base/clock.ts';
import type { KubernetesClient, ListOptions, Resource } from './client.ts';
import { ApiError, isStatus } from './errors.ts';
import type { KubernetesObject } from './object.ts';

export interface Handlers {
  /** After each list: everything that is there now. What was there before and is missing has gone. */
  onSync(objects: KubernetesObject[]): void;
  onChange(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject): void;
}

const firstBackoffMs = 100;
const lastBackoffMs = 5000;
/** A list as a safety net: watches have been seen to stop silently behind load balancers. */
const relistMs = 60_000;

/**
 * Follows the objects of one kind until the signal aborts: a list, then watches that go on where the last one ended, and
 * a new list when the server has forgotten that place (410) or a minute has passed.
 * @throws ApiError for what will not heal by itself: 401, 403, 404; and whatever a handler throws
 */
export async function observe(
  client: KubernetesClient,
  resource: Resource,
  scope: ListOptions,
  handlers: Handlers,
  signal: AbortSignal,
  clock: Clock,
): Promise<void> {
  let backoffMs = firstBackoffMs;
  while (!signal.aborted) {
    const listed = clock.now();
    try {
      const { items, resourceVersion } = await client.list(resource, scope);
      if (isAborted(signal)) return;
      callHandler(() => {
        handlers.onSync(items);
      });
      const progressed = await follow(
        client,
        resource,
        scope,
        handlers,
        signal,
        clock,
        resourceVersion,
        listed + relistMs,
      );
      if (progressed) backoffMs = firstBackoffMs;
    } catch (error) {
      if (error instanceof HandlerFailure) throw error.cause;
      if (isAborted(signal)) return;
      if (!isTransient(error)) throw error;
    }
    if (isAborted(signal)) return;
    if (clock.now() - listed < backoffMs) {
      await clock.sleep(backoffMs, signal).catch(() => undefined);
      backoffMs = Math.min(backoffMs * 2, lastBackoffMs);
    }
  }
}

/** Watches, again and again from the last place seen, until it is time for a list. True when anything came. */
async function follow(
  client: KubernetesClient,
  resource: Resource,
  scope: ListOptions,
  handlers: Handlers,
  signal: AbortSignal,
  clock: Clock,
  from: string,
  until: number,
): Promise<boolean> {
  let resourceVersion = from;
  let progressed = false;
  let backoffMs = firstBackoffMs;
  while (!isAborted(signal) && clock.now() < until) {
    const limit = new AbortController();
    const relist = clock.sleep(Math.max(0, until - clock.now()), AbortSignal.any([signal, limit.signal])).then(
      () => {
        limit.abort();
      },
      () => undefined,
    );
    let came = false;
    try {
      const both = AbortSignal.any([signal, limit.signal]);
      for await (const event of client.watch(resource, { ...scope, resourceVersion }, both)) {
        if (event.type === 'ERROR') {
          if (event.code === 410) return progressed;
          break;
        }
        came = true;
        if (event.type === 'BOOKMARK') {
          resourceVersion = event.resourceVersion;
        } else {
          resourceVersion = event.object.metadata.resourceVersion ?? resourceVersion;
          callHandler(() => {
            handlers.onChange(event.type, event.object);
          });
        }
      }
    } catch (error) {
      if (error instanceof HandlerFailure) throw error;
      if (isStatus(error, 410)) return progressed;
      if (error instanceof ApiError && !isTransient(error)) throw error;
    } finally {
      limit.abort();
      await relist;
    }
    progressed ||= came;
    if (!isAborted(signal) && clock.now() < until) {
      backoffMs = came ? firstBackoffMs : Math.min(backoffMs * 2, lastBackoffMs);
      await clock.sleep(backoffMs, signal).catch(() => undefined);
    }
  }
  return progressed;
}

/** Tells a failing handler, which is our bug, from a broken connection. */
class HandlerFailure extends Error {}

function callHandler(work: () => void): void {
  try {
    work();
  } catch (error) {
    throw new HandlerFailure('a handler of a watch failed', { cause: error });
  }
}

function isTransient(error: unknown): boolean {
  return !(error instanceof ApiError) || error.status === 429 || error.status >= 500 || error.status === 410;
}

/** A function, because the signal changes while we wait and the compiler does not expect that. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
