import { numberAt } from '../base/json.ts';
import { describeRef, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
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

/** A workload as it is, and as the live revision has it in its record. */
interface Found {
  object: KubernetesObject;
  recorded?: KubernetesObject | undefined;
}

/** Without what `scale` has set, which is known. */
export function withoutScaled(drift: readonly Drift[], events: readonly ReleaseEvent[] | undefined): Drift[] {
  const scaled = lastScaled(events);
  return drift.filter(
    ({ field, ref, live }) => field !== 'replicas' || String(scaled.get(`${ref.kind} ${ref.name}`)) !== live,
  );
}

/** Which workloads have as many pods as `scale` has set, and not as many as the manifests say. */
export function scaledNotes(found: readonly Found[], events: readonly ReleaseEvent[] | undefined): string[] {
  const scaled = lastScaled(events);
  return found.flatMap(({ object, recorded }) => {
    const ref = refOf(object);
    const live = numberAt(object, 'spec', 'replicas');
    const stated = numberAt(recorded, 'spec', 'replicas');
    if (stated === undefined || stated === live || scaled.get(`${ref.kind} ${ref.name}`) !== live) return [];
    return `${describeRef(ref)} was scaled from ${stated} to ${live}; the next deploy sets the number of the manifests again`;
  });
}
