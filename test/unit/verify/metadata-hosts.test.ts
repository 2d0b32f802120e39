import { describe, expect, test } from '@jest/globals';

import { Failures } from '../../../src/base/errors.ts';
import { secretsOfChecks } from '../../../src/verify/check-secrets.ts';
import { askDirectly } from '../../../src/verify/direct.ts';
import { isMetadataHost, leadsToMetadata } from '../../../src/verify/metadata-hosts.ts';
import { parseChecks } from '../../../src/verify/parse.ts';

const question = { method: 'GET', path: '/', headers: {}, timeoutMs: 1000 };

describe('no check asks a metadata server', () => {
  test.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://169.254.0.1:8080/',
    'http://2852039166/',
    'http://0xa9fea9fe/',
    'http://0251.0376.0251.0376/',
    'http://169.254.43518/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://[fd20:ce:0:0::254]/',
    'http://[::ffff:169.254.169.254]/',
    'http://[::169.254.169.254]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[2002:a9fe:a9fe::1]/',
    'http://100.100.100.200/',
    'http://168.63.129.16/',
    'http://metadata/computeMetadata/v1/',
    'http://metadata.google.internal/',
    'http://METADATA.google.internal./',
    'http://169。254。169。254/',
  ])('%s', async (url) => {
    expect(() => parseChecks(url)).toThrow(Failures);
    expect(() => parseChecks(url)).toThrow(/line 1 of the input "verify": .*metadata server/);
    await expect(askDirectly(new URL(url), question, new AbortController().signal)).rejects.toThrow(/metadata server/);
  });

  test.each([
    'http://203.0.113.7/',
    'http://10.0.0.1:8080/',
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://[2001:db8::1]/',
    'https://metadata.example.com/',
    'https://shop.example.com/169.254.169.254',
  ])('but %s', (url) => {
    expect(parseChecks(url)).toHaveLength(1);
    expect(isMetadataHost(new URL(url).hostname)).toBe(false);
  });

  test('a name that resolves to none leads to none', async () => {
    expect(await leadsToMetadata('localhost')).toBe(false);
    expect(await leadsToMetadata('does-not-exist.invalid')).toBe(false);
    expect(await leadsToMetadata('169.254.169.254')).toBe(true);
  });
});

describe('of the input "verify"', () => {
  const secret = 'hunter22';

  test.each([
    `https://shop.test/health?token=${secret}`,
    `/health?api_key=${secret}&model=a`,
    `service/web:80/health?access_token=${secret} 200`,
    `- url: https://shop.test\n  headers:\n    Authorization: Bearer ${secret}`,
    `- path: /a\n  headers: { X-Api-Key: "${secret}" }`,
    `- path: /a\n  headers: { Cookie: ${secret} }\n  nonsense: 1`,
    `https://user:${secret}@shop.test/`,
  ])('secrets are known: %s', (text) => {
    expect(secretsOfChecks(text)).toContain(secret);
  });

  test('and ordinary words are none', () => {
    const text =
      '- path: /predict?model=large-one&seed=42\n  headers: { X-Team: storefront }\n  version: header:X-Version\n  body: production';
    expect(secretsOfChecks(text)).toEqual([]);
  });

  test.each([
    [`https://shop.test/health?token=${secret}`, 'https://shop.test/health?token=…'],
    [`/hook/T024BE7LDabcd0123?model=a 200`, '/hook/…?model=a 200'],
    [`- url: https://shop.test/?q=${secret}`, 'https://shop.test/?q=…'],
    [`- path: /a?q=${secret}`, '/a?q=…'],
  ])('%s a check is called %s', (text, name) => {
    expect(parseChecks(text)).toMatchObject([{ name }]);
  });

  test.each([
    `https://user:${secret}@shop.test/`,
    `- url: https://user:${secret}@shop.test/`,
    `- url: ftp://shop.test/?q=${secret}`,
    `- path: health?q=${secret}`,
    `ftp://shop.test/?q=${secret}`,
    `/health?q=${secret} is what?`,
    `- url: *${secret}`,
    `- url: !${secret} x`,
  ])('mistakes are told without it: %s', (text) => {
    let message = '';
    try {
      parseChecks(text);
    } catch (error) {
      message = String(error);
    }
    expect(message).not.toBe('');
    expect(message).not.toContain(secret);
  });
});
