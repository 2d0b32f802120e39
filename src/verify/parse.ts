import { Failures, InvalidInput } from '../base/errors.ts';
import { checkFrom } from './check-fields.ts';
import type { Check } from './check.ts';
import { readEntries } from './entries.ts';

/**
 * The checks of the input `verify`: one per line in the short form, or a YAML list of short forms and mappings. `docs/verify.md`
 * has the grammar.
 * @param budgetMs how long all waits of the run may take together, where that is known
 * @throws Failures with every problem that there is, each with its line
 */
export function parseChecks(text: string, budgetMs?: number): Check[] {
  const problems: InvalidInput[] = [];
  const checks: Check[] = [];
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (error instanceof Failures) problems.push(...error.all);
      else if (error instanceof InvalidInput) problems.push(error);
      else throw error;
      return undefined;
    }
  };
  for (const entry of attempt(() => readEntries(text)) ?? []) {
    const check = attempt(() => checkFrom(entry, budgetMs));
    if (check !== undefined) checks.push(check);
  }
  const [first, ...more] = problems;
  if (first !== undefined) {
    throw more.length === 0
      ? new Failures(first.message, problems, first.hint === undefined ? {} : { hint: first.hint })
      : new Failures(`the input "verify" has ${problems.length} problems`, problems, {
          hint: 'Fix them in the workflow.',
        });
  }
  return checks;
}
