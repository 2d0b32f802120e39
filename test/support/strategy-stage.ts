import { setTimeout as delay } from 'node:timers/promises';

import { at, numberAt, objectsAt, stringAt, stringsAt } from '../../src/base/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from './kubectl.ts';
import { deployment, service } from './objects.ts';
import { runStep, type StepResult } from './step.ts';
import { createWorkspace, removeWorkspace, type Content } from './workspace.ts';

export type Inputs = Record<string, string>;

/** A namespace, the action at work in it with one strategy, and kubectl as the witness of what becomes of it. */
export class Stage implements AsyncDisposable {
  readonly namespace: string;
  readonly #strategy: Inputs;

  private constructor(namespace: string, strategy: Inputs) {
    this.namespace = namespace;
    this.#strategy = strategy;
  }

  static async open(strategy: 'rolling' | 'canary' | 'blue-green'): Promise<Stage> {
    const more = { rolling: {}, canary: { 'step-duration': '1s' }, 'blue-green': { 'keep-old-for': '0s' } };
    const inputs: Inputs = { strategy, ...more[strategy] };
    return new Stage(await createNamespace(strategy), inputs);
  }

  /** One step, main and post; without a command it deploys the files, with the strategy of the stage where no other is given. */
  async run(release: string, inputs: Inputs, files: Readonly<Record<string, Content>> = {}): Promise<StepResult> {
    const { command } = inputs;
    const workspace = createWorkspace(files);
    try {
      return await runStep(
        {
          kubeconfig: testKubeconfig(),
          namespace: this.namespace,
          release,
          ...(command === 'status' || command === 'pause' ? {} : { timeout: '60s' }),
          ...(command === undefined ? { manifests: '.', ...this.#strategy } : {}),
          ...inputs,
        },
        { workspace },
      );
    } finally {
      removeWorkspace(workspace);
    }
  }

  /** A run that deploys these objects. */
  async deploy(release: string, objects: readonly object[], inputs: Inputs = {}): Promise<StepResult> {
    return await this.run(release, inputs, { 'app.yaml': objects });
  }

  /** As `deploy`, for what must come about before a test has its subject. @throws Error when it does not */
  async given(release: string, objects: readonly object[], inputs: Inputs = {}): Promise<StepResult> {
    const result = await this.deploy(release, objects, inputs);
    if (result.exit !== 0) throw new Error(`what a test begins with fails: ${result.log}`);
    return result;
  }

  /** A run with another command; `kubeconfig` among the inputs leads it through a proxy. */
  async command(release: string, command: string, inputs: Inputs = {}): Promise<StepResult> {
    return await this.run(release, { command, ...inputs });
  }

  async kubectl(...args: string[]): Promise<string> {
    return await kubectl(['-n', this.namespace, ...args]);
  }

  /** Brings objects in without the action. */
  async apply(objects: readonly object[]): Promise<void> {
    await kubectl(
      ['-n', this.namespace, 'apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    );
  }

  /** The same by server-side apply, in the name of a field manager. */
  async applyAs(manager: string, objects: readonly object[]): Promise<void> {
    await kubectl(
      ['-n', this.namespace, 'apply', '--server-side', `--field-manager=${manager}`, '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
    );
  }

  async read(kind: string, name: string): Promise<KubernetesObject> {
    return await kubectlJson(['-n', this.namespace, 'get', kind, name]);
  }

  /** Merges into an object, as somebody with kubectl does. */
  async patch(kind: string, name: string, patch: object): Promise<void> {
    await this.kubectl('patch', kind, name, '--type=merge', '-p', JSON.stringify(patch));
  }

  async exists(kind: string, name: string): Promise<boolean> {
    return (await this.kubectl('get', kind, name, '--ignore-not-found', '-o', 'name')) !== '';
  }

  /** Pods that are not about to end, by a selector. */
  async pods(selector: string): Promise<KubernetesObject[]> {
    const list = await kubectlJson(['-n', this.namespace, 'get', 'pods', '-l', selector]);
    return (objectsAt(list, 'items') as unknown as KubernetesObject[]).filter(
      ({ metadata }) => metadata.deletionTimestamp === undefined,
    );
  }

  /** Names of the pods that a Service sends requests to, sorted. */
  async endpoints(name: string): Promise<string[]> {
    const list = await kubectlJson([
      '-n',
      this.namespace,
      'get',
      'endpointslices',
      '-l',
      `kubernetes.io/service-name=${name}`,
    ]);
    return objectsAt(list, 'items')
      .flatMap((slice) => objectsAt(slice, 'endpoints'))
      .filter((endpoint) => at(endpoint, 'conditions', 'ready') === true)
      .map((endpoint) => stringAt(endpoint, 'targetRef', 'name') ?? '')
      .sort();
  }

  /** What each of these pods answers itself, sorted. */
  async answers(selector: string, path: string): Promise<string[]> {
    const pods = await this.pods(selector);
    const ask = ({ metadata }: KubernetesObject) =>
      kubectl(['get', '--raw', `/api/v1/namespaces/${this.namespace}/pods/${metadata.name}:8080/proxy${path}`]);
    return (await Promise.all(pods.map(ask))).map((text) => text.trim()).sort();
  }

  async selectorOf(name: string): Promise<Readonly<Record<string, string>>> {
    return stringsAt(await this.read('service', name), 'spec', 'selector');
  }

  async replicasOf(name: string): Promise<number | undefined> {
    return numberAt(await this.read('deployment', name), 'spec', 'replicas');
  }

  /** How often the pod template of a Deployment has become another one. */
  async revisionOf(name: string): Promise<number> {
    const { annotations } = (await this.read('deployment', name)).metadata;
    return Number(annotations?.['deployment.kubernetes.io/revision']);
  }

  async imageOf(name: string): Promise<string | undefined> {
    return imageOf(await this.read('deployment', name));
  }

  /** Where the pods of a Service can be asked from outside the cluster. */
  async urlOf(name: string): Promise<string> {
    return `http://${stringAt(await this.read('service', name), 'spec', 'clusterIP') ?? ''}/version`;
  }

  /** Images of the pods of an application that are not about to end, sorted. */
  async imagesOf(app: string): Promise<string[]> {
    return (await this.pods(`app=${app}`)).map((pod) => imageOf({ ...pod, kind: 'Pod' }) ?? '').sort();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await deleteNamespace(this.namespace);
  }
}

/** Waits until something holds. @throws Error when it does not come about in time */
export async function until(what: string, isTrue: () => Promise<boolean>, seconds = 60): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`in vain: ${what}`);
    await delay(250);
  }
}

export function image(version: string): string {
  return `registry.test/ctwoc:${version}`;
}

/** Of a Deployment, or of a pod. */
export function imageOf(object: KubernetesObject): string | undefined {
  const spec = object.kind === 'Pod' ? ['spec'] : ['spec', 'template', 'spec'];
  return stringAt(object, ...spec, 'containers', 0, 'image');
}

export function uids(objects: readonly KubernetesObject[]): string[] {
  return objects.map(({ metadata }) => metadata.uid ?? '').sort();
}

/** A Deployment of two pods and its Service. */
export function app(name: string, version: string, options: Parameters<typeof deployment>[1] = {}): object[] {
  return [deployment(name, { replicas: 2, image: image(version), ...options }), service(name)];
}
