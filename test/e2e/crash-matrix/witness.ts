import { numberAt, stringAt } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { waitUntil } from '../../cluster/run.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { listIn, type Snapshot } from '../../support/snapshot.ts';
import { imageOf, type Version } from './application.ts';
import type { State } from './scenarios.ts';

/** What is wrong in a release that no run is at work on: leftovers of a run, locks, a history that does not fit. */
export function disorder({ records, holders, revisions }: Snapshot, state: State): string[] {
  const withOutcome = (wanted: string) =>
    [...revisions].filter(([, outcome]) => outcome === wanted).map(([revision]) => revision);
  const live = withOutcome('live');
  const waiting = withOutcome('waiting');
  const journals = records.filter((name) => name.endsWith('.journal'));
  const isWaiting = state === 'waiting';
  return [
    ...records
      .filter((name) => !isWaiting || !journals.includes(name))
      .map((name) => `Secret "${name}" is left behind`),
    ...(isWaiting && journals.length !== 1 ? ['a candidate waits without a journal'] : []),
    ...holders.map((holder) => `the lock is held by "${holder}"`),
    ...(live.length > 1 ? [`revisions ${live.join(' and ')} are live`] : []),
    ...(waiting.length === (isWaiting ? 1 : 0) ? [] : [`revisions that wait: ${waiting.join(', ') || 'none'}`]),
  ];
}

/** No run waits for the pods of a side that it has scaled to 0: they go within this time. */
const goingMs = 15_000;

/** What is wrong with what runs, once what is going has gone: asks the pods, not only their objects. */
export async function wrongPods(api: ApiServer, namespace: string, state: State): Promise<string[]> {
  let problems: string[] = [];
  const isRight = async () => {
    problems = await wrongNow(api, namespace, state);
    return problems.length === 0;
  };
  await waitUntil('the pods are right', goingMs, isRight).catch(() => undefined);
  return problems;
}

async function wrongNow(api: ApiServer, namespace: string, state: State): Promise<string[]> {
  if (state === 'nothing') return await anything(api, namespace);
  const [deployments, pods] = await Promise.all([
    listIn(api, namespace, 'apps/v1/deployments'),
    listIn(api, namespace, 'v1/pods'),
  ]);
  const stable: Version = state === 'waiting' ? 'one' : state;
  // What is there before any candidate is blue, where there are sides.
  const candidates = pods.filter((pod) =>
    ['canary', 'green'].includes(stringAt(pod, 'metadata', 'labels', 'gke-rollout/track') ?? ''),
  );
  const versionOf = (pod: KubernetesObject) => (state === 'waiting' && candidates.includes(pod) ? 'two' : stable);
  return [
    ...deployments.flatMap(unready),
    ...pods
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .filter((pod) => stringAt(pod, 'spec', 'containers', 0, 'image') !== imageOf[versionOf(pod)])
      .map((pod) => `Pod "${pod.metadata.name}" runs ${stringAt(pod, 'spec', 'containers', 0, 'image') ?? ''}`),
    // With a candidate, the Service answers now so, now so.
    ...(state === 'waiting' ? [] : await wrongAnswers(api, namespace, stable)),
  ];
}

function unready(deployment: KubernetesObject): string[] {
  const wanted = numberAt(deployment, 'spec', 'replicas');
  const counts = ['replicas', 'updatedReplicas', 'readyReplicas'].map((name) => numberAt(deployment, 'status', name));
  const isSeen = numberAt(deployment, 'status', 'observedGeneration') === deployment.metadata.generation;
  // Of none, the status leaves the count out.
  if (isSeen && counts.every((count) => (count ?? 0) === wanted)) return [];
  return [`Deployment "${deployment.metadata.name}" is not ready: ${JSON.stringify(deployment['status'])}`];
}

async function wrongAnswers(api: ApiServer, namespace: string, version: Version): Promise<string[]> {
  const expected: Record<string, string> = {
    '/version': version === 'one' ? '1.0.0\n' : '2.0.0\n',
    '/config': `# ${version}\n`,
    '/env?name=GREETING': `${version}\n`,
    [`/env?name=GREETING_${version.toUpperCase()}`]: `${version}\n`,
  };
  const problems: string[] = [];
  for (const [path, text] of Object.entries(expected)) {
    const url = `/api/v1/namespaces/${namespace}/services/web:http/proxy${path}`;
    const found = await api.get(url).catch((error: unknown) => String(error));
    if (found !== text) problems.push(`${path} answers ${JSON.stringify(found)}`);
  }
  return problems;
}

async function anything(api: ApiServer, namespace: string): Promise<string[]> {
  const collections = ['apps/v1/deployments', 'v1/pods', 'v1/services'];
  const found = await Promise.all(collections.map((collection) => listIn(api, namespace, collection)));
  const there = found.flat().filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return there.map(({ kind, metadata }) => `${kind} "${metadata.name}" is there`);
}
