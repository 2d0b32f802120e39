import { isAlarm, isPass, leastThat, logRatio, logSum, type Counts } from './evidence.ts';

/**
 * Whether a candidate gets the share of the requests that it should have: e-processes as in `evidence.ts`, against all shares
 * outside of what is tolerated, against all inside, and against the share before the change. All shares are from 0 to 1.
 */
export interface WantedShare {
  wanted: number;
  /** How far it may be off. */
  tolerance: number;
  /** What it was before, where that is known. */
  former?: number | undefined;
}

/** What was counted. */
export interface SeenShare {
  /** Answers of the candidate, of the stable version, and of nobody knows which. */
  candidate: number;
  stable: number;
  unknown: number;
}

/** A share that is off is measured once more: the change may not have reached every proxy yet. Both attempts share β. */
export const shareAttempts = 2;

/** Of the requests that told their version. */
function countsOf({ candidate, stable }: SeenShare): Counts {
  return { bad: candidate, requests: candidate + stable };
}

/** Where the true share may be when it is as wanted, in multiples of the tolerance; the weights are 1 together. */
const near = [
  { off: 0, weight: 0.5 },
  { off: -0.5, weight: 0.25 },
  { off: 0.5, weight: 0.25 },
];

/** How far beyond what is tolerated it may be when it is not, in multiples of the tolerance. */
const beyond = [0.5, 1, 2, 4, 8];

/**
 * Whether the share is shown to be nearer than the tolerance, and not to be the former one any more. Answers that tell no version
 * count against it on either side: an error must not help.
 */
export function isInEffect(seen: SeenShare, share: WantedShare): boolean {
  const { candidate, stable, unknown } = seen;
  const requests = candidate + stable + unknown;
  const { low, high } = bounds(share);
  const { former, wanted } = share;
  return (
    isShown(evidenceWithin({ bad: candidate + unknown, requests }, share, high)) &&
    isShown(evidenceWithin({ bad: candidate, requests }, share, low)) &&
    (former === undefined || former === wanted || isShown(evidenceAgainst(countsOf(seen), wanted, former)))
  );
}

/** Whether the share is shown to be farther off than the tolerance. */
export function isOff(seen: SeenShare, share: WantedShare): boolean {
  const { low, high } = bounds(share);
  const counts = countsOf(seen);
  const { tolerance } = share;
  const rates = [
    ...[...beyond.map((times) => high + times * tolerance).filter((rate) => rate < 1), 1].map((rate) => ({
      rate,
      from: high,
    })),
    ...[...beyond.map((times) => low - times * tolerance).filter((rate) => rate > 0), 0].map((rate) => ({
      rate,
      from: low,
    })),
  ].filter(({ from }) => from > 0 && from < 1);
  return isAlarm(logSum(rates.map(({ rate, from }) => logRatio(counts, rate, from))) - Math.log(rates.length));
}

/** About how many requests it takes to show a share that is exactly as wanted. */
export function typicallyForShare(share: WantedShare): number {
  const exactly = (requests: number): SeenShare => ({
    candidate: share.wanted * requests,
    stable: (1 - share.wanted) * requests,
    unknown: 0,
  });
  return leastThat((requests) => isInEffect(exactly(requests), share), 1);
}

function bounds({ wanted, tolerance }: WantedShare): { low: number; high: number } {
  return { low: Math.max(0, wanted - tolerance), high: Math.min(1, wanted + tolerance) };
}

/** That the share is on the wanted side of a bound; a bound of 0 or 1 excludes nothing but itself. */
function evidenceWithin(counts: Counts, { wanted, tolerance }: WantedShare, bound: number): number {
  const rates = near
    .map(({ off, weight }) => ({ rate: wanted + off * tolerance, weight }))
    .filter(({ rate }) => rate > 0 && rate < 1);
  return logSum(rates.map(({ rate, weight }) => Math.log(weight) + evidenceAgainst(counts, rate, bound)));
}

/** That the share is `rate` and not `other`: without end for what cannot be at a share of 0 or 1. */
function evidenceAgainst(counts: Counts, rate: number, other: number): number {
  if (other <= 0) return counts.bad > 0 ? Infinity : counts.requests * Math.log1p(-rate);
  if (other >= 1) return counts.bad < counts.requests ? Infinity : counts.requests * Math.log(rate);
  return logRatio(counts, rate, other);
}

function isShown(evidence: number): boolean {
  return isPass(evidence - Math.log(shareAttempts));
}
