import { beforeEach, describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { AnyCommand } from '../../../src/commands/command.ts';
import { commands } from '../../../src/commands/index.ts';
import type { CommandInputs } from '../../../src/commands/inputs.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { guardedChange } from '../../../src/release/change.ts';
import { readJournal } from '../../../src/release/journal.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { listRevisions } from '../../../src/release/revision.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { contextOf, options } from '../commands/build.ts';
import { deployment, service } from '../strategies/plan-lines.ts';
import { journalIn, revision } from './build.ts';

const track = (side: string) => ({ 'gke-rollout/track': side });
const blue = deployment('web', 2, track('blue'));
const green = deployment('web-green', 2, { ...track('green'), 'gke-rollout/workload': 'web' });
const journal = { apiVersion: 'v1', kind: 'Secret', namespace: 'shop', name: 'gke-rollout.web.journal' };

function serviceOf(name: string, selector: Record<string, string>): KubernetesObject {
  return { ...service(name, selector), metadata: { name, namespace: 'shop' } };
}

/** A ready pod of a Deployment. */
function podOf({ metadata, spec }: KubernetesObject): KubernetesObject {
  const { template } = spec as { template: { metadata: { labels: Record<string, string> } } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `${metadata.name}-1`, namespace: 'shop', labels: template.metadata.labels },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  };
}

/** As its controller reports it. */
function ready(object: KubernetesObject): KubernetesObject {
  const status = { observedGeneration: 1, replicas: 2, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2 };
  return { ...object, metadata: { ...object.metadata, generation: 1 }, status };
}

describe('a candidate that waits', () => {
  let api: FakeApi;

  /** Revision 2 waits beside revision 1. */
  const waiting = async (strategy: string, candidate: KubernetesObject, services: readonly KubernetesObject[]) => {
    const objects = [deployment('web', 2), ...services];
    await recordRevision(
      api,
      'shop',
      revision(1, 'live', { strategy, objects, serving: { [keyOf(refOf(blue))]: 'web' } }),
      [],
    );
    await recordRevision(api, 'shop', revision(2, 'waiting', { strategy, objects }), []);
    const made = api.put(candidate);
    const list = journalIn(api);
    list.record.revision = 2;
    await list.plan([{ ref: refOf(made), before: null, after: made, done: true }]);
    await list.leaveWaiting({ revision: 2, candidates: [refOf(made)], since: '2026-01-01T00:00:00.000Z' });
    api.put(podOf(candidate));
  };
  const abort = async () => {
    const declared: AnyCommand = commands.abort;
    return await declared.run(contextOf(api, 'abort'), { ...(options as unknown as CommandInputs), release: 'web' });
  };
  const replace = async () =>
    await guardedChange(contextOf(api, 'deploy'), options, {
      command: 'deploy',
      candidate: 'replace',
      work: () => Promise.resolve('done'),
      beforeUndo: () => Promise.resolve(),
    });
  const outcomes = async () => (await listRevisions(api, 'shop', 'web')).map(({ outcome }) => outcome);

  beforeEach(() => {
    api = new FakeApi();
    api.put(ready(blue));
    api.put(podOf(blue));
  });

  test.each([
    ['abort', () => abort()],
    ['another deploy', () => replace()],
  ])('and that somebody has switched to is not removed by %s', async (_, remove) => {
    await waiting('blue-green', green, [serviceOf('web', { app: 'web' })]);
    api.put(serviceOf('web', { app: 'web', ...track('green') }));
    const before = api.get(journal);
    await expect(remove()).rejects.toMatchObject({
      message:
        'Service "web" in namespace "shop" sends its requests only to the candidate of revision 2 (web-green), so the candidate cannot be removed: someone switched the Service to it',
      hint: 'Run the command "promote" to make the candidate live, or switch the Service back first.',
    });
    expect(api.get(refOf(green))).toBeDefined();
    expect(api.get(journal)).toEqual(before);
    expect((await readJournal(api, 'shop', 'web'))?.record.waiting?.revision).toBe(2);
    expect(await outcomes()).toEqual(['live', 'waiting']);
  });

  test('and that a Service was bound to by hand is not removed, with a canary neither', async () => {
    const canary = deployment('web-canary', 1, track('canary'));
    await waiting('canary', canary, [serviceOf('web', { app: 'web' })]);
    api.put(serviceOf('web', { app: 'web', ...track('canary') }));
    await expect(replace()).rejects.toThrow('sends its requests only to the candidate of revision 2 (web-canary)');
  });

  describe('while what is stable has 0 pods', () => {
    const scaledBy = (labels: Record<string, string>, minReplicas: number, name = 'web') => {
      api.put({
        apiVersion: 'autoscaling/v2',
        kind: 'HorizontalPodAutoscaler',
        metadata: { name: 'web', namespace: 'shop', labels },
        spec: { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name }, minReplicas, maxReplicas: 5 },
      });
    };

    beforeEach(async () => {
      const canary = deployment('web-canary', 1, track('canary'));
      await waiting('canary', canary, [serviceOf('web', { app: 'web' })]);
      api.put(serviceOf('web', { app: 'web' }));
      api.put({ ...ready(blue), spec: { ...(blue['spec'] as JsonObject), replicas: 0 } });
      api.put({ ...podOf(blue), status: { phase: 'Succeeded' } });
    });

    test.each([
      ['no autoscaler brings them back', () => undefined],
      [
        'its autoscaler does not: it is off at 0',
        () => {
          scaledBy({}, 1);
        },
      ],
      [
        'the autoscaler of something else may',
        () => {
          scaledBy({}, 0, 'web-canary');
        },
      ],
    ])('is not removed where %s', async (_, given) => {
      given();
      await expect(replace()).rejects.toMatchObject({
        message:
          'Deployment "web" in namespace "shop" has 0 pods, so Service "web" sends its requests only to the candidate of revision 2 (web-canary), which cannot be removed',
        hint: 'Scale it up first ("kubectl scale deployment web --replicas=2 -n shop"), or run the command "promote" to make the candidate live.',
      });
    });

    test.each([
      ['KEDA', { 'app.kubernetes.io/managed-by': 'keda-operator' }, 1],
      ['an autoscaler that may go to 0', {}, 0],
    ])('is removed where %s has taken them away, and brings them back', async (_, labels, minReplicas) => {
      scaledBy(labels, minReplicas);
      expect((await replace()).state).toBe('done');
      expect(await outcomes()).toEqual(['live', 'aborted']);
    });
  });

  test('and that a Service of no manifest was switched to is not removed', async () => {
    await waiting('blue-green', green, []);
    api.put(serviceOf('front', { app: 'web', ...track('green') }));
    await expect(replace()).rejects.toThrow('Service "front" in namespace "shop" sends its requests only to');
  });

  test("and is one of the user's own sides is not removed where somebody has switched to it", async () => {
    const [own, idle] = [deployment('web-blue', 2, { version: 'b' }), deployment('web-green', 2, { version: 'g' })];
    await waiting('blue-green', idle, []);
    const objects = [own, serviceOf('web', { version: 'b' }), serviceOf('web-green', { version: 'g' })];
    const serving = { [keyOf(refOf(own))]: 'web-blue', [keyOf(refOf(idle))]: 'web-blue' };
    await recordRevision(
      api,
      'shop',
      revision(1, 'live', { strategy: 'blue-green', objects, idle: [idle], serving }),
      [],
    );
    api.put(own);
    api.put(serviceOf('web-green', { version: 'g' }));
    api.put(serviceOf('web', { version: 'g' }));
    await expect(replace()).rejects.toThrow('Service "web" in namespace "shop" sends its requests only to');
    api.put(serviceOf('web', { version: 'b' }));
    expect((await replace()).state).toBe('done');
  });

  describe('is removed', () => {
    const removed = async () => {
      const { state } = await replace();
      return { state, isThere: api.get(refOf(green)) !== undefined, outcomes: await outcomes() };
    };
    const all = { state: 'done', isThere: false, outcomes: ['live', 'aborted'] };

    test('where the Services lead to what serves', async () => {
      await waiting('blue-green', green, [serviceOf('web', { app: 'web' })]);
      api.put(serviceOf('web', { app: 'web', ...track('blue') }));
      expect(await removed()).toEqual(all);
    });

    test('where it answers alone because what serves is not ready: nobody has switched', async () => {
      await waiting('blue-green', green, [serviceOf('web', { app: 'web' })]);
      api.put(serviceOf('web', { app: 'web' }));
      api.objects.delete(keyOf(refOf(podOf(blue))));
      expect(await removed()).toEqual(all);
    });

    test('where it was switched to and has no ready pod: nobody loses an answer', async () => {
      await waiting('blue-green', green, [serviceOf('web', { app: 'web' })]);
      api.put(serviceOf('web', { app: 'web', ...track('green') }));
      api.objects.delete(keyOf(refOf(podOf(green))));
      expect(await removed()).toEqual(all);
    });

    test('where a Service of the release is there for the candidate alone', async () => {
      const trial = serviceOf('trial', track('green'));
      await waiting('blue-green', green, [serviceOf('web', { app: 'web' }), trial]);
      api.put(serviceOf('web', { app: 'web', ...track('blue') }));
      api.put(trial);
      expect(await removed()).toEqual(all);
    });

    test('where the Services may not be seen', async () => {
      await waiting('blue-green', green, [serviceOf('web', { app: 'web' })]);
      api.put(serviceOf('web', { app: 'web', ...track('green') }));
      api.before = (operation, ref) => {
        if (operation === 'read' && ref.kind === 'Service') throw refusal(403, 'Forbidden', ref);
      };
      expect(await removed()).toEqual(all);
    });
  });

  test('and is aborted is no success as long as a Service leads to nobody', async () => {
    await waiting('blue-green', green, [serviceOf('web', { app: 'web' })]);
    api.put(serviceOf('web', { app: 'web', ...track('blue') }));
    const { status, headline } = await abort();
    expect([status, headline]).toEqual([
      'failed',
      'web: the candidate (revision 2) was removed, but what is live is not healthy: Service "web" has no ready endpoint (app=web,gke-rollout/track=blue)',
    ]);
  });

  test('and is aborted is a success where the Services lead to what serves', async () => {
    await waiting('blue-green', green, [serviceOf('web', { app: 'web' })]);
    api.put(serviceOf('web', { app: 'web', ...track('blue') }));
    api.put({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
      endpoints: [{ conditions: { ready: true }, targetRef: { name: 'web-1' } }],
    });
    const { status, headline } = await abort();
    expect(status).toBe('aborted');
    expect(headline).toContain('web: the candidate (revision 2) was removed, everything is as it was before');
  });
});
