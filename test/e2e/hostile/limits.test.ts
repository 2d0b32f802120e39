import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { load } from 'js-yaml';

import { figure } from '../../support/figure.ts';
import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { Step, runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

const measured = { limits: 0, slowestMs: 0 };
let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace('limits');
});

afterAll(async () => {
  figure('hostile-limits', measured.limits);
  figure('hostile-slowest-ms', Math.round(measured.slowestMs));
  await deleteNamespace(namespace);
});

const map = (name: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  a: b\n`;

type Prepare = (workspace: string) => Record<string, string> | undefined;

/** A deploy that must be refused: nothing of it gets into the cluster, and it does not take long. */
async function refused(inputs: Record<string, string>, prepare: Prepare): Promise<StepResult> {
  const workspace = createWorkspace({ 'k8s/a.yaml': map('a') });
  try {
    const env = prepare(workspace) ?? {};
    const given = { kubeconfig: testKubeconfig(), namespace, release: 'limits', manifests: 'k8s', ...inputs };
    const result = await runStep(given, { workspace, env });
    measured.limits += 1;
    measured.slowestMs = Math.max(measured.slowestMs, result.durationMs);
    expect(result.exit).toBe(1);
    await expect(
      kubectl(['get', 'configmaps', 'a', '-n', namespace, '--ignore-not-found', '-o', 'name']),
    ).resolves.toBe('');
    return result;
  } finally {
    removeWorkspace(workspace);
  }
}

const secretOfRunner = 'swordfish-of-the-runner';

describe('an input that would stop the runner is refused with one error that names it', () => {
  const pipe = (path: string) => execFileSync('mkfifo', [path]);
  test.each<[string, Record<string, string>, (workspace: string) => unknown, string]>([
    [
      'a named pipe among the manifests',
      {},
      (workspace) => pipe(join(workspace, 'k8s/pipe.yaml')),
      '"k8s/pipe.yaml" is a named pipe, not a file',
    ],
    ['a device', { manifests: '/dev/zero' }, () => undefined, '"/dev/zero" is a device, not a file'],
    [
      'a named pipe for a ConfigMap',
      { configmaps: 'c=pipe' },
      (workspace) => pipe(join(workspace, 'pipe')),
      '"pipe" of the input "configmaps" is a named pipe, not a file',
    ],
    [
      'a file of 5 GB',
      {},
      (workspace) => {
        writeFileSync(join(workspace, 'k8s/b.yaml'), '');
        truncateSync(join(workspace, 'k8s/b.yaml'), 5_000_000_000);
      },
      '"k8s/b.yaml" is too large (4768.4 MiB): the limit for one file of manifests is 16 MiB',
    ],
    [
      'a file of 5 GB for a Secret',
      { secrets: 'c=big' },
      (workspace) => {
        writeFileSync(join(workspace, 'big'), '');
        truncateSync(join(workspace, 'big'), 5_000_000_000);
      },
      'the limit for the values of one ConfigMap or Secret is 1 MiB',
    ],
    [
      'a billion laughs',
      {},
      (workspace) => {
        const lines = Array.from({ length: 12 }, (_, i) => `x${i + 1}: &x${i + 1} [${`*x${i},`.repeat(20)}l]\n`);
        writeFileSync(join(workspace, 'k8s/b.yaml'), `${map('b')}x0: &x0 [l]\n${lines.join('')}`);
      },
      'its aliases make it too large: the limit for manifests with their aliases expanded is 128 MiB',
    ],
    [
      'nesting without end',
      {},
      (workspace) => {
        writeFileSync(join(workspace, 'k8s/b.yaml'), `${map('b')}x: ${'['.repeat(1_000_000)}`);
      },
      'nesting exceeded maxDepth (100)',
    ],
    [
      'a pattern that stands for a quarter of a million',
      { manifests: `${'{a,b}'.repeat(18)}.yaml` },
      () => undefined,
      'the limit for the patterns that one with braces expands to is 1,000',
    ],
    [
      'a link out of the workspace',
      {},
      (workspace) => {
        symlinkSync('/proc/self/environ', join(workspace, 'k8s/b.yaml'));
      },
      '"k8s/b.yaml" points outside the workspace through a symbolic link',
    ],
    [
      'a link out of the workspace for a ConfigMap',
      { configmaps: 'c=key=link' },
      (workspace) => {
        symlinkSync('/etc/passwd', join(workspace, 'link'));
      },
      '"link" points outside the workspace through a symbolic link',
    ],
  ])('%s', async (_, inputs, prepare, words) => {
    const { log } = await refused(inputs, (workspace) => {
      prepare(workspace);
      return { SECRET_OF_RUNNER: secretOfRunner };
    });
    expect(log).toContain(words);
    expect(log.split('::error').length - 1).toBe(1);
    expect(log).not.toContain(secretOfRunner);
    expect(log).not.toContain('root:x:');
  });

  test('a kubeconfig that is a named pipe, or that is too large', async () => {
    const asPipe = await refused({ kubeconfig: 'kubeconfig' }, (workspace) => {
      pipe(join(workspace, 'kubeconfig'));
      return undefined;
    });
    expect(asPipe.log).toContain('/kubeconfig" is a named pipe, not a file');
    const tooLarge = await refused({ kubeconfig: 'kubeconfig' }, (workspace) => {
      writeFileSync(join(workspace, 'kubeconfig'), '');
      truncateSync(join(workspace, 'kubeconfig'), 5_000_000_000);
      return undefined;
    });
    expect(tooLarge.log).toContain('the limit for a kubeconfig is 4 MiB');
  });
});

/** A program that does what it should not, found before any other on the PATH; it notes its process group. */
function fake(workspace: string, program: string, script: string): Record<string, string> {
  const bin = join(workspace, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, program), `#!/bin/sh\necho $$ > '${workspace}/pid'\n${script}\n`);
  chmodSync(join(bin, program), 0o755);
  return { PATH: `${bin}:${process.env['PATH'] ?? ''}` };
}

/** The processes of a group that still run. */
function alive(group: number): string {
  const lines = execFileSync('ps', ['-eo', 'pgid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.filter((line) => new RegExp(`^\\s*${group}\\s+[^Z]`).test(line)).join('\n');
}

function withPlugin(command: string): string {
  const config = load(readFileSync(testKubeconfig(), 'utf8')) as { users: { user: object }[] };
  const exec = { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' };
  return JSON.stringify({ ...config, users: config.users.map((user) => ({ ...user, user: { exec } })) });
}

describe('a program that is started', () => {
  test.each([
    [
      'kubectl',
      'prints without end',
      'yes',
      'printed too much: the limit for the output of a kustomize build is 32 MiB',
    ],
    ['kubectl', 'complains without end', 'yes >&2', 'printed too much: the limit for the output of a kustomize build'],
    [
      'plugin',
      'prints without end',
      'yes',
      'printed too much: the limit for the output of a credential plugin is 1 MiB',
    ],
    [
      'plugin',
      'prints without end and ignores SIGTERM',
      'trap "" TERM PIPE; while true; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done',
      'printed too much: the limit for the output of a credential plugin is 1 MiB',
    ],
  ])('%s that %s is ended', async (program, _, script, words) => {
    const inputs = program === 'kubectl' ? { manifests: 'base' } : { kubeconfig: withPlugin('plugin') };
    const workspace = createWorkspace({ 'base/kustomization.yaml': 'resources: []\n', 'k8s/a.yaml': map('a') });
    try {
      const env = fake(workspace, program, script);
      const given = { kubeconfig: testKubeconfig(), namespace, release: 'limits', manifests: 'k8s', ...inputs };
      const result = await runStep(given, { workspace, env });
      const group = Number(readFileSync(join(workspace, 'pid'), 'utf8'));
      measured.limits += 1;
      measured.slowestMs = Math.max(measured.slowestMs, result.durationMs);
      expect(result.exit).toBe(1);
      expect(result.log).toContain(words);
      expect(alive(group)).toBe('');
    } finally {
      removeWorkspace(workspace);
    }
  });

  test.each([
    ['kubectl', 'hangs', 'exec sleep 600'],
    ['kubectl', 'ignores SIGTERM', 'trap "" TERM INT; while true; do sleep 1; done'],
    ['plugin', 'hangs with what it has started', 'sleep 600 & sleep 600'],
  ])('%s that %s ends when the run is cancelled', async (program, _, script) => {
    const inputs = program === 'kubectl' ? { manifests: 'base' } : { kubeconfig: withPlugin('plugin') };
    const workspace = createWorkspace({ 'base/kustomization.yaml': 'resources: []\n', 'k8s/a.yaml': map('a') });
    const env = fake(workspace, program, script);
    const given = { kubeconfig: testKubeconfig(), namespace, release: 'limits', manifests: 'k8s', ...inputs };
    const step = new Step(given, { workspace, env });
    try {
      const end = step.main();
      const group = await untilStarted(join(workspace, 'pid'));
      const cancelledAt = performance.now();
      step.signal('SIGINT');
      const result = await end;
      measured.limits += 1;
      // The runner kills 10 s after its first signal.
      expect(performance.now() - cancelledAt).toBeLessThan(9_000);
      expect(result.log).toContain('cancelled');
      expect(alive(group)).toBe('');
    } finally {
      step.dispose();
      removeWorkspace(workspace);
    }
  });

  test('may leave something behind that holds its output open: its answer counts', async () => {
    const workspace = createWorkspace({ 'base/kustomization.yaml': 'resources: []\n' });
    try {
      const env = fake(workspace, 'kubectl', `sleep 600 &\ncat <<'END'\n${map('built')}END`);
      const given = { kubeconfig: testKubeconfig(), namespace, release: 'left', manifests: 'base' };
      const result = await runStep(given, { workspace, env });
      measured.limits += 1;
      expect(result.exit).toBe(0);
      await expect(kubectl(['get', 'configmap', 'built', '-n', namespace, '-o', 'name'])).resolves.toContain('built');
      expect(alive(Number(readFileSync(join(workspace, 'pid'), 'utf8')))).toBe('');
    } finally {
      removeWorkspace(workspace);
    }
  });
});

async function untilStarted(path: string): Promise<number> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      const group = Number(readFileSync(path, 'utf8'));
      if (group > 0) return group;
    } catch {
      // Not yet.
    }
    if (Date.now() > deadline) throw new Error('the program was not started');
    await sleep(50);
  }
}

test('what is large and in order is deployed: a file of 10 MB, and a link that stays inside', async () => {
  const many = Array.from({ length: 20 }, (_, index) => `${map(`m${index}`)}# ${'x'.repeat(500_000)}\n`).join('---\n');
  const workspace = createWorkspace({ 'k8s/many.yaml': many, 'other/b.yaml': map('b') });
  symlinkSync('../other/b.yaml', join(workspace, 'k8s/b.yaml'));
  const given = { kubeconfig: testKubeconfig(), namespace, release: 'large', manifests: 'k8s' };
  try {
    const result = await runStep(given, { workspace });
    expect(result.log).not.toContain('::error');
    expect(result.exit).toBe(0);
  } finally {
    removeWorkspace(workspace);
  }
});
