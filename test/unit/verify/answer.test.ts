import { describe, expect, test } from '@jest/globals';

import { judgeAttempt, type Answer, type Attempt } from '../../../src/verify/answer.ts';
import { withVersion } from '../../../src/verify/check.ts';
import { parseChecks } from '../../../src/verify/parse.ts';

function answered(answer: Partial<Answer> = {}): Attempt {
  return { state: 'answered', answer: { status: 200, headers: {}, body: '', durationMs: 5, ...answer } };
}

function judged(check: string, attempt: Attempt, version?: string) {
  const [parsed] = parseChecks(check);
  if (parsed === undefined) throw new Error('no check');
  return judgeAttempt(attempt, { expected: parsed.expected, place: parsed.version, version });
}

describe('an answer', () => {
  test.each<[string, string, Partial<Answer>]>([
    ['any success', '/', { status: 204 }],
    ['the status that was asked for', '/ 404', { status: 404 }],
    ['a header by any spelling of its name', '- path: /\n  response-headers: { X-A: b }', { headers: { 'x-a': 'b' } }],
    ['a header with any value', '- path: /\n  response-headers: { X-A: "" }', { headers: { 'x-a': 'b' } }],
    ['a text in the body', '/ contains ok', { body: 'all ok' }],
    ['a body that matches', '- path: /\n  body: { matches: "^a.c$" }', { body: 'abc' }],
    ['a number of the JSON', '/ json .a[1] == 3', { body: '{"a":[1,3]}' }],
    ['a text of the JSON', '/ json .a == 3', { body: '{"a":"3"}' }],
    ['a truth value of the JSON', '/ json .a == true', { body: '{"a":true}' }],
  ])('is right with %s', (_, check, answer) => {
    expect(judged(check, answered(answer))).toMatchObject({ state: 'right', durationMs: 5 });
  });

  test.each<[string, Partial<Answer>, string, string]>([
    ['/', { status: 404 }, 'wrong-status', 'answered 404'],
    ['/', { status: 500, body: 'panic:\n  x' }, 'server-error', 'answered 500 (it begins with "panic: x")'],
    ['/', { status: 502, body: 'no healthy upstream' }, 'balancer', 'a load balancer answered 502'],
    ['/', { status: 503, body: 'failed_to_pick_backend' }, 'balancer', 'a load balancer answered 503'],
    ['/', { status: 404, body: 'default backend - 404' }, 'balancer', 'a load balancer answered 404'],
    ['/', { status: 503, body: 'my queue is full' }, 'server-error', 'answered 503'],
    ['- path: /\n  response-headers: { X-A: b }', {}, 'wrong-header', 'has no header "x-a"'],
    [
      '- path: /\n  response-headers: { X-A: b }',
      { headers: { 'x-a': 'c' } },
      'wrong-header',
      'its header "x-a" is "c" instead of "b"',
    ],
    ['/ contains ok', { body: 'no' }, 'wrong-body', 'its body does not contain "ok" (it begins with "no")'],
    ['- path: /\n  body: { matches: "^ok" }', { body: 'no' }, 'wrong-body', 'does not match /^ok/'],
    ['/ json .a == 1', { body: '<html>' }, 'wrong-json', 'its body is not JSON (it begins with "<html>")'],
    ['/ json .a == 1', { body: '{"b":1}' }, 'wrong-json', 'its JSON has no .a'],
    ['/ json .a == 1.10', { body: '{"a":1.1}' }, 'wrong-json', '.a of its JSON is "1.1" instead of "1.10"'],
    ['/ json .a == 1', { body: '{"a":{"b":1}}' }, 'wrong-json', '.a of its JSON is "{"b":1}" instead of "1"'],
  ])('%j is wrong with %j: %s', (check, answer, problem, message) => {
    const finding = judged(check, answered(answer));
    expect(finding).toMatchObject({ state: 'wrong', problem });
    expect('message' in finding ? finding.message : '').toContain(message);
  });

  test('is wrong when another version made it, or none that it says', () => {
    const check = '- path: /\n  version: header:X-Version';
    expect(judged(check, answered({ headers: { 'x-version': '2' } }), '2')).toMatchObject({
      state: 'right',
      version: '2',
    });
    expect(judged(check, answered({ headers: { 'x-version': '1' } }), '2')).toMatchObject({
      problem: 'wrong-version',
      message: 'says version "1" instead of "2"',
    });
    expect(judged(check, answered(), '2')).toMatchObject({ message: 'says no version instead of "2"' });
    expect(judged('- path: /\n  version: json:.v', answered({ body: '{"v":7}' }), '7')).toMatchObject({
      state: 'right',
    });
  });

  test('is shown shortened, however long it is', () => {
    const finding = judged('/', answered({ status: 500, body: 'x'.repeat(100_000) }));
    expect('message' in finding ? finding.message.length : Infinity).toBeLessThan(150);
  });
});

test('what is no answer keeps its own words', () => {
  const broken: Attempt = { state: 'broken', problem: 'refused', message: 'the connection was refused' };
  expect(judged('/', broken)).toEqual({ state: 'wrong', problem: 'refused', message: 'the connection was refused' });
});

test('the version that is brought in stands wherever "{version}" does', () => {
  const [check] = parseChecks(
    '- path: /\n  json: { .v: "v{version}" }\n  body: "is {version}"\n  response-headers: { A: "{version}" }',
  );
  expect(check === undefined ? undefined : withVersion(check.expected, '1.2')).toMatchObject({
    json: [{ path: ['v'], value: 'v1.2' }],
    contains: 'is 1.2',
    headers: { a: '1.2' },
  });
});
