import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { groupOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { rules } from '../../../src/rollout/readiness/index.ts';
import { figure } from '../../support/figure.ts';
import { createNamespace, deleteNamespace, kubectl } from '../../support/kubectl.ts';
import { configMap, container, deployment, sampleImage, service } from '../../support/objects.ts';
import { replay } from '../../support/sequence.ts';
import { saidOf, Stage } from './stage.ts';

let stage: Stage;
let namespace: string;
let suffix: string;
const definitions: string[] = [];

beforeAll(async () => {
  stage = await Stage.open();
  namespace = await createNamespace('rules');
  suffix = namespace.split('-').at(-1) ?? '';
});

afterAll(async () => {
  const folder = process.env['RECORD_SEQUENCES'];
  if (folder !== undefined) stage.save(folder);
  const seen = stage.results.flatMap(({ targets }) => targets.map(({ object }) => object));
  figure('rules', rules.length);
  figure('rules-seen-live', rules.filter(({ kinds }) => seen.some((object) => isOneOf(object, kinds))).length);
  figure('sequences', stage.sequences.filter(({ steps }) => steps.length > 0).length);
  await deleteNamespace(namespace);
  await Promise.all(definitions.map((name) => kubectl(['delete', 'crd', name, '--wait=false', '--ignore-not-found'])));
  await kubectl(['delete', 'pv', `rules-${suffix}`, '--wait=false', '--ignore-not-found']);
  await stage.client.close();
});

function isOneOf({ apiVersion, kind }: KubernetesObject, kinds: (typeof rules)[number]['kinds']): boolean {
  return kinds.some((entry) => entry.kind === kind && entry.group === groupOf(apiVersion));
}

/** Applies, waits, and says what came of it. */
async function outcomeOf(about: string, manifest: object, seconds?: number): Promise<string> {
  return saidOf(await stage.wait(about, await stage.write(namespace, manifest), seconds));
}

async function valueOf(kind: string, name: string, path: string): Promise<string> {
  return await kubectl(['get', kind, name, '-n', namespace, '-o', `jsonpath=${path}`]);
}

/** Another kind of workload with the pods of the sample Deployment. */
function workload(kind: string, name: string, options: Parameters<typeof deployment>[1] & { spec?: object } = {}) {
  return { ...deployment(name, options), kind };
}

describe('each rule on a cluster', () => {
  test.concurrent('a Deployment: first, updated, scaled to nothing', async () => {
    const first = deployment('web', { replicas: 2 });
    expect(await outcomeOf('Deployment first', first)).toBe('ready: 2 pods available');
    const updated = deployment('web', { replicas: 2, env: { GREETING: 'new' } });
    expect(await outcomeOf('Deployment updated', updated)).toBe('ready: 2 pods available');
    expect(await valueOf('deployment', 'web', '{.status.replicas} {.status.updatedReplicas}')).toBe('2 2');
    const none = deployment('web', { replicas: 0, env: { GREETING: 'new' } });
    expect(await outcomeOf('Deployment scaled to nothing', none)).toBe('ready: 0 pods available');
    expect(await valueOf('deployment', 'web', '{.status.replicas}')).toBe('');
  });

  test.concurrent('a Deployment past its deadline, and the deploy that mends it (R1, R3)', async () => {
    const broken = deployment('late', { env: { NEVER_READY: 'true' }, spec: { progressDeadlineSeconds: 4 } });
    expect(await outcomeOf('Deployment past its deadline', broken)).toMatch(/^failed: ProgressDeadlineExceeded: /);
    const mended = deployment('late', { spec: { progressDeadlineSeconds: 4 } });
    expect(await outcomeOf('Deployment mended after its deadline', mended)).toBe('ready: 1 pod available');
  });

  test.concurrent('a Deployment that may lose its only pod is not ready without one (R5)', async () => {
    const strategy = { rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } };
    const object = await stage.write(
      namespace,
      deployment('none', { env: { NEVER_READY: 'true' }, spec: { strategy } }),
    );
    expect(saidOf(await stage.wait('Deployment without its only pod', object, 5))).toMatch(/^timed-out: /);
  });

  test.concurrent('a Deployment that somebody pauses meanwhile (R9)', async () => {
    const object = await stage.write(namespace, deployment('held', { env: { READY_DELAY: '300s' } }));
    const waiting = stage.wait('Deployment paused by somebody', object, 5);
    await kubectl(['rollout', 'pause', 'deployment/held', '-n', namespace]);
    expect(saidOf(await waiting)).toMatch(/^timed-out: .*paused by kubectl-rollout at \S+/);
  });

  test.concurrent('a Deployment that is deleted meanwhile', async () => {
    const object = await stage.write(namespace, deployment('gone', { env: { READY_DELAY: '300s' } }));
    const waiting = stage.wait('Deployment deleted', object, 30);
    await kubectl(['delete', 'deployment', 'gone', '-n', namespace, '--wait=false']);
    expect(saidOf(await waiting)).toMatch(/^failed: Deleted: /);
  });

  test.concurrent('a Deployment whose image is not there (R16)', async () => {
    const image = 'registry.test/pulled/ctwoc:9.9.9';
    expect(await outcomeOf('Deployment without its image', deployment('absent', { image }))).toMatch(
      /^failed: .*ImagePull.*: .*image "registry.test\/pulled\/ctwoc:9.9.9" not found/,
    );
  });

  test.concurrent('a healthy version after one that crashes (R19)', async () => {
    const crashing = deployment('crashing', { env: { CRASH_AFTER: '0' } });
    expect(await outcomeOf('Deployment that crashes', crashing)).toMatch(/^failed: CrashLoopBackOff: /);
    expect(await outcomeOf('Deployment after one that crashed', deployment('crashing'))).toBe('ready: 1 pod available');
  });

  test.concurrent('a StatefulSet: first, updated (R13), with OnDelete', async () => {
    const set = (env: Record<string, string>, strategy = 'RollingUpdate') =>
      workload('StatefulSet', 'ordered', {
        replicas: 2,
        env,
        spec: { updateStrategy: { type: strategy }, serviceName: 'ordered' },
      });
    expect(await outcomeOf('StatefulSet first', set({}))).toBe('ready: 2 pods ready');
    expect(await outcomeOf('StatefulSet updated', set({ GREETING: 'new' }))).toBe('ready: 2 pods ready');
    expect(await valueOf('statefulset', 'ordered', '{.status.updatedReplicas}')).toBe('2');
    expect(await outcomeOf('StatefulSet with OnDelete', set({ GREETING: 'newer' }, 'OnDelete'))).toBe(
      'unchecked: its update strategy is OnDelete: 0 of 2 pods updated; delete the others to update them',
    );
  });

  test.concurrent('a StatefulSet with a partition waits for the pods above it, without one for all (R14)', async () => {
    const set = (env: Record<string, string>, partition: number) =>
      workload('StatefulSet', 'parted', {
        replicas: 2,
        env,
        spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition } }, serviceName: 'parted' },
      });
    const updated = () => valueOf('statefulset', 'parted', '{.status.updatedReplicas} {.status.readyReplicas}');
    expect(await outcomeOf('StatefulSet with a partition first', set({}, 1))).toMatch(/^ready: /);
    expect(await outcomeOf('StatefulSet with a partition updated', set({ GREETING: 'new' }, 1))).toMatch(/^ready: /);
    expect(await updated()).toBe('1 2');
    expect(await outcomeOf('StatefulSet whose partition goes', set({ GREETING: 'new' }, 0))).toBe(
      'ready: 2 pods ready',
    );
    expect(await updated()).toBe('2 2');
  });

  test.concurrent('a StatefulSet whose pods are forbidden, which only events tell (R7)', async () => {
    const own = await createNamespace('rules-restricted');
    await kubectl(['label', 'namespace', own, 'pod-security.kubernetes.io/enforce=restricted']);
    const set = workload('StatefulSet', 'forbidden', { spec: { serviceName: 'x' } });
    expect(saidOf(await stage.wait('StatefulSet forbidden', await stage.write(own, set), 30))).toMatch(
      /^failed: FailedCreate: .*pods cannot be created: .*restricted/,
    );
    await deleteNamespace(own);
  });

  test.concurrent('a DaemonSet: first, updated', async () => {
    const set = (env: Record<string, string>) => {
      const { selector, template } = deployment('everywhere', { env }).spec;
      return { ...workload('DaemonSet', 'everywhere'), spec: { selector, template } };
    };
    expect(await outcomeOf('DaemonSet first', set({}))).toBe('ready: 1 pod available');
    expect(await outcomeOf('DaemonSet updated', set({ GREETING: 'new' }))).toBe('ready: 1 pod available');
    expect(await valueOf('daemonset', 'everywhere', '{.status.updatedNumberScheduled}')).toBe('1');
  });

  test.concurrent('a ReplicaSet and a ReplicationController', async () => {
    expect(await outcomeOf('ReplicaSet', workload('ReplicaSet', 'set'))).toBe('ready: 1 pod available');
    const { selector, ...spec } = deployment('controller').spec;
    const controller = {
      ...workload('ReplicationController', 'controller'),
      apiVersion: 'v1',
      spec: { ...spec, selector: selector.matchLabels },
    };
    expect(await outcomeOf('ReplicationController', controller)).toBe('ready: 1 pod available');
  });

  test.concurrent('a Job that completes, one that fails, one that waits to be resumed', async () => {
    const job = (name: string, exit: number, spec: object = {}) => ({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name },
      spec: {
        backoffLimit: 0,
        template: {
          spec: {
            restartPolicy: 'Never',
            containers: [{ name: 'job', image: sampleImage, args: ['job', '-exit', String(exit)] }],
          },
        },
        ...spec,
      },
    });
    expect(await outcomeOf('Job that completes', job('good', 0))).toBe('ready: completed');
    expect(await outcomeOf('Job that fails', job('bad', 4))).toMatch(/^failed: BackoffLimitExceeded: /);
    expect(await outcomeOf('Job suspended', job('later', 0, { suspend: true }))).toBe('unchecked: it is suspended');
    const template = { spec: job('x', 0).spec };
    const cronJob = {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly' },
      spec: { schedule: '0 3 * * *', jobTemplate: template },
    };
    expect(await outcomeOf('CronJob', cronJob)).toBe('ready: its schedule is "0 3 * * *"');
  });

  test.concurrent('a Pod that gets ready, and one that fails', async () => {
    const pod = (name: string, more: object, one: object) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name },
      spec: { containers: [one], ...more },
    });
    expect(await outcomeOf('Pod', pod('bare', {}, container()))).toBe('ready: ready');
    const failing = container({ args: ['job', '-exit', '4'] });
    expect(await outcomeOf('Pod that fails', pod('ended', { restartPolicy: 'Never' }, failing))).toMatch(
      /^failed: Failed: /,
    );
  });

  test.concurrent('Services, an Ingress, a budget, a ConfigMap', async () => {
    expect(await outcomeOf('Service', service('inside'))).toBe('ready: applied');
    expect(await outcomeOf('Service with an address', service('outside', { type: 'LoadBalancer' }))).toMatch(
      /^ready: its address is \d+\./,
    );
    const backend = { service: { name: 'inside', port: { number: 80 } } };
    const spec = { defaultBackend: backend };
    expect(
      await outcomeOf('Ingress', {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'edge' },
        spec,
      }),
    ).toBe('ready: applied');
    const budget = { minAvailable: 1, selector: { matchLabels: { app: 'nobody' } } };
    expect(
      await outcomeOf('PodDisruptionBudget', {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { name: 'budget' },
        spec: budget,
      }),
    ).toBe('ready: observed');
    expect(await outcomeOf('ConfigMap', configMap('settings', { a: '1' }))).toBe('ready: applied');
  });

  test.concurrent('an autoscaler without metrics', async () => {
    await stage.write(namespace, deployment('scaled', { resources: { requests: { cpu: '1m' } } }));
    const spec = {
      minReplicas: 1,
      maxReplicas: 2,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' },
    };
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scaled' },
      spec,
    };
    expect(await outcomeOf('HorizontalPodAutoscaler', autoscaler)).toMatch(
      /^(unchecked: it gets no metrics|ready: active)/,
    );
  });

  test.concurrent('claims', async () => {
    const spec = {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Mi' } },
      storageClassName: `rules-${suffix}`,
    };
    const claim = (name: string, more: object) => ({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name },
      spec: { ...spec, ...more },
    });
    expect(await outcomeOf('PersistentVolumeClaim pending', claim('pending', {}))).toMatch(/^unchecked: pending/);
    await stage.write(undefined, {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `rules-${suffix}` },
      spec: {
        accessModes: spec.accessModes,
        capacity: { storage: '1Mi' },
        storageClassName: 'bound',
        hostPath: { path: '/tmp' },
      },
    });
    await stage.write(namespace, claim('bound', { storageClassName: 'bound', volumeName: `rules-${suffix}` }));
    await kubectl(['wait', 'pvc/bound', '-n', namespace, '--for=jsonpath={.status.phase}=Bound', '--timeout=30s']);
    expect(
      await outcomeOf(
        'PersistentVolumeClaim bound',
        claim('bound', { storageClassName: 'bound', volumeName: `rules-${suffix}` }),
      ),
    ).toBe('ready: bound');
  });

  test.concurrent('a namespace, an APIService', async () => {
    const name = `rules-made-${suffix}`;
    const made = await stage.write(undefined, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    expect(saidOf(await stage.wait('Namespace', made))).toBe('ready: active');
    await deleteNamespace(name);
    const apiService = await stage.client.read({
      apiVersion: 'apiregistration.k8s.io/v1',
      kind: 'APIService',
      name: 'v1.apps',
    });
    if (apiService === undefined) throw new Error('there is no APIService "v1.apps"');
    expect(saidOf(await stage.wait('APIService', apiService, 5, false))).toBe('ready: available');
  });

  function definition(group: string, kind: string, plural: string) {
    const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    definitions.push(`${plural}.${group}`);
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}`, annotations: { 'api-approved.kubernetes.io': 'unapproved, for tests' } },
      spec: {
        group,
        names: { kind, plural },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: { openAPIV3Schema: schema },
            subresources: { status: {} },
          },
        ],
      },
    };
  }

  /** Patches the status as the controller of the kind would, while the wait goes on. */
  async function withStatus(about: string, manifest: KubernetesObject, status: object): Promise<string> {
    const object = await stage.write(namespace, manifest);
    const waiting = stage.wait(about, object, 30);
    const name = `${manifest.kind}.v1.${groupOf(manifest.apiVersion)}`;
    const patch = [
      'patch',
      name,
      manifest.metadata.name,
      '-n',
      namespace,
      '--subresource=status',
      '--type=merge',
      '-p',
    ];
    await kubectl([...patch, JSON.stringify({ status })]);
    return saidOf(await waiting);
  }

  const good = (type: string) => ({
    type,
    status: 'True',
    observedGeneration: 1,
    reason: type,
    message: '',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  });

  test.concurrent('definitions, and resources that keep the conventions', async () => {
    const group = `${suffix}.rules.test`;
    const gadgets = await stage.write(undefined, definition(group, 'Gadget', 'gadgets'));
    expect(saidOf(await stage.wait('CustomResourceDefinition', gadgets, 30))).toBe('ready: established');
    const twins = await stage.write(undefined, definition(group, 'Gadget', 'twins'));
    expect(saidOf(await stage.wait('CustomResourceDefinition whose name is taken', twins, 30))).toMatch(
      /^failed: .*Conflict: /,
    );
    await stage.untilServed([gadgets]);
    const manifest = { apiVersion: `${group}/v1`, kind: 'Gadget', metadata: { name: 'one' }, spec: { size: 1 } };
    expect(await outcomeOf('custom resource without conventions', manifest)).toBe('ready: applied');
  });

  test.concurrent('a Gateway and an HTTPRoute', async () => {
    const group = 'gateway.networking.k8s.io';
    const definitions: KubernetesObject[] = [];
    for (const [kind, plural] of [
      ['Gateway', 'gateways'],
      ['HTTPRoute', 'httproutes'],
    ] as const) {
      const made = await stage.write(undefined, definition(group, kind, plural));
      await stage.wait(`definition of ${kind}`, made, 30);
      definitions.push(made);
    }
    await stage.untilServed(definitions);
    const gateway = {
      apiVersion: `${group}/v1`,
      kind: 'Gateway',
      metadata: { name: 'edge' },
      spec: { gatewayClassName: 'x' },
    };
    const accepted = { addresses: [{ value: '203.0.113.7' }], conditions: [good('Accepted'), good('Programmed')] };
    expect(await withStatus('Gateway', gateway, accepted)).toBe('ready: its address is 203.0.113.7');
    const parentRefs = [{ name: 'edge' }];
    const route = { apiVersion: `${group}/v1`, kind: 'HTTPRoute', metadata: { name: 'edge' }, spec: { parentRefs } };
    const parents = [
      {
        parentRef: { group, kind: 'Gateway', name: 'edge' },
        controllerName: 'x',
        conditions: [good('Accepted'), good('ResolvedRefs')],
      },
    ];
    expect(await withStatus('HTTPRoute', route, { parents })).toBe('ready: accepted by its parents');
  });
});

test('what was seen, replayed, is decided in the same way', () => {
  const replayed = stage.sequences.filter(({ verdict }) => verdict !== 'progressing');
  const told = (state: string | undefined) => state ?? 'progressing';
  for (const sequence of replayed.filter(({ about }) => about !== 'Deployment deleted')) {
    const end = replay(sequence).find(({ state }) => state !== 'progressing');
    expect([sequence.about, told(end?.state)]).toEqual([sequence.about, sequence.verdict]);
  }
  expect(replayed.length).toBeGreaterThan(20);
});
