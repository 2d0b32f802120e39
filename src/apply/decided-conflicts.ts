import { at, type Json } from '../base/json.ts';
import { ApiError, conflictingManager } from '../kubernetes/errors.ts';
import { formatFieldPath, parseFieldPath } from '../kubernetes/field-path.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';

/**
 * Whether all that an apply conflicts with was changed by hand with kubectl. A deploy says what is to be, as `kubectl apply` and
 * helm do: it sets the field to what the manifest says and tells whose change that was, so that nobody has to come and free it.
 * Where the manifest does not have the field, the change stays. What another tool or a controller owns is for somebody to decide.
 * @returns a sentence for each such field; undefined when there is something to decide, or when it is no conflict
 */
export function decidedConflicts(error: unknown, live: KubernetesObject | undefined): string[] | undefined {
  if (!(error instanceof ApiError && error.isFieldManagerConflict)) return undefined;
  const conflicts = error.causes.map((cause) => ({
    path: parseFieldPath(cause.field, live),
    manager: conflictingManager(cause),
  }));
  if (!conflicts.every(({ manager }) => manager.startsWith('kubectl'))) return undefined;
  return conflicts.map(({ path, manager }) => {
    const value: Json = at(live, ...path) ?? null;
    const what = isHarmless(path) ? `was ${JSON.stringify(value)} by` : 'was changed by';
    return `${formatFieldPath(path)} ${what} "${manager}", and is set to what the manifest says`;
  });
}

/** Config, variables and arguments may be secret: only that they were changed is told. */
function isHarmless(path: readonly (string | number)[]): boolean {
  const [first, second] = path;
  return (
    path.at(-1) === 'image' ||
    (first === 'spec' && second === 'replicas') ||
    (first === 'metadata' && second === 'labels')
  );
}
