import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { kubectl } from '../../support/kubectl.ts';
import type { Stage } from '../../support/strategy-stage.ts';

/** Who has made the objects before the action comes, and how. */
export interface Origin {
  name: string;
  /** The field manager whom a manifest with another image is in conflict with; nobody where the action goes on for its user. */
  conflictsWith?: string;
  make(stage: Stage, objects: readonly KubernetesObject[]): Promise<void>;
  /** The same hand brings in another version of what is there. */
  update(stage: Stage, objects: readonly KubernetesObject[]): Promise<void>;
}

type Write = Origin['make'];

function by(...args: string[]): Write {
  return async ({ namespace }, items) => {
    const list = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
    await kubectl(['-n', namespace, ...args, '-f', '-'], list);
  };
}

function serverSide(name: string, manager: string, isOthers: boolean): Origin {
  const write = by('apply', '--server-side', `--field-manager=${manager}`);
  return { name, ...(isOthers ? { conflictsWith: manager } : {}), make: write, update: write };
}

/** By POST and PUT, as helm 3 and operators do. */
function updating(manager: string, dress: (object: KubernetesObject) => KubernetesObject = (object) => object): Origin {
  const [create, replace] = [by('create', `--field-manager=${manager}`), by('replace', `--field-manager=${manager}`)];
  return {
    name: manager,
    conflictsWith: manager,
    make: async (stage, objects) => {
      await create(stage, objects.map(dress));
    },
    update: async (stage, objects) => {
      await replace(stage, objects.map(dress));
    },
  };
}

function asHelm(object: KubernetesObject): KubernetesObject {
  const { metadata } = object;
  const annotations = { 'meta.helm.sh/release-name': 'web', 'meta.helm.sh/release-namespace': 'web' };
  const labels = { 'app.kubernetes.io/managed-by': 'Helm', 'helm.sh/chart': 'web-1.0.0' };
  return {
    ...object,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...labels },
      annotations: { ...metadata.annotations, ...annotations },
    },
  };
}

/** Deployments by one hand, all else by another. */
function partByPart(deployments: Origin, others: Origin): Origin {
  const both = (how: 'make' | 'update') => async (stage: Stage, objects: readonly KubernetesObject[]) => {
    const isDeployment = ({ kind }: KubernetesObject) => kind === 'Deployment';
    const parts = [
      [deployments, objects.filter(isDeployment)],
      [others, objects.filter((object) => !isDeployment(object))],
    ] as const;
    for (const [origin, some] of parts) if (some.length > 0) await origin[how](stage, some);
  };
  const { conflictsWith } = deployments;
  return {
    name: `${deployments.name}, with a Service by ${others.name}`,
    ...(conflictsWith === undefined ? {} : { conflictsWith }),
    make: both('make'),
    update: both('update'),
  };
}

const kubectlApply: Origin = { name: 'kubectl apply', make: by('apply'), update: by('apply') };

const kubectlCreate: Origin = { name: 'kubectl create', make: by('create'), update: by('replace') };

const helm = updating('helm', asHelm);

const operator = updating('some-operator');

export const origins: readonly Origin[] = [
  kubectlApply,
  kubectlCreate,
  serverSide('kubectl apply --server-side', 'kubectl', false),
  helm,
  serverSide('another action', 'deployer', true),
  operator,
  partByPart(kubectlApply, operator),
  partByPart(helm, kubectlApply),
  partByPart(kubectlCreate, serverSide('argocd', 'argocd-controller', true)),
];
