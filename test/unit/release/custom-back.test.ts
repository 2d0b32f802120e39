import { describe, expect, test } from '@jest/globals';

import { describeUndo, exceptionsOf } from '../../../src/commands/failed-change.ts';
import type { JsonObject } from '../../../src/base/json.ts';
import { describeRef, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { customToComeBack, untilReported } from '../../../src/release/custom-back.ts';
import { parseUserRules } from '../../../src/rollout/readiness/user/parse-rules.ts';
import { custom } from '../../support/custom-resource.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { conditionAt } from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { silentReporter } from '../../support/silent-reporter.ts';
import { contextOf } from '../commands/build.ts';

const readyAt = (generation: number, status = 'True', reason = 'Ready', message = '') => ({
  conditions: [{ ...conditionAt('Ready', status, reason, message), observedGeneration: generation }],
});
/** As an undo has written it: generation 3, with a status about the version that has failed. */
const certificate = (name: string, status: JsonObject = readyAt(2, 'False', 'DoesNotExist')) =>
  custom('cert-manager.io/v1', 'Certificate', { name, generation: 3, status });
const withStatus = (object: KubernetesObject, status: JsonObject) => ({ ...object, status });

/** What is waited for, and for how long; then what was said of it. */
async function wait(
  objects: readonly KubernetesObject[],
  play: readonly { atMs: number; show: KubernetesObject }[] = [],
  { deadlineMs = 120_000, rules = '' } = {},
) {
  const cluster = new ScriptedCluster();
  const clock = new FakeClock();
  const said: string[] = [];
  const reporter = { ...silentReporter, warning: (text: string) => void said.push(text) };
  const context = { ...contextOf(new FakeApi(), 'me'), client: cluster.client, clock, reporter };
  cluster.put(...objects);
  const started = clock.now();
  let endedAt = Number.NaN;
  const waiting = untilReported(context, objects, {
    deadline: started + deadlineMs,
    userRules: parseUserRules(rules),
  }).then((reported) => {
    endedAt = clock.now();
    return reported;
  });
  for (const { atMs, show } of play) {
    await clock.runFor(started + atMs - clock.now());
    cluster.put(show);
  }
  await clock.runFor(started + deadlineMs + 5000 - clock.now());
  const { notReady, unheard } = await waiting;
  const names = (some: readonly KubernetesObject[]) => some.map(({ metadata }) => metadata.name);
  return { notReady: names(notReady), unheard: names(unheard), said, seconds: Math.round((endedAt - started) / 1000) };
}

describe('a restored custom resource', () => {
  test('that is reported ready ends the wait at once', async () => {
    const web = certificate('web');
    expect(await wait([web], [{ atMs: 3000, show: withStatus(web, readyAt(3)) }])).toEqual({
      notReady: [],
      unheard: [],
      said: [],
      seconds: 3,
    });
  });

  test('of which its controller says nothing is not waited for longer than 20 s, and that is said', async () => {
    expect(await wait([certificate('web')])).toEqual({
      notReady: [],
      unheard: ['web'],
      said: ['Certificate "web" in namespace "shop" is back as it was; its controller has not reported it ready yet'],
      seconds: 20,
    });
  });

  test('that its controller is working on is waited for, up to the deadline of the undo', async () => {
    const web = certificate('web');
    const working = withStatus(web, readyAt(3, 'False', 'Issuing', 'Issuing certificate'));
    expect(await wait([web], [{ atMs: 5000, show: working }])).toEqual({
      notReady: ['web'],
      unheard: [],
      said: [
        'Certificate "web" in namespace "shop" was restored, but is not ready again: not Ready yet: Issuing: Issuing certificate',
      ],
      seconds: 120,
    });
    const late = await wait(
      [web],
      [
        { atMs: 5000, show: working },
        { atMs: 90_000, show: withStatus(web, readyAt(3)) },
      ],
    );
    expect(late).toEqual({ notReady: [], unheard: [], said: [], seconds: 90 });
  });

  test('is not failed by what its controller said of the failed version in that very second', async () => {
    const lastUpdateTime = new Date(new FakeClock().now()).toISOString();
    const said = { conditions: [conditionAt('Ready', 'False', 'ValidationFailed', 'bad type')], lastUpdateTime };
    const web = custom('ray.io/v1', 'RayService', { name: 'web', generation: 3, status: said });
    expect(await wait([web])).toEqual({
      notReady: [],
      unheard: ['web'],
      said: ['RayService "web" in namespace "shop" is back as it was; its controller has not reported it ready yet'],
      seconds: 20,
    });
  });

  test('is judged anew by what its controller says, whatever that was as it was restored', async () => {
    const rules = 'Widget.example.com ready .status.phase == Running';
    const web = custom('example.com/v1', 'Widget', { name: 'web', generation: 3, status: { phase: 'Running' } });
    const pending = { atMs: 5000, show: withStatus(web, { phase: 'Pending' }) };
    const running = { atMs: 60_000, show: withStatus(web, { phase: 'Running', since: '1m' }) };
    const back = await wait([web], [pending, running], { rules });
    expect(back).toMatchObject({ notReady: [], unheard: [] });
    expect(back.seconds).toBeGreaterThanOrEqual(60);
    expect(await wait([web], [pending], { rules })).toMatchObject({ notReady: ['web'], unheard: [], seconds: 120 });
  });

  test('that works again after a while is not failed by what the failed version was told', async () => {
    const lastUpdateTime = new Date(new FakeClock().now()).toISOString();
    const refused = { conditions: [conditionAt('Ready', 'False', 'ValidationFailed', 'bad type')], lastUpdateTime };
    const web = custom('ray.io/v1', 'RayService', { name: 'web', generation: 3, status: refused });
    const working = { observedGeneration: 3, conditions: [conditionAt('Ready', 'False', 'Initializing', 'starting')] };
    const { notReady, unheard, seconds } = await wait([web], [{ atMs: 5000, show: withStatus(web, working) }]);
    expect({ notReady, unheard, seconds }).toEqual({ notReady: ['web'], unheard: [], seconds: 120 });
  });

  test('that is deleted meanwhile is not said to be back', async () => {
    const web = certificate('web');
    const going = { ...web, metadata: { ...web.metadata, deletionTimestamp: new Date(0).toISOString() } };
    expect(await wait([web], [{ atMs: 2000, show: going }])).toMatchObject({
      notReady: ['web'],
      unheard: [],
      seconds: 2,
    });
  });

  test('that fails again does not hide what becomes of the others', async () => {
    const objects = ['bad', 'good', 'silent'].map((name) => certificate(name));
    const [bad, good] = objects;
    if (bad === undefined || good === undefined) throw new Error('no objects');
    const rules =
      'Certificate.cert-manager.io/bad failed condition Ready == False\nCertificate.cert-manager.io/bad ready condition Ready';
    const result = await wait(
      objects,
      [
        { atMs: 2000, show: withStatus(bad, readyAt(3, 'False', 'Refused', 'the issuer refuses it')) },
        { atMs: 4000, show: withStatus(good, readyAt(3)) },
      ],
      { rules },
    );
    expect(result).toEqual({
      notReady: ['bad'],
      unheard: ['silent'],
      said: [
        'Certificate "bad" in namespace "shop" was restored, but is not ready again: Certificate "bad": condition Ready is False: the issuer refuses it',
        'Certificate "silent" in namespace "shop" is back as it was; its controller has not reported it ready yet',
      ],
      seconds: 20,
    });
  });
});

test('waited for is what keeps running and was well before', () => {
  const well = certificate('well', readyAt(3));
  const broken = certificate('broken', readyAt(3, 'False', 'Failed'));
  const made = certificate('made', readyAt(3));
  const once = custom('ray.io/v1', 'RayJob', { status: { jobDeploymentStatus: 'Complete', jobStatus: 'SUCCEEDED' } });
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'shop' } };
  const all = [well, broken, made, once, service];
  const entries = all.map((before) => ({
    ref: refOf(before),
    before: before === made ? null : before,
    after: before,
    done: true,
  }));
  expect(customToComeBack(all, entries, [])).toEqual([well]);
  const never = parseUserRules('Certificate.cert-manager.io/broken never');
  // Of what nobody judges nothing is to come back.
  expect(customToComeBack(all, entries, never)).toEqual([well]);
});

test('a heading does not claim that all is ready again', () => {
  const ref = refOf(certificate('web'));
  const undo = { complete: true, results: [{ ref, outcome: 'restored' as const }], unheard: [ref] };
  expect(describeUndo(undo)).toBe(`and was undone, but ${describeRef(ref)} is not reported ready yet`);
  expect(exceptionsOf({ ...undo, unheard: [] })).toBe('');
});
