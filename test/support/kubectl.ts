import { randomBytes } from 'node:crypto';

import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { run } from '../cluster/run.ts';

/** The cluster that the end-to-end suites run on; `script/test` sets it. */
export function testKubeconfig(): string {
  const path = process.env['TEST_KUBECONFIG'];
  if (path === undefined || path === '')
    throw new Error('TEST_KUBECONFIG is not set: run the suite through script/test');
  return path;
}

/** Runs kubectl as an independent witness of what is in the cluster; throws with its stderr when it fails. */
export function kubectl(args: readonly string[], input = ''): Promise<string> {
  return run(process.env['TEST_KUBECTL'] ?? 'kubectl', ['--kubeconfig', testKubeconfig(), ...args], { input });
}

export async function kubectlJson(args: readonly string[]): Promise<KubernetesObject> {
  return JSON.parse(await kubectl([...args, '-o', 'json'])) as KubernetesObject;
}

/** A fresh namespace whose name begins with `prefix`. */
export async function createNamespace(prefix: string): Promise<string> {
  const name = `${prefix}-${randomBytes(3).toString('hex')}`;
  await kubectl(['create', 'namespace', name]);
  return name;
}

/** Starts the deletion of a namespace; the cluster finishes it by itself. */
export async function deleteNamespace(name: string): Promise<void> {
  await kubectl(['delete', 'namespace', name, '--wait=false', '--ignore-not-found']);
}
