import { expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { changesIn } from '../../../src/commands/changes.ts';
import { nameChanges } from '../../../src/report/headline.ts';
import { compared } from '../strategies/plan-lines.ts';

const rayService = (image: string): KubernetesObject => {
  const template = (name: string): JsonObject => ({ spec: { containers: [{ name, image }] } });
  return {
    apiVersion: 'ray.io/v1',
    kind: 'RayService',
    metadata: { name: 'llm', namespace: 'shop' },
    spec: {
      rayClusterConfig: {
        headGroupSpec: { template: template('ray-head') },
        workerGroupSpecs: [{ groupName: 'gpu', template: template('ray-worker') }],
      },
    },
  };
};

test('a heading names the images of each pod of a custom resource', () => {
  const [before, after] = [rayService('r.test/ray:1'), rayService('r.test/ray:2')];
  const images = { is: 'image', workload: 'llm', before: 'r.test/ray:1', after: 'r.test/ray:2' };
  expect(changesIn([compared(after, before)])).toStrictEqual([
    { ...images, container: 'head/ray-head' },
    { ...images, container: 'gpu/ray-worker' },
  ]);
  expect(changesIn([compared(after, null)])).toStrictEqual([{ is: 'new', workload: 'llm', image: 'r.test/ray:2' }]);
});

/** A workload in a version, with its pods' containers by name; all that is named runs it. */
const model = (version: string, { init = 'v1', sidecar = 'v1' } = {}): KubernetesObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'model', namespace: 'shop' },
  spec: {
    template: {
      spec: {
        initContainers: [{ name: 'download-weights', image: `r.test/weights:${init}` }],
        containers: [
          { name: 'logs', image: `r.test/logs:${sidecar}` },
          { name: 'server', image: `r.test/model:${version}`, ports: [{ containerPort: 8080 }] },
        ],
      },
    },
  },
});

test('a heading names what serves, and init containers and sidecars only when nothing else changes', () => {
  const before = model('1.0.0');
  const told = (after: KubernetesObject) => nameChanges(changesIn([compared(after, before)]));
  expect(told(model('2.0.0', { init: 'v2', sidecar: 'v2' }))).toBe('model 1.0.0 → 2.0.0');
  expect(told(model('1.0.0', { init: 'v2', sidecar: 'v2' }))).toBe('model/logs v1 → v2');
  expect(told(model('1.0.0', { init: 'v2' }))).toBe('model/download-weights v1 → v2');
  expect(nameChanges(changesIn([compared(before, null)]))).toBe('model 1.0.0 (new)');
});
