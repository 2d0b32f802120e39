import { InvalidInput } from '../base/errors.ts';
import { readJournal } from '../release/journal.ts';
import { acquireLock } from '../release/lock.ts';
import { moveHistory } from '../release/record-revision.ts';
import { listRevisions } from '../release/revision.ts';
import type { ChangeOptions, Context } from '../release/context.ts';
import type { Report } from '../report/report.ts';
import type { Revision } from '../release/revision-shape.ts';

/**
 * Whether the history of another release can come along, or has already.
 * @returns the revisions to move; none when that has been done
 * @throws InvalidInput when there is no such history, it is in use, or this release has one of its own
 */
export async function adoptable(
  { client }: Context,
  { namespace, release }: Required<Pick<ChangeOptions, 'namespace' | 'release'>>,
  former: string,
): Promise<Revision[]> {
  const [own, theirs, journal] = await Promise.all([
    listRevisions(client, namespace, release),
    listRevisions(client, namespace, former),
    readJournal(client, namespace, former),
  ]);
  const hasCome = own.some(({ formerly = [] }) => formerly.includes(former));
  if (theirs.length === 0 && hasCome) return [];
  if (theirs.length === 0 || former === release) {
    throw new InvalidInput(`there is no release "${former}" in namespace "${namespace}" to adopt`, {
      hint: 'Fix the input "adopt-release", or remove it.',
    });
  }
  if (journal !== undefined) {
    const what = journal.record.waiting === undefined ? 'an unfinished run' : 'a waiting candidate';
    throw new InvalidInput(`release "${former}" has ${what}, so its history cannot be adopted now`, {
      hint: `Run "promote" or "abort" for release "${former}" first.`,
    });
  }
  if (own.length > 0 && !hasCome) {
    throw new InvalidInput(`release "${release}" has its own history, so it cannot adopt that of "${former}"`, {
      hint: `Set "take-from-release: ${former}" instead to move its objects alone.`,
    });
  }
  return theirs;
}

/**
 * Records the history of a release under its new name and removes it under the old one, with the lock of the old one. When it is
 * killed half-way, the same input goes on where it was.
 */
export async function adoptRelease(
  context: Context,
  options: Required<ChangeOptions>,
  former: string,
  report: Report,
): Promise<void> {
  const { client, clock, reporter, signal, run } = context;
  const { namespace, release, timeoutMs } = options;
  if ((await adoptable(context, options, former)).length === 0) {
    reporter.info(`the history of "${former}" was already adopted: the input "adopt-release" can be removed`);
    return;
  }
  const deadline = clock.now() + timeoutMs;
  const lock = await acquireLock(client, namespace, former, run.holder, {
    about: { ...run, command: 'deploy' },
    clock,
    reporter,
    deadline,
    signal,
  });
  try {
    // Another run of the old name may have come and gone before we had its lock.
    const revisions = await adoptable(context, options, former);
    await moveHistory(client, namespace, revisions, { from: former, to: release });
    const text = `${revisions.length} revisions of "${former}" are now those of "${release}"`;
    reporter.info(text);
    report.mark(text);
  } finally {
    await lock.release();
  }
}
