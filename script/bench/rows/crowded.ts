import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { deployment } from '../../../test/support/objects.ts';
import { createWorkspace, removeWorkspace } from '../../../test/support/workspace.ts';
import { crowd } from '../crowd.ts';
import type { Row } from '../page.ts';
import type { Tools } from '../tools.ts';
import { inTurns } from '../turns.ts';
import { deployByKubectl, emptyRow, requestsIn, withoutEmpty } from './deploy.ts';

/** Beside thousands of pods of somebody else; both tools in the same namespace, with a Deployment of their own. */
export async function crowdedRows(
  tools: Tools,
  client: KubernetesClient,
  count: number,
  pairs: number,
): Promise<Row[]> {
  const first = emptyRow(`deploy of 1 among ${count} pods, first time`);
  const again = emptyRow(`deploy of 1 among ${count} pods, unchanged`);
  await tools.inNamespace('bench-crowded', async (namespace) => {
    await crowd(client, namespace, count);
    for (let pair = 0; pair < pairs; pair += 1) {
      const names = { action: `a${pair}`, kubectl: `k${pair}` };
      const workspace = createWorkspace({
        'v1.yaml': [deployment(names.action)],
        'v2.yaml': [deployment(names.kubectl)],
      });
      const inputs = { namespace, release: names.action, manifests: 'v1.yaml' };
      for (const [row, status] of [
        [first, 'deployed'],
        [again, 'unchanged'],
      ] as const) {
        await inTurns(pair, [
          async () => {
            const { cost, result } = await tools.action(inputs, status, { workspace });
            row.action.push(cost);
            row.requests = requestsIn(result.log);
          },
          async () => {
            const deploying = { namespace, workspace, version: '2', name: names.kubectl };
            row.kubectl.push(await deployByKubectl(tools, deploying));
          },
        ]);
      }
      removeWorkspace(workspace);
    }
  });
  return [first, again].map(withoutEmpty);
}
