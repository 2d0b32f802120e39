import { objectAt, type JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { readAll, type ApiServer } from '../../support/api-server.ts';
import { testKubeconfig } from '../../support/kubectl.ts';
import { Step, type StepResult } from '../../support/step.ts';
import type { Stage } from '../../support/strategy-stage.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import { LogLines } from './log-lines.ts';

/** A kind with its real definition, and deploys of one object of it that follow each other. */
export interface Play {
  /** `certificates.cert-manager.io` */
  definition: string;
  sequences: readonly Sequence[];
}

/** A deploy, the moves of the controller meanwhile, and what the action says to them. */
export interface Sequence {
  about: string;
  object: KubernetesObject;
  moves: readonly Move[];
  /** The output `status`. */
  ends: 'deployed' | 'paused' | 'undone';
  /** The last that the wait says of the object: a whole line. */
  says: string;
}

/** What the controller of a kind does next, as soon as the log of the action says `after`. */
export interface Move {
  /** A whole line of the log, without the name of the object; where it is left out, what was shown before says nothing new. */
  after?: string;
  /** One after the other. */
  statuses?: () => JsonObject[];
  /** Objects that it makes: the one that is deployed is their owner. */
  makes?: readonly object[];
  /** For how long it then leaves all as it is, ms, and nothing may come of it. */
  restsMs?: number;
}

/** How long a stale status is left as it is. */
export const restsMs = 3000;

/** Where a play is on. */
export interface Scene {
  stage: Stage;
  api: ApiServer;
  definition: string;
}

export interface Played {
  result: StepResult;
  /** What the object asks for before the deploy, and at its end; nothing where it is not there. */
  specs: { before: JsonObject; after: JsonObject };
}

/** Deploys, and plays the controller. @throws Error when the wait ends before the controller has made all its moves */
export async function play(scene: Scene, { object, moves }: Sequence): Promise<Played> {
  const { stage } = scene;
  const { kind, metadata } = object;
  const before = await specOf(scene, object);
  const workspace = createWorkspace({ 'app.yaml': [object] });
  const lines = new LogLines();
  const step = new Step(
    {
      kubeconfig: testKubeconfig(),
      namespace: stage.namespace,
      release: metadata.name,
      manifests: '.',
      strategy: 'rolling',
      timeout: '100s',
    },
    {
      workspace,
      onLine: (line) => {
        lines.take(line);
      },
    },
  );
  try {
    const running = step.main().finally(() => {
      lines.end();
    });
    for (const { after, statuses, makes = [], restsMs = 0 } of moves) {
      if (after !== undefined) await lines.until(`${kind} "${metadata.name}": ${after}`);
      if (makes.length > 0) await make(scene, object, makes);
      for (const status of statuses?.() ?? []) await writeStatus(scene, object, status);
      if (restsMs > 0) await lines.without(/^[✓✗] /, restsMs);
    }
    const result = await running;
    const post = await step.post();
    return {
      result: { ...result, log: result.log + post.log },
      specs: { before, after: await specOf(scene, object) },
    };
  } finally {
    step.dispose();
    removeWorkspace(workspace);
  }
}

/** As a controller does: the whole status, so that what it does not say any more is gone. Two of them come within milliseconds. */
async function writeStatus(
  { stage, api, definition }: Scene,
  { apiVersion, metadata }: KubernetesObject,
  status: JsonObject,
): Promise<void> {
  const [plural = ''] = definition.split('.');
  const path = `/apis/${apiVersion}/namespaces/${stage.namespace}/${plural}/${metadata.name}/status`;
  const headers = { 'content-type': 'application/json-patch+json' };
  const body = Buffer.from(JSON.stringify([{ op: 'add', path: '/status', value: status }]));
  const answer = await api.send('PATCH', `${path}?fieldManager=controller&fieldValidation=Strict`, { headers, body });
  const text = (await readAll(answer)).toString();
  if (answer.statusCode !== 200) throw new Error(`PATCH ${path}: ${text}`);
}

async function make(scene: Scene, object: KubernetesObject, children: readonly object[]): Promise<void> {
  const { stage, definition } = scene;
  const { uid } = (await stage.read(definition, object.metadata.name)).metadata;
  const owner = { apiVersion: object.apiVersion, kind: object.kind, name: object.metadata.name, uid, controller: true };
  const owned = (children as KubernetesObject[]).map((child) => ({
    ...child,
    metadata: { ...child.metadata, ownerReferences: [owner] },
  }));
  await stage.apply(owned);
}

async function specOf({ stage, definition }: Scene, { metadata }: KubernetesObject): Promise<JsonObject> {
  if (!(await stage.exists(definition, metadata.name))) return {};
  return objectAt(await stage.read(definition, metadata.name), 'spec');
}

/** A condition that has become so just now. */
export function nowIs(
  type: string,
  status: 'True' | 'False' | 'Unknown',
  reason = '',
  message = '',
  more: JsonObject = {},
): JsonObject {
  return { type, status, reason, message, lastTransitionTime: timeNow(), ...more };
}

/** As the API has it: whole seconds. */
export function timeNow(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z');
}
