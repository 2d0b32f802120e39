import { onOneLine } from '../apply/field-words.ts';
import type { FieldDiff, ObjectDiff } from '../report/field-diff.ts';

/** Longer names of fields are cut: those of custom resources may be anything. */
const maxName = 200;

/**
 * One line for each field: `image of container "web": a:1 → a:2`, `env LOG of container "web": added (debug)`,
 * `key "password": changed`.
 */
export function describeFields({ fields, more }: ObjectDiff): string[] {
  const lines = fields.map(describeField);
  return more === 0 ? lines : [...lines, `and ${more} more`];
}

/** The field as it may be told: on one line, and no longer than anybody reads. */
export function nameOfDiff({ field }: FieldDiff): string {
  const line = onOneLine(field);
  return line.length <= maxName ? line : `${line.slice(0, maxName - 1)}…`.toWellFormed();
}

export function describeField(diff: FieldDiff): string {
  const { change, before, after } = diff;
  const name = nameOfDiff(diff);
  if (change === 'changed' && before !== undefined && after !== undefined) return `${name}: ${before} → ${after}`;
  const value = before ?? after;
  return value === undefined || change === 'changed' ? `${name}: ${change}` : `${name}: ${change} (${value})`;
}
