import { readFileSync } from 'node:fs';

import { load } from 'js-yaml';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { ensureDefinitions } from '../../cluster/definitions.ts';
import { waitUntil } from '../../cluster/run.ts';
import { kubectl } from '../../support/kubectl.ts';

/** By it the suite knows what it has brought: a definition of somebody else has a controller, and stays. */
const label = 'gke-rollout.test/kinds';

/**
 * Brings the real definitions into the cluster, and waits until it serves them. One after the other: they are large, and the API
 * server works for a while on each.
 * @throws Error when somebody else has one of them there
 */
export async function bringDefinitions(): Promise<void> {
  const foreign = (await kubectl(['get', 'crd', '-l', `!${label}`, '-o', 'name'])).split('\n');
  for (const [name, file] of Object.entries(await ensureDefinitions())) {
    if (foreign.some((line) => line.endsWith(`/${name}`)))
      throw new Error(`the cluster has "${name}" already, and so perhaps its controller: take another cluster`);
    await bring(name, load(readFileSync(file, 'utf8')) as KubernetesObject);
  }
}

/** Takes away what `bringDefinitions` has brought, and waits until it is gone: other suites look at what the cluster serves. */
export async function removeDefinitions(): Promise<void> {
  await kubectl(['delete', 'crd', '-l', label, '--timeout=60s']);
}

async function bring(name: string, definition: KubernetesObject): Promise<void> {
  const labels = { ...definition.metadata.labels, [label]: 'true' };
  const labelled = { ...definition, metadata: { ...definition.metadata, labels } };
  // A client-side apply would keep a copy in an annotation, which may not be as large.
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(labelled));
  await waitUntil(`"${name}" is served`, 60_000, async () => {
    const established = '{.status.conditions[?(@.type=="Established")].status}';
    if ((await kubectl(['get', 'crd', name, '-o', `jsonpath=${established}`])) !== 'True') return false;
    await kubectl(['get', name, '--all-namespaces']);
    return true;
  });
}
