import { expect, test } from '@jest/globals';

import type { ListOptions, Resource } from '../../../src/kubernetes/client.ts';
import { readyEndpoints } from '../../../src/traffic/ready-endpoints.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { objectOf } from '../release/build.ts';

const service = objectOf('v1', 'Service', { spec: { selector: { app: 'web' } } }, { name: 'web' });
const pod = objectOf(
  'v1',
  'Pod',
  { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
  { name: 'web-1', labels: { app: 'web' } },
);

/** A cluster in which these may not be listed. */
class GuardedApi extends FakeApi {
  readonly #refused: readonly string[];

  constructor(...refused: string[]) {
    super();
    this.#refused = refused;
  }

  override async list(resource: Resource, options: ListOptions) {
    const { kind } = resource;
    if (this.#refused.includes(kind)) throw refusal(403, 'Forbidden', { apiVersion: 'v1', kind, name: '' });
    return await super.list(resource, options);
  }
}

test('without the right to see EndpointSlices the ready pods are counted', async () => {
  const api = new GuardedApi('EndpointSlice');
  api.put(pod);
  expect(await readyEndpoints(api, service)).toBe(1);
});

test('without the right to see pods either nothing is known, and nothing fails', async () => {
  expect(await readyEndpoints(new GuardedApi('EndpointSlice', 'Pod'), service)).toBeUndefined();
});
