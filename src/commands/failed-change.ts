import { Failure } from '../base/errors.ts';
import { describeRef } from '../kubernetes/object.ts';
import type { Manifest } from '../manifests/manifest.ts';
import { goingIn, unheardIn, type UndoReport } from '../release/undo-report.ts';
import type { Context } from '../release/context.ts';
import { failureOf } from '../report/failure.ts';
import { listed } from '../report/headline.ts';
import type { Report } from '../report/report.ts';
import type { ChangeFailure } from '../release/change.ts';
import type { RunReport } from '../report/run-report.ts';
import type { RolloutWatch } from '../report/watch.ts';
import { servingNow } from './serving-now.ts';

/** A change that failed, and what is known of it. */
interface FailedChange {
  report: Report;
  watch: RolloutWatch;
  failure: ChangeFailure;
  /** What was tried, as a sentence begins with it: `shop: deploy of web 1.0.0 → 2.0.0` */
  attempt: string;
}

/** The report of a change that failed: why, what became of it, and what serves now where that can be seen. */
export async function finishFailed(
  context: Context,
  target: { namespace: string; release: string },
  { report, watch, failure: { error, stays, undo }, attempt }: FailedChange,
  manifests: readonly Manifest[] = [],
): Promise<RunReport> {
  const failure = watch.explain(failureOf(error), manifests);
  report.tellFailure(failure);
  if (undo !== undefined) report.tellUndo(undo);
  if (stays === true) report.tellStays();
  // What was not begun has changed nothing of it.
  const serves = undo === undefined && stays !== true ? '' : await tellServing(context, target, report, undo);
  if (error instanceof Failure && error.keepsState) {
    return report.finish('failed', `${attempt} stopped half-way: it was paused, and is left as it is${serves}`);
  }
  if (undo === undefined)
    return report.finish('failed', `${attempt} failed${stays === true ? ' and is left as it is' : ''}${serves}`);
  return report.finish(undo.complete ? 'undone' : 'failed', `${attempt} failed ${describeUndo(undo)}${serves}`);
}

/**
 * Tells the report how the workloads of what is live are now.
 * @returns `; users still get web 1.0.0`, by what the Services of the release lead to now; `still` after a complete undo alone, of which all is ready again. Empty where
 * that is not known.
 */
export async function tellServing(
  context: Context,
  target: { namespace: string; release: string },
  report: Report,
  undo: UndoReport | undefined,
): Promise<string> {
  const { serving, versions } = await servingNow(context, target);
  report.tellNow(versions);
  if (serving === undefined) return '';
  return undo?.complete === true && undo.unheard === undefined
    ? `; users still get ${serving}`
    : `; users now get ${serving}`;
}

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
    ...unheardIn(undo).map((text) => `, but ${text}`),
    undo.replaced === undefined
      ? ''
      : `, but the candidate that was waiting before (revision ${undo.replaced}) is gone`,
  ].join('');
}

function namesOf({ results }: UndoReport, ...outcomes: UndoReport['results'][number]['outcome'][]): string {
  return listed(results.filter(({ outcome }) => outcomes.includes(outcome)).map(({ ref }) => describeRef(ref)));
}
