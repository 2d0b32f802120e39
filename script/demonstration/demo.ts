/**
 * The sample application through the packaged action on the embedded cluster, as a user would see it: first deploy, scale,
 * roll, and a broken image that is named and undone while requests go on; then canary and blue-green. Ends with exit code 1
 * when anything is not as it should be.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { down, up } from '../../test/cluster/cluster.ts';
import { run, waitUntil } from '../../test/cluster/run.ts';
import { Load } from '../../test/support/load.ts';
import { Step, runStep, type StepResult } from '../../test/support/step.ts';
import { answerOf, expect, expectNoneLost, headline, seconds, show, showInputs, type Stage } from './stage.ts';
import { tourOfStrategies } from './strategies.ts';
import { summaryPage } from '../summary/summary-page.ts';

const root = join(import.meta.dirname, '../..');
const output = join(root, 'demo-output');
const namespace = 'ctwoc';
const common = { namespace, release: 'ctwoc' };
const clusterName = 'demo';

const { values: options } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    'use-kubeconfig': { type: 'boolean', default: false },
  },
});

const workspace = mkdtempSync(join(tmpdir(), 'gke-rollout-demo-'));
const started = Date.now();
let stepNumber = 0;

try {
  const cluster = await prepare();
  const keep = (title: string, result: StepResult) => {
    stepNumber += 1;
    const name = `${stepNumber}-${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}`;
    writeFileSync(join(output, `${name}.md`), result.summary);
    writeFileSync(join(output, `${name}.html`), summaryPage(result.summary, false));
    return result;
  };
  const begin: Stage['begin'] = (title, inputs, stepOptions = {}) => {
    headline(title);
    showInputs(inputs);
    const step = new Step(
      { ...common, ...inputs, kubeconfig: cluster.kubeconfig },
      { workspace, onLine: show, ...stepOptions },
    );
    return { step, end: step.main().then((result) => keep(title, result)) };
  };
  const action: Stage['action'] = async (title, inputs, stepOptions = {}) => {
    headline(title);
    showInputs(inputs);
    const result = await runStep(
      { ...common, ...inputs, kubeconfig: cluster.kubeconfig },
      { workspace, onLine: show, ...stepOptions },
    );
    return keep(title, result);
  };
  const stage: Stage = { action, begin, kubectl: cluster.kubectl, namespace, workspace };
  const address = await tour(stage, cluster);
  await tourOfStrategies(stage, address);
  console.log(`\nThe job summaries lie in demo-output/. All as it should be, after ${seconds(started)}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(workspace, { recursive: true, force: true });
  if (!options.keep && !options['use-kubeconfig']) await down(clusterName);
}

interface DemoCluster {
  kubeconfig: string;
  kubectl: (args: readonly string[]) => Promise<string>;
}

/** Answers the external address of the frontend. */
async function tour({ action }: Stage, cluster: DemoCluster): Promise<string> {
  const { kubectl } = cluster;
  const application = {
    manifests: 'deployments/\nservices/',
    configmaps: 'frontend-config=config/frontend.conf',
    secrets: 'tls-certs=tls/tls.crt,tls/tls.key',
  };
  const podsOf = async (name: string) => {
    const names = await kubectl([
      'get',
      'pods',
      '-n',
      namespace,
      '-l',
      `app=ctwoc,role=${name}`,
      '--field-selector=status.phase=Running',
      '-o',
      'name',
    ]);
    return names.split('\n').filter((line) => line !== '').length;
  };

  /** Pods of an older version, or too many, still end for some seconds after a command has ended. */
  const expectPods = async (count: number) => {
    await waitUntil(`${count} pods of ctwoc`, 30_000, async () => (await podsOf('ctwoc')) === count);
    expect('running pods of ctwoc', await podsOf('ctwoc'), count);
  };

  const first = await action('First deploy of 1.0.0', {
    ...application,
    'image-tag': '1.0.0',
    'create-namespace': 'true',
  });
  expect('the step succeeded', first.exit, 0);
  expect('its status', first.outputs['status'], 'deployed');
  const address = first.outputs['external-ip'] ?? '';
  const get = async (path: string) => (await answerOf(`http://${address}${path}`)).text;
  // A new address is known a moment before the node passes packets on to it.
  await waitUntil('the new addresses answer', 60_000, async () => (await get('/ctwoc/version')) === '1.0.0');
  expect(`http://${address}/version`, await get('/version'), '1.0.0');
  expect(`http://${address}/ctwoc/version`, await get('/ctwoc/version'), '1.0.0');

  await action('Scale to 3', { command: 'scale', replicas: 'ctwoc=3' });
  await expectPods(3);
  await action('Scale to 5', { command: 'scale', replicas: 'ctwoc=5' });
  await expectPods(5);
  await action('Scale back to 3', { command: 'scale', replicas: 'ctwoc=3' });
  await expectPods(3);

  const load = new Load(`http://${address}/version`, 50);
  const second = await action('Roll to 2.0.0', { ...application, 'image-tag': '2.0.0', replicas: 'ctwoc=3' });
  expect('its status', second.outputs['status'], 'deployed');
  expect(`http://${address}/version`, await get('/version'), '2.0.0');

  const broken = await action('A broken image', {
    ...application,
    images: 'registry.test/ctwoc=registry.test/pulled/ctwoc:9.9.9',
    replicas: 'ctwoc=3',
  });
  const requests = await load.stop();
  expect('the step failed', broken.exit, 1);
  expect('its status', broken.outputs['status'], 'undone');
  const failure = JSON.parse(broken.outputs['failure'] ?? '{}') as { message?: string; namedAfterSeconds?: number };
  console.log(`  cause: ${failure.message ?? ''}`);
  const named = failure.namedAfterSeconds ?? Number.POSITIVE_INFINITY;
  console.log(`figure cause-named-after-seconds ${named}`);
  expect('the cause was named within 15 s of the first pull error', named <= 15, true);
  expect(`http://${address}/version`, await get('/version'), '2.0.0');
  expectNoneLost('', requests);

  const empty = mkdtempSync(join(tmpdir(), 'gke-rollout-empty-'));
  const onCall = { workspace: empty };
  const field = (path: string) => kubectl(['get', 'deployment', 'ctwoc', '-n', namespace, '-o', `jsonpath={${path}}`]);
  headline('Roll to 3.0.0, which is paused half-way');
  const slow = new Step(
    { ...application, ...common, 'image-tag': '3.0.0', replicas: 'ctwoc=3', kubeconfig: cluster.kubeconfig },
    { workspace },
  );
  const rolling = slow.main();
  await waitUntil('the roll has begun', 60_000, async () => {
    const image = await field('.spec.template.spec.containers[0].image');
    return image.endsWith(':3.0.0') && (await field('.status.updatedReplicas')) === '1';
  });
  expect('pausing', (await action('Pause', { command: 'pause' }, onCall)).outputs['status'], 'paused');
  const during = await action('Status while it is paused', { command: 'status' }, onCall);
  expect('reporting', during.outputs['status'], 'reported');
  expect('resuming', (await action('Resume', { command: 'resume' }, onCall)).outputs['status'], 'resumed');
  expect('the roll went on to its end', (await rolling).outputs['status'], 'deployed');
  slow.dispose();
  expect(`http://${address}/version`, await get('/version'), '3.0.0');
  await expectPods(3);

  const target = { command: 'rollback', 'to-revision': '1' };
  const back = await action('Roll back to 1.0.0 from an empty folder', target, onCall);
  expect('its status', back.outputs['status'], 'rolled-back');
  expect(`http://${address}/version`, await get('/version'), '1.0.0');
  await expectPods(3);
  // The frontend keeps its connections to a pod of before until that has ended.
  expect(`http://${address}/ctwoc/version`, await get('/ctwoc/version'), '1.0.0');
  await action('Status with the history', { command: 'status' }, onCall);
  rmSync(empty, { recursive: true, force: true });
  return address;
}

async function prepare(): Promise<DemoCluster> {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  headline('Set-up');
  // A candidate of one's own comes later.
  const isThere = (file: string) => !file.endsWith('-canary.yaml');
  cpSync(join(root, 'examples/ctwoc'), workspace, { recursive: true, filter: isThere });
  mkdirSync(join(workspace, 'tls'), { recursive: true });
  const certificate = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-days',
    '30',
  ];
  const files = ['-keyout', join(workspace, 'tls/tls.key'), '-out', join(workspace, 'tls/tls.crt')];
  await run('openssl', [...certificate, ...files, '-subj', '/CN=frontend.ctwoc.test']);
  if (!options['use-kubeconfig']) {
    // A first deploy needs a cluster that has not seen the application.
    await down(clusterName);
    return await up(clusterName);
  }
  const kubeconfig = process.env['KUBECONFIG'] ?? '';
  if (kubeconfig === '') throw new Error('--use-kubeconfig needs KUBECONFIG to be set');
  return { kubeconfig, kubectl: (args) => run('kubectl', ['--kubeconfig', kubeconfig, ...args]) };
}
