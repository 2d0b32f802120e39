import { equal } from '../base/json.ts';
import type { Source } from '../capacity/report.ts';
import { isWorkload } from '../manifests/kinds.ts';
import type { Prepared } from '../apply/prepared.ts';
import { settled, type End, type Plan, type Strategy } from '../plan/plan.ts';
import type { Apply, Step } from '../plan/step.ts';
import { templateLabels } from '../traffic/pods.ts';
import { isService, selectorOf, selects } from '../traffic/services.ts';
import { tellJoined } from './bystanders.ts';
import { refusePinned } from './fitness.ts';
import { applyInPlace, restoreRollingUpdates, type Cramped } from './in-place.ts';
import { refusePaused } from './paused.ts';
import { lookForRoomOfCustom } from './room/look.ts';
import { lookForRoom } from './surge-room.ts';

/** All at once, as each workload's own update strategy says. */
export const rolling: Strategy = (context, manifests) =>
  Promise.resolve({
    manifests,
    plan: async (prepared) => {
      refusePinned(prepared, 'rolling');
      await tellJoined(context, prepared);
      return allAtOnce(prepared);
    },
  });

/** Likewise, but not where a rolling update could certainly never begin: that is refused, or done in place. */
export const rollingWithRoom: Strategy = withRoom();

/** The same for what is recorded of an earlier version. */
export const rollingBackWithRoom: Strategy = withRoom('revision');

function withRoom(source?: Source): Strategy {
  return async (context, manifests) => {
    const arrangement = await rolling(context, manifests);
    return {
      ...arrangement,
      plan: async (prepared) => {
        const plan = await arrangement.plan(prepared);
        await lookForRoomOfCustom(context, prepared);
        const cramped = await lookForRoom(context, prepared, source);
        return cramped.length === 0 ? plan : allAtOnce(prepared, undefined, cramped);
      },
    };
  };
}

/**
 * @param cramped what has to replace its pods in place
 * @throws InvalidInput for what somebody has paused
 */
export function allAtOnce(prepared: readonly Prepared[], end?: End, cramped: readonly Cramped[] = []): Plan {
  refusePaused(prepared);
  const late = prepared.filter((entry) => followsItsPods(entry, prepared));
  const first = prepared.filter((entry) => !late.includes(entry));
  const title = 'Apply all objects, and wait until they are ready';
  const steps: Step[] = cramped.length === 0 ? [applyCompared(title, first)] : applyInPlace(title, first, cramped);
  if (late.length > 0) steps.push(applyCompared('Send Service traffic to the new pods, which are ready', late));
  return { stages: [settled([...steps, ...restoreRollingUpdates(cramped)], end)] };
}

/** Applies what has been compared with the cluster already. */
export function applyCompared(title: string, entries: readonly Prepared[]): Apply {
  return { do: 'apply', title, objects: entries.map(({ manifest }) => manifest), compared: entries };
}

/**
 * A Service that is to lead to other pods than now goes on leading to those that it has until the others are ready: where
 * these are made anew, or the Service as it is finds them too.
 */
function followsItsPods({ live, manifest }: Prepared, prepared: readonly Prepared[]): boolean {
  if (live === undefined || !isService(live) || equal(selectorOf(live), selectorOf(manifest.object))) return false;
  const next = prepared.filter(
    ({ manifest: { object } }) =>
      isWorkload(object) &&
      object.metadata.namespace === live.metadata.namespace &&
      selects(selectorOf(manifest.object), templateLabels(object)),
  );
  return (
    next.length > 0 &&
    next.every((entry) => entry.live === undefined || selects(selectorOf(live), templateLabels(entry.manifest.object)))
  );
}
