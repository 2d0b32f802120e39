import { createHash } from 'node:crypto';

/** Digits of the hash: enough that two names of one namespace do not meet. */
const hashLength = 8;

/**
 * A name with a suffix, within a limit: `web` with `-green` is `web-green`; one that would be too long is cut, and gets a hash
 * of the whole before the suffix, so that it is the same every time and another one for another name.
 * @param limit characters, at least those of the suffix and ten more
 */
export function withSuffix(name: string, suffix: string, limit: number): string {
  if (name.length + suffix.length <= limit) return `${name}${suffix}`;
  const hash = createHash('sha256').update(name).digest('hex').slice(0, hashLength);
  // Neither a name nor the value of a label has two separators in a row that mean anything.
  const head = name.slice(0, limit - suffix.length - hashLength - 1).replace(/(?<![^A-Za-z0-9])[^A-Za-z0-9]+$/, '');
  return `${head}-${hash}${suffix}`;
}
