import { messageOf } from '../base/errors.ts';
import { equal, objectAt } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { serverNow } from '../kubernetes/server-time.ts';
import { isDeployment } from '../manifests/kinds.ts';
import { oneByOne, rollingUpdateOf } from '../manifests/rolling-update.ts';
import { waitForRollout } from '../rollout/tracker.ts';
import type { Context } from './context.ts';
import type { JournalEntry } from './journal-shape.ts';

/**
 * Waits for Deployments that replace pods in place only for this run, before an undo lets them begin with an extra pod again:
 * half-way they would be stuck in a full pool. An earlier undo may have run out of time while the old pods started. The step that
 * makes them do so changes nothing else; one that does is the user's own.
 * @param entries of a step that is about to be undone
 * @param deadline by then it is undone anyway, ms since the epoch
 */
export async function untilReplacedInPlace(
  { client, clock, reporter, signal }: Context,
  entries: readonly JournalEntry[],
  deadline: number,
): Promise<void> {
  if (entries.length === 0 || !entries.every(isOnlyInPlace)) return;
  try {
    const found = await Promise.all(entries.map(({ ref }) => client.read(ref)));
    const writtenAt = serverNow(client, clock);
    const targets = found
      .filter((object) => object !== undefined)
      .map((object) => ({ object, changed: true, writtenAt }));
    if (targets.length > 0) await waitForRollout(client, targets, { reporter, clock, deadline, signal });
  } catch (error) {
    signal.throwIfAborted();
    reporter.debug(`whether all pods are replaced is unknown: ${messageOf(error)}`);
  }
}

/** Whether the step has only made it replace its pods in place. */
function isOnlyInPlace({ before, after }: JournalEntry): boolean {
  if (before === null || after === null || !isDeployment(before)) return false;
  return isOneByOne(after) && !isOneByOne(before) && equal(templateOf(before), templateOf(after));
}

function isOneByOne(deployment: KubernetesObject): boolean {
  return equal(rollingUpdateOf(deployment), oneByOne);
}

function templateOf(deployment: KubernetesObject): ReturnType<typeof objectAt> {
  return objectAt(deployment, 'spec', 'template');
}
