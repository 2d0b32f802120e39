import { Failure } from '../base/errors.ts';
import { describeRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { goingIn, type UndoReport } from '../release/undo-report.ts';
import { failureOf } from '../report/failure.ts';
import type { Report } from '../report/report.ts';
import type { ChangeFailure } from '../release/change.ts';
import type { RunReport } from '../report/run-report.ts';
import type { RolloutWatch } from '../report/watch.ts';

/**
 * The report of a change that failed: why, and what became of it.
 * @param attempt what was tried, as a sentence begins with it: `Deploy of shop`
 */
export function finishFailed(
  report: Report,
  watch: RolloutWatch,
  { error, stays, undo }: ChangeFailure,
  attempt: string,
  manifests: readonly Manifest[] = [],
): RunReport {
  const failure = watch.explain(failureOf(error), manifests);
  report.tellFailure(failure);
  if (undo !== undefined) report.tellUndo(undo);
  if (stays === true) report.tellStays();
  if (error instanceof Failure && error.keepsState) {
    return report.finish('failed', `${attempt} is not complete: it was paused, and is left as it is`);
  }
  if (undo === undefined) return report.finish('failed', `${attempt} failed`);
  return report.finish(undo.complete ? 'undone' : 'failed', `${attempt} failed ${describeUndo(undo)}`);
}

/** Objects that a headline names; the summary has all of them. */
const namesInHeadline = 3;

/** How an undo has ended, as a headline goes on: `and was undone, except ConfigMap "a"`. */
export function describeUndo(undo: UndoReport): string {
  const open = namesOf(undo, 'failed');
  return open === ''
    ? `and was undone${exceptionsOf(undo)}`
    : `and could not be undone completely: ${open} is left for the next run`;
}

/** `, except ConfigMap "a"`, `, but ConfigMap "b" … is being deleted since …`; nothing where all is back. */
export function exceptionsOf(undo: UndoReport): string {
  const left = namesOf(undo, 'refused', 'partly', 'failed');
  const going = goingIn(undo);
  return [
    left === '' ? '' : `, except ${left}`,
    going.length === 0 ? '' : `, but ${going.join('; ')}`,
    undo.unsettled === true ? ', but what was restored is not ready again' : '',
    undo.replaced === undefined ? '' : `, but the candidate that waited before (revision ${undo.replaced}) is gone`,
  ].join('');
}

function namesOf({ results }: UndoReport, ...outcomes: UndoReport['results'][number]['outcome'][]): string {
  return listed(results.filter(({ outcome }) => outcomes.includes(outcome)).map(({ ref }) => describeRef(ref)));
}

/** `a, b and c`, `a, b, c and 2 more` */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, namesInHeadline);
  const more = names.length - shown.length;
  const parts = more > 0 ? [...shown, `${more} more`] : shown;
  return parts.length < 2 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}
