import { beforeEach, describe, expect, test } from '@jest/globals';

import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Prepared } from '../../../src/apply/prepared.ts';
import type { PlanContext } from '../../../src/plan/plan.ts';
import { canary } from '../../../src/strategies/canary/canary.ts';
import { rolling, rollingBackWithRoom, rollingWithRoom } from '../../../src/strategies/rolling.ts';
import { FakeApi, refusal } from '../../support/fake-api.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';
import { compared, deployment, linesOf, service } from './plan-lines.ts';

let api: FakeApi;
let reporter: ReturnType<typeof listeningReporter>;

beforeEach(() => {
  api = new FakeApi();
  reporter = listeningReporter();
});

const context = (): PlanContext => ({
  client: api,
  namespace: 'shop',
  look: (manifests) => Promise.resolve(manifests.map(({ object }) => compared(object))),
  note: () => undefined,
  onLowCapacity: 'warn',
  reporter,
});

async function linesBy(strategy: typeof rolling, prepared: readonly Prepared[]): Promise<string[]> {
  const arrangement = await strategy(
    context(),
    prepared.map(({ manifest }) => manifest),
  );
  const { stages } = await arrangement.plan(prepared);
  const lines: string[] = [];
  for (const stage of stages) lines.push(...linesOf((await stage.decide(context())).steps));
  return lines;
}

function pod(name: string, labels: Record<string, string>, owner: string, kind = 'StatefulSet'): KubernetesObject {
  const ownerReferences = [{ apiVersion: 'apps/v1', kind, name: owner, uid: owner, controller: true }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace: 'shop', labels, ownerReferences } };
}

const web = (version: string) => deployment('web', 3, { version });
const to = (labels: Record<string, string>) => service('web', labels);
const both = { app: 'web', version: 'v1' };
const moved = (from = both, next = { app: 'web', version: 'v2' }) => compared(to(next), to(from));

const noEndpoint =
  'warning Service "web" has no endpoint until the first new pod is ready: its selector and the labels of its pods change together, and no label in its old selector is left that selects the old and the new pods, and no others. To avoid that, first deploy with a selector and labels that both versions have';

const unseen =
  'warning Service "web" has no endpoint until the first new pod is ready: its selector and the labels of its pods change together, and without the right to list the pods in namespace "shop" nobody knows whether what both selectors have in common selects others too. To avoid that, grant it, or first deploy with a selector and labels that both versions have';

const cron = (labels: Record<string, string>): KubernetesObject => ({
  apiVersion: 'batch/v1',
  kind: 'CronJob',
  metadata: { name: 'clean', namespace: 'shop' },
  spec: { jobTemplate: { spec: { template: { metadata: { labels }, spec: { containers: [{ name: 'clean' }] } } } } },
});

const single = { ...pod('debug', { app: 'web' }, 'nobody'), spec: { containers: [{ name: 'debug' }] } };

const ray: KubernetesObject = {
  apiVersion: 'ray.io/v1',
  kind: 'RayCluster',
  metadata: { name: 'llm', namespace: 'shop' },
  spec: { headGroupSpec: { template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } } } },
};

describe('a Service whose selector changes together with the labels of its pods', () => {
  test.each([
    ['rolling', rolling],
    ['rolling with a look for room', rollingWithRoom],
    ['a rollback', rollingBackWithRoom],
  ])('leads to old and new pods until these are ready: %s', async (_, strategy) => {
    expect(await linesBy(strategy, [moved(), compared(web('v2'), web('v1'))])).toEqual([
      'set web.selector=app:web',
      'apply web×3',
      'apply Service/web',
    ]);
    expect(reporter.lines.filter((line) => line.includes('no endpoint'))).toEqual([]);
  });

  test('does so too where pods of others were behind it before', async () => {
    api.put(pod('db-0', both, 'db'));
    expect(await linesBy(rolling, [moved(), compared(web('v2'), web('v1'))])).toContain('set web.selector=app:web');
  });

  test.each<[string, Prepared, Prepared[]]>([
    ['nothing is in common', moved({ version: 'v1' } as typeof both, { version: 'v2' } as typeof both), []],
    ['what is in common selects another workload of the release too', moved(), [compared(deployment('web-canary', 1))]],
    ['what is in common selects the pods of a CronJob too', moved(), [compared(cron({ app: 'web', version: 'cron' }))]],
    ['what is in common selects the pods of a CronJob until now', moved(), [compared(cron({}), cron({ app: 'web' }))]],
    ['what is in common selects a Pod too', moved(), [compared(single)]],
    ['what is in common selects pods of a custom resource too', moved(), [compared(ray)]],
  ])('goes first, and a warning says so, where %s', async (_, entry, more) => {
    const lines = await linesBy(rolling, [entry, compared(web('v2'), web('v1')), ...more]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^apply Service\/web web×3/);
    expect(reporter.lines).toEqual([noEndpoint]);
  });

  test.each(['StatefulSet', 'Job'])(
    'goes first where what is in common selects pods of a %s, which would get requests',
    async (kind) => {
      api.put(pod('db-0', both, 'cache', kind));
      api.put(pod('cache-0', { app: 'web' }, 'cache', kind));
      expect(await linesBy(rolling, [moved(), compared(web('v2'), web('v1'))])).toEqual(['apply Service/web web×3']);
      expect(reporter.lines).toEqual([noEndpoint]);
    },
  );

  test('leads to both where a pod that has ended alone has what is in common', async () => {
    api.put({ ...pod('clean-1', { app: 'web' }, 'clean', 'Job'), status: { phase: 'Succeeded' } });
    expect(await linesBy(rolling, [moved(), compared(web('v2'), web('v1'))])).toContain('set web.selector=app:web');
  });

  test.each(['web', 'web-green'])('leads to both where new pods are there already: of Deployment %s', async (name) => {
    const labels = { app: 'web', version: 'v2', 'pod-template-hash': '5d4' };
    api.put(pod(`${name}-5d4-x`, labels, `${name}-5d4`, 'ReplicaSet'));
    expect(await linesBy(rolling, [moved(), compared(web('v2'), web('v1'))])).toContain('set web.selector=app:web');
  });

  test('goes first where pods may not be seen: others could have what is in common', async () => {
    api.before = (operation, ref) => {
      if (operation === 'list' && ref.kind === 'Pod') throw refusal(403, 'Forbidden', ref);
    };
    expect(await linesBy(rolling, [moved(), compared(web('v2'), web('v1'))])).toEqual(['apply Service/web web×3']);
    expect(reporter.lines).toEqual([unseen]);
  });

  test('leads to others until a workload that they make room for is ready', async () => {
    const entry = compared(to({ app: 'web', version: 'v2' }), to({ app: 'old' }));
    expect(await linesBy(rolling, [entry, compared(web('v2'), web('v1'))])).toEqual([
      'apply web×3',
      'apply Service/web',
    ]);
  });

  test('is refused as a canary, whose candidate would get no request', async () => {
    api.put(to(both));
    const options = { steps: [10], stepDurationMs: 1, autoPromote: true, constantTotal: false, variants: [] };
    await expect(linesBy(canary(options), [moved(), compared(web('v2'), web('v1'))])).rejects.toMatchObject({
      message:
        'Deployment "web-canary" would get no requests: its pods do not have the labels that Service "web" selects',
      hint: 'The selector of the Service in the manifest selects them, but it is applied with the promotion only. Deploy this change with "strategy: rolling".',
    });
  });
});
