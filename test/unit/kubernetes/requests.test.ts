import { describe, expect, test } from '@jest/globals';

import type { Http } from '../../../src/http/http.ts';
import { ApiError, ConnectionError } from '../../../src/kubernetes/errors.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import type { KubernetesObject, ObjectRef } from '../../../src/kubernetes/object.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { discoveryOf, scriptedServer, status, type Reply } from '../../support/scripted-server.ts';
import { clientOf, configMap, connectionTo } from './clients.ts';

const ref: ObjectRef = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: 'app' };
const write = { fieldManager: 'gke-rollout' };
const object = configMap('app');

describe('what is sent', () => {
  test('an apply is a PATCH with strict validation, and the object goes out and comes back as it is', async () => {
    const policy = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'app', namespace: 'shop' },
      spec: { ingress: [{ from: [{ podSelector: {} }] }], $ref: 'x', nothing: null, newer: [1.5] },
    };
    await using fixture = await clientOf(({ body }) => ({ json: JSON.parse(body) as never }));
    const { object: answered } = await fixture.client.apply(policy, { ...write, force: true, dryRun: true });
    expect(answered).toEqual(policy);
    const [request] = fixture.received();
    expect(request?.method).toBe('PATCH');
    expect(request?.path).toBe('/api/v1/namespaces/shop/configmaps/app');
    expect(Object.fromEntries(request?.query ?? [])).toEqual({
      fieldManager: 'gke-rollout',
      force: 'true',
      fieldValidation: 'Strict',
      dryRun: 'All',
    });
    expect(request?.headers).toMatchObject({
      'content-type': 'application/apply-patch+yaml',
      authorization: 'Bearer first',
      'user-agent': 'gke-rollout/1.2.3',
    });
    expect(JSON.parse(request?.body ?? '')).toEqual(policy);
  });

  test('names keep their capitals and their colons', async () => {
    await using fixture = await clientOf(() => ({ json: object }));
    await fixture.client.read({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'system:Node' });
    expect(fixture.received()[0]?.path).toBe('/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3ANode');
  });

  test.each(['', '.', '..', 'a/b', '%2e%2e'])('a name such as "%s" never becomes a path', async (name) => {
    await using fixture = await clientOf(() => ({ json: {} }));
    await expect(fixture.client.delete({ ...ref, name })).rejects.toThrow(`"${name}" cannot be the name of an object`);
    expect(fixture.received()).toEqual([]);
  });

  test('a delete with a uid is for this very object only', async () => {
    await using fixture = await clientOf(() => ({ json: object }));
    await fixture.client.delete(ref, { uid: 'abc', propagationPolicy: 'Foreground' });
    expect(JSON.parse(fixture.received()[0]?.body ?? '')).toMatchObject({
      preconditions: { uid: 'abc' },
      propagationPolicy: 'Foreground',
    });
  });
});

describe('what is answered', () => {
  test('warnings of the server come with the object', async () => {
    const warning = ['299 - "a \\"quoted\\" one", 299 - "with, comma"', '299 - "third"'];
    await using fixture = await clientOf(() => ({ json: object, headers: { Warning: warning } }));
    const { warnings } = await fixture.client.apply(object, write);
    expect(warnings).toEqual(['a "quoted" one', 'with, comma', 'third']);
  });

  test('an object that is not there is undefined, and its delete says so', async () => {
    await using fixture = await clientOf(() => status(404, 'NotFound'));
    expect(await fixture.client.read(ref)).toBeUndefined();
    expect(await fixture.client.delete(ref)).toBe(false);
  });

  test('a log is text, whatever it looks like', async () => {
    await using fixture = await clientOf(() => ({ text: '{"level":"info"}\nplain\n' }));
    const pod = { apiVersion: 'v1', kind: 'Pod', namespace: 'shop', name: 'web-1' };
    const log = await fixture.client.logs(pod, 'web', { tailLines: 5, previous: true });
    expect(log).toBe('{"level":"info"}\nplain\n');
    const [request] = fixture.received();
    expect(request?.path).toBe('/api/v1/namespaces/shop/pods/web-1/log');
    expect(Object.fromEntries(request?.query ?? [])).toEqual({
      container: 'web',
      tailLines: '5',
      limitBytes: '4194304',
      previous: 'true',
    });
  });

  const foreign: [string, Reply][] = [
    ['a login page', { headers: { 'Content-Type': 'text/html' }, text: '<html>Sign in</html>' }],
    ['a redirect', { status: 302, headers: { Location: 'https://login.example.com' }, text: '' }],
    ['some other text', { headers: { 'Content-Type': 'text/plain' }, text: 'ok' }],
    ['an empty list', { text: '[]' }],
    ['null', { text: 'null' }],
    ['an empty object', { json: {} }],
    ["somebody else's JSON", { json: { status: 'ok', items: 5 } }],
    ['a refusal of a proxy', { status: 403, headers: { 'Content-Type': 'text/html' }, text: '<html>Forbidden</html>' }],
    ['the 404 of a load balancer', { status: 404, text: 'default backend - 404' }],
    ['the 400 of a load balancer', { status: 400, headers: { 'Content-Type': 'text/html' }, text: '<html>400</html>' }],
    ['the 405 of a proxy', { status: 405, headers: { 'Content-Type': 'text/html' }, text: '<html>405</html>' }],
    ['the 422 of a gateway', { status: 422, json: { error: 'unprocessable' } }],
    ['a Status that is no object', { json: { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' } }],
  ];

  test.each(foreign)('%s passes where the cluster has answered before', async (_, reply) => {
    await using fixture = await clientOf((__, count) => (count < 4 ? reply : { json: object }));
    expect(await fixture.client.read(ref)).toEqual(object);
    expect(fixture.received()).toHaveLength(4);
  });

  test.each(foreign)('%s is never believed: after a minute it is an error', async (_, reply) => {
    await using fixture = await clientOf(() => reply);
    await expect(fixture.client.read(ref)).rejects.toThrow(
      /did not answer like a Kubernetes API server|cannot get ConfigMap "app"/,
    );
    expect(fixture.clock.now() - fixture.startedAt).toBeLessThanOrEqual(61_000);
  });

  test.each(foreign)('%s as the first answer of all is an error at once', async (_, reply) => {
    const server = await scriptedServer(() => reply);
    const clock = new HastyClock();
    const client = createClient(await connectionTo(server.url, clock), { clock, userAgent: 'gke-rollout/1.2.3' });
    await expect(client.read(ref)).rejects.toThrow();
    await client.close();
    await server[Symbol.asyncDispose]();
    expect(clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(10_000);
  });

  test('the plain 404 of the API server for a path that it does not know is one: it has an audit ID', async () => {
    const reply = { status: 404, headers: { 'Audit-Id': '6f4e' }, text: '404 page not found\n' };
    await using fixture = await clientOf(() => reply);
    expect(await fixture.client.read(ref)).toBeUndefined();
    expect(fixture.received()).toHaveLength(1);
  });

  test('what was made while such an answer came back is known again', async () => {
    await using fixture = await clientOf(({ method }, count) => {
      if (count < 3) return { text: 'null' };
      return method === 'POST' ? status(409, 'AlreadyExists') : { json: object };
    });
    expect((await fixture.client.create(object, write)).object).toEqual(object);
  });

  test('a list whose pages are empty and go on for ever ends with an error', async () => {
    for (const tokenOf of [() => 'same', (count: number) => `page ${count}`]) {
      await using fixture = await clientOf((_, count) => ({
        json: { apiVersion: 'v1', kind: 'ConfigMapList', metadata: { continue: tokenOf(count) }, items: [] },
      }));
      const resource = await fixture.client.resource('v1', 'ConfigMap');
      if (resource === undefined) throw new Error('not discovered');
      await expect(fixture.client.list(resource, {})).rejects.toThrow(/list of configmaps never ends/);
      expect(fixture.received().length).toBeLessThanOrEqual(101);
    }
  });

  test('a list is taken page by page, and its items know their kind', async () => {
    await using fixture = await clientOf(({ query }) => {
      const first = query.get('continue') === null;
      const metadata = { resourceVersion: '7', ...(first ? { continue: 'more' } : {}) };
      return { json: { kind: 'ConfigMapList', metadata, items: [{ metadata: { name: first ? 'a' : 'b' } }] } };
    });
    const resource = await fixture.client.resource('v1', 'ConfigMap');
    if (resource === undefined) throw new Error('not discovered');
    const list = await fixture.client.list(resource, { namespace: 'shop', labelSelector: 'a=b' });
    expect(list.resourceVersion).toBe('7');
    expect(list.items.map(({ kind, metadata }) => `${kind} ${metadata.name}`)).toEqual(['ConfigMap a', 'ConfigMap b']);
    expect(fixture.received().map(({ query }) => query.get('limit'))).toEqual(['500', '500']);
  });

  test('of a large list only what the caller keeps stays in memory', async () => {
    await using fixture = await clientOf(({ query }) => {
      const metadata = query.get('continue') === null ? { continue: 'more' } : {};
      return { json: { metadata, items: [{ metadata: { name: 'a' }, data: { large: 'x' } }] } };
    });
    const resource = await fixture.client.resource('v1', 'ConfigMap');
    if (resource === undefined) throw new Error('not discovered');
    const keep = ({ apiVersion, kind, metadata }: KubernetesObject) => ({ apiVersion, kind, metadata });
    const kept = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' } };
    expect((await fixture.client.list(resource, { keep })).items).toEqual([kept, kept]);
  });

  test('a list that changes too much between its pages is taken as a whole', async () => {
    await using fixture = await clientOf(({ query }) => {
      if (query.get('continue') !== null) return status(410, 'Expired');
      const metadata = query.get('limit') === null ? {} : { continue: 'more' };
      return { json: { metadata, items: [{ metadata: { name: 'a' } }] } };
    });
    const resource = await fixture.client.resource('v1', 'ConfigMap');
    if (resource === undefined) throw new Error('not discovered');
    const { items } = await fixture.client.list(resource, {});
    expect(items).toHaveLength(1);
    expect(fixture.received()).toHaveLength(3);
  });
});

describe('what is repeated', () => {
  test('429, after the time that the server asks for', async () => {
    await using fixture = await clientOf((_, count) =>
      count < 3
        ? { status: 429, headers: { 'Retry-After': '2' }, json: { message: 'too many requests' } }
        : { json: object },
    );
    await fixture.client.create(object, write);
    expect(fixture.clock.sleeps).toEqual([2000, 2000]);
    expect(fixture.client.requestCounts.get('POST')).toBe(3);
  });

  test('429 without a time, with growing pauses', async () => {
    await using fixture = await clientOf((_, count) => (count < 4 ? status(429, 'TooManyRequests') : { json: object }));
    await fixture.client.apply(object, write);
    expect(fixture.clock.sleeps).toEqual([200, 400, 800]);
  });

  test('but not when the server asks for too much patience', async () => {
    await using fixture = await clientOf(() => ({ status: 429, headers: { 'Retry-After': '3600' }, json: {} }));
    await expect(fixture.client.apply(object, write)).rejects.toThrow(/overloaded/);
    expect(fixture.received()).toHaveLength(1);
  });

  test.each([502, 503, 504])('%i, for about a minute from a server that has answered before', async (code) => {
    await using fixture = await clientOf(() => status(code, 'ServiceUnavailable'));
    await expect(fixture.client.apply(object, write)).rejects.toMatchObject({ status: code });
    const total = fixture.clock.sleeps.reduce((sum, ms) => sum + ms, 0);
    expect(total).toBeGreaterThan(50_000);
    expect(total).toBeLessThanOrEqual(60_000);
    expect(Math.max(...fixture.clock.sleeps)).toBeLessThanOrEqual(7500);
  });

  test('500, but only for some seconds', async () => {
    await using fixture = await clientOf(() => status(500, 'InternalError'));
    await expect(fixture.client.apply(object, write)).rejects.toMatchObject({ status: 500 });
    expect(fixture.clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(10_000);
    expect(fixture.received().length).toBeGreaterThan(2);
  });

  test('not an apply that does not fit the schema, though the server answers 500', async () => {
    const message =
      'failed to create typed patch object (/web; apps/v1, Kind=Deployment): .spec.a: field not declared in schema';
    await using fixture = await clientOf(() => status(500, '', message));
    await expect(fixture.client.apply(object, write)).rejects.toMatchObject({ status: 400 });
    expect(fixture.received()).toHaveLength(1);
  });

  test.each([400, 403, 404, 409, 422, 501])('not %i', async (code) => {
    await using fixture = await clientOf(() => status(code, ''));
    await expect(fixture.client.apply(object, write)).rejects.toMatchObject({ status: code });
    expect(fixture.received()).toHaveLength(1);
  });

  test('a connection that is reset, where that does no harm', async () => {
    await using fixture = await clientOf((_, count) => (count === 1 ? 'reset' : { json: object }));
    await expect(fixture.client.apply(object, write)).resolves.toMatchObject({ object });
    expect(fixture.received()).toHaveLength(2);
  });

  test('but not one that was about to patch by operations', async () => {
    await using fixture = await clientOf(() => 'reset');
    const operations = [{ op: 'add' as const, path: '/spec/list/-', value: 1 }];
    await expect(fixture.client.patch(ref, { type: 'json', operations }, write)).rejects.toThrow(ConnectionError);
    expect(fixture.received()).toHaveLength(1);
  });

  test('one that patches by operations, where they hold for one version only: a second time they would meet a conflict', async () => {
    await using fixture = await clientOf((_, count) => (count === 1 ? 'reset' : { json: object }));
    const operations = [
      { op: 'replace' as const, path: '/metadata/resourceVersion', value: '7' },
      { op: 'add' as const, path: '/spec/list/-', value: 1 },
    ];
    await expect(fixture.client.patch(ref, { type: 'json', operations }, write)).resolves.toMatchObject({ object });
    expect(fixture.received()).toHaveLength(2);
  });

  test('an attempt that is not answered in time', async () => {
    await using fixture = await clientOf((_, count) => (count === 1 ? 'silence' : { json: object }), {
      attemptDeadlineMs: 100,
    });
    await expect(fixture.client.read(ref)).resolves.toEqual(object);
  });
});

describe('where the cluster has answered before', () => {
  /** A client whose requests, but for the first, fail with these codes before they get through. */
  async function failingWith(...codes: string[]) {
    await using server = await scriptedServer(({ path }) => discoveryOf(path) ?? { json: object });
    const clock = new HastyClock();
    const connection = await connectionTo(server.url, clock);
    let answered = 0;
    const requests: Http = {
      ...connection.requests,
      request: async (url, request) => {
        const code = String(url).includes('/api/v1/') && (answered += 1) > 1 ? codes.shift() : undefined;
        if (code === undefined) return await connection.requests.request(url, request);
        throw Object.assign(new Error(code), { code });
      },
    };
    const client = createClient({ ...connection, requests }, { clock, userAgent: 'test', random: () => 0.5 });
    await client.read(ref);
    const result = await client.read(ref).catch((error: unknown) => error);
    await client.close();
    return { result, pauses: clock.sleeps };
  }

  test.each(['ENOTFOUND', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'])(
    'its name or its certificate may be another for a while: %s passes',
    async (code) => {
      expect(await failingWith(code, code)).toEqual({ result: object, pauses: [200, 400] });
    },
  );

  test('what does not come from the way to it does not pass', async () => {
    expect(await failingWith('EACCES')).toEqual({ result: expect.any(ConnectionError), pauses: [] });
  });
});

describe('a write whose answer was lost', () => {
  test('that created the object is recognised by what the object holds', async () => {
    const live = configMap('app', {
      metadata: { name: 'app', namespace: 'shop', uid: 'u1' },
      data: { a: '1', added: 'x' },
    });
    await using fixture = await clientOf(({ method }, count) => {
      if (count === 1) return 'reset';
      return method === 'POST' ? status(409, 'AlreadyExists') : { json: live };
    });
    await expect(fixture.client.create(object, write)).resolves.toEqual({ object: live, warnings: [] });
  });

  test.each([500, 502, 504])(
    'is known again, too, when %i came in its place: whoever says so need not know',
    async (code) => {
      await using fixture = await clientOf(({ method }, count) => {
        if (count === 1) return status(code, 'Timeout');
        return method === 'POST' ? status(409, 'AlreadyExists') : { json: object };
      });
      await expect(fixture.client.create(object, write)).resolves.toEqual({ object, warnings: [] });
      await using other = await clientOf((_, count) =>
        count === 1 ? status(code, 'Timeout') : status(404, 'NotFound'),
      );
      expect(await other.client.delete(ref)).toBe(true);
    },
  );

  test.each<[string, Reply]>([
    ['429', status(429, 'TooManyRequests')],
    ['503 with a Retry-After', { status: 503, headers: { 'Retry-After': '1' }, json: {} }],
  ])('is none that was turned away with %s: what is there then is not ours', async (_, first) => {
    await using fixture = await clientOf((_, count) => (count === 1 ? first : status(409, 'AlreadyExists')));
    await expect(fixture.client.create(object, write)).rejects.toMatchObject({ isAlreadyExists: true });
    await using other = await clientOf((_, count) => (count === 1 ? first : status(404, 'NotFound')));
    expect(await other.client.delete(ref)).toBe(false);
  });

  test('is not taken for ours when the object holds something else', async () => {
    await using fixture = await clientOf(({ method }, count) => {
      if (count === 1) return 'reset';
      return method === 'POST' ? status(409, 'AlreadyExists') : { json: configMap('app', { data: { a: 'other' } }) };
    });
    await expect(fixture.client.create(object, write)).rejects.toMatchObject({ isAlreadyExists: true });
  });

  test('and an object that exists from the start is a conflict, even with the same content', async () => {
    await using fixture = await clientOf(() => status(409, 'AlreadyExists'));
    await expect(fixture.client.create(object, write)).rejects.toMatchObject({ isAlreadyExists: true });
    expect(fixture.received()).toHaveLength(1);
  });

  test('that deleted the object counts as a delete', async () => {
    await using fixture = await clientOf((_, count) => (count === 1 ? 'reset' : status(404, 'NotFound')));
    expect(await fixture.client.delete(ref)).toBe(true);
  });

  test('that was guarded by a resourceVersion comes back as a write conflict', async () => {
    await using fixture = await clientOf((_, count) => (count === 1 ? 'reset' : status(409, 'Conflict')));
    const guarded = configMap('app', { metadata: { name: 'app', namespace: 'shop', resourceVersion: '1' } });
    await expect(fixture.client.replace(guarded, write)).rejects.toMatchObject({
      isWriteConflict: true,
      afterLostAnswer: true,
    });
  });
});

describe('credentials', () => {
  test('are asked for anew once when the server no longer accepts them', async () => {
    let asked = 0;
    const credentials = () => Promise.resolve({ headers: { Authorization: `Bearer ${(asked += 1)}` } });
    await using fixture = await clientOf(
      ({ headers }) => (headers.authorization === 'Bearer 1' ? status(401, 'Unauthorized') : { json: object }),
      { credentials },
    );
    await fixture.client.resources();
    await Promise.all([1, 2, 3, 4].map(async () => await fixture.client.read(ref)));
    expect(asked).toBe(2);
    expect(fixture.received().at(-1)?.headers.authorization).not.toBe('Bearer 1');
  });

  test('that stay wrong end in an error that says so', async () => {
    await using fixture = await clientOf(() => status(401, 'Unauthorized'));
    await expect(fixture.client.read(ref)).rejects.toThrow(/rejected the credentials/);
    expect(fixture.clock.now() - fixture.startedAt).toBeLessThanOrEqual(10_000);
  });

  test('that were accepted before, and are not for some seconds, are no reason to give up', async () => {
    await using fixture = await clientOf((_, count) => (count < 5 ? status(401, 'Unauthorized') : { json: object }));
    expect(await fixture.client.read(ref)).toEqual(object);
  });

  test('that no server has accepted yet end in an error at once', async () => {
    await using server = await scriptedServer(() => status(401, 'Unauthorized'));
    const clock = new HastyClock();
    const client = createClient(await connectionTo(server.url, clock), { clock, userAgent: 'gke-rollout/1.2.3' });
    await expect(client.read(ref)).rejects.toThrow(/rejected the credentials/);
    await client.close();
    expect(clock.sleeps).toEqual([]);
  });
});

test('an aborted run ends its requests', async () => {
  const run = new AbortController();
  await using fixture = await clientOf(
    () => {
      run.abort(new Error('cancelled'));
      return 'silence';
    },
    { signal: run.signal },
  );
  await expect(fixture.client.read(ref)).rejects.toThrow('cancelled');
});

test('nothing that listens is an error after some seconds, not a minute', async () => {
  const fixture = await clientOf(() => 'silence');
  await fixture.server[Symbol.asyncDispose]();
  await expect(fixture.client.read(ref)).rejects.toThrow(/connection refused/);
  expect(fixture.clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(10_000);
  await fixture.client.close();
});

test('an error of the server is an ApiError with its Status', async () => {
  await using fixture = await clientOf(() => status(403, 'Forbidden', 'no'));
  const error = await fixture.client.read(ref).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 403, reason: 'Forbidden', serverMessage: 'no', attempt: { verb: 'get' } });
});
