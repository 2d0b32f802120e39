import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../../src/kubernetes/object.ts';
import { judge } from '../../../../../src/rollout/readiness/index.ts';
import { custom, decidedOver, ownedBy } from '../../../../support/custom-resource.ts';
import { conditionAt, factsOf, live, liveDeployment, timeAt } from '../../../../support/rollout-objects.ts';

type Parts = NonNullable<Parameters<typeof custom>[2]>;
type Deployed = NonNullable<Parameters<typeof liveDeployment>[0]>;

const service = (parts: Parts = {}) => custom('serving.kserve.io/v1beta1', 'InferenceService', parts);
const sure = (...types: string[]) => types.map((type) => conditionAt(type, 'True', '', '', -3000));
const well = sure('IngressReady', 'PredictorReady', 'Ready');

/** As KServe writes it in Standard mode: the observed generation is that of the Deployment (kserve#6081). */
function standard(more: JsonObject = {}, conditions = well): JsonObject {
  return {
    observedGeneration: 3,
    deploymentMode: 'Standard',
    modelStatus: { transitionStatus: 'UpToDate', states: { activeModelState: 'Loaded', targetModelState: 'Loaded' } },
    components: { predictor: { url: 'http://web-predictor.shop.svc' } },
    conditions,
    ...more,
  };
}

const loading = { transitionStatus: 'InProgress', states: { activeModelState: 'Loaded', targetModelState: 'Loading' } };

function blocked(message = 'no such bucket', exitCode = 1): JsonObject {
  return {
    transitionStatus: 'BlockedByFailedLoad',
    states: { activeModelState: 'Loaded', targetModelState: 'FailedToLoad' },
    lastFailureInfo: { reason: 'ModelLoadFailed', message, exitCode },
  };
}

function invalid(reason: string, message: string): JsonObject {
  return {
    transitionStatus: 'InvalidSpec',
    states: { activeModelState: '', targetModelState: 'FailedToLoad' },
    lastFailureInfo: { reason, message },
  };
}

/** Its Deployment; it has moved on when its condition says so. */
function predictor(
  owner: KubernetesObject,
  parts: Deployed = {},
  movedAt = -3000,
  name = 'web-predictor',
): KubernetesObject {
  const conditions = [conditionAt('Progressing', 'True', 'NewReplicaSetAvailable', '', movedAt)];
  const metadata = { name, creationTimestamp: timeAt(-3600) };
  return ownedBy(owner, liveDeployment({ conditions, ...parts, metadata: { ...metadata, ...parts.metadata } }));
}

describe('an InferenceService that is scaled to zero', () => {
  test('is ready without a model whose state could be told', () => {
    const pending = { transitionStatus: 'InProgress', states: { activeModelState: '', targetModelState: 'Pending' } };
    const components = { predictor: { latestCreatedRevision: 'web-1', latestReadyRevision: 'web-1' } };
    const status = { conditions: well, modelStatus: pending, components };
    const idle = service({ spec: { predictor: { minReplicas: 0 } } });
    expect(decidedOver(idle, [{ at: 1, status }], 60).at(-1)).toBe('ready: predictor ready');
    expect(decidedOver(service(), [{ at: 1, status }], 60).at(-1)).toBe(
      'progressing: its model is not up to date yet: Pending',
    );
  });
});

describe('an InferenceService in Standard mode', () => {
  test('is ready by its Deployment, whatever generation its status names (kserve#6081)', () => {
    const written = service({ generation: 7, status: standard() });
    const shown = [{ at: 2, status: standard({ url: 'http://web.shop' }), beside: [predictor(written, {}, 1)] }];
    expect(decidedOver(written, shown, 6)).toEqual([
      'progressing: predictor ready; checking that it stays so',
      'ready: predictor ready',
    ]);
  });

  test('is not ready while its Deployment rolls, though it says so all the while (kserve#4626)', () => {
    const written = service({ generation: 7, status: standard({ observedGeneration: 8 }) });
    const status = standard({ observedGeneration: 9 });
    const rolling = (parts: Deployed) => [predictor(written, parts, 1)];
    const shown = [
      { at: 1, status, beside: rolling({ observed: 1 }) },
      { at: 2, beside: rolling({ existing: 4, updated: 1, available: 3 }) },
      { at: 200, beside: rolling({ existing: 4, updated: 3, available: 3 }) },
      { at: 230, beside: rolling({}) },
    ];
    expect(decidedOver(written, shown, 231)).toEqual([
      'progressing: Deployment "web-predictor": waiting for the controller',
      'progressing: Deployment "web-predictor": 1 of 3 pods updated, 3 available',
      'progressing: Deployment "web-predictor": 3 of 4 pods available, waiting for 1 old pod to terminate',
      'ready: predictor ready',
      'ready: predictor ready',
    ]);
  });

  test('counts only after 15 s where nothing shows that KServe has seen the change', () => {
    const written = service({ status: standard() });
    const beside = [predictor(written)];
    const at = (until: number) => decidedOver(written, [{ at: 0, beside }], until).at(-1);
    expect(at(14)).toBe('progressing: predictor ready; checking that it stays so');
    expect(at(15)).toBe('ready: predictor ready');
  });

  test('that was not changed is ready at once', () => {
    const written = service({ status: standard() });
    const shown = [{ at: 0, beside: [predictor(written)] }];
    expect(decidedOver(written, shown, 0, { changed: false })).toEqual(['ready: predictor ready']);
  });

  test('is waited for while it has no status (kserve#4454)', () => {
    const written = service();
    const shown = [{ at: 1 }, { at: 3, beside: [predictor(written, { available: 2 }, 3)] }];
    expect(decidedOver(written, shown, 4)).toEqual([
      'progressing: its condition PredictorReady is not set yet',
      'progressing: Deployment "web-predictor": 2 of 3 pods available',
      'progressing: Deployment "web-predictor": 2 of 3 pods available',
    ]);
  });

  test('that has a transformer waits for that, for its routes and for its model', () => {
    const written = service({ spec: { transformer: {} }, status: standard() });
    const beside = [predictor(written, {}, 1)];
    const components = sure('PredictorReady', 'TransformerReady');
    const shown = [
      { at: 1, beside, status: standard({}, sure('PredictorReady')) },
      {
        at: 2,
        status: standard({}, [...components, conditionAt('IngressReady', 'False', 'RouteNotReady', 'no host')]),
      },
      { at: 3, status: standard({ modelStatus: loading }, [...components, ...sure('IngressReady', 'Ready')]) },
      { at: 9, status: standard({}, [...components, ...sure('IngressReady', 'Ready')]) },
    ];
    expect(decidedOver(written, shown, 12)).toEqual([
      'progressing: its condition TransformerReady is not set yet',
      'progressing: not IngressReady yet: RouteNotReady: no host',
      'progressing: its model is not up to date yet: Loading',
      'progressing: predictor, transformer ready; checking that it stays so',
      'ready: predictor, transformer ready',
    ]);
  });

  test('has failed when its Deployment has, whatever it says itself', () => {
    const written = service({ status: standard() });
    const conditions = [conditionAt('Progressing', 'False', 'ProgressDeadlineExceeded', '', 700)];
    const shown = [
      { at: 1, beside: [predictor(written, { updated: 1, existing: 4, available: 3 }, 1)] },
      { at: 700, beside: [predictor(written, { updated: 1, existing: 4, available: 3, conditions })] },
    ];
    expect(decidedOver(written, shown, 700).at(-1)).toBe(
      'failed: ProgressDeadlineExceeded: InferenceService "web": Deployment "web-predictor": made no progress for 600s (spec.progressDeadlineSeconds)',
    );
  });

  test('has failed once its model could not be loaded for 60 s', () => {
    const written = service({ status: standard() });
    const beside = [predictor(written, { updated: 1, existing: 4, available: 3 }, 1)];
    const until = (end: number) =>
      decidedOver(written, [{ at: 10, beside, status: standard({ modelStatus: blocked() }) }], end).at(-1);
    expect(until(69)).toBe('progressing: its model failed to load: no such bucket (exit code 1)');
    expect(until(70)).toBe(
      'failed: ModelLoadFailed: InferenceService "web": its model failed to load: no such bucket (exit code 1)',
    );
  });

  test('is not held to a model that failed before the write: its state is that of one pod, maybe an old one', () => {
    const modelStatus = blocked();
    const written = service({ status: standard({ modelStatus }) });
    const shown = [
      { at: 1, beside: [predictor(written, { updated: 1, existing: 4, available: 3 }, 1)] },
      { at: 300, beside: [predictor(written, {}, 300)] },
      { at: 301, status: standard() },
    ];
    expect(decidedOver(written, shown, 304)).toEqual([
      'progressing: Deployment "web-predictor": 1 of 3 pods updated, 3 available',
      'progressing: its model is not up to date yet: FailedToLoad',
      'progressing: predictor ready; checking that it stays so',
      'ready: predictor ready',
    ]);
  });

  test('has failed at once with a spec that is invalid, and after 30 s when its serving runtime is missing', () => {
    const written = service({ status: standard() });
    const wrong = (reason: string, message: string, end: number) =>
      decidedOver(written, [{ at: 2, status: standard({ modelStatus: invalid(reason, message) }) }], end).at(-1);
    expect(wrong('InvalidPredictorSpec', 'no model format', 2)).toBe(
      'failed: InvalidPredictorSpec: InferenceService "web": its spec is invalid: no model format',
    );
    expect(wrong('RuntimeNotRecognized', 'no runtime "vllm"', 31)).toBe(
      'progressing: its spec is invalid: no runtime "vllm"',
    );
    expect(wrong('RuntimeNotRecognized', 'no runtime "vllm"', 32)).toBe(
      'failed: RuntimeNotRecognized: InferenceService "web": its spec is invalid: no runtime "vllm"',
    );
  });

  test('that was invalid before the write has 60 s to be looked at again', () => {
    const status = standard({ modelStatus: invalid('InvalidPredictorSpec', 'no model format') });
    const written = service({ status });
    const until = (end: number) => decidedOver(written, [{ at: 0 }], end).at(-1);
    expect(until(59)).toBe('progressing: its spec is invalid: no model format');
    expect(until(60)).toBe(
      'failed: InvalidPredictorSpec: InferenceService "web": its spec is invalid: no model format',
    );
    const healed = [{ at: 0 }, { at: 3, status: standard({ modelStatus: loading }) }];
    expect(decidedOver(written, healed, 90).at(-1)).toBe('progressing: its model is not up to date yet: Loading');
  });

  test('waits for each canary and tells its share', () => {
    const written = service({ status: standard() });
    const beside = [predictor(written, {}, 1), predictor(written, { replicas: 1 }, 1, 'web-v2-predictor')];
    const canary = (ready: boolean) => standard({ canaryStatuses: [{ name: 'v2', ready, trafficPercent: 10 }] });
    const shown = [
      { at: 1, beside, status: canary(false) },
      { at: 5, status: canary(true) },
    ];
    expect(decidedOver(written, shown, 8)).toEqual([
      'progressing: its canary "v2" is not ready yet',
      'progressing: predictor ready; canary "v2" gets 10 %; checking that it stays so',
      'ready: predictor ready; canary "v2" gets 10 %',
    ]);
  });

  test('that is stopped by its annotation is accepted once it is', () => {
    const plain = service({ status: standard() });
    const written = { ...plain, metadata: { ...plain.metadata, annotations: { 'serving.kserve.io/stop': 'true' } } };
    const stopped = standard({}, [conditionAt('Stopped', 'True', 'Stopped'), conditionAt('Ready', 'False', 'Stopped')]);
    expect(decidedOver(written, [{ at: 1 }, { at: 2, status: stopped }], 3)).toEqual([
      'progressing: stopping',
      'unchecked: stopped by its annotation serving.kserve.io/stop',
      'unchecked: stopped by its annotation serving.kserve.io/stop',
    ]);
  });

  test('is judged by its own status alone where its Deployments may not be seen', () => {
    const object = service({ status: standard() });
    expect(judge(object, factsOf(object))).toMatchObject({
      state: 'ready',
      message: 'predictor ready',
      quietMs: 15_000,
    });
  });
});

describe('an InferenceService in Knative mode', () => {
  const status = (created: string, ready: string, more: JsonObject = {}) =>
    standard({
      observedGeneration: 12,
      deploymentMode: 'Knative',
      components: { predictor: { latestCreatedRevision: created, latestReadyRevision: ready } },
      ...more,
    });

  function knative(
    owner: KubernetesObject,
    created: string,
    ready: string,
    conditions = sure('ConfigurationsReady', 'RoutesReady', 'Ready'),
  ) {
    return ownedBy(
      owner,
      live('Service', {
        apiVersion: 'serving.knative.dev/v1',
        metadata: { name: 'web-predictor', generation: 12, creationTimestamp: timeAt(-3600) },
        status: {
          observedGeneration: 12,
          latestCreatedRevisionName: created,
          latestReadyRevisionName: ready,
          traffic: [{ revisionName: ready, percent: 100, latestRevision: true }],
          conditions,
        },
      }),
    );
  }

  test('waits until the newest revision is ready, then is ready', () => {
    const written = service({ status: status('web-1', 'web-1') });
    const now = [
      ...sure('RoutesReady'),
      conditionAt('ConfigurationsReady', 'True', '', '', 90),
      conditionAt('Ready', 'True', '', '', 90),
    ];
    const shown = [
      { at: 1, beside: [knative(written, 'web-2', 'web-1')] },
      { at: 2, status: status('web-2', 'web-1') },
      { at: 90, beside: [knative(written, 'web-2', 'web-2', now)] },
      { at: 91, status: status('web-2', 'web-2') },
    ];
    expect(decidedOver(written, shown, 94)).toEqual([
      'progressing: Service "web-predictor": revision "web-2" is not ready yet',
      'progressing: Service "web-predictor": revision "web-2" is not ready yet',
      'progressing: revision "web-2" of its predictor is not ready yet',
      'progressing: predictor ready; checking that it stays so',
      'ready: predictor ready',
    ]);
  });

  test('has failed when the new revision has been failing for 30 s', () => {
    const written = service({ status: status('web-1', 'web-1') });
    const message = 'Revision "web-2" failed with message: 0/3 nodes are available.';
    const broken = [conditionAt('ConfigurationsReady', 'False', 'RevisionFailed', message, 5), ...sure('RoutesReady')];
    const until = (end: number) =>
      decidedOver(written, [{ at: 5, beside: [knative(written, 'web-2', 'web-1', broken)] }], end).at(-1);
    expect(until(34)).toBe(`progressing: Service "web-predictor": ${message}`);
    expect(until(35)).toBe(`failed: RevisionFailed: InferenceService "web": Service "web-predictor": ${message}`);
  });
});

describe('an InferenceGraph', () => {
  test('is judged by its Deployment, too: its observed generation is not its own', () => {
    const status = { observedGeneration: 1, conditions: sure('Ready') };
    const written = custom('serving.kserve.io/v1alpha1', 'InferenceGraph', { status });
    const shown = [
      { at: 1, beside: [predictor(written, { updated: 1, existing: 4, available: 3 }, 1, 'web')] },
      { at: 9, beside: [predictor(written, {}, 9, 'web')] },
    ];
    expect(decidedOver(written, shown, 9)).toEqual([
      'progressing: Deployment "web": 1 of 3 pods updated, 3 available',
      'ready: graph ready',
    ]);
  });

  test('has failed with its Deployment', () => {
    const status = { observedGeneration: 1, conditions: sure('Ready') };
    const written = custom('serving.kserve.io/v1alpha1', 'InferenceGraph', { status });
    const conditions = [conditionAt('Progressing', 'False', 'ReplicaSetCreateError', 'quota', 2)];
    const shown = [
      { at: 1, beside: [predictor(written, { updated: 1, existing: 4, available: 3 }, 1, 'web')] },
      { at: 2, beside: [predictor(written, { conditions, available: 1 }, 2, 'web')] },
    ];
    expect(decidedOver(written, shown, 2)).toEqual([
      'progressing: Deployment "web": 1 of 3 pods updated, 3 available',
      'failed: ReplicaSetCreateError: InferenceGraph "web": Deployment "web": quota',
    ]);
  });
});

describe('an LLMInferenceService', () => {
  const all = ['PresetsCombined', 'WorkloadsReady', 'RouterReady', 'Ready'];
  const llm = (status?: JsonObject) =>
    custom('serving.kserve.io/v1alpha2', 'LLMInferenceService', { ...(status && { status }) });

  test('is ready by its Deployments and LeaderWorkerSets, with its conditions', () => {
    const written = llm({ conditions: sure(...all) });
    const groups = (readyReplicas: number) =>
      ownedBy(
        written,
        live('LeaderWorkerSet', {
          apiVersion: 'leaderworkerset.x-k8s.io/v1',
          metadata: { name: 'web-mn', generation: 2, creationTimestamp: timeAt(-3600) },
          spec: { replicas: 2 },
          status: {
            observedGeneration: 2,
            replicas: 2,
            updatedReplicas: 2,
            readyReplicas,
            conditions: [conditionAt('Available', 'True', '', '', 1)],
          },
        }),
      );
    const epp = predictor(written, {}, -3000, 'web-epp');
    const waiting = [
      conditionAt('PresetsCombined', 'True', '', '', -3000),
      conditionAt('WorkloadsReady', 'False', 'WorkerNotReady', 'not all groups are ready', 2),
    ];
    const shown = [
      { at: 1, beside: [epp, groups(1)] },
      { at: 2, status: { conditions: waiting } },
      { at: 60, beside: [groups(2)] },
      { at: 61, status: { conditions: sure(...all) } },
    ];
    expect(decidedOver(written, shown, 64)).toEqual([
      'progressing: LeaderWorkerSet "web-mn": 1 of 2 groups ready',
      'progressing: LeaderWorkerSet "web-mn": 1 of 2 groups ready',
      'progressing: not WorkloadsReady yet: WorkerNotReady: not all groups are ready',
      'progressing: workloads and router ready; checking that it stays so',
      'ready: workloads and router ready',
    ]);
  });

  test('has failed when its presets could not be combined for 30 s, said after the write', () => {
    const written = llm({ conditions: sure(...all) });
    const broken = [conditionAt('PresetsCombined', 'False', 'ConfigNotFound', 'no config "big"', 1)];
    const until = (end: number) => decidedOver(written, [{ at: 1, status: { conditions: broken } }], end).at(-1);
    expect(until(30)).toBe('progressing: no config "big"');
    expect(until(31)).toBe('failed: ConfigNotFound: LLMInferenceService "web": no config "big"');
  });

  test('that could not combine them before the write has 60 s', () => {
    const broken = [conditionAt('PresetsCombined', 'False', 'ConfigNotFound', 'no config "big"', -300)];
    const until = (end: number) => decidedOver(llm({ conditions: broken }), [{ at: 0 }], end).at(-1);
    expect(until(59)).toBe('progressing: no config "big"');
    expect(until(60)).toBe('failed: ConfigNotFound: LLMInferenceService "web": no config "big"');
  });

  test('that serves with members of its group missing is ready and says so', () => {
    const written = llm();
    const conditions = [...sure(...all), conditionAt('GroupDegraded', 'True', 'MembersUnresolved', 'canary')];
    const shown = [{ at: 1, status: { conditions }, beside: [predictor(written, {}, 1)] }];
    expect(decidedOver(written, shown, 4).at(-1)).toBe(
      'ready: workloads and router ready; members of its group are missing: canary',
    );
  });
});

describe('a LocalModelCache', () => {
  const cache = (status?: JsonObject) =>
    custom('serving.kserve.io/v1alpha1', 'LocalModelCache', { ...(status && { status }) });
  const status = (states: Record<string, string>, copies: JsonObject): JsonObject => ({ nodeStatus: states, copies });

  test('is ready once each ready node has had the model for 10 s', () => {
    const shown = [
      { at: 1 },
      { at: 2, status: status({ a: 'NodeDownloading', b: 'NodeDownloadPending' }, { total: 2 }) },
      { at: 90, status: status({ a: 'NodeDownloaded', b: 'NodeDownloading' }, { available: 1, total: 2 }) },
      { at: 95, status: status({ a: 'NodeDownloaded', b: 'NodeDownloaded' }, { available: 2, total: 2 }) },
      { at: 104 },
    ];
    expect(decidedOver(cache(), shown, 105)).toEqual([
      'progressing: waiting for the nodes of its groups',
      'progressing: model on 0 of 2 nodes',
      'progressing: model on 1 of 2 nodes',
      'progressing: model on 2 of 2 nodes; checking that it stays so',
      'progressing: model on 2 of 2 nodes; checking that it stays so',
      'ready: model on 2 of 2 nodes',
    ]);
  });

  test('whose groups have no node yet is accepted after 60 s', () => {
    const none = status({}, { available: 0, total: 0 });
    const until = (end: number) => decidedOver(cache(), [{ at: 2, status: none }], end).at(-1);
    expect(until(59)).toBe('progressing: waiting for the nodes of its groups');
    expect(until(60)).toBe('unchecked: not downloaded yet: waiting for the nodes of its groups');
  });

  test('does not wait for a node that is not ready', () => {
    const shown = [{ at: 1, status: status({ a: 'NodeDownloaded', b: 'NodeNotReady' }, { available: 1, total: 2 }) }];
    expect(decidedOver(cache(), shown, 11).at(-1)).toBe('ready: model on 1 of 2 nodes; 1 node is not ready');
  });

  test('has failed when the download has failed on a node for 60 s', () => {
    const broken = status({ a: 'NodeDownloaded', b: 'NodeDownloadError' }, { available: 1, total: 2, failed: 1 });
    const until = (end: number) => decidedOver(cache(), [{ at: 5, status: broken }], end).at(-1);
    expect(until(64)).toBe('progressing: the download of the model failed on "b"');
    expect(until(65)).toBe('failed: NodeDownloadError: LocalModelCache "web": the download of the model failed on "b"');
  });

  test('that was not changed is ready at once', () => {
    const done = status({ a: 'NodeDownloaded' }, { available: 1, total: 1 });
    expect(decidedOver(cache(done), [{ at: 0 }], 0, { changed: false })).toEqual(['ready: model on 1 of 1 nodes']);
  });
});
