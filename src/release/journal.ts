import { randomUUID } from 'node:crypto';

import { stringAt, type Json } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { keyOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import { journalOf, type JournalEntry, type WaitingCandidate, type JournalRecord } from './journal-shape.ts';
import type { WriteAhead } from '../apply/write-ahead.ts';
import { markFor } from '../apply/mark.ts';
import {
  deleteRecord,
  labelsOf,
  partsOf,
  readRecord,
  UnreadableRecord,
  writeRecord,
  type RecordRef,
  type Version,
} from './store.ts';

/**
 * The write-ahead list of one run. It is in the cluster before the change that it describes. Each write says who has made it, and
 * goes only in the place of what was read or written before: where another run has been at work meanwhile, it is refused.
 */
export class Journal implements WriteAhead {
  readonly #client: KubernetesClient;
  /** Of its release. */
  readonly namespace: string;
  readonly record: JournalRecord;
  /** Of this journal in this process, and of no other: what carries it was written here. */
  readonly #writer = randomUUID();
  #version: Version | undefined;
  #step: number;
  /** Names of the Secrets that are its parts, as of the last write; undefined where nobody has looked. */
  #parts: string[] | undefined;
  /** Where the entries of the current step are in the list, by the keys of their objects. */
  #places: Map<string, number>;

  /** @param version of what was read; absent for a journal that is not in the cluster yet */
  constructor(client: KubernetesClient, namespace: string, record: JournalRecord, version?: Version) {
    this.#client = client;
    this.namespace = namespace;
    this.record = record;
    this.#version = version;
    this.#step = lastStep(record.entries);
    this.#places = this.#placesOfStep();
  }

  /** What objects of its release carry. */
  get mark(): string {
    return markFor(this.namespace, this.record.release);
  }

  /** What is planned from now on is undone before all that was planned until now. */
  beginStep(): void {
    if (this.record.entries.length === 0) return;
    this.#step = lastStep(this.record.entries) + 1;
    this.#places = new Map();
  }

  /** Leaves the candidate waiting, with all that an abort will have to undo. */
  async leaveWaiting(waiting: Omit<WaitingCandidate, 'step'>): Promise<void> {
    this.record.waiting = { ...waiting, step: lastStep(this.record.entries) };
    delete this.record.replaced;
    await this.#write();
  }

  /** From now on whoever finds this journal takes the candidate away. */
  async stopWaiting(): Promise<void> {
    delete this.record.waiting;
    delete this.record.temporary;
    await this.#write();
  }

  /** Call when all from this step on has been undone. */
  async forget(from: number): Promise<void> {
    this.record.entries = this.record.entries.filter(({ step = 0 }) => step < from);
    this.#step = lastStep(this.record.entries);
    this.#places = this.#placesOfStep();
    await this.#write();
  }

  /** Call when an undo could not do all now: another run is to try again. */
  async undoFailed(): Promise<void> {
    this.record.undoAttempts = (this.record.undoAttempts ?? 0) + 1;
    await this.#write();
  }

  /** Call before the objects are written: afterwards the cluster knows what there was. */
  async plan(entries: readonly JournalEntry[]): Promise<void> {
    for (const entry of entries) this.#put(entry);
    await this.#write();
  }

  /** Call after a layer of objects was written, with what the server answered. */
  async done(entries: readonly { ref: ObjectRef; after: KubernetesObject }[]): Promise<void> {
    this.note(entries);
    await this.#write();
  }

  /** The same, but it is in the cluster once the next write is. */
  note(entries: readonly { ref: ObjectRef; after: KubernetesObject }[]): void {
    for (const { ref, after } of entries) {
      const planned = this.record.entries[this.#places.get(keyOf(ref)) ?? -1];
      const remade = planned?.remade === true ? { remade: true as const } : {};
      this.#put({ ref, before: planned?.before ?? null, after, done: true, ...remade });
    }
  }

  /** What was done stays as it is; a candidate that waited before goes on waiting. */
  async accept(): Promise<void> {
    if (this.record.waiting === undefined) await this.close();
    else await this.forget(this.record.waiting.step + 1);
  }

  /** Looks what there is of it, so that closing it is one request. */
  async prepareClose(): Promise<void> {
    this.#parts = await partsOf(this.#client, this.#ref);
  }

  /** Whether closing it does nothing but delete the very Secret that was written last. */
  get isOneSecret(): boolean {
    return this.#version !== undefined && this.#parts?.length === 0;
  }

  /** Nothing is left to undo. @throws RecordTaken when another run has written it since */
  async close(): Promise<void> {
    const expected = { version: this.#version, isOurs: this.#isOurs };
    await deleteRecord(this.#client, this.#ref, expected, this.#parts);
    this.#version = undefined;
  }

  readonly #isOurs = (value: Json): boolean => stringAt(value, 'writer') === this.#writer;

  #put(entry: JournalEntry): void {
    const key = keyOf(entry.ref);
    const place = this.#places.get(key) ?? this.record.entries.length;
    this.record.entries[place] = this.#step === 0 ? entry : { ...entry, step: this.#step };
    this.#places.set(key, place);
  }

  /** Of the current step only: what an earlier one did to the same object is undone on its own. */
  #placesOfStep(): Map<string, number> {
    return new Map(
      this.record.entries.flatMap(({ ref, step = 0 }, place) => (step === this.#step ? [[keyOf(ref), place]] : [])),
    );
  }

  get #ref(): RecordRef {
    const { release } = this.record;
    return { namespace: this.namespace, name: journalName(release), release };
  }

  async #write(): Promise<void> {
    const { release } = this.record;
    this.#parts = undefined;
    // A list of its own: it is read piece by piece, while this one may get more.
    const content = { ...this.record, entries: [...this.record.entries], writer: this.#writer };
    const expected = { version: this.#version, isOurs: this.#isOurs };
    this.#version = await writeRecord(this.#client, this.#ref, labelsOf(release, 'journal'), content, expected);
  }
}

/** The steps that are to be undone, the last one first. */
export function stepsBackwards(
  entries: readonly JournalEntry[],
  from = 0,
): { step: number; entries: JournalEntry[] }[] {
  const steps = new Map<number, JournalEntry[]>();
  for (const entry of entries) {
    const { step = 0 } = entry;
    if (step < from) continue;
    const known = steps.get(step);
    if (known === undefined) steps.set(step, [entry]);
    else known.push(entry);
  }
  return [...steps].map(([step, own]) => ({ step, entries: own })).sort((left, right) => right.step - left.step);
}

function lastStep(entries: readonly JournalEntry[]): number {
  return entries.reduce((last, { step = 0 }) => Math.max(last, step), 0);
}

/**
 * The journal that a run has left behind, or undefined when the last one ended in order.
 * @throws UnreadableRecord for one that cannot be followed
 */
export async function readJournal(
  client: KubernetesClient,
  namespace: string,
  release: string,
): Promise<Journal | undefined> {
  const found = await readRecord(client, namespace, journalName(release), (value) => journalOf(value, release));
  return found === undefined ? undefined : new Journal(client, namespace, found.value, found.version);
}

/** The same for whoever only looks: what is wrong with a journal is told, and keeps nothing else from being told. */
export async function lookAtJournal(
  client: KubernetesClient,
  namespace: string,
  release: string,
): Promise<{ record?: JournalRecord; problem?: string }> {
  try {
    const journal = await readJournal(client, namespace, release);
    return journal === undefined ? {} : { record: journal.record };
  } catch (error) {
    if (!(error instanceof UnreadableRecord)) throw error;
    return { problem: error.message };
  }
}

function journalName(release: string): string {
  return `gke-rollout.${release}.journal`;
}
