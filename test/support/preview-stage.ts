import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { stringAt } from '../../src/base/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { FakeGitHub, type FakeGitHubOptions } from './github/fake-github.ts';
import type { FakePullRequest } from './github/state.ts';
import { deleteNamespace, kubectl, testKubeconfig } from './kubectl.ts';
import { Step, type StepResult } from './step.ts';
import type { Inputs } from './strategy-stage.ts';
import { createWorkspace, removeWorkspace } from './workspace.ts';

/** What a run of a preview was started by. */
export interface Started {
  /** `opened`, `synchronize`, `closed`… */
  action?: string;
  event?: 'pull_request' | 'pull_request_target' | 'merge_group' | 'schedule' | 'workflow_dispatch';
  /** Of the event; the newest unless said otherwise. */
  sha?: string;
  env?: Record<string, string>;
}

/** A repository on a loopback GitHub, a release of its own, and the action at work on its previews. */
export class PreviewStage implements AsyncDisposable {
  readonly github: FakeGitHub;
  readonly release: string;

  private constructor(github: FakeGitHub, release: string) {
    this.github = github;
    this.release = release;
  }

  static async open(options: FakeGitHubOptions = {}): Promise<PreviewStage> {
    const id = 1_000_000 + randomBytes(3).readUIntBE(0, 3);
    const github = await FakeGitHub.start({ ...options, repository: { id, ...options.repository } });
    return new PreviewStage(github, `shop-${randomBytes(2).toString('hex')}`);
  }

  namespaceOf(number: number): string {
    return `${this.release}-pr-${number}`;
  }

  /** A run of the workflow for a pull request as it is now. */
  async preview(
    number: number,
    objects: readonly object[],
    inputs: Inputs = {},
    started: Started = {},
  ): Promise<StepResult> {
    const step = this.step(number, objects, inputs, started);
    try {
      const main = await step.main();
      const post = await step.post();
      return post.exit === 0 ? main : { ...main, exit: post.exit, log: `${main.log}${post.log}` };
    } finally {
      step.dispose();
    }
  }

  /** The same, for whoever stops it on its way. */
  step(number: number, objects: readonly object[], inputs: Inputs = {}, started: Started = {}): Step {
    const workspace = createWorkspace(objects.length === 0 ? {} : { 'app.yaml': objects });
    const manifests: Inputs = objects.length === 0 ? {} : { manifests: '.' };
    const step = new Step(
      {
        command: 'preview',
        kubeconfig: testKubeconfig(),
        release: this.release,
        timeout: '60s',
        'github-token': this.github.token,
        ...manifests,
        ...inputs,
      },
      { workspace, env: { ...this.github.env, ...this.#envOf(number, started), ...started.env } },
    );
    const dispose = step.dispose.bind(step);
    step.dispose = () => {
      dispose();
      removeWorkspace(workspace);
    };
    return step;
  }

  async teardown(inputs: Inputs, started: Started & { number?: number } = {}): Promise<StepResult> {
    const { number = 0 } = started;
    const rest = number === 0 ? { event: 'schedule' as const, ...started } : started;
    return await this.preview(number, [], { command: 'teardown', ...inputs }, rest);
  }

  async namespace(number: number): Promise<KubernetesObject | undefined> {
    const name = this.namespaceOf(number);
    const found = await kubectl(['get', 'namespace', name, '--ignore-not-found', '-o', 'json']);
    return found === '' ? undefined : (JSON.parse(found) as KubernetesObject);
  }

  /** Whether there is a preview that nobody is taking away. */
  async isThere(number: number): Promise<boolean> {
    const found = await this.namespace(number);
    return found !== undefined && found.metadata.deletionTimestamp === undefined;
  }

  /** What the pods of a preview say of themselves, by its Service. */
  async versionOf(number: number, service = 'web'): Promise<string> {
    const path = `/api/v1/namespaces/${this.namespaceOf(number)}/services/${service}:80/proxy/version`;
    return await kubectl(['get', '--raw', path]);
  }

  async annotation(number: number, name: string): Promise<string | undefined> {
    return stringAt(await this.namespace(number), 'metadata', 'annotations', `gke-rollout/${name}`);
  }

  /** The comments of a pull request that the action has written. */
  commentsOf(number: number): string[] {
    return this.github.state.comments.filter((comment) => comment.number === number).map(({ body }) => body);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github[Symbol.asyncDispose]();
    const names = await kubectl(['get', 'namespaces', '-l', `gke-rollout/release=${this.release}`, '-o', 'name']);
    for (const line of names.split('\n').filter((one) => one !== ''))
      await deleteNamespace(line.split('/').at(-1) ?? '');
  }

  #envOf(number: number, { action = 'synchronize', event = 'pull_request', sha }: Started): Record<string, string> {
    const path = join(tmpdir(), `gke-rollout-event-${randomBytes(6).toString('hex')}.json`);
    writeFileSync(path, JSON.stringify(this.#payload(number, event, action, sha)));
    return { GITHUB_EVENT_NAME: event, GITHUB_EVENT_PATH: path };
  }

  #payload(number: number, event: string, action: string, sha: string | undefined): object {
    const { id, owner, name } = this.github.state.repository;
    const repository = { id, name, full_name: `${owner}/${name}`, owner: { login: owner } };
    if (!event.startsWith('pull_request')) return { action, repository };
    const found: FakePullRequest | undefined = this.github.state.pullRequests.get(number);
    const head = { sha: sha ?? found?.head.sha, ref: found?.head.branch, repo: { id: found?.head.repositoryId } };
    const base = { ref: 'main', sha: '0'.repeat(40), repo: { id } };
    const state = found?.state ?? 'open';
    const pull = { number, state, merged: found?.merged ?? false, draft: found?.draft ?? false, head, base };
    return { action, number, pull_request: { ...pull, user: { login: found?.author } }, repository };
  }
}
