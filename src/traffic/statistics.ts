/**
 * What can be said of a version from a number of requests. All bounds are one-sided with 95 % confidence; the sample sizes
 * follow from them and are not chosen.
 */

const confidence = 0.95;
/** The quantiles of the normal distribution for one side with 95 %, and for both. */
const oneSided = 1.6448536269514722;
const twoSided = 1.959963984540054;

/** From this many samples on, their largest is at least the true 95th percentile with 95 % confidence. */
export const samplesForP95 = samplesToRuleOut(0.05);

/**
 * How many requests without an error show that the error rate is below `rate` (from 0 to 1): 59 for 5 %, 299 for 1 %.
 * Exact binomial: `(1 - rate)^n <= 5 %`.
 */
export function samplesToRuleOut(rate: number): number {
  if (rate <= 0) return Infinity;
  if (rate >= 1) return 1;
  return Math.ceil(Math.log(1 - confidence) / Math.log(1 - rate));
}

/** The lowest error rate that is compatible with what was seen (Wilson score). */
export function wilsonLower(errors: number, requests: number): number {
  return requests === 0 || errors === 0 ? 0 : Math.max(0, wilson(errors, requests, -oneSided));
}

/** The highest error rate that is compatible with what was seen (Wilson score). */
export function wilsonUpper(errors: number, requests: number): number {
  return requests === 0 || errors === requests ? 1 : Math.min(1, wilson(errors, requests, oneSided));
}

function wilson(errors: number, requests: number, z: number): number {
  const rate = errors / requests;
  const spread = z * Math.sqrt((rate * (1 - rate)) / requests + z ** 2 / (4 * requests ** 2));
  return (rate + z ** 2 / (2 * requests) + spread) / (1 + z ** 2 / requests);
}

interface Counts {
  errors: number;
  requests: number;
}

/**
 * By how much the first error rate is higher than the second at least: the lower bound of the difference, from the Wilson
 * bounds of both (Newcombe's hybrid score). A second side without any error is no special case, as it is for ratios
 * (spinnaker/kayenta#377, #799).
 */
export function excessAtLeast(first: Counts, second: Counts): number {
  if (first.requests === 0 || second.requests === 0) return 0;
  const [high, low] = [first.errors / first.requests, second.errors / second.requests];
  const below = high - wilsonLower(first.errors, first.requests);
  const above = wilsonUpper(second.errors, second.requests) - low;
  return Math.max(0, high - low - Math.hypot(below, above));
}

/** The 95th percentile as an order statistic: the smallest sample that 95 % of them do not exceed. */
export function p95(samples: readonly number[]): number | undefined {
  const sorted = samples.toSorted((left, right) => left - right);
  // The product is rounded first: 0.95 × 20 is a little more than 19 in floating point.
  return sorted[Math.ceil(Math.round(confidence * sorted.length * 1e6) / 1e6) - 1];
}

/**
 * How far a measured share may be from the wanted one, in percentage points: `max(atLeast, 3·√(p(1−p)/n))`.
 * @param wanted in percent
 */
export function shareTolerance(wanted: number, requests: number, atLeast: number): number {
  const share = wanted / 100;
  return Math.max(atLeast, 300 * Math.sqrt((share * (1 - share)) / Math.max(1, requests)));
}

/** How many requests tell a share of `wanted` percent to within ±5 points: 139 for 10 %, 385 for 50 %. */
export function samplesForShare(wanted: number): number {
  const share = wanted / 100;
  return Math.max(1, Math.ceil((twoSided ** 2 * share * (1 - share)) / 0.05 ** 2));
}
