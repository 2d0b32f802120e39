import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { messageOf } from '../base/errors.ts';
import { objectsAt, stringAt, stringsAt } from '../base/json.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeRef, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/pod-template.ts';
import { concurrency, withFreshObject } from './apply.ts';
import { fieldManager, undoManager } from './field-manager.ts';
import type { JournalEntry } from './journal.ts';
import { applyEntry } from './managed-fields.ts';
import { restore } from './restore.ts';
import type { UndoReport, UndoResult } from './undo-report.ts';

export interface UndoOptions {
  reporter: Reporter;
  clock: Clock;
}

/** What may hold data that cannot be made again. */
const dataHolding = new Set(['Namespace', 'PersistentVolumeClaim', 'PersistentVolume', 'CustomResourceDefinition']);

/** What decides where requests go. */
const traffic = new Set(['Service', 'Ingress', 'HTTPRoute', 'GRPCRoute', 'Gateway', 'EndpointSlice']);

/**
 * Brings back what the journal says was there: config first, then what directs traffic, then workloads, and deletions
 * last. Doing it twice, or again after it was killed half-way, ends in the same state.
 */
export async function undo(
  client: KubernetesClient,
  entries: readonly JournalEntry[],
  options: UndoOptions,
): Promise<UndoReport> {
  const results: UndoResult[] = [];
  for (const group of inUndoOrder(entries)) {
    results.push(
      ...(await mapConcurrently(group, concurrency, async (entry): Promise<UndoResult> => {
        try {
          return entry.before === null
            ? await removeCreated(client, entry)
            : await bringBack(client, entry, entry.before);
        } catch (error) {
          options.reporter.debug(`undo of ${describeRef(entry.ref, true)}: ${messageOf(error)}`);
          return { ref: entry.ref, outcome: 'failed', message: messageOf(error) };
        }
      })),
    );
  }
  return { complete: results.every(({ outcome }) => outcome !== 'failed' && outcome !== 'partly'), results };
}

function inUndoOrder(entries: readonly JournalEntry[]): JournalEntry[][] {
  const existed = entries.filter((entry) => entry.before !== null);
  const created = entries.filter((entry) => entry.before === null).reverse();
  const kindIs = (test: (object: KubernetesObject) => boolean) =>
    existed.filter((entry) => entry.before !== null && test(entry.before));
  return [
    kindIs((object) => !traffic.has(object.kind) && !isWorkload(object)),
    kindIs((object) => traffic.has(object.kind)),
    kindIs(isWorkload),
    created,
  ].filter((group) => group.length > 0);
}

async function bringBack(
  client: KubernetesClient,
  { ref, after, done }: JournalEntry,
  before: KubernetesObject,
): Promise<UndoResult> {
  const live = await client.read(ref);
  if (live === undefined || live.metadata.uid !== before.metadata.uid) {
    return { ref, outcome: 'partly', fields: ['the whole object: somebody else has deleted it since'] };
  }
  // A write that was planned but never answered may not have happened at all; without a prediction there was none to fear.
  const written = after ?? (done ? live : before);
  const conflicts = await withFreshObject(client, ref, live, async (current) => {
    const plan = restore(before, written, current);
    if (plan.state === 'untouched') return undefined;
    // Two writes, because the first one makes us the owner of what it restores.
    const { object } = await client.replace(plan.object, { fieldManager: undoManager });
    const metadata = { ...object.metadata, managedFields: plan.managedFields };
    await client.replace({ ...object, metadata }, { fieldManager: undoManager });
    return plan.conflicts;
  });
  if (ref.kind === 'StatefulSet') await freeStatefulSet(client, live);
  if (conflicts === undefined) return { ref, outcome: 'untouched' };
  return conflicts.length === 0 ? { ref, outcome: 'restored' } : { ref, outcome: 'partly', fields: conflicts };
}

async function removeCreated(client: KubernetesClient, { ref, after, done }: JournalEntry): Promise<UndoResult> {
  const live = await client.read(ref);
  if (live === undefined) return { ref, outcome: 'untouched' };
  const isOurs = done ? live.metadata.uid === after?.metadata.uid : applyEntry(live, fieldManager) !== undefined;
  if (!isOurs) return { ref, outcome: 'partly', fields: ['the whole object: somebody else has made it anew since'] };
  if (dataHolding.has(ref.kind)) return { ref, outcome: 'kept' };
  const { uid } = live.metadata;
  await client.delete(ref, { propagationPolicy: 'Background', ...(uid === undefined ? {} : { uid }) });
  return { ref, outcome: 'deleted' };
}

/**
 * A StatefulSet waits for ever for a broken pod of the revision that was undone (kubernetes/kubernetes#67250): such pods
 * are deleted, those that are ready never.
 */
async function freeStatefulSet(client: KubernetesClient, failed: KubernetesObject): Promise<void> {
  const pods = await client.resource('v1', 'Pod');
  const revision = stringAt(failed, 'status', 'updateRevision');
  const current = stringAt(failed, 'status', 'currentRevision');
  if (pods === undefined || revision === undefined || revision === current) return;
  const { namespace } = failed.metadata;
  const labelSelector = `controller-revision-hash=${revision}`;
  const { items } = await client.list(pods, { labelSelector, ...(namespace === undefined ? {} : { namespace }) });
  for (const pod of items) {
    const isOwned = pod.metadata.ownerReferences?.some((owner) => owner.uid === failed.metadata.uid) === true;
    if (isOwned && stringsAt(pod, 'metadata', 'labels')['controller-revision-hash'] === revision && !isReady(pod)) {
      const { uid } = pod.metadata;
      await client.delete(podRef(pod), uid === undefined ? {} : { uid });
    }
  }
}

function isReady(pod: KubernetesObject): boolean {
  return objectsAt(pod, 'status', 'conditions').some(({ type, status }) => type === 'Ready' && status === 'True');
}

function podRef(pod: KubernetesObject): ObjectRef {
  return refOf({ ...pod, apiVersion: 'v1', kind: 'Pod' });
}
