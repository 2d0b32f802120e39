import { expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { changesIn } from '../../../src/commands/changes.ts';
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
