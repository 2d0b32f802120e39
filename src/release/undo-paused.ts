import { messageOf } from '../base/errors.ts';
import { numberAt, objectAt } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ManagedFieldsEntry } from '../kubernetes/object.ts';
import { isDeployment, isWorkload } from '../manifests/kinds.ts';
import { withFreshObject } from '../apply/apply.ts';
import { undoManager } from '../apply/field-manager.ts';
import { entriesOf, owns, unionFields } from '../apply/managed-fields.ts';
import type { UndoReport } from './undo-report.ts';
import { isHeldBack, isPaused, pausedBy } from '../rollout/pause.ts';
import { judge } from '../rollout/readiness/index.ts';
import type { Held } from '../rollout/verdict.ts';
import type { Context } from './context.ts';
import type { JournalEntry } from './journal-shape.ts';

/** A Deployment that is resumed until its pods are back. */
interface Resumed {
  /** As it was paused. */
  paused: KubernetesObject;
}

const pausePath = ['spec', 'paused'];

/**
 * What an undo has brought back does not reach the pods of a Deployment that is paused: it is resumed for as long as that
 * takes. One that was paused half-way before the run stays so, since nobody wanted it to go on.
 * @param entries of a step that was just undone
 */
export async function resumeRestored(
  { client, reporter }: Context,
  entries: readonly JournalEntry[],
  report: UndoReport,
): Promise<Resumed[]> {
  const resumed: Resumed[] = [];
  for (const { ref, before } of restoredOf(entries, report)) {
    if (!isDeployment(before) || (isPaused(before) && isHeldBack(before))) continue;
    const live = await client.read(ref);
    if (live === undefined || !isPaused(live)) continue;
    await client.patch(ref, { type: 'merge', patch: { spec: { paused: null } } }, { fieldManager: undoManager });
    reporter.info(`${describeRef(ref, true)} is resumed until its pods are restored: it was paused ${pausedBy(live)}`);
    resumed.push({ paused: live });
  }
  return resumed;
}

/**
 * Pauses them again, as they were. One whose pods are not back yet is left to go on, and that is said.
 * @param areBack whether all pods are
 */
export async function pauseAgain(
  { client, reporter }: Context,
  resumed: readonly Resumed[],
  areBack: boolean,
): Promise<void> {
  for (const { paused } of resumed) {
    const ref = refOf(paused);
    if (!areBack) {
      reporter.warning(
        `${describeRef(ref, true)} was paused ${pausedBy(paused)}; the undo resumed it and did not pause it again, because not all its pods are back`,
      );
      continue;
    }
    try {
      await withFreshObject(client, ref, undefined, async (live) => {
        const object = { ...live, spec: { ...objectAt(live, 'spec'), paused: true } };
        const written = (await client.replace(object, { fieldManager: undoManager })).object;
        const metadata = { ...written.metadata, managedFields: ownersOfPause(paused, live) };
        await client.replace({ ...written, metadata }, { fieldManager: undoManager });
      });
      reporter.info(`${describeRef(ref, true)} is paused again`);
    } catch (error) {
      reporter.warning(`${describeRef(ref, true)} could not be paused again: ${messageOf(error)}`);
    }
  }
}

/** The owners of a live object, with those of the pause that there were. */
function ownersOfPause(paused: KubernetesObject, live: KubernetesObject): ManagedFieldsEntry[] {
  const isSame = (one: ManagedFieldsEntry, other: ManagedFieldsEntry) =>
    one.manager === other.manager && one.operation === other.operation && one.subresource === other.subresource;
  const field = { 'f:spec': { 'f:paused': {} } };
  return entriesOf(paused)
    .filter((entry) => owns(entry, pausePath))
    .reduce(
      (entries, owner) =>
        entries.some((entry) => isSame(entry, owner))
          ? entries.map((entry) =>
              isSame(entry, owner) ? { ...entry, fieldsV1: unionFields(entry.fieldsV1 ?? {}, field) } : entry,
            )
          : [...entries, { ...owner, fieldsV1: field }],
      entriesOf(live),
    );
}

/**
 * Workloads whose pods are not what they were, although all that was written is back: one sentence for each, which is said. What
 * keeps them is a pause or an update strategy.
 */
export async function podsNotBack(
  { client, reporter }: Context,
  entries: readonly JournalEntry[],
  report: UndoReport,
): Promise<string[]> {
  const texts: string[] = [];
  for (const { ref, before } of restoredOf(entries, report).filter((one) => isWorkload(one.before))) {
    const live = await client.read(ref);
    const held = live === undefined ? undefined : heldOf(live);
    if (live === undefined || held === undefined) continue;
    if (heldOf(before) !== undefined && updatedOf(live) >= updatedOf(before)) continue;
    const text = `${describeRef(ref)}: ${held}; the others run a different version than before`;
    reporter.warning(text);
    texts.push(text);
  }
  return texts;
}

function heldOf(object: KubernetesObject): Held | undefined {
  const generation = object.metadata.generation ?? 0;
  const verdict = judge(object, {
    generation,
    changed: false,
    writtenAt: 0,
    now: 0,
    asWritten: object,
    quietMs: Infinity,
  });
  return verdict.state === 'ready' || verdict.state === 'unchecked' ? verdict.held : undefined;
}

function updatedOf(object: KubernetesObject): number {
  return numberAt(object, 'status', 'updatedReplicas') ?? numberAt(object, 'status', 'updatedNumberScheduled') ?? 0;
}

function restoredOf(
  entries: readonly JournalEntry[],
  { results }: UndoReport,
): { ref: JournalEntry['ref']; before: KubernetesObject }[] {
  const written = new Set(
    results.filter(({ outcome }) => outcome === 'restored' || outcome === 'partly').map(({ ref }) => keyOf(ref)),
  );
  return entries.flatMap(({ ref, before }) => (before !== null && written.has(keyOf(ref)) ? [{ ref, before }] : []));
}
