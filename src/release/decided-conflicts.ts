import { at, type Json } from '../base/json.ts';
import { ApiError, conflictingManager } from '../kubernetes/errors.ts';
import { formatFieldPath, parseFieldPath } from '../kubernetes/field-path.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/**
 * Whether all that an apply conflicts with is what people change with kubectl for the moment: the number of pods, a label, an
 * annotation. There the manifest says what is to be, and nobody needs to decide; where the manifest does not have the field, the
 * change stays. What makes another version (`kubectl set`, `kubectl edit` of a template) is for somebody to decide.
 * @returns a sentence for each such field; undefined when there is something to decide, or when it is no conflict
 */
export function decidedConflicts(error: unknown, live: KubernetesObject | undefined): string[] | undefined {
  if (!(error instanceof ApiError && error.isFieldManagerConflict)) return undefined;
  const conflicts = error.causes.map((cause) => ({
    path: parseFieldPath(cause.field, live),
    manager: conflictingManager(cause),
  }));
  const isDecided = conflicts.every(({ path: [first, second], manager }) => {
    const isNote = first === 'metadata' && (second === 'labels' || second === 'annotations');
    return manager.startsWith('kubectl') && (isNote || (first === 'spec' && second === 'replicas'));
  });
  if (!isDecided) return undefined;
  return conflicts.map(({ path, manager }) => {
    const value: Json = at(live, ...path) ?? null;
    return `${formatFieldPath(path)} was ${JSON.stringify(value)} by "${manager}", and is set to what the manifest says`;
  });
}
