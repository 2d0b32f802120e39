/**
 * How much a number of requests shows, as e-processes: the likelihood of what was seen under a mixture of other rates, over its
 * likelihood under the limit. While the true rate is on the limit's side, the chance that this *ever* reaches 1/α is at most α
 * (Ville's inequality), so it may be looked at after every request and stopped at any time.
 *
 * Wald's sequential test; Robbins 1970; Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic
 * confidence sequences", Annals of Statistics 49(2), 2021; Ramdas, Grünwald, Vovk, Shafer, "Game-theoretic statistics and safe
 * anytime-valid inference", Statistical Science 2023. All evidence is in natural logarithms: products do not overflow.
 */

/** α: the most that the chance of a fail is, for each limit, although the version keeps it. */
export const falseAlarm = 0.01;

/** β: the most that the chance of a pass is although the version is at its limit or above. */
export const falsePass = 0.05;

/** The 95th percentile is below a limit when fewer than this part of the requests is slower. */
export const slowPart = 0.05;

export interface Counts {
  /** How many of the requests failed, or were slow. */
  bad: number;
  requests: number;
}

/** What a version above its limit may have, in multiples of the limit. */
const worse = [1.5, 2, 3, 5, 10, 30];

/** What a version below its limit may have, in multiples of the limit; the weights are 1 together. */
const better = [
  { times: 0, weight: 0.4 },
  { times: 0.1, weight: 0.2 },
  { times: 0.25, weight: 0.2 },
  { times: 0.5, weight: 0.2 },
];

/** That the rate is above `limit` (from 0 to 1, both excluded). */
export function evidenceAbove(counts: Counts, limit: number): number {
  return evidenceOf(counts, aboveLimits.get(limit) ?? remember(aboveLimits, limit, alternativesAbove(limit)));
}

/** That the rate is below `limit` (from 0 to 1, both excluded). */
export function evidenceBelow(counts: Counts, limit: number): number {
  return evidenceOf(counts, belowLimits.get(limit) ?? remember(belowLimits, limit, alternativesBelow(limit)));
}

/** Another rate than the limit: the logarithms of its weight, and of what each request makes it likelier than the limit. */
interface Alternative {
  weight: number;
  bad: number;
  good: number;
}

/** They are asked for after every request. */
const aboveLimits = new Map<number, Alternative[]>();
const belowLimits = new Map<number, Alternative[]>();

function remember(known: Map<number, Alternative[]>, limit: number, found: Alternative[]): Alternative[] {
  known.set(limit, found);
  return found;
}

function alternativesAbove(limit: number): Alternative[] {
  const possible = worse.map((times) => times * limit).filter((rate) => rate < 1);
  const rates = possible.length === 0 ? [(1 + limit) / 2] : possible;
  return rates.map((rate) => ({ weight: -Math.log(rates.length), ...likelier(rate, limit) }));
}

function alternativesBelow(limit: number): Alternative[] {
  return better.map(({ times, weight }) => ({ weight: Math.log(weight), ...likelier(times * limit, limit) }));
}

function likelier(rate: number, limit: number): Pick<Alternative, 'bad' | 'good'> {
  return { bad: Math.log(rate / limit), good: Math.log1p(-rate) - Math.log1p(-limit) };
}

function evidenceOf({ bad, requests }: Counts, alternatives: readonly Alternative[]): number {
  return logSum(
    // Nothing bad at a rate of 0 is certain: 0 · ln 0 is 0 here.
    alternatives.map((one) => one.weight + (bad === 0 ? 0 : bad * one.bad) + (requests - bad) * one.good),
  );
}

/** Enough evidence for a fail: 1/α. */
export function isAlarm(evidence: number): boolean {
  return evidence >= -Math.log(falseAlarm);
}

/** Enough evidence for a pass: 1/β. */
export function isPass(evidence: number): boolean {
  return evidence >= -Math.log(falsePass);
}

/** How many requests, `bad` of them among these, show that the rate is below `limit`: 339 without a bad one for 1 %. */
export function requestsToPass(limit: number, bad = 0): number {
  return leastThat((requests) => isPass(evidenceBelow({ bad, requests }, limit)), bad + 1);
}

/** How many requests show that the rate is above `limit` when all of them are bad: nothing can show it sooner. */
export function requestsToFail(limit: number): number {
  return leastThat((requests) => isAlarm(evidenceAbove({ bad: requests, requests }, limit)), 1);
}

/** What a version that is typically good or bad has, in multiples of the limit. */
export const typical = { good: 0.3, bad: 2 };

/** About how many requests a version takes to pass whose rate is 0.3 times the limit. */
export function typicallyToPass(limit: number): number {
  for (let bad = 0; ; bad += 1) {
    const requests = requestsToPass(limit, bad);
    if (Math.floor(requests * typical.good * limit) <= bad) return requests;
  }
}

/** About how many requests a version takes to fail whose rate is twice the limit. */
export function typicallyToFail(limit: number): number {
  const rate = Math.min(1, typical.bad * limit);
  const bad = leastThat((count) => isAlarm(evidenceAbove({ bad: count, requests: count / rate }, limit)), 1);
  return Math.ceil(bad / rate);
}

/** The smallest number from `least` on for which it holds, where it goes on to hold for all larger ones. */
export function leastThat(holds: (count: number) => boolean, least: number): number {
  if (holds(least)) return least;
  let [no, yes] = [least, 2 * least];
  while (!holds(yes)) [no, yes] = [yes, 2 * yes];
  while (yes - no > 1) {
    const middle = Math.floor((no + yes) / 2);
    if (holds(middle)) yes = middle;
    else no = middle;
  }
  return yes;
}

/** The logarithm of the likelihood of what was seen at one rate (from 0 to 1), over that at another (both excluded). */
export function logRatio({ bad, requests }: Counts, rate: number, over: number): number {
  const { bad: ofBad, good: ofGood } = likelier(rate, over);
  const good = requests - bad;
  return (bad === 0 ? 0 : bad * ofBad) + (good === 0 ? 0 : good * ofGood);
}

/** The logarithm of a sum of which the logarithms are given; that of nothing is `-Infinity`. */
export function logSum(logs: readonly number[]): number {
  const most = Math.max(...logs);
  if (!Number.isFinite(most)) return most;
  return most + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - most), 0));
}
