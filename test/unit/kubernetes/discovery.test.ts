import { expect, test } from '@jest/globals';

import { scriptedServer, status } from '../../support/scripted-server.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import { clientOf, connectionTo } from './clients.ts';

test('two requests tell all kinds, however many ask at once', async () => {
  await using fixture = await clientOf(() => ({ json: {} }));
  const found = await Promise.all(
    ['Deployment', 'Deployment', 'StatefulSet'].map((kind) => fixture.client.resource('apps/v1', kind)),
  );
  expect(found.map((resource) => resource?.plural)).toEqual(['deployments', 'deployments', undefined]);
  expect(fixture.client.requestCounts.get('GET')).toBe(2);
});

test('it is asked again only after it was told to forget', async () => {
  await using fixture = await clientOf(() => ({ json: {} }));
  await fixture.client.resources();
  fixture.client.forgetDiscovery();
  await fixture.client.resources();
  expect(fixture.client.requestCounts.get('GET')).toBe(4);
});

test('an API server behind the API server that is down spoils no other kind', async () => {
  await using fixture = await clientOf(() => ({ json: {} }));
  await expect(fixture.client.resource('apps/v1', 'Deployment')).resolves.toBeDefined();
  await expect(fixture.client.resource('metrics.k8s.io/v1beta1', 'PodMetrics')).rejects.toThrow(
    'cannot tell whether the cluster serves kind "PodMetrics": the API server of "metrics.k8s.io/v1beta1" is down',
  );
});

test('a kind that is not served is answered with what was probably meant', async () => {
  await using fixture = await clientOf(() => ({ json: {} }));
  const read = (apiVersion: string, kind: string) =>
    fixture.client.read({ apiVersion, kind, name: 'a', namespace: 'b' });
  await expect(read('apps/v1', 'Deploymnt')).rejects.toMatchObject({ hint: 'Did you mean kind "Deployment"?' });
  await expect(read('extensions/v1beta1', 'Deployment')).rejects.toMatchObject({
    message: 'the cluster does not serve kind "Deployment" in apiVersion "extensions/v1beta1"',
    hint: 'It serves this kind as apiVersion "apps/v1": use that.',
  });
});

test('a server without aggregated discovery is asked group by group, preferred versions first', async () => {
  await using server = await scriptedServer(({ path }) => {
    const kinds = (kind: string) => ({
      json: {
        kind: 'APIResourceList',
        resources: [
          { name: `${kind.toLowerCase()}s`, kind, namespaced: true, verbs: ['get'] },
          { name: `${kind.toLowerCase()}s/status`, kind, namespaced: true, verbs: ['get'] },
        ],
      },
    });
    switch (path) {
      case '/api':
        return { json: { kind: 'APIVersions', versions: ['v1'] } };
      case '/apis':
        return {
          json: {
            kind: 'APIGroupList',
            groups: [
              {
                name: 'apps',
                versions: [{ version: 'v1beta1' }, { version: 'v1' }],
                preferredVersion: { version: 'v1' },
              },
              { name: 'broken.io', versions: [{ version: 'v1' }], preferredVersion: { version: 'v1' } },
            ],
          },
        };
      case '/apis/broken.io/v1':
        return status(503, 'ServiceUnavailable');
      default:
        return kinds(path === '/api/v1' ? 'Pod' : 'Deployment');
    }
  });
  const clock = new HastyClock();
  const client = createClient(await connectionTo(server.url, clock), { clock, userAgent: 'test' });
  const resources = await client.resources();
  expect(resources.map(({ group, version, plural }) => `${group}/${version} ${plural}`)).toEqual([
    '/v1 pods',
    'apps/v1 deployments',
    'apps/v1beta1 deployments',
  ]);
  await expect(client.resource('broken.io/v1', 'Thing')).rejects.toThrow(/is down/);
  await client.close();
});

test('a discovery that failed is tried again by the next call', async () => {
  let down = true;
  await using server = await scriptedServer(({ path }) =>
    down ? status(403, 'Forbidden') : { json: { kind: 'APIGroupDiscoveryList', items: path === '/api' ? [] : [] } },
  );
  const clock = new HastyClock();
  const client = createClient(await connectionTo(server.url, clock), { clock, userAgent: 'test' });
  await expect(client.resources()).rejects.toMatchObject({ status: 403 });
  down = false;
  await expect(client.resources()).resolves.toEqual([]);
  await client.close();
});
