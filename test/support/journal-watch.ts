import { spawn } from 'node:child_process';

import { objectsAt, type JsonObject } from '../../src/base/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { testKubeconfig } from './kubectl.ts';
import { valueIn } from './stored-record.ts';

/** Watches the journal of a release while something is done. @returns its entries, as it was written last with any */
export async function journalDuring(
  { namespace, release }: { namespace: string; release: string },
  work: () => Promise<unknown>,
): Promise<JsonObject[]> {
  const name = `gke-rollout.${release}.journal`;
  const template = '{{with .data}}{{.record}}{{end}}{{"\\n"}}';
  const watch = spawn(process.env['TEST_KUBECTL'] ?? 'kubectl', [
    ...['--kubeconfig', testKubeconfig(), '-n', namespace, 'get', 'secrets', '--watch'],
    ...['--field-selector', `metadata.name=${name}`, '-o', `go-template=${template}`],
  ]);
  let text = '';
  watch.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  try {
    await work();
  } finally {
    watch.kill();
  }
  const found = text
    .split('\n')
    .filter((line) => line !== '')
    .map((record) => valueIn({ data: { record } } as unknown as KubernetesObject))
    .map((journal) => objectsAt(journal, 'entries'));
  return found.findLast((entries) => entries.length > 0) ?? [];
}
