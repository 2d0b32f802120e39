import type { Json } from '../base/json.ts';
import { boolean, line, listOf, mapOf, Misshapen, oneOf, recordOf, text, time } from '../base/shape.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import { keptReader, objectName, objectReader, refReader, revisionNumber } from './record-shape.ts';
import type { Kept } from './kept.ts';
import { causeReader, eventReader, reasonReader, type ReleaseEvent } from './release-event.ts';

/**
 * How a revision ended; `live` is the only one that an undo or a rollback goes to by itself. One that is `waiting` has not:
 * it becomes `live` when it is promoted, or `aborted`.
 */
export type Outcome = 'live' | 'superseded' | 'undone' | 'failed' | 'waiting' | 'aborted' | 'unreadable';

/** One recorded version of a release: everything that is needed to bring it back without a checkout. */
export interface Revision {
  release: string;
  revision: number;
  outcome: Outcome;
  strategy: string;
  /** ISO 8601. */
  startedAt: string;
  finishedAt: string;
  /** The revision whose objects these are, after a rollback. */
  restores?: number;
  commit?: string;
  run?: string;
  actor?: string;
  /** What the user has given as the input `reason`. */
  reason?: string;
  /** Why it failed, one sentence. */
  cause?: string;
  /** What was done to it since without a new revision, oldest first; only the last ones. */
  events?: ReleaseEvent[];
  /** `workload/container` → image. */
  images: Record<string, string>;
  /**
   * Every object as it was meant: as the user's manifests have it, with the inputs of the run. None of a run that was
   * cancelled before it knew.
   */
  objects: KubernetesObject[];
  /** What workloads of these are called where a strategy runs them under another name, by their keys. */
  serving?: Record<string, string>;
  /** Where the user has written two sides: what the files of the one hold that was not brought in. */
  idle?: KubernetesObject[];
  /** What earlier revisions had and this one lacks, as far as it was still in the cluster. */
  left?: ObjectRef[];
  /** What served before it and stays until then (ISO 8601); afterwards whichever run comes scales it to 0. */
  retiring?: { refs: ObjectRef[]; until: string };
  /** What its run, or a later one that made no revision, has changed and an undo could not bring back. */
  kept?: Kept[];
  /** What the hashes of config in pod templates are made with: the same in all revisions of a release. */
  configKey?: string;
  /** Whether pods are made anew when only their config changes; absent: they are. */
  restartOnConfig?: boolean;
  /** The lines of the input `await` that it was brought in by; absent: there were none. */
  await?: string;
  /** What the release was called before, where its history has come along. */
  formerly?: string[];
  /** Why there is nothing of it but its number. */
  problem?: string;
  /** Its record says that it is live, although a later one is: its run has ended before it could mark it. Never recorded. */
  unmarked?: true;
}

/** Revisions lie in Secrets that others may be able to write: what is read of one has been looked at, field by field. */

const revision = recordOf<Omit<Revision, 'unmarked'>>({
  release: line(253),
  revision: revisionNumber,
  outcome: oneOf('live', 'superseded', 'undone', 'failed', 'waiting', 'aborted'),
  strategy: line(60),
  startedAt: time,
  finishedAt: time,
  restores: { optional: revisionNumber },
  commit: { optional: line() },
  run: { optional: line() },
  actor: { optional: line() },
  reason: { optional: reasonReader },
  cause: { optional: causeReader },
  events: { optional: listOf(eventReader) },
  images: mapOf(text()),
  objects: listOf(objectReader),
  serving: { optional: mapOf(objectName) },
  idle: { optional: listOf(objectReader) },
  left: { optional: listOf(refReader) },
  retiring: { optional: recordOf<NonNullable<Revision['retiring']>>({ refs: listOf(refReader), until: time }) },
  kept: { optional: listOf(keptReader) },
  configKey: { optional: line() },
  restartOnConfig: { optional: boolean },
  await: { optional: text() },
  formerly: { optional: listOf(line(253)) },
  problem: { optional: text() },
});

/**
 * @param name what the record is called by its Secret
 * @throws Misshapen for what is not this revision
 */
export function revisionOf(value: Json, name: { release: string; revision: number }): Revision {
  const found = revision(value, '');
  // What is wrong with a record is not for the record to say.
  delete found.problem;
  if (found.release !== name.release)
    throw new Misshapen('release', `is not "${name.release}", as the label of the Secret has it`);
  if (found.revision !== name.revision)
    throw new Misshapen('revision', `is not ${name.revision}, as the name of the Secret has it`);
  return found;
}
