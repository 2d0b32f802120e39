import { join } from 'node:path';

import { createWorkspace, removeWorkspace } from '../../../test/support/workspace.ts';
import { inTurn } from '../cost.ts';
import type { Row } from '../page.ts';
import type { Tools } from '../tools.ts';
import { inTurns } from '../turns.ts';
import { deployByAction, deployByHelm, deployByKubectl, emptyRow, requestsIn, withoutEmpty } from './deploy.ts';
import { releaseOf, twoVersions } from './release.ts';

/** Back from the second version to the first: all objects by the action and helm, the Deployment alone by kubectl. */
export async function rollbackRow(tools: Tools, count: number, pairs: number): Promise<Row> {
  const row = emptyRow(`rollback of ${count}`);
  const workspace = createWorkspace(twoVersions((version) => releaseOf(count, version)));
  const versions = ['1', '2'];
  const byAction = async (namespace: string) => {
    for (const version of versions) await deployByAction(tools, { namespace, workspace, version, status: 'deployed' });
    const inputs = { namespace, release: 'bench', command: 'rollback' };
    const { cost, result } = await tools.action(inputs, 'rolled-back', { workspace });
    row.action.push(cost);
    row.requests = requestsIn(result.log);
  };
  const byKubectl = async (namespace: string) => {
    for (const version of versions) await deployByKubectl(tools, { namespace, workspace, version });
    const undone = await tools.kubectl(['rollout', 'undo', 'deployment/web', '-n', namespace]);
    const waited = await tools.kubectl(['rollout', 'status', 'deployment/web', '-n', namespace]);
    row.kubectl.push(inTurn([undone, waited]));
  };
  const byHelm = async (namespace: string) => {
    for (const version of versions) await deployByHelm(tools, { namespace, workspace, version });
    const cost = await tools.helm(['rollback', 'bench', '1', '-n', namespace, '--wait']);
    if (cost !== undefined) row.helm.push(cost);
  };
  try {
    for (let pair = 0; pair < pairs; pair += 1) {
      await inTurns(pair, [
        () => tools.inNamespace(`bench-back-${pair}-a`, byAction),
        () => tools.inNamespace(`bench-back-${pair}-k`, byKubectl),
        ...(tools.hasHelm ? [() => tools.inNamespace(`bench-back-${pair}-h`, byHelm)] : []),
      ]);
    }
  } finally {
    removeWorkspace(workspace);
  }
  row.remarks =
    'kubectl is `rollout undo` and `rollout status`, which restore the Deployment only; helm is `rollback --wait`';
  return withoutEmpty(row);
}

/** What a changed release would do, beside `kubectl diff --server-side`; helm has nothing like it. */
export async function planRow(tools: Tools, count: number, pairs: number): Promise<Row> {
  const row = emptyRow(`plan of ${count}`);
  const workspace = createWorkspace(twoVersions((version) => releaseOf(count, version)));
  const byAction = async (namespace: string) => {
    const inputs = { namespace, release: 'bench', command: 'plan', manifests: 'v2.yaml' };
    const { cost, result } = await tools.action(inputs, 'planned', { workspace });
    row.action.push(cost);
    row.requests = requestsIn(result.log);
  };
  const byKubectl = async (namespace: string) => {
    const file = join(workspace, 'v2.yaml');
    const args = ['diff', '--server-side', '--force-conflicts', '-n', namespace, '-f', file];
    // 1: there are differences.
    row.kubectl.push(await tools.kubectl(args, [1]));
  };
  try {
    for (let pair = 0; pair < pairs; pair += 1) {
      await tools.inNamespace(`bench-plan-${count}-${pair}`, async (namespace) => {
        await deployByAction(tools, { namespace, workspace, status: 'deployed' });
        await inTurns(pair, [() => byAction(namespace), () => byKubectl(namespace)]);
      });
    }
  } finally {
    removeWorkspace(workspace);
  }
  row.remarks = 'kubectl is `diff --server-side`; all objects except the Service differ';
  return withoutEmpty(row);
}
