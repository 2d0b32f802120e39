import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { describeAbruptEnds } from '../../../src/traffic/endings.ts';
import { deployment, service } from '../../support/objects.ts';

function told(...objects: object[]): string[] {
  return describeAbruptEnds(objects as KubernetesObject[]);
}

const hook = { lifecycle: { preStop: { sleep: { seconds: 5 } } } };

describe('pods that end at once (kubernetes/kubernetes#106476)', () => {
  test('are named with their Service and the lines to write', () => {
    expect(told(deployment('web'), service('web'))).toEqual([
      expect.stringMatching(
        /^Deployment "web" behind Service "web" has no "preStop" hook: .* lifecycle: \{ preStop: \{ sleep: \{ seconds: 5 \} \} \}$/,
      ),
    ]);
  });

  test('are not named where a hook keeps them, where no Service leads to them, or where there are none', () => {
    expect(told(deployment('web', hook), service('web'))).toEqual([]);
    expect(told(deployment('web'), service('other'))).toEqual([]);
    expect(told(deployment('web', { replicas: 0 }), service('web'))).toEqual([]);
  });

  test('are named with a hook, too, when they have no time for it', () => {
    const abrupt = deployment('web', { ...hook, pod: { terminationGracePeriodSeconds: 0 } });
    expect(told(abrupt, service('web'))[0]).toContain('"terminationGracePeriodSeconds: 0"');
  });

  test('a hook of a sidecar without ports does not keep the container that answers', () => {
    const spec = {
      containers: [
        { name: 'web', ports: [{ containerPort: 8080 }] },
        { name: 'log', ...hook },
      ],
    };
    expect(told(deployment('web', { pod: spec }), service('web'))).toHaveLength(1);
  });
});
