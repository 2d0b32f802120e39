import { describeRef, type ObjectRef } from '../kubernetes/object.ts';
import type { Drift } from './drift-words.ts';
import type { ReleaseEvent } from './release-event.ts';

/** A workload whose number of pods the command `scale` has set. */
export interface Scaled extends Pick<ObjectRef, 'kind' | 'name'> {
  replicas: number;
}

/** As an event of a revision has it: `Deployment web to 5, Deployment worker to 0` */
export function describeScaled(scaled: readonly Scaled[]): string {
  return scaled.map(({ kind, name, replicas }) => `${kind} ${name} to ${replicas}`).join(', ');
}

/** What the command `scale` has set last of each workload, as the events of a revision tell; by `Kind name`. */
export function lastScaled(events: readonly ReleaseEvent[] = []): ReadonlyMap<string, number> {
  const done = events.filter(({ command, outcome }) => command === 'scale' && outcome === 'done');
  return new Map(
    done.flatMap(({ what = '' }) =>
      what.split(', ').flatMap((part): [string, number][] => {
        const { workload, replicas } = /^(?<workload>\w+ \S+) to (?<replicas>\d{1,9})$/.exec(part)?.groups ?? {};
        return workload === undefined ? [] : [[workload, Number(replicas)]];
      }),
    ),
  );
}

/** Tells what `scale` has set, which is known, from what somebody else has changed. */
export function withoutScaled(
  drift: readonly Drift[],
  events: readonly ReleaseEvent[] | undefined,
): { drift: Drift[]; notes: string[] } {
  const scaled = lastScaled(events);
  const isScaled = ({ field, ref, live }: Drift) =>
    field === 'replicas' && live !== undefined && String(scaled.get(`${ref.kind} ${ref.name}`)) === live;
  return {
    drift: drift.filter((change) => !isScaled(change)),
    notes: drift
      .filter(isScaled)
      .map(
        ({ ref, recorded = 'the default', live = '' }) =>
          `${describeRef(ref)} was scaled from ${recorded} to ${live}; the next deploy sets the number of the manifests again`,
      ),
  };
}
