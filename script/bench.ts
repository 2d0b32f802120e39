/**
 * The action beside `kubectl apply --server-side` and `kubectl rollout status`, in pairs on one cluster in one run: only
 * the ratios mean something. Prints a table and lines `figure NAME VALUE`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { down, up } from '../test/cluster/cluster.ts';
import { configMap, deployment, service } from '../test/support/objects.ts';
import { Step, type StepResult } from '../test/support/step.ts';
import { createWorkspace, removeWorkspace } from '../test/support/workspace.ts';

const { values: options } = parseArgs({
  options: { pairs: { type: 'string', default: '5' }, keep: { type: 'boolean', default: false } },
});
const pairs = Number(options.pairs);
const clusterName = 'bench';
const rows: string[][] = [];

const cluster = await up(clusterName);
try {
  await start();
  for (const count of [1, 10, 200]) await deployOf(count);
} finally {
  if (!options.keep) await down(clusterName);
}
console.log('');
const header = ['work', 'action', 'kubectl', 'ratio (median, from to)', 'remarks'];
for (const row of [header, header.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);

/** From the start of the process to its first connection. */
async function start(): Promise<void> {
  const action: number[] = [];
  const kubectl: number[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    action.push(
      await firstConnection((kubeconfig) => [
        process.execPath,
        [join(import.meta.dirname, '../dist/index.js')],
        { INPUT_KUBECONFIG: kubeconfig, INPUT_MANIFESTS: 'app.yaml' },
      ]),
    );
    kubectl.push(
      await firstConnection((kubeconfig) => [
        cluster.binaries['kubectl'] ?? '',
        ['--kubeconfig', kubeconfig, 'get', 'pods'],
        {},
      ]),
    );
  }
  report('start to first request', action, kubectl, '');
}

async function firstConnection(
  command: (kubeconfig: string) => [string, string[], Record<string, string>],
): Promise<number> {
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
  const elapsed = performance.now() - from;
  child.kill('SIGKILL');
  server.close();
  removeWorkspace(workspace);
  return elapsed;
}

/** A Deployment of one pod, a Service, and ConfigMaps up to `count` objects: first time, and the same again. */
async function deployOf(count: number): Promise<void> {
  const first = { action: [] as number[], kubectl: [] as number[] };
  const again = { action: [] as number[], kubectl: [] as number[] };
  const peaks: number[] = [];
  let requests = '';
  const objects = [
    ...(count > 2 ? [service('web')] : []),
    ...Array.from({ length: Math.max(0, count - 2) }, (_, index) =>
      configMap(`config-${index}`, { key: `value ${index}` }),
    ),
    deployment('web'),
  ];
  const workspace = createWorkspace({ 'app.yaml': objects });
  for (let pair = 0; pair < pairs; pair += 1) {
    const namespaces = { action: `a${count}-${pair}`, kubectl: `k${count}-${pair}` };
    for (const name of Object.values(namespaces)) await cluster.kubectl(['create', 'namespace', name]);
    const inputs = {
      kubeconfig: cluster.kubeconfig,
      namespace: namespaces.action,
      release: 'bench',
      manifests: 'app.yaml',
    };
    const kubectl = async () => {
      const from = performance.now();
      await cluster.kubectl(['apply', '--server-side', '-n', namespaces.kubectl, '-f', join(workspace, 'app.yaml')]);
      await cluster.kubectl(['rollout', 'status', 'deployment/web', '-n', namespaces.kubectl]);
      return performance.now() - from;
    };
    first.action.push((await step(inputs, workspace, 'deployed', peaks)).durationMs);
    first.kubectl.push(await kubectl());
    const unchanged = await step(inputs, workspace, 'unchanged', peaks);
    again.action.push(unchanged.durationMs);
    again.kubectl.push(await kubectl());
    requests = /requests: (?<counts>.*)/.exec(unchanged.log)?.groups?.['counts'] ?? '';
    for (const name of Object.values(namespaces)) await cluster.kubectl(['delete', 'namespace', name, '--wait=false']);
  }
  removeWorkspace(workspace);
  report(`deploy of ${count}, first time`, first.action, first.kubectl, `peak ${Math.max(...peaks).toFixed(0)} MB`);
  report(`deploy of ${count}, unchanged`, again.action, again.kubectl, requests);
}

async function step(
  inputs: Record<string, string>,
  workspace: string,
  status: string,
  peaks: number[],
): Promise<StepResult> {
  const running = new Step(inputs, { workspace });
  const sampling = setInterval(() => {
    const peak = running.pid === undefined ? undefined : peakOf(running.pid);
    if (peak !== undefined) peaks.push(peak);
  }, 20);
  const result = await running.main();
  clearInterval(sampling);
  running.dispose();
  if (result.outputs['status'] !== status) throw new Error(`expected ${status}:\n${result.log}`);
  return result;
}

/** The most memory that a process has had, in MB. */
function peakOf(pid: number): number | undefined {
  try {
    const kilobytes = /VmHWM:\s+(?<value>\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.groups?.['value'];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1024;
  } catch {
    return undefined;
  }
}

function report(work: string, action: readonly number[], kubectl: readonly number[], remarks: string): void {
  const ratios = action.map((value, index) => value / (kubectl[index] ?? 1)).sort((left, right) => left - right);
  const ratio = `${median(ratios).toFixed(2)} (${(ratios[0] ?? 0).toFixed(2)} to ${(ratios.at(-1) ?? 0).toFixed(2)})`;
  rows.push([work, `${median(action).toFixed(0)} ms`, `${median(kubectl).toFixed(0)} ms`, ratio, remarks]);
  console.log(`figure ${work.replaceAll(/[^a-z0-9]+/g, '-')}-ratio ${median(ratios).toFixed(2)}`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
