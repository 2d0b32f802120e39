import { stringAt, type JsonObject } from '../../src/base/json.ts';
import type { KubernetesObject, ObjectMeta } from '../../src/kubernetes/object.ts';
import { readEvent, type ObjectEvent } from '../../src/rollout/failures/events.ts';
import type { Facts } from '../../src/rollout/readiness/rule.ts';

/** Builders of objects as a cluster keeps them: with uid, generation and status. Times are seconds after `start`. */

/** When the tests' time begins; that of FakeClock. */
export const start = Date.UTC(2026, 0, 1);

/** A time of the API, `seconds` after the start. */
export function timeAt(seconds: number): string {
  return new Date(start + seconds * 1000).toISOString().replace('.000Z', 'Z');
}

interface Parts {
  apiVersion?: string;
  metadata?: Partial<ObjectMeta>;
  spec?: JsonObject;
  status?: JsonObject;
}

export function live(kind: string, { apiVersion = 'apps/v1', metadata = {}, ...rest }: Parts = {}): KubernetesObject {
  const name = metadata.name ?? 'web';
  return {
    apiVersion,
    kind,
    metadata: { name, namespace: 'shop', uid: `${kind}-${name}`, generation: 1, ...metadata },
    ...rest,
  };
}

export function conditionAt(type: string, status: string, reason = '', message = '', seconds = 0): JsonObject {
  return { type, status, reason, message, lastTransitionTime: timeAt(seconds), lastUpdateTime: timeAt(seconds) };
}

export function template(image = 'registry.test/web:2', more: JsonObject = {}): JsonObject {
  return {
    metadata: { labels: { app: 'web' } },
    spec: { containers: [{ name: 'web', image }], restartPolicy: 'Always', ...more },
  };
}

interface WorkloadParts extends Parts {
  replicas?: number;
  generation?: number;
  observed?: number;
}

/** A workload whose status belongs to its generation unless `observed` says otherwise. */
function workload(kind: string, { replicas = 3, generation = 2, observed = generation, ...parts }: WorkloadParts) {
  return live(kind, {
    ...parts,
    metadata: { generation, ...parts.metadata },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: template(), ...parts.spec },
    status: { observedGeneration: observed, ...parts.status },
  });
}

export interface DeploymentParts extends WorkloadParts {
  existing?: number;
  updated?: number;
  available?: number;
  conditions?: JsonObject[];
}

/** All pods updated and available, unless told otherwise. */
export function liveDeployment(parts: DeploymentParts = {}): KubernetesObject {
  const { replicas = 3, existing = replicas, updated = existing, available = updated, conditions = [] } = parts;
  return workload('Deployment', {
    ...parts,
    status: {
      replicas: existing,
      updatedReplicas: updated,
      availableReplicas: available,
      readyReplicas: available,
      conditions,
      ...parts.status,
    },
  });
}

/** All pods ready and of the update revision, unless told otherwise. */
export function liveStatefulSet(parts: WorkloadParts & { updated?: number | null; ready?: number } = {}) {
  const { replicas = 3, updated = replicas, ready = replicas } = parts;
  return workload('StatefulSet', {
    ...parts,
    spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }, ...parts.spec },
    status: {
      replicas,
      readyReplicas: ready,
      availableReplicas: ready,
      ...(updated === null ? {} : { updatedReplicas: updated }),
      updateRevision: 'web-2',
      currentRevision: updated === null || updated === replicas ? 'web-2' : 'web-1',
      ...parts.status,
    },
  });
}

export function liveDaemonSet(parts: WorkloadParts & { wanted?: number; updated?: number; available?: number } = {}) {
  const { wanted = 3, updated = wanted, available = updated } = parts;
  return workload('DaemonSet', {
    ...parts,
    metadata: { annotations: { 'deprecated.daemonset.template.generation': '2' }, ...parts.metadata },
    status: {
      desiredNumberScheduled: wanted,
      updatedNumberScheduled: updated,
      numberAvailable: available,
      numberReady: available,
      ...parts.status,
    },
  });
}

export function liveJob(parts: Parts & { conditions?: JsonObject[] } = {}): KubernetesObject {
  const { conditions = [], ...rest } = parts;
  return live('Job', {
    apiVersion: 'batch/v1',
    ...rest,
    spec: {
      completions: 1,
      backoffLimit: 6,
      template: template('registry.test/web:2', { restartPolicy: 'OnFailure' }),
      ...rest.spec,
    },
    status: { active: 1, conditions, ...rest.status },
  });
}

export function ownedBy(owner: KubernetesObject): Partial<ObjectMeta> {
  const { apiVersion, kind, metadata } = owner;
  return { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true }] };
}

/** A ReplicaSet of a Deployment; by default that of its present template. */
export function replicaSetOf(
  deployment: KubernetesObject,
  { name = 'web-22', image = 'registry.test/web:2', conditions = [] as JsonObject[] } = {},
): KubernetesObject {
  const hashed = template(image);
  return live('ReplicaSet', {
    metadata: { name, creationTimestamp: timeAt(0), ...ownedBy(deployment) },
    spec: {
      replicas: 3,
      template: { ...hashed, metadata: { labels: { app: 'web', 'pod-template-hash': name.replace('web-', '') } } },
    },
    status: { replicas: 0, conditions },
  });
}

interface PodParts extends Parts {
  /** Entries of `status.containerStatuses`. */
  containers?: JsonObject[];
  ready?: boolean;
  phase?: string;
  conditions?: JsonObject[];
}

/** A pod of a ReplicaSet, StatefulSet (its update revision), DaemonSet (its present template) or Job; without an owner a bare one. */
export function podOf(owner: KubernetesObject | undefined, parts: PodParts = {}): KubernetesObject {
  const { containers = [], ready = false, phase = ready ? 'Running' : 'Pending', conditions = [], ...rest } = parts;
  const hash = stringAt(owner, 'spec', 'template', 'metadata', 'labels', 'pod-template-hash');
  return live('Pod', {
    apiVersion: 'v1',
    ...rest,
    metadata: {
      name: `${owner?.metadata.name ?? 'web'}-a`,
      labels: {
        app: 'web',
        'controller-revision-hash': 'web-2',
        'pod-template-generation': '2',
        ...(hash === undefined ? {} : { 'pod-template-hash': hash }),
      },
      ...(owner === undefined ? {} : ownedBy(owner)),
      ...rest.metadata,
    },
    spec: { containers: [{ name: 'web', image: 'registry.test/web:2' }], restartPolicy: 'Always', ...rest.spec },
    status: {
      phase,
      conditions: [conditionAt('Ready', ready ? 'True' : 'False'), ...conditions],
      containerStatuses: containers,
      ...rest.status,
    },
  });
}

/** The status of a container that waits. */
export function waiting(reason: string, message = '', more: JsonObject = {}): JsonObject {
  return { name: 'web', ready: false, restartCount: 0, state: { waiting: { reason, message } }, ...more };
}

/** The status of a container in CrashLoopBackOff, or in `state`. */
export function crashed(
  restarts: number,
  {
    exitCode = 1,
    reason = 'Error',
    at = 0,
    state = {},
  }: { exitCode?: number; reason?: string; at?: number; state?: JsonObject } = {},
) {
  const ended = { exitCode, reason, finishedAt: timeAt(at) };
  return waiting('CrashLoopBackOff', 'back-off 10s restarting failed container', {
    restartCount: restarts,
    lastState: { terminated: ended },
    ...(Object.keys(state).length === 0 ? {} : { state }),
  });
}

/** An event as the API server keeps it. */
export function eventObject(
  about: KubernetesObject,
  reason: string,
  message: string,
  {
    type = 'Warning',
    first = 0,
    last,
    count = 1,
  }: { type?: string; first?: number; last?: number; count?: number } = {},
): KubernetesObject {
  const { kind, metadata } = about;
  return {
    ...live('Event', { apiVersion: 'v1', metadata: { name: `${metadata.name}.${reason}` } }),
    involvedObject: { kind, name: metadata.name, uid: metadata.uid },
    type,
    reason,
    message,
    count,
    firstTimestamp: timeAt(first),
    lastTimestamp: timeAt(last ?? first),
  };
}

export function eventOn(...parts: Parameters<typeof eventObject>): ObjectEvent {
  return readEvent(eventObject(...parts));
}

/** Of a write of generation 2 at the start, 5 s ago. */
export function factsOf(object: KubernetesObject, more: Partial<Facts> = {}): Facts {
  return {
    generation: object.metadata.generation ?? 0,
    changed: true,
    writtenAt: start,
    now: start + 5000,
    asWritten: object,
    quietMs: Infinity,
    ...more,
  };
}
