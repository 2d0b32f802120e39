import { formatDuration, type Clock } from '../base/clock.ts';
import { Failure } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isPaused, pausedBy } from './pause.ts';

interface ResumeOptions {
  clock: Clock;
  reporter: Reporter;
  signal: AbortSignal;
  /** How long a pause is waited for. */
  timeoutMs: number;
  /** Whether what was done until then stays, after that; otherwise it is undone. */
  keepsState: boolean;
  /** Told of the time for which nothing else went on, while it does. */
  onStandStill: (ms: number) => void;
}

/** Somebody has stopped the release, and nobody has let it go on. */
class StillPaused extends Failure {
  override readonly keepsState: boolean;

  constructor(message: string, { keepsState, hint }: { keepsState: boolean; hint: string }) {
    super(message, { hint });
    this.keepsState = keepsState;
  }
}

/** How often that is asked, and told, ms. */
const pollMs = 2_000;
const tellMs = 60_000;

/**
 * Waits as long as somebody has paused one of these: between two steps of a canary its stable version, before the
 * switch of blue-green the side that serves. Whoever pauses a release means the run that is at work on it, too.
 * @throws StillPaused after `timeoutMs`
 */
export async function untilResumed(
  client: KubernetesClient,
  refs: readonly ObjectRef[],
  { clock, reporter, signal, timeoutMs, keepsState, onStandStill }: ResumeOptions,
): Promise<void> {
  const since = clock.now();
  let toldAt = Number.NEGATIVE_INFINITY;
  for (;;) {
    const [paused] = await pausedAmong(client, refs);
    const now = clock.now();
    if (paused === undefined) {
      if (toldAt > 0) reporter.info(`Resumed after ${formatDuration(now - since)}: the next step begins`);
      return;
    }
    const name = describeRef(refOf(paused));
    if (now - since >= timeoutMs)
      throw new StillPaused(`${name} has been paused ${pausedBy(paused)} for ${formatDuration(timeoutMs)}`, {
        keepsState,
        hint: 'Run the command "resume" (or kubectl rollout resume), then this one again.',
      });
    if (now - toldAt >= tellMs) {
      const left = formatDuration(timeoutMs - (now - since));
      reporter.info(
        `${name} is paused ${pausedBy(paused)}: no further step begins until "resume"; ${left} left for that`,
      );
      toldAt = now;
    }
    await clock.sleep(Math.min(pollMs, timeoutMs), signal);
    onStandStill(clock.now() - now);
  }
}

async function pausedAmong(client: KubernetesClient, refs: readonly ObjectRef[]): Promise<KubernetesObject[]> {
  const found = await Promise.all(refs.map(async (ref) => await client.read(ref)));
  return found.filter((object) => object !== undefined).filter(isPaused);
}
