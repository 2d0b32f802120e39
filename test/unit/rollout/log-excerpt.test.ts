import { describe, expect, test } from '@jest/globals';

import type { ObjectRef } from '../../../src/kubernetes/object.ts';
import type { Evidence, LogTail } from '../../../src/rollout/evidence.ts';
import { excerptFor, withoutCredentials } from '../../../src/rollout/log-excerpt.ts';

const pod = (name: string): ObjectRef => ({ apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name });
const job: ObjectRef = { apiVersion: 'batch/v1', kind: 'Job', namespace: 'shop', name: 'migrate' };

function seen(logs: Partial<LogTail>[], object: ObjectRef = job): Evidence[] {
  const tails = logs.map((log) => ({ pod: 'web-a', container: 'web', previous: false, lines: [], ...log }));
  return [{ object, conditions: [], events: [], logs: tails }];
}

const causeOn = (object: ObjectRef, container?: string) => ({
  reason: 'CrashLoopBackOff',
  message: 'it crashes',
  object,
  ...(container === undefined ? {} : { container }),
});

describe('the excerpt of a log', () => {
  test('is the last three lines that say something', () => {
    const evidence = seen([{ lines: ['1', '2', '', '3  ', '   ', '4'] }]);
    expect(excerptFor(causeOn(pod('web-a'), 'web'), evidence)).toEqual({ container: 'web', lines: ['2', '3', '4'] });
  });

  test('is that of the pod and of the container that the cause names', () => {
    const evidence = seen([
      { pod: 'web-b', lines: ['of another pod'] },
      { container: 'proxy', lines: ['of another container'] },
      { lines: ['the one'] },
    ]);
    expect(excerptFor(causeOn(pod('web-a'), 'web'), evidence)?.lines).toEqual(['the one']);
  });

  test('is one of its pods where a Job as a whole has failed', () => {
    const evidence = seen([{ lines: ['no such table'] }]);
    expect(excerptFor(causeOn(job, 'web'), evidence)?.lines).toEqual(['no such table']);
    expect(excerptFor(causeOn({ ...job, name: 'other' }, 'web'), evidence)).toBeUndefined();
  });

  test('is nothing without a container to blame, and where it has said nothing', () => {
    expect(excerptFor(causeOn(pod('web-a')), seen([{ lines: ['x'] }]))).toBeUndefined();
    expect(excerptFor(causeOn(pod('web-a'), 'web'), seen([{ lines: [' '] }]))).toBeUndefined();
  });

  test('has lines that fit beside a sentence', () => {
    const [line = ''] = excerptFor(causeOn(pod('web-a'), 'web'), seen([{ lines: ['x'.repeat(5000)] }]))?.lines ?? [];
    expect(line).toHaveLength(300);
  });
});

describe('credentials in a line of a log', () => {
  test.each([
    ['connect postgres://shop:s3cret@db:5432/shop', 'connect postgres://shop:***@db:5432/shop'],
    ['Authorization: Bearer eyJhbGciOi.abc', 'Authorization: Bearer ***'],
    ['DSN host=db password=hunter2 user=shop', 'DSN host=db password=*** user=shop'],
    ['{"api_key": "abc123def"}', '{"api_key": "***"}'],
    ['https://x.test/?token=abc&y=1', 'https://x.test/?token=***&y=1'],
  ])('are not passed on: %s', (line, masked) => {
    expect(withoutCredentials(line)).toBe(masked);
  });

  test.each([
    'unexpected token: string',
    'password: authentication failed for user "shop"',
    'http://web:8080/ is down',
  ])('are not seen where there are none: %s', (line) => {
    expect(withoutCredentials(line)).toBe(line);
  });
});
