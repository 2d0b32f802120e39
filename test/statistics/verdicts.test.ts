import { describe, expect, test } from '@jest/globals';

import type { Finding } from '../../src/verify/answer.ts';
import { compare, evidenceOfWorse, nothingCompared } from '../../src/verify/comparison.ts';
import { evidenceAbove, falseAlarm, falsePass, isAlarm, requestsToPass, slowPart } from '../../src/verify/evidence.ts';
import { parseChecks } from '../../src/verify/parse.ts';
import { isInEffect, isOff, typicallyForShare } from '../../src/verify/share-evidence.ts';
import { Trial } from '../../src/verify/trial.ts';
import { figure } from '../support/figure.ts';
import { lost, right, wrong } from '../support/findings.ts';
import { frequency, percent, randomOf } from './chance.ts';
import { formerAlarms, formerCallsSlow, formerPasses, formerSamples } from './former-rule.ts';

interface Ended {
  verdict: 'pass' | 'fail' | 'inconclusive';
  requests: number;
}

/** What a check says of an endless series of answers when it is looked at after each, at most `most` of them. */
function tried(keys: string, next: () => readonly Finding[], most: number): Ended {
  const [check] = parseChecks(`- path: /\n${keys}`);
  if (check === undefined) throw new Error('there is a check');
  let turn = next();
  const trial = new Trial(check, turn.length > 1);
  for (let requests = 1; requests <= most; requests += 1, turn = next()) {
    const state = trial.take(turn);
    if (state === 'decided') return { verdict: trial.verdict.verdict, requests };
    if (state === 'alarm') trial.afterAlarm();
  }
  return { verdict: 'inconclusive', requests: most };
}

function ofRate(random: () => number, rate: number): () => readonly Finding[] {
  return () => [random() < rate ? wrong() : right()];
}

/** `0.01` → `1pct`, for the names of figures. */
const named = (limit: number) => `${100 * limit}pct`;

const limits = [
  { limit: 0.01, keys: '  max-error-rate: 1%', most: 2000, runs: 240 },
  { limit: 0.05, keys: '  max-error-rate: 5%', most: 600, runs: 600 },
];

describe('the sizes', () => {
  test.each([
    [0.05, [67, 133, 175, 214, 251, 286]],
    [0.01, [339, 676, 886, 1083, 1268, 1445]],
    [0.001, [3404, 6779, 8883, 10_858, 12_719, 14_492]],
  ])('of %p are exact', (limit, sizes) => {
    const found = sizes.map((_, bad) => requestsToPass(limit, bad));
    figure(`statistics-requests-to-pass-${named(limit)}`, found.join(','));
    expect(found).toEqual(sizes);
  });
});

describe.each(limits)('at a limit of $limit, looked at after every request', ({ limit, keys, most, runs }) => {
  test('a version that is just good enough raises an alarm in at most 1 % of the runs', () => {
    const rate = frequency(runs * 2, 1, (random) => {
      for (let requests = 1, bad = 0; requests <= most; requests += 1) {
        bad += Number(random() < limit);
        if (isAlarm(evidenceAbove({ bad, requests }, limit))) return true;
      }
      return false;
    });
    const former = frequency(runs * 2, 1, (random) => formerAlarms(() => random() < limit, limit, most));
    figure(`statistics-false-alarms-percent-${named(limit)}`, percent(rate));
    figure(`statistics-false-alarms-percent-${named(limit)}-former-rule`, percent(former));
    expect(rate).toBeLessThanOrEqual(falseAlarm);
    expect(former).toBeGreaterThan(0.15);
  });

  test('a version at the limit fails in at most 1 % of the runs and passes in at most 5 %', () => {
    const ends = Array.from({ length: runs }, (_, run) => tried(keys, ofRate(randomOf(run), limit), most));
    const part = (verdict: string) => ends.filter((end) => end.verdict === verdict).length / runs;
    figure(`statistics-at-the-limit-fail-percent-${named(limit)}`, percent(part('fail')));
    figure(`statistics-at-the-limit-pass-percent-${named(limit)}`, percent(part('pass')));
    expect(part('fail')).toBeLessThanOrEqual(falseAlarm);
    expect(part('pass')).toBeLessThanOrEqual(falsePass);
  });

  test('a version with twice the limit passes in at most 5 % of the runs; by the former rule in most of them', () => {
    const rate = frequency(runs, 2, (random) => tried(keys, ofRate(random, 2 * limit), most).verdict === 'pass');
    const former = frequency(runs * 2, 2, (random) => formerPasses(() => random() < 2 * limit, limit));
    figure(`statistics-passes-at-twice-the-limit-percent-${named(limit)}`, percent(rate));
    figure(`statistics-passes-at-twice-the-limit-percent-${named(limit)}-former-rule`, percent(former));
    expect(rate).toBeLessThanOrEqual(falsePass);
    expect(former).toBeGreaterThan(0.6);
  });

  test.each([
    [0, 'pass', 1],
    [0.3, 'pass', 0.9],
    [3, 'fail', 0.95],
    [10, 'fail', 1],
  ] as const)('a version with %p times the limit comes to a %s, and soon', (times, verdict, least) => {
    const ends = Array.from({ length: runs / 6 }, (_, run) => tried(keys, ofRate(randomOf(run), times * limit), most));
    const part = ends.filter((end) => end.verdict === verdict).length / ends.length;
    const median = ends.map(({ requests }) => requests).sort((left, right) => left - right)[ends.length >> 1] ?? 0;
    figure(`statistics-median-requests-${named(limit)}-at-${times}-times`, median);
    expect(part).toBeGreaterThanOrEqual(least);
    expect(median).toBeLessThan(most / 2);
  });

  test('fewer requests than it takes are never a pass', () => {
    const ends = Array.from({ length: runs / 6 }, (_, run) =>
      tried(keys, ofRate(randomOf(run), limit / 10), requestsToPass(limit) - 1),
    );
    expect(ends.filter(({ verdict }) => verdict === 'pass')).toEqual([]);
    expect(requestsToPass(limit)).toBeGreaterThan(formerSamples(limit));
  });
});

describe('a latency', () => {
  const keys = '  max-p95: 100ms';
  const slowIn = (random: () => number, rate: number) => () => [right(random() < rate ? 150 : 10)];

  test('of a version with 4 % slow requests, of which 5 % may be, fails in at most 1 % of the runs', () => {
    const rate = frequency(200, 3, (random) => tried(keys, slowIn(random, 0.04), 1000).verdict === 'fail');
    const former = frequency(5000, 3, (random) => formerCallsSlow(() => random() < 0.04, 1));
    figure('statistics-healthy-latency-fails-percent', percent(rate));
    figure('statistics-healthy-latency-fails-percent-former-rule', percent(former));
    expect(rate).toBeLessThanOrEqual(falseAlarm);
    expect(former).toBeGreaterThan(0.35);
  });

  test('of a version with 10 % slow requests passes in at most 5 % of the runs', () => {
    const rate = frequency(200, 4, (random) => tried(keys, slowIn(random, 2 * slowPart), 1000).verdict === 'pass');
    figure('statistics-slow-version-passes-percent', percent(rate));
    expect(rate).toBeLessThanOrEqual(falsePass);
  });
});

describe('beside the stable version', () => {
  /** Whether it is ever called worse, in so many intervals of 20 requests to each side. */
  const isCalledWorse = (random: () => number, rates: (at: number) => [candidate: number, stable: number]) => {
    let comparison = nothingCompared;
    for (let at = 0; at < 100; at += 1) {
      const [candidate, stable] = rates(at).map((rate) => {
        let bad = 0;
        for (let request = 0; request < 20; request += 1) bad += Number(random() < rate);
        return { bad, requests: 20 };
      });
      if (candidate === undefined || stable === undefined) throw new Error('there are two sides');
      comparison = compare(comparison, candidate, stable);
      if (isAlarm(evidenceOfWorse(comparison))) return true;
    }
    return false;
  };

  test.each([
    ['steady', (): [number, number] => [0.05, 0.05]],
    ['wandering', (at: number): [number, number] => [0.2 * Math.sin(at / 9) ** 2, 0.2 * Math.sin(at / 9) ** 2]],
    ['out for a while', (at: number): [number, number] => (at % 40 < 5 ? [0.9, 0.9] : [0, 0])],
  ])('one that is no worse is called so in at most 1 %% of the runs: %s', (name, rates) => {
    const rate = frequency(300, 5, (random) => isCalledWorse(random, rates));
    figure(`statistics-beside-stable-false-alarms-percent-${name.replaceAll(' ', '-')}`, percent(rate));
    expect(rate).toBeLessThanOrEqual(falseAlarm);
  });

  test('one that is five times as bad is found out', () => {
    const rate = frequency(100, 6, (random) => isCalledWorse(random, () => [0.05, 0.01]));
    figure('statistics-beside-stable-found-percent', percent(rate));
    expect(rate).toBeGreaterThan(0.9);
  });

  test('no stable version, however bad, makes a candidate pass earlier', () => {
    for (let run = 0; run < 40; run += 1) {
      const keys = '  max-error-rate: 5%';
      const alone = tried(keys, ofRate(randomOf(run), 0.03), 500);
      const random = randomOf(run);
      const beside = tried(keys, () => [random() < 0.03 ? wrong() : right(), wrong()], 500);
      expect(beside).toEqual(alone);
    }
  });
});

describe('a share', () => {
  const share = { wanted: 0.25, tolerance: 0.05, former: 0.1 };

  /** What is said of a true share, looked at after every request; the second attempt is left out. */
  const said = (random: () => number, truth: number): 'in effect' | 'off' | 'open' => {
    const seen = { candidate: 0, stable: 0, unknown: 0 };
    for (let requests = 1; requests <= 3000; requests += 1) {
      if (random() < truth) seen.candidate += 1;
      else seen.stable += 1;
      if (isOff(seen, share)) return 'off';
      if (isInEffect(seen, share)) return 'in effect';
    }
    return 'open';
  };

  test.each([
    ['as wanted', 0.25, 'off', falseAlarm],
    ['as far off as it may be', 0.3, 'off', falseAlarm],
    ['as far off as it may be', 0.2, 'in effect', falsePass / 2],
    ['the former one', 0.1, 'in effect', falsePass / 2],
  ] as const)('that is %s (%p) is hardly ever called "%s"', (_, truth, word, bound) => {
    const rate = frequency(60, 7, (random) => said(random, truth) === word);
    figure(`statistics-share-${100 * truth}-called-${word.replace(' ', '-')}-percent`, percent(rate));
    expect(rate).toBeLessThanOrEqual(bound);
  });

  test('that is as wanted is shown to be', () => {
    const rate = frequency(40, 8, (random) => said(random, 0.25) === 'in effect');
    figure('statistics-share-requests-typically', typicallyForShare(share));
    expect(rate).toBeGreaterThan(0.9);
  });
});

describe('an error more', () => {
  const worth = { fail: 0, inconclusive: 1, pass: 2 };
  const checks = ['', '  max-error-rate: 5%', '  max-p95: 100ms', '  max-error-rate: 10%\n  max-p95: 100ms'];

  /** So many answers of the candidate and of the stable version, with all that can go wrong. */
  const series = (random: () => number): (readonly [Finding, Finding])[] => {
    const [bad, slow, away] = [0.15 * random(), 0.15 * random(), 0.1 * random()];
    const one = (): Finding => {
      const drawn = random();
      if (drawn < bad) return wrong();
      if (drawn < bad + slow) return right(150);
      return drawn < bad + slow + away ? lost : right();
    };
    return Array.from({ length: 400 }, () => [one(), one()]);
  };

  const ended = (keys: string, turns: readonly (readonly Finding[])[]) => {
    const queue = turns.values();
    return tried(keys, () => queue.next().value ?? turns[0] ?? [], turns.length);
  };

  test.each(checks)('never helps a candidate, whatever it takes the place of: %j', (keys) => {
    let helped = 0;
    for (let run = 0; run < 60; run += 1) {
      const random = randomOf(run);
      const turns = series(random);
      const before = ended(keys, turns);
      const at = Math.floor(random() * Math.min(turns.length, before.requests));
      const turn = turns[at];
      if (turn === undefined || turn[0].state === 'lost') continue;
      const after = ended(keys, turns.with(at, [wrong(), turn[1]]));
      const isBetter = worth[after.verdict] > worth[before.verdict];
      const isSooner = before.verdict === 'pass' && after.verdict === 'pass' && after.requests < before.requests;
      const isLater = before.verdict === 'fail' && after.verdict === 'fail' && after.requests > before.requests;
      helped += Number(isBetter || isSooner || isLater);
    }
    figure(`statistics-helped-by-an-error${keys.replaceAll(/[^a-z0-9]+/g, '-')}`, helped);
    expect(helped).toBe(0);
  });

  test.each(checks)('that was lost on the way changes nothing: %j', (keys) => {
    for (let run = 0; run < 40; run += 1) {
      const random = randomOf(run);
      const turns = series(random).map(([candidate]) => [candidate]);
      const before = ended(keys, turns);
      const among = turns.flatMap((turn) => (random() < 0.3 ? [[lost], turn] : [turn]));
      expect(ended(keys, among).verdict).toBe(before.verdict);
    }
  });
});
