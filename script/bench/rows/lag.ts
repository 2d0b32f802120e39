import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { deployment } from '../../../test/support/objects.ts';
import { createWorkspace, removeWorkspace } from '../../../test/support/workspace.ts';
import { firstComplete } from '../completion.ts';
import type { Row } from '../page.ts';
import { percentile } from '../statistics.ts';
import type { Tools } from '../tools.ts';
import { inTurns } from '../turns.ts';
import { deployByAction, deployByKubectl } from './deploy.ts';
import { filesOf } from './release.ts';

/** From the moment when the API shows the Deployment complete to the end of the process that waits for it. */
export async function lagRow(tools: Tools, client: KubernetesClient, pairs: number): Promise<Row> {
  const lags = { action: [] as number[], kubectl: [] as number[] };
  const workspace = createWorkspace(filesOf([deployment('web')]));
  const after = async (namespace: string, deploy: () => Promise<unknown>) => {
    const over = new AbortController();
    const complete = firstComplete(client, namespace, over.signal);
    try {
      await deploy();
      const ended = performance.now();
      return ended - (await complete);
    } finally {
      over.abort();
    }
  };
  try {
    for (let pair = 0; pair < pairs; pair += 1) {
      await inTurns(pair, [
        () =>
          tools.inNamespace(`bench-lag-${pair}-a`, async (namespace) => {
            const deploy = () => deployByAction(tools, { namespace, workspace, status: 'deployed' });
            lags.action.push(await after(namespace, deploy));
          }),
        () =>
          tools.inNamespace(`bench-lag-${pair}-k`, async (namespace) => {
            lags.kubectl.push(await after(namespace, () => deployByKubectl(tools, { namespace, workspace })));
          }),
      ]);
    }
  } finally {
    removeWorkspace(workspace);
  }
  const p95 = (values: readonly number[]) => percentile(values, 95).toFixed(0);
  console.log(`figure lag-p95-ms ${p95(lags.action)}`);
  const costs = (values: readonly number[]) => values.map((ms) => ({ ms, cpuSeconds: 0, peakMb: 0 }));
  return {
    work: 'lag from complete to exit',
    action: costs(lags.action),
    kubectl: costs(lags.kubectl),
    // kubectl's is about zero.
    noRatio: true,
    remarks: `from when the API first shows the Deployment complete until the tool exits; 95th percentile ${p95(lags.action)} ms, of kubectl ${p95(lags.kubectl)} ms`,
  };
}
