import { expect, test } from '@jest/globals';

import type { ProxyRequest, ProxyTarget } from '../../../src/kubernetes/client.ts';
import { ApiError } from '../../../src/kubernetes/errors.ts';
import { status } from '../../support/scripted-server.ts';
import { clientOf } from './clients.ts';

const pod: ProxyTarget = { kind: 'Pod', namespace: 'shop', name: 'web-1', port: '8080', scheme: 'http' };
const get: ProxyRequest = { method: 'GET', path: '/healthz?full=1', headers: {}, timeoutMs: 5000 };

test('a request to a pod goes out as it is, with our credentials, and any answer is one', async () => {
  await using fixture = await clientOf(() => ({ status: 418, headers: { 'X-A': 'b' }, text: 'a teapot' }));
  const answer = await fixture.client.proxy(pod, {
    ...get,
    method: 'POST',
    headers: { 'X-Team': 'shop', 'Content-Type': 'text/plain' },
    body: 'not JSON',
  });
  expect(answer).toMatchObject({ status: 418, body: 'a teapot' });
  expect(answer.headers['x-a']).toBe('b');
  const [request] = fixture.received();
  expect(request).toMatchObject({
    method: 'POST',
    path: '/api/v1/namespaces/shop/pods/http:web-1:8080/proxy/healthz',
    body: 'not JSON',
  });
  expect(request?.query.get('full')).toBe('1');
  expect(request?.headers).toMatchObject({
    'x-team': 'shop',
    'content-type': 'text/plain',
    authorization: 'Bearer first',
  });
});

test('it is not repeated, however it fails', async () => {
  await using fixture = await clientOf(() => ({ status: 503, headers: { 'Retry-After': '1' }, text: 'busy' }));
  expect(await fixture.client.proxy(pod, get)).toMatchObject({ status: 503, body: 'busy' });
  expect(fixture.received()).toHaveLength(1);
});

test('a right that is missing is an error with the rule to add; the 403 of an application is an answer', async () => {
  const refusal =
    'pods "http:web-1:8080" is forbidden: User "deployer" cannot get resource "pods/proxy" in API group "" in the namespace "shop"';
  await using fixture = await clientOf(() => status(403, 'Forbidden', refusal));
  const error = await fixture.client.proxy(pod, get).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({
    message:
      'cannot ask Pod "web-1" through the API server: user "deployer" is not allowed to get pods/proxy in namespace "shop"',
    hint: 'Add this rule to its Role in namespace "shop": {apiGroups: [""], resources: ["pods/proxy"], verbs: ["get"]}.',
  });
  await using application = await clientOf(() => ({ status: 403, json: { error: 'sign in' } }));
  expect(await application.client.proxy(pod, get)).toMatchObject({ status: 403 });
});

test('a pod that is gone is an error, the 404 of an application is not', async () => {
  await using fixture = await clientOf(() => status(404, 'NotFound', 'pods "web-1" not found'));
  await expect(fixture.client.proxy(pod, get)).rejects.toMatchObject({ status: 404 });
  await using application = await clientOf(() => ({ status: 404, text: 'no such page' }));
  expect(await application.client.proxy(pod, get)).toMatchObject({ status: 404, body: 'no such page' });
});

test('credentials that have expired are renewed once', async () => {
  let issued = 0;
  await using fixture = await clientOf(
    ({ headers }) =>
      headers.authorization === 'Bearer 2' ? { text: 'ok' } : status(401, 'Unauthorized', 'Unauthorized'),
    { credentials: () => Promise.resolve({ headers: { Authorization: `Bearer ${String((issued += 1))}` } }) },
  );
  expect(await fixture.client.proxy(pod, get)).toMatchObject({ body: 'ok' });
  expect(fixture.received()).toHaveLength(2);
});

test('no answer in time is a TimeoutError', async () => {
  await using fixture = await clientOf(() => 'silence');
  await expect(fixture.client.proxy(pod, { ...get, timeoutMs: 50 })).rejects.toMatchObject({ name: 'TimeoutError' });
});
