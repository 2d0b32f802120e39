import type { Manifest } from '../manifests/manifest.ts';
import { failureOf, type Draft } from './draft.ts';
import type { ChangeFailure } from './guarded-change.ts';
import type { RunReport } from './report.ts';
import type { RolloutWatch } from './rollout-watch.ts';

/**
 * The report of a change that failed: why, and what became of it.
 * @param attempt what was tried, as a sentence begins with it: `Deploy of shop`
 */
export function finishFailed(
  draft: Draft,
  watch: RolloutWatch,
  { error, undo }: ChangeFailure,
  attempt: string,
  manifests: readonly Manifest[] = [],
): RunReport {
  const failure = watch.explain(failureOf(error), manifests);
  draft.add({ failure, ...(undo === undefined ? {} : { undo }) });
  if (undo === undefined) return draft.finish('failed', `${attempt} failed`);
  return undo.complete
    ? draft.finish('undone', `${attempt} failed and was undone`)
    : draft.finish('failed', `${attempt} failed and could not be undone completely`);
}
