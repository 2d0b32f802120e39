import { describe, expect, test } from '@jest/globals';

import { Failures } from '../../../src/base/errors.ts';
import { judgeAttempt } from '../../../src/verify/answer.ts';
import { parseChecks } from '../../../src/verify/parse.ts';

function problemsOf(text: string, budgetMs?: number): string[] {
  try {
    parseChecks(text, budgetMs);
  } catch (error) {
    if (!(error instanceof Failures)) throw error;
    return error.all.map(({ message }) => message);
  }
  return [];
}

const check = (...lines: string[]) => `- path: /\n${lines.map((line) => `  ${line}\n`).join('')}`;
const headers = (...lines: string[]) => check('headers:', ...lines.map((line) => `  ${line}`));

describe('a header that cannot be sent is found with the input', () => {
  test.each<[string, string, string]>([
    ['a name that is none', '"X Team": a', '"X Team" is not a valid header name'],
    ['an empty name', '"": a', '"" is not a valid header name'],
    ['a line break in its value', '"X-A": "a\\r\\nX-Evil: b"', 'the value of the header "X-A" has a line break'],
    [
      'a NUL in its value',
      '"X-A": "a\\0b"',
      'the value of the header "X-A" has a character that is not allowed in a header',
    ],
    [
      'letters beyond Latin',
      'X-A: żółw',
      'the value of the header "X-A" has a character that is not allowed in a header',
    ],
    ...['Content-Length', 'transfer-encoding', 'Connection', 'Upgrade', 'Expect', 'TE', 'Keep-Alive', 'Trailer'].map(
      (name): [string, string, string] => [
        name,
        `${name}: x`,
        `the header "${name}" belongs to the connection and cannot be set`,
      ],
    ),
  ])('%s', (_, line, message) => {
    expect(problemsOf(headers(line))).toEqual([`line 2 of the input "verify": ${message}`]);
  });

  test('the same name twice, in other letters', () => {
    const message = 'line 2 of the input "verify": the header "x-team" is there twice';
    expect(problemsOf(headers('X-Team: a', 'x-team: b'))).toEqual([message]);
    expect(problemsOf(headers('X-Team: a', 'X-Team: b'))).toHaveLength(1);
  });

  test('what the API server takes for itself, where only that is asked', () => {
    for (const name of ['Authorization', 'Impersonate-User']) {
      const text = headers(`${name}: x`);
      expect(problemsOf(text)).toEqual([]);
      expect(problemsOf(`${text}  via: address\n`)).toEqual([]);
      for (const way of ['via: proxy', 'pods: each'])
        expect(problemsOf(`${text}  ${way}\n`)).toEqual([
          `line 2 of the input "verify": the header "${name}" cannot be sent through the API server, which uses it itself`,
        ]);
    }
  });

  test('and no value of a header is told', () => {
    expect(problemsOf(headers('"Authorization": "Bearer s3cr3t\\n"', '"X-A": "s3cr3t\\u0001b"')).join()).not.toContain(
      's3cr3t',
    );
  });
});

test('headers that make sense are sent as they were written', () => {
  const [made] = parseChecks(
    headers('Host: shop.example.com', 'X-Empty: ""', '__proto__: a', 'Accept: text/plain, */*'),
  );
  expect(Object.entries(made?.headers ?? {})).toEqual([
    ['Host', 'shop.example.com'],
    ['X-Empty', ''],
    ['__proto__', 'a'],
    ['Accept', 'text/plain, */*'],
  ]);
});

test('an expected header with a name that every object inherits must really be there', () => {
  const [made] = parseChecks(check('response-headers: { constructor: "" }'));
  const answer = { status: 200, headers: {}, body: '', durationMs: 1 };
  const expected = made?.expected ?? { status: [], headers: {}, json: [] };
  expect(judgeAttempt({ state: 'answered', answer }, { expected })).toMatchObject({
    state: 'wrong',
    problem: 'wrong-header',
  });
});

describe('a time that cannot work is found with the input', () => {
  const minute = 60_000;
  test.each(['0s', '0ms', '-1s', '10', 'soon', '1h', '', '1e3s', 'Infinity', '1s 1s'])('"timeout: %s"', (text) => {
    expect(problemsOf(check(`timeout: "${text}"`), minute)).toHaveLength(1);
  });

  test('a request that may take longer than all waits of the run', () => {
    expect(problemsOf(check('timeout: 61s'), minute)).toEqual([
      'line 2 of the input "verify": one request can take 61 s, and all waits of the run together 60 s',
    ]);
    expect(problemsOf(check('timeout: 60s'), minute)).toEqual([]);
  });

  test('a latency beyond the time after which a request has failed', () => {
    expect(problemsOf(check('max-p95: 11s'), minute)).toEqual([
      'line 2 of the input "verify": "max-p95" is longer than the 10 s after which a request counts as failed',
    ]);
    expect(problemsOf(check('max-p95: 11s', 'timeout: 20s'), minute)).toEqual([]);
  });

  test('where nothing is said, a request has no longer than the run', () => {
    expect(parseChecks('/healthz', 5000)[0]?.timeoutMs).toBe(5000);
    expect(parseChecks('/healthz', minute)[0]?.timeoutMs).toBe(10_000);
  });
});

test('a target that no request can have is found with the input', () => {
  for (const target of ['/ä', '/a\u0000', 'http://shop.example.com:0/', 'http://shop.example.com:70000/', 'http://'])
    expect(problemsOf(`- ${target.startsWith('/') ? 'path' : 'url'}: "${target}"\n`)).toHaveLength(1);
});
