import type { Json } from '../base/json.ts';
import {
  boolean,
  integer,
  line,
  listOf,
  mapOf,
  Misshapen,
  nullOr,
  oneOf,
  recordOf,
  text,
  time,
  type Reader,
} from '../base/shape.ts';
import { keyOf, refOf, type KubernetesObject, type ObjectRef } from '../kubernetes/object.ts';
import type { JournalEntry, JournalRecord, WaitingCandidate } from './journal.ts';
import { objectReader, refReader, revisionNumber } from './record-shape.ts';
import type { RunIdentity } from './run-identity.ts';

/** Journals lie in Secrets that others may be able to write: what is read of one has been looked at, field by field. */

const step = integer(0, 10_000);

const entry = recordOf<JournalEntry>({
  ref: refReader,
  before: nullOr(objectReader),
  after: nullOr(objectReader),
  done: boolean,
  remade: { optional: oneOf(true) },
  step: { optional: step },
});

/** An entry is about one object. */
const entryReader: Reader<JournalEntry> = (value, path) => {
  const found = entry(value, path);
  for (const part of ['before', 'after'] as const) {
    const object = found[part];
    if (object !== null && !isOf(found.ref, object))
      throw new Misshapen(`${path}.${part}`, 'is another object than its "ref"');
  }
  return found;
};

function isOf(ref: ObjectRef, object: KubernetesObject): boolean {
  const own = refOf(object);
  const { namespace = own.namespace } = ref;
  return keyOf(own) === keyOf(namespace === undefined ? ref : { ...ref, namespace });
}

const waiting = recordOf<WaitingCandidate>({
  revision: revisionNumber,
  step,
  candidates: listOf(refReader),
  constantTotal: { optional: boolean },
  numbers: { optional: mapOf(integer(0)) },
  since: time,
  verify: { optional: text() },
});

export const runReader: Reader<RunIdentity> = recordOf<RunIdentity>({
  holder: line(),
  url: { optional: line() },
  actor: { optional: line() },
  commit: { optional: line() },
});

const journal = recordOf<JournalRecord>({
  release: line(253),
  command: line(60),
  revision: { optional: revisionNumber },
  run: runReader,
  startedAt: time,
  undoOnFailure: boolean,
  entries: listOf(entryReader, 100_000),
  temporary: { optional: listOf(refReader) },
  waiting: { optional: waiting },
  replaced: { optional: revisionNumber },
  undoAttempts: { optional: integer(0) },
});

/** @throws Misshapen for what is no journal of this release */
export function journalOf(value: Json, release: string): JournalRecord {
  const found = journal(value, '');
  if (found.release !== release)
    throw new Misshapen('release', `is not "${release}": it is the journal of another release`);
  return found;
}
