/**
 * The second part of the demo: a canary that is measured, looked at and promoted, one that is aborted; and, in a namespace of
 * its own, because its Services are bound to a side from then on, a blue-green deploy with a rollback by a switch.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { waitUntil } from '../../test/cluster/run.ts';
import { Load } from '../../test/support/load.ts';
import { shareTolerance } from '../../test/support/measured-share.ts';
import { ask, expect, expectNoneLost, type Stage } from './stage.ts';

const example = join(import.meta.dirname, '../../examples/ctwoc');
const parts = ['auth', 'ctwoc', 'frontend'];

const application = {
  manifests: 'deployments/\nservices/',
  configmaps: 'frontend-config=config/frontend.conf',
  secrets: 'tls-certs=tls/tls.crt,tls/tls.key',
  replicas: parts.map((part) => `${part}=3`).join('\n'),
};

/** A path alone means the frontend, which is open to the outside. */
const verify = ['path: /version', ...['ctwoc', 'auth'].map((part) => `service: ${part}\n  path: /version`)]
  .map((check) => `- ${check}\n  version: header:X-Version`)
  .join('\n');

export async function tourOfStrategies(stage: Stage, address: string): Promise<void> {
  const url = `http://${address}/version`;
  const empty = mkdtempSync(join(tmpdir(), 'gke-rollout-empty-'));
  const tour: Tour = { ...stage, url, onCall: { workspace: empty } };
  try {
    await tour.action('Three pods of each part', { command: 'scale', replicas: 'auth=3\nfrontend=3' });
    await expectAll(tour, '1.0.0');
    await canary(tour);
    await sessionAffinity(tour);
    await abortedCanary(tour);
    await blueGreen(tour);
  } finally {
    rmSync(empty, { recursive: true, force: true });
  }
}

interface Tour extends Stage {
  /** Answers with the version of the frontend, from outside. */
  url: string;
  /** Whoever is on call has no checkout. */
  onCall: { workspace: string };
}

async function canary(tour: Tour): Promise<void> {
  const { action, onCall, url } = tour;
  const load = new Load(url, 50);
  const waiting = await action('Canary of 2.0.0 beside three pods of 1.0.0', {
    ...application,
    'image-tag': '2.0.0',
    strategy: 'canary',
    'canary-steps': '25',
    'step-duration': '5s',
    'auto-promote': 'false',
    verify,
  });
  expect('its status', waiting.outputs['status'], 'waiting');
  for (const part of parts) {
    expect(`running pods of ${part}, of both versions`, (await podsOf(tour, part)).length, 4);
    expectShare(part, measuredShare(waiting.summary, part));
  }
  const { byVersion } = await ask(url, 400);
  const percent = (100 * (byVersion.get('2.0.0') ?? 0)) / 400;
  expectShare('seen-from-outside', { percent, requests: 400 });

  const status = await action('Status while the candidate waits', { command: 'status' }, onCall);
  const [newest] = historyOf(status.outputs['history']);
  expect('the newest revision', newest?.outcome, 'waiting');
  expect('what is live', status.outputs['revision'], waiting.outputs['previous-revision']);

  const promoted = await action('Promote 2.0.0', { command: 'promote' }, onCall);
  expect('its status', promoted.outputs['status'], 'deployed');
  expectNoneLost('canary-', await load.stop());
  await expectAll(tour, '2.0.0');
}

async function sessionAffinity(tour: Tour): Promise<void> {
  const { action, url } = tour;
  const same = { ...application, 'image-tag': '2.0.0' };
  // Nodes follow a change of a Service within a second.
  const expectPods = async (what: string, count: number) => {
    const isSo = async () => (await ask(url, 40)).byPod.size === count;
    await waitUntil(what, 10_000, isSo);
    expect(what, (await ask(url, 100)).byPod.size, count);
  };
  await expectPods('pods that answer 100 requests of one client', 3);
  await action('One client, one pod', { ...same, 'session-affinity': 'client-ip' });
  await expectPods('pods that answer 100 requests of one client', 1);
  await action('Spread requests again', { ...same, 'session-affinity': 'none' });
  await expectPods('pods that answer 100 requests of one client', 3);
}

async function abortedCanary(tour: Tour): Promise<void> {
  const { action, onCall, url, workspace } = tour;
  const before = await podsOf(tour, 'ctwoc');
  cpSync(join(example, 'deployments/ctwoc-canary.yaml'), join(workspace, 'deployments/ctwoc-canary.yaml'));
  const waiting = await action('Canary of 3.0.0, with a candidate of our own for ctwoc', {
    ...application,
    'image-tag': '3.0.0',
    strategy: 'canary',
    'canary-steps': '25',
    'step-duration': '5s',
    'auto-promote': 'false',
  });
  expect('its status', waiting.outputs['status'], 'waiting');
  expect('running pods with the label of our own', (await podsOf(tour, 'ctwoc', 'track=canary')).length, 1);
  const during = await ask(`${url.replace('/version', '')}/ctwoc/version`, 400);
  console.log(`figure own-canary-share-percent ${((during.byVersion.get('3.0.0') ?? 0) / 4).toFixed(1)}`);
  expect('3.0.0 answers some requests', (during.byVersion.get('3.0.0') ?? 0) > 0, true);

  const aborted = await action('Abort 3.0.0', { command: 'abort' }, onCall);
  expect('its status', aborted.outputs['status'], 'aborted');
  await expectAll(tour, '2.0.0');
  expect('the pods of ctwoc are the same ones', (await podsOf(tour, 'ctwoc')).join(), before.join());
}

async function blueGreen(stage: Tour): Promise<void> {
  const { action, begin, kubectl, onCall } = stage;
  const namespace = 'ctwoc-blue-green';
  const there = { ...application, namespace, strategy: 'blue-green' };
  const first = await action('First deploy of 1.0.0 for blue-green', {
    ...there,
    'image-tag': '1.0.0',
    'create-namespace': 'true',
  });
  expect('its status', first.outputs['status'], 'deployed');
  const url = `http://${first.outputs['external-ip'] ?? ''}/version`;
  const tour: Tour = { ...stage, namespace, url };
  // A new address is known a moment before the node passes packets on to it.
  await waitUntil('the new address answers', 60_000, async () => (await ask(url, 1)).byVersion.has('1.0.0'));
  await expectAll(tour, '1.0.0');
  const before = await podsOf(tour, 'ctwoc');

  const load = new Load(url, 50);
  const { step, end } = begin('Blue-green from 1.0.0 to 2.0.0', {
    ...there,
    'image-tag': '2.0.0',
    'keep-old-for': '5m',
    verify: '/version contains {version}',
  });
  try {
    const holder = ['get', 'lease', 'gke-rollout.ctwoc', '-n', namespace, '-o', 'jsonpath={.spec.holderIdentity}'];
    await waitUntil('2.0.0 serves, and 1.0.0 is kept', 120_000, async () => {
      return (await ask(url, 1)).byVersion.has('2.0.0') && (await kubectl(holder)) === '';
    });
    await expectAnswers(url, '2.0.0');
    expect('running pods of ctwoc, of both sides', (await podsOf(tour, 'ctwoc')).length, 6);

    const began = Date.now();
    const back = action('Roll back by a switch', { command: 'rollback', namespace, 'keep-old-for': '0s' }, onCall);
    await waitUntil('1.0.0 serves again', 60_000, async () => (await ask(url, 1)).byVersion.has('1.0.0'));
    const after = ((Date.now() - began) / 1000).toFixed(1);
    expect('its status', (await back).outputs['status'], 'rolled-back');
    console.log(`figure switched-back-after-seconds ${after}`);
  } finally {
    // It has nothing left to keep.
    step.signal('SIGINT');
    await end;
    step.dispose();
  }
  expectNoneLost('blue-green-', await load.stop());
  await expectAll(tour, '1.0.0');
  expect('the pods of ctwoc are the same ones', (await podsOf(tour, 'ctwoc')).join(), before.join());
  await action('Status at the end', { command: 'status', namespace }, onCall);
}

/** Three pods of each part, and from outside only this version. */
async function expectAll(tour: Tour, version: string): Promise<void> {
  // Pods that were taken out of service still end for some seconds.
  for (const part of parts) {
    await waitUntil(`3 pods of ${part}`, 30_000, async () => (await podsOf(tour, part)).length === 3);
    expect(`running pods of ${part}`, (await podsOf(tour, part)).length, 3);
  }
  await expectAnswers(tour.url, version);
  await expectAnswers(tour.url.replace('/version', '/ctwoc/version'), version);
}

async function expectAnswers(url: string, version: string): Promise<void> {
  expect(`100 answers of ${url}`, [...(await ask(url, 100)).byVersion.keys()].join(), version);
}

/** Names of the running pods of a part, sorted. */
async function podsOf({ kubectl, namespace }: Stage, part: string, more = ''): Promise<string[]> {
  const selector = [`app=ctwoc,role=${part}`, more].filter((one) => one !== '').join();
  const running = ['-l', selector, '--field-selector=status.phase=Running'];
  const names = await kubectl(['get', 'pods', '-n', namespace, ...running, '-o', 'name']);
  return names
    .split('\n')
    .filter((line) => line !== '')
    .sort();
}

interface Share {
  percent: number;
  requests: number;
}

/** What the summary says in the row of a part. */
function measuredShare(summary: string, part: string): Share {
  const row = new RegExp(`\`${part}\` \\|.*\\| (?<percent>[\\d.]+) % of (?<requests>\\d+) requests`).exec(summary);
  return { percent: Number(row?.groups?.['percent']), requests: Number(row?.groups?.['requests']) };
}

function expectShare(what: string, { percent, requests }: Share): void {
  console.log(`figure canary-share-percent-${what} ${percent.toFixed(1)}`);
  expect('it was measured with some hundred requests', requests >= 100, true);
  const tolerance = shareTolerance(25, requests, 5);
  expect(`it is 25 % ± ${tolerance.toFixed(1)}`, Math.abs(percent - 25) <= tolerance, true);
}

function historyOf(json = '[]'): { revision: number; outcome: string }[] {
  return JSON.parse(json) as { revision: number; outcome: string }[];
}
