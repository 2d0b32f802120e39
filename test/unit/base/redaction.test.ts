import { describe, expect, test } from '@jest/globals';

import { Redaction } from '../../../src/base/redaction.ts';
import { shownUrl } from '../../../src/base/shown-url.ts';
import { cpuTimeOf, SQUARE_MS } from '../../support/cpu-time.ts';

const secret = 'p4ss "w\\ord"/ü+';

function redactionOf(...secrets: string[]): Redaction {
  const redaction = new Redaction();
  for (const one of secrets) redaction.add(one);
  return redaction;
}

describe('a secret is hidden', () => {
  test.each<[string, string]>([
    ['as it is', secret],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64 without padding', Buffer.from(secret).toString('base64').replace(/=+$/, '')],
    ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    ['in a URL', encodeURIComponent(secret)],
  ])('%s', (_, form) => {
    expect(redactionOf(secret).redact(`a ${form} b ${form}`)).toBe('a *** b ***');
  });

  test('also when the end of it was cut off', () => {
    const redaction = redactionOf('hunter22-hunter22');
    expect(redaction.redact('it begins with "hunter22-hun…" and hunt…')).toBe('it begins with "***…" and hunt…');
  });

  test('as the longest of those that begin alike', () => {
    expect(redactionOf('hunter', 'hunter22').redact('hunter22 hunter2 hunter')).toBe('*** ***2 ***');
  });

  test('in each text of a report, and nothing else of it changes', () => {
    const date = new Date(0);
    const report = { a: ['x hunter22', { b: 'hunter22' }], n: 5, u: undefined, d: date };
    expect(redactionOf('hunter22').deep(report)).toEqual({ a: ['x ***', { b: '***' }], n: 5, u: undefined, d: date });
  });

  test('twenty thousand of them in a megabyte, in a time in proportion to it', async () => {
    const redaction = redactionOf(...Array.from({ length: 20_000 }, (_, index) => `value-${index}-of-many`));
    const took = await cpuTimeOf(() => {
      expect(redaction.redact('value-7-of-many and value-x '.repeat(40_000))).toMatch(/^\*\*\* and value-x \*\*\* and/);
    });
    expect(took).toBeLessThan(SQUARE_MS);
  });
});

describe('what is secret by its form is hidden although nobody has said so', () => {
  test.each([
    ['GET https://user:hunter22@proxy.test:3128/x', 'GET https://***@proxy.test:3128/x'],
    ['Authorization: Bearer abcdefghijklmnop', 'Authorization: Bearer ***'],
    ['token eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl!', 'token ***!'],
    ['{"access_token": "hunter22", "a": 1}', '{"access_token": "***", "a": 1}'],
    ['-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----', '-----BEGIN RSA PRIVATE KEY----- ***'],
  ])('%s', (text, shown) => {
    expect(new Redaction().redact(text)).toBe(shown);
  });

  test.each(['://', 'eyJ', '-eyJ', 'Bearer ', '-----BEGIN ', '"token":"', 'ghp_', '.a.a'])(
    'a long text of %j takes a time in proportion to it',
    async (part) => {
      const text = part.repeat(Math.ceil(1_000_000 / part.length));
      expect(await cpuTimeOf(() => new Redaction().redact(text))).toBeLessThan(SQUARE_MS);
    },
  );
});

test.each([
  ['https://user:hunter22@host.test/a?token=hunter22#x', 'https://host.test/a?token=…'],
  ['https://host.test:8443/a', 'https://host.test:8443/a'],
  ['user:hunter22@host.test', 'host.test'],
  ['https://us@er:hunt@er22@host.test/', 'https://host.test/'],
  ['/healthz?key=hunter22', '/healthz?key=…'],
  ['/predict?model=a&seed=4f9ac0deadbeef42', '/predict?model=a&seed=…'],
  ['https://hooks.test/services/T024BE7LDabcd0123/x', 'https://hooks.test/services/…/x'],
  ['/users/@me', '/users/@me'],
])('of the URL %s shows %s', (url, shown) => {
  expect(shownUrl(url)).toBe(shown);
});
