import { messageOf } from '../base/errors.ts';
import { parseUserRules } from '../rollout/readiness/user/parse-rules.ts';
import { idleRules, type UserRule } from '../rollout/readiness/user/user-rule.ts';
import type { Revision } from './revision-shape.ts';

/** Told of what cannot be used. */
interface Warned {
  warn(text: string): void;
}

/**
 * The rules of the input `await` that a revision was brought in by, as far as they are about its objects. Lines that cannot be read are
 * told and not used.
 */
export function recordedRules(revision: Revision | undefined, report: Warned): UserRule[] {
  if (revision?.await === undefined) return [];
  try {
    const rules = parseUserRules(revision.await);
    const idle = idleRules(rules, revision.objects);
    return rules.filter((rule) => !idle.includes(rule));
  } catch (error) {
    report.warn(`the "await" lines recorded with revision ${revision.revision} are not used: ${messageOf(error)}`);
    return [];
  }
}

/**
 * What a command that brings in a recorded revision waits by: its own input, or else what that revision was brought in by.
 * @param given as the input has them
 */
export function rulesOfChange(
  given: readonly UserRule[],
  revision: Revision,
  report: Warned,
): { userRules: readonly UserRule[]; await?: string } {
  if (given.length > 0) return { userRules: given };
  const userRules = recordedRules(revision, report);
  return { userRules, ...(userRules.length === 0 || revision.await === undefined ? {} : { await: revision.await }) };
}
