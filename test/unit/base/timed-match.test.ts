import { expect, test } from '@jest/globals';

import { limits } from '../../../src/base/limits.ts';
import { matchWithin } from '../../../src/base/timed-match.ts';
import { judgeAttempt } from '../../../src/verify/answer.ts';

const body = `${'a'.repeat(40)}!`;

test('a pattern of the user that takes for ever is given up, and one after it works', () => {
  const limit = { ...limits.verifyPatternTime, value: 100 };
  expect(matchWithin(/^(a+)+$/u, body, limit)).toBeUndefined();
  expect(matchWithin(/^a+!$/u, body, limit)).toBe(true);
  expect(matchWithin(/b/u, body, limit)).toBe(false);
});

test('a check says that its pattern took too long', () => {
  const answer = { status: 200, headers: {}, body, durationMs: 1 };
  const expected = { status: [{ from: 200, to: 200 }], headers: {}, json: [], matches: /^(a+)+$/u };
  expect(judgeAttempt({ state: 'answered', answer }, { expected })).toMatchObject({
    state: 'wrong',
    message:
      'looking for /^(a+)+$/ in its body took too long: the limit for a regular expression of "verify" on one response is 1 s',
  });
});
