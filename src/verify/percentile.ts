const part = 0.95;

/** The 95th percentile as an order statistic: the smallest sample that 95 % of them do not exceed. It is told, not judged. */
export function p95(samples: readonly number[]): number | undefined {
  const sorted = samples.toSorted((left, right) => left - right);
  // The product is rounded first: 0.95 × 20 is a little more than 19 in floating point.
  return sorted[Math.ceil(Math.round(part * sorted.length * 1e6) / 1e6) - 1];
}
