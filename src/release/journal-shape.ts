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
import { objectReader, refReader, revisionNumber } from './record-shape.ts';
import { reasonReader } from './release-event.ts';
import type { RunIdentity } from './run-identity.ts';

/** One object that a run is about to change or has changed. */
export interface JournalEntry {
  ref: ObjectRef;
  /** As it was; null when there was none. */
  before: KubernetesObject | null;
  /** As the server said it will be (dry run), or as it answered the write; null when that is not known. */
  after: KubernetesObject | null;
  /** True once the write was answered. */
  done: boolean;
  /** It is deleted and made anew, because it cannot be changed. */
  remade?: true;
  /** The step of the strategy that it belongs to, from 0; absent is 0. Steps are undone in reverse order. */
  step?: number;
}

/** A candidate that was left waiting for `promote` or `abort`: the journal stays open until then. */
export interface WaitingCandidate {
  revision: number;
  /** The last step that brought it in. Later ones belong to a promotion under way. */
  step: number;
  /** The workloads that run the new version beside the stable ones. */
  candidates: ObjectRef[];
  /** The stable workloads have made room for the candidates' pods. */
  constantTotal?: boolean;
  /** How many pods the workloads that serve had when it was brought in, by their keys. */
  numbers?: Readonly<Record<string, number>>;
  /** ISO 8601. */
  since: string;
  /** The input `verify` of the deploy, which is asked again before the promotion. */
  verify?: string;
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
  /** What only a candidate needs: it goes once the revision is recorded as live. */
  temporary?: ObjectRef[];
  waiting?: WaitingCandidate;
  /** The revision of a candidate that waited until this run took it away: no undo of this run brings it back. */
  replaced?: number;
  /** How many undos have ended without being able to do all now: after the second one, what is left stays. */
  undoAttempts?: number;
}

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

const runReader: Reader<RunIdentity> = recordOf<RunIdentity>({
  holder: line(),
  url: { optional: line() },
  actor: { optional: line() },
  commit: { optional: line() },
  reason: { optional: reasonReader },
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
