import { createHash } from 'node:crypto';

/**
 * A share of a matrix that is too long for every run: `TEST_SHARE` (from 0 to 1, all by default) says how much, `TEST_SEED`
 * which. The same seed chooses the same cases. `most` limits the share, not the whole.
 */
export function shareOf<T>(matrix: readonly T[], nameOf: (item: T) => string, most = Infinity): T[] {
  const share = Number(process.env['TEST_SHARE'] ?? '1');
  if (share >= 1) return [...matrix];
  const lots = lotsOf(matrix, nameOf);
  const drawn = matrix.filter((item) => (lots.get(item) ?? 1) < share);
  const limit = drawn.map((item) => lots.get(item) ?? 1).sort((left, right) => left - right)[most - 1] ?? 1;
  const chosen = drawn.filter((item) => (lots.get(item) ?? 1) <= limit);
  // A suite without cases would be no test at all.
  return chosen.length > 0 ? chosen : matrix.slice(0, 1);
}

/** So many of a matrix, by `TEST_SEED`; all of one that has no more. */
export function drawn<T>(matrix: readonly T[], nameOf: (item: T) => string, count: number): T[] {
  const lots = lotsOf(matrix, nameOf);
  const inOrder = matrix.toSorted((left, right) => (lots.get(left) ?? 1) - (lots.get(right) ?? 1));
  return inOrder.slice(0, count);
}

/** A number from 0 to 1 for each, which its name and `TEST_SEED` alone decide. */
function lotsOf<T>(matrix: readonly T[], nameOf: (item: T) => string): Map<T, number> {
  const seed = process.env['TEST_SEED'] ?? '0';
  const lotOf = (item: T) => {
    const digest = createHash('sha256')
      .update(`${seed} ${nameOf(item)}`)
      .digest();
    return digest.readUInt32BE(0) / 2 ** 32;
  };
  return new Map(matrix.map((item) => [item, lotOf(item)]));
}
