import { describeRef, type ObjectRef } from '../kubernetes/object.ts';
import type { UndoReport } from './undo-report.ts';

/** What an undo could not bring back and no other run will try again: it stays as the run has made it. */
export interface Kept {
  ref: ObjectRef;
  /** Why, as one sentence. */
  reason: string;
  /** Only these fields of it; absent for the whole object. */
  fields?: string[];
}

export function keptOf({ results }: UndoReport): Kept[] {
  return results.flatMap((result) => {
    if (result.outcome !== 'refused') return [];
    const { ref, reason, fields } = result;
    return [{ ref, reason, ...(fields === undefined ? {} : { fields }) }];
  });
}

/** `ConfigMap "a" in namespace "shop" stays as revision 4 has left it (data): cannot update …` */
export function describeKept({ ref, reason, fields }: Kept, revision: number): string {
  const where = fields === undefined ? '' : ` (${fields.join(', ')})`;
  return `${describeRef(ref, true)} stays as revision ${revision} left it${where}, because it could not be restored: ${reason}`;
}

/** Two lists of what was kept as one, what was said last of each object. */
export function joinKept(earlier: readonly Kept[], later: readonly Kept[]): Kept[] {
  const key = ({ ref }: Kept) => describeRef(ref, true);
  return [...new Map([...earlier, ...later].map((entry) => [key(entry), entry])).values()];
}
