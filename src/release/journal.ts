import type { KubernetesClient } from '../kubernetes/client.ts';
import { keyOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { RunIdentity } from './run-identity.ts';
import { deleteRecord, labelsOf, readRecord, writeRecord } from './store.ts';

/** One object that a run is about to change or has changed. */
export interface JournalEntry {
  ref: ObjectRef;
  /** As it was; null when there was none. */
  before: KubernetesObject | null;
  /** As the server said it will be (dry run), or as it answered the write; null when that is not known. */
  after: KubernetesObject | null;
  /** True once the write was answered. */
  done: boolean;
}

export interface JournalRecord {
  release: string;
  command: string;
  /** The revision that is being made, for commands that make one. */
  revision?: number;
  run: RunIdentity;
  /** ISO 8601. */
  startedAt: string;
  /** Whether a run that finds this journal should undo it; false leaves things as they are. */
  undoOnFailure: boolean;
  entries: JournalEntry[];
}

/** The write-ahead list of one run. It is in the cluster before the change that it describes. */
export class Journal {
  readonly #client: KubernetesClient;
  readonly #namespace: string;
  readonly record: JournalRecord;

  constructor(client: KubernetesClient, namespace: string, record: JournalRecord) {
    this.#client = client;
    this.#namespace = namespace;
    this.record = record;
  }

  /** Call before the objects are written: afterwards the cluster knows what there was. */
  async plan(entries: readonly JournalEntry[]): Promise<void> {
    for (const entry of entries) this.#put(entry);
    await this.#write();
  }

  /** Call after a layer of objects was written, with what the server answered. */
  async done(entries: readonly { ref: ObjectRef; after: KubernetesObject }[]): Promise<void> {
    for (const { ref, after } of entries) {
      const planned = this.record.entries.find((entry) => keyOf(entry.ref) === keyOf(ref));
      this.#put({ ref, before: planned?.before ?? null, after, done: true });
    }
    await this.#write();
  }

  /** Nothing is left to undo. */
  async close(): Promise<void> {
    await deleteRecord(this.#client, this.#namespace, nameOf(this.record.release));
  }

  #put(entry: JournalEntry): void {
    const index = this.record.entries.findIndex((known) => keyOf(known.ref) === keyOf(entry.ref));
    if (index === -1) this.record.entries.push(entry);
    else this.record.entries[index] = entry;
  }

  async #write(): Promise<void> {
    const { release } = this.record;
    const ref = { namespace: this.#namespace, name: nameOf(release), release };
    await writeRecord(
      this.#client,
      ref,
      labelsOf(release, 'journal'),
      JSON.parse(JSON.stringify(this.record)) as never,
    );
  }
}

/** The journal that a run has left behind, or undefined when the last one ended in order. */
export async function readJournal(
  client: KubernetesClient,
  namespace: string,
  release: string,
): Promise<Journal | undefined> {
  const record = await readRecord(client, namespace, nameOf(release));
  return record === undefined ? undefined : new Journal(client, namespace, record as unknown as JournalRecord);
}

function nameOf(release: string): string {
  return `gke-rollout.${release}.journal`;
}
