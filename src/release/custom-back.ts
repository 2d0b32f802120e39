import { messageOf } from '../base/errors.ts';
import { equal } from '../base/json.ts';
import { conditionsOf } from '../kubernetes/conditions.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import { isBuiltIn, keepsItsPods } from '../manifests/kinds.ts';
import { observedGeneration } from '../rollout/readiness/custom/conditions.ts';
import { judge } from '../rollout/readiness/index.ts';
import { userRuleFor, type UserRule } from '../rollout/readiness/user/user-rule.ts';
import { waitForRollout, type RolloutResult } from '../rollout/tracker.ts';
import type { Context } from './context.ts';
import type { JournalEntry } from './journal-shape.ts';

/**
 * A controller that has said nothing of an object this long after it was restored is waited for no longer, ms: it may not be there. No
 * rule waits longer for a status to stay as it is where its controller names no generation.
 */
const silentMs = 20_000;

/** What became of custom resources after they were restored; those that are in neither are ready. */
export interface Reported {
  /** Their controllers have looked at them, and they have failed or were not ready in time. */
  notReady: KubernetesObject[];
  /** Their controllers have said nothing of them yet. */
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
  const { state } = judge(before, {
    generation: before.metadata.generation ?? 0,
    changed: false,
    writtenAt: 0,
    now: 0,
    asWritten: before,
    quietMs: Infinity,
    ...(userRule === undefined ? {} : { userRule }),
  });
  return state === 'ready' || state === 'unchecked';
}

/**
 * Waits for restored custom resources as for those of a deploy, but only as long as their controllers show that they have seen them.
 * Says of each that is not ready why.
 * @param deadline milliseconds since the epoch
 * @throws the reason of the signal
 */
export async function untilReported(
  context: Context,
  objects: readonly KubernetesObject[],
  { deadline, userRules }: { deadline: number; userRules: readonly UserRule[] },
): Promise<Reported> {
  const { client, clock, reporter, signal } = context;
  const writtenAt = serverNow(client, clock);
  const wait = async (some: readonly KubernetesObject[], until: number, since = writtenAt) => {
    const targets = some.map((object) => ({ object, changed: true, writtenAt: since }));
    return await waitForEach(targets, async (rest) =>
      waitForRollout(client, rest, { reporter, clock, deadline: until, signal, userRules }),
    );
  };
  const asRestored = new Map(objects.map((object) => [keyOf(refOf(object)), object]));
  const isNews = ({ object }: Open) => isHeard(object, asRestored.get(keyOf(refOf(object))));
  const restoredOf = ({ object }: Open) => asRestored.get(keyOf(refOf(object))) ?? object;
  const reported: Reported = { notReady: [], unheard: [] };
  const open = (object: KubernetesObject, text: string) => {
    reported.notReady.push(object);
    reporter.warning(`${describeRef(refOf(object), true)} was restored, but is not ready again: ${text}`);
  };
  try {
    const silentUntil = Math.min(deadline, clock.now() + silentMs);
    const first = await wait(objects, silentUntil);
    // What the failed version was told in the second of the undo tells nothing of the one that is back.
    const old = first.failed.filter((one) => !isNews(one));
    const next = await wait(old.map(restoredOf), silentUntil, writtenAt + 1000);
    const failed = [...first.failed.filter((one) => !old.includes(one)), ...next.failed];
    const late = [...first.late, ...next.late, ...failed.filter((one) => !isNews(one))];
    for (const { object, text } of failed.filter(isNews)) open(object, text);
    const heard = late.filter(isNews);
    const again = await wait(heard.map(restoredOf), deadline);
    for (const { object, text } of [...again.failed, ...again.late]) open(object, text);
    reported.unheard.push(...late.filter((one) => !heard.includes(one)).map(({ object }) => object));
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`restored custom resources could not be watched: ${messageOf(error)}`);
    const known = new Set(reported.notReady.map((object) => keyOf(refOf(object))));
    reported.unheard.push(...objects.filter((object) => !known.has(keyOf(refOf(object)))));
  }
  for (const object of reported.unheard)
    reporter.warning(
      `${describeRef(refOf(object), true)} is back as it was; its controller has not reported it ready yet`,
    );
  return reported;
}

type RolloutTarget = Parameters<typeof waitForRollout>[1][number];

interface Open {
  object: KubernetesObject;
  /** Why it is not ready. */
  text: string;
}

/** A failure ends a wait for all: the others are waited for once more. */
async function waitForEach(
  targets: readonly RolloutTarget[],
  wait: (rest: readonly RolloutTarget[]) => Promise<RolloutResult>,
): Promise<Record<'failed' | 'late', Open[]>> {
  const failed: Open[] = [];
  let rest = targets;
  while (rest.length > 0) {
    const { outcome, targets: seen } = await wait(rest);
    const open = seen.map(({ object, verdict }) => ({ object, verdict }));
    const late = open.flatMap(({ object, verdict }) =>
      verdict.state === 'progressing' ? [{ object, text: verdict.message }] : [],
    );
    const now = open.flatMap(({ object, verdict }) =>
      verdict.state === 'failed' ? [{ object, text: verdict.cause.message }] : [],
    );
    failed.push(...now);
    if (outcome !== 'failed' || now.length === 0) return { failed, late };
    const names = new Set(late.map(({ object }) => keyOf(refOf(object))));
    rest = rest.filter(({ object }) => names.has(keyOf(refOf(object))));
  }
  return { failed, late: [] };
}

/** Whether its controller has looked at it since it was restored: it names that generation, or has changed the status. */
function isHeard(object: KubernetesObject, asRestored: KubernetesObject | undefined): boolean {
  const generation = asRestored?.metadata.generation ?? 0;
  const names = (seen: number | undefined) => generation > 0 && seen !== undefined && seen >= generation;
  return (
    names(observedGeneration(object)) ||
    conditionsOf(object).some((one) => names(one.observedGeneration)) ||
    !equal(object['status'], asRestored?.['status'])
  );
}
