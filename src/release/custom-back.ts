import { messageOf } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import { isBuiltIn, keepsItsPods } from '../manifests/kinds.ts';
import { judge } from '../rollout/readiness/index.ts';
import { userRuleFor, type UserRule } from '../rollout/readiness/user/user-rule.ts';
import { waitForRollout, type RolloutResult, type Target } from '../rollout/tracker.ts';
import { isHeard } from '../rollout/heard.ts';
import type { Context } from './context.ts';
import type { JournalEntry } from './journal-shape.ts';

/** A controller that has said nothing of an object this long after all was restored is waited for no longer, ms: it may not be there. */
const silentMs = 20_000;

/** What became of custom resources after they were restored; those that are in neither are ready. */
export interface Reported {
  /** Their controllers have looked at them, and they have failed or were not ready in time. */
  notReady: KubernetesObject[];
  /** Their controllers have said nothing of them yet, or they may not be watched. */
  unheard: KubernetesObject[];
}

/** The restored custom resources that are to be ready again: not those that run once, nor those that were not well before. */
export function customToComeBack(
  restored: readonly KubernetesObject[],
  entries: readonly JournalEntry[],
  userRules: readonly UserRule[],
): KubernetesObject[] {
  const before = new Map(entries.map((entry) => [keyOf(entry.ref), entry.before]));
  return restored.filter((object) => {
    const earlier = before.get(keyOf(refOf(object))) ?? undefined;
    return !isBuiltIn(object) && keepsItsPods(object) && earlier !== undefined && wasWell(earlier, userRules);
  });
}

function wasWell(before: KubernetesObject, userRules: readonly UserRule[]): boolean {
  const userRule = userRuleFor(userRules, before);
  const verdict = judge(before, {
    generation: before.metadata.generation ?? 0,
    changed: false,
    writtenAt: 0,
    now: 0,
    asWritten: before,
    quietMs: Infinity,
    ...(userRule === undefined ? {} : { userRule }),
  });
  return verdict.state === 'ready';
}

/**
 * Waits for restored custom resources as for those of a deploy, but only as long as their controllers show that they have seen them.
 * Says of each that is not ready why.
 * @param objects as they were restored
 * @param deadline milliseconds since the epoch
 * @throws the reason of the signal
 */
export async function untilReported(
  context: Context,
  objects: readonly KubernetesObject[],
  { deadline, userRules }: { deadline: number; userRules: readonly UserRule[] },
): Promise<Reported> {
  const { client, clock, reporter, signal } = context;
  try {
    // Other steps came after some of them.
    const now = await Promise.all(objects.map((object) => client.read(refOf(object))));
    const writtenAt = serverNow(client, clock);
    const targets = objects.map((asWritten, index): Target => {
      return { object: now[index] ?? asWritten, asWritten, changed: true, writtenAt };
    });
    const options = { reporter, clock, deadline, signal, userRules, silentMs };
    return report(await waitForRollout(client, targets, options), objects, reporter);
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`restored custom resources could not be watched: ${messageOf(error)}`);
    return report(undefined, objects, reporter);
  }
}

/** @param result undefined where nothing is known of any of them */
function report(
  result: RolloutResult | undefined,
  objects: readonly KubernetesObject[],
  reporter: Pick<Reporter, 'warning'>,
): Reported {
  const reported: Reported = { notReady: [], unheard: [] };
  objects.forEach((asRestored, index) => {
    const seen = result?.targets[index];
    const name = describeRef(refOf(asRestored), true);
    const { object, verdict } = seen ?? { object: asRestored, verdict: undefined };
    const isPending = verdict?.state === 'progressing';
    if (seen === undefined || seen.isSilent === true || (isPending && !isHeard(object, asRestored))) {
      reported.unheard.push(object);
      reporter.warning(`${name} is back as it was; its controller has not reported it ready yet`);
    } else if (verdict?.state === 'failed' || verdict?.state === 'progressing') {
      reported.notReady.push(object);
      const text = verdict.state === 'failed' ? verdict.cause.message : verdict.message;
      reporter.warning(`${name} was restored, but is not ready again: ${text}`);
    }
  });
  return reported;
}
