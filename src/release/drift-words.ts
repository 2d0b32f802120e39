import { describeRef, type ObjectRef } from '../kubernetes/object.ts';

/** One field of an object that is not as it was recorded. */
export interface Drift {
  ref: ObjectRef;
  /** In words: `image of container "web"`. */
  field: string;
  /** Absent where there is none, and where the value is not to be shown. */
  recorded?: string;
  live?: string;
  /** `manager` of the field: who has written it last, where somebody owns it. */
  manager?: string;
  /** ISO 8601. */
  since?: string;
}

/** `Deployment "web": image of container "web": a:1 → a:2 (kubectl-set, since 2026-01-01T00:00:00Z)` */
export function describeDrift({ ref, field, recorded, live, manager, since }: Drift): string {
  const change =
    recorded === undefined && live === undefined ? 'changed' : `${recorded ?? '(none)'} → ${live ?? '(none)'}`;
  const who = [manager, since === undefined ? undefined : `since ${since}`].filter((part) => part !== undefined);
  return `${describeRef(ref)}: ${field}: ${change}${who.length === 0 ? '' : ` (${who.join(', ')})`}`;
}
