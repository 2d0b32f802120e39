import { acquireLock } from './lock.ts';
import { listRevisions, liveRevision } from './revision.ts';
import type { ChangeOptions, Context } from './context.ts';
import type { Revision } from './revision-shape.ts';

/**
 * Does under the lock what is left to do after a change, if its revision is live still. Undefined when another run has come
 * since.
 * @param work gets the revisions, and until when it is waited for (milliseconds since the epoch)
 */
export async function whileLive<T>(
  { client, clock, limit, reporter, run }: Context,
  { namespace, release, timeoutMs }: Required<Pick<ChangeOptions, 'namespace' | 'release' | 'timeoutMs'>>,
  revision: number,
  work: (revisions: readonly Revision[], deadline: number) => Promise<T>,
): Promise<T | undefined> {
  const deadline = Math.min(limit.until, clock.now() + timeoutMs);
  const lock = await acquireLock(client, namespace, release, run.holder, { about: run, clock, reporter, deadline });
  try {
    const revisions = await listRevisions(client, namespace, release);
    return liveRevision(revisions)?.revision === revision ? await work(revisions, deadline) : undefined;
  } finally {
    await lock.release();
  }
}
