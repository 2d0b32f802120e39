import { request } from 'node:http';

import { at, booleanAt, numberAt, objectsAt, stringAt, type Json } from '../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import { imageOf, type Stage } from '../../../support/strategy-stage.ts';

export interface WorkloadFacts {
  name: string;
  image: string;
  replicas: number;
  paused: boolean;
}

/** What the cluster shows, asked of the API server and of the pods, never of the action. */
export interface Facts {
  workloads: WorkloadFacts[];
  /** Pods that are not about to end. */
  pods: { uid: string; image: string; ready: boolean }[];
  isService: boolean;
  /** Pods that the Service sends requests to. */
  endpoints: string[];
  /** `2.0.0 moin`, by what a pod behind the Service answered; also `ECONNREFUSED` and the like. */
  answers: string[];
}

const asked = 12;

export async function look(stage: Stage): Promise<Facts> {
  const list = JSON.parse(await stage.kubectl('get', 'deployments,pods', '-o', 'json')) as Json;
  const objects = objectsAt(list, 'items') as unknown as KubernetesObject[];
  const isService = await stage.exists('service', 'web');
  return {
    workloads: objects
      .filter(({ kind }) => kind === 'Deployment')
      .map((object) => ({
        name: object.metadata.name,
        image: imageOf(object) ?? '',
        replicas: numberAt(object, 'spec', 'replicas') ?? 1,
        paused: booleanAt(object, 'spec', 'paused') === true,
      })),
    pods: objects
      .filter(({ kind, metadata }) => kind === 'Pod' && metadata.deletionTimestamp === undefined)
      .map((object) => ({ uid: object.metadata.uid ?? '', image: imageOf(object) ?? '', ready: isReady(object) })),
    isService,
    endpoints: isService ? await stage.endpoints('web') : [],
    answers: isService ? await answersOf(stage) : [],
  };
}

function isReady(pod: KubernetesObject): boolean {
  return objectsAt(pod, 'status', 'conditions').some(
    (condition) => at(condition, 'type') === 'Ready' && at(condition, 'status') === 'True',
  );
}

/** Each request is a connection of its own, so that each may reach another pod. */
async function answersOf(stage: Stage): Promise<string[]> {
  const address = stringAt(await stage.read('service', 'web'), 'spec', 'clusterIP') ?? '';
  const answers = await Promise.all(Array.from({ length: asked }, () => ask(`http://${address}/env?name=GREETING`)));
  return [...new Set(answers)].sort();
}

function ask(url: string): Promise<string> {
  return new Promise((resolve) => {
    const call = request(url, { agent: false, timeout: 3000 }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () => {
        resolve(`${String(response.headers['x-version'])} ${body.trim()}`);
      });
    });
    call.on('timeout', () => call.destroy(Object.assign(new Error('timeout'), { code: 'timeout' })));
    call.on('error', (error: NodeJS.ErrnoException) => {
      resolve(error.code ?? error.message);
    });
    call.end();
  });
}
