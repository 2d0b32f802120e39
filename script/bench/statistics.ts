/** The value in the middle; of an even number the mean of the two there. 0 of none. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** The least of the values that at least this share (percent) of them does not exceed: the nearest rank. 0 of none. */
export function percentile(values: readonly number[], percent: number): number {
  const rank = Math.max(1, Math.ceil((percent / 100) * values.length));
  return ascending(values)[rank - 1] ?? 0;
}

/** How many times as long the one took as the other, pair by pair. */
export interface Ratio {
  median: number;
  least: number;
  most: number;
}

/** Of two lists that are not as long, what has no partner is left out. */
export function ratioOf(ones: readonly number[], others: readonly number[]): Ratio {
  const pairs = Math.min(ones.length, others.length);
  const ratios = ascending(ones.slice(0, pairs).map((value, index) => value / (others[index] ?? 1)));
  return { median: median(ratios), least: ratios[0] ?? 0, most: ratios.at(-1) ?? 0 };
}

function ascending(values: readonly number[]): number[] {
  return [...values].sort((left, right) => left - right);
}
