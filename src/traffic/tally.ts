import { problemWords, type Finding, type Problem } from './answer.ts';

/** What many requests to one side came to. */
export interface Tally {
  right: number;
  wrong: ReadonlyMap<Problem, { count: number; example: string }>;
  /** Of right answers; a request without an answer counts with the time it was given. */
  durationsMs: readonly number[];
  /** Requests that count for nothing, and why. */
  lost: number;
  lostBecause?: string;
}

export function tallyOf(findings: readonly Finding[], timeoutMs: number): Tally {
  const wrong = new Map<Problem, { count: number; example: string }>();
  const durationsMs: number[] = [];
  let right = 0;
  const lost = findings.filter((finding) => finding.state === 'lost');
  for (const finding of findings) {
    if (finding.state === 'right') {
      right += 1;
      durationsMs.push(finding.durationMs);
    } else if (finding.state === 'wrong') {
      const known = wrong.get(finding.problem);
      wrong.set(finding.problem, { count: (known?.count ?? 0) + 1, example: known?.example ?? finding.message });
      if (finding.problem === 'timeout') durationsMs.push(timeoutMs);
    }
  }
  const [first] = lost;
  return {
    right,
    wrong,
    durationsMs,
    lost: lost.length,
    ...(first === undefined ? {} : { lostBecause: first.message }),
  };
}

export function errorsOf({ wrong }: Tally): number {
  return [...wrong.values()].reduce((sum, { count }) => sum + count, 0);
}

/** Requests that count. */
export function requestsOf(tally: Tally): number {
  return tally.right + errorsOf(tally);
}

/** `12 × error of the application (answered 500), 3 × connection reset (…)`, the most frequent first. */
export function describeErrors({ wrong }: Tally): string {
  return [...wrong]
    .sort(([, left], [, right]) => right.count - left.count)
    .map(([problem, { count, example }]) => `${count} × ${problemWords[problem]}: ${example}`)
    .join('; ');
}
