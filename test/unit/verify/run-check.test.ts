import { beforeEach, describe, expect, test } from '@jest/globals';

import type { Attempt } from '../../../src/verify/answer.ts';
import { parseChecks } from '../../../src/verify/parse.ts';
import type { CheckResult } from '../../../src/verify/result.ts';
import { runCheck, type Assignment } from '../../../src/verify/run-check.ts';
import type { Plan, PodWay } from '../../../src/verify/sides.ts';
import type { Way } from '../../../src/verify/ways.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';

const right: Attempt = { state: 'answered', answer: { status: 200, headers: {}, body: 'ok', durationMs: 5 } };
const error: Attempt = { state: 'answered', answer: { status: 500, headers: {}, body: '', durationMs: 5 } };
const refused: Attempt = { state: 'broken', problem: 'refused', message: 'the connection was refused' };
const lost: Attempt = { state: 'lost', message: 'the API server is restarting' };

function saying(version: string): Attempt {
  return { state: 'answered', answer: { status: 200, headers: { 'x-version': version }, body: '', durationMs: 5 } };
}

/** A place that answers its n-th request, from 1, as `script` says. */
function place(script: (count: number) => Attempt, takesMs = 0): Way & { asked: number } {
  const way = {
    kind: 'cluster' as const,
    description: 'at the place',
    asked: 0,
    ask: async (_: unknown, signal: AbortSignal) => {
      way.asked += 1;
      const attempt = script(way.asked);
      if (takesMs > 0) await clock.sleep(takesMs, signal);
      return attempt;
    },
  };
  return way;
}

function pod(name: string, way: Way): PodWay {
  return { pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name } }, way };
}

let clock = new FakeClock();

interface Run {
  check?: string;
  plan: Partial<Plan> & { candidate: Way };
  wantedShare?: number;
  /** How long the check may take. */
  withinMs?: number;
}

/** Runs a check through all the time that it may take. */
async function run({
  check = '/',
  plan,
  wantedShare,
  withinMs = 60_000,
}: Run): Promise<CheckResult & { said: string[] }> {
  const [parsed] = parseChecks(check);
  if (parsed === undefined) throw new Error('no check');
  const reporter = listeningReporter();
  const assignment: Assignment = { check: parsed, plan: { candidatePods: [], stablePods: [], ...plan }, wantedShare };
  const { signal } = new AbortController();
  const ended = runCheck(assignment, { clock, reporter, signal, deadline: clock.now() + withinMs });
  const outcome = ended.then(
    (result) => ({ ...result, said: reporter.lines }),
    (reason: unknown) => reason as Error,
  );
  await clock.runFor(withinMs + 60_000);
  const result = await outcome;
  if (result instanceof Error) throw result;
  return result;
}

beforeEach(() => {
  clock = new FakeClock();
});

describe('a check', () => {
  test('passes with its first good round', async () => {
    const candidate = place(() => right);
    expect(await run({ plan: { candidate } })).toMatchObject({
      verdict: 'pass',
      requests: 20,
      errors: 0,
      via: 'at the place',
    });
    expect(candidate.asked).toBe(21);
  });

  test('waits until it is answered at all', async () => {
    const candidate = place((count) => (count <= 10 ? refused : right));
    expect(await run({ plan: { candidate } })).toMatchObject({ verdict: 'pass', errors: 0 });
  });

  test('that is never answered fails at the deadline, and says why', async () => {
    expect(await run({ plan: { candidate: place(() => refused) } })).toMatchObject({
      verdict: 'fail',
      message: 'it could not be reached before the deadline: the connection was refused',
    });
  });

  test('fails after two bad rounds, and says so after the first', async () => {
    const candidate = place(() => error);
    const result = await run({ plan: { candidate } });
    expect(result).toMatchObject({ verdict: 'fail', requests: 20, errors: 20 });
    expect(result.said).toEqual([expect.stringContaining('once more, to be sure')]);
    expect(candidate.asked).toBe(41);
  });

  test('gets over one bad round', async () => {
    const candidate = place((count) => (count === 10 ? error : right));
    expect(await run({ plan: { candidate } })).toMatchObject({ verdict: 'pass', requests: 20, errors: 0 });
  });

  test('with a rate takes as many samples as it needs, over several rounds', async () => {
    const candidate = place((count) => (count % 4 === 0 ? lost : right));
    const result = await run({ check: '- path: /\n  max-error-rate: 5%', plan: { candidate } });
    expect(result.verdict).toBe('pass');
    expect(result.requests).toBe(67);
  });

  test('with too few samples until the deadline stays inconclusive, and says how many there were', async () => {
    const candidate = place(() => right, 3500);
    const result = await run({ check: '- path: /\n  max-error-rate: 1%', plan: { candidate } });
    expect(result.verdict).toBe('inconclusive');
    expect(result.message).toMatch(/^too few samples: \d+ requests, at least 339 needed, and the deadline has passed$/);
    expect(result.requests).toBe(8 * Math.floor((60 - 5 * 3.5) / 3.5));
  });

  test('tells why samples were lost', async () => {
    const candidate = place((count) => (count === 1 ? right : lost));
    const result = await run({ plan: { candidate }, withinMs: 5000 });
    expect(result).toMatchObject({ verdict: 'inconclusive', requests: 0 });
    expect(result.message).toContain('the API server is restarting');
  });

  test('is asked of the stable version in turn with the candidate', async () => {
    const order: string[] = [];
    const noting = (name: string) =>
      place(() => {
        order.push(name);
        return right;
      });
    const plan = { candidate: noting('c'), stable: noting('s'), shared: noting('x') };
    const result = await run({ check: '- path: /\n  max-error-rate: 5%', plan });
    expect(result).toMatchObject({ verdict: 'pass', requests: 67, stable: { requests: 67, errors: 0 } });
    expect(order.join('')).toMatch(/^(cs)+$/);
  });

  test('fails a candidate with errors beside a stable version without any (spinnaker/kayenta#799)', async () => {
    const plan = { candidate: place((count) => (count % 20 === 0 ? error : right)), stable: place(() => right) };
    const result = await run({ check: '- path: /\n  requests: 400\n  max-error-rate: 20%', plan });
    expect(result).toMatchObject({ verdict: 'fail', requests: 215, errors: 11, stable: { requests: 215, errors: 0 } });
    expect(result.message).toContain('11 of 215 requests failed, but only 0 of 215 of the stable version');
  });

  test('with a limit says beforehand how many requests it takes', async () => {
    const { said } = await run({ check: '- path: /\n  max-error-rate: 1%', plan: { candidate: place(() => right) } });
    expect(said).toEqual([
      'info check "/": to show at most 1 % failing, it takes at least 339 requests to pass (about 886 at 0.3 %), and at least 2 to fail (about 1600 at 2 %)',
    ]);
  });

  test('with a limit ends soon when it is bad, once that has gone on after a pause', async () => {
    const candidate = place((count) => (count <= 5 ? right : error));
    const result = await run({ check: '- path: /\n  max-error-rate: 1%', plan: { candidate } });
    expect(result).toMatchObject({ verdict: 'fail', requests: 3, errors: 3 });
    expect(result.said.at(-1)).toContain('once more, to be sure');
    expect(clock.sleeps).toContain(1000);
  });

  test('with a limit gets over one bad moment, which counts all the same', async () => {
    const candidate = place((count) => (count > 5 && count <= 7 ? error : right));
    const result = await run({ check: '- path: /\n  max-error-rate: 5%', plan: { candidate } });
    expect(result).toMatchObject({ verdict: 'pass', requests: 175, errors: 2 });
  });

  test('does not pass by the fast answers while slow ones are under way', async () => {
    // Two of a hundred get no answer, and that shows only after 10 s: all others are there before.
    let asked = 0;
    const candidate: Way = {
      kind: 'cluster',
      description: 'at the place',
      ask: async (_, signal) => {
        asked += 1;
        if (asked <= 5 || asked % 50 !== 0) return right;
        await clock.sleep(10_000, signal);
        return { state: 'broken', problem: 'timeout', message: 'no response within 10 s' };
      },
    };
    const result = await run({ check: '- path: /\n  max-error-rate: 1%', plan: { candidate }, withinMs: 300_000 });
    expect(result.verdict).toBe('fail');
    expect(result.errors / result.requests).toBeCloseTo(0.02, 2);
  });

  test('stays inconclusive when nothing gets as far as the candidate, and passes once it does', async () => {
    const check = '- path: /\n  max-error-rate: 5%';
    expect(await run({ check, plan: { candidate: place(() => lost) } })).toMatchObject({
      verdict: 'inconclusive',
      requests: 0,
      message: 'it could not be reached before the deadline: the API server is restarting',
    });
    const some = place((count) => (count > 5 && count < 40 ? lost : right));
    expect(await run({ check, plan: { candidate: some } })).toMatchObject({ verdict: 'pass', requests: 67, errors: 0 });
  });

  test('whose rate is too near to its limit ends after so many requests that it will not be decided', async () => {
    const candidate = place((count) => (count % 20 === 0 ? error : right));
    const result = await run({ check: '- path: /\n  max-error-rate: 5%', plan: { candidate } });
    expect(result).toMatchObject({ verdict: 'inconclusive', requests: 100_000 });
    expect(result.message).toMatch(
      /^too few samples: 100000 requests, \d+ of them wrong, at least \d+ needed, but the check stops after 100000$/,
    );
  });

  test('ends at once with what makes asking impossible', async () => {
    const candidate = { ...place(() => right), ask: () => Promise.reject(new Error('may not get services/proxy')) };
    await expect(run({ plan: { candidate } })).rejects.toThrow('may not get services/proxy');
  });
});

describe('a version', () => {
  const check = '- path: /\n  version: header:X-Version';

  test('is learnt from a new pod, and every answer must be of it', async () => {
    const candidatePods = [
      pod(
        'new',
        place(() => saying('2')),
      ),
    ];
    expect(await run({ check, plan: { candidate: place(() => saying('2')), candidatePods } })).toMatchObject({
      verdict: 'pass',
    });
    const mixed = place((count) => saying(count % 5 === 0 ? '1' : '2'));
    const result = await run({ check, plan: { candidate: mixed, candidatePods } });
    expect(result.verdict).toBe('fail');
    expect(result.message).toContain('4 × wrong version: says version "1" instead of "2"');
  });

  test('that no pod tells is an error which names the place', async () => {
    const candidatePods = [
      pod(
        'new',
        place(() => right),
      ),
    ];
    await expect(run({ check, plan: { candidate: place(() => right), candidatePods } })).rejects.toThrow(
      'cannot tell the versions apart by the header "x-version" of /: Pod "new": its response has no version',
    );
  });
});

describe('a share', () => {
  const check = '- path: /\n  version: header:X-Version';
  const plan = (share: (count: number) => string) => ({
    candidate: place(() => saying('2')),
    stable: place(() => saying('1')),
    shared: place((count) => saying(share(count))),
    candidatePods: [
      pod(
        'new',
        place(() => saying('2')),
      ),
    ],
    stablePods: [
      pod(
        'old',
        place(() => saying('1')),
      ),
    ],
  });

  test('is measured at the shared address and told', async () => {
    const result = await run({ check, plan: plan((count) => (count % 4 === 0 ? '2' : '1')), wantedShare: 25 });
    expect(result).toMatchObject({ verdict: 'pass', share: { wanted: 25, requests: 635 } });
    expect(result.share?.measured).toBeCloseTo(25, 0);
    expect(result.said.join('\n')).toMatch(/a share of 25 % ± 5 takes about \d+ requests/);
  });

  test('that is off fails', async () => {
    const result = await run({ check, plan: plan(() => '1'), wantedShare: 25 });
    expect(result).toMatchObject({ verdict: 'fail', share: { measured: 0 } });
    expect(result.message).toContain('0 % of 31 requests reached the candidate, expected: 25 % ± 5');
  });

  test('needs versions that say different things', async () => {
    const same = {
      ...plan(() => '2'),
      stablePods: [
        pod(
          'old',
          place(() => saying('2')),
        ),
      ],
    };
    await expect(run({ check, plan: same, wantedShare: 25 })).rejects.toThrow('both report the version "2"');
  });
});

describe('each pod', () => {
  const check = '- path: /\n  pods: each';

  test('must answer right once, however late', async () => {
    const candidatePods = [
      pod(
        'a',
        place((count) => (count < 5 ? refused : right)),
      ),
      pod(
        'b',
        place(() => right),
      ),
    ];
    expect(await run({ check, plan: { candidate: place(() => right), candidatePods } })).toMatchObject({
      verdict: 'pass',
      message: '2 of 2 new pods answered correctly',
      requests: 6,
      errors: 4,
    });
  });

  test('that never does is named at the deadline', async () => {
    const candidatePods = [
      pod(
        'a',
        place(() => refused),
      ),
      pod(
        'b',
        place(() => right),
      ),
    ];
    expect(await run({ check, plan: { candidate: place(() => right), candidatePods } })).toMatchObject({
      verdict: 'fail',
      message: '1 of 2 new pods never answered correctly: Pod "a": connection refused: the connection was refused',
    });
  });

  test('that no request has reached is not known to be bad', async () => {
    const candidatePods = [
      pod(
        'a',
        place(() => lost),
      ),
    ];
    expect(await run({ check, plan: { candidate: place(() => right), candidatePods } })).toMatchObject({
      verdict: 'inconclusive',
      message: '1 of 1 new pods never answered correctly: Pod "a": the API server is restarting',
    });
  });

  test('is no success where there is none', async () => {
    expect(await run({ check, plan: { candidate: place(() => right) } })).toMatchObject({
      verdict: 'fail',
      message: 'there is no new pod to check',
    });
  });
});
