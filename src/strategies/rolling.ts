import type { Source } from '../capacity/report.ts';
import { refOf } from '../kubernetes/object.ts';
import type { Prepared } from '../apply/prepared.ts';
import { settled, type End, type Plan, type PlanContext, type Strategy } from '../plan/plan.ts';
import type { Apply, Step } from '../plan/step.ts';
import { tellJoined } from './bystanders.ts';
import { refusePinned } from './fitness.ts';
import { applyInPlace, restoreRollingUpdates, type Cramped } from './in-place.ts';
import { refusePaused } from './paused.ts';
import { lookForRoomOfCustom } from './room/look.ts';
import { moveOf, unitedServices, type United } from './service-moves.ts';
import { lookForRoom } from './surge-room.ts';

/** All at once, as each workload's own update strategy says. */
export const rolling: Strategy = (context, manifests) =>
  Promise.resolve({
    manifests,
    plan: async (prepared) => allAtOnce(prepared, { united: await lookAtServices(context, prepared) }),
  });

async function lookAtServices(context: PlanContext, prepared: readonly Prepared[]): Promise<United[]> {
  refusePinned(prepared, 'rolling');
  await tellJoined(context, prepared);
  return await unitedServices(context, prepared);
}

/** Likewise, but not where a rolling update could certainly never begin: that is refused, or done in place. */
export const rollingWithRoom: Strategy = withRoom();

/** The same for what is recorded of an earlier version. */
export const rollingBackWithRoom: Strategy = withRoom('revision');

function withRoom(source?: Source): Strategy {
  return (context, manifests) =>
    Promise.resolve({
      manifests,
      plan: async (prepared) => {
        const united = await lookAtServices(context, prepared);
        refusePaused(prepared);
        await lookForRoomOfCustom(context, prepared);
        const cramped = await lookForRoom(context, prepared, source);
        return allAtOnce(prepared, { cramped, united });
      },
    });
}

interface AllAtOnce {
  end?: End;
  /** What has to replace its pods in place. */
  cramped?: readonly Cramped[];
  /** Services that lead to old and new pods meanwhile. */
  united?: readonly United[];
}

/** @throws InvalidInput for what somebody has paused */
export function allAtOnce(prepared: readonly Prepared[], { end, cramped = [], united = [] }: AllAtOnce = {}): Plan {
  refusePaused(prepared);
  const between = new Set(united.map(({ entry }) => entry));
  const late = prepared.filter((entry) => moveOf(entry, prepared) === 'late');
  const first = prepared.filter((entry) => !late.includes(entry) && !between.has(entry));
  const title = 'Apply all objects, and wait until they are ready';
  const steps: Step[] = cramped.length === 0 ? [applyCompared(title, first)] : applyInPlace(title, first, cramped);
  return {
    stages: [
      settled(
        [
          ...stepsToUnite(united),
          ...steps,
          ...stepsToLeadOn(
            prepared.filter((entry) => late.includes(entry) || between.has(entry)),
            between,
          ),
          ...restoreRollingUpdates(cramped),
        ],
        end,
      ),
    ],
  };
}

function stepsToUnite(united: readonly United[]): Step[] {
  if (united.length === 0) return [];
  const names = united.map(({ entry }) => entry.manifest.object.metadata.name).join(', ');
  return [
    {
      do: 'set',
      title: `Let ${names} send requests to old and new pods, whose labels differ`,
      fields: united.map(({ entry, selector }) => ({
        of: refOf(entry.manifest.object),
        path: ['spec', 'selector'],
        to: { ...selector },
      })),
    },
  ];
}

/** @param between what has been written meanwhile, and is compared once more */
function stepsToLeadOn(entries: readonly Prepared[], between: ReadonlySet<Prepared>): Step[] {
  if (entries.length === 0) return [];
  const compared = entries.filter((entry) => !between.has(entry));
  return [{ ...applyCompared('Send Service traffic to the new pods, which are ready', entries), compared }];
}

/** Applies what has been compared with the cluster already. */
export function applyCompared(title: string, entries: readonly Prepared[]): Apply {
  return { do: 'apply', title, objects: entries.map(({ manifest }) => manifest), compared: entries };
}
