import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { systemClock } from '../../../src/base/clock.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import { connect } from '../../../src/kubernetes/connection.ts';
import { createClient } from '../../../src/kubernetes/http-client.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { untilRouted } from '../../../src/traffic/endpoints.ts';
import { parseChecks } from '../../../src/verify/parse.ts';
import { questionOf } from '../../../src/verify/run-check.ts';
import { countVersions, learnVersion, type Measurement } from '../../../src/verify/share.ts';
import { servicesIn } from '../../../src/traffic/services.ts';
import { planOf, serviceRef, type Sides } from '../../../src/verify/sides.ts';
import { verify } from '../../../src/verify/verify.ts';
import { figure } from '../../support/figure.ts';
import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { shareTolerance } from '../../support/measured-share.ts';
import { deployment, service } from '../../support/objects.ts';
import { silentReporter } from '../../support/silent-reporter.ts';

/** Two versions behind one Service, made by hand: three pods of 1.0.0 and one of 2.0.0, which fails every 20th request. */
let namespace: string;
let client: KubernetesClient;
let sides: Sides;

beforeAll(async () => {
  namespace = await createNamespace('canary');
  const version = (track: string, options: Parameters<typeof deployment>[1]) => {
    const made = deployment(`web-${track}`, options);
    const labels = { app: 'web', track };
    const template = { ...made.spec.template, metadata: { labels } };
    return { ...made, spec: { ...made.spec, selector: { matchLabels: labels }, template } };
  };
  const objects = [
    version('stable', { replicas: 3 }),
    version('canary', { image: 'registry.test/ctwoc:2.0.0', env: { ERROR_RATE: '0.05' } }),
    service('web'),
    service('web-stable', { selector: { app: 'web', track: 'stable' } }),
    service('web-canary', { selector: { app: 'web', track: 'canary' } }),
  ];
  const text = objects.map((object) => JSON.stringify(object)).join('\n---\n');
  await kubectl(['apply', '-n', namespace, '-f', '-'], text);
  for (const track of ['stable', 'canary']) {
    await kubectl(['rollout', 'status', `deployment/web-${track}`, '-n', namespace, '--timeout=120s']);
  }
  const connection = await connect({
    kubeconfig: testKubeconfig(),
    cwd: '/',
    env: {},
    onSecret: () => undefined,
  });
  client = createClient(connection, { clock: systemClock, userAgent: 'test' });
  // As a canary's step does before it is verified: nodes know all pods only after a while.
  const services = await servicesIn(client, namespace);
  await untilRouted(client, services, surroundings());
  sides = {
    namespace,
    service: serviceRef(namespace, 'web'),
    candidate: { pods: await podsOf('canary') },
    stable: { pods: await podsOf('stable') },
    wantedShare: 25,
  };
});

afterAll(async () => {
  await client.close();
  await deleteNamespace(namespace);
});

async function podsOf(track: string): Promise<KubernetesObject[]> {
  const text = await kubectl(['get', 'pods', '-n', namespace, '-l', `track=${track}`, '-o', 'json']);
  return (JSON.parse(text) as { items: KubernetesObject[] }).items;
}

function surroundings() {
  const { signal } = new AbortController();
  return { clock: systemClock, reporter: silentReporter, signal, deadline: Date.now() + 60_000 };
}

const version = { kind: 'header', name: 'x-version' } as const;

/** Asks by one way, whatever the answers are but for their version. */
async function measureShare(via: string, requests: number): Promise<Measurement> {
  const [check] = parseChecks(`- path: /\n  via: ${via}`);
  if (check === undefined) throw new Error('there is a check');
  const plan = await planOf(client, check, sides, surroundings().signal);
  const question = questionOf(check);
  const candidate = await learnVersion(plan.candidatePods, question, version, surroundings());
  return await countVersions(
    plan.shared ?? plan.candidate,
    candidate,
    { question, place: version },
    requests,
    surroundings(),
  );
}

describe('the share of one pod beside three', () => {
  test.each(['cluster', 'proxy'] as const)('is measured by way of "%s"', async (via) => {
    const measured = await measureShare(via, 1000);
    figure(`verify-share-${via}-percent`, measured.percent.toFixed(1));
    expect(measured).toMatchObject({ requests: 1000, unknown: 0 });
    expect(Object.keys(measured.byVersion).sort()).toEqual(['1.0.0', '2.0.0']);
    expect(Math.abs(measured.percent - 25)).toBeLessThanOrEqual(shareTolerance(25, 1000, 5));
  });

  test('that is the wanted one passes the check, by what was measured', async () => {
    const checks = parseChecks('- path: /\n  max-error-rate: 30%\n  version: header:X-Version');
    const [result] = await verify(client, checks, { ...sides, formerShare: 0 }, surroundings());
    expect(result).toMatchObject({ verdict: 'pass', share: { wanted: 25 } });
    expect(Math.abs((result?.share?.measured ?? 0) - 25)).toBeLessThan(5);
    figure('verify-share-requests', result?.share?.requests ?? 0);
  });

  test('that is not the wanted one fails the check', async () => {
    const checks = parseChecks('- path: /\n  max-error-rate: 30%\n  version: header:X-Version');
    const [result] = await verify(client, checks, { ...sides, wantedShare: 60 }, surroundings());
    expect(result).toMatchObject({ verdict: 'fail', share: { wanted: 60 } });
    expect(result?.message).toMatch(/% of \d+ requests reached the candidate, expected: 60 % ± 5/);
  });
});

describe('a canary with errors beside a stable version without any (spinnaker/kayenta#799)', () => {
  test.each([
    ['its pods', {}],
    ['Services of their own', { candidate: 'web-canary', stable: 'web-stable' }],
  ])(
    'fails although its rate is below the limit, asked by %s',
    async (_, services: { candidate?: string; stable?: string }) => {
      const side = (pods: readonly KubernetesObject[], name: string | undefined) => ({
        pods,
        ...(name === undefined ? {} : { service: serviceRef(namespace, name) }),
      });
      const both = {
        ...sides,
        candidate: side(sides.candidate.pods, services.candidate),
        stable: side(sides.stable?.pods ?? [], services.stable),
      };
      const checks = parseChecks('- path: /\n  max-error-rate: 20%\n  requests: 300');
      const [result] = await verify(client, checks, both, surroundings());
      expect(result).toMatchObject({ verdict: 'fail', stable: { errors: 0 } });
      expect(result?.requests).toBeLessThan(300);
      expect(result?.message).toMatch(/but only 0 of \d+ of the stable version at the same time/);
    },
  );
});
