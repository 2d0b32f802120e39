import { expect, test } from '@jest/globals';

import { untilRouted } from '../../../src/traffic/endpoints.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { service } from '../../support/objects.ts';
import { silentReporter as reporter } from '../../support/silent-reporter.ts';

const labels = { app: 'web' };

/** How long is waited for nodes to follow a new Service whose slices were written for a change of that age. */
async function settling(ageMs: number | undefined, pods = 1): Promise<number> {
  const api = new FakeApi();
  const clock = new HastyClock();
  const made = api.put({ ...service('web'), metadata: { name: 'web', namespace: 'shop' } });
  const names = Array.from({ length: pods }, (_, index) => `web-${index}`);
  for (const name of names) {
    const status = { conditions: [{ type: 'Ready', status: 'True' }] };
    api.put({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels }, status });
  }
  const time = ageMs === undefined ? undefined : new Date(clock.now() - ageMs).toISOString();
  api.put({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'web-x',
      namespace: 'shop',
      labels: { 'kubernetes.io/service-name': 'web' },
      annotations: time === undefined ? {} : { 'endpoints.kubernetes.io/last-change-trigger-time': time },
    },
    endpoints: names.map((name) => ({ conditions: { ready: true }, targetRef: { name } })),
  });
  let settleMs = Number.NaN;
  await untilRouted(api, [made], {
    clock,
    reporter,
    signal: new AbortController().signal,
    deadline: clock.now() + 60_000,
    isNew: true,
    onSettle: (ms) => {
      settleMs = ms;
    },
  });
  return settleMs;
}

test.each([
  ['just now', 0, 2000],
  ['a while ago', 3000, 1000],
  ['long ago', 60_000, 0],
  ['at a time that is not told', undefined, 2000],
])('nodes get two seconds to follow a new Service whose pods got ready %s', async (_, ageMs, expected) => {
  expect(await settling(ageMs)).toBe(expected);
});

test('there is nothing to follow where nobody is behind a Service', async () => {
  expect(await settling(0, 0)).toBe(0);
});
