import { describe, expect, test } from '@jest/globals';

import { finishApplied } from '../../../src/commands/held.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { Report } from '../../../src/report/report.ts';
import { RolloutWatch } from '../../../src/report/watch.ts';
import { workloadRow } from '../../../src/report/workloads.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { live, liveDaemonSet, liveDeployment, podOf, template } from '../../support/rollout-objects.ts';
import { ScriptedCluster } from '../../support/scripted-cluster.ts';
import { contextOf, options } from './build.ts';

/** The end of a deploy of objects that are ready as they are. */
async function endOf(...objects: KubernetesObject[]) {
  const clock = new FakeClock();
  const context = { ...contextOf(new FakeApi(), 'me'), client: new ScriptedCluster().client, clock };
  const watch = new RolloutWatch(context, options);
  const { signal } = new AbortController();
  await watch.wait(
    objects.map((object) => ({ object, changed: false })),
    { deadline: clock.now() + 1000, signal },
  );
  const report = new Report(context, 'deploy', options);
  report.tellWorkloads(objects.map((object) => workloadRow(object, { state: 'ready', message: '' })));
  const { status, headline } = finishApplied(report, watch, 'deployed', { headline: 'live', applied: 'applied' });
  return { status, headline };
}

describe('the end of a change', () => {
  const agent = liveDaemonSet({ wanted: 0, metadata: { name: 'agent' } });

  test('is live with all its pods', async () => {
    expect(await endOf(liveDeployment(), liveDaemonSet())).toEqual({ status: 'deployed', headline: 'live' });
  });

  test('is no failure with a DaemonSet that no node wants, and names it', async () => {
    expect(await endOf(liveDeployment(), agent)).toEqual({
      status: 'deployed',
      headline: 'applied; DaemonSet "agent" has no pods: no node matches',
    });
  });

  test('is held back where a ReplicaSet has a new template, also after the last look of the run', async () => {
    const replicaSet = (image: string) => ({
      ...live('ReplicaSet', {
        spec: { replicas: 2, template: template(image) },
        status: { observedGeneration: 1, replicas: 2, availableReplicas: 2 },
      }),
    });
    const cluster = new ScriptedCluster();
    const object = replicaSet('web:2');
    const pod = (name: string) => {
      const spec = { containers: [{ name: 'web', image: 'web:1' }] };
      return podOf(object, { metadata: { name }, spec, ready: true });
    };
    cluster.put(object, pod('web-a'), pod('web-b'));
    const clock = new FakeClock();
    const watch = new RolloutWatch({ ...contextOf(new FakeApi(), 'me'), client: cluster.client, clock }, options);
    const wait = { deadline: clock.now() + 1000, signal: new AbortController().signal };
    const waited = watch.wait([{ object, changed: true, before: replicaSet('web:1') }], wait);
    await clock.runFor(500);
    await waited;
    const held = ['ReplicaSet "web": its controller replaces no pods: 0 of 2 pods updated'];
    expect(watch.held).toEqual(held);
    const confirmed = watch.confirm({ ...wait, isFresh: false });
    await clock.runFor(500);
    await confirmed;
    expect(watch.held).toEqual(held);
  });

  test('names what is scaled to 0 beside it', async () => {
    expect(await endOf(liveDeployment({ replicas: 0 }), agent)).toEqual({
      status: 'deployed',
      headline:
        'applied; Deployment "web" is scaled to 0 and has no pods; DaemonSet "agent" has no pods: no node matches',
    });
  });
});
