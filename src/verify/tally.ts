import { problemWords, type Finding, type Problem } from './answer.ts';

/** What many requests to one side came to. */
export interface Tally {
  right: number;
  wrong: Map<Problem, { count: number; example: string }>;
  /** Of right answers; a request without an answer counts with the time it was given. */
  durationsMs: number[];
  /** Requests that had no right answer within the limit for the latency: a wrong answer is never one in time, however fast. */
  slow: number;
  /** Requests that count for nothing, and why. */
  lost: number;
  lostBecause?: string;
}

interface TallyLimits {
  /** How long a request may take at all. */
  timeoutMs: number;
  /** From when on it is slow; never, if absent. */
  maxP95Ms?: number;
}

export function emptyTally(): Tally {
  return { right: 0, wrong: new Map(), durationsMs: [], slow: 0, lost: 0 };
}

/** Adds one more request. */
export function count(tally: Tally, finding: Finding, { timeoutMs, maxP95Ms = Infinity }: TallyLimits): void {
  if (finding.state === 'lost') {
    tally.lost += 1;
    tally.lostBecause ??= finding.message;
    return;
  }
  if (finding.state === 'right') {
    tally.right += 1;
    tally.durationsMs.push(finding.durationMs);
    if (finding.durationMs > maxP95Ms) tally.slow += 1;
    return;
  }
  const known = tally.wrong.get(finding.problem);
  tally.wrong.set(finding.problem, { count: (known?.count ?? 0) + 1, example: known?.example ?? finding.message });
  if (finding.problem === 'timeout') tally.durationsMs.push(timeoutMs);
  if (maxP95Ms < Infinity) tally.slow += 1;
}

export function tallyOf(findings: readonly Finding[], limits: TallyLimits): Tally {
  const tally = emptyTally();
  for (const finding of findings) count(tally, finding, limits);
  return tally;
}

export function errorsOf({ wrong }: Tally): number {
  return [...wrong.values()].reduce((sum, { count: times }) => sum + times, 0);
}

/** Requests that count. */
export function requestsOf(tally: Tally): number {
  return tally.right + errorsOf(tally);
}

/** `12 × error of the application (answered 500), 3 × connection reset (…)`, the most frequent first. */
export function describeErrors({ wrong }: Tally): string {
  return [...wrong]
    .sort(([, left], [, right]) => right.count - left.count)
    .map(([problem, { count: times, example }]) => `${times} × ${problemWords[problem]}: ${example}`)
    .join('; ');
}
