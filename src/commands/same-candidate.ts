import { Failure } from '../base/errors.ts';
import { listRevisions } from '../release/revision.ts';
import type { Context } from '../release/context.ts';
import type { WaitingCandidate } from '../release/journal-shape.ts';
import type { Outcome } from '../release/revision-shape.ts';

interface Asked {
  command: 'promote' | 'abort';
  namespace: string;
  release: string;
  /** The revision that the command was started for; absent where none was to be seen then. */
  revision?: number | undefined;
}

/** What has become of a candidate, as a sentence goes on. */
const ends: Readonly<Partial<Record<Outcome, string>>> = {
  live: ': it is live now',
  superseded: ': it was promoted, and a later revision is live now',
  aborted: ': it was removed',
};

/**
 * What waits may be another candidate by the time that the lock is free: a command acts on the one that it was started for.
 * @param waiting as the journal says now
 * @throws Failure
 */
export async function refuseOtherCandidate(
  { client }: Pick<Context, 'client'>,
  { command, namespace, release, revision }: Asked,
  waiting: WaitingCandidate | undefined,
): Promise<void> {
  if (waiting !== undefined && waiting.revision === revision) return;
  if (waiting === undefined) {
    const revisions = await listRevisions(client, namespace, release);
    const outcome = revisions.find((one) => one.revision === revision)?.outcome;
    const end = outcome === undefined ? '' : (ends[outcome] ?? '');
    throw new Failure(`revision ${revision ?? ''} of release "${release}" is no longer waiting for approval${end}`, {
      hint: 'The command "status" shows the current state.',
    });
  }
  const now = `the candidate of release "${release}" is now revision ${waiting.revision}`;
  throw new Failure(
    revision === undefined
      ? `${now}, which came after this "${command}" was started`
      : `${now}, but this "${command}" was started for revision ${revision}`,
    {
      hint: `Run "promote" to roll out revision ${waiting.revision}, or "abort" to remove it.`,
    },
  );
}
