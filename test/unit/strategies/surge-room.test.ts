import { beforeEach, describe, expect, test } from '@jest/globals';

import type { Prepared } from '../../../src/apply/prepared.ts';
import { Failures } from '../../../src/base/errors.ts';
import { at, objectAt, setAt, type Json, type JsonObject } from '../../../src/base/json.ts';
import { LowCapacity, type OnLowCapacity } from '../../../src/capacity/capacity.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { PlanContext, Strategy } from '../../../src/plan/plan.ts';
import type { Step } from '../../../src/plan/step.ts';
import { rollingBackWithRoom, rollingWithRoom } from '../../../src/strategies/rolling.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { live, liveDeployment, liveStatefulSet, ownedBy } from '../../support/rollout-objects.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';
import { nodeOf, podOn, quotaOf, templateWith } from '../capacity/build.ts';
import { compared, linesOf, service } from './plan-lines.ts';

const gpu = { 'nvidia.com/gpu': '1' };

let api: FakeApi;

beforeEach(() => {
  api = new FakeApi();
});

function put(...objects: KubernetesObject[]): void {
  for (const object of objects) api.put(object);
}

interface Model {
  replicas?: number;
  requests?: JsonObject;
  spec?: JsonObject;
  status?: JsonObject;
}

/** A Deployment all of whose pods are ready; each asks for one GPU. */
function model(name: string, { replicas = 1, requests = gpu, spec = {}, status = {} }: Model = {}): KubernetesObject {
  return liveDeployment({
    metadata: { name, namespace: 'shop' },
    replicas,
    spec: { template: templateWith(requests, {}, { app: name }), ...spec },
    status,
  });
}

/** A running pod of that Deployment. */
function podOfModel(name: string, node: string, requests: JsonObject = gpu): KubernetesObject {
  const set = live('ReplicaSet', { metadata: { name: `${name}-abc` } });
  const template = templateWith(requests, {}, { app: name, 'pod-template-hash': 'abc' });
  return podOn(node, template, { ...ownedBy(set), namespace: 'shop' });
}

/** A new version of what runs; `changes` are values at paths of it. */
function next(now: KubernetesObject, changes: [string[], Json][] = []): Prepared {
  const object = structuredClone(now);
  setAt(object, ['spec', 'template', 'metadata', 'annotations'], { version: '2' });
  for (const [path, value] of changes) setAt(object, path, value);
  return compared(object, now);
}

/** What the run says; a failure is thrown. */
async function deploy(prepared: Prepared[], onLowCapacity: OnLowCapacity = 'fail'): Promise<string[]> {
  return (await planOf(prepared, onLowCapacity)).lines;
}

async function planOf(
  prepared: Prepared[],
  onLowCapacity: OnLowCapacity,
  strategy: Strategy = rollingWithRoom,
): Promise<{ lines: string[]; steps: readonly Step[] }> {
  const listening = listeningReporter();
  const { lines } = listening;
  const reporter = { ...listening, notice: (text: string) => lines.push(`notice ${text}`) };
  const context: PlanContext = {
    client: api,
    namespace: 'shop',
    look: () => Promise.resolve(prepared),
    note: () => undefined,
    onLowCapacity,
    reporter,
  };
  const arrangement = await strategy(context, []);
  const plan = await arrangement.plan(prepared);
  const decisions = await Promise.all(plan.stages.map((stage) => stage.decide(context)));
  return { lines, steps: decisions.flatMap(({ steps }) => steps) };
}

const needs =
  'rolling update of Deployment "model" needs 1 more pod with 1 nvidia.com/gpu each, but there is no capacity: 1 matching node, 0 free nvidia.com/gpu';
const inPlace =
  'Set "on-low-capacity: in-place" to replace pods one at a time in this run, or set "maxSurge: 0" and "maxUnavailable: 1" in the Deployment for all runs, or ';
const moreNodes = `${inPlace}free up or add nodes`;
const anyway = 'or set "on-low-capacity: warn" to try anyway.';
const alone = 'With 1 replica, nothing serves from then on until the new pod is ready.';

test('a full pool counts where only nodes that its pods may not run on have pods of a Job', async () => {
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'train', uid: 'train', controller: true };
  const template = templateWith(gpu, {}, { app: 'train' });
  put(
    nodeOf('b', gpu, { labels: { pool: 'train' } }),
    podOn('b', template, { namespace: 'lab', ownerReferences: [owner] }),
  );
  put(nodeOf('c', gpu, { labels: { pool: 'serve' } }), podOfModel('model', 'c'));
  const onlyC: [string[], Json][] = [[['spec', 'template', 'spec', 'nodeSelector'], { pool: 'serve' }]];
  await expect(deploy([next(model('model'), onlyC)])).rejects.toThrow(LowCapacity);
});

test('a full pool counts where a pod of a Job in the same namespace has a device of another one, unless a quota is short', async () => {
  const owner = { apiVersion: 'batch/v1', kind: 'Job', name: 'train', uid: 'train', controller: true };
  const template = templateWith(gpu, {}, { app: 'train' });
  const job = podOn('b', template, { namespace: 'shop', ownerReferences: [owner] });
  put(nodeOf('b', gpu, { labels: { pool: 'train' } }), job, podOn(undefined, template, { ownerReferences: [owner] }));
  put(nodeOf('c', gpu, { labels: { pool: 'serve' } }), podOfModel('model', 'c'));
  const onlyC: [string[], Json][] = [[['spec', 'template', 'spec', 'nodeSelector'], { pool: 'serve' }]];
  await expect(deploy([next(model('model'), onlyC)])).rejects.toThrow(LowCapacity);
  put(quotaOf({ 'requests.nvidia.com/gpu': '2' }, { 'requests.nvidia.com/gpu': '2' }));
  expect(await deploy([next(model('model'), onlyC)])).toEqual([]);
});

describe('a full pool of devices', () => {
  beforeEach(() => {
    put(nodeOf('a', gpu), podOfModel('model', 'a'));
  });

  test('ends a rolling update that has to begin with one pod more, before the first write (LLMKube#192)', async () => {
    await expect(deploy([next(model('model'))])).rejects.toEqual(
      new LowCapacity(needs, { hint: `${moreNodes}; ${anyway} ${alone}` }),
    );
  });

  test('is a warning where it is wanted', async () => {
    expect(await deploy([next(model('model'))], 'warn')).toEqual([`warning ${needs}. ${moreNodes}. ${alone}`]);
  });

  test('says what one replica in place means only where there is one', async () => {
    put(nodeOf('b', gpu), podOfModel('model', 'b'));
    await expect(deploy([next(model('model', { replicas: 2 }))])).rejects.toThrow(
      expect.objectContaining({ hint: `${moreNodes}; ${anyway}` }),
    );
  });

  test.each<[string, JsonObject, number, boolean]>([
    ['the default, of one pod', {}, 1, true],
    ['the default, of three', {}, 3, true],
    ['the default, of four, which may do with one less', {}, 4, false],
    ['a surge of 1 % and 0', { rollingUpdate: { maxSurge: '1%', maxUnavailable: 0 } }, 1, true],
    ['a surge of 25 %, and 33 % of three less', { rollingUpdate: { maxSurge: '25%', maxUnavailable: '33%' } }, 3, true],
    ['34 % of three less', { rollingUpdate: { maxSurge: '25%', maxUnavailable: '34%' } }, 3, false],
    ['no surge', { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } }, 1, false],
    ['both 0, which Kubernetes makes one less', { rollingUpdate: { maxSurge: '0%', maxUnavailable: '25%' } }, 3, false],
    ['Recreate', { type: 'Recreate' }, 1, false],
  ])('counts for %s', async (_, strategy, replicas, isStuck) => {
    const names = Array.from({ length: replicas - 1 }, (__, index) => `more-${index}`);
    put(...names.flatMap((name) => [nodeOf(name, gpu), podOfModel('model', name)]));
    const deployed = deploy([next(model('model', { replicas, spec: { strategy } }))]);
    const outcome = await deployed.catch((error: unknown) => error);
    expect([outcome instanceof LowCapacity, api.log.length > 0]).toEqual([isStuck, isStuck]);
  });

  test('is none with a free device on another node', async () => {
    put(nodeOf('b', gpu));
    expect(await deploy([next(model('model'))])).toEqual([]);
  });

  test('is none while a pod that has one is ending (kubernetes#97227)', async () => {
    const ending = podOfModel('other', 'b');
    put(nodeOf('b', gpu), { ...ending, metadata: { ...ending.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } });
    expect(await deploy([next(model('model'))])).toEqual([]);
  });

  test.each([
    ['a Job', 'batch/v1', 'Running', true],
    ['a Job that has ended', 'batch/v1', 'Succeeded', false],
    ['a Job of Volcano', 'batch.volcano.sh/v1alpha1', 'Running', false],
  ])(
    'is not certain while a pod of another namespace has one that belongs to %s',
    async (_, apiVersion, phase, ends) => {
      const owner = { apiVersion, kind: 'Job', name: 'train', uid: 'train', controller: true };
      const template = templateWith(gpu, {}, { app: 'train' });
      put(
        nodeOf('b', gpu),
        podOn('b', template, { namespace: 'lab', ownerReferences: [owner], status: { phase } }),
        podOfModel('other', 'b'),
      );
      const outcome = await deploy([next(model('model'))]).catch((error: unknown) => error);
      expect(outcome instanceof LowCapacity).toBe(!ends);
    },
  );

  test.each([
    ['a higher one', { value: 1000, globalDefault: true }, true],
    ['one that evicts nobody', { value: 1000, globalDefault: true, preemptionPolicy: 'Never' }, false],
    ['none by default', { value: 1000, globalDefault: false }, false],
  ])('is not certain where new pods without a class may evict: the cluster gives %s', async (_, body, evicts) => {
    put({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name: 'standard' }, ...body });
    const outcome = await deploy([next(model('model'))]).catch((error: unknown) => error);
    expect(outcome instanceof LowCapacity).toBe(!evicts);
  });

  test('is not certain where its own pods have been given a higher priority than another, and classes may not be seen', async () => {
    const given = podOfModel('model', 'b');
    put(nodeOf('b', gpu), { ...given, spec: { ...(given['spec'] as JsonObject), priority: 1000 } });
    api.before = (operation, { kind }) => {
      if (operation === 'list' && kind === 'PriorityClass')
        throw refusal(403, 'Forbidden', { apiVersion: 'v1', kind, name: '*' });
    };
    expect(await deploy([next(model('model', { replicas: 2 }))])).toEqual([]);
  });

  test('is none where a pod less is wanted than there are', async () => {
    put(nodeOf('b', gpu), podOfModel('model', 'b'));
    expect(await deploy([next(model('model', { replicas: 2 }), [[['spec', 'replicas'], 1]])])).toEqual([]);
  });

  test('is none where only fewer replicas are wanted, one of which is pending', async () => {
    put(nodeOf('b', gpu), podOfModel('model', 'b'));
    const pending = podOn(undefined, templateWith(gpu, {}, { app: 'model', 'pod-template-hash': 'abc' }));
    put({ ...pending, metadata: { ...podOfModel('model', 'b').metadata, name: 'pending', namespace: 'shop' } });
    const before = model('model', { replicas: 3 });
    const after = structuredClone(before);
    setAt(after, ['spec', 'replicas'], 2);
    expect(await deploy([compared(after, before)])).toEqual([]);
    expect(api.log).toEqual([]);
  });

  test('is not asked about for what gets no new pods, is new, or asks for no device', async () => {
    const plain = model('plain', { requests: { cpu: '4' } });
    const same = compared(model('model'));
    expect(await deploy([next(plain), same, compared(model('new'), null)])).toEqual([]);
    expect(api.log).toEqual([]);
  });

  test('of a quota counts as well', async () => {
    put(nodeOf('b', gpu), quotaOf({ 'requests.nvidia.com/gpu': '1' }, { 'requests.nvidia.com/gpu': '1' }));
    await expect(deploy([next(model('model'))])).rejects.toEqual(
      new LowCapacity(
        'rolling update of Deployment "model" needs 1 more requests.nvidia.com/gpu, but the ResourceQuota "team" of namespace "shop" has 0 left (1 of 1 used)',
        {
          hint: `${inPlace}free up quota or have it raised; ${anyway} ${alone}`,
        },
      ),
    );
  });

  test('is told of all Deployments that none of makes room for the others', async () => {
    put(nodeOf('b', gpu), podOfModel('second', 'b'));
    const failure = await deploy([next(model('model')), next(model('second'))]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failures);
    expect((failure as Failures).all.map(({ message }) => message.split(' needs')[0])).toEqual([
      'rolling update of Deployment "model"',
      'rolling update of Deployment "second"',
    ]);
  });
});

describe('what is not certain is left to the rollout, without a word', () => {
  beforeEach(() => {
    put(nodeOf('a', gpu), podOfModel('model', 'a'));
  });

  test('an autoscaler that may add nodes', async () => {
    put(nodeOf('b', {}, { labels: { 'cloud.google.com/gke-nodepool': 'pool' } }));
    expect(await deploy([next(model('model'))])).toEqual([]);
  });

  test('no right to look at nodes', async () => {
    api.before = (operation, subject) => {
      if (operation === 'list') throw refusal(403, 'Forbidden', subject);
    };
    expect(await deploy([next(model('model'))])).toEqual([]);
  });

  test('a device that no node has, which an old pod cannot make room for either', async () => {
    const other = templateWith({ 'amd.com/gpu': '1' }, {}, { app: 'model' });
    expect(await deploy([next(model('model'), [[['spec', 'template'], other]])])).toEqual([]);
  });

  test('a rollout that is not through: pods of the next version may be there already', async () => {
    put(podOn(undefined, templateWith(gpu), { namespace: 'shop' }));
    const unsettled = model('model', { status: { replicas: 2, updatedReplicas: 1 } });
    expect(await deploy([next(unsettled)])).toEqual([]);
  });

  test('a candidate beside it, which is removed first', async () => {
    put(model('model-canary'));
    expect(await deploy([next(model('model'))])).toEqual([]);
  });

  test('pods that are ending, which a quota counts until they are gone', async () => {
    const ending = podOfModel('other', 'a');
    put(nodeOf('b', gpu), quotaOf({ 'requests.nvidia.com/gpu': '2' }, { 'requests.nvidia.com/gpu': '2' }), {
      ...ending,
      metadata: { ...ending.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
    });
    expect(await deploy([next(model('model'))])).toEqual([]);
  });

  test('a quota of pods or of CPU, which others of the deploy may let go meanwhile', async () => {
    put(nodeOf('b', gpu), quotaOf({ pods: '1' }, { pods: '1' }));
    expect(await deploy([next(model('model'))])).toEqual([]);
  });

  test('a quota of objects, which is not one of devices', async () => {
    const [hard, used] = [{ 'count/pods': '1' }, { 'count/pods': '1' }];
    put(nodeOf('b', gpu), quotaOf(hard, used));
    expect(await deploy([next(model('model'))])).toEqual([]);
  });

  test('a port of the node, which another pod has: that is not a device', async () => {
    const ports: [string[], Json] = [
      ['spec', 'template', 'spec', 'containers'],
      [
        {
          name: 'web',
          image: 'web',
          ports: [{ containerPort: 80, hostPort: 8080 }],
          resources: { requests: gpu, limits: gpu },
        },
      ],
    ];
    const now = model('model');
    setAt(now, ...ports);
    api = new FakeApi();
    const old = podOfModel('model', 'a');
    setAt(old, ['spec', 'containers'], ports[1]);
    put(nodeOf('a', { 'nvidia.com/gpu': '2' }), old);
    expect(await deploy([next(now)])).toEqual([]);
  });

  test('a Deployment that its manifest pauses', async () => {
    expect(await deploy([next(model('model', { spec: { paused: true } }))])).toEqual([]);
  });

  test('a candidate that nobody may look for', async () => {
    api.before = (operation, subject) => {
      if (operation === 'read' && subject.kind === 'Deployment') throw refusal(403, 'Forbidden', subject);
    };
    expect(await deploy([next(model('model'))])).toEqual([]);
  });

  test.each<[string, [string[], Json][]]>([
    ['a scheduler of its own', [[['spec', 'template', 'spec', 'schedulerName'], 'volcano']]],
    ['a gate', [[['spec', 'template', 'spec', 'schedulingGates'], [{ name: 'example.com/later' }]]]],
    ['a queue', [[['metadata', 'labels'], { 'kueue.x-k8s.io/queue-name': 'team' }]]],
    ['another priority', [[['spec', 'template', 'spec', 'priorityClassName'], 'high']]],
  ])('%s', async (_, changes) => {
    expect(await deploy([next(model('model'), changes)])).toEqual([]);
  });

  test('another workload of the deploy that gives devices back', async () => {
    put(nodeOf('b', gpu), podOfModel('recreated', 'b'));
    const recreated = next(model('recreated', { spec: { strategy: { type: 'Recreate' } } }));
    expect(await deploy([next(model('model')), recreated])).toEqual([]);
    const fewer = compared({ ...model('recreated', { replicas: 0 }) }, model('recreated'));
    expect(await deploy([next(model('model')), fewer])).toEqual([]);
    const set = liveStatefulSet({
      metadata: { name: 'set', namespace: 'shop' },
      spec: { template: templateWith(gpu, {}, { app: 'set' }) },
    });
    expect(await deploy([next(model('model')), next(set)])).toEqual([]);
  });

  test('but one that has none of these devices, or stays as it is, gives nothing back', async () => {
    const plain = next(model('plain', { requests: { cpu: '1' } }));
    await expect(deploy([next(model('model')), plain])).rejects.toThrow(needs);
    put(nodeOf('b', gpu), podOfModel('steady', 'b'));
    await expect(deploy([next(model('model')), compared(model('steady'))])).rejects.toThrow('needs 1 more pod');
  });

  test('the answer of a server that is ill is no answer', async () => {
    api.before = (_, subject) => {
      throw refusal(500, 'InternalError', subject);
    };
    await expect(deploy([next(model('model'))])).rejects.toThrow('InternalError');
  });
});

describe('in place', () => {
  const surge = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
  const replaced =
    'Deployment "model": no free nvidia.com/gpu for an extra pod, so its pods are replaced in place one at a time, and 1 of 2 serves meanwhile';

  beforeEach(() => {
    put(nodeOf('a', gpu), nodeOf('b', gpu), podOfModel('model', 'a'), podOfModel('model', 'b'));
  });

  function two(spec: JsonObject = { strategy: surge }): KubernetesObject {
    return model('model', { replicas: 2, spec });
  }

  /** The rolling update that each step leaves the Deployment with, as far as it says. */
  function rollingUpdates(steps: readonly Step[]): Json[] {
    return steps.flatMap((step) => {
      if (step.do === 'set') return step.fields.map(({ to }) => to ?? null);
      if (step.do !== 'apply') return [];
      const own = step.objects.filter(({ object }) => object.metadata.name === 'model' && object.kind === 'Deployment');
      return own.map(({ object }) => at(object, 'spec', 'strategy') ?? null);
    });
  }

  test('is decided before the new template is applied, and the values of the manifest come back in the end', async () => {
    const { lines, steps } = await planOf([next(two()), compared(service('model'))], 'in-place');
    expect(lines).toEqual([]);
    expect(linesOf(steps)).toEqual([
      `note ${replaced}`,
      'set model.strategy=type:RollingUpdate,rollingUpdate:{maxSurge:0,maxUnavailable:1}',
      'apply model×2 Service/model',
      'set model.strategy=rollingUpdate:{maxSurge:1,maxUnavailable:0} until ready',
      'note rolling update settings of Deployment "model" restored',
    ]);
    const oneByOne = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } };
    expect(rollingUpdates(steps)).toEqual([oneByOne, oneByOne, surge]);
    // What was compared with the cluster before the first step does not hold any more.
    expect(steps.filter((step) => step.do === 'apply' && step.compared !== undefined)).toEqual([]);
  });

  test('leaves a manifest that states no rolling update without one', async () => {
    const { steps } = await planOf([next(two({}))], 'in-place');
    expect(rollingUpdates(steps).at(-1)).toBeNull();
    expect(linesOf(steps).at(-2)).toBe('set model.strategy not stated until ready');
  });

  test('says of a single pod that nothing serves meanwhile', async () => {
    put(nodeOf('c', { 'amd.com/gpu': '1' }));
    put(podOfModel('single', 'c', { 'amd.com/gpu': '1' }));
    const single = next(model('single', { requests: { 'amd.com/gpu': '1' } }));
    const { steps } = await planOf([single], 'in-place');
    expect(linesOf(steps)[0]).toBe(
      'note Deployment "single": no free amd.com/gpu for an extra pod, so its only pod is replaced in place, and nothing serves until the new one is ready',
    );
  });

  test('names what a quota lacks as pods ask for it, once', async () => {
    put(quotaOf({ 'requests.nvidia.com/gpu': '2' }, { 'requests.nvidia.com/gpu': '2' }));
    const { steps } = await planOf([next(two())], 'in-place');
    expect(linesOf(steps)[0]).toBe(`note ${replaced}`);
  });

  test('concerns only what is stuck', async () => {
    const plain = next(model('plain', { requests: { cpu: '1' } }));
    const { steps } = await planOf([next(two()), plain], 'in-place');
    expect(linesOf(steps).slice(1)).toEqual([
      'set model.strategy=type:RollingUpdate,rollingUpdate:{maxSurge:0,maxUnavailable:1}',
      'apply model×2 plain×1',
      'set model.strategy=rollingUpdate:{maxSurge:1,maxUnavailable:0} until ready',
      'note rolling update settings of Deployment "model" restored',
    ]);
  });

  test('changes nothing where a device is free, or an old pod goes first anyway', async () => {
    const own = next(two({ strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } } }));
    expect(linesOf((await planOf([own], 'in-place')).steps)).toEqual(['apply model×2']);
    put(nodeOf('c', gpu));
    expect(linesOf((await planOf([next(two())], 'in-place')).steps)).toEqual(['apply model×2']);
  });

  test('changes nothing for a StatefulSet, nor for a first deploy', async () => {
    const set = liveStatefulSet({
      metadata: { name: 'set', namespace: 'shop' },
      spec: { template: templateWith(gpu, {}, { app: 'set' }) },
    });
    const { lines, steps } = await planOf([next(set), compared(two(), null)], 'in-place');
    expect([lines, linesOf(steps)]).toEqual([[], ['apply StatefulSet/set×3 model×2']]);
  });

  test('changes nothing for a device that no node has, and says that it would not help', async () => {
    const other = templateWith({ 'amd.com/gpu': '1' }, {}, { app: 'model' });
    const { lines, steps } = await planOf([next(two(), [[['spec', 'template'], other]])], 'in-place');
    expect(lines).toEqual([
      'notice rolling update of Deployment "model" needs 1 more pod with 1 amd.com/gpu each, but there is no capacity: none of 2 matching nodes has enough amd.com/gpu free (0 in total, at most 0 on any node), and replacing pods in place would not help',
    ]);
    expect(linesOf(steps)).toEqual(['apply model×2']);
  });

  test.each([
    ['another version', true],
    ['the same version', false],
  ])('goes on where an earlier run has left it half-way, for %s', async (_, isOther) => {
    const now = model('model', { replicas: 2, status: { replicas: 2, updatedReplicas: 1 } });
    setAt(now, ['spec', 'strategy'], { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } });
    const entry = () => {
      const after = structuredClone(now);
      setAt(after, ['spec', 'strategy'], surge);
      if (isOther) setAt(after, ['spec', 'template', 'metadata', 'annotations'], { version: '3' });
      return compared(after, now);
    };
    expect(linesOf((await planOf([entry()], 'in-place')).steps).slice(0, 2)).toEqual([
      `note ${replaced}`,
      'set model.strategy=type:RollingUpdate,rollingUpdate:{maxSurge:0,maxUnavailable:1}',
    ]);
    expect(linesOf((await planOf([entry()], 'fail')).steps)).toEqual(['apply model×2']);
  });

  test('says that it may not look', async () => {
    api.before = (operation, subject) => {
      if (operation === 'list' && ['Node', 'Pod'].includes(subject.kind)) throw refusal(403, 'Forbidden', subject);
    };
    expect(await deploy([next(two())], 'in-place')).toEqual([
      'notice capacity for 1 more pod is only partly checked: no permission to list nodes and pods cluster-wide',
    ]);
  });

  test('does not make room for more replicas: that is refused, without the advice to do so', async () => {
    const more = () => [next(two(), [[['spec', 'replicas'], 3]])];
    await expect(deploy(more(), 'in-place')).rejects.toThrow(
      expect.objectContaining({
        hint: '"on-low-capacity: in-place" does not make room for more replicas: free up or add nodes, or use no more replicas than now.',
      }),
    );
    await expect(deploy(more())).rejects.toThrow(
      expect.objectContaining({ hint: `Free up or add nodes, use fewer replicas; ${anyway}` }),
    );
  });

  test('is refused where the rolling update stands in the cluster alone, since it could not be given back', async () => {
    const object = two({});
    const entry = next(object);
    const elsewhere = { ...entry, predicted: two() };
    setAt(elsewhere.predicted, ['spec', 'template'], objectAt(entry.manifest.object, 'spec', 'template'));
    await expect(deploy([elsewhere], 'in-place')).rejects.toThrow(
      expect.objectContaining({
        hint: '"on-low-capacity: in-place" could not restore the rolling update settings, which are set in the cluster and not in the manifest: add them to the manifest.',
      }),
    );
  });
});

describe('in place, while a pod of somebody else waits for the same device', () => {
  const rival = (spec: JsonObject = {}) =>
    podOn(undefined, templateWith(gpu, spec, { app: 'train' }), { name: 'train-0', namespace: 'lab' });
  const deployed = async () => (await planOf([next(model('model'))], 'in-place')).steps;

  beforeEach(() => {
    put(nodeOf('a', gpu, { labels: { pool: 'serve' } }), podOfModel('model', 'a'));
  });

  test('is refused, since that pod would take what an old one releases', async () => {
    put(rival());
    await expect(deployed()).rejects.toEqual(
      new LowCapacity(needs, {
        hint: '"on-low-capacity: in-place" does not help, since pod "train-0" in namespace "lab" is pending and would take the nvidia.com/gpu that an old pod releases: wait until it runs, delete it, or free up or add nodes.',
      }),
    );
  });

  test.each<[string, JsonObject]>([
    ['is held by a gate', { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] }],
    ['may not run on that node', { nodeSelector: { pool: 'train' } }],
    ['has a lower priority', { priority: -10 }],
    ['is of another scheduler', { schedulerName: 'volcano' }],
    ['needs more of it', { containers: [{ name: 'web', resources: { limits: { 'nvidia.com/gpu': '2' } } }] }],
  ])('goes on where that pod %s', async (_, spec) => {
    put(rival(spec));
    expect(linesOf(await deployed())).toContain('apply model×1');
  });

  test.each([
    ['1 Insufficient nvidia.com/gpu', 'refused'],
    ['1 pod has unbound immediate PersistentVolumeClaims', 'apply model×1'],
  ])('goes by what the scheduler says that it waits for: %s', async (why, expected) => {
    const message = `0/1 nodes are available: ${why}. preemption: not eligible.`;
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }];
    put({ ...rival(), status: { phase: 'Pending', conditions } });
    expect(await deployed().then(linesOf, () => ['refused'])).toContain(expected);
  });

  test('goes on where that pod is about to run elsewhere, or is of a workload of the deploy', async () => {
    put(nodeOf('b', gpu, { taints: [{ key: 'train', effect: 'NoSchedule' }] }));
    put(rival({ tolerations: [{ key: 'train', operator: 'Exists' }] }));
    expect(linesOf(await deployed())).toContain('apply model×1');
    const own = podOfModel('other', 'a');
    Reflect.deleteProperty(own['spec'] as JsonObject, 'nodeName');
    put(own, podOfModel('other', 'b'));
    const half = model('other', { replicas: 2, status: { replicas: 2, updatedReplicas: 1 } });
    setAt(half, ['spec', 'strategy'], { type: 'RollingUpdate', rollingUpdate: { maxSurge: 0, maxUnavailable: 1 } });
    const { steps } = await planOf([next(model('model')), next(half)], 'in-place');
    expect(linesOf(steps)).toContain('apply model×1 other×2');
  });
});

describe('in place, where new pods ask for more devices than old ones', () => {
  const more = (count: string) => ({ 'nvidia.com/gpu': count });
  const larger: [string[], Json] = [
    ['spec', 'template', 'spec', 'containers'],
    (templateWith(more('2'))['spec'] as JsonObject)['containers'] ?? [],
  ];
  const notAll =
    '"on-low-capacity: in-place" does not help, since not all of the new pods have room without the old ones: free up or add nodes, use fewer replicas, or ask for fewer devices per pod.';

  test('all of them count, and not only the first', async () => {
    put(nodeOf('a', more('4')), ...Array.from({ length: 3 }, () => podOfModel('model', 'a')));
    const message =
      'rolling update of Deployment "model" needs 3 more pods with 2 nvidia.com/gpu each, but there is capacity for only 2: 1 matching node, 4 free nvidia.com/gpu, even without the old pods';
    const entry = next(model('model', { replicas: 3 }), [larger]);
    await expect(planOf([entry], 'in-place')).rejects.toEqual(new LowCapacity(message, { hint: notAll }));
    await expect(deploy([entry])).rejects.toEqual(
      new LowCapacity(message, { hint: `Free up or add nodes, use fewer replicas; ${anyway}` }),
    );
  });

  test('is done where all of them have room', async () => {
    put(...['a', 'b'].flatMap((node) => [nodeOf(node, more('2')), podOfModel('model', node)]));
    const { steps } = await planOf([next(model('model', { replicas: 2 }), [larger])], 'in-place');
    expect(linesOf(steps)).toContain('set model.strategy not stated until ready');
  });

  test('so do those of several Deployments together', async () => {
    put(nodeOf('a', more('3')), podOfModel('model', 'a'), podOfModel('other', 'a'));
    const entries = [next(model('model'), [larger]), next(model('other'), [larger])];
    await expect(planOf(entries, 'in-place')).rejects.toEqual(
      new LowCapacity(
        'rolling update of Deployment "other" needs 1 more pod with 2 nvidia.com/gpu each, but there is no capacity: 1 matching node, 1 free nvidia.com/gpu, even without the old pods',
        { hint: notAll },
      ),
    );
  });

  test('Deployments whose pods ask for different amounts come one after the other, all others together', async () => {
    put(nodeOf('a', gpu), podOfModel('model', 'a'), nodeOf('b', gpu), podOfModel('same', 'b'));
    put(nodeOf('c', more('2')), podOfModel('large', 'c', more('2')));
    const large = next(model('large', { requests: more('2') }));
    const { steps } = await planOf([next(model('model')), large, next(model('same'))], 'in-place');
    const inPlace = 'strategy=type:RollingUpdate,rollingUpdate:{maxSurge:0,maxUnavailable:1}';
    expect(linesOf(steps).slice(1)).toEqual([
      `set model.${inPlace} large.${inPlace} same.${inPlace}`,
      'apply model×1 same×1',
      'apply large×1',
      'set model.strategy not stated large.strategy not stated same.strategy not stated until ready',
      'note rolling update settings of Deployment "model", Deployment "large", Deployment "same" restored',
    ]);
    expect(steps.find(({ do: what, title }) => what === 'apply' && title.includes('"large"'))?.title).toBe(
      'Apply Deployment "large", and wait until all is ready',
    );
  });
});

describe('a Deployment that `kubectl apply` has made', () => {
  const byKubectl = (rollingUpdate: JsonObject): Prepared => {
    const strategy = { type: 'RollingUpdate', rollingUpdate };
    const now = model('model', { spec: { strategy } });
    const fields = { 'f:rollingUpdate': { 'f:maxSurge': {}, 'f:maxUnavailable': {} }, 'f:type': {} };
    now.metadata.managedFields = [
      {
        manager: 'kubectl-client-side-apply',
        operation: 'Update',
        apiVersion: 'apps/v1',
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:spec': { 'f:strategy': fields } },
      },
    ];
    const applied = JSON.stringify({ spec: { strategy } });
    now.metadata.annotations = { 'kubectl.kubernetes.io/last-applied-configuration': applied };
    const entry = next(model('model'));
    const predicted = { ...now, spec: { ...(entry.manifest.object['spec'] as JsonObject), strategy } };
    return { ...entry, live: now, predicted, takeover: true };
  };

  beforeEach(() => {
    put(nodeOf('a', gpu), podOfModel('model', 'a'));
  });

  test('is judged without the rolling update that goes with the takeover', async () => {
    await expect(deploy([byKubectl({ maxSurge: 0, maxUnavailable: 1 })])).rejects.toThrow(needs);
  });

  test('has nothing to restore that the manifest lacks', async () => {
    const { steps } = await planOf([byKubectl({ maxSurge: 1, maxUnavailable: 0 })], 'in-place');
    expect(linesOf(steps).at(-2)).toBe('set model.strategy not stated until ready');
  });
});

describe('a rollback into a full pool', () => {
  const settings = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };

  beforeEach(() => {
    put(nodeOf('a', gpu), podOfModel('model', 'a'));
  });

  test('has no advice to change manifests', async () => {
    await expect(planOf([next(model('model'))], 'fail', rollingBackWithRoom)).rejects.toThrow(
      expect.objectContaining({
        hint: `Set "on-low-capacity: in-place" to replace pods one at a time in this run, or free up or add nodes; ${anyway} ${alone}`,
      }),
    );
  });

  test('says what to do where the rolling update stands in the cluster alone', async () => {
    const entry = next(model('model'));
    const predicted = structuredClone(entry.manifest.object);
    setAt(predicted, ['spec', 'strategy'], settings);
    await expect(planOf([{ ...entry, predicted }], 'in-place', rollingBackWithRoom)).rejects.toThrow(
      expect.objectContaining({
        hint: '"on-low-capacity: in-place" could not restore the rolling update settings, which are set in the cluster and not in the revision: set "maxSurge: 0" and "maxUnavailable: 1" in the cluster first (kubectl patch deployment model --namespace shop --patch \'{"spec":{"strategy":{"rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}}}\').',
      }),
    );
  });
});

describe('what may release a device meanwhile', () => {
  beforeEach(() => {
    put(nodeOf('a', gpu, { labels: { pool: 'serve' } }), podOfModel('model', 'a'));
  });

  function ending(node: string): KubernetesObject {
    const pod = podOfModel('other', node);
    const metadata = { ...pod.metadata, name: 'other-0', deletionTimestamp: '2026-01-01T00:00:00Z' };
    return { ...pod, metadata };
  }

  test('is no pod that is terminating on a node where the new pods may not run', async () => {
    put(nodeOf('b', gpu, { labels: { pool: 'train' } }), ending('b'));
    const onlyA: [string[], Json] = [['spec', 'template', 'spec', 'nodeSelector'], { pool: 'serve' }];
    await expect(deploy([next(model('model'), [onlyA])])).rejects.toThrow(LowCapacity);
  });

  test('is named where the pods are to be replaced in place and are not', async () => {
    const quota = { 'requests.nvidia.com/gpu': '2' };
    put(nodeOf('b', gpu), quotaOf(quota, quota), ending('b'));
    const { lines, steps } = await planOf([next(model('model'))], 'in-place');
    const tried = 'notice Deployment "model": tried with an extra pod, not in place, since';
    const once = 'notice there is capacity once the terminating pods are gone';
    expect(lines).toEqual([
      once,
      `${tried} pod "other-0" in namespace "shop" is terminating and may release its nvidia.com/gpu`,
    ]);
    expect(linesOf(steps)).toEqual(['apply model×1']);
    put(model('model-canary'));
    expect((await planOf([next(model('model'))], 'in-place')).lines).toEqual([
      once,
      `${tried} Deployment "model-canary" is removed first and may release its nvidia.com/gpu`,
    ]);
  });
});

test('nodes and pods are listed once', async () => {
  put(nodeOf('a', gpu), podOfModel('model', 'a'));
  await planOf([next(model('model'))], 'in-place');
  expect(api.log.filter((line) => /^list (Pod|Node)/.test(line))).toEqual(['list Node/*', 'list Pod/*']);
});
