import { describeRef, keyOf, refOf } from '../kubernetes/object.ts';
import { runsOnce } from '../manifests/kinds.ts';
import type { Prepared } from '../apply/prepared.ts';
import type { Execution } from './execution.ts';

/**
 * Without what runs once and has run in an earlier step of this change: a Job with a time to live deletes itself, and would do its
 * work a second time.
 */
export function withoutRunAgain(entries: readonly Prepared[], { journal, reporter }: Execution): Prepared[] {
  const made = new Set(
    journal.record.entries
      .filter(({ done, before, remade }) => done && (before === null || remade === true))
      .map(({ ref }) => keyOf(ref)),
  );
  return entries.filter(({ live, manifest: { object } }) => {
    const hasRun = live === undefined && runsOnce(object) && made.has(keyOf(refOf(object)));
    if (hasRun) reporter.info(`${describeRef(refOf(object))} has run and is gone: it is not created again`);
    return !hasRun;
  });
}
