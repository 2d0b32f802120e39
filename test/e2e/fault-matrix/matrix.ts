import { faults, type Fault } from '../../support/faults.ts';
import { drawn, shareOf } from '../../support/share.ts';
import { actionsOf, strategies, type Action, type Strategy } from './actions.ts';
import type { Limits, Point } from './point.ts';

/** A point of the matrix, with the strategy of which its action is. */
export interface Place extends Point {
  strategy: Strategy;
}

/** Kinds of faults: how long the run may take with one, and how many of them a share of the matrix has at most. */
const kinds: readonly { faults: readonly Fault[]; limits: Limits; most: number }[] = [
  { faults: faults.passing, limits: { timeout: 60, undoTimeout: 60 }, most: 6 },
  // Longer than a lock lasts, and than the time that is left for the work.
  { faults: faults.outages, limits: { timeout: 30, undoTimeout: 60 }, most: 1 },
  { faults: faults.endless, limits: { timeout: 20, undoTimeout: 20 }, most: 1 },
];

export function nameOf({ strategy, action, phase, fault }: Place): string {
  return `${strategy}, ${action.name}: ${fault.name} from "${phase}" on`;
}

function placesOf(strategy: Strategy, action: Action, kind: (typeof kinds)[number]): Place[] {
  return action.phases.flatMap((phase) =>
    kind.faults.map((fault) => ({ strategy, action, phase, fault, limits: kind.limits })),
  );
}

/** Every fault in every phase of every action of every strategy; a share of it, or `TEST_POINTS` of them, by the seed. */
export function placesOfMatrix(): Place[] {
  const actions = (Object.keys(strategies) as Strategy[]).flatMap((strategy) =>
    actionsOf(strategy).map((action) => ({ strategy, action })),
  );
  const all = kinds.map((kind) => actions.flatMap(({ strategy, action }) => placesOf(strategy, action, kind)));
  const points = process.env['TEST_POINTS'];
  if (points !== undefined) return drawn(all.flat(), nameOf, Number(points));
  return all.flatMap((places, index) => shareOf(places, nameOf, kinds[index]?.most));
}
