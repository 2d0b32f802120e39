import type { Json } from '../base/json.ts';
import { boolean, line, listOf, mapOf, Misshapen, oneOf, recordOf, text, time } from '../base/shape.ts';
import { keptReader, objectName, objectReader, refReader, revisionNumber } from './record-shape.ts';
import type { Revision } from './revision.ts';

/** Revisions lie in Secrets that others may be able to write: what is read of one has been looked at, field by field. */

const revision = recordOf<Revision>({
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
  images: mapOf(text()),
  objects: listOf(objectReader),
  serving: { optional: mapOf(objectName) },
  idle: { optional: listOf(objectReader) },
  left: { optional: listOf(refReader) },
  retiring: { optional: recordOf<NonNullable<Revision['retiring']>>({ refs: listOf(refReader), until: time }) },
  kept: { optional: listOf(keptReader) },
  configKey: { optional: line() },
  restartOnConfig: { optional: boolean },
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
