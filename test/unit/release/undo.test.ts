import { describe, expect, test } from '@jest/globals';

import { stringAt } from '../../../src/base/json.ts';
import { connectionError } from '../../../src/kubernetes/errors.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { UnknownKind } from '../../../src/kubernetes/unknown-kind.ts';
import { undo } from '../../../src/release/undo.ts';
import { goingIn } from '../../../src/release/undo-report.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { silentReporter as reporter } from '../../support/silent-reporter.ts';
import { configMap, fields, objectOf, owner, updater } from './build.ts';
import type { JournalEntry } from '../../../src/release/journal-shape.ts';

const ours = [owner(fields('data', 'a'))];

/** A ConfigMap that a run has changed from 1 to 2. */
function changed(api: FakeApi, name = 'a'): JournalEntry {
  const before = api.put(configMap({ a: '1' }, { name, managedFields: ours }));
  const after = api.put({ ...before, data: { a: '2' } });
  return { ref: refOf(before), before, after, done: true };
}

function created(api: FakeApi, object: KubernetesObject): JournalEntry {
  const after = api.put(object);
  return { ref: refOf(after), before: null, after, done: true };
}

async function run(api: FakeApi, entries: JournalEntry[], more: { deadline?: number } = {}) {
  const clock = new HastyClock();
  return await undo(api, entries, { reporter, clock, ...more });
}

describe('an object that existed', () => {
  test('gets its values and its owners back', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    const report = await run(api, [entry]);
    expect(report).toMatchObject({ complete: true, results: [{ outcome: 'restored' }] });
    expect(api.get(entry.ref)).toMatchObject({ data: { a: '1' }, metadata: { managedFields: ours } });
  });

  test('is left alone when it is as it was, so that a second undo does nothing', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    await run(api, [entry]);
    api.log.length = 0;
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'untouched' }]);
    expect(api.log).toEqual(['read ConfigMap/a']);
  });

  test('is restored when the undo was killed between its two writes', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    // The server makes the first write's manager an owner.
    api.put({
      ...configMap({ a: '1' }, { managedFields: [owner({}), updater('gke-rollout-undo', fields('data', 'a'))] }),
      metadata: {
        ...(api.get(entry.ref)?.metadata ?? { name: 'a' }),
        managedFields: [updater('gke-rollout-undo', fields('data', 'a'))],
      },
    });
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'restored' }]);
    expect(api.get(entry.ref)).toMatchObject({ data: { a: '1' }, metadata: { managedFields: ours } });
  });

  test('is read again when somebody writes in between', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    let raced = false;
    api.before = (operation, ref) => {
      const live = api.get(ref);
      if (operation !== 'replace' || raced || live === undefined) return;
      raced = true;
      api.put({ ...live, data: { a: '2', theirs: 'x' } });
    };
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'restored' }]);
    expect(api.get(entry.ref)).toMatchObject({ data: { a: '1', theirs: 'x' } });
  });

  test('is made anew when somebody has deleted it, and that is said', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    await api.delete(entry.ref);
    const report = await run(api, [entry]);
    expect(report.complete).toBe(true);
    expect(report.results).toMatchObject([{ outcome: 'restored', note: expect.stringContaining('recreated') }]);
    expect(api.get(entry.ref)).toMatchObject({ data: { a: '1' }, metadata: { managedFields: ours } });
  });

  test('that somebody is deleting is made anew once it is gone', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    const going = api.put({
      ...configMap({ a: '2' }, { managedFields: ours }),
      metadata: {
        ...(api.get(entry.ref)?.metadata ?? { name: 'a' }),
        deletionTimestamp: '2026-01-01T00:00:00Z',
        finalizers: ['example.com/hold'],
      },
    });
    let looks = 0;
    api.before = (operation) => {
      if (operation === 'read' && (looks += 1) === 4) api.objects.delete(keyOf(refOf(going)));
    };
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'restored' }]);
    expect(api.get(entry.ref)).toMatchObject({ data: { a: '1' } });
    expect(api.get(entry.ref)?.metadata.deletionTimestamp).toBeUndefined();
  });

  test('that somebody is deleting, and that is held up, is not called restored', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    const { metadata } = api.get(entry.ref) ?? configMap({});
    api.put({
      ...configMap({ a: '2' }),
      metadata: { ...metadata, deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['example.com/hold'] },
    });
    const report = await run(api, [entry]);
    expect(report).toMatchObject({ complete: false, results: [{ outcome: 'going' }] });
  });

  test('is another one when somebody has deleted and made it again: it stays, and is named', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    api.put(configMap({ a: '7' }, { uid: 'another' }));
    const report = await run(api, [entry]);
    expect(report).toMatchObject({ complete: false, results: [{ outcome: 'partly' }] });
    expect(api.get(entry.ref)).toMatchObject({ data: { a: '7' } });
  });

  test('was never written when the run died before: it is left alone', async () => {
    const api = new FakeApi();
    const before = api.put(configMap({ a: '1' }, { managedFields: ours }));
    const entry = { ref: refOf(before), before, after: { ...before, data: { a: '2' } }, done: false };
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'untouched' }]);
  });

  test('was written without a prediction and without an answer: the fields that we own tell', async () => {
    const api = new FakeApi();
    const before = api.put(configMap({ a: '1' }));
    api.put({ ...before, data: { a: '2' }, metadata: { ...before.metadata, managedFields: ours } });
    const entry = { ref: refOf(before), before, after: null, done: false };
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'restored' }]);
    expect(api.get(entry.ref)).toMatchObject({ data: { a: '1' } });
  });
});

describe('an object that cannot go back (pulumi/pulumi-kubernetes#3181)', () => {
  const invalid = (ref: Parameters<typeof refusal>[2], ...causes: { field: string; message: string }[]) =>
    refusal(422, 'Invalid', ref, {
      message: causes.map(({ field, message }) => `${field}: ${message}`).join(', '),
      details: { causes: causes.map((cause) => ({ reason: 'FieldValueForbidden', ...cause })) },
    });

  test('goes back in all other fields, and the ones that stay are named with the reason: a grown claim', async () => {
    const api = new FakeApi();
    const claim = (size: string, label: string) =>
      objectOf(
        'v1',
        'PersistentVolumeClaim',
        { spec: { resources: { requests: { storage: size } } } },
        { uid: 'claim', labels: { tier: label }, managedFields: ours },
      );
    const before = api.put(claim('1Gi', 'old'));
    const after = api.put(claim('2Gi', 'new'));
    const field = 'spec.resources.requests.storage';
    const replace = api.replace.bind(api);
    api.replace = async (object) => {
      const size = stringAt(object, ...field.split('.'));
      if (size === '1Gi') throw invalid(refOf(object), { field, message: 'field can not be less than previous value' });
      return await replace(object);
    };
    const report = await run(api, [{ ref: refOf(before), before, after, done: true }]);
    expect(report).toMatchObject({
      complete: false,
      results: [{ outcome: 'refused', fields: [field], reason: expect.stringContaining('can not be less') }],
    });
    expect(api.get(refOf(before))).toMatchObject({
      metadata: { labels: { tier: 'old' } },
      spec: { resources: { requests: { storage: '2Gi' } } },
    });
  });

  const immutable = (api: FakeApi) => {
    api.before = (operation, ref) => {
      if (operation === 'replace' && api.get(ref)?.['immutable'] === true)
        throw invalid(ref, { field: 'data', message: 'field is immutable when `immutable` is set' });
    };
  };

  test('is deleted and made anew where it is config that has become immutable', async () => {
    const api = new FakeApi();
    const before = api.put(configMap({ a: '1' }, { managedFields: ours }));
    const after = api.put({ ...before, data: { a: '2' }, immutable: true });
    immutable(api);
    const report = await run(api, [{ ref: refOf(before), before, after, done: true }]);
    expect(report).toMatchObject({ complete: true, results: [{ outcome: 'restored' }] });
    const live = api.get(refOf(before));
    expect(live).toMatchObject({ data: { a: '1' }, metadata: { managedFields: ours } });
    expect(live?.['immutable']).toBeUndefined();
    // Killed right after: what is there is as it was, whoever made it.
    const again = await run(api, [{ ref: refOf(before), before, after, done: true }]);
    expect(again).toMatchObject({ complete: true, results: [{ outcome: 'untouched' }] });
  });

  test('is not deleted where the server would not let it be made anew, or a finalizer holds it', async () => {
    const api = new FakeApi();
    const before = api.put(configMap({ a: '1' }, { managedFields: ours }));
    const after = api.put({ ...before, data: { a: '2' }, immutable: true });
    const entry = { ref: refOf(before), before, after, done: true };
    immutable(api);
    const refuseReplace = api.before;
    api.before = (operation, ref) => {
      refuseReplace(operation, ref);
      if (operation === 'create') throw refusal(403, 'Forbidden', ref);
    };
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'refused' }]);
    api.put({ ...after, metadata: { ...after.metadata, finalizers: ['example.test/hold'] } });
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'refused' }]);
    expect(api.log.filter((line) => line.startsWith('delete'))).toEqual([]);
  });

  test('keeps what it needs: pods that a Service still sends requests to, and the config that they read', async () => {
    const api = new FakeApi();
    const service = (version: string) =>
      objectOf('v1', 'Service', { spec: { selector: { v: version } } }, { uid: 'svc', managedFields: ours });
    const before = api.put(service('1'));
    const after = api.put(service('2'));
    const pods = { metadata: { labels: { v: '2' } }, spec: { volumes: [{ configMap: { name: 'read' } }] } };
    const entries = [
      { ref: refOf(before), before, after, done: true },
      created(api, objectOf('v1', 'ConfigMap', {}, { name: 'read' })),
      created(api, objectOf('v1', 'ConfigMap', {}, { name: 'unread' })),
      created(api, objectOf('apps/v1', 'Deployment', { spec: { template: pods } }, { name: 'web' })),
    ];
    api.before = (operation, ref) => {
      if (operation === 'replace') throw refusal(403, 'Forbidden', ref);
    };
    const { results } = await run(api, entries);
    expect(Object.fromEntries(results.map(({ ref, outcome }) => [ref.name, outcome]))).toEqual({
      a: 'refused',
      web: 'refused',
      read: 'refused',
      unread: 'deleted',
    });
  });

  test('is not run again where it is a Job that had run and is gone since', async () => {
    const api = new FakeApi();
    const job = objectOf('batch/v1', 'Job', { status: { conditions: [{ type: 'Complete', status: 'True' }] } });
    const report = await run(api, [{ ref: refOf(job), before: job, after: null, done: false }]);
    expect(report.results).toMatchObject([{ outcome: 'refused', reason: expect.stringContaining('run again') }]);
    expect(api.get(refOf(job))).toBeUndefined();
  });
});

describe('an object that the run created', () => {
  test('is deleted, and gone when the undo ends', async () => {
    const api = new FakeApi();
    const entry = created(api, configMap({}));
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'deleted' }]);
    expect(api.get(entry.ref)).toBeUndefined();
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'untouched' }]);
  });

  test.each([
    ['v1', 'Namespace'],
    ['v1', 'PersistentVolumeClaim'],
    ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
  ])('is kept where it may hold data: %s %s', async (apiVersion, kind) => {
    const api = new FakeApi();
    const entry = created(api, objectOf(apiVersion, kind, {}));
    expect(await run(api, [entry])).toMatchObject({ complete: true, results: [{ outcome: 'kept' }] });
    expect(api.get(entry.ref)).toBeDefined();
  });

  test('is not called deleted while a finalizer holds it up, and the rest of the undo has its time (helm#12000)', async () => {
    const api = new FakeApi();
    const held = configMap({ a: '1' });
    held.metadata.finalizers = ['example.com/hold'];
    const earlier = changed(api, 'earlier');
    const report = await run(api, [earlier, created(api, held)], { deadline: Date.now() + 10_000 });
    expect(report).toMatchObject({ complete: false, results: [{ outcome: 'restored' }, { outcome: 'going' }] });
    expect(goingIn(report)).toEqual([
      'ConfigMap "a" in namespace "shop" has been terminating since 2026-01-01T00:00:00Z, held up by finalizer "example.com/hold"',
    ]);
  });

  test('is not deleted when it is somebody else’s of the same name', async () => {
    const api = new FakeApi();
    const entry = created(api, configMap({}));
    api.put(configMap({}, { uid: 'another' }));
    expect(await run(api, [entry])).toMatchObject({ complete: false, results: [{ outcome: 'partly' }] });
    expect(api.get(entry.ref)).toBeDefined();
  });

  test('is known by our fields when its write was never answered', async () => {
    const api = new FakeApi();
    const live = api.put(configMap({ a: '1' }, { managedFields: ours }));
    const entry = { ref: refOf(live), before: null, after: { ...live, metadata: { name: 'a' } }, done: false };
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'deleted' }]);
  });
});

test('config goes back first, then traffic, then pods; deletions come last', async () => {
  const api = new FakeApi();
  const existing = (apiVersion: string, kind: string): JournalEntry => {
    const before = api.put(objectOf(apiVersion, kind, { data: '1' }, { managedFields: ours }));
    const after = api.put({ ...before, data: '2' });
    return { ref: refOf(before), before, after, done: true };
  };
  const entries = [
    created(api, objectOf('v1', 'Secret', {}, { name: 'new' })),
    existing('apps/v1', 'Deployment'),
    existing('v1', 'Service'),
    existing('v1', 'ConfigMap'),
  ];
  await run(api, entries);
  const writes = api.log.filter((line) => !line.startsWith('read'));
  expect([...new Set(writes)]).toEqual([
    'replace ConfigMap/a',
    'replace Service/a',
    'replace Deployment/a',
    'delete Secret/new',
  ]);
});

describe('trouble on the way', () => {
  test('a broken connection is tried again', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    let failures = 2;
    api.before = (operation) => {
      failures -= 1;
      if (operation === 'read' && failures >= 0) throw connectionError(new Error('reset'), api.server);
    };
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'restored' }]);
  });

  test('a refusal is reported, and the other objects are restored', async () => {
    const api = new FakeApi();
    const entries = [changed(api, 'a'), changed(api, 'b')];
    api.before = (operation, ref) => {
      if (operation === 'replace' && ref.name === 'a') throw refusal(403, 'Forbidden', ref);
    };
    const report = await run(api, entries);
    expect(report.complete).toBe(false);
    expect(report.results.map(({ outcome }) => outcome)).toEqual(['refused', 'restored']);
  });

  test('what passes is tried again for a minute, and then left for the next run', async () => {
    const api = new FakeApi();
    const entry = changed(api);
    let down = true;
    api.before = (operation, ref) => {
      if (operation === 'replace' && down) throw refusal(500, 'InternalError', ref);
    };
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'failed' }]);
    let calls = 0;
    api.before = (operation, ref) => {
      calls += operation === 'replace' ? 1 : 0;
      if (operation === 'replace' && calls < 8) throw refusal(500, 'InternalError', ref);
    };
    down = false;
    expect((await run(api, [entry])).results).toMatchObject([{ outcome: 'restored' }]);
  });

  test('what stood in the way is tried once more when all else is back: a port that a new Service holds', async () => {
    const api = new FakeApi();
    const entries = [changed(api, 'a'), created(api, objectOf('v1', 'Service', {}, { name: 'new' }))];
    api.before = (operation, ref) => {
      const isTaken = api.objects.has('/Service/shop/new');
      if (operation === 'replace' && ref.name === 'a' && isTaken) throw refusal(422, 'Invalid', ref);
    };
    const report = await run(api, entries);
    expect(report).toMatchObject({ complete: true, results: [{ outcome: 'restored' }, { outcome: 'deleted' }] });
  });

  test('nothing is begun after the deadline, and that is no success', async () => {
    const api = new FakeApi();
    const report = await run(api, [changed(api)], { deadline: 0 });
    expect(report).toMatchObject({ complete: false, results: [{ outcome: 'failed' }] });
    expect(api.log).toEqual([]);
  });
});

describe('a StatefulSet that waits for a pod of the failed revision (kubernetes/kubernetes#67250)', () => {
  const pod = (name: string, revision: string, isReady: boolean, uid: string): KubernetesObject => {
    const object = objectOf(
      'v1',
      'Pod',
      { status: { conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] } },
      { name, labels: { app: 'db', 'controller-revision-hash': revision } },
    );
    object.metadata.ownerReferences = [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'db', uid }];
    return object;
  };

  test('gets rid of that pod, and of no other', async () => {
    const api = new FakeApi();
    const set = (image: string, updateRevision: string) =>
      objectOf(
        'apps/v1',
        'StatefulSet',
        {
          spec: { selector: { matchLabels: { app: 'db' } }, image },
          status: { currentRevision: 'good', updateRevision },
        },
        { name: 'db', uid: 'set', managedFields: ours },
      );
    const before = api.put(set('1', 'good'));
    const after = api.put(set('2', 'good'));
    api.put(set('2', 'bad'));
    for (const [name, revision, isReady, uid] of [
      ['db-0', 'good', true, 'set'],
      ['db-1', 'good', false, 'set'],
      ['db-2', 'bad', false, 'set'],
      ['db-3', 'bad', true, 'set'],
      ['other', 'bad', false, 'another'],
    ] as const) {
      api.put(pod(name, revision, isReady, uid));
    }
    // The controller sees the restored object at once.
    api.before = (operation) => {
      const live = api.get(refOf(before));
      const isRestored = api.log.includes('replace StatefulSet/db');
      if (operation === 'read' && isRestored && live !== undefined) {
        live['status'] = { currentRevision: 'good', updateRevision: 'good' };
      }
    };
    const report = await run(api, [{ ref: refOf(before), before, after, done: true }]);
    expect(report.results).toMatchObject([{ outcome: 'restored' }]);
    expect(api.log.filter((line) => line.startsWith('delete'))).toEqual(['delete Pod/db-2']);
  });
});

describe('an object of a kind that the server has no more', () => {
  const gone = (api: FakeApi): JournalEntry[] => {
    const before = api.put(objectOf('example.com/v1', 'Widget', { spec: { size: 1 } }, { name: 'old' }));
    const after = api.put({ ...before, spec: { size: 2 } });
    const existed = { ref: refOf(before), before, after, done: true };
    const entries = [existed, created(api, objectOf('example.com/v1', 'Widget', {}, { name: 'new' }))];
    api.before = (_, { apiVersion, kind }) => {
      if (kind === 'Widget') throw new UnknownKind(apiVersion, kind, []);
    };
    return entries;
  };

  test('went with its kind where the run had made it, and is refused at once where it was there before', async () => {
    const api = new FakeApi();
    const clock = new HastyClock();
    const { results } = await undo(api, gone(api), { reporter, clock });
    expect(results.map(({ ref, outcome }) => `${ref.name} ${outcome}`).toSorted()).toEqual([
      'new untouched',
      'old refused',
    ]);
    expect(clock.sleeps).toEqual([]);
  });
});
