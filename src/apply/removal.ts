import type { Clock } from '../base/clock.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';

/** How long an object may take to go away; its containers get their grace period. */
const removalMs = 60_000;
const pollMs = 250;

export interface RemovalOptions {
  clock: Clock;
  /** Until when to wait at most, milliseconds since the epoch. */
  deadline?: number;
  signal?: AbortSignal;
}

/**
 * Waits until this very object is gone, for a minute at most. Answers it as it is when something holds it up: it was deleted,
 * and is not gone.
 */
export async function untilGone(
  client: KubernetesClient,
  object: KubernetesObject,
  { clock, deadline = Infinity, signal }: RemovalOptions,
): Promise<KubernetesObject | undefined> {
  const until = Math.min(deadline, clock.now() + removalMs);
  for (;;) {
    const live = await client.read(refOf(object));
    if (live === undefined || live.metadata.uid !== object.metadata.uid) return undefined;
    if (clock.now() >= until) return live;
    await clock.sleep(pollMs, signal);
  }
}

/** What something else holds up must not take all of the time that the rest needs. */
export function halfOf({ clock, deadline = Infinity, ...options }: RemovalOptions): RemovalOptions {
  const now = clock.now();
  return { ...options, clock, deadline: now + (deadline - now) / 2 };
}
