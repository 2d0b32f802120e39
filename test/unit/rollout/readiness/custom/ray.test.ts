import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../../src/kubernetes/object.ts';
import { judge } from '../../../../../src/rollout/readiness/index.ts';
import type { Facts } from '../../../../../src/rollout/readiness/rule.ts';
import { custom, decidedOver, ownedBy } from '../../../../support/custom-resource.ts';
import { conditionAt, factsOf, live, podOf, timeAt } from '../../../../support/rollout-objects.ts';

type Parts = NonNullable<Parameters<typeof custom>[2]>;

const serveConfigV2 = 'applications:\n  - name: llm\n    import_path: serve:llm\n';
const app = (status: string, message = ''): JsonObject => ({ llm: { status, message } });

const clusterSpec = (image: string): JsonObject => ({
  headGroupSpec: { template: { spec: { containers: [{ name: 'head', image }] } } },
});

/** A pod of a RayCluster, made `at` seconds after the write: its head, or a worker of the group "gpu". */
function rayPod(cluster: KubernetesObject, name: string, image: string, at: number): KubernetesObject {
  const type = name === 'head' ? 'head' : 'worker';
  const labels = { 'ray.io/node-type': type, 'ray.io/group': type === 'head' ? 'headgroup' : 'gpu' };
  const metadata = { name: `${cluster.metadata.name}-${name}`, creationTimestamp: timeAt(at), labels };
  return ownedBy(cluster, podOf(undefined, { ready: true, metadata, spec: { containers: [{ name: type, image }] } }));
}

/** Somebody has written a field of its spec last so many seconds after the write. */
function writtenAt(object: KubernetesObject, fields: Record<string, number>): KubernetesObject {
  const managedFields = Object.entries(fields).map(([field, seconds]) => ({
    manager: `writer-of-${field}`,
    operation: 'Update' as const,
    apiVersion: 'ray.io/v1',
    time: timeAt(seconds),
    fieldsV1: { 'f:spec': { [`f:${field}`]: {} } },
  }));
  return { ...object, metadata: { ...object.metadata, managedFields } };
}

/** State, message, and what keeps its pods, of an object that was written over `before`. */
function heldOf(object: KubernetesObject, before: KubernetesObject, more: Partial<Facts> = {}) {
  const verdict = judge(object, factsOf(object, { before, ...more }));
  return verdict.state === 'ready' ? [verdict.state, verdict.message, verdict.held] : [verdict.state];
}

describe('a RayService', () => {
  const service = (parts: Parts = {}) =>
    custom('ray.io/v1', 'RayService', { ...parts, spec: { serveConfigV2, ...parts.spec } });
  const serves = conditionAt('Ready', 'True', 'NonZeroServeEndpoints', '', -3000);
  const rests = conditionAt('UpgradeInProgress', 'False', 'NoPendingCluster', '', -3000);
  const moves = conditionAt('UpgradeInProgress', 'True', 'BothActivePendingClustersExist', '', 1);
  const side = (rayClusterName: string, applicationStatuses: JsonObject = {}, more: JsonObject = {}): JsonObject => ({
    rayClusterName,
    applicationStatuses,
    ...more,
  });

  interface Told {
    observed?: number;
    active?: JsonObject;
    pending?: JsonObject;
    conditions?: JsonObject[];
    at?: number;
  }

  function status({
    observed = 2,
    active = side('web-a', app('RUNNING')),
    pending = {},
    conditions = [serves, rests],
    at = -3000,
  }: Told = {}): JsonObject {
    return {
      observedGeneration: observed,
      activeServiceStatus: active,
      pendingServiceStatus: pending,
      lastUpdateTime: timeAt(at),
      conditions,
    };
  }

  const before = status({ observed: 1 });

  test('of a KubeRay without conditions is ready by its serviceStatus', () => {
    const shown = { ...status({ conditions: [] }), serviceStatus: 'Running' };
    expect(decidedOver(service(), [{ at: 1, status: status({ conditions: [] }) }], 30).at(-1)).toBe(
      'progressing: its condition Ready is not set yet',
    );
    expect(decidedOver(service(), [{ at: 1, status: shown }], 30).at(-1)).toBe('ready: 1 of 1 application running');
  });

  test('is not ready while its new cluster starts, though Ready stays True all the while', () => {
    const active = side('web-a');
    const upgrading = [serves, moves];
    const shown = [
      { at: 1 },
      { at: 2, status: status({ active, pending: side('web-b'), conditions: upgrading }) },
      { at: 60, status: status({ active, pending: side('web-b', app('DEPLOYING')), conditions: upgrading }) },
      { at: 90, status: status({ active, pending: side('web-b', app('RUNNING')), conditions: upgrading }) },
      { at: 92, status: status({ active: side('web-b', app('RUNNING')) }) },
    ];
    expect(decidedOver(service({ status: before }), shown, 97)).toEqual([
      'progressing: waiting for the controller',
      'progressing: moving to RayCluster "web-b"',
      'progressing: moving to RayCluster "web-b"; application "llm" is DEPLOYING',
      'progressing: moving to RayCluster "web-b"',
      'progressing: 1 of 1 application running; checking that it stays so',
      'ready: 1 of 1 application running',
    ]);
  });

  test('tells traffic and capacity of an incremental upgrade, and when it goes back', () => {
    const conditions = [serves, moves];
    const pending = side('web-b', app('RUNNING'), { trafficRoutedPercent: 25, targetCapacity: 50 });
    const back = [...conditions, conditionAt('RollbackInProgress', 'True', 'GoalClusterChanged', '', 30)];
    const active = side('web-a', app('RUNNING'), { trafficRoutedPercent: 100, targetCapacity: 100 });
    const shown = [
      { at: 20, status: status({ pending, conditions }) },
      { at: 30, status: status({ pending, conditions: back }) },
      { at: 60, status: status({ active }) },
    ];
    expect(decidedOver(service({ status: before }), shown, 60)).toEqual([
      'progressing: moving to RayCluster "web-b": 25 % of traffic, capacity 50 %',
      'progressing: rolling back: 25 % of traffic, capacity 50 %',
      'ready: 1 of 1 application running',
    ]);
  });

  test('whose status is written every 2 s, as with incremental upgrades, is ready 15 s after the write', () => {
    const active = side('web-a', app('RUNNING'), { trafficRoutedPercent: 100, targetCapacity: 100 });
    const written = service({ status: before });
    const shown = [2, 4, 6, 8, 10, 12, 14].map((at) => ({ at, status: status({ active, at }) }));
    expect(decidedOver(written, shown, 14).at(-1)).toBe(
      'progressing: 1 of 1 application running; checking that it stays so',
    );
    expect(decidedOver(written, shown, 15).at(-1)).toBe('ready: 1 of 1 application running');
  });

  test('whose configuration is changed in place waits for its applications, not for a cluster', () => {
    const shown = [
      { at: 1, status: status() },
      { at: 3, status: status({ active: side('web-a', app('DEPLOYING')) }) },
      { at: 30, status: status() },
      { at: 34 },
    ];
    const failing = status({ active: side('web-a', app('DEPLOY_FAILED', 'no module')) });
    expect(
      decidedOver(service({ status: before }), [...shown.slice(0, 2), { at: 9, status: failing }], 69).at(-1),
    ).toBe('failed: DEPLOY_FAILED: RayService "web": application "llm" is DEPLOY_FAILED: no module');
    expect(decidedOver(service({ status: before }), shown, 35)).toEqual([
      'progressing: 1 of 1 application running; checking that it stays so',
      'progressing: 0 of 1 application running; application "llm" is DEPLOYING',
      'progressing: 1 of 1 application running; checking that it stays so',
      'progressing: 1 of 1 application running; checking that it stays so',
      'ready: 1 of 1 application running',
    ]);
  });

  test('has failed once an application could not be deployed for 60 s', () => {
    const broken = status({ active: side('web-a', app('DEPLOY_FAILED', 'ModuleNotFoundError: serve')) });
    const until = (end: number) => decidedOver(service({ status: before }), [{ at: 5, status: broken }], end).at(-1);
    const told = 'application "llm" is DEPLOY_FAILED: ModuleNotFoundError: serve';
    expect(until(64)).toBe(`progressing: 0 of 1 application running; ${told}`);
    expect(until(65)).toBe(`failed: DEPLOY_FAILED: RayService "web": ${told}`);
  });

  test('has failed with the application of its new cluster, while the old one serves', () => {
    const pending = side('web-b', app('UNHEALTHY', 'replica died'));
    const broken = status({ active: side('web-a'), pending, conditions: [serves, moves] });
    expect(decidedOver(service({ status: before }), [{ at: 5, status: broken }], 65).at(-1)).toBe(
      'failed: UNHEALTHY: RayService "web": application "llm" is UNHEALTHY: replica died',
    );
  });

  test('waits for each application of its configuration, also for one that has no status yet', () => {
    const spec = { serveConfigV2: 'applications:\n  - name: llm\n  - name: rank\n' };
    const shown = [{ at: 1, status: status() }];
    expect(decidedOver(service({ spec, status: before }), shown, 9).at(-1)).toBe(
      'progressing: 1 of 2 applications running',
    );
  });

  test('whose validation fails has failed at once: the observed generation stays behind then', () => {
    const refused = conditionAt('Ready', 'False', 'ValidationFailed', 'spec.rayClusterConfig is invalid', 1);
    const conditions = [{ ...refused, observedGeneration: 1 }, rests];
    const shown = [{ at: 1, status: status({ observed: 1, conditions, at: 1 }) }];
    expect(decidedOver(service({ status: before }), shown, 1)).toEqual([
      'failed: ValidationFailed: RayService "web": spec.rayClusterConfig is invalid',
    ]);
  });

  test('whose validation failed before the write is looked at again; its reason stays until an endpoint serves', () => {
    const refused = conditionAt('Ready', 'False', 'ValidationFailed', 'spec.rayClusterConfig is invalid', -300);
    const conditions = [refused, conditionAt('UpgradeInProgress', 'False', 'Initializing', '', -300)];
    const stale = status({ observed: 0, active: {}, conditions, at: -300 });
    const written = service({ status: stale });
    const shown = [
      { at: 0 },
      { at: 2, status: status({ active: {}, pending: side('web-a'), conditions, at: 2 }) },
      { at: 90, status: status({ at: 90 }) },
    ];
    expect(decidedOver(written, shown, 95)).toEqual([
      'progressing: spec.rayClusterConfig is invalid',
      'progressing: starting RayCluster "web-a"',
      'progressing: 1 of 1 application running; checking that it stays so',
      'ready: 1 of 1 application running',
    ]);
    expect(decidedOver(written, [{ at: 0 }], 59).at(-1)).toBe('progressing: spec.rayClusterConfig is invalid');
    expect(decidedOver(written, [{ at: 0 }], 60).at(-1)).toBe(
      'failed: ValidationFailed: RayService "web": spec.rayClusterConfig is invalid',
    );
  });

  test('that has timed out while it was initializing has failed for good, whenever that was', () => {
    const message = 'RayService failed to become ready within the configured timeout of 10m0s';
    const conditions = [conditionAt('Ready', 'False', 'InitializingTimeout', message, -300)];
    expect(decidedOver(service({ status: status({ observed: 1, conditions }) }), [{ at: 0 }], 0)).toEqual([
      `failed: InitializingTimeout: RayService "web": ${message}`,
    ]);
  });

  test('has failed once no endpoint of it has served for 120 s', () => {
    const none = conditionAt('Ready', 'False', 'ZeroServeEndpoints', 'Number of serve endpoints dropped to 0', 4);
    const shown = [{ at: 4, status: status({ conditions: [none, rests] }) }];
    const until = (end: number) => decidedOver(service({ status: before }), shown, end).at(-1);
    expect(until(123)).toBe('progressing: Number of serve endpoints dropped to 0');
    expect(until(124)).toBe('failed: ZeroServeEndpoints: RayService "web": Number of serve endpoints dropped to 0');
  });

  test('has failed once its new cluster could not make its pods for 30 s', () => {
    const written = service({ status: before });
    const message = 'failed to create head pod: pods "web-b-head" is forbidden: exceeded quota: gpu';
    const pending = status({ active: side('web-a'), pending: side('web-b'), conditions: [serves, moves] });
    const cluster = ownedBy(
      written,
      live('RayCluster', {
        apiVersion: 'ray.io/v1',
        metadata: { name: 'web-b' },
        status: { conditions: [conditionAt('ReplicaFailure', 'True', 'FailedCreateHeadPod', message, 3)] },
      }),
    );
    const until = (end: number) => decidedOver(written, [{ at: 3, status: pending, beside: [cluster] }], end).at(-1);
    expect(until(32)).toBe(`progressing: moving to RayCluster "web-b"; ${message}`);
    expect(until(33)).toBe(`failed: FailedCreateHeadPod: RayService "web": ${message}`);
  });

  test('that is suspended is accepted once it is', () => {
    const written = service({ spec: { suspend: true }, status: before });
    const shown = [
      { at: 1, status: status({ conditions: [conditionAt('Suspending', 'True', 'SuspendInProgress')] }) },
      { at: 9, status: status({ conditions: [conditionAt('Suspended', 'True', 'SuspendComplete')] }) },
    ];
    expect(decidedOver(written, shown, 9)).toEqual(['progressing: suspending', 'unchecked: it is suspended']);
  });

  test('says that a change of its cluster has no effect where its upgradeStrategy is None', () => {
    const written = service({ spec: { upgradeStrategy: { type: 'None' } }, status: before });
    expect(decidedOver(written, [{ at: 1, status: status() }], 6).at(-1)).toBe(
      'ready: 1 of 1 application running; its upgradeStrategy is None: a change of rayClusterConfig has no effect',
    );
  });

  test('is held back by that where the pods of its cluster were to change', () => {
    const of = (image: string) =>
      service({ spec: { upgradeStrategy: { type: 'None' }, rayClusterConfig: clusterSpec(image) }, status: status() });
    const held = 'its upgradeStrategy is None: a change of rayClusterConfig has no effect';
    expect(heldOf(of('ray:2'), of('ray:1'))).toEqual(['ready', `1 of 1 application running; ${held}`, held]);
    expect(heldOf(of('ray:2'), of('ray:2'))).toEqual(['ready', `1 of 1 application running; ${held}`, undefined]);
  });

  test('is held back by that as long as its cluster is another, also by a change of an earlier run', () => {
    const of = (image: string) =>
      service({ spec: { upgradeStrategy: { type: 'None' }, rayClusterConfig: clusterSpec(image) }, status: status() });
    const active = ownedBy(
      of('ray:1'),
      custom('ray.io/v1', 'RayCluster', { name: 'web-a', spec: clusterSpec('ray:1') }),
    );
    const found = { changed: false, descendants: [active, rayPod(active, 'head', 'ray:1', -300)] };
    const why = 'its upgradeStrategy is None: a change of rayClusterConfig has no effect';
    const held = `${why}: 0 of 1 pod updated`;
    expect(heldOf(of('ray:2'), of('ray:2'), found)).toEqual(['ready', `1 of 1 application running; ${held}`, held]);
    expect(heldOf(of('ray:1'), of('ray:1'), found)).toEqual(['ready', `1 of 1 application running; ${why}`, undefined]);
    const ray = of('ray:2')['spec'] as JsonObject;
    const renewing = { ...of('ray:2'), spec: { ...ray, upgradeStrategy: { type: 'NewCluster' } } };
    expect(heldOf(renewing, renewing, found)).toEqual(['ready', '1 of 1 application running', undefined]);
  });

  test('is not held back by what admission has made of the cluster that was made from its last change', () => {
    const wanted = service({
      spec: { upgradeStrategy: { type: 'None' }, rayClusterConfig: clusterSpec('quay.test/p/ray:2') },
      status: status(),
    });
    const made = custom('ray.io/v1', 'RayCluster', { name: 'web-a', spec: clusterSpec('mirror.test/p/ray:2') });
    const active = ownedBy(wanted, { ...made, metadata: { ...made.metadata, creationTimestamp: timeAt(-300) } });
    const found = { changed: false, descendants: [active, rayPod(active, 'head', 'mirror.test/p/ray:2', -300)] };
    const why = 'its upgradeStrategy is None: a change of rayClusterConfig has no effect';
    const held = `${why}: 0 of 1 pod updated`;
    const early = writtenAt(wanted, { rayClusterConfig: -400, serveConfigV2: 0 });
    expect(heldOf(early, early, found)).toEqual(['ready', `1 of 1 application running; ${why}`, undefined]);
    const late = writtenAt(wanted, { rayClusterConfig: -200 });
    expect(heldOf(late, late, found)).toEqual(['ready', `1 of 1 application running; ${held}`, held]);
  });

  test('that was not changed is ready at once', () => {
    const shown = [{ at: 0 }];
    expect(decidedOver(service({ status: status() }), shown, 0, { changed: false })).toEqual([
      'ready: 1 of 1 application running',
    ]);
  });

  test('is judged without its clusters where they may not be seen', () => {
    const object = service({ status: status() });
    expect(judge(object, factsOf(object))).toMatchObject({ state: 'ready' });
  });
});

describe('a RayCluster', () => {
  const cluster = (parts: Parts = {}) => custom('ray.io/v1', 'RayCluster', parts);
  const head = conditionAt('HeadPodReady', 'True', 'HeadPodRunningAndReady', '', -3000);
  const provisioned = conditionAt('RayClusterProvisioned', 'True', 'AllPodRunningAndReadyFirstTime', '', -3000);
  const status = (more: JsonObject = {}, conditions = [head, provisioned]): JsonObject => ({
    observedGeneration: 2,
    desiredWorkerReplicas: 3,
    readyWorkerReplicas: 3,
    conditions,
    ...more,
  });

  test('is ready by its workers: that it was provisioned once stays True for ever', () => {
    const starting = conditionAt('HeadPodReady', 'False', 'RayClusterPodsProvisioning', 'head is starting', 2);
    const shown = [
      { at: 2, status: status({ readyWorkerReplicas: 0 }, [starting, provisioned]) },
      { at: 30, status: status({ readyWorkerReplicas: 1 }) },
      { at: 60, status: status() },
      { at: 62 },
    ];
    expect(decidedOver(cluster(), shown, 63)).toEqual([
      'progressing: not HeadPodReady yet: RayClusterPodsProvisioning: head is starting',
      'progressing: head and 1 of 3 workers ready',
      'progressing: head and 3 of 3 workers ready; checking that it stays so',
      'progressing: head and 3 of 3 workers ready; checking that it stays so',
      'ready: head and 3 of 3 workers ready',
    ]);
  });

  test('is ready after 15 s where its observed generation stays behind: KubeRay does not write that alone', () => {
    const written = cluster({ status: status({ observedGeneration: 1 }) });
    expect(decidedOver(written, [{ at: 0 }], 14).at(-1)).toBe(
      'progressing: head and 3 of 3 workers ready; checking that it stays so',
    );
    expect(decidedOver(written, [{ at: 0 }], 15).at(-1)).toBe('ready: head and 3 of 3 workers ready');
  });

  describe('whose pods KubeRay does not replace', () => {
    const of = (image: string, more: JsonObject = {}) =>
      cluster({
        spec: {
          ...clusterSpec(image),
          workerGroupSpecs: [
            { groupName: 'gpu', replicas: 2, template: { spec: { containers: [{ name: 'worker', image }] } }, ...more },
          ],
        },
        status: status(),
      });
    const head = (image: string, at = -300) => rayPod(of(image), 'head', image, at);
    const worker = (name: string, image: string, at = -300) => rayPod(of(image), name, image, at);
    const old = [head('ray:1'), worker('a', 'ray:1'), worker('b', 'ray:1')];
    const message = 'head and 3 of 3 workers ready';
    const held = (updated: number, all: number) => {
      const text = `KubeRay replaces no pods: ${updated} of ${all} pods updated`;
      return ['ready', `${message}; ${text}; delete the others to update them`, text];
    };

    test('is held back as long as one of them is of before', () => {
      expect(heldOf(of('ray:2'), of('ray:1'), { descendants: old })).toEqual(held(0, 3));
      // A worker that the change adds is new; the head and the other workers are not.
      const grown = [...old, worker('c', 'ray:2', 3)];
      expect(heldOf(of('ray:2', { replicas: 3 }), of('ray:1'), { descendants: grown })).toEqual(held(1, 4));
      const all = [head('ray:2', 3), worker('a', 'ray:2', 3)];
      expect(heldOf(of('ray:2'), of('ray:1'), { descendants: all })).toEqual(['ready', message, undefined]);
    });

    test('is held back by a change that its pods do not show', () => {
      const params = of('ray:1', { rayStartParams: { 'num-gpus': '0' } });
      expect(heldOf(params, of('ray:1'), { descendants: old })).toEqual(held(1, 3));
      const renewed = [head('ray:1'), worker('a', 'ray:1', 3), worker('b', 'ray:1', 3)];
      expect(heldOf(params, of('ray:1'), { descendants: renewed })).toEqual(['ready', message, undefined]);
    });

    test('is ready as ever with another number of workers', () => {
      const sized = of('ray:1', {
        replicas: 2,
        minReplicas: 1,
        maxReplicas: 9,
        scaleStrategy: { workersToDelete: [] },
      });
      expect(heldOf(sized, of('ray:1'), { descendants: old })).toEqual(['ready', message, undefined]);
    });

    test('is held back by a change of an earlier run, too', () => {
      const found = { changed: false, descendants: old };
      expect(heldOf(of('ray:2'), of('ray:2'), found)).toEqual(held(0, 3));
      expect(heldOf(of('ray:1'), of('ray:1'), found)).toEqual(['ready', message, undefined]);
    });

    test('believes the age of a pod that admission has changed when it was made', () => {
      const rewritten = [head('mirror.test/p/ray:2'), worker('a', 'ray@sha256:01'), worker('b', 'mirror.test/p/ray:2')];
      const found = { changed: false, descendants: rewritten };
      const wanted = (times: Record<string, number>) => writtenAt(of('quay.test/p/ray:2'), times);
      const early = wanted({ headGroupSpec: -400, workerGroupSpecs: -400, autoscalerOptions: 0 });
      expect(heldOf(early, early, found)).toEqual(['ready', message, undefined]);
      const grown = wanted({ headGroupSpec: -400, workerGroupSpecs: -200 });
      expect(heldOf(grown, grown, found)).toEqual(held(1, 3));
      const late = wanted({ headGroupSpec: -200, workerGroupSpecs: -200 });
      expect(heldOf(late, late, found)).toEqual(held(0, 3));
    });

    test('believes that age where this run has changed the image, too', () => {
      const descendants = [head('mirror.test/p/ray:2', 3), worker('a', 'mirror.test/p/ray:1')];
      const changed = writtenAt(of('quay.test/p/ray:2'), { headGroupSpec: 0, workerGroupSpecs: 0 });
      expect(heldOf(changed, of('quay.test/p/ray:1'), { descendants })).toEqual(held(1, 2));
    });

    test('is ready where the same change is taken back before a pod has it', () => {
      expect(heldOf(of('ray:1'), of('ray:2'), { descendants: old })).toEqual(['ready', message, undefined]);
    });

    test('is ready with Recreate: KubeRay replaces them', () => {
      const { spec, ...rest } = of('ray:2');
      const recreated = { ...rest, spec: { ...(spec as JsonObject), upgradeStrategy: { type: 'Recreate' } } };
      expect(heldOf(recreated, of('ray:1'), { descendants: old })).toEqual(['ready', message, undefined]);
    });
  });

  test('has failed once its pods could not be made for 30 s, also where that began before the write', () => {
    const broken = conditionAt('ReplicaFailure', 'True', 'FailedCreateWorkerPod', 'exceeded quota: gpu', -300);
    const written = cluster({ status: status({}, [head, provisioned, broken]) });
    expect(decidedOver(written, [{ at: 0 }], 29).at(-1)).toBe('progressing: exceeded quota: gpu');
    expect(decidedOver(written, [{ at: 0 }], 30).at(-1)).toBe(
      'failed: FailedCreateWorkerPod: RayCluster "web": exceeded quota: gpu',
    );
  });

  test('of an operator without conditions is ready by its state', () => {
    const plain = (state: string) => status({ state }, []);
    const shown = [
      { at: 1, status: plain('') },
      { at: 9, status: plain('ready') },
    ];
    expect(decidedOver(cluster(), shown, 12)).toEqual([
      'progressing: its state is not ready yet',
      'progressing: head and 3 of 3 workers ready; checking that it stays so',
      'ready: head and 3 of 3 workers ready',
    ]);
  });

  test('that is suspended is accepted once it is; one that was not changed is ready at once', () => {
    const suspended = status({ readyWorkerReplicas: 0 }, [
      conditionAt('RayClusterSuspended', 'True', 'UserRequestedSuspend'),
    ]);
    const shown = [{ at: 1 }, { at: 2, status: suspended }];
    expect(decidedOver(cluster({ spec: { suspend: true }, status: status() }), shown, 2)).toEqual([
      'progressing: suspending',
      'unchecked: it is suspended',
    ]);
    expect(decidedOver(cluster({ status: status() }), [{ at: 0 }], 0, { changed: false })).toEqual([
      'ready: head and 3 of 3 workers ready',
    ]);
  });
});

describe('a RayJob', () => {
  const job = (parts: Parts = {}) => custom('ray.io/v1', 'RayJob', parts);
  const status = (jobDeploymentStatus: string, jobStatus = '', more: JsonObject = {}): JsonObject => ({
    jobDeploymentStatus,
    jobStatus,
    ...more,
  });

  test('is ready once its job has succeeded', () => {
    const shown = [
      { at: 0 },
      { at: 1, status: status('Initializing', 'PENDING') },
      { at: 60, status: status('Running', 'RUNNING') },
      { at: 90, status: status('Complete', 'SUCCEEDED') },
    ];
    expect(decidedOver(job(), shown, 90)).toEqual([
      'progressing: waiting for the controller',
      'progressing: initializing; its job is PENDING',
      'progressing: running; its job is RUNNING',
      'ready: succeeded',
    ]);
  });

  test('that is tried again is waited for, and has failed when it is not', () => {
    const shown = [
      { at: 1, status: status('Running', 'FAILED') },
      { at: 2, status: status('Retrying', 'FAILED') },
      { at: 9, status: status('Failed', 'FAILED', { reason: 'AppFailed', message: 'exit code 1' }) },
    ];
    expect(decidedOver(job(), shown, 9)).toEqual([
      'progressing: running; its job is FAILED',
      'progressing: retrying; its job is FAILED',
      'failed: AppFailed: RayJob "web": failed: exit code 1',
    ]);
  });

  test('has failed when its job was stopped', () => {
    expect(decidedOver(job(), [{ at: 1, status: status('Complete', 'STOPPED') }], 1)).toEqual([
      'failed: STOPPED: RayJob "web": its job is STOPPED',
    ]);
  });

  test('that is not valid has failed at once; one that was not before the write has 60 s', () => {
    const invalid = status('ValidationFailed', '', { reason: 'ValidationFailed', message: 'the entrypoint is empty' });
    expect(decidedOver(job(), [{ at: 1, status: invalid }], 1)).toEqual([
      'failed: ValidationFailed: RayJob "web": the entrypoint is empty',
    ]);
    const written = job({ status: invalid });
    expect(decidedOver(written, [{ at: 0 }], 59).at(-1)).toBe('progressing: the entrypoint is empty');
    expect(decidedOver(written, [{ at: 0 }], 60).at(-1)).toBe(
      'failed: ValidationFailed: RayJob "web": the entrypoint is empty',
    );
  });

  test('in a queue of Kueue is accepted once it has waited there for 15 s', () => {
    const plain = job({ spec: { suspend: true } });
    const labels = { 'kueue.x-k8s.io/queue-name': 'gpus' };
    const written = { ...plain, metadata: { ...plain.metadata, labels } };
    const shown = [{ at: 1, status: status('Suspended') }];
    expect(decidedOver(written, shown, 15).at(-1)).toBe('progressing: it is suspended; checking that it stays so');
    expect(decidedOver(written, shown, 16).at(-1)).toBe('unchecked: it is suspended');
  });

  test('that is suspended is accepted, and one that was not changed is ready at once', () => {
    const suspended = job({ spec: { suspend: true } });
    expect(decidedOver(suspended, [{ at: 1, status: status('Suspended') }], 1)).toEqual(['unchecked: it is suspended']);
    const done = job({ status: status('Complete', 'SUCCEEDED') });
    expect(decidedOver(done, [{ at: 0 }], 0, { changed: false })).toEqual(['ready: succeeded']);
  });
});
