import { describe, expect, test } from '@jest/globals';

import { httpError } from '../../../src/http/http.ts';
import { faultOf, isPassingStatus } from '../../../src/http/passing.ts';

/** What Node throws for a failed call of the system. */
function failed(code: string, syscall?: string): Error {
  return Object.assign(new Error(`${syscall ?? ''} ${code}`), { code, ...(syscall === undefined ? {} : { syscall }) });
}

/** What Node throws when none of the addresses of a name could be connected to. */
function failedAll(...errors: Error[]): Error {
  return Object.assign(new AggregateError(errors), { code: (errors[0] as NodeJS.ErrnoException | undefined)?.code });
}

describe('a request', () => {
  test.each([
    'ECONNREFUSED',
    'EHOSTUNREACH',
    'EHOSTDOWN',
    'ENETUNREACH',
    'ENETDOWN',
    'ETIMEDOUT',
    'ECONNRESET',
    'EADDRNOTAVAIL',
  ])('never left when connecting ended in %s', (code) => {
    expect(faultOf(failed(code, 'connect'))).toBe('never sent');
  });

  test.each(['CONNECT_TIMEOUT', 'NOT_BEGUN', 'EAI_AGAIN', 'EMFILE'])('never left when it failed with %s', (code) => {
    expect(faultOf(failed(code))).toBe('never sent');
  });

  test.each([
    ['ECONNRESET', 'read'],
    ['EPIPE', 'write'],
    ['ETIMEDOUT', 'read'],
    ['EHOSTUNREACH', 'read'],
    ['ENETUNREACH', 'write'],
    ['CONNECTION_LOST', undefined],
    ['HEADERS_TIMEOUT', undefined],
    ['BODY_TIMEOUT', undefined],
    ['CUT_OFF', undefined],
    ['ERR_HTTP2_STREAM_ERROR', undefined],
    ['ERR_HTTP2_SESSION_ERROR', undefined],
    ['ERR_STREAM_PREMATURE_CLOSE', undefined],
  ])('may have been carried out after %s in %s', (code, syscall) => {
    expect(faultOf(failed(code, syscall))).toBe('cut off');
  });

  test.each([
    'ENOTFOUND',
    'CERT_HAS_EXPIRED',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'ERR_TLS_CERT_ALTNAME_INVALID',
    'EPROTO',
    'EACCES',
    'ERR_INVALID_ARG_VALUE',
  ])('would fail again with %s', (code) => {
    expect(faultOf(failed(code))).toBe('lasting');
  });

  test('whose name has an address that is out of reach for good passes with the other one', () => {
    expect(faultOf(failedAll(failed('ENETUNREACH', 'connect'), failed('ECONNREFUSED', 'connect')))).toBe('never sent');
    expect(faultOf(failedAll(failed('EACCES', 'connect'), failed('ECONNREFUSED', 'connect')))).toBe('never sent');
    expect(faultOf(failedAll(failed('EACCES', 'connect')))).toBe('lasting');
  });

  test('is judged by the cause below what was thrown', () => {
    expect(faultOf(new TypeError('fetch failed', { cause: failed('ECONNRESET', 'read') }))).toBe('cut off');
  });

  test.each([undefined, null, 'text', new Error('a bug'), {}])('that failed with %p is none that passes', (error) => {
    expect(faultOf(error)).toBe('lasting');
  });

  test('never left when a proxy let nobody through, and does so later only if the proxy is in trouble', () => {
    const refused = (status: number) => httpError('PROXY_REFUSED', `the proxy answered ${status}`, { status });
    expect(faultOf(refused(503))).toBe('never sent');
    expect(faultOf(new Error('failed', { cause: refused(502) }))).toBe('never sent');
    expect(faultOf(refused(407))).toBe('lasting');
    expect(faultOf(refused(403))).toBe('lasting');
  });
});

test('a status passes that is about the moment, not about the request', () => {
  const passing = Array.from({ length: 500 }, (_, index) => index + 100).filter(isPassingStatus);
  expect(passing.slice(0, 5)).toEqual([408, 429, 500, 502, 503]);
  expect(passing).not.toContain(501);
});
