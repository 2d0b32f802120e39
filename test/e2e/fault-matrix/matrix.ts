import { faults, type Fault } from '../../support/faults.ts';
import { drawn, shareOf } from '../../support/share.ts';
import { actionsOf, strategies, type Strategy } from './actions.ts';
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
  { faults: faults.endless, limits: { timeout: 45, undoTimeout: 20 }, most: 1 },
];

export function nameOf({ strategy, action, phase, fault }: Place): string {
  return `${strategy}, ${action.name}: ${fault.name} from "${phase}" on`;
}

type Kind = (typeof kinds)[number];
type Subject = Pick<Place, 'strategy' | 'action'>;

const subjects: readonly Subject[] = (Object.keys(strategies) as Strategy[]).flatMap((strategy) =>
  actionsOf(strategy).map((action) => ({ strategy, action })),
);
const phases = [...new Set(subjects.flatMap(({ action }) => action.phases))];

/** Every fault in every phase of every action of every strategy: thousands. */
function allOf({ faults: own, limits }: Kind): Place[] {
  return own.flatMap((fault) =>
    subjects.flatMap((subject) => subject.action.phases.map((phase) => ({ ...subject, phase, fault, limits }))),
  );
}

/** Every fault in every phase, in turn with one action after the other, so that every two of the three come together. */
function squareOf({ faults: own, limits }: Kind): Place[] {
  const first = Number(process.env['TEST_SEED'] ?? '0');
  return own.flatMap((fault, row) =>
    phases.flatMap((phase, column) => {
      const fitting = subjects.filter(({ action }) => action.phases.includes(phase));
      const subject = fitting[(first + row + column) % fitting.length];
      return subject === undefined ? [] : [{ ...subject, phase, fault, limits }];
    }),
  );
}

/**
 * What is tried: every fault in every phase, or a share of that; `TEST_POINTS` of all that there is, drawn by the seed, or `all`
 * of it.
 */
export function placesOfMatrix(): Place[] {
  const points = process.env['TEST_POINTS'];
  if (points === undefined) return kinds.flatMap((kind) => shareOf(squareOf(kind), nameOf, kind.most));
  const all = kinds.flatMap(allOf);
  return points === 'all' ? all : drawn(all, nameOf, Number(points));
}
