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

export function describeField({ field, change, before, after }: FieldDiff): string {
  const line = onOneLine(field);
  const name = line.length <= maxName ? line : `${line.slice(0, maxName - 1)}…`.toWellFormed();
  if (change === 'changed' && before !== undefined && after !== undefined) return `${name}: ${before} → ${after}`;
  const value = before ?? after;
  return value === undefined || change === 'changed' ? `${name}: ${change}` : `${name}: ${change} (${value})`;
}
