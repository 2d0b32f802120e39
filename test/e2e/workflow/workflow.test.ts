import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { ensureProgram } from '../../cluster/build.ts';
import { run } from '../../cluster/run.ts';
import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';

const root = join(import.meta.dirname, '../../..');
let repository: string;
let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace('workflow');
  repository = mkdtempSync(join(tmpdir(), 'gke-rollout-workflow-'));
  cpSync(join(root, 'dist'), join(repository, 'dist'), { recursive: true });
  cpSync(join(root, 'action.yml'), join(repository, 'action.yml'));
  for (const folder of ['deployments', 'services']) {
    cpSync(join(root, 'examples/ctwoc', folder), join(repository, folder), { recursive: true });
  }
  mkdirSync(join(repository, '.github/workflows'), { recursive: true });
  writeFileSync(join(repository, '.github/workflows/deploy.yml'), workflow());
  const git = (...args: string[]) =>
    run('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], { cwd: repository });
  await git('init', '--quiet');
  await git('add', '--all');
  await git('commit', '--quiet', '--message=deploy');
});

afterAll(async () => {
  rmSync(repository, { recursive: true, force: true });
  await deleteNamespace(namespace);
});

test('a workflow file deploys through act: inputs, outputs, post step', async () => {
  const act = await ensureProgram('act');
  const log = await run(act, ['push', '-P', 'ubuntu-latest=-self-hosted', '--pull=false'], {
    cwd: repository,
    env: { KUBECONFIG: testKubeconfig() },
  });
  expect(log).toContain('status=deployed revision=1');
  expect(log).toMatch(/Success - Post .*deploy/);
  expect(log).toContain('Job succeeded');
  const ready = await kubectl([
    'get',
    'deployment',
    'ctwoc',
    '-n',
    namespace,
    '-o',
    'jsonpath={.status.readyReplicas}',
  ]);
  expect(ready).toBe('1');
});

function workflow(): string {
  return `name: deploy
on: push
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: deploy
        name: deploy
        uses: ./
        with:
          manifests: |
            deployments/auth.yaml
            deployments/ctwoc.yaml
            services/auth.yaml
            services/ctwoc.yaml
          image-tag: 2.0.0
          namespace: ${namespace}
          release: ctwoc
          kubeconfig: ${testKubeconfig()}
      - run: echo "status=\${{ steps.deploy.outputs.status }} revision=\${{ steps.deploy.outputs.revision }}"
`;
}
