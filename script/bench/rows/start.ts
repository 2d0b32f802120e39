import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import { configMap } from '../../../test/support/objects.ts';
import { createWorkspace, removeWorkspace } from '../../../test/support/workspace.ts';
import { costOfProcess, type Cost } from '../cost.ts';
import type { Row } from '../page.ts';
import { inTurns } from '../turns.ts';

type Command = (kubeconfig: string) => [program: string, args: string[], env: Record<string, string>];

/** From the start of the process to its first connection. */
export async function startRow(kubectl: string, pairs: number): Promise<Row> {
  const entry = join(import.meta.dirname, '../../../dist/index.js');
  const costs = { action: [] as Cost[], kubectl: [] as Cost[] };
  const byAction: Command = (kubeconfig) => [
    process.execPath,
    [entry],
    { INPUT_KUBECONFIG: kubeconfig, INPUT_MANIFESTS: 'app.yaml' },
  ];
  const byKubectl: Command = (kubeconfig) => [kubectl, ['--kubeconfig', kubeconfig, 'get', 'pods'], {}];
  for (let pair = 0; pair < pairs; pair += 1) {
    await inTurns(pair, [
      async () => costs.action.push(await firstConnection(byAction)),
      async () => costs.kubectl.push(await firstConnection(byKubectl)),
    ]);
  }
  return {
    work: 'start to first request',
    ...costs,
    remarks: 'from the start of the process until it connects; kubectl is `get pods`',
  };
}

async function firstConnection(command: Command): Promise<Cost> {
  const server = createServer((socket) => socket.destroy());
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const workspace = createWorkspace({
    'app.yaml': [configMap('x', {})],
    kubeconfig: [
      {
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server: `http://127.0.0.1:${port}` } }],
        users: [{ name: 'u', user: {} }],
        contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'x',
      },
    ],
  });
  const [program, args, env] = command(join(workspace, 'kubeconfig'));
  const connected = once(server, 'connection');
  const from = performance.now();
  const child = spawn(program, args, {
    cwd: workspace,
    stdio: 'ignore',
    env: { PATH: process.env['PATH'] ?? '', HOME: workspace, GITHUB_WORKSPACE: workspace, ...env },
  });
  await connected;
  const ms = performance.now() - from;
  const proc = (file: string) => readFileSync(`/proc/${child.pid ?? 0}/${file}`, 'utf8');
  const cost = costOfProcess(proc('stat'), proc('status'), ms);
  child.kill('SIGKILL');
  server.close();
  removeWorkspace(workspace);
  return cost;
}
