import type { KubernetesClient } from '../kubernetes/client.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { deleteRecord, labelsOf, listRecords, writeRecord } from './store.ts';

/** How a revision ended; `live` is the only one that an undo or a rollback goes to by itself. */
export type Outcome = 'live' | 'superseded' | 'undone' | 'failed';

/** One recorded version of a release: everything that is needed to bring it back without a checkout. */
export interface Revision {
  release: string;
  revision: number;
  outcome: Outcome;
  strategy: string;
  /** ISO 8601. */
  startedAt: string;
  finishedAt: string;
  /** The revision whose objects these are, after a rollback. */
  restores?: number;
  commit?: string;
  run?: string;
  actor?: string;
  /** `workload/container` → image. */
  images: Record<string, string>;
  /** Every object as it was applied. */
  objects: KubernetesObject[];
}

const kept = 10;

export async function listRevisions(client: KubernetesClient, namespace: string, release: string): Promise<Revision[]> {
  const records = await listRecords(client, namespace, labelsOf(release, 'revision'));
  return records
    .map((record) => record.value as unknown as Revision)
    .sort((left, right) => left.revision - right.revision);
}

export function liveRevision(revisions: readonly Revision[]): Revision | undefined {
  return revisions.findLast((revision) => revision.outcome === 'live');
}

/** Numbers are never used twice, also not those of revisions that failed. */
export function nextRevision(revisions: readonly Revision[]): number {
  return (revisions.at(-1)?.revision ?? 0) + 1;
}

/** Writes the revision, marks an older live one as superseded when the new one is live, and drops what is too old. */
export async function recordRevision(
  client: KubernetesClient,
  namespace: string,
  revision: Revision,
  earlier: readonly Revision[],
): Promise<void> {
  await write(client, namespace, revision);
  const live = liveRevision(earlier);
  const superseded =
    revision.outcome === 'live' && live !== undefined && live.revision !== revision.revision ? live : undefined;
  const protectedRevision = revision.outcome === 'live' ? revision.revision : live?.revision;
  const surplus = earlier
    .filter((old) => old.revision !== revision.revision && old.revision !== protectedRevision)
    .slice(0, Math.max(0, earlier.length + 1 - kept));
  await Promise.all([
    ...(superseded === undefined || surplus.includes(superseded)
      ? []
      : [write(client, namespace, { ...superseded, outcome: 'superseded' })]),
    ...surplus.map((old) => deleteRecord(client, namespace, nameOf(old))),
  ]);
}

async function write(client: KubernetesClient, namespace: string, revision: Revision): Promise<void> {
  const labels = { ...labelsOf(revision.release, 'revision'), 'gke-rollout/outcome': revision.outcome };
  const ref = { namespace, name: nameOf(revision), release: revision.release };
  await writeRecord(client, ref, labels, JSON.parse(JSON.stringify(revision)) as never);
}

function nameOf({ release, revision }: Revision): string {
  return `gke-rollout.${release}.v${revision}`;
}
