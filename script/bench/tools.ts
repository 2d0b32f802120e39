import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Cluster } from '../../test/cluster/cluster.ts';
import { ensureTools, tool } from '../../test/cluster/tools.ts';
import { Step, type StepOptions, type StepResult } from '../../test/support/step.ts';
import { costFrom, timeFormat, type Cost } from './cost.ts';

/** The programs that are compared, on one cluster, each run under GNU time. */
export class Tools {
  readonly cluster: Cluster;
  readonly #helm: string | undefined;
  readonly #folder: string;
  #namespaces: string[] = [];

  private constructor(cluster: Cluster, helm: string | undefined, folder: string) {
    this.cluster = cluster;
    this.#helm = helm;
    this.#folder = folder;
  }

  /** @param helm its path; without one its columns stay empty */
  static async on(cluster: Cluster, helm: string | undefined): Promise<Tools> {
    await ensureTools({ time: 'time' });
    return new Tools(cluster, helm, mkdtempSync(join(tmpdir(), 'gke-rollout-bench-')));
  }

  dispose(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /**
   * The main step of the action with these inputs beside the kubeconfig. @throws Error when it does not end with this status
   */
  async action(
    inputs: Readonly<Record<string, string>>,
    status: string,
    options: StepOptions,
  ): Promise<{ cost: Cost; result: StepResult }> {
    const step = new Step({ kubeconfig: this.cluster.kubeconfig, ...inputs }, { ...options, under: this.#under });
    try {
      const result = await step.main();
      if (result.outputs['status'] !== status) throw new Error(`expected ${status}:\n${result.log}`);
      return { cost: this.#cost(result.durationMs), result };
    } finally {
      step.dispose();
    }
  }

  /** @param codes those that count as success */
  async kubectl(args: readonly string[], codes: readonly number[] = [0]): Promise<Cost> {
    const kubectl = this.cluster.binaries['kubectl'] ?? '';
    return await this.#run([kubectl, '--kubeconfig', this.cluster.kubeconfig, ...args], codes);
  }

  get hasHelm(): boolean {
    return this.#helm !== undefined;
  }

  /** Undefined without helm. @param codes those that count as success */
  async helm(args: readonly string[], codes: readonly number[] = [0]): Promise<Cost | undefined> {
    if (this.#helm === undefined) return undefined;
    return await this.#run([this.#helm, '--kubeconfig', this.cluster.kubeconfig, ...args], codes);
  }

  /** A namespace for one run, which stays until `clean`: to remove it at once would slow down the next tool. */
  async inNamespace<T>(name: string, work: (namespace: string) => Promise<T>): Promise<T> {
    await this.cluster.kubectl(['create', 'namespace', name]);
    this.#namespaces.push(name);
    await this.cluster.kubectl(['wait', '--for=create', 'serviceaccount/default', '-n', name, '--timeout=60s']);
    return await work(name);
  }

  /** Removes the namespaces of all runs so far, and waits until they are gone. */
  async clean(): Promise<void> {
    if (this.#namespaces.length === 0) return;
    await this.cluster.kubectl(['delete', 'namespace', ...this.#namespaces, '--timeout=600s']);
    this.#namespaces = [];
  }

  async #run(argv: readonly string[], codes: readonly number[]): Promise<Cost> {
    const [program = '', ...args] = [...this.#under, ...argv];
    const from = performance.now();
    const child = spawn(program, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Helm keeps its caches below the home.
      env: { PATH: process.env['PATH'] ?? '', HOME: this.#folder },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    const [code] = (await once(child, 'close')) as [number | null];
    const ms = performance.now() - from;
    if (!codes.includes(code ?? -1)) throw new Error(`${argv.join(' ')} ended with ${String(code)}:\n${output}`);
    return this.#cost(ms);
  }

  get #under(): string[] {
    return [tool('time'), '-f', timeFormat, '-o', this.#file];
  }

  get #file(): string {
    return join(this.#folder, 'time');
  }

  #cost(ms: number): Cost {
    return costFrom(readFileSync(this.#file, 'utf8'), ms);
  }
}
