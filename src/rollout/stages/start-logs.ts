import type { Clock } from '../../base/clock.ts';
import { messageOf } from '../../base/errors.ts';
import type { Reporter } from '../../base/reporter.ts';
import type { KubernetesClient } from '../../kubernetes/client.ts';
import { isStatus } from '../../kubernetes/errors.ts';
import { refOf, type KubernetesObject } from '../../kubernetes/object.ts';
import { serverNow } from '../../kubernetes/server-time.ts';
import { isReadyPod } from '../failures/pod.ts';
import { readLogProgress } from './log-progress.ts';
import { containerAtWork, logKey, type LogsSeen, type SeenOfLog } from './stage.ts';

const everyMs = 15_000;
/** What starts quickly is not asked. */
const leastRunMs = 15_000;
const maxPods = 3;
const tailLines = 25;

/** Reads how far slow starts are from the logs of their containers, where that may be read. Only numbers are kept of a log. */
export class StartLogs {
  readonly #client: KubernetesClient;
  readonly #clock: Clock;
  readonly #reporter: Pick<Reporter, 'debug'>;
  #seen: LogsSeen = new Map();
  /** Of which containers a percentage has fallen, by the keys of their logs. */
  readonly #fallen = new Set<string>();
  #isForbidden = false;

  constructor({
    client,
    clock,
    reporter,
  }: {
    client: KubernetesClient;
    clock: Clock;
    reporter: Pick<Reporter, 'debug'>;
  }) {
    this.#client = client;
    this.#clock = clock;
    this.#reporter = reporter;
  }

  get seen(): LogsSeen {
    return this.#seen;
  }

  /**
   * Reads from time to time, until the signal aborts or a log may not be read.
   * @param pods those that are waited for
   * @param onChange called after each time
   */
  async follow(pods: () => readonly KubernetesObject[], signal: AbortSignal, onChange: () => void): Promise<void> {
    while (!this.#isForbidden) {
      await this.#clock.sleep(everyMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await this.read(pods());
      onChange();
    }
  }

  /**
   * Reads once. What is not read again, or has nothing to say any more, is not known any more: a start must not seem to stand still
   * because nobody looks.
   * @param pods those that may be on their way
   */
  async read(pods: readonly KubernetesObject[]): Promise<void> {
    const read = await Promise.all(this.#slow(pods).map(async (pod) => await this.#progressOf(pod)));
    this.#seen = new Map(read.flat());
  }

  /**
   * Reads once more, and keeps what is known where a log cannot be read now.
   * @param pods those that may be on their way
   */
  async refresh(pods: readonly KubernetesObject[]): Promise<void> {
    if (this.#isForbidden) return;
    const known = this.#seen;
    await this.read(pods);
    this.#seen = new Map([...known, ...this.#seen]);
  }

  #slow(pods: readonly KubernetesObject[]): KubernetesObject[] {
    const now = serverNow(this.#client, this.#clock);
    return pods
      .filter((pod) => {
        if (pod.metadata.deletionTimestamp !== undefined || isReadyPod(pod)) return false;
        const startedAt = containerAtWork(pod)?.startedAt;
        return startedAt !== undefined && now - startedAt >= leastRunMs;
      })
      .slice(0, maxPods);
  }

  async #progressOf(pod: KubernetesObject): Promise<[string, SeenOfLog][]> {
    const container = containerAtWork(pod);
    if (container === undefined) return [];
    try {
      const ref = refOf({ ...pod, apiVersion: 'v1', kind: 'Pod' });
      const progress = readLogProgress(await this.#client.logs(ref, container.name, { tailLines }));
      if (progress === undefined) return [];
      const key = logKey(pod, container.name, container.startedAt);
      const known = this.#seen.get(key);
      const isSame = known?.progress.stage === progress.stage;
      const isFirst = known === undefined && progress.stage === 'weights';
      const now = serverNow(this.#client, this.#clock);
      // A bar that has begun again (a second model, a second file) measures the whole no more.
      const hasFallen =
        isSame && known.progress.step === progress.step && (progress.percent ?? 0) < (known.progress.percent ?? 0);
      if (hasFallen) this.#fallen.add(key);
      if (this.#fallen.has(key)) progress.isCoarse = true;
      return [[key, { progress, since: isSame ? known.since : isFirst ? (container.startedAt ?? now) : now }]];
    } catch (error) {
      this.#reporter.debug(`how far pod "${pod.metadata.name}" is stays unknown: ${messageOf(error)}`);
      if (isStatus(error, 403)) this.#isForbidden = true;
      return [];
    }
  }
}
