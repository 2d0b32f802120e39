import type { Cause } from '../verdict.ts';

/**
 * What a pod or a controller shows while it is not ready. A `final` sign cannot heal without a change. One that `mayHeal`
 * is final once it has been there for its grace. A `diagnostic` one never ends a wait; it says what is missing when the
 * time runs out.
 */
export type Sign =
  | { state: 'final'; cause: Cause }
  | { state: 'mayHeal'; graceMs: number; cause: Cause }
  | { state: 'diagnostic'; cause: Cause; start?: Start };

/** Nothing is wrong yet: it is a part of a start that takes time. `since` in milliseconds since the epoch, where it shows. */
interface Start {
  since?: number | undefined;
}

export const final = (cause: Cause): Sign => ({ state: 'final', cause });
export const mayHeal = (graceMs: number, cause: Cause): Sign => ({ state: 'mayHeal', graceMs, cause });
export const diagnostic = (cause: Cause): Sign => ({ state: 'diagnostic', cause });
export const startSign = (cause: Cause, since = cause.since): Sign => ({
  state: 'diagnostic',
  cause,
  start: { since },
});

/** Whether a sign ends the wait now; `since` is when it was first seen, and no sign ends it before `leastMs` have passed. */
export function isFinal(sign: Sign, since: number, now: number, leastMs = 0): boolean {
  switch (sign.state) {
    case 'final':
      return now - since >= leastMs;
    case 'mayHeal':
      return now - since >= Math.max(sign.graceMs, leastMs);
    case 'diagnostic':
      return false;
  }
}
