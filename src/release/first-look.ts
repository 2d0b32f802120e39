import type { KubernetesClient } from '../kubernetes/client.ts';
import { ApiError } from '../kubernetes/errors.ts';
import { readJournal, type Journal } from './journal.ts';
import { lookAtLock, type LockSeen } from './lock.ts';
import { listRevisions } from './revision.ts';
import type { Revision } from './revision-shape.ts';

/** What a run reads of its release before all else. */
export interface FirstLook {
  /** As it was before the rest was read; undefined where it may not be read, or was not free. */
  lock: Promise<LockSeen | undefined>;
  revisions: Promise<Revision[]>;
  journal: Promise<Journal | undefined>;
}

/**
 * Begins to read the lock, and after it what only holders of the lock write: where the lock is taken as it was seen here, nobody has
 * had it in between, and the rest holds without being read again. Discovery begins beside it. Nothing of it is an error until
 * it is asked for.
 */
export function lookFirst(client: KubernetesClient, namespace: string, release: string): FirstLook {
  void client.resources().catch(() => undefined);
  const lock = lookAtLock(client, namespace, release).catch((error: unknown) => {
    if (error instanceof ApiError) return undefined;
    throw error;
  });
  const journal = lock.then(() => readJournal(client, namespace, release));
  // Beside a run that ends now, the record that follows from its journal must not be missed.
  const revisions = lock.then(async (free) => {
    if (free === undefined) await journal.catch(() => undefined);
    return await listRevisions(client, namespace, release);
  });
  for (const look of [lock, revisions, journal]) look.catch(() => undefined);
  return { lock, revisions, journal };
}
