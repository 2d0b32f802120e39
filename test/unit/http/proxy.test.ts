import { expect, test } from '@jest/globals';

import { proxyFor } from '../../../src/http/proxy.ts';

const HTTPS_PROXY = 'http://proxy.test:3128';

test.each([
  ['the upper case form', 'https://10.0.0.1', { HTTPS_PROXY }, 'http://proxy.test:3128/'],
  ['the lower case form first', 'https://10.0.0.1', { HTTPS_PROXY, https_proxy: 'http://b:1' }, 'http://b:1/'],
  ['an address without scheme', 'https://10.0.0.1', { HTTPS_PROXY: 'b:1' }, 'http://b:1/'],
  ['the variable of the scheme', 'http://10.0.0.1', { HTTP_PROXY: 'http://b:1', HTTPS_PROXY }, 'http://b:1/'],
  ['no other scheme', 'https://10.0.0.1', { HTTP_PROXY: 'http://b:1' }, undefined],
  ['nothing when there is none', 'https://10.0.0.1', {}, undefined],
  ['nothing when it is empty', 'https://10.0.0.1', { HTTPS_PROXY: '' }, undefined],
])('takes %s', (_, server, env, proxy) => {
  expect(proxyFor(new URL(server), env)?.href).toBe(proxy);
});

test.each<[string, string, boolean]>([
  ['https://10.1.2.3:6443', '10.0.0.0/8', true],
  ['https://11.1.2.3:6443', '10.0.0.0/8', false],
  ['https://10.1.2.3:6443', '10.1.2.3', true],
  ['https://10.1.2.3:6443', '10.1.2.3:6443', true],
  ['https://10.1.2.3:6443', '10.1.2.3:443', false],
  ['https://10.1.2.3', '10.1.2.3:443', true],
  ['https://api.example.com', 'example.com', true],
  ['https://example.com', '.example.com', false],
  ['https://api.example.com', '.example.com', true],
  ['https://api.example.com', '*.example.com', true],
  ['https://notexample.com', 'example.com', false],
  ['https://api.example.com', 'other, Example.com ', true],
  ['https://10.1.2.3', '*', true],
  ['https://10.1.2.3', '', false],
  ['https://10.1.2.3', '10.0.0.0/99', false],
  ['https://[fd00::1]:6443', 'fd00::/8', true],
  ['https://[fd00::1]:6443', '[fd00::1]:6443', true],
  ['https://[fd00::1]:6443', 'fd00::1', true],
  ['https://127.0.0.1:6443', '', true],
  ['https://localhost:6443', '', true],
])('%s with NO_PROXY "%s" goes past the proxy: %s', (server, noProxy, past) => {
  expect(proxyFor(new URL(server), { HTTPS_PROXY, NO_PROXY: noProxy }) === undefined).toBe(past);
});

test('a value that is no URL is refused', () => {
  expect(() => proxyFor(new URL('https://10.0.0.1'), { HTTPS_PROXY: 'http://' })).toThrow('HTTPS_PROXY is not a URL');
});
