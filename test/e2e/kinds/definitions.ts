import { readFileSync } from 'node:fs';

import { ensureDefinitions } from '../../cluster/definitions.ts';
import { waitUntil } from '../../cluster/run.ts';
import { kubectl } from '../../support/kubectl.ts';

/** By it the suite knows what it has brought: a definition of somebody else has a controller, and stays. */
const label = 'gke-rollout.test/suite=kinds';

/** Brings the real definitions into the cluster, and waits until it serves them. @throws Error when somebody else has them there */
export async function bringDefinitions(): Promise<void> {
  const files = await ensureDefinitions();
  await Promise.all(Object.entries(files).map(([name, file]) => bring(name, readFileSync(file, 'utf8'))));
}

/** Takes away what `bringDefinitions` has brought, and waits until it is gone: other suites look at what the cluster serves. */
export async function removeDefinitions(): Promise<void> {
  await kubectl(['delete', 'crd', '-l', label, '--timeout=60s']);
}

async function bring(name: string, text: string): Promise<void> {
  const there = await kubectl(['get', 'crd', '-l', `!${label.replace(/=.*/, '')}`, '-o', 'name']);
  if (there.split('\n').some((line) => line.endsWith(`/${name}`)))
    throw new Error(`the cluster has "${name}" already, and so perhaps its controller: take another cluster`);
  // A client-side apply would keep a copy in an annotation, which may not be as large.
  await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], text);
  await kubectl(['label', 'crd', name, label, '--overwrite']);
  await kubectl(['wait', `crd/${name}`, '--for=condition=Established', '--timeout=60s']);
  await waitUntil(`"${name}" is served`, 30_000, async () => {
    await kubectl(['get', name, '--all-namespaces']);
    return true;
  });
}
