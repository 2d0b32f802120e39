import type { Prepared } from '../../apply/prepared.ts';
import { numberAt, objectAt } from '../../base/json.ts';
import type { Shortage, Surge } from '../../capacity/capacity.ts';
import { refOf } from '../../kubernetes/object.ts';
import { podsOf, podSpecOf } from '../../manifests/pod-template.ts';
import { deviceAmounts } from './devices.ts';

/** All of its new pods, with none of the old ones. */
export function wholeOf({ live, predicted }: Prepared): Surge | undefined {
  if (live === undefined || predicted === undefined) return undefined;
  const template = objectAt(predicted, 'spec', 'template');
  const freed = numberAt(live, 'status', 'replicas') ?? 0;
  return { ref: refOf(predicted), template, extra: podsOf(predicted), freed };
}

/** Whether a new pod asks for more of a device than an old one has. */
export function asksForMore({ live, predicted }: Prepared): boolean {
  const [before, after] = [live, predicted].map((object) => deviceAmounts(object && podSpecOf(object)));
  return [...(after ?? [])].some(([name, amount]) => amount > (before?.get(name) ?? 0));
}

/** Whether there are to be more pods than now, for which doing it in place makes no room. */
export function grows({ live, predicted }: Prepared): boolean {
  return podsOf(predicted) > (numberAt(live, 'status', 'replicas') ?? 0);
}

export const notForAll =
  '"on-low-capacity: in-place" does not help, since not all of the new pods have room without the old ones: free up or add nodes, use fewer replicas, or ask for fewer devices per pod.';

/** What is short of the whole. */
export function withoutOldPods(shortage: Shortage): Shortage {
  return { ...shortage, message: `${shortage.message}, even without the old pods` };
}
