import type { Clock } from '../base/clock.ts';
import { mapConcurrently } from '../base/concurrency.ts';
import { Failure, messageOf } from '../base/errors.ts';
import type { Reporter } from '../base/reporter.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { describeGoing, isGoing } from '../kubernetes/going.ts';
import { describeRef, keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { UnknownKind } from '../kubernetes/unknown-kind.ts';
import { directsTraffic, keepsData } from '../manifests/kinds.ts';
import { hasPods } from '../manifests/pod-template.ts';
import { concurrency } from '../apply/apply.ts';
import { bringBack } from './bring-back.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { isLasting } from './lasting.ts';
import { applyEntry } from '../apply/managed-fields.ts';
import { takenOver, takenSince } from '../apply/mark.ts';
import { halfOf, untilGone } from '../apply/removal.ts';
import type { UndoReport, UndoResult } from './undo-report.ts';
import { neededByWhatStays } from './what-stays.ts';
import type { JournalEntry } from './journal-shape.ts';

interface UndoOptions {
  reporter: Reporter;
  clock: Clock;
  /** Until when to try, milliseconds since the epoch; what is not done by then is reported as failed. */
  deadline?: number;
  signal?: AbortSignal;
  /** What later steps of the run have changed and their undo could not bring back: what it needs stays too. */
  staying?: readonly ObjectRef[];
  /** Called with what the run has made and is about to be deleted. */
  beforeRemoval?: (objects: readonly KubernetesObject[]) => Promise<void>;
  /** The mark of the release that is brought back: what another one has taken over since stays with it. */
  mark?: string;
}

/** An answer got lost, the server or a webhook has a hiccup: an undo is worth another try, and harmless when repeated. */
const retryMs = 60_000;
const pauseMs = 1000;
const longestPauseMs = 10_000;

/**
 * Brings back what the journal says was there: config first, then what directs traffic, then workloads, and deletions
 * last. Doing it twice, or again after it was killed half-way, ends in the same state.
 */
export async function undo(
  client: KubernetesClient,
  entries: readonly JournalEntry[],
  options: UndoOptions,
): Promise<UndoReport> {
  const first = await undoGroups(client, entries, options);
  // What stood in the way of one may be gone with another: a port that a new Service held, rights that a Role gave.
  const open = new Set(first.filter(isOpen).map(({ ref }) => keyOf(ref)));
  const again = first.every(isOpen)
    ? []
    : await undoGroups(
        client,
        entries.filter(({ ref }) => open.has(keyOf(ref))),
        { ...options, once: true },
      );
  const results = [...new Map([...first, ...again].map((result) => [keyOf(result.ref), result])).values()];
  return {
    complete: !results.some((result) => isOpen(result) || result.outcome === 'partly' || result.outcome === 'going'),
    results,
  };
}

function isOpen({ outcome }: UndoResult): boolean {
  return outcome === 'refused' || outcome === 'failed';
}

type Attempts = UndoOptions & { once?: boolean };

async function undoGroups(
  client: KubernetesClient,
  entries: readonly JournalEntry[],
  options: Attempts,
): Promise<UndoResult[]> {
  const { existed, created } = inUndoOrder(entries);
  const results: UndoResult[] = [];
  const each = async (entry: JournalEntry): Promise<UndoResult> => {
    try {
      return await undoOne(client, entry, options);
    } catch (error) {
      options.reporter.debug(`undo of ${describeRef(entry.ref, true)}: ${messageOf(error)}`);
      return isLasting(error)
        ? { ref: entry.ref, outcome: 'refused', reason: messageOf(error) }
        : { ref: entry.ref, outcome: 'failed', message: messageOf(error) };
    }
  };
  for (const group of existed) results.push(...(await mapConcurrently(group, concurrency, each)));
  if (created.length === 0) return results;
  const needed = await stillNeeded(client, created, results, options);
  results.push(...needed);
  const spared = new Set(needed.map(({ ref }) => keyOf(ref)));
  const removed = created.filter(({ ref }) => !spared.has(keyOf(ref)));
  await options.beforeRemoval?.(
    await readAll(
      client,
      removed.map(({ ref }) => ref),
    ),
  );
  return [...results, ...(await mapConcurrently(removed, concurrency, each))];
}

/** What the run has made and has to stay, because something needs it that does not go back. */
async function stillNeeded(
  client: KubernetesClient,
  created: readonly JournalEntry[],
  results: readonly UndoResult[],
  { staying = [] }: UndoOptions,
): Promise<UndoResult[]> {
  const left = results.filter(({ outcome }) => ['refused', 'failed', 'partly'].includes(outcome)).map(({ ref }) => ref);
  if (left.length + staying.length === 0) return [];
  const [own, users] = await Promise.all([
    readAll(
      client,
      created.map(({ ref }) => ref),
    ),
    readAll(client, [...left, ...staying]),
  ]);
  const needed = neededByWhatStays(own, users);
  return own.flatMap((object): UndoResult[] => {
    const user = needed.get(keyOf(refOf(object)));
    if (user === undefined) return [];
    const reason = `${describeRef(refOf(user))}, which is not restored, still needs it`;
    return [{ ref: refOf(object), outcome: 'refused', reason }];
  });
}

async function readAll(client: KubernetesClient, refs: readonly ObjectRef[]): Promise<KubernetesObject[]> {
  const read = async (ref: ObjectRef) => await client.read(ref).catch(() => undefined);
  return (await mapConcurrently(refs, concurrency, read)).filter((object) => object !== undefined);
}

function inUndoOrder(entries: readonly JournalEntry[]): { existed: JournalEntry[][]; created: JournalEntry[] } {
  const existed = entries.filter((entry) => entry.before !== null);
  const created = entries.filter((entry) => entry.before === null).reverse();
  const kindIs = (test: (object: KubernetesObject) => boolean) =>
    existed.filter((entry) => entry.before !== null && test(entry.before));
  const groups = [
    kindIs((object) => !directsTraffic(object) && !hasPods(object)),
    kindIs((object) => directsTraffic(object) && !hasPods(object)),
    kindIs(hasPods),
  ];
  return { existed: groups.filter((group) => group.length > 0), created };
}

async function undoOne(client: KubernetesClient, entry: JournalEntry, options: Attempts): Promise<UndoResult> {
  const { clock, deadline = Infinity, signal, once = false } = options;
  const until = Math.min(deadline, clock.now() + (once ? 0 : retryMs));
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    if (clock.now() >= deadline) {
      return { ref: entry.ref, outcome: 'failed', message: 'the undo ran out of time before its turn' };
    }
    try {
      return entry.before === null
        ? await removeCreated(client, entry, options)
        : await bringBack(client, entry, entry.before, options);
    } catch (error) {
      const pause = Math.min(pauseMs * attempt, longestPauseMs);
      // Anything but a Failure is a bug of ours, which another try would not mend.
      if (isLasting(error) || !(error instanceof Failure) || clock.now() + pause >= until) throw error;
      await clock.sleep(pause, signal);
    }
  }
}

/** What is of a kind that the server has no more went with it. */
async function readIfServed(client: KubernetesClient, ref: ObjectRef): Promise<KubernetesObject | undefined> {
  try {
    return await client.read(ref);
  } catch (error) {
    if (error instanceof UnknownKind) return undefined;
    throw error;
  }
}

async function removeCreated(
  client: KubernetesClient,
  { ref, after, done }: JournalEntry,
  options: UndoOptions,
): Promise<UndoResult> {
  const live = await readIfServed(client, ref);
  if (live === undefined) return { ref, outcome: 'untouched' };
  const taker = takenSince(live, options.mark);
  if (taker !== undefined) return { ref, outcome: 'partly', fields: [takenOver(taker)] };
  const isOurs = done ? live.metadata.uid === after?.metadata.uid : applyEntry(live, fieldManager) !== undefined;
  if (!isOurs) return { ref, outcome: 'partly', fields: ['the whole object: someone else has recreated it since'] };
  if (keepsData(ref) && !isGoing(live)) return { ref, outcome: 'kept' };
  const { uid } = live.metadata;
  if (!isGoing(live))
    await client.delete(ref, { propagationPolicy: 'Background', ...(uid === undefined ? {} : { uid }) });
  // The next deploy must not meet an object that is about to vanish.
  const held = await untilGone(client, live, halfOf(options));
  return held === undefined ? { ref, outcome: 'deleted' } : { ref, outcome: 'going', message: describeGoing(held) };
}
