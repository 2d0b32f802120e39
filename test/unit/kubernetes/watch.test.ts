import { describe, expect, test } from '@jest/globals';

import type { KubernetesClient, ObjectList, Resource, WatchEvent } from '../../../src/kubernetes/client.ts';
import { ApiError, ConnectionError } from '../../../src/kubernetes/errors.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { observe, type Handlers } from '../../../src/kubernetes/watch.ts';
import { cpuTimeOf, SQUARE_MS } from '../../support/cpu-time.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { status, type Reply } from '../../support/scripted-server.ts';
import { clientOf, configMap } from './clients.ts';

const resource: Resource = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  plural: 'configmaps',
  namespaced: true,
  verbs: ['list', 'watch'],
};
const attempt = { verb: 'watch', plural: 'configmaps', group: '', subject: 'configmaps' };
const minute = 60_000;

function versioned(name: string, resourceVersion: string): KubernetesObject {
  return configMap(name, { metadata: { name, namespace: 'shop', resourceVersion } });
}

type Watching = (resourceVersion: string, signal: AbortSignal, count: number) => AsyncIterable<WatchEvent>;

/** An observation of a client that lists `list` and watches as `watch` says, with what it told. */
function observation(options: { list?: () => ObjectList; watch: Watching; handlers?: Partial<Handlers> }) {
  const clock = new FakeClock();
  const end = new AbortController();
  const asked: string[] = [];
  const told: string[] = [];
  let watches = 0;
  const client: Pick<KubernetesClient, 'list' | 'watch'> = {
    list: () => {
      asked.push('list');
      return Promise.resolve(options.list?.() ?? { items: [versioned('a', '1')], resourceVersion: '10' });
    },
    watch: (_, { resourceVersion }, signal) => {
      asked.push(`watch ${resourceVersion}`);
      return options.watch(resourceVersion, signal, (watches += 1));
    },
  };
  const handlers: Handlers = {
    onSync: (objects) => told.push(`sync ${objects.map(({ metadata }) => metadata.name).join(' ')}`),
    onChange: (type, { metadata }) => told.push(`${type} ${metadata.name}`),
    onTrouble: (error) => told.push(`trouble ${error instanceof Error ? error.message : ''}`),
    ...options.handlers,
  };
  const scope = { namespace: 'shop' };
  const done = observe(client as KubernetesClient, resource, scope, handlers, end.signal, clock, () => 0.5);
  // Looked at by the tests that expect it; must not count as unhandled until then.
  done.catch(() => undefined);
  return { clock, end, asked, told, done };
}

/** A watch that stays open and silent until its signal aborts. */
async function* silent(signal: AbortSignal): AsyncIterable<WatchEvent> {
  await new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
  yield { type: 'BOOKMARK', resourceVersion: '' };
}

async function* events(...all: WatchEvent[]): AsyncIterable<WatchEvent> {
  for (const event of all) yield await Promise.resolve(event);
}

const gone: WatchEvent = { type: 'ERROR', code: 410, message: 'too old resource version' };

describe('an observation', () => {
  test('tells what is there, then what changes, and goes on where the last watch ended', async () => {
    const { clock, end, asked, told, done } = observation({
      watch: (_, signal, count) => {
        if (count === 1) return events({ type: 'MODIFIED', object: versioned('a', '11') });
        if (count === 2) return events({ type: 'BOOKMARK', resourceVersion: '20' });
        return silent(signal);
      },
    });
    await clock.runFor(5000);
    expect(told).toEqual(['sync a', 'MODIFIED a']);
    expect(asked).toEqual(['list', 'watch 10', 'watch 11', 'watch 20']);
    end.abort();
    await done;
  });

  test('leaves managed fields away, which are half of an object', async () => {
    const managedFields = [{ manager: 'm', operation: 'Apply' as const, apiVersion: 'v1' }];
    const object = configMap('a', { metadata: { name: 'a', namespace: 'shop', resourceVersion: '1', managedFields } });
    const seen: KubernetesObject[] = [];
    const { clock, end, done } = observation({
      list: () => ({ items: [object], resourceVersion: '10' }),
      watch: (_, signal, count) => (count === 1 ? events({ type: 'MODIFIED', object }) : silent(signal)),
      handlers: { onSync: (objects) => seen.push(...objects), onChange: (_, changed) => seen.push(changed) },
    });
    await clock.runFor(1000);
    expect(seen.map(({ metadata }) => metadata.managedFields)).toEqual([undefined, undefined]);
    end.abort();
    await done;
  });

  test.each<[string, Watching]>([
    ['in the stream', (_, signal, count) => (count === 1 ? events(gone) : silent(signal))],
    [
      'as the answer',
      (_, signal, count) => {
        if (count === 1) throw new ApiError(410, { message: 'Expired' }, attempt);
        return silent(signal);
      },
    ],
  ])('lists again when the server has forgotten the place, said %s', async (_, watch) => {
    const { clock, end, asked, told, done } = observation({ watch });
    await clock.runFor(5000);
    expect(asked).toEqual(['list', 'watch 10', 'list', 'watch 10']);
    expect(told).toEqual(['sync a', 'sync a']);
    end.abort();
    await done;
  });

  test('goes on from its last place after a broken connection, and says nothing about it', async () => {
    const { clock, end, asked, told, done } = observation({
      watch: (_, signal, count) => {
        if (count === 1) throw Object.assign(new Error('other side closed'), { code: 'CONNECTION_LOST' });
        return silent(signal);
      },
    });
    await clock.runFor(5000);
    expect(asked).toEqual(['list', 'watch 10', 'watch 10']);
    expect(told).toEqual(['sync a']);
    end.abort();
    await done;
  });

  test('lists again every three minutes, however healthy the watch looks', async () => {
    const { clock, end, asked, done } = observation({ watch: (_, signal) => silent(signal) });
    await clock.runFor(10 * minute);
    expect(asked.filter((request) => request === 'list')).toHaveLength(4);
    end.abort();
    await done;
  });

  test.each<[string, Watching]>([
    ['always answers 410', () => events(gone)],
    ['answers 410 after an event', () => events({ type: 'MODIFIED', object: versioned('a', '11') }, gone)],
    ['ends each watch at once', () => events()],
    ['ends each watch after an event', () => events({ type: 'MODIFIED', object: versioned('a', '11') })],
    [
      'refuses each watch for now',
      () => {
        throw new ApiError(503, { message: 'starting' }, attempt);
      },
    ],
    [
      'breaks each connection',
      () => {
        throw new Error('terminated');
      },
    ],
    ['sends errors', () => events({ type: 'ERROR', code: 500, message: 'etcd' })],
  ])('never falls into a hot loop when the server %s', async (_, watch) => {
    const { clock, end, asked, done } = observation({ watch });
    await clock.runFor(minute);
    // Two requests in each round of three seconds, and a few more while the pauses grow.
    expect(asked.length).toBeLessThan(60);
    expect(asked.length).toBeGreaterThan(10);
    end.abort();
    await done;
  });

  test('lives through an API server that is away, and tells of it', async () => {
    let down = true;
    const { clock, end, asked, told, done } = observation({
      list: () => {
        if (down) throw new ConnectionError('cannot reach it');
        return { items: [versioned('a', '1')], resourceVersion: '10' };
      },
      watch: (_, signal) => silent(signal),
    });
    await clock.runFor(minute);
    expect(asked.length).toBeLessThan(40);
    expect(new Set(told)).toEqual(new Set(['trouble cannot reach it']));
    down = false;
    await clock.runFor(5000);
    expect(told.at(-1)).toBe('sync a');
    end.abort();
    await done;
  });

  test.each([401, 403, 404])('ends with the error that no waiting heals: %i', async (code) => {
    const { clock, done } = observation({
      watch: () => {
        throw new ApiError(code, { message: 'no' }, attempt);
      },
    });
    await clock.runFor(1000);
    await expect(done).rejects.toMatchObject({ status: code, attempt: { verb: 'watch', plural: 'configmaps' } });
  });

  test.each(['onSync', 'onChange'] as const)('ends with what its handler %s throws', async (name) => {
    const failing = () => {
      throw new TypeError('a bug');
    };
    const { clock, done } = observation({
      watch: () => events({ type: 'ADDED', object: versioned('b', '11') }),
      handlers: { [name]: failing },
    });
    await clock.runFor(1000);
    await expect(done).rejects.toThrow(new TypeError('a bug'));
  });

  test('ends at once when its signal aborts, whatever it waits for', async () => {
    const { clock, end, done } = observation({ watch: (_, signal) => silent(signal) });
    await clock.runFor(1000);
    end.abort();
    await expect(done).resolves.toBeUndefined();
  });
});

describe('a watch request', () => {
  const line = (event: object) => `${JSON.stringify(event)}\n`;

  async function collect(watch: AsyncIterable<WatchEvent>): Promise<WatchEvent[]> {
    const all: WatchEvent[] = [];
    for await (const event of watch) all.push(event);
    return all;
  }

  test('asks for bookmarks and reads lines that are cut anywhere', async () => {
    const object = versioned('größe', '5');
    const text = Buffer.from(
      line({ type: 'ADDED', object }) +
        line({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } }) +
        line({ type: 'ERROR', object: { code: 410, message: 'too old' } }),
    );
    await using fixture = await clientOf(() => (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const inside = text.indexOf('ö') + 1;
      response.write(text.subarray(0, inside), () => setImmediate(() => response.end(text.subarray(inside))));
    });
    const watch = fixture.client.watch(
      resource,
      { namespace: 'shop', resourceVersion: '4' },
      new AbortController().signal,
    );
    expect(await collect(watch)).toEqual([
      { type: 'ADDED', object },
      { type: 'BOOKMARK', resourceVersion: '9' },
      { type: 'ERROR', code: 410, message: 'too old' },
    ]);
    expect(Object.fromEntries(fixture.received()[0]?.query ?? [])).toMatchObject({
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '4',
    });
    expect(fixture.client.requestCounts.get('WATCH')).toBe(1);
  });

  test('reads an event of 8 MB that comes in pieces', async () => {
    const text = line({ type: 'ADDED', object: versioned('x'.repeat(8_000_000), '5') }).repeat(2);
    await using fixture = await clientOf(() => ({ text }));
    const watch = fixture.client.watch(resource, { resourceVersion: '4' }, new AbortController().signal);
    expect(
      await cpuTimeOf(async () => {
        expect(await collect(watch)).toHaveLength(2);
      }),
    ).toBeLessThan(SQUARE_MS);
  });

  test('gives an event up that does not end', async () => {
    await using fixture = await clientOf(() => ({ text: 'x'.repeat(17 * 1024 * 1024) }));
    const watch = fixture.client.watch(resource, { resourceVersion: '4' }, new AbortController().signal);
    await expect(collect(watch)).rejects.toThrow(
      'an event of the API server is too long: the limit for one event of a watch is 16 MiB',
    );
  });

  test('gives a connection up that says nothing any more', async () => {
    await using fixture = await clientOf(
      () => (response) => {
        response.writeHead(200).flushHeaders();
      },
      {
        watchIdleMs: 300,
      },
    );
    const watch = fixture.client.watch(resource, { resourceVersion: '4' }, new AbortController().signal);
    await expect(collect(watch)).rejects.toMatchObject({ code: 'BODY_TIMEOUT' });
  });

  test('signs in again once when the credentials have expired', async () => {
    let asked = 0;
    const credentials = () => Promise.resolve({ headers: { Authorization: `Bearer ${(asked += 1)}` } });
    await using fixture = await clientOf(
      ({ headers }) => (headers.authorization === 'Bearer 1' ? status(401, 'Unauthorized') : { text: '' }),
      { credentials },
    );
    const watch = fixture.client.watch(resource, { resourceVersion: '4' }, new AbortController().signal);
    expect(await collect(watch)).toEqual([]);
    expect(asked).toBe(2);
  });

  test.each<[string, Reply]>([
    ['a refusal of a proxy', { status: 403, headers: { 'Content-Type': 'text/html' }, text: '<html>Forbidden</html>' }],
    ['the 404 of a load balancer', { status: 404, text: 'default backend - 404' }],
    ['a redirect to a login page', { status: 302, headers: { Location: 'https://login.example.com/' }, text: '' }],
  ])('takes %s for trouble that passes, and not for what the cluster says', async (_, reply) => {
    await using fixture = await clientOf(() => reply);
    const watch = fixture.client.watch(resource, { resourceVersion: '4' }, new AbortController().signal);
    await expect(collect(watch)).rejects.toBeInstanceOf(ConnectionError);
  });

  test('throws what the server has against it', async () => {
    await using fixture = await clientOf(() => status(403, 'Forbidden', 'no'));
    const watch = fixture.client.watch(resource, { resourceVersion: '4' }, new AbortController().signal);
    await expect(collect(watch)).rejects.toMatchObject({
      status: 403,
      attempt: { verb: 'watch', plural: 'configmaps' },
    });
  });
});
