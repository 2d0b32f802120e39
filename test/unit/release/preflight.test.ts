import { describe, expect, test } from '@jest/globals';

import { Failures } from '../../../src/base/errors.ts';
import type { ObjectRef } from '../../../src/kubernetes/object.ts';
import { preflight } from '../../../src/release/preflight.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { configMap, fields, manifestOf, objectOf, owner } from './build.ts';

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

  test('refuses to write to an object that is about to vanish', async () => {
    const api = new FakeApi();
    const live = configMap({});
    live.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    api.put(live);
    expect(await failureOf(api, manifestOf(configMap({ a: '1' })))).toMatchObject([
      { message: expect.stringContaining('is being deleted') },
    ]);
  });

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
