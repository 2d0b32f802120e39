import { setTimeout as delay } from 'node:timers/promises';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { ApiServer } from '../../support/api-server.ts';
import { changes, snapshot, type Snapshot } from '../../support/snapshot.ts';
import type { StepResult } from '../../support/step.ts';
import { image, imageOf, type Inputs, type Stage } from '../../support/strategy-stage.ts';
import type { Origin } from './origins.ts';

export const missing = 'registry.test/pulled/ctwoc:9.9.9';

/** Requests that ask who answers, each on a connection of its own. */
const requests = 20;
const settledWithinMs = 20_000;
const pollMs = 250;

/** What a move of the action finds: a namespace with objects of an origin, and the version that serves. */
export interface Scene {
  stage: Stage;
  api: ApiServer;
  origin: Origin;
  /** `1`: it serves. */
  version: number;
  isLater: boolean;
  fails: boolean;
  /** Inputs that let a deploy take over what its manifest states: somebody has to decide that. */
  decided: Inputs;
}

/** What is wrong with the end of a run. */
export function endedWith({ exit, outputs, log }: StepResult, status: string): string[] {
  const isGood = ['failed', 'undone'].includes(status) ? exit === 1 : exit === 0;
  return isGood && outputs['status'] === status
    ? []
    : [`ended with ${exit}, "${outputs['status'] ?? ''}", and not "${status}": ${log.slice(-3000)}`];
}

/** Asks the Service and its pods: every request is answered by this version, and pods of it are all that is left. */
export async function serves({ stage }: Scene, version: number): Promise<string[]> {
  const url = await stage.urlOf('web');
  const answers = await Promise.all(Array.from({ length: requests }, () => answerOf(url)));
  const others = answers.filter((answer) => answer !== `${version}.0.0`);
  const problems =
    others.length === 0 ? [] : [`${others.length} requests were answered ${[...new Set(others)].join(', ')}`];
  return [...problems, ...(await settled(async () => await podsOf(stage, version)))];
}

async function answerOf(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { headers: { connection: 'close' }, signal: AbortSignal.timeout(5000) });
    return (await answer.text()).trim();
  } catch (error) {
    return String(error);
  }
}

async function podsOf(stage: Stage, version: number): Promise<string[]> {
  const [pods, endpoints] = await Promise.all([stage.pods('app!=worker'), stage.endpoints('web')]);
  const others = pods.filter((pod) => imageOf({ ...pod, kind: 'Pod' }) !== image(`${version}.0.0`));
  const names = pods.map(({ metadata }) => metadata.name).sort();
  return [
    ...others.map(({ metadata }) => `pod ${metadata.name} is of another version`),
    ...(names.length > 0 && names.join() === endpoints.join()
      ? []
      : [`the Service has ${endpoints.join(', ')}, and there are ${names.join(', ')}`]),
  ];
}

/** What is still wrong when controllers have had their time. */
async function settled(look: () => Promise<string[]>): Promise<string[]> {
  const deadline = Date.now() + settledWithinMs;
  for (;;) {
    const problems = await look();
    if (problems.length === 0 || Date.now() > deadline) return problems;
    await delay(pollMs);
  }
}

export async function stateOf({ api, stage }: Scene): Promise<Snapshot> {
  return await snapshot(api, stage.namespace);
}

/** In what the objects, their fields' owners and what the action keeps differ from what was there. */
export async function unlike(scene: Scene, before: Snapshot): Promise<string[]> {
  return await settled(async () => {
    const after = await stateOf(scene);
    const records = after.records.filter((name) => !before.records.includes(name));
    return [
      ...changes(before, after),
      ...records.map((name) => `the record ${name} is left`),
      ...after.holders.map((holder) => `${holder} holds the lock`),
    ];
  });
}

/** Labels that another tool has given objects: they stay. */
export async function lacksLabels({ stage }: Scene, before: Snapshot): Promise<string[]> {
  const objects = [...before.objects.values()].filter(({ kind }) => ['Deployment', 'Service'].includes(kind));
  const lost = await Promise.all(
    objects.map(async (object: KubernetesObject) => {
      const { labels = {} } = object.metadata;
      const now = (await stage.read(object.kind, object.metadata.name)).metadata.labels ?? {};
      return Object.keys(labels)
        .filter((key) => now[key] !== labels[key])
        .map((key) => `${object.kind} ${object.metadata.name} has lost its label ${key}`);
    }),
  );
  return lost.flat();
}
