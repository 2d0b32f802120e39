import { describe, expect, test } from '@jest/globals';

import { ageInWords, expiryAfter, isExpired, utc } from '../../../src/preview/expiry.ts';
import type { Preview } from '../../../src/preview/identity.ts';
import { checkLimit } from '../../../src/preview/limit.ts';
import { facts, hour, identity, now } from './build.ts';

function preview(number: number, overrides: Partial<Preview> = {}): Preview {
  return {
    ...identity,
    ...facts({
      url: `https://pr-${number}.example.com`,
      pullRequestUrl: `https://github.com/acme/shop/pull/${number}`,
    }),
    number,
    namespace: `shop-pr-${number}`,
    uid: `uid-${number}`,
    resourceVersion: '1',
    createdAt: now - 100 * hour + number * hour,
    ...overrides,
  };
}

describe('the limit of previews', () => {
  const three = [preview(3), preview(1), preview(2)];

  test.each([
    [3, 'shop-pr-3', 'room'],
    [2, 'shop-pr-3', 'full'],
    [2, 'shop-pr-2', 'room'],
    [1, 'shop-pr-1', 'room'],
    [1, 'shop-pr-2', 'full'],
  ])('of %d leaves the oldest: %s has %s', (limit, namespace, state) => {
    expect(checkLimit(three, namespace, limit, now).state).toBe(state);
  });

  test('names who holds the places, with links and ages (hephaestus-build/Hephaestus#1557)', () => {
    const { url, ...rest } = preview(2, { keep: true });
    expect(url).toBe('https://pr-2.example.com');
    expect(checkLimit([preview(1), rest, preview(3)], 'shop-pr-3', 2, now)).toStrictEqual({
      state: 'full',
      reason: 'all 2 preview slots are taken, by pull requests 1, 2',
      holders: [
        {
          number: 1,
          namespace: 'shop-pr-1',
          pullRequestUrl: 'https://github.com/acme/shop/pull/1',
          url: 'https://pr-1.example.com',
          age: '4 days',
          until: 'expires at 2026-03-13 11:00 UTC',
        },
        {
          number: 2,
          namespace: 'shop-pr-2',
          pullRequestUrl: 'https://github.com/acme/shop/pull/2',
          age: '4 days',
          until: 'kept by its label',
        },
      ],
    });
  });

  test('tells of a place that only waits to be swept', () => {
    const room = checkLimit([preview(1, { expiresAt: now - hour }), preview(2)], 'shop-pr-2', 1, now);
    expect(room).toMatchObject({
      reason: 'the only preview slot is taken, by pull request 1',
      holders: [{ until: 'expired at 2026-03-10 11:00 UTC, will be removed by the next sweep' }],
    });
  });

  test('of two made in the same second, the same one stays whichever asks and in whatever order they are listed', () => {
    const [a, b] = [preview(5, { createdAt: now }), preview(6, { createdAt: now })];
    for (const list of [
      [a, b],
      [b, a],
    ]) {
      expect(checkLimit(list, 'shop-pr-5', 1, now).state).toBe('room');
      expect(checkLimit(list, 'shop-pr-6', 1, now).state).toBe('full');
    }
  });

  test.each([
    ['those of another repository', { repositoryId: 43 }],
    ['those of another server', { server: 'git.example.com' }],
    ['those of another release', { release: 'blog' }],
    ['those that are going', { goingSince: now - hour }],
  ])('does not count %s', (_, overrides) => {
    expect(checkLimit([preview(1, overrides), preview(2)], 'shop-pr-2', 1, now).state).toBe('room');
  });
});

describe('expiry', () => {
  test('counts from the last deploy', () => {
    expect(expiryAfter(now, 72 * hour)).toBe(now + 72 * hour);
    expect(expiryAfter(now, undefined)).toBeUndefined();
  });

  test.each([
    ['one that is over', { expiresAt: now, keep: false }, undefined, true],
    ['one that is not', { expiresAt: now + 1, keep: false }, undefined, false],
    ['one that never expires', { keep: false }, undefined, false],
    ['one that was kept', { expiresAt: now, keep: true }, undefined, false],
    ['one whose label came since', { expiresAt: now, keep: false }, true, false],
    ['one whose label went since', { expiresAt: now, keep: true }, false, true],
  ])('of %s', (_, preview_, isKept, expected) => {
    expect(isExpired(preview_, now, isKept)).toBe(expected);
  });

  test.each([
    [-5, 'less than a minute'],
    [59_999, 'less than a minute'],
    [60_000, '1 minute'],
    [59 * 60_000, '59 minutes'],
    [hour, '1 hour'],
    [47 * hour, '47 hours'],
    [48 * hour, '2 days'],
  ])('an age of %d ms is %s', (ms, words) => {
    expect(ageInWords(ms)).toBe(words);
  });

  test('a time is told in UTC', () => {
    expect(utc(Date.parse('2026-03-10T12:34:56+01:00'))).toBe('2026-03-10 11:34 UTC');
  });
});
