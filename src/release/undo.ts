import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { messageOf } from '../base/errors.ts';
import { equal } from '../base/json.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ApiError, ConnectionError } from '../kubernetes/errors.ts';
import { describeRef, type KubernetesObject, type ManagedFieldsEntry, type ObjectRef } from '../kubernetes/object.ts';
import { isWorkload } from '../manifests/pod-template.ts';
import { concurrency, withFreshObject } from './apply.ts';
import { fieldManager, undoManager } from './field-manager.ts';
import type { JournalEntry } from './journal.ts';
import { applyEntry, entriesOf } from './managed-fields.ts';
import { anew } from './recreate.ts';
import { restore } from './restore.ts';
import { freeStatefulSet } from './stateful-set.ts';
import type { UndoReport, UndoResult } from './undo-report.ts';

export interface UndoOptions {
  reporter: Reporter;
  clock: Clock;
  /** Until when to try, milliseconds since the epoch; what is not done by then is reported as failed. */
  deadline?: number;
  signal?: AbortSignal;
}

/** An answer got lost or the server has a hiccup: an undo is worth another try, and harmless when repeated. */
const maxAttempts = 4;
const pauseMs = 1000;

/** How long an object may take to go away; its containers get their grace period. */
const removalMs = 60_000;
const pollMs = 250;

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
          return await undoOne(client, entry, options);
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

async function undoOne(client: KubernetesClient, entry: JournalEntry, options: UndoOptions): Promise<UndoResult> {
  const { clock, deadline = Infinity, signal } = options;
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    if (clock.now() >= deadline) {
      return { ref: entry.ref, outcome: 'failed', message: 'the time for the undo was over before its turn came' };
    }
    try {
      return entry.before === null
        ? await removeCreated(client, entry, options)
        : await bringBack(client, entry, entry.before, options);
    } catch (error) {
      const isPassing =
        error instanceof ConnectionError ||
        (error instanceof ApiError && (error.status >= 500 || error.isWriteConflict));
      if (!isPassing || attempt >= maxAttempts) throw error;
      await clock.sleep(pauseMs * attempt, signal);
    }
  }
}

async function bringBack(
  client: KubernetesClient,
  entry: JournalEntry,
  before: KubernetesObject,
  { clock }: UndoOptions,
): Promise<UndoResult> {
  const { ref } = entry;
  const live = await client.read(ref);
  if (live === undefined) return await makeAnew(client, ref, before);
  if (live.metadata.uid !== before.metadata.uid) {
    return { ref, outcome: 'partly', fields: ['the whole object: somebody else has made it anew since'] };
  }
  const result = await withFreshObject(client, ref, live, async (current) => {
    const plan = restore(before, writtenBy(entry, before, current), current);
    if (plan.state === 'changed') await replaceWithOwners(client, plan.object, plan.managedFields);
    return plan;
  });
  if (ref.kind === 'StatefulSet') await freeStatefulSet(client, ref, before, clock);
  if (result.conflicts.length > 0) return { ref, outcome: 'partly', fields: result.conflicts };
  return { ref, outcome: result.state === 'changed' ? 'restored' : 'untouched' };
}

/**
 * What the run had written, as far as it is known. A write that was planned but never answered may not have happened at
 * all; where the server could not predict it either, the fields that we own tell whether it has.
 */
function writtenBy({ after }: JournalEntry, before: KubernetesObject, live: KubernetesObject): KubernetesObject {
  if (after !== null) return after;
  const own = (object: KubernetesObject) => applyEntry(object, fieldManager)?.fieldsV1;
  return equal(own(before), own(live)) ? before : live;
}

/** Two writes, because the first one makes us the owner of what it restores. */
async function replaceWithOwners(
  client: KubernetesClient,
  wanted: KubernetesObject,
  managedFields: ManagedFieldsEntry[],
): Promise<void> {
  const { object } = await client.replace(wanted, { fieldManager: undoManager });
  await giveOwners(client, object, managedFields);
}

async function giveOwners(
  client: KubernetesClient,
  object: KubernetesObject,
  managedFields: ManagedFieldsEntry[],
): Promise<void> {
  await client.replace({ ...object, metadata: { ...object.metadata, managedFields } }, { fieldManager: undoManager });
}

async function makeAnew(client: KubernetesClient, ref: ObjectRef, before: KubernetesObject): Promise<UndoResult> {
  const { object } = await client.create(anew(before), { fieldManager: undoManager });
  // Its controllers are at work on it already, and what they own is theirs.
  await withFreshObject(client, ref, object, async (current) => {
    const isPart = (entry: ManagedFieldsEntry) => (entry.subresource ?? '') !== '';
    const old = entriesOf(before).filter((entry) => !isPart(entry));
    await giveOwners(client, current, [...old, ...entriesOf(current).filter(isPart)]);
  });
  return { ref, outcome: 'restored', note: 'somebody else had deleted it; it was made anew' };
}

async function removeCreated(
  client: KubernetesClient,
  { ref, after, done }: JournalEntry,
  { clock, deadline = Infinity, signal }: UndoOptions,
): Promise<UndoResult> {
  const live = await client.read(ref);
  if (live === undefined) return { ref, outcome: 'untouched' };
  const isOurs = done ? live.metadata.uid === after?.metadata.uid : applyEntry(live, fieldManager) !== undefined;
  if (!isOurs) return { ref, outcome: 'partly', fields: ['the whole object: somebody else has made it anew since'] };
  if (dataHolding.has(ref.kind)) return { ref, outcome: 'kept' };
  const { uid } = live.metadata;
  await client.delete(ref, { propagationPolicy: 'Background', ...(uid === undefined ? {} : { uid }) });
  // The next deploy must not meet an object that is about to vanish.
  const until = Math.min(deadline, clock.now() + removalMs);
  while (clock.now() < until && (await client.read(ref))?.metadata.uid === uid) await clock.sleep(pollMs, signal);
  return { ref, outcome: 'deleted' };
}
