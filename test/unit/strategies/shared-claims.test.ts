import { describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { problemOf, sharedClaims } from '../../../src/strategies/shared-claims.ts';
import { live } from '../../support/rollout-objects.ts';

function mounting(name: string, ...claims: string[]): KubernetesObject {
  const volumes = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
  const spec = { template: { spec: { volumes: [...volumes, { name: 'tmp', emptyDir: {} }] } } };
  return live('Deployment', { metadata: { name, namespace: 'shop' }, spec });
}

const claim = (...accessModes: string[]) =>
  live('PersistentVolumeClaim', { apiVersion: 'v1', metadata: { name: 'data' }, spec: { accessModes } });

describe('a volume that two versions mount', () => {
  const [stable, candidate] = [mounting('web', 'data', 'logs'), mounting('web-canary', 'data', 'cache')];

  test('is known by its claim', () => {
    expect(sharedClaims(stable, candidate).map(({ namespace, name }) => `${namespace ?? ''}/${name}`)).toEqual([
      'shop/data',
    ]);
    expect(sharedClaims(mounting('web-blue', 'blue'), mounting('web-green', 'green'))).toEqual([]);
  });

  test.each([
    [['ReadWriteOnce'], 'warn'],
    [['ReadWriteOncePod'], 'refuse'],
    [['ReadWriteMany'], undefined],
    [['ReadWriteOnce', 'ReadWriteMany'], undefined],
    [['ReadOnlyMany'], undefined],
    [[], undefined],
  ])('with %j: %s', (modes, state) => {
    expect(problemOf(claim(...modes), stable, candidate)?.state).toBe(state);
  });
});
