import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { systemClock } from '../../../src/base/clock.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { connect } from '../../../src/kubernetes/connection.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { untilServed } from '../../../src/apply/served-kinds.ts';
import { timeOf } from '../../../src/kubernetes/conditions.ts';
import { waitForRollout, type RolloutResult } from '../../../src/rollout/tracker.ts';
import { testKubeconfig } from '../../support/kubectl.ts';
import { recording, slim, writeSequence, type Sequence, type SequenceStep } from '../../support/sequence.ts';
import { silentReporter } from '../../support/silent-reporter.ts';

/** The same manager for all writes; the time of its entry is when the server carried the last one out. */
const fieldManager = 'gke-rollout-rules';

/** A client of the test's cluster, and what its waits showed. */
export class Stage {
  readonly client: KubernetesClient;
  readonly sequences: Sequence[] = [];
  readonly results: RolloutResult[] = [];

  private constructor(client: KubernetesClient) {
    this.client = client;
  }

  static async open(): Promise<Stage> {
    const connection = await connect({ kubeconfig: testKubeconfig(), cwd: process.cwd(), env: {} });
    const signal = new AbortController().signal;
    return new Stage(createClient(connection, { clock: systemClock, signal, userAgent: 'gke-rollout-tests' }));
  }

  /** Applies a manifest to the namespace; undefined for what lies in none. */
  async write(namespace: string | undefined, manifest: object): Promise<KubernetesObject> {
    const object = manifest as KubernetesObject;
    const metadata = namespace === undefined ? object.metadata : { ...object.metadata, namespace };
    return (await this.client.apply({ ...object, metadata }, { fieldManager, force: true })).object;
  }

  /** Waits for one object and keeps what was seen meanwhile under the words of `about`. */
  async wait(about: string, object: KubernetesObject, seconds = 60, changed = true): Promise<RolloutResult> {
    const steps: SequenceStep[] = [];
    const entry = object.metadata.managedFields?.find(({ manager }) => manager === fieldManager);
    const writtenAt = timeOf(entry?.time) ?? Date.now();
    const result = await waitForRollout(recording(this.client, steps), [{ object, changed, writtenAt }], {
      reporter: silentReporter,
      clock: systemClock,
      deadline: Date.now() + seconds * 1000,
      signal: new AbortController().signal,
    });
    this.results.push(result);
    const verdict = result.targets[0]?.verdict.state ?? 'progressing';
    const written = slim(object);
    this.sequences.push({ about, written, writtenAt, changed, steps, endedAt: Date.now(), verdict });
    return result;
  }

  /** Waits until objects of these definitions can be written. */
  async untilServed(definitions: readonly KubernetesObject[]): Promise<void> {
    const { signal } = new AbortController();
    await untilServed(this.client, definitions, { clock: systemClock, signal, deadline: Date.now() + 30_000 });
  }

  /** Keeps the sequences as files that the unit tests replay. */
  save(folder: string): void {
    mkdirSync(folder, { recursive: true });
    for (const sequence of this.sequences) {
      if (sequence.steps.length === 0) continue;
      const name = sequence.about.replaceAll(/[^a-z0-9]+/gi, '-').toLowerCase();
      writeFileSync(join(folder, `${name}.jsonl`), writeSequence(sequence));
    }
  }
}

/** `ready: …`, `failed: Reason: …` or what else the wait for one object ended with. */
export function saidOf({ outcome, targets, causes }: RolloutResult): string {
  const verdict = targets[0]?.verdict;
  if (outcome !== 'ready' || verdict === undefined)
    return `${outcome}: ${causes[0]?.reason ?? ''}: ${causes[0]?.message ?? ''}`;
  return `${verdict.state}: ${verdict.state === 'failed' ? '' : verdict.message}`;
}
