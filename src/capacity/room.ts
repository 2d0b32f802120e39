import type { KubernetesObject } from '../kubernetes/object.ts';
import { demandOf } from './demand.ts';
import { futurePod } from './neighbours.ts';
import { freeCapacity, place, type Placement } from './placement.ts';
import { isEnding, preemptible } from './pods.ts';
import type { AskedFor } from './report.ts';

/**
 * Looks for a place for all, first beside every pod that is there, then as if those that are ending had gone, then as if
 * those of lower priority made place.
 */
export function findRoom(
  nodes: readonly KubernetesObject[],
  pods: readonly KubernetesObject[],
  asks: readonly AskedFor[],
): { placements: Placement[]; note?: string } {
  const leaving = new Set(asks.flatMap(({ leaving: own }) => own ?? []));
  const staying = pods.filter((pod) => !leaving.has(pod));
  const lasting = staying.filter((pod) => !isEnding(pod));
  const lower = asks.map(({ template }) => preemptible(lasting, template));
  const firm = lasting.filter((pod) => !lower.every((set) => set.has(pod)));
  const looks = [
    { present: staying },
    { present: lasting, note: `there is capacity once the terminating pods are gone` },
    { present: firm, note: 'there is capacity only if lower-priority pods are evicted' },
  ].filter(({ present }, index, all) => index === 0 || present.length < (all[index - 1]?.present.length ?? 0));
  const wanted = asks.map(({ ref, template, extra }) => ({
    demand: demandOf(template, extra),
    pod: futurePod(ref.name, ref.namespace, template),
  }));
  let placements: Placement[] = [];
  for (const { present, note } of looks) {
    placements = place(freeCapacity(nodes, present), wanted);
    if (placements.every(({ placed }, index) => placed === asks[index]?.extra)) {
      return note === undefined ? { placements } : { placements, note };
    }
  }
  return { placements };
}
