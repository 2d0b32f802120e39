import { randomInt } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, describe, expect, test } from '@jest/globals';

import { waitUntil } from '../../cluster/run.ts';
import { certificateFor } from '../../support/certificate.ts';
import { figure } from '../../support/figure.ts';
import { FakeGitHub } from '../../support/github/fake-github.ts';
import { stateOf as stateOfRecord, type FakePullRequest, type State } from '../../support/github/state.ts';
import { createNamespace, deleteNamespace, kubectl } from '../../support/kubectl.ts';
import { Repository, type RunOptions } from './act.ts';
import { fakeGoogle } from './google.ts';
import { examples } from './workflow-files.ts';

const push = { name: 'push' };
/** Started by hand; GitHub tells every choice as a text. */
const dispatch = (choices: Readonly<Record<string, string | number | boolean>>) => {
  const inputs = Object.fromEntries(Object.entries(choices).map(([name, value]) => [name, String(value)]));
  return { name: 'workflow_dispatch', payload: { inputs } };
};

/** The examples that have been run to their end. */
const ran = new Set<string>();
const namespaces: string[] = [];

afterAll(async () => {
  await Promise.all(namespaces.map(deleteNamespace));
  figure('examples-run', ran.size);
});

/** A repository whose workflows deploy into a namespace of their own; its id is its own, so that no sweep of others finds it. */
async function application(basePath: '' | '/api/v3' = ''): Promise<Repository> {
  const namespace = await createNamespace('examples');
  namespaces.push(namespace);
  const github = await FakeGitHub.start({ basePath, repository: { id: randomInt(1_000_000, 2 ** 31) } });
  return await Repository.create(namespace, github);
}

/** What the deployment records say, oldest first: `deploy 0123abc success`. */
const recordsOf = ({ deployments }: State) =>
  deployments.map((deployment) => `${deployment.task} ${deployment.sha} ${stateOfRecord(deployment)}`);

/** Fails with the log of act when a job does. */
async function run(
  repository: Repository,
  example: string,
  event: { name: string; payload?: object },
  options: RunOptions = {},
): Promise<string> {
  const log = await repository.run(example, event, options);
  ran.add(example);
  return log;
}

/** The image of a Deployment and how many of its pods are ready: `registry.test/ctwoc:1.0.0 1`. */
const stateOf = (namespace: string, name: string) =>
  kubectl([
    'get',
    'deployment',
    name,
    `--namespace=${namespace}`,
    '--ignore-not-found',
    '--output=jsonpath={.spec.template.spec.containers[0].image} {.status.readyReplicas}',
  ]);

async function createCertificate(namespace: string): Promise<void> {
  using certificate = await certificateFor(['DNS:frontend']);
  const stringData = { 'tls.crt': certificate.cert, 'tls.key': certificate.key };
  const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'tls-certs', namespace }, stringData };
  await kubectl(['create', '--filename=-'], JSON.stringify(secret));
}

test('deploy, plan, scale and roll back: deploy.yml, plan.yml, scale.yml, rollback.yml', async () => {
  await using repository = await application();
  const { namespace, github } = repository;
  const first = await repository.commit('1.0.0');
  await run(repository, 'deploy.yml', push);
  for (const name of ['auth', 'ctwoc', 'frontend']) {
    expect(await stateOf(namespace, name)).toBe(`registry.test/ctwoc:${first} 1`);
  }
  expect(recordsOf(github.state)).toEqual([`deploy ${first} success`]);

  const second = await repository.commit('2.0.0');
  const head = { sha: second, ref: 'change', repo: { full_name: 'acme/shop' } };
  const plan = await run(repository, 'plan.yml', {
    name: 'pull_request',
    payload: {
      number: 7,
      pull_request: { number: 7, head, base: { ref: 'main' } },
      repository: { full_name: 'acme/shop' },
    },
  });
  expect(plan).toContain('Plan for ctwoc');
  expect(await stateOf(namespace, 'ctwoc')).toContain(first);

  await run(repository, 'scale.yml', dispatch({ workload: 'ctwoc', replicas: 2 }));
  expect(await stateOf(namespace, 'ctwoc')).toBe(`registry.test/ctwoc:${first} 2`);

  await run(repository, 'deploy.yml', push);
  expect(await stateOf(namespace, 'ctwoc')).toContain(second);

  const looked = dispatch({ environment: 'production', revision: '', 'dry-run': true });
  await run(repository, 'rollback.yml', looked);
  expect(await stateOf(namespace, 'ctwoc')).toContain(second);

  await run(repository, 'rollback.yml', dispatch({ environment: 'production', revision: '', 'dry-run': false }));
  expect(await stateOf(namespace, 'ctwoc')).toContain(first);
  expect(recordsOf(github.state)).toEqual([
    `deploy ${first} inactive`,
    `deploy ${second} inactive`,
    `rollback ${first} success`,
  ]);
});

test('a canary that is approved is promoted: canary.yml', async () => {
  await using repository = await application();
  const { namespace } = repository;
  await repository.commit('1.0.0');
  await run(repository, 'deploy.yml', push);
  const sha = await repository.commit('2.0.0');
  await run(repository, 'canary.yml', push);
  expect(await stateOf(namespace, 'ctwoc')).toContain(sha);
  expect(await stateOf(namespace, 'ctwoc-canary')).toBe('');
});

test('a canary that is rejected is aborted, and one that is left waiting is decided by hand: canary.yml, promote-or-abort.yml', async () => {
  await using repository = await application();
  const { namespace } = repository;
  const first = await repository.commit('1.0.0');
  await run(repository, 'deploy.yml', push);
  const sha = await repository.commit('2.0.0');
  // How a rejection looks to the jobs behind it: the gate has failed.
  const rejected = { 'run: echo "::notice::revision $REVISION was approved"': 'run: exit 1' };
  await expect(repository.run('canary.yml', push, { changes: rejected })).rejects.toThrow(/Abort/);
  expect(await stateOf(namespace, 'ctwoc')).toContain(first);
  expect(await stateOf(namespace, 'ctwoc-canary')).toBe('');

  await run(repository, 'canary.yml', push, { job: 'canary' });
  expect(await stateOf(namespace, 'ctwoc-canary')).toContain(sha);
  await run(repository, 'promote-or-abort.yml', dispatch({ decision: 'promote' }));
  expect(await stateOf(namespace, 'ctwoc')).toContain(sha);
});

test('every command by the same button: operate.yml', async () => {
  await using repository = await application();
  const { namespace, github } = repository;
  const first = await repository.commit('1.0.0');
  await run(repository, 'deploy.yml', push);
  const operate = (command: string, choices: Readonly<Record<string, string>> = {}) =>
    run(
      repository,
      'operate.yml',
      dispatch({ command, environment: 'production', revision: '', replicas: '', ...choices }),
    );
  expect(await operate('status')).toContain('Job succeeded');

  await operate('scale', { replicas: 'ctwoc=2' });
  expect(await stateOf(namespace, 'ctwoc')).toBe(`registry.test/ctwoc:${first} 2`);

  await operate('pause');
  await expect(
    repository.run('operate.yml', dispatch({ command: 'restart', environment: 'production' })),
  ).rejects.toThrow(/is paused|paused by/);
  await operate('resume');
  await operate('restart');

  const second = await repository.commit('2.0.0');
  await run(repository, 'canary.yml', push, { job: 'canary' });
  await operate('abort');
  expect(await stateOf(namespace, 'ctwoc-canary')).toBe('');
  await run(repository, 'canary.yml', push, { job: 'canary' });
  await operate('promote');
  expect(await stateOf(namespace, 'ctwoc')).toContain(second);

  await operate('rollback');
  expect(await stateOf(namespace, 'ctwoc')).toContain(first);
  expect(recordsOf(github.state).at(-1)).toBe(`rollback ${first} success`);
});

test('all requests move at once: blue-green.yml', async () => {
  await using repository = await application();
  const { namespace } = repository;
  await repository.commit('1.0.0');
  await run(repository, 'deploy.yml', push);
  const sha = await repository.commit('2.0.0');
  const log = await run(repository, 'blue-green.yml', push);
  expect(log).toContain('Job succeeded');
  const pods = await kubectl(['get', 'pods', `--namespace=${namespace}`, '--output=jsonpath={..image}']);
  expect(pods).toContain(sha);
});

/** A start of seconds, and without the GPU that no node of the cluster has. */
function hasten(folder: string): void {
  const path = join(folder, 'model/deployment.yaml');
  const text = readFileSync(path, 'utf8');
  writeFileSync(path, text.replace(/^ +nvidia\.com\/gpu: 1\n/m, '').replace('value: 7s\n', 'value: 0.1s\n'));
}

test('a model server is tried on one pod, and then rolled out: model-server.yml', async () => {
  await using repository = await application();
  const { namespace } = repository;
  hasten(repository.folder);
  const first = await repository.commit('1.0.0');
  await run(repository, 'model-server.yml', push);
  expect(await stateOf(namespace, 'model')).toBe(`registry.test/ctwoc:${first} 2`);
  const second = await repository.commit('2.0.0');
  const log = await run(repository, 'model-server.yml', push);
  expect(log).toContain('check "golden request": pass: 1 of 1 new pods answered correctly');
  expect(await stateOf(namespace, 'model')).toBe(`registry.test/ctwoc:${second} 2`);
  expect(await stateOf(namespace, 'model-canary')).toBe('');
});

test('what was built is deployed by its digest: build-attest-deploy.yml', async () => {
  await using repository = await application();
  const { namespace } = repository;
  await repository.commit('1.0.0');
  await run(repository, 'build-attest-deploy.yml', push);
  expect(await stateOf(namespace, 'ctwoc')).toMatch(/^registry\.test\/ctwoc@sha256:[0-9a-f]{64} 1$/);
});

test('each part of a repository is a release of its own: monorepo.yml', async () => {
  await using repository = await application();
  const { namespace } = repository;
  const sha = await repository.commit('1.0.0');
  await run(repository, 'monorepo.yml', push);
  for (const name of ['auth', 'ctwoc']) expect(await stateOf(namespace, name)).toBe(`registry.test/ctwoc:${sha} 1`);
  const owners = await kubectl([
    'get',
    'deployments',
    `--namespace=${namespace}`,
    '--output=jsonpath={.items[*].metadata.annotations.gke-rollout/release}',
  ]);
  expect(owners.split(' ').sort()).toEqual([`${namespace}/auth`, `${namespace}/ctwoc`]);
});

test('a server and runners of one’s own: enterprise-server.yml', async () => {
  await using repository = await application('/api/v3');
  const sha = await repository.commit('1.0.0');
  await run(repository, 'enterprise-server.yml', push);
  expect(await stateOf(repository.namespace, 'ctwoc')).toBe(`registry.test/ctwoc:${sha} 1`);
});

test.each(['deploy-gke.yml', 'google-auth.yml'])(
  'without a kubeconfig, by the token of the job: %s',
  async (example) => {
    await using repository = await application();
    const { namespace } = repository;
    await using google = await fakeGoogle(namespace);
    await repository.commit('1.0.0');
    // deploy-gke.yml has no certificate to give out, so that the frontend waits for one that is there already.
    if (example === 'deploy-gke.yml') await createCertificate(namespace);
    await run(repository, example, push, { env: { ...google.env, TEST_TOKEN_URL: `${google.url('sts')}/v1/token` } });
    expect(await stateOf(namespace, 'frontend')).toMatch(/ 1$/);
    expect(google.violations).toEqual([]);
  },
);

/** An open pull request, with the commit as its newest one, and where its preview is. */
function openPullRequest(github: FakeGitHub, sha: string, from = github.state.repository.id) {
  const number = randomInt(1_000, 1_000_000);
  const pull = github.state.open(number, { head: { sha, branch: 'change', repositoryId: from } });
  const preview = `ctwoc-pr-${number}`;
  namespaces.push(preview);
  return { pull, number, preview };
}

/** As GitHub would start a workflow for it now. */
function pullRequestEvent(github: FakeGitHub, pull: FakePullRequest, action: string, name = 'pull_request') {
  const { id, owner, name: repository } = github.state.repository;
  const own = { id, full_name: `${owner}/${repository}` };
  const { number, state, merged, draft, head, base } = pull;
  const repo = head.repositoryId === id ? own : { id: head.repositoryId, full_name: 'eve/shop' };
  const pull_request = {
    number,
    state,
    merged,
    draft,
    head: { sha: head.sha, ref: head.branch, repo },
    base: { ref: base.branch, repo: own },
  };
  return { name, payload: { action, number, pull_request, repository: own } };
}

/** Gives pods what the Pod Security level `restricted` asks for, which previews of forks are held to. */
function meetRestricted(folder: string): void {
  for (const file of readdirSync(join(folder, 'deployments'))) {
    const path = join(folder, 'deployments', file);
    const container = 'securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ALL] } }';
    const text = readFileSync(path, 'utf8')
      .replace(/^( +)runAsNonRoot: true$/m, '$1runAsNonRoot: true\n$1seccompProfile: { type: RuntimeDefault }')
      .replace(/^( +)imagePullPolicy: .*$/m, `$&\n$1${container}`);
    writeFileSync(path, text);
  }
}

const isThere = async (namespace: string) =>
  (await kubectl(['get', 'namespace', namespace, '--ignore-not-found', '--output=name'])) !== '';

describe('previews', () => {
  test('one is made, follows its pull request, and goes when that is closed: preview.yml', async () => {
    await using repository = await application();
    const { github } = repository;
    await createCertificate(repository.namespace);
    const first = await repository.commit('1.0.0');
    const { pull, preview } = openPullRequest(github, first);
    await run(repository, 'preview.yml', pullRequestEvent(github, pull, 'opened'));
    expect(await stateOf(preview, 'ctwoc')).toBe(`registry.test/ctwoc:${first} 1`);
    expect(github.state.comments).toHaveLength(1);

    pull.head.sha = await repository.commit('2.0.0');
    await run(repository, 'preview.yml', pullRequestEvent(github, pull, 'synchronize'));
    expect(await stateOf(preview, 'ctwoc')).toBe(`registry.test/ctwoc:${pull.head.sha} 1`);
    expect(github.state.comments).toHaveLength(1);

    github.state.close(pull.number, 'merged');
    await run(repository, 'preview.yml', pullRequestEvent(github, pull, 'closed'));
    expect(await isThere(preview)).toBe(false);
    const kept = recordsOf(github.state).filter((record) => !record.endsWith(' inactive'));
    expect(kept).toEqual([]);
    expect(github.state.deployments).toHaveLength(2);
  });

  test('it is tested where it answers, and removed by the event that is sure to come: preview-tests.yml, preview-closed.yml', async () => {
    await using repository = await application();
    const { github } = repository;
    await createCertificate(repository.namespace);
    const { pull, preview } = openPullRequest(github, await repository.commit('1.0.0'));
    const log = await run(repository, 'preview-tests.yml', pullRequestEvent(github, pull, 'opened'));
    expect(log).toMatch(/Success - Main Ask every part/);

    github.state.close(pull.number);
    const closed = pullRequestEvent(github, pull, 'closed', 'pull_request_target');
    await run(repository, 'preview-closed.yml', closed);
    expect(await isThere(preview)).toBe(false);
  });

  test('it has a database of its own, and a sweep finds what events have left: preview-database.yml, preview-sweep.yml', async () => {
    await using repository = await application();
    const { github } = repository;
    await createCertificate(repository.namespace);
    const { pull, number, preview } = openPullRequest(github, await repository.commit('1.0.0'));
    await run(repository, 'preview-database.yml', pullRequestEvent(github, pull, 'opened'));
    const url = await kubectl(['get', 'secret', 'database', `--namespace=${preview}`, '--output=jsonpath={.data.url}']);
    expect(Buffer.from(url, 'base64').toString()).toBe(`postgres://shop@database.example.com/preview-pr-${number}`);

    github.state.close(number);
    const tried = dispatch({ what: 'all-closed', 'dry-run': true });
    await run(repository, 'preview-sweep.yml', tried);
    expect(await isThere(preview)).toBe(true);
    await run(repository, 'preview-sweep.yml', { name: 'schedule' });
    await waitUntil('the preview is gone', 60_000, async () => !(await isThere(preview)));
  });

  test('a fork gets one of a commit that was approved: preview-fork-build.yml, preview-fork-deploy.yml', async () => {
    await using repository = await application();
    const { github } = repository;
    await createCertificate(repository.namespace);
    meetRestricted(repository.folder);
    const sha = await repository.commit('1.0.0');
    const { pull, number, preview } = openPullRequest(github, sha, 99);
    await run(repository, 'preview-fork-build.yml', pullRequestEvent(github, pull, 'opened'));
    const approved = dispatch({ 'pull-request': number, commit: sha, run: 1 });
    await run(repository, 'preview-fork-deploy.yml', approved, { env: { TEST_RUN_COMMIT: sha } });
    expect(await stateOf(preview, 'ctwoc')).toBe(`registry.test/ctwoc:fork-${sha} 1`);
  });
});

test('none of the examples was left out', () => {
  expect([...ran].sort()).toEqual(examples);
});
