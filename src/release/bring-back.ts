import { equal } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { isTrue } from '../kubernetes/conditions.ts';
import { isStatus } from '../kubernetes/errors.ts';
import { describeGoing, isGoing } from '../kubernetes/going.ts';
import type { KubernetesObject, ManagedFieldsEntry, ObjectRef } from '../kubernetes/object.ts';
import { withFreshObject } from '../apply/apply.ts';
import { contentOf } from '../apply/comparison.ts';
import { fieldManager, undoManager } from '../apply/field-manager.ts';
import { applyEntry, entriesOf } from '../apply/managed-fields.ts';
import { takenOver, takenSince } from '../apply/mark.ts';
import { anew } from '../apply/recreate.ts';
import { halfOf, untilGone, type RemovalOptions } from '../apply/removal.ts';
import { replaceBut, type RefusedFields } from '../apply/refused-fields.ts';
import { canBeRemade, makeRoom, tryRemaking } from '../apply/remake.ts';
import { restore } from './restore.ts';
import { freeStatefulSet } from '../apply/stateful-set.ts';
import type { UndoResult } from './undo-report.ts';
import type { JournalEntry } from './journal-shape.ts';

/**
 * Undoes what a run did to an object that was there before. Config that has become immutable meanwhile is deleted and made
 * anew.
 * @param mark that of the release; what another one has taken over since stays with it
 * @throws ApiError for what the server refuses
 */
export async function bringBack(
  client: KubernetesClient,
  entry: JournalEntry,
  before: KubernetesObject,
  options: RemovalOptions & { mark?: string },
): Promise<UndoResult> {
  const { ref } = entry;
  const { clock, mark } = options;
  const live = await client.read(ref);
  if (live !== undefined && isGoing(live)) {
    // Nothing keeps what is going. Once it is gone, it can be made anew.
    const held = await untilGone(client, live, halfOf(options));
    if (held !== undefined) return { ref, outcome: 'going', message: describeGoing(held) };
    return await bringBack(client, entry, before, options);
  }
  if (live === undefined) return await makeAnew(client, ref, before);
  if (live.metadata.uid !== before.metadata.uid && !isOurs(entry, live)) {
    return equal(contentOf(live), contentOf(before))
      ? { ref, outcome: 'untouched' }
      : { ref, outcome: 'partly', fields: ['the whole object: someone else has recreated it since'] };
  }
  const taker = takenSince(live, mark, before);
  if (taker !== undefined) return { ref, outcome: 'partly', fields: [takenOver(taker)] };
  const { conflicts, state, refused, remade } = await withFreshObject(client, ref, live, async (current) => {
    const plan = restore(before, writtenBy(entry, before, current), current);
    if (plan.state === 'untouched') return { ...plan, refused: undefined, remade: false };
    return { ...plan, ...(await write(client, current, plan)) };
  });
  if (ref.kind === 'StatefulSet') await freeStatefulSet(client, ref, before, clock);
  if (refused !== undefined) return { ref, outcome: 'refused', ...refused };
  if (conflicts.length > 0) return { ref, outcome: 'partly', fields: conflicts };
  if (state === 'untouched') return { ref, outcome: 'untouched' };
  return remade ? { ref, outcome: 'restored', note: remadeNote } : { ref, outcome: 'restored' };
}

/** kubernetes pkg/kubelet/util/manager, watch_based_manager.go: an immutable object is not read again while it is in use. */
const remadeNote =
  'it is immutable, so it was deleted and recreated; a node may serve its old content to new pods until no pod there uses it';

/** Whether what is there now was made by this run in place of what was there before. */
function isOurs({ after, done, remade }: JournalEntry, live: KubernetesObject): boolean {
  if (done && after !== null) return live.metadata.uid === after.metadata.uid;
  return remade === true && applyEntry(live, fieldManager) !== undefined;
}

async function write(
  client: KubernetesClient,
  live: KubernetesObject,
  { object, managedFields }: Extract<ReturnType<typeof restore>, { state: 'changed' }>,
): Promise<{ refused: RefusedFields | undefined; remade: boolean }> {
  const options = { fieldManager: undoManager };
  try {
    const written = await client.replace(object, options);
    await giveOwners(client, written.object, managedFields);
    return { refused: undefined, remade: false };
  } catch (error) {
    if (!isStatus(error, 422)) throw error;
    if (canBeRemade(live, error)) {
      const wanted = anew(object);
      await tryRemaking(client, wanted, options);
      await makeRoom(client, live);
      await giveOwners(client, (await client.create(wanted, options)).object, managedFields);
      return { refused: undefined, remade: true };
    }
    const written = await replaceBut(client, object, live, options);
    await giveOwners(client, written.object, managedFields);
    return { refused: written.refused, remade: false };
  }
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

/** A second write, because the first one makes us the owner of what it restores. */
async function giveOwners(
  client: KubernetesClient,
  object: KubernetesObject,
  managedFields: ManagedFieldsEntry[],
): Promise<void> {
  await client.replace({ ...object, metadata: { ...object.metadata, managedFields } }, { fieldManager: undoManager });
}

async function makeAnew(client: KubernetesClient, ref: ObjectRef, before: KubernetesObject): Promise<UndoResult> {
  if (before.kind === 'Job' && (isTrue(before, 'Complete') || isTrue(before, 'Failed'))) {
    return {
      ref,
      outcome: 'refused',
      reason: 'it had completed and is gone: recreated, it would run again',
    };
  }
  const { object } = await client.create(anew(before), { fieldManager: undoManager });
  // Its controllers are at work on it already, and what they own is theirs.
  await withFreshObject(client, ref, object, async (current) => {
    const isPart = (entry: ManagedFieldsEntry) => (entry.subresource ?? '') !== '';
    const old = entriesOf(before).filter((entry) => !isPart(entry));
    await giveOwners(client, current, [...old, ...entriesOf(current).filter(isPart)]);
  });
  return { ref, outcome: 'restored', note: 'someone else had deleted it; it was recreated' };
}
