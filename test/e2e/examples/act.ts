import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

import { ensureProgram } from '../../cluster/build.ts';
import { registryUrl } from '../../cluster/node.ts';
import { run } from '../../cluster/run.ts';
import { certificateFor, type Certificate } from '../../support/certificate.ts';
import type { FakeGitHub } from '../../support/github/fake-github.ts';
import { kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { exampleText, root } from './workflow-files.ts';

/**
 * What stands, in a run by act, for the actions of others that reach the network. A checkout is act's own part, but for one of another
 * commit (`ref`).
 */
export const standIns: Readonly<Record<string, string>> = {
  'actions/checkout': 'nothing',
  'docker/login-action': 'nothing',
  'docker/setup-buildx-action': 'nothing',
  'docker/build-push-action': 'build-push',
  'actions/attest-build-provenance': 'nothing',
  'actions/upload-artifact': 'upload',
  'actions/download-artifact': 'download',
  'google-github-actions/auth': 'google-auth',
  'neondatabase/create-branch-action': 'create-branch',
  'neondatabase/delete-branch-action': 'nothing',
};

const own = 'acme/gke-rollout';
const standInsFolder = join(import.meta.dirname, 'stand-ins');

/** Which actions a workflow uses, as they stand there: `docker/login-action@0123…`. */
export function actionsOf(text: string): string[] {
  return [...text.matchAll(/^ *(?:- )?uses: (\S+)/gm)].map(([, action = '']) => action);
}

/** Lines that act 0.2.89 refuses, since its schema does not have the key. */
export const unknownToAct = /^ {6}deployment: false(?: #.*)?\n/gm;

export interface RunOptions {
  /** This one alone. */
  job?: string;
  /** Texts of the workflow that become others. */
  changes?: Readonly<Record<string, string>>;
  /** Variables of all jobs. */
  env?: Readonly<Record<string, string>>;
}

interface Parts {
  act: string;
  registry: string;
  certificate: Certificate;
}

/** An application in a repository of its own, whose workflows act runs against the cluster of the tests. */
export class Repository implements AsyncDisposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'gke-rollout-examples-'));
  /** What act gets that is no part of the repository. */
  readonly #aside = mkdtempSync(join(tmpdir(), 'gke-rollout-examples-aside-'));
  readonly namespace: string;
  readonly github: FakeGitHub;
  readonly #act: string;
  readonly #registry: string;
  readonly #secrets: Readonly<Record<string, string>>;

  private constructor(namespace: string, github: FakeGitHub, parts: Parts) {
    const { act, registry, certificate } = parts;
    this.namespace = namespace;
    this.github = github;
    this.#act = act;
    this.#registry = registry;
    this.#secrets = {
      KUBECONFIG: testKubeconfig(),
      TLS_CRT: certificate.cert,
      TLS_KEY: certificate.key,
      NEON_API_KEY: 'napi_test',
      GITHUB_TOKEN: github.token,
    };
  }

  /** The layouts of examples/ctwoc and examples/model-server at its root, as the examples expect them. */
  static async create(namespace: string, github: FakeGitHub): Promise<Repository> {
    const act = await ensureProgram('act');
    using certificate = await certificateFor(['DNS:frontend']);
    const registry = await registryOfCluster();
    const repository = new Repository(namespace, github, { act, registry, certificate });
    const { folder } = repository;
    for (const part of ['deployments', 'services', 'config', 'tls', 'server']) {
      cpSync(join(root, 'examples/ctwoc', part), join(folder, part), { recursive: true });
    }
    cpSync(join(root, 'examples/model-server/model'), join(folder, 'model'), { recursive: true });
    mkdirSync(join(folder, '.github/workflows'), { recursive: true });
    // The action as a tag has it: nothing but this.
    for (const part of ['action.yml', 'dist']) {
      cpSync(join(root, part), join(repository.#aside, 'action', part), { recursive: true });
    }
    await repository.#git('init', '--quiet', '--initial-branch=main');
    await repository.#git('remote', 'add', 'origin', 'https://github.com/acme/shop');
    return repository;
  }

  /** Makes a commit, and the image that it would have: this version of the sample under the commit's hash. */
  async commit(version: string): Promise<string> {
    await this.#git('add', '--all');
    await this.#git('commit', '--quiet', '--allow-empty', `--message=version ${version}`);
    const sha = (await this.#git('rev-parse', 'HEAD')).trim();
    await run(join(standInsFolder, 'bin/tag-image'), [version, sha], { env: { TEST_REGISTRY: this.#registry } });
    return sha;
  }

  /**
   * Runs an example to its end and returns the log; throws with the log when a job fails.
   * @param event its name and what GitHub would tell of it
   */
  async run(example: string, event: { name: string; payload?: object }, options: RunOptions = {}): Promise<string> {
    const text = exampleText(example);
    const workflow = join('.github/workflows', example);
    writeFileSync(join(this.folder, workflow), copyFor(text, { ...this.#changes(), ...options.changes }));
    const payload = join(this.#aside, 'event.json');
    writeFileSync(payload, JSON.stringify(event.payload ?? {}));
    const own = { TEST_REGISTRY: this.#registry, TEST_ARTIFACTS: join(this.#aside, 'artifacts') };
    const env = { ...this.github.env, ...own, ...options.env };
    const args = [
      ...['--platform=ubuntu-latest=-self-hosted', '--platform=self-hosted=-self-hosted', '--pull=false'],
      ...[`--workflows=${workflow}`, `--eventpath=${payload}`, '--no-cache-server'],
      ...(options.job === undefined ? [] : [`--job=${options.job}`]),
      ...Object.keys(this.#secrets).map((name) => `--secret=${name}`),
      ...Object.entries(env).map(([name, value]) => `--env=${name}=${value}`),
      ...this.#replacements(text).map((replacement) => `--local-repository=${replacement}`),
    ];
    const path = [join(standInsFolder, 'bin'), process.env['PATH']].join(delimiter);
    // Its own warnings among what the jobs print, for what is on stderr would be all that an error tells.
    const merged = ['-c', '"$@" 2>&1', 'sh', this.#act, event.name, ...args];
    return await run('sh', merged, { cwd: this.folder, env: { ...this.#secrets, PATH: path } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github[Symbol.asyncDispose]();
    for (const folder of [this.folder, this.#aside]) rmSync(folder, { recursive: true, force: true });
  }

  /** What others use too, and what no test can wait for. */
  #changes(): Record<string, string> {
    return {
      'namespace: ctwoc\n': `namespace: ${this.namespace}\n`,
      'namespace: models\n': `namespace: ${this.namespace}\n`,
      'ctwoc/tls-certs\n': `${this.namespace}/tls-certs\n`,
      'ghcr.io/acme/ctwoc': 'registry.test/ctwoc',
      'step-duration: 5m\n': 'step-duration: 2s\n',
      'keep-old-for: 10m\n': 'keep-old-for: 2s\n',
    };
  }

  /** `ACTION@REF=FOLDER` for each action of a workflow, as act takes it. */
  #replacements(text: string): string[] {
    return [...new Set(actionsOf(text))].flatMap((action) => {
      const [name = ''] = action.split('@');
      if (name === own) return `${action}=${join(this.#aside, 'action')}`;
      const standIn = standIns[name];
      return standIn === undefined ? [] : `${action}=${join(standInsFolder, standIn)}`;
    });
  }

  #git(...args: readonly string[]): Promise<string> {
    return run('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], { cwd: this.folder });
  }
}

/** The registry of the embedded cluster, as the machine reaches it. */
async function registryOfCluster(): Promise<string> {
  const config = await kubectl(['config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}']);
  return registryUrl({ node: new URL(config).hostname });
}

/** The workflow with the texts of a table replaced, and without what act does not know. */
export function copyFor(text: string, changes: Readonly<Record<string, string>>): string {
  return Object.entries(changes).reduce(
    (copy, [before, after]) => copy.replaceAll(before, after),
    text.replaceAll(unknownToAct, ''),
  );
}
