import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { createNamespace, deleteNamespace, kubectl } from '../../support/kubectl.ts';
import { deployment, relabelled, service } from '../../support/objects.ts';
import { figure } from '../../support/figure.ts';
import { SteadyLoad, totalOf } from '../../support/steady-load.ts';
import { addressOf, versionsNow } from './stage.ts';

/**
 * What the load balancer of the tests does with `harness.test/neg-lag`, without the action: a test of a strategy behind it
 * would tell nothing if a plain switch lost no requests there.
 */
describe('a Service behind a load balancer that is slow to take endpoints (kubernetes/ingress-gce#638)', () => {
  const lagMs = 3000;
  const perSecond = 200;
  let namespace: string;
  let url: string;

  beforeAll(async () => {
    namespace = await createNamespace('lagging');
    const annotations = { 'harness.test/neg-lag': `${lagMs}ms` };
    const objects = [
      coloured('blue', '1.0.0'),
      coloured('green', '2.0.0'),
      {
        ...service('web', { type: 'LoadBalancer', selector: { app: 'web', colour: 'blue' } }),
        metadata: { name: 'web', annotations },
      },
    ];
    await kubectl(
      ['apply', '-n', namespace, '-f', '-'],
      objects.map((object) => JSON.stringify(object)).join('\n---\n'),
    );
    for (const colour of ['blue', 'green']) {
      await kubectl(['rollout', 'status', `deployment/${colour}`, '-n', namespace, '--timeout=60s']);
    }
    url = await addressOf(namespace, 'web');
  });

  afterAll(async () => {
    await deleteNamespace(namespace);
  });

  async function select(colour: 'blue' | 'green' | null): Promise<void> {
    const patch = JSON.stringify({ spec: { selector: { colour } } });
    await kubectl(['patch', 'service', 'web', '-n', namespace, '--type=merge', `--patch=${patch}`]);
  }

  /** Waits until a version answers: its endpoints are programmed. */
  async function answers(load: SteadyLoad, version: string, after: number): Promise<void> {
    while (load.spanOf(version, after) === undefined) await load.reaches(Date.now() + 100);
  }

  test('loses requests when its selector is flipped, for as long as the lag', async () => {
    await using load = new SteadyLoad(url, { perSecond });
    expect(await versionsNow(load)).toEqual(['1.0.0']);
    const from = Date.now();
    await select('green');
    await answers(load, '2.0.0', from);
    const { lost } = await load.stop();
    figure('switching-lagging-flip-lost', totalOf(lost));
    expect(Object.keys(lost)).toEqual(['status 502']);
    expect(totalOf(lost)).toBeGreaterThan((0.5 * perSecond * lagMs) / 1000);
    expect(totalOf(lost)).toBeLessThan((1.5 * perSecond * lagMs) / 1000);
  });

  test('loses none when both are selected until the new ones are programmed', async () => {
    await using load = new SteadyLoad(url, { perSecond });
    expect(await versionsNow(load)).toEqual(['2.0.0']);
    const from = Date.now();
    await select(null);
    await answers(load, '1.0.0', from);
    // Each has its own time: the last of them comes no later than one lag after the first could.
    await load.reaches(from + 2 * lagMs);
    await select('blue');
    expect(await versionsNow(load)).toEqual(['1.0.0']);
    const { lost } = await load.stop();
    figure('switching-lagging-union-lost', totalOf(lost));
    expect(load.losses()).toEqual([]);
  });
});

function coloured(colour: string, version: string): object {
  const made = deployment(colour, { image: `registry.test/ctwoc:${version}`, replicas: 2 });
  return relabelled(made, colour, { app: 'web', colour });
}
