import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { down, up, type Cluster } from '../../cluster/cluster.ts';
import { waitUntil } from '../../cluster/run.ts';
import { ApiServer } from '../../support/api-server.ts';
import { figure } from '../../support/figure.ts';
import { shareOf } from '../../support/share.ts';
import { actionsOf, strategies, type Strategy } from './actions.ts';
import { referenceOf, tryPoint, type PointResult } from './point.ts';

/** Nobody else may be at work where parts of the cluster are restarted: it is one of its own. */
const name = 'faults';
const patienceMs = 1_200_000;
const readyMs = 120_000;
const limits = { timeout: 120, undoTimeout: 120 };

/** Parts of the control plane and of the node, and how each of them goes away. */
const restarts = [
  ['kill', 'etcd'],
  ['restart', 'kube-apiserver'],
  ['kill', 'kube-apiserver'],
  ['kill', 'kube-controller-manager'],
  ['kill', 'kube-scheduler'],
  ['kill', 'kubelet'],
  ['restart', 'kube-proxy'],
] as const;

const places = (Object.keys(strategies) as Strategy[]).flatMap((strategy) =>
  shareOf(
    restarts.map(([how, part]) => ({ strategy, how, part })),
    ({ how, part }) => `${strategy} ${how} ${part}`,
    1,
  ),
);

let cluster: Cluster;
let api: ApiServer;
let given: string | undefined;
const results: PointResult[] = [];

beforeAll(async () => {
  cluster = await up(name);
  given = process.env['TEST_KUBECONFIG'];
  process.env['TEST_KUBECONFIG'] = cluster.kubeconfig;
  api = await ApiServer.ofTests();
}, patienceMs);

afterAll(async () => {
  api.close();
  if (given !== undefined) process.env['TEST_KUBECONFIG'] = given;
  await down(name);
  figure('fault-restarts', results.length);
  figure('fault-restarts-survived', results.filter(({ ended }) => ended === 'survived').length);
  figure('fault-restarts-wrong', results.filter(({ ended }) => ended === 'wrong').length);
}, patienceMs);

describe('a part of the cluster that goes away in the middle of a deploy and comes back', () => {
  test.each(places)(
    'leaves the old version or the new one as the run says: $strategy, $how $part',
    async ({ strategy, how, part }) => {
      const [action] = actionsOf(strategy);
      if (action === undefined) throw new Error(`there are no actions with ${strategy}`);
      const reference = await referenceOf(api, action);
      const happens = async () => {
        await cluster.part(how, part);
      };
      const fault = { name: `${how} ${part}`, lasts: 'for good' as const, happens };
      const result = await tryPoint(api, { action, phase: 'wait', fault, limits }, reference);
      results.push(result);
      expect(result.problems.length === 0 ? '' : `${result.problems.join('\n')}\n${result.log}`).toBe('');
      await waitUntil('the API server is ready again', readyMs, async () => (await api.get('/readyz')) === 'ok');
    },
    patienceMs,
  );
});
