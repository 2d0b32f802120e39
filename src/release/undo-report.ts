import { describeRef, type ObjectRef } from '../kubernetes/object.ts';

/** What an undo did to one object. */
export type UndoResult =
  /** `note`: what a reader should know of the way it was done. */
  | { ref: ObjectRef; outcome: 'restored'; note?: string }
  /** It had not been changed, or somebody had already brought it back. */
  | { ref: ObjectRef; outcome: 'untouched' }
  /** This run had created it, and it was removed again. */
  | { ref: ObjectRef; outcome: 'deleted' }
  /** This run had created it, but it may hold data (Namespace, PersistentVolumeClaim, CustomResourceDefinition). */
  | { ref: ObjectRef; outcome: 'kept' }
  /** Restored but for these fields, which somebody else has changed since. */
  | { ref: ObjectRef; outcome: 'partly'; fields: string[] }
  /**
   * The cluster does not take it back, however often it is asked: it stays as the run has made it, as a whole or in these
   * fields.
   */
  | { ref: ObjectRef; outcome: 'refused'; reason: string; fields?: string[] }
  /** Its deletion was asked for, and something holds it up. `message`: since when, and what. */
  | { ref: ObjectRef; outcome: 'going'; message: string }
  /** It could not be done now; the next run tries again. */
  | { ref: ObjectRef; outcome: 'failed'; message: string };

export interface UndoReport {
  /** Everything is as it was before the run (kept objects aside). */
  complete: boolean;
  /** All is written back, but restored workloads or custom resources did not get ready again in time. */
  unsettled?: true;
  /** Custom resources that are back as they were, and that their controllers have not reported ready yet. */
  unheard?: ObjectRef[];
  /** The journal could not be told of it: the next run undoes the same again, which changes nothing. */
  unclosed?: true;
  /** Workloads that keep pods of another version than before, one sentence for each. */
  pods?: string[];
  /** The revision of a candidate that waited before the run, which took it away for its own: it is not back. */
  replaced?: number;
  results: UndoResult[];
}

/** One sentence for each object that an undo has deleted and that is not gone: `ConfigMap "a" in namespace "b" is being …`. */
export function goingIn({ results }: UndoReport): string[] {
  return results.flatMap((result) =>
    result.outcome === 'going' ? [`${describeRef(result.ref, true)} ${result.message}`] : [],
  );
}

/** One sentence for each custom resource of which nobody knows yet whether it is ready again. */
export function unheardIn({ unheard = [] }: UndoReport): string[] {
  return unheard.map((ref) => `${describeRef(ref)} is not reported ready yet`);
}

/** What a failed deploy says of the candidate that it had taken away. */
export function notBack(revision: number): string {
  return `the candidate that was waiting before (revision ${revision}) was removed for this run and is not back: deploy it again if you still want it`;
}
