import { describe, expect, test } from '@jest/globals';

import { commentBody, compareSequences, readMarker, sameBody, type Marker } from '../../../src/github/comment-text.ts';

const marker: Marker = { v: 1, release: 'shop', repository: 4711, number: 7, sequence: [12, 1] };

test('a comment begins with a hidden line that is read back', () => {
  const body = commentBody(marker, { head: '### Preview', evidence: ['one', 'two'], foot: 'bye' });
  expect(body).toMatch(/^<!-- gke-rollout \{.*\} -->\n### Preview\n\none\n\ntwo\n\nbye$/);
  expect(readMarker(body)).toEqual(marker);
});

test('no name ends the hidden line early', () => {
  const release = 'a--><script>--!>';
  const body = commentBody({ ...marker, release }, { head: 'x', evidence: [] });
  const [first = ''] = body.split('\n');
  expect(first.indexOf('-->')).toBe(first.length - 3);
  expect(first).not.toContain('<script>');
  expect(readMarker(body)?.release).toBe(release);
});

test.each([
  ['further down, as a person quotes it', `> ${commentBody(marker, { head: 'x', evidence: [] })}`],
  ['of a later version', '<!-- gke-rollout {"v":2,"release":"shop"} -->'],
  ['without its end', '<!-- gke-rollout {"v":1}'],
  ['that is no JSON', '<!-- gke-rollout {v:1} -->'],
  ['that lacks the number', '<!-- gke-rollout {"v":1,"release":"shop","repository":1,"sequence":[]} -->'],
  ['of something else', '<!-- sticky {"v":1} -->'],
])('a marker %s is none', (_, body) => {
  expect(readMarker(body)).toBeUndefined();
});

describe('what is too long is cut once, at 60,000 characters (vebr/jest-lcov-reporter#14)', () => {
  const block = (sign: string, length: number) => sign.repeat(length);

  test('evidence goes first, the least important of it before the rest, and the note says how much', () => {
    const evidence = [block('a', 30_000), block('b', 29_000), block('c', 20_000), block('d', 10)];
    const body = commentBody(marker, { head: '### Failed', evidence, foot: 'gone on close' });
    expect(body.length).toBeLessThanOrEqual(60_000);
    expect(body).toContain(evidence[0]);
    expect(body).toContain(evidence[1]);
    expect(body).not.toContain('cc');
    expect(body).toContain('2 more sections did not fit');
    expect(body).toMatch(/\n\n### Failed|\n### Failed\n/);
    expect(body.endsWith('\n\ngone on close')).toBe(true);
  });

  test('a block that alone is too long leaves the first lines as they are', () => {
    const body = commentBody(marker, { head: '### Failed\n\nno image', evidence: [block('x', 70_000)] });
    expect(body).toContain('### Failed\n\nno image\n\n_One more section did not fit');
  });

  test('the first lines alone are cut at the end, never within a character', () => {
    for (const length of [59_000, 59_990, 60_000, 70_000]) {
      const body = commentBody(marker, {
        head: `### Failed ${'🚀'.repeat(length / 2)}`,
        evidence: ['x'],
        foot: 'last',
      });
      expect(body.length).toBeLessThanOrEqual(60_000);
      expect(body).toContain('\n### Failed 🚀');
      expect(body.endsWith('\n\nlast')).toBe(true);
      expect(body.isWellFormed()).toBe(true);
    }
  });

  test('whatever fits to the last character is not touched, and one more leaves room for the note', () => {
    const rest = 60_000 - commentBody(marker, { head: 'x', evidence: [] }).length;
    const fitting = [block('a', 50_000), block('b', rest - 50_000 - 4)];
    const whole = commentBody(marker, { head: 'x', evidence: fitting });
    expect(whole).toHaveLength(60_000);
    expect(whole.endsWith('bbb')).toBe(true);
    const cut = commentBody(marker, { head: 'x', evidence: [...fitting, 'c'] });
    expect(cut.length).toBeLessThanOrEqual(60_000);
    expect(cut).toContain(`${block('a', 50_000)}\n\n_2 more sections did not fit`);
  });
});

test('sequences are compared number by number, and what is missing counts as 0', () => {
  expect(compareSequences([2], [1, 9])).toBeGreaterThan(0);
  expect(compareSequences([1, 2], [1, 10])).toBeLessThan(0);
  expect(compareSequences([1], [1, 0])).toBe(0);
  expect(compareSequences([], [1])).toBeLessThan(0);
});

test('ends of lines and of the whole make no other comment', () => {
  expect(sameBody('a\r\nb\n', 'a\nb')).toBe(true);
  expect(sameBody('a\nb', 'a\nc')).toBe(false);
});
