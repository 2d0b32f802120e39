import { figure } from '../../support/figure.ts';
import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { deployment, relabelled, service } from '../../support/objects.ts';
import { shareOf } from '../../support/share.ts';
import { totalOf, type SteadyLoad } from '../../support/steady-load.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import { waitUntil } from '../../cluster/run.ts';

export type Version = '1.0.0' | '2.0.0';

const perSecond = 500;

/** The rules of kube-proxy are that far behind at most, when an EndpointSlice has changed. */
const settleMs = 1000;

/** The same with pods that end at once when they are told to. */
export function abrupt(name: string, version: Version): object[] {
  const [made, ...more] = application(name, version) as [ReturnType<typeof deployment>, ...object[]];
  const { replicas, strategy } = made.spec as typeof made.spec & { strategy: object };
  const image = `registry.test/ctwoc:${version}`;
  return [deployment(name, { image, env: { SHUTDOWN_DELAY: '0s' }, replicas, spec: { strategy } }), ...more];
}

/** A Service with three pods that go on answering for four seconds after they were told to end. */
export function application(
  name: string,
  version: Version,
  serviceSpec: object = {},
  annotations: Record<string, string> = {},
): object[] {
  return [
    deployment(name, {
      image: `registry.test/ctwoc:${version}`,
      env: { SHUTDOWN_DELAY: '4s' },
      replicas: 3,
      pod: { terminationGracePeriodSeconds: 10 },
      spec: { strategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } },
    }),
    { ...service(name, { type: 'LoadBalancer', ...serviceSpec }), metadata: { name, annotations } },
  ];
}

type Files = Record<string, readonly object[]>;

interface StageOptions {
  annotations?: Record<string, string>;
  inputs?: Record<string, string>;
  filesOf?: (version: Version) => Files;
}

/** Two sides that are both written by hand, with the image of a version; the Service selects by their label `version`. */
export function ownSides(name: string, version: Version, annotations: Record<string, string>): Files {
  const [made, shared] = application(name, version, {}, annotations) as [
    ReturnType<typeof deployment>,
    ReturnType<typeof service>,
  ];
  const sided = (side: string) => relabelled(made, `${name}-${side}`, { app: name, version: side });
  return {
    'app-blue.yaml': [sided('blue')],
    'app-green.yaml': [sided('green')],
    'service.yaml': [{ ...shared, spec: { ...shared.spec, selector: { app: name, version: 'blue' } } }],
  };
}

/** A release on a namespace of its own, and the action at work on it. */
export class Stage implements AsyncDisposable {
  readonly namespace: string;
  readonly release: string;
  readonly #filesOf: (version: Version) => Files;

  private constructor(namespace: string, release: string, filesOf: (version: Version) => Files) {
    this.namespace = namespace;
    this.release = release;
    this.#filesOf = filesOf;
  }

  /** Deploys version 1.0.0. @param annotations of the Service @param filesOf other manifests than `application` */
  static async open(release: string, { annotations = {}, inputs = {}, filesOf }: StageOptions = {}): Promise<Stage> {
    const files = filesOf ?? ((version) => ({ 'app.yaml': application(release, version, {}, annotations) }));
    const stage = new Stage(await createNamespace('switching'), release, files);
    await stage.deploy('1.0.0', inputs);
    return stage;
  }

  async deploy(version: Version, inputs: Record<string, string> = {}): Promise<StepResult> {
    return await this.run({ manifests: '.', ...inputs }, this.#filesOf(version));
  }

  /** Runs the action, main step and post step, and throws when it fails. */
  async run(inputs: Record<string, string>, files: Record<string, readonly object[]> = {}): Promise<StepResult> {
    const workspace = createWorkspace(files);
    try {
      const common = {
        kubeconfig: testKubeconfig(),
        namespace: this.namespace,
        release: this.release,
        timeout: '120s',
      };
      const result = await runStep({ ...common, ...inputs }, { workspace });
      if (result.exit !== 0) throw new Error(`${inputs['command'] ?? 'deploy'} failed: ${result.log}`);
      return result;
    } finally {
      removeWorkspace(workspace);
    }
  }

  /** An address of the Service, once it answers. */
  async address(kind: 'ClusterIP' | 'LoadBalancer'): Promise<string> {
    return await addressOf(this.namespace, this.release, kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await deleteNamespace(this.namespace);
  }
}

export async function addressOf(
  namespace: string,
  name: string,
  kind: 'ClusterIP' | 'LoadBalancer' = 'LoadBalancer',
): Promise<string> {
  const path = kind === 'ClusterIP' ? '{.spec.clusterIP}' : '{.status.loadBalancer.ingress[0].ip}';
  let url = '';
  await waitUntil(`the Service "${name}" answers at its ${kind} address`, 60_000, async () => {
    const ip = await kubectl(['get', 'service', name, '-n', namespace, '-o', `jsonpath=${path}`]);
    url = `http://${ip}/version`;
    return ip !== '' && (await fetch(url, { signal: AbortSignal.timeout(2000) })).ok;
  });
  return url;
}

/**
 * Ends the load, prints what it saw, and returns what a test expects to be nothing: the requests that were lost, and that
 * the load was lighter than it was to be.
 */
export async function lossesOf(load: SteadyLoad, name: string, rounds: number): Promise<string[]> {
  const { sent, lost, perSecond: reached } = await load.stop();
  figure(`switching-${name}`, rounds);
  figure(`switching-${name}-requests`, sent);
  figure(`switching-${name}-requests-per-second`, reached);
  figure(`switching-${name}-lost`, totalOf(lost));
  const isLight = reached < 0.95 * perSecond;
  return [...(isLight ? [`only ${reached} requests a second were sent`] : []), ...load.losses()];
}

/** Watches for a second which versions answer now. */
export async function versionsNow(load: SteadyLoad): Promise<string[]> {
  const from = Date.now() + settleMs;
  await load.reaches(from + 1000);
  const { answers, lost } = load.sentBetween(from, from + 1000);
  return totalOf(answers) === 0 ? [`nobody, but ${JSON.stringify(lost)}`] : Object.keys(answers).sort();
}

/** How often something is to be done: `whole` times, or a share of that in a run of everything. */
export function rounds(name: string, whole: number): number {
  return shareOf(
    Array.from({ length: whole }, (_, index) => index),
    (index) => `${name} ${index}`,
  ).length;
}
