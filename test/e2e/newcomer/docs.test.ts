import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { Desk } from './desk.ts';
import { quickStarts, root, shellFences } from './pages.ts';

/** What becomes of the lines for a shell that the pages show: they are run, or it is said why not. */
type Fate = { env?: Record<string, string> } | { skipped: string };

const quickStart = { skipped: 'it is a step of a quick start, which quick-starts.test.ts carries out' };

/** By page and first line. */
const fates: Readonly<Record<string, Fate>> = {
  'CONTRIBUTING.md: script/bootstrap     # npm packages, Node 24 among them': {
    skipped: 'it runs all tests, this one among them',
  },
  'README.md: script/demo   # all set-up, then the sample application through the packaged action on a real cluster': {
    skipped: 'it runs all tests, this one among them',
  },
  'SECURITY.md: gh attestation verify dist/index.js --repo acme/gke-rollout': {
    skipped: 'attestations are made by a release on GitHub',
  },
  'docs/gke.md: PROJECT=acme-shop                       # the project of the cluster': {},
  'docs/gke.md: gcloud iam service-accounts add-iam-policy-binding deployer@acme-shop.iam.gserviceaccount.com \\': {
    env: { PROJECT: 'acme-shop', NUMBER: '123456789012', REPOSITORY_ID: '1234567' },
  },
  'docs/previews.md: kubectl get namespaces --selector gke-rollout/preview=true --label-columns gke-rollout/pull-request,gke-rollout/release':
    {},
  'docs/previews.md: script/rights --command preview --command teardown --preview-role gke-rollout-preview --service-account ci/previews examples/ctwoc/deployments':
    {},
  'docs/rights.md: script/rights --namespace shop --service-account deployer examples/ctwoc/deployments examples/ctwoc/services':
    {},
};

const ofQuickStarts = new Set(quickStarts().values());
const fences = shellFences();
const fateOf = ({ name, text }: (typeof fences)[number]) => (ofQuickStarts.has(text) ? quickStart : fates[name]);

let desk: Desk;

beforeAll(async () => {
  desk = await Desk.create();
});

afterAll(async () => {
  await desk[Symbol.asyncDispose]();
});

test('of each shell command of the pages it is said whether it is run', () => {
  expect(fences.filter((fence) => fateOf(fence) === undefined).map(({ name }) => name)).toEqual([]);
  const names = new Set(fences.map(({ name }) => name));
  expect(Object.keys(fates).filter((name) => !names.has(name))).toEqual([]);
});

const run = fences.flatMap((fence) => {
  const fate = fateOf(fence);
  return fate === undefined || 'skipped' in fate ? [] : [{ ...fence, env: fate.env ?? {} }];
});

test.each(run)('the lines work: $name', async ({ text, env }) => {
  await expect(desk.shell(text, { cwd: root, env })).resolves.toEqual(expect.any(String));
});
