import { Failure } from '../base/errors.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ApiError, isStatus } from '../kubernetes/errors.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { exceeds } from '../capacity/quota.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { contentOf } from './record-content.ts';
import { revisionSecret, type RevisionName } from './revision.ts';
import { labelsOf, secretOf } from './store.ts';
import type { Prepared } from '../apply/prepared.ts';

/** A Secret may be called like a record without being found as one; so many in a row are a fault. */
const mostTaken = 100;

/**
 * Whether the records of a run find a place, asked before its first write: at its end there would only be an undo left.
 * @param name with the number that comes next
 * @returns the number that the revision can have: one whose Secret is not there
 * @throws Failure when the cluster would not take the records
 */
export async function placeForRecords(
  client: KubernetesClient,
  namespace: string,
  name: RevisionName,
  prepared: readonly Prepared[],
): Promise<number> {
  const { head, count } = await recordsOf(namespace, name, prepared);
  const [revision] = await Promise.all([
    freeNumber(client, namespace, name, head),
    refuseFullQuota(client, namespace, name, count),
  ]);
  return revision;
}

/** The same as far as it can be seen without the right to write. @throws Failure where a quota leaves no room for the records */
export async function assertRoomForRecords(
  client: KubernetesClient,
  namespace: string,
  name: RevisionName,
  prepared: readonly Prepared[],
): Promise<void> {
  const { count } = await recordsOf(namespace, name, prepared);
  await refuseFullQuota(client, namespace, name, count);
}

/** The content of the first Secret of a revision, and how many Secrets a run makes in all. */
async function recordsOf(
  namespace: string,
  name: RevisionName,
  prepared: readonly Prepared[],
): Promise<{ head: Record<string, string>; count: number }> {
  const { head, parts } = await contentOf(revisionSecret(name), asRecorded(prepared));
  // That of the journal holds each object twice.
  return { head, count: 2 + 3 * parts.size + newSecrets(prepared, namespace) };
}

/** Asked by a dry run, which says what else stands in the way of one more Secret, too: a quota, a policy that wants other labels. */
async function freeNumber(
  client: KubernetesClient,
  namespace: string,
  name: RevisionName,
  data: Record<string, string>,
): Promise<number> {
  const labels = labelsOf(name.release, 'revision');
  for (let { revision } = name; revision < name.revision + mostTaken; revision += 1) {
    const found = { ...name, revision };
    const ref = { namespace, name: revisionSecret(found) };
    try {
      await client.create(secretOf(ref, labels, data), { fieldManager, dryRun: true });
      return revision;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.isAlreadyExists) continue;
      if (![403, 413, 422].includes(error.status)) throw error;
      throw noPlace(found, namespace, error.serverMessage, error);
    }
  }
  throw new Failure(
    `Secret "${revisionSecret(name)}" and the ${mostTaken - 1} that follow it exist, but none of them is labelled as a revision`,
    { hint: 'Restore their labels, or delete them.' },
  );
}

async function refuseFullQuota(
  client: KubernetesClient,
  namespace: string,
  name: RevisionName,
  count: number,
): Promise<void> {
  const resource = await client.resource('v1', 'ResourceQuota');
  if (resource === undefined) return;
  const quotas = await client.list(resource, { namespace }).catch((error: unknown) => {
    // Without the right to look, what the server has said to one Secret has to do.
    if (isStatus(error, 403)) return { items: [] };
    throw error;
  });
  const wanted = new Map(['secrets', 'count/secrets'].map((counted) => [counted, count]));
  for (const quota of quotas.items) {
    const [short] = exceeds(quota, [], wanted);
    if (short?.kind !== 'exceeded') continue;
    const { hard, used } = short;
    const counts = `the ResourceQuota "${short.quota}" allows ${hard} Secrets, there are ${used}, and the run needs ${count} more`;
    throw noPlace(name, namespace, counts);
  }
}

function noPlace(name: RevisionName, namespace: string, why: string, cause?: unknown): Failure {
  return new Failure(
    `there is no room for the record of revision ${name.revision} of release "${name.release}" in namespace "${namespace}": ${why}`,
    {
      hint: 'Each run needs a Secret for its revision and one for its journal (more for large ones): make room for them.',
      cause,
    },
  );
}

function asRecorded(prepared: readonly Prepared[]): KubernetesObject[] {
  return prepared.map(({ manifest }) => manifest.object);
}

function newSecrets(prepared: readonly Prepared[], namespace: string): number {
  const isNew = ({ change, manifest: { object } }: Prepared) => change === 'created' && isSecretIn(object, namespace);
  return prepared.filter(isNew).length;
}

function isSecretIn({ apiVersion, kind, metadata }: KubernetesObject, namespace: string): boolean {
  return apiVersion === 'v1' && kind === 'Secret' && metadata.namespace === namespace;
}
