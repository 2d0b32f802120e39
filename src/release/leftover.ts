import type { KubernetesClient } from '../kubernetes/client.ts';
import { readJournal, type Journal } from './journal.ts';
import type { WaitingCandidate } from './journal-shape.ts';
import type { Revision } from './revision-shape.ts';
import { listRevisions, liveRevision } from './revision.ts';
import { ownSteps } from './undo-journal.ts';

/** What the runs of a release until now have left. */
export type Leftover =
  | { state: 'none' }
  /** Its revision is live, and what it wrote is not to be undone: only its journal is still there to be closed. */
  | { state: 'finished'; journal: Journal }
  /** A run is at work, or has died: what it wrote is to be undone. A candidate may wait behind it. */
  | { state: 'dead'; journal: Journal }
  /** A candidate waits for `promote` or `abort`, and nothing else is half done. */
  | { state: 'waiting'; journal: Journal; candidate: WaitingCandidate };

/** @param revisions those of the release */
export function leftoverIn(journal: Journal | undefined, revisions: readonly Revision[]): Leftover {
  if (journal === undefined) return { state: 'none' };
  const { revision, waiting } = journal.record;
  if (revision !== undefined && liveRevision(revisions)?.revision === revision) return { state: 'finished', journal };
  return waiting !== undefined && ownSteps(journal.record).length === 0
    ? { state: 'waiting', journal, candidate: waiting }
    : { state: 'dead', journal };
}

/** @throws UnreadableRecord for a journal that cannot be followed */
export async function readLeftover(client: KubernetesClient, namespace: string, release: string): Promise<Leftover> {
  const journal = await readJournal(client, namespace, release);
  return leftoverIn(journal, journal === undefined ? [] : await listRevisions(client, namespace, release));
}

/** Whether something is half done: until it is settled, what serves may not be what will. */
export function isHalfDone({ state }: Leftover): boolean {
  return state === 'dead' || state === 'finished';
}
