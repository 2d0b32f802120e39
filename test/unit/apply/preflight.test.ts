import { describe, expect, test } from '@jest/globals';

import { Failures } from '../../../src/base/errors.ts';
import type { ObjectRef } from '../../../src/kubernetes/object.ts';
import { hashIn, newHashKey, withConfigHashes } from '../../../src/manifests/config-hash.ts';
import { changedInCluster } from '../../../src/apply/owned-change.ts';
import { preflight } from '../../../src/apply/preflight.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { frozen } from '../../support/frozen.ts';
import { configMap, fields, manifestOf, objectOf, owner, updater } from '../release/build.ts';

const options = { force: false, newNamespaces: new Set<string>() };
const ours = [owner(fields('data', 'a'))];

async function failureOf(api: FakeApi, ...manifests: ReturnType<typeof manifestOf>[]) {
  const error: unknown = await preflight(api, manifests, options).catch((reason: unknown) => reason);
  return error instanceof Failures ? error.all : [error];
}

describe('the preflight', () => {
  test('asks nothing of the server about an object that is as the manifest wants it', async () => {
    const api = new FakeApi();
    api.put(configMap({ a: '1' }, { managedFields: ours }));
    const [prepared] = await preflight(api, [manifestOf(configMap({ a: '1' }))], options);
    expect(prepared?.change).toBe('unchanged');
    expect(api.log.filter((line) => line.includes('ConfigMap'))).toEqual(['read ConfigMap/a']);
  });

  test('reads many objects of a kind with one request', async () => {
    const api = new FakeApi();
    const all = Array.from({ length: 50 }, (_, index) =>
      configMap({ a: '1' }, { name: `c${index}`, managedFields: ours }),
    );
    for (const object of all) api.put(object);
    const manifests = all.map(({ metadata }) => manifestOf(configMap({ a: '1' }, { name: metadata.name })));
    const prepared = await preflight(api, manifests, options);
    expect(prepared.every(({ change }) => change === 'unchanged')).toBe(true);
    expect(api.log.filter((line) => line.includes('ConfigMap'))).toEqual(['list ConfigMap/*']);
  });

  test('reads them one by one where listing is not allowed', async () => {
    const api = new FakeApi();
    const all = Array.from({ length: 5 }, (_, index) =>
      configMap({ a: '1' }, { name: `c${index}`, managedFields: ours }),
    );
    for (const object of all) api.put(object);
    api.before = (operation, ref) => {
      if (operation === 'list') throw refusal(403, 'Forbidden', ref);
    };
    const manifests = all.map(({ metadata }) => manifestOf(configMap({ a: '1' }, { name: metadata.name })));
    expect((await preflight(api, manifests, options)).every(({ live }) => live !== undefined)).toBe(true);
  });

  test('names every problem of every object at its place', async () => {
    const api = new FakeApi();
    const invalid = (ref: ObjectRef) =>
      refusal(422, 'Invalid', ref, {
        details: {
          causes: [
            { field: 'data.a', message: 'is wrong' },
            { field: 'data.b', message: 'is wrong too' },
          ],
        },
      });
    api.before = (operation, ref) => {
      if (operation === 'apply') throw invalid(ref);
    };
    const problems = await failureOf(
      api,
      manifestOf(configMap({}, { name: 'x' })),
      manifestOf(configMap({}, { name: 'y' })),
    );
    expect(problems).toMatchObject([
      { message: expect.stringContaining('"x": data.a'), location: { file: 'data.a.yaml' } },
      { message: expect.stringContaining('"x": data.b') },
      { message: expect.stringContaining('"y": data.a') },
      { message: expect.stringContaining('"y": data.b') },
    ]);
  });

  test('names the manager and the field of a conflict', async () => {
    const api = new FakeApi();
    api.before = (operation, ref) => {
      if (operation !== 'apply') return;
      const causes = [{ reason: 'FieldManagerConflict', field: '.data.a', message: 'conflict with "helm" using v1' }];
      throw refusal(409, 'Conflict', ref, { details: { causes } });
    };
    const [problem] = await failureOf(api, manifestOf(configMap({ a: '1' })));
    expect(problem).toMatchObject({
      message: expect.stringMatching(/"a".*\.data\.a.*"helm"/),
      hint: expect.stringContaining('force-conflicts: true'),
      location: { file: 'data.a.yaml' },
    });
  });

  test('takes no webhook without dry runs for a problem of the manifest', async () => {
    const api = new FakeApi();
    api.before = (operation, ref) => {
      if (operation === 'apply')
        throw refusal(400, 'BadRequest', ref, { message: 'admission webhook "w" does not support dry run' });
    };
    expect(await preflight(api, [manifestOf(configMap({}))], options)).toMatchObject([
      { change: 'created', predicted: undefined },
    ]);
  });

  test.each(['0', '1'])(
    'an object that is about to vanish does not count as there (helm#12000): data a is %s',
    async (a) => {
      const api = new FakeApi();
      const live = configMap({ a: '1' }, { managedFields: ours });
      Object.assign(live.metadata, { deletionTimestamp: '2026-01-01T00:00:00Z', finalizers: ['example.com/hold'] });
      api.put(live);
      expect(await failureOf(api, manifestOf(configMap({ a })))).toMatchObject([
        {
          message:
            'ConfigMap "a" in namespace "shop" has been terminating since 2026-01-01T00:00:00Z, held up by finalizer "example.com/hold"',
          location: { line: 1 },
        },
      ]);
    },
  );

  test('tries an object of a namespace that is not there yet in another one, and forgives what that one says', async () => {
    const api = new FakeApi();
    const manifest = manifestOf(objectOf('v1', 'Pod', {}, {}));
    const within = { ...options, newNamespaces: new Set(['shop']) };
    const seen: (string | undefined)[] = [];
    api.before = (operation, ref) => {
      if (operation !== 'apply') return;
      seen.push(ref.namespace);
      throw refusal(403, 'Forbidden', ref, { message: 'exceeded quota' });
    };
    expect(await preflight(api, [manifest], within)).toMatchObject([{ change: 'created' }]);
    expect(seen).toEqual(['default']);
  });
});

describe('the hash of config in pod templates', () => {
  const key = newHashKey();
  const reading = (image: string) =>
    objectOf(
      'apps/v1',
      'Deployment',
      {
        spec: {
          template: { spec: { containers: [{ image, envFrom: [{ configMapRef: { name: 'settings' } }] }] } },
        },
      },
      { name: 'web' },
    );
  const settings = (value: string) => configMap({ a: value }, { name: 'settings' });

  /** What comes of these manifests where version `v1` runs that has read `one`, without a hash. */
  async function prepare(image: string, value: string, more: object = {}) {
    const api = new FakeApi();
    api.put(reading('v1'));
    api.put(settings('one'));
    const manifests = withConfigHashes([manifestOf(reading(image)), manifestOf(settings(value))], key);
    const prepared = await preflight(api, manifests, { ...options, restartOnConfig: true, ...more });
    expect(prepared.map(({ manifest }) => manifest.object.kind)).toEqual(['Deployment', 'ConfigMap']);
    const [workload] = prepared;
    return { hash: hashIn(workload?.manifest.object), config: workload?.config };
  }

  test('is added when config changes that the pods read, and then only', async () => {
    expect(await prepare('v1', 'one')).toEqual({ hash: undefined, config: undefined });
    const reads = ['ConfigMap "settings"'];
    expect(await prepare('v1', 'two')).toMatchObject({ hash: expect.any(String), config: { state: 'renewed', reads } });
    expect(await prepare('v1', 'two', { restartOnConfig: false })).toMatchObject({
      hash: undefined,
      config: { state: 'left', reads, because: 'input' },
    });
  });

  test('comes along when the template changes anyhow, also where pods are not to be replaced for it', async () => {
    expect(await prepare('v2', 'one')).toMatchObject({ hash: expect.any(String) });
    const changed = await prepare('v2', 'two', { restartOnConfig: false });
    expect(changed).toMatchObject({ hash: expect.any(String) });
    expect(changed.config).toBeUndefined();
  });
});

describe('a part of an object that somebody else has made', () => {
  const made = updater('kubectl-client-side-apply', { 'f:data': { 'f:a': {}, 'f:b': {} } });

  test('is tried as it is, and takes nothing over: what it does not state would go', async () => {
    const api = new FakeApi();
    const live = api.put(configMap({ a: '1', b: '1' }, { managedFields: [made] }));
    const part = changedInCluster(live, ['data', 'a'], '2');
    const [prepared] = await preflight(api, [part], { ...options, claims: [['data']] });
    expect(part.object['data']).toEqual({ a: '2' });
    expect(prepared).toMatchObject({ change: 'configured', takeover: false, force: true });
    expect(prepared?.claims).toBeUndefined();
  });

  test('may leave out a field that it stated until now, and keeps all else that it states', async () => {
    const api = new FakeApi();
    const own = { 'f:data': { 'f:a': {}, 'f:b': {} } };
    const live = api.put(configMap({ a: '1', b: '2', c: '3' }, { managedFields: [owner(own)] }));
    const part = changedInCluster(live, ['data', 'a'], undefined);
    expect(part.object['data']).toEqual({ b: '2' });
    const [prepared] = await preflight(api, [part], options);
    expect(prepared).toMatchObject({ change: 'configured', force: true });
    expect(changedInCluster(live, ['immutable', 'never'], undefined).object['immutable']).toBeUndefined();
  });

  test('is unchanged where the field has its value already, whoever owns it', async () => {
    const api = new FakeApi();
    const live = api.put(configMap({ a: '1' }, { managedFields: [made] }));
    const [prepared] = await preflight(api, [changedInCluster(live, ['data', 'a'], '1')], options);
    expect(prepared).toMatchObject({ change: 'unchanged', takeover: false });
  });
});

test('what is looked at stays as it is, also where an autoscaler decides about the number of pods', async () => {
  const api = new FakeApi();
  const scaler = updater('kube-controller-manager', fields('spec', 'replicas'), { subresource: 'scale' });
  const metadata = { name: 'web', managedFields: [owner(fields('spec', 'paused')), scaler] };
  api.put(objectOf('apps/v1', 'Deployment', { spec: { replicas: 9 } }, metadata));
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  const manifests = frozen([
    manifestOf(objectOf('apps/v1', 'Deployment', { spec: { replicas: 3, paused: true } }, { name: 'web' })),
    manifestOf(
      objectOf('autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { scaleTargetRef: target } }, { name: 'web' }),
    ),
  ]);
  const [prepared] = await preflight(api, manifests, options);
  expect(prepared?.manifest.object['spec']).toEqual({ paused: true });
  expect(manifests[0]?.object['spec']).toEqual({ replicas: 3, paused: true });
});
