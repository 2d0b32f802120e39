import { afterAll, beforeEach, expect, test } from '@jest/globals';

import { waitUntil } from '../../cluster/run.ts';
import { kubectl } from '../../support/kubectl.ts';
import { googleFor } from '../examples/google.ts';
import { Desk } from './desk.ts';
import { quickStarts } from './pages.ts';

const fences = quickStarts();
/** As the README has it. */
const namespace = 'shop';
/** Who a job of the repository is for the cluster: what `roles/container.developer` allows, and a little more. */
const job = { name: 'newcomer-job', namespace: 'default' };

/** The public image of the README, and what stands for it: it answers at the same path and port. */
const image = 'us-docker.pkg.dev/google-samples/containers/gke/hello-app:1.0';
const standIn = 'registry.test/ctwoc:1.0.0';
/** What its page says. */
const served = '"role":"ctwoc","version":"1.0.0"';
/** A misspelt tag of an image that has to be pulled. */
const misspelt = 'registry.test/pulled/ctwoc:1.0.O';

beforeEach(removeAll);
afterAll(removeAll);

async function removeAll(): Promise<void> {
  await kubectl(['delete', 'clusterrolebinding', job.name, '--ignore-not-found']);
  await kubectl(['delete', 'serviceaccount', job.name, `--namespace=${job.namespace}`, '--ignore-not-found']);
  await kubectl(['delete', 'namespace', namespace, '--ignore-not-found', '--wait', '--timeout=120s']);
}

function fence(name: string): string {
  const text = fences.get(name);
  if (text === undefined) throw new Error(`the README has no fence "newcomer: ${name}"`);
  return text;
}

function manifests(of = standIn): string {
  const text = fence('manifests');
  expect(text).toContain(image);
  return text.replaceAll(image, of);
}

/** What a person sees who opens the address of the Service. */
async function page(): Promise<string> {
  const path = '{.status.loadBalancer.ingress[0].ip}';
  const address = await kubectl(['get', 'service', 'web', `--namespace=${namespace}`, `--output=jsonpath=${path}`]);
  const response = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(5_000) });
  expect(response.status).toBe(200);
  return await response.text();
}

const ready = () =>
  kubectl(['get', 'deployment', 'web', `--namespace=${namespace}`, '--output=jsonpath={.status.readyReplicas}']);

test('the README has a fence for each step of both quick starts', () => {
  expect([...fences.keys()].sort()).toEqual([
    'checkout',
    'gke-setup',
    'gke-workflow',
    'kubeconfig-setup',
    'kubeconfig-workflow',
    'manifests',
  ]);
});

test('GKE, without any secret: from nothing to a served page', async () => {
  await using desk = await Desk.create();
  const said = await desk.shell(fence('gke-setup'));
  const provider = said.trim().split('\n').at(-1) ?? '';
  // The line that the last command prints is the one that the workflow has.
  expect(fence('gke-workflow')).toContain(provider);
  expect(desk.gcloud().join('\n')).toContain(
    "assertion.repository_owner_id == '7654321' && assertion.repository_id == '1234567'",
  );

  await kubectl(['create', 'serviceaccount', job.name, `--namespace=${job.namespace}`]);
  const account = `--serviceaccount=${job.namespace}:${job.name}`;
  await kubectl(['create', 'clusterrolebinding', job.name, '--clusterrole=cluster-admin', account]);
  const token = (await kubectl(['create', 'token', job.name, `--namespace=${job.namespace}`])).trim();
  await using google = await googleFor(token);

  desk.write('k8s/web.yaml', manifests());
  desk.write('.github/workflows/deploy.yml', fence('gke-workflow'));
  const log = await desk.push({ env: google.env });
  expect(log).toContain('Job succeeded');
  expect(google.violations).toEqual([]);
  expect(await ready()).toBe('2');
  expect(await page()).toContain(served);
});

test('any cluster, with a kubeconfig, used from a checkout: from nothing to a served page, and a mistake that is named and undone', async () => {
  await using desk = await Desk.create();
  await desk.shell(fence('kubeconfig-setup'));
  const secrets = { KUBECONFIG: desk.secret('KUBECONFIG') };
  // The administrator's own credentials are not in it.
  expect(secrets.KUBECONFIG).not.toMatch(/client-(?:certificate|key)-data/);

  await desk.shell(fence('checkout'));
  const workflow = fence('kubeconfig-workflow');
  expect(workflow).toContain('uses: acme/gke-rollout@v1');
  desk.write('.github/workflows/deploy.yml', workflow.replace('acme/gke-rollout@v1', './.github/actions/gke-rollout'));
  desk.write('k8s/web.yaml', manifests());
  const log = await desk.push({ secrets });
  expect(log).toContain('Job succeeded');
  // The rights of the README are enough, optional ones included.
  expect(log).not.toContain('optional rights are missing');
  expect(await ready()).toBe('2');
  expect(await page()).toContain(served);

  desk.write('k8s/web.yaml', manifests(misspelt));
  await expect(desk.push({ secrets })).rejects.toThrow(/image "registry\.test\/pulled\/ctwoc:1\.0\.O" not found/);
  await waitUntil('both pods of before are ready', 60_000, async () => (await ready()) === '2');
  const now = ['get', 'deployment', 'web', `--namespace=${namespace}`];
  expect(await kubectl([...now, '--output=jsonpath={.spec.template.spec.containers[0].image}'])).toBe(standIn);
  expect(await page()).toContain(served);
});
