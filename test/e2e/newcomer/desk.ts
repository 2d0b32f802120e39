import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

import { ensureProgram } from '../../cluster/build.ts';
import { run } from '../../cluster/run.ts';
import { FakeGitHub } from '../../support/github/fake-github.ts';
import { testKubeconfig } from '../../support/kubectl.ts';
import { root } from './pages.ts';

const standIns = join(import.meta.dirname, 'stand-ins');
const nothing = join(import.meta.dirname, '../examples/stand-ins/nothing');

/**
 * What a newcomer sits at: a repository of their own with nothing in it, this checkout beside it, kubectl as an administrator of the
 * cluster of the tests, and stand-ins for gh and gcloud.
 */
export class Desk implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'gke-rollout-newcomer-'));
  readonly #act: string;
  readonly #github: FakeGitHub;
  readonly repository = join(this.#folder, 'shop');

  private constructor(act: string, github: FakeGitHub) {
    this.#act = act;
    this.#github = github;
  }

  static async create(): Promise<Desk> {
    const desk = new Desk(await ensureProgram('act'), await FakeGitHub.start());
    for (const folder of ['shop', 'secrets', 'release']) mkdirSync(join(desk.#folder, folder));
    symlinkSync(root, join(desk.#folder, 'gke-rollout'));
    // The action as a tag has it: nothing but this.
    for (const part of ['action.yml', 'dist'])
      cpSync(join(root, part), join(desk.#folder, 'release', part), { recursive: true });
    await desk.git('init', '--quiet', '--initial-branch=main');
    await desk.git('remote', 'add', 'origin', 'https://github.com/acme/shop');
    return desk;
  }

  /** Writes a file of the repository. */
  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.repository, path)), { recursive: true });
    writeFileSync(join(this.repository, path), `${text}\n`);
  }

  /** Runs lines of a page in the repository, until the first that fails; returns what they print. @throws Error with what is on stderr */
  async shell(
    lines: string,
    { cwd = this.repository, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
  ): Promise<string> {
    const kubectl = dirname(process.env['TEST_KUBECTL'] ?? '');
    return await run('bash', ['-euo', 'pipefail', '-c', lines], {
      cwd,
      env: {
        PATH: [standIns, kubectl, process.env['PATH']].join(delimiter),
        KUBECONFIG: testKubeconfig(),
        NEWCOMER_SECRETS: join(this.#folder, 'secrets'),
        NEWCOMER_GCLOUD: this.#gcloudLog,
        ...env,
      },
    });
  }

  /** The value that `gh secret set` was given. */
  secret(name: string): string {
    return readFileSync(join(this.#folder, 'secrets', name), 'utf8');
  }

  /** What gcloud was told, one line each. */
  gcloud(): string[] {
    return readFileSync(this.#gcloudLog, 'utf8').trim().split('\n');
  }

  /**
   * What a push to main starts: the workflow, by act; returns its log.
   * @throws Error with the log when a job fails
   */
  async push({
    secrets = {},
    env = {},
  }: { secrets?: Record<string, string>; env?: Record<string, string> } = {}): Promise<string> {
    await this.git('add', '--all');
    await this.git('commit', '--quiet', '--allow-empty', '--message=deploy');
    const given = { GITHUB_TOKEN: this.#github.token, ...secrets };
    const variables = { ...this.#github.env, ...env };
    const args = [
      ...['--platform=ubuntu-latest=-self-hosted', '--pull=false', '--no-cache-server'],
      ...Object.keys(given).map((name) => `--secret=${name}`),
      ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
      `--local-repository=acme/gke-rollout@v1=${join(this.#folder, 'release')}`,
      `--local-repository=actions/checkout@v7=${nothing}`,
    ];
    // Its own warnings among what the jobs print, for what is on stderr would be all that an error tells.
    const merged = ['-c', '"$@" 2>&1', 'sh', this.#act, 'push', ...args];
    return await run('sh', merged, { cwd: this.repository, env: given });
  }

  async git(...args: readonly string[]): Promise<void> {
    await run('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...args], { cwd: this.repository });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#github[Symbol.asyncDispose]();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #gcloudLog(): string {
    return join(this.#folder, 'gcloud.log');
  }
}
