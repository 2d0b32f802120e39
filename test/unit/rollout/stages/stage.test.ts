import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../src/base/json.ts';
import type { KubernetesObject } from '../../../../src/kubernetes/object.ts';
import type { ObjectEvent } from '../../../../src/rollout/failures/events.ts';
import { describeWorks, tellWorks, worksOf } from '../../../../src/rollout/progress.ts';
import { readLogProgress } from '../../../../src/rollout/stages/log-progress.ts';
import { isFurther, logKey, positionOf, stageOf, type LogsSeen } from '../../../../src/rollout/stages/stage.ts';
import { conditionAt, crashed, eventOn, podOf, start, timeAt, waiting } from '../../../support/rollout-objects.ts';

const placed = conditionAt('PodScheduled', 'True', '', '', 3);
const running = (more: JsonObject = {}): JsonObject => ({
  name: 'web',
  ready: false,
  started: true,
  state: { running: { startedAt: timeAt(60) } },
  ...more,
});
const probed = { containers: [{ name: 'web', startupProbe: { failureThreshold: 60, periodSeconds: 10 } }] };

function logsOf(pod: KubernetesObject, line: string, container = 'web'): LogsSeen {
  const progress = readLogProgress(line);
  if (progress === undefined) throw new Error('the line tells nothing');
  return new Map([[logKey(pod, container, start + 60_000), { progress, since: start + 75_000 }]]);
}

const shards = 'Loading safetensors checkpoint shards:  40% Completed | 2/5';

/** One pod at each stage of the start of a model server, in order. */
const queued = podOf(undefined, {
  conditions: [conditionAt('PodScheduled', 'False', 'SchedulingGated', '', 1)],
  spec: { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] },
});
const flexStart = podOf(undefined, {
  conditions: [conditionAt('PodScheduled', 'False', 'Unschedulable', '0/3 nodes are available', 1)],
  spec: { nodeSelector: { 'cloud.google.com/gke-flex-start': 'true' } },
});
const homeless = podOf(undefined, { conditions: [conditionAt('PodScheduled', 'False', 'Unschedulable', 'no', 2)] });
const mounting = podOf(undefined, {
  conditions: [placed],
  containers: [waiting('ContainerCreating')],
  spec: { volumes: [{ name: 'weights', persistentVolumeClaim: { claimName: 'weights' } }] },
});
const pulling = podOf(undefined, { conditions: [placed], containers: [waiting('ContainerCreating')] });
const pull = eventOn(pulling, 'Pulling', 'Pulling image "registry.test/model:7"', { type: 'Normal', first: 4 });
const pulled = eventOn(
  pulling,
  'Pulled',
  'Successfully pulled image "registry.test/model:7" in 50s (50s including waiting). Image size: 14200000000 bytes.',
  { type: 'Normal', first: 54 },
);
const withInit = (name: string) =>
  podOf(undefined, {
    conditions: [placed],
    containers: [waiting('PodInitializing')],
    spec: { initContainers: [{ name }], ...probed },
    status: { initContainerStatuses: [running({ name })] },
  });
/** Whose main container is not made yet, as the kubelet tells it of pods with init containers. */
const behind = (status: JsonObject, init: JsonObject = {}) =>
  podOf(undefined, {
    conditions: [placed],
    containers: [waiting('PodInitializing')],
    spec: { initContainers: [{ name: 'first', ...init }], ...probed },
    status: { initContainerStatuses: [running({ name: 'first', ...status })] },
  });
const sidecar = { restartPolicy: 'Always', startupProbe: { failureThreshold: 30, periodSeconds: 10 } };
const done = { ready: true, state: { terminated: { exitCode: 0 } } };
const loading = podOf(undefined, { conditions: [placed], spec: probed, containers: [running({ started: false })] });
const started = podOf(undefined, { conditions: [placed], spec: probed, containers: [running()] });

describe('the stage of a pod', () => {
  test.each<[string, KubernetesObject, ObjectEvent[], LogsSeen, object]>([
    ['held by Kueue', queued, [], new Map(), { name: 'queue', since: start + 1000 }],
    ['waiting for a flex-start node', flexStart, [], new Map(), { name: 'queue', since: start + 1000 }],
    ['without a node', homeless, [], new Map(), { name: 'node', since: start + 2000 }],
    ['whose disk is attached', mounting, [], new Map(), { name: 'volumes', since: start + 3000 }],
    ['that pulls', pulling, [pull], new Map(), { name: 'image', image: 'registry.test/model:7', since: start + 4000 }],
    ...(
      [
        ['whose init container is done, and that pulls', behind(done)],
        ['whose sidecar is ready, and that pulls', behind({ ready: true }, sidecar)],
        ['whose sidecar has started, and that pulls', behind({}, sidecar)],
        ['that pulls the image of its init container', behind({ state: { waiting: { reason: 'PodInitializing' } } })],
      ] as const
    ).map(([title, pod]): [string, KubernetesObject, ObjectEvent[], LogsSeen, object] => [
      title,
      pod,
      [pull],
      new Map(),
      { name: 'image', image: 'registry.test/model:7', since: start + 4000 },
    ]),
    ['whose sidecar starts', behind({ started: false }, sidecar), [pull], new Map(), { name: 'serving' }],
    ['whose init container works', behind({}), [pull], new Map(), { name: 'init' }],
    [
      'with KServe’s loader',
      withInit('storage-initializer'),
      [],
      new Map(),
      { name: 'weights', since: start + 60_000 },
    ],
    ['with another init container', withInit('migrate'), [], new Map(), { name: 'init', since: start + 60_000 }],
    ['that says nothing', loading, [], new Map(), { name: 'serving', since: start + 60_000 }],
    ['that loads', loading, [], logsOf(loading, shards), { name: 'weights', since: start + 75_000 }],
    ['that compiles', loading, [], logsOf(loading, 'torch.compile'), { name: 'compile', since: start + 75_000 }],
    ['that serves', loading, [], logsOf(loading, 'Uvicorn running on http'), { name: 'serving' }],
    ['whose socket is open', started, [], new Map(), { name: 'answering', since: start + 60_000 }],
  ])('%s', (_, pod, events, logs, expected) => {
    expect(stageOf(pod, events, logs)).toMatchObject(expected);
  });

  test.each<[string, KubernetesObject, ObjectEvent[]]>([
    ['has pulled its image, and whose container is made', pulling, [pull, pulled]],
    ['is ready', podOf(undefined, { ready: true }), []],
    ['crashes', podOf(undefined, { containers: [crashed(1)] }), []],
    [
      'cannot pull the image of its init container',
      behind({ state: { waiting: { reason: 'ImagePullBackOff' } } }),
      [pull],
    ],
    ['makes its container behind an init container', behind(done), [pull, pulled]],
  ])('there is none of one that %s', (_, pod, events) => {
    expect(stageOf(pod, events)).toBeUndefined();
  });

  test('is not that of the run before a crash', () => {
    const again = podOf(undefined, {
      spec: probed,
      containers: [running({ started: false, restartCount: 1, state: { running: { startedAt: timeAt(200) } } })],
    });
    expect(stageOf(again, [], logsOf(loading, shards))).toMatchObject({ name: 'serving' });
  });
});

describe('how far a pod is', () => {
  const positions = [
    positionOf(queued, stageOf(queued, [])),
    positionOf(homeless, stageOf(homeless, [])),
    positionOf(mounting, stageOf(mounting, [])),
    positionOf(pulling, stageOf(pulling, [pull])),
    positionOf(loading, stageOf(loading, [])),
    ...[
      'Fetching 8 files: 100%',
      'Loading safetensors checkpoint shards: 0% Completed | 0/5',
      shards,
      'torch.compile takes 3 s',
      'Capturing CUDA graphs: 40%|',
    ].map((line) => positionOf(loading, stageOf(loading, [], logsOf(loading, line)))),
    positionOf(started, stageOf(started, [])),
    positionOf(podOf(undefined, { ready: true }), undefined),
  ];

  test('rises from stage to stage, and within one with what its log tells', () => {
    for (const [index, position] of positions.entries()) {
      const next = positions[index + 1];
      if (next === undefined) continue;
      expect([index, isFurther(next, position), isFurther(position, next)]).toEqual([index, true, false]);
    }
  });

  test('does not fall back when the image of the server is pulled after the weights have been loaded', () => {
    const before = withInit('storage-initializer');
    const after = podOf(undefined, {
      conditions: [placed],
      containers: [waiting('ContainerCreating')],
      status: {
        initContainerStatuses: [{ name: 'storage-initializer', state: { terminated: { exitCode: 0 } }, ready: true }],
      },
    });
    const event = eventOn(after, 'Pulling', 'Pulling image "registry.test/model:7"', { type: 'Normal', first: 90 });
    const [first, then] = [positionOf(before, stageOf(before, [])), positionOf(after, stageOf(after, [event]))];
    expect(isFurther(then, first)).toBe(true);
  });

  test('is nowhere while its container crashes', () => {
    const pod = podOf(undefined, { containers: [crashed(1)] });
    expect(positionOf(pod, stageOf(pod, []))).toEqual([]);
  });
});

describe('what is told', () => {
  const now = start + 240_000;
  const tell = (pods: KubernetesObject[], events: ObjectEvent[], logs: LogsSeen, others: KubernetesObject[] = []) =>
    describeWorks(tellWorks(worksOf(pods, events, now, logs), [...pods, ...others], events));
  const other = (name: string, image: string, took: string, bytes: number) => {
    const pod = podOf(undefined, {
      ready: true,
      metadata: { name, uid: name, creationTimestamp: timeAt(-500) },
      conditions: [conditionAt('Ready', 'True', '', '', -320)],
    });
    const message = `Successfully pulled image "${image}" in ${took} (${took} including waiting). Image size: ${bytes} bytes.`;
    return { pod, event: eventOn(pod, 'Pulled', message, { type: 'Normal' }) };
  };

  test('of a pull is how large the image is, and what other pods took', () => {
    const same = other('web-b', 'registry.test/model:7', '3m2.5s', 14_200_000_000);
    expect(tell([pulling], [pull, same.event], new Map(), [same.pod])).toBe(
      'pod web-a: pulling image "registry.test/model:7" for 3m56s (14.2 GB; another pod took 3m3s)',
    );
  });

  test('of a pull by other versions of the image is about the size, and the middle of their times', () => {
    const olds = ['50s', '1m10s', '2m30s'].map((took, index) =>
      other(`web-${index}`, 'registry.test/model:6', took, 820_400_000),
    );
    const told = tell(
      [pulling],
      [pull, ...olds.map(({ event }) => event)],
      new Map(),
      olds.map(({ pod }) => pod),
    );
    expect(told).toBe(
      'pod web-a: pulling image "registry.test/model:7" for 3m56s (about 820 MB; other pods took 1m10s)',
    );
  });

  test('of weights is how far they are, and how long other pods took to be ready', () => {
    const { pod } = other('web-b', 'registry.test/model:6', '1s', 1);
    expect(tell([loading], [], logsOf(loading, shards), [pod])).toBe(
      'pod web-a: container "web" has been loading weights for 2m45s: 40 %, 2 of 5 shards; another pod was ready 3m after creation',
    );
  });

  test('of a loader that is an init container is how far it is', () => {
    const pod = withInit('storage-initializer');
    expect(tell([pod], [], logsOf(pod, 'Downloading model: 37 %', 'storage-initializer'))).toBe(
      'pod web-a: init container "storage-initializer" has been loading weights for 3m: 37 %',
    );
  });

  test('of several pods is one for each stage', () => {
    const at = (name: string, pod: KubernetesObject) => ({ ...pod, metadata: { ...pod.metadata, name, uid: name } });
    const pods = [at('web-b', started), at('web-c', started), at('web-d', mounting)];
    expect(tell(pods, [], new Map())).toBe(
      'pod web-b: container "web" has been running for 3m, but is not ready yet; pod web-d: mounting its volumes for 3m57s',
    );
  });
});
