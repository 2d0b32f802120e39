import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesClient, ListOptions } from '../../../src/kubernetes/client.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { podsSelectedBy } from '../../../src/traffic/pods.ts';
import { live } from '../../support/rollout-objects.ts';

/** The selectors by which the pods of a workload are asked for. */
async function selectorsFor(workload: KubernetesObject): Promise<(string | undefined)[]> {
  const asked: (string | undefined)[] = [];
  const client = {
    resource: () => Promise.resolve({}),
    list: (_: unknown, { labelSelector }: ListOptions) => {
      asked.push(labelSelector);
      return Promise.resolve({ items: [], resourceVersion: '1' });
    },
  } as unknown as KubernetesClient;
  await podsSelectedBy(client, workload);
  return asked;
}

describe('the pods of a workload are asked for', () => {
  test('by its labels', async () => {
    const selector = { matchLabels: { app: 'shop', tier: 'web' } };
    expect(await selectorsFor(live('Deployment', { spec: { selector } }))).toEqual(['app=shop,tier=web']);
  });

  test('of a ReplicationController by its flat selector', async () => {
    const controller = live('ReplicationController', { apiVersion: 'v1', spec: { selector: { app: 'shop' } } });
    expect(await selectorsFor(controller)).toEqual(['app=shop']);
  });

  test('by its expressions, too, also where it has no others', async () => {
    const matchExpressions = [
      { key: 'tier', operator: 'In', values: ['web', 'api'] },
      { key: 'track', operator: 'NotIn', values: ['canary'] },
      { key: 'app', operator: 'Exists' },
      { key: 'legacy', operator: 'DoesNotExist' },
    ];
    const terms = 'tier in (web,api),track notin (canary),app,!legacy';
    const of = (selector: JsonObject) => live('ReplicaSet', { spec: { selector } });
    expect(await selectorsFor(of({ matchExpressions }))).toEqual([terms]);
    expect(await selectorsFor(of({ matchLabels: { app: 'shop' }, matchExpressions }))).toEqual([`app=shop,${terms}`]);
  });

  test('not at all where it has no selector', async () => {
    expect(await selectorsFor(live('CronJob', { apiVersion: 'batch/v1' }))).toEqual([]);
  });
});
