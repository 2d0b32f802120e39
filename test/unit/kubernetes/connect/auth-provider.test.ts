import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import { askAuthProvider } from '../../../../src/kubernetes/connect/auth-provider.ts';
import { certificateFor, type Certificate } from '../../../support/certificate.ts';

const now = Date.UTC(2026, 0, 1);

function tokenUntil(ms: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part({ exp: ms / 1000 })}.x`;
}

const expired = tokenUntil(now - 1000);
const fresh = tokenUntil(now + 3_600_000);

let certificate: Certificate;
beforeAll(async () => {
  certificate = await certificateFor(['IP:127.0.0.1']);
});
afterAll(() => {
  certificate[Symbol.dispose]();
});

interface Asked {
  path: string;
  authorization: string | undefined;
  form: Record<string, string>;
}

interface Issuer extends AsyncDisposable {
  url: string;
  asked: Asked[];
}

/** An issuer of OpenID Connect. @param tokens what it answers when a token is to be renewed; undefined: nothing ever */
async function issuer(
  tokens: { status?: number; body: unknown } | undefined,
  more: Record<string, unknown> = {},
): Promise<Issuer> {
  const asked: Asked[] = [];
  const server = createServer({ cert: certificate.cert, key: certificate.key }, (request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      const { url: path = '', headers } = request;
      asked.push({ path, authorization: headers.authorization, form: Object.fromEntries(new URLSearchParams(body)) });
      if (path === '/realm/.well-known/openid-configuration') {
        response.end(JSON.stringify({ token_endpoint: `${url}/token`, ...more }));
      } else if (tokens !== undefined) {
        response.writeHead(tokens.status ?? 200).end(JSON.stringify(tokens.body));
      }
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/realm`;
  return {
    url,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function providerAt(url: string, more: JsonObject = {}): JsonObject {
  const config = { 'idp-issuer-url': url, 'client-id': 'me', 'id-token': expired, 'refresh-token': 'r1', ...more };
  return { name: 'oidc', config };
}

async function ask(provider: JsonObject, more: object = {}): Promise<string | undefined> {
  return await askAuthProvider(provider, 'x', { now, env: {}, ca: certificate.cert, ...more });
}

describe('an expired ID token', () => {
  test('is renewed at its issuer, and the tokens that come count from then on', async () => {
    await using server = await issuer({ body: { id_token: fresh, refresh_token: 'r2' } });
    const provider = providerAt(`${server.url}/`);
    await expect(ask(provider)).resolves.toBe(fresh);
    const form = { grant_type: 'refresh_token', refresh_token: 'r1', client_id: 'me' };
    expect(server.asked).toEqual([
      { path: '/realm/.well-known/openid-configuration', authorization: undefined, form: {} },
      { path: '/realm/token', authorization: undefined, form },
    ]);
    expect(provider['config']).toMatchObject({ 'id-token': fresh, 'refresh-token': 'r2' });
    await expect(ask(provider)).resolves.toBe(fresh);
    expect(server.asked).toHaveLength(2);
  });

  test('keeps its refresh token where the issuer sends no other', async () => {
    await using server = await issuer({ body: { id_token: fresh } });
    const provider = providerAt(server.url);
    await ask(provider);
    expect(provider['config']).toMatchObject({ 'refresh-token': 'r1' });
  });

  test('is renewed with the password of the client, encoded, in a header', async () => {
    await using server = await issuer({ body: { id_token: fresh } });
    await ask(providerAt(server.url, { 'client-secret': 'a:b c' }));
    expect(server.asked[1]).toEqual({
      path: '/realm/token',
      authorization: `Basic ${Buffer.from('me:a%3Ab+c').toString('base64')}`,
      form: { grant_type: 'refresh_token', refresh_token: 'r1' },
    });
  });

  test('is renewed with the password in the form where the issuer takes it only there', async () => {
    const ways = { token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'] };
    await using server = await issuer({ body: { id_token: fresh } }, ways);
    await ask(providerAt(server.url, { 'client-secret': 's' }));
    expect(server.asked[1]).toMatchObject({ authorization: undefined, form: { client_id: 'me', client_secret: 's' } });
  });

  test.each(['client-id', 'refresh-token', 'idp-issuer-url'])('that lacks "%s" is told so', async (key) => {
    await expect(ask(providerAt('https://127.0.0.1:1', { [key]: '' }))).rejects.toThrow(
      `cannot get credentials for context "x": its ID token has expired, and its auth-provider has no "${key}" to renew it`,
    );
  });

  test('that the issuer does not renew has its reason told', async () => {
    const body = { error: 'invalid_grant', error_description: 'the session has ended' };
    await using server = await issuer({ status: 400, body });
    const { host } = new URL(server.url);
    await expect(ask(providerAt(server.url))).rejects.toMatchObject({
      message: `cannot get credentials for context "x": ${host} answered HTTP 400: the session has ended`,
      hint: 'Check that this context works with kubectl on this runner, and fix the kubeconfig.',
    });
  });

  test('for which the issuer sends none is told so', async () => {
    await using server = await issuer({ body: { access_token: 'a' } });
    const { host } = new URL(server.url);
    await expect(ask(providerAt(server.url))).rejects.toThrow(
      `cannot get credentials for context "x": ${host} renewed the session without an ID token`,
    );
  });

  test('is never asked for without encryption', async () => {
    await expect(ask(providerAt('http://127.0.0.1:1'))).rejects.toThrow(
      'cannot get credentials for context "x": "http://127.0.0.1:1/.well-known/openid-configuration" is not an https URL',
    );
  });

  test('is not sent to an issuer whose certificate is unknown', async () => {
    await using server = await issuer({ body: { id_token: fresh } });
    await expect(ask(providerAt(server.url), { ca: undefined })).rejects.toThrow(
      /^cannot get credentials .*self-signed/,
    );
    expect(server.asked).toEqual([]);
  });

  test('whose issuer does not answer is waited for as long as a credential plugin is', async () => {
    await using server = await issuer(undefined);
    const time = { value: 200, unit: 'ms', what: 'a credential plugin' } as const;
    await expect(ask(providerAt(server.url), { time })).rejects.toThrow(
      /^cannot get credentials for context "x": no answer: /,
    );
  });

  test('is no longer waited for once the run is cancelled', async () => {
    await using server = await issuer(undefined);
    const signal = AbortSignal.abort(new Error('cancelled'));
    await expect(ask(providerAt(server.url), { signal })).rejects.toThrow(/^cancelled$/);
  });
});

test('an ID token that is good for ten seconds more is not used any more: it would expire on the way', async () => {
  await using server = await issuer({ body: { id_token: fresh } });
  await expect(ask(providerAt(server.url, { 'id-token': tokenUntil(now + 10_000) }))).resolves.toBe(fresh);
});

test('a provider that has only a refresh token gets its first ID token with it', async () => {
  await using server = await issuer({ body: { id_token: fresh } });
  await expect(ask(providerAt(server.url, { 'id-token': '' }))).resolves.toBe(fresh);
});

test('what is no JSON Web Token is told so', async () => {
  await expect(ask(providerAt('https://127.0.0.1:1', { 'id-token': 'a.b.c' }))).rejects.toThrow(
    'cannot get credentials for context "x": its "id-token" is not a JSON Web Token with an expiry',
  );
});

test('an auth provider other than OIDC is told so', async () => {
  await expect(ask({ name: 'vault' })).rejects.toThrow(
    'cannot get credentials for context "x": the auth-provider "vault" is not supported',
  );
});
