/**
 * The action beside `kubectl apply --server-side` and `kubectl rollout status`, in pairs on one cluster in one run: only
 * the ratios mean something. Prints a table and lines `figure NAME VALUE`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { systemClock } from '../../src/base/clock.ts';
import type { KubernetesClient } from '../../src/kubernetes/client.ts';
import { connect } from '../../src/kubernetes/connection.ts';
import { createClient } from '../../src/kubernetes/http-client.ts';
import { down, up } from '../../test/cluster/cluster.ts';
import { configMap, deployment, service } from '../../test/support/objects.ts';
import { Step, type StepResult } from '../../test/support/step.ts';
import { createWorkspace, removeWorkspace } from '../../test/support/workspace.ts';
import { firstComplete } from './completion.ts';
import { crowd } from './crowd.ts';
import { median, percentile, ratioOf } from './statistics.ts';

const { values: options } = parseArgs({
  options: {
    pairs: { type: 'string', default: '5' },
    /** Pairs of the row about the lag: a 95th percentile needs more of them. */
    lags: { type: 'string', default: '20' },
    /** Foreign pods in the crowded namespace. */
    crowd: { type: 'string', default: '5000' },
    rows: { type: 'string', default: 'start,1,10,200,lag,crowd' },
    cluster: { type: 'string', default: 'bench' },
    keep: { type: 'boolean', default: false },
  },
});
const pairs = Number(options.pairs);
const rows: string[][] = [];

const work: Record<string, () => Promise<void>> = {
  start,
  '1': () => deployOf(1),
  '10': () => deployOf(10),
  '200': () => deployOf(200),
  lag,
  crowd: crowded,
};
const wanted = options.rows.split(',');
const unknown = wanted.find((row) => work[row] === undefined);
if (unknown !== undefined) throw new Error(`no row "${unknown}"; there are ${Object.keys(work).join(', ')}`);

const cluster = await up(options.cluster);
try {
  for (const row of wanted) await work[row]?.();
} finally {
  if (!options.keep) await down(options.cluster);
}
console.log('');
const header = ['work', 'action', 'kubectl', 'ratio (median, from to)', 'remarks', 'load'];
for (const row of [header, header.map(() => '---'), ...rows]) console.log(`| ${row.join(' | ')} |`);

/** From the start of the process to its first connection. */
async function start(): Promise<void> {
  const action: number[] = [];
  const kubectl: number[] = [];
  for (let pair = 0; pair < pairs; pair += 1) {
    action.push(
      await firstConnection((kubeconfig) => [
        process.execPath,
        [join(import.meta.dirname, '../../dist/index.js')],
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
    const kubectl = () => kubectlDeploy(namespaces.kubectl, workspace);
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

/** From the moment when the API shows the Deployment complete to the end of the process that waits for it. */
async function lag(): Promise<void> {
  const action: number[] = [];
  const kubectl: number[] = [];
  const workspace = createWorkspace({ 'app.yaml': [deployment('web')] });
  await withClient(async (client) => {
    for (let pair = 0; pair < Number(options.lags); pair += 1) {
      const namespaces = { action: `lag-a${pair}`, kubectl: `lag-k${pair}` };
      for (const name of Object.values(namespaces)) await cluster.kubectl(['create', 'namespace', name]);
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
      const inputs = { kubeconfig: cluster.kubeconfig, namespace: namespaces.action, release: 'bench' };
      action.push(
        await after(namespaces.action, () => step({ ...inputs, manifests: 'app.yaml' }, workspace, 'deployed', [])),
      );
      kubectl.push(await after(namespaces.kubectl, () => kubectlDeploy(namespaces.kubectl, workspace)));
      for (const name of Object.values(namespaces))
        await cluster.kubectl(['delete', 'namespace', name, '--wait=false']);
    }
  });
  removeWorkspace(workspace);
  const p95 = (values: readonly number[]) => percentile(values, 95).toFixed(0);
  // kubectl's is about zero, so that a ratio would say nothing.
  rows.push([
    'lag from complete to exit',
    `${median(action).toFixed(0)} ms`,
    `${median(kubectl).toFixed(0)} ms`,
    '',
    `p95 ${p95(action)} ms, kubectl ${p95(kubectl)} ms`,
    load(),
  ]);
  console.log(`figure lag-p95-ms ${p95(action)}`);
}

/** Beside thousands of pods of somebody else; both tools in the same namespace, with a Deployment of their own. */
async function crowded(): Promise<void> {
  const namespace = 'crowded';
  const peaks: number[] = [];
  const first = { action: [] as number[], kubectl: [] as number[] };
  const again = { action: [] as number[], kubectl: [] as number[] };
  await cluster.kubectl(['create', 'namespace', namespace]);
  try {
    await withClient(async (client) => {
      await cluster.kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', namespace, '--timeout=60s']);
      await crowd(client, namespace, Number(options.crowd));
    });
    for (let pair = 0; pair < pairs; pair += 1) {
      const names = { action: `a${pair}`, kubectl: `k${pair}` };
      const workspace = createWorkspace({
        'app.yaml': [deployment(names.action)],
        'k.yaml': [deployment(names.kubectl)],
      });
      const inputs = { kubeconfig: cluster.kubeconfig, namespace, release: names.action, manifests: 'app.yaml' };
      for (const [times, status] of [
        [first, 'deployed'],
        [again, 'unchanged'],
      ] as const) {
        times.action.push((await step(inputs, workspace, status, peaks)).durationMs);
        times.kubectl.push(await kubectlDeploy(namespace, workspace, 'k.yaml', names.kubectl));
      }
      removeWorkspace(workspace);
    }
  } finally {
    await cluster.kubectl(['delete', 'namespace', namespace, '--wait=true', '--timeout=300s']);
  }
  const peak = Math.max(...peaks);
  const among = `among ${options.crowd} pods`;
  report(`deploy of 1 ${among}, first time`, first.action, first.kubectl, `peak ${peak.toFixed(0)} MB`);
  report(`deploy of 1 ${among}, unchanged`, again.action, again.kubectl, '');
  console.log(`figure crowded-peak-mb ${peak.toFixed(0)}`);
}

async function withClient(use: (client: KubernetesClient) => Promise<void>): Promise<void> {
  const connection = await connect({ kubeconfig: cluster.kubeconfig, cwd: '/', env: {} });
  const client = createClient(connection, { clock: systemClock, userAgent: 'gke-rollout-bench' });
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

/** Milliseconds. */
async function kubectlDeploy(
  namespace: string,
  workspace: string,
  manifests = 'app.yaml',
  name = 'web',
): Promise<number> {
  const from = performance.now();
  await cluster.kubectl(['apply', '--server-side', '-n', namespace, '-f', join(workspace, manifests)]);
  await cluster.kubectl(['rollout', 'status', `deployment/${name}`, '-n', namespace]);
  return performance.now() - from;
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
  const ratio = ratioOf(action, kubectl);
  const text = `${ratio.median.toFixed(2)} (${ratio.least.toFixed(2)} to ${ratio.most.toFixed(2)})`;
  rows.push([work, `${median(action).toFixed(0)} ms`, `${median(kubectl).toFixed(0)} ms`, text, remarks, load()]);
  console.log(`figure ${work.replaceAll(/[^a-z0-9]+/g, '-')}-ratio ${ratio.median.toFixed(2)}`);
}

/** Runnable processes over the last minute: what else the machine has to do. */
function load(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
