import { logSum, type Counts } from './evidence.ts';

/**
 * Whether the candidate is worse than the stable version that is asked at the same moments. It is compared within short intervals,
 * so that what hits both sides (a database that is out, the daytime, another share of the traffic) says nothing about either.
 *
 * Given how many requests each side had in an interval, and how many of all went wrong, the number of the candidate's follows
 * Fisher's noncentral hypergeometric distribution. Its likelihood at higher odds over that at equal odds is multiplied over the
 * intervals: an e-process as in `evidence.ts`, exact for any number of requests (relatives: Mantel–Haenszel; Turner, Ly, Grünwald,
 * "Generic E-variables for exact sequential k-sample tests", JSPI 230, 2024). It is silent while no side has errors
 * (spinnaker/kayenta#377, #799), and can only show that the candidate is worse, never that it is not.
 */
export interface Comparison {
  /** For each of the odds ratios: the logarithm of the likelihood so far, over that at equal odds. */
  logs: readonly number[];
}

/** How many times the stable version's odds a candidate's may be that is worse. */
const oddsRatios = [1.5, 2, 3, 5, 10];

export const nothingCompared: Comparison = { logs: oddsRatios.map(() => 0) };

/** With one more interval, in which both sides were asked at the same time. */
export function compare({ logs }: Comparison, candidate: Counts, stable: Counts): Comparison {
  const ways = waysToDistribute(candidate, stable);
  const total = (odds: number) => logSum(ways.map(({ log, ofCandidate }) => log + ofCandidate * Math.log(odds)));
  const atEqualOdds = total(1);
  return {
    logs: oddsRatios.map(
      (odds, index) => (logs[index] ?? 0) + candidate.bad * Math.log(odds) - total(odds) + atEqualOdds,
    ),
  };
}

/** That the candidate is worse, as a logarithm. */
export function evidenceOfWorse({ logs }: Comparison): number {
  return logSum(logs) - Math.log(logs.length);
}

/** In how many ways (as a logarithm) the bad requests of both could have been so many of the candidate's. */
function waysToDistribute(candidate: Counts, stable: Counts): { ofCandidate: number; log: number }[] {
  const bad = candidate.bad + stable.bad;
  const ways = [];
  for (let of = Math.max(0, bad - stable.requests); of <= Math.min(bad, candidate.requests); of += 1) {
    ways.push({ ofCandidate: of, log: logChoose(candidate.requests, of) + logChoose(stable.requests, bad - of) });
  }
  return ways;
}

function logChoose(from: number, count: number): number {
  return logFactorial(from) - logFactorial(count) - logFactorial(from - count);
}

const logFactorials = [0];

function logFactorial(of: number): number {
  for (let next = logFactorials.length; next <= of; next += 1) {
    logFactorials.push((logFactorials[next - 1] ?? 0) + Math.log(next));
  }
  return logFactorials[of] ?? 0;
}
