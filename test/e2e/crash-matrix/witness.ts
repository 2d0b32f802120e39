import { numberAt, stringAt } from '../../../src/base/json.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { listIn, type Snapshot } from '../../support/snapshot.ts';
import { imageOf, type Version } from './application.ts';

/** What is wrong in a release that no run is at work on: leftovers of a run, locks, two live revisions. */
export function disorder({ records, holders, revisions }: Snapshot): string[] {
  const live = [...revisions].filter(([, outcome]) => outcome === 'live').map(([revision]) => revision);
  return [
    ...records.map((name) => `Secret "${name}" is left behind`),
    ...holders.map((holder) => `the lock is held by "${holder}"`),
    ...(live.length > 1 ? [`revisions ${live.join(' and ')} are live`] : []),
  ];
}

/** What is wrong when the application is to run in this version, and in no other: asks its pods, not only its objects. */
export async function wrongPods(api: ApiServer, namespace: string, version: Version): Promise<string[]> {
  const problems: string[] = [];
  const [deployments, pods] = await Promise.all([
    listIn(api, namespace, 'apps/v1/deployments'),
    listIn(api, namespace, 'v1/pods'),
  ]);
  for (const object of deployments) {
    const wanted = numberAt(object, 'spec', 'replicas');
    const counts = ['replicas', 'updatedReplicas', 'readyReplicas'].map((name) => numberAt(object, 'status', name));
    const isSeen = numberAt(object, 'status', 'observedGeneration') === object.metadata.generation;
    if (!isSeen || counts.some((count) => count !== wanted))
      problems.push(`Deployment "${object.metadata.name}" is not ready: ${JSON.stringify(object['status'])}`);
  }
  for (const pod of pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)) {
    const image = stringAt(pod, 'spec', 'containers', 0, 'image');
    if (image !== imageOf[version]) problems.push(`Pod "${pod.metadata.name}" runs ${image ?? 'nothing'}`);
  }
  const answers: [string, string][] = [
    ['/version', version === 'one' ? '1.0.0\n' : '2.0.0\n'],
    ['/config', `# ${version}\n`],
    ['/env?name=GREETING', `${version}\n`],
    [`/env?name=GREETING_${version.toUpperCase()}`, `${version}\n`],
  ];
  for (const [path, expected] of answers) {
    const url = `/api/v1/namespaces/${namespace}/services/web:http/proxy${path}`;
    const found = await api.get(url).catch((error: unknown) => String(error));
    if (found !== expected) problems.push(`${path} answers ${JSON.stringify(found)}`);
  }
  return problems;
}

/** What is wrong when the namespace is to hold nothing that runs. */
export async function anyPods(api: ApiServer, namespace: string): Promise<string[]> {
  const collections = ['apps/v1/deployments', 'v1/pods', 'v1/services'];
  const found = await Promise.all(collections.map((collection) => listIn(api, namespace, collection)));
  const there = found.flat().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return there.map(({ kind, metadata }) => `${kind} "${metadata.name}" is there`);
}
