import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { createNamespace, deleteNamespace, kubectl, testKubeconfig } from '../../support/kubectl.ts';
import { deployment, service } from '../../support/objects.ts';
import { shareOf } from '../../support/share.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let namespace: string;
const workspaces: string[] = [];

beforeAll(async () => {
  namespace = await createNamespace('verify');
});

afterEach(() => {
  for (const folder of workspaces.splice(0)) removeWorkspace(folder);
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

interface Version {
  replicas?: number;
  image?: string;
  env?: Record<string, string>;
  timeout?: string;
  objects?: readonly object[];
  [container: string]: unknown;
}

/** Deploys a version of `name` behind a Service, with these checks. */
async function deploy(name: string, verify: string, version: Version = {}): Promise<StepResult> {
  const { timeout = '60s', objects = [service(name)], ...container } = version;
  const workspace = createWorkspace({ 'app.yaml': [deployment(name, container), ...objects] });
  workspaces.push(workspace);
  const inputs = { kubeconfig: testKubeconfig(), namespace, release: name, manifests: '.', timeout };
  return await runStep(verify === '' ? inputs : { ...inputs, verify }, { workspace });
}

function failureOf(result: StepResult): { reason: string; message: string; hint?: string } {
  return JSON.parse(result.outputs['failure'] ?? '{}') as { reason: string; message: string; hint?: string };
}

/** The environment that the pods are meant to have now. */
async function environmentOf(name: string): Promise<string> {
  return await kubectl([
    ...['get', 'deployment', name, '-n', namespace],
    ...['-o', 'jsonpath={.spec.template.spec.containers[0].env[*].name}'],
  ]);
}

describe('a version that answers as it should', () => {
  test('is deployed, and the summary says what was asked', async () => {
    const checks = [
      '/healthz',
      'service/good:80/version 200 contains {version}',
      'service/good/ json .version == {version}',
    ];
    const result = await deploy('good', checks.join('\n'), { replicas: 2 });
    expect(result.log).not.toContain('::error');
    expect(result.outputs).toMatchObject({ status: 'deployed', failure: '' });
    expect(result.log).toContain('check "/healthz": pass: 20 of 20 requests were answered correctly');
    expect(result.summary).toContain('| `/healthz` | passed: 20 of 20 requests were answered correctly');
  });

  test('meets a rate, a latency and a version in one check, which says what it has shown', async () => {
    const check = '- path: /\n  max-error-rate: 1%\n  max-p95: 2s\n  version: header:X-Version';
    const result = await deploy('exact', check, { replicas: 2 });
    expect(result.outputs['status']).toBe('deployed');
    expect(result.log).toMatch(
      /check "\/": pass: 0 of 339 requests failed \(fewer than 1 % do, with 95 % confidence\), p95 is \d+ ms/,
    );
    expect(result.log).toContain(
      'check "/": to show at most 1 % failing, it takes at least 339 requests to pass (about 886 at 0.3 %), and at least 2 to fail',
    );
  });

  test.each(['cluster', 'proxy'])('is asked by way of "%s" where the check wants that', async (via) => {
    const result = await deploy(`via-${via}`, `- path: /healthz\n  via: ${via}`);
    expect(result.outputs['status']).toBe('deployed');
    expect(result.log).toContain(
      via === 'cluster' ? '(asked at the cluster address' : "(asked through the API server's proxy",
    );
  });

  test('is asked at its external address when it has one', async () => {
    const objects = [service('outside', { type: 'LoadBalancer' })];
    const result = await deploy('outside', '/healthz', { objects });
    expect(result.outputs['status']).toBe('deployed');
    expect(result.log).toContain(`(asked at the external address ${result.outputs['external-ip'] ?? '?'}:80)`);
  });
});

describe('a version that answers wrong is undone', () => {
  const changed = { env: { GREETING: 'x' } };
  const cases: [string, string, Version, string][] = [
    [
      '5 % errors',
      '- path: /\n  max-error-rate: 1%',
      { env: { ERROR_RATE: '0.05' } },
      'requests failed (more than the 1 % allowed, with 99 % confidence)',
    ],
    ['slow answers', '- path: /\n  max-p95: 200ms', { env: { LATENCY: '300ms' } }, 'ms; the limit is 200 ms'],
    [
      'a wrong field of the JSON',
      'service/wrong/ json .version == 2.0.0',
      changed,
      'wrong JSON: .version of its JSON is "1.0.0" instead of "2.0.0"',
    ],
    ...shareOf<[string, string, Version, string]>(
      [
        [
          'a wrong body',
          'service/wrong:80/version contains 9.9.9',
          changed,
          'wrong body: its body does not contain "9.9.9" (it begins with "1.0.0")',
        ],
        [
          'a wrong header',
          '- path: /\n  response-headers:\n    X-Version: 2.0.0',
          changed,
          'wrong header: its header "x-version" is "1.0.0" instead of "2.0.0"',
        ],
        ['a wrong status', '/missing', changed, 'wrong status: answered 404'],
      ],
      ([name]) => name,
    ),
  ];

  beforeAll(async () => {
    const { exit, log } = await deploy('wrong', '');
    if (exit !== 0) throw new Error(log);
  });

  test.each(cases)('with %s', async (_, check, version, words) => {
    const result = await deploy('wrong', check, version);
    expect(failureOf(result)).toMatchObject({ reason: 'VerificationFailed' });
    expect(failureOf(result).message).toContain(words);
    expect(result.outputs['status']).toBe('undone');
    expect(result.exit).toBe(1);
    expect(result.summary).toContain('**failed**');
    expect(await environmentOf('wrong')).toBe('SHUTDOWN_DELAY');
  });
});

test('a Service that leads to pods of another version is noticed', async () => {
  const other = deployment('mixed-old', { image: 'registry.test/ctwoc:2.0.0', replicas: 2 });
  const labels = { app: 'mixed', track: 'old' };
  const spec = {
    ...other.spec,
    selector: { matchLabels: labels },
    template: { ...other.spec.template, metadata: { labels } },
  };
  await kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify({ ...other, spec }));
  await kubectl(['rollout', 'status', 'deployment/mixed-old', '-n', namespace, '--timeout=60s']);
  const result = await deploy('mixed', '- path: /\n  version: header:X-Version', { replicas: 1 });
  expect(failureOf(result).message).toMatch(/wrong version: says version "\d\.0\.0" instead of "\d\.0\.0"/);
  expect(result.outputs['status']).toBe('undone');
});

test('a pod that is ready but cannot answer is found by "pods: each" (llm-d#330)', async () => {
  // The readiness probe only asks whether the process lives, as one of a model server may.
  const check = '- path: /predict\n  pods: each\n  send: \'{"inputs": [2]}\'\n  json:\n    .outputs[0]: 4';
  expect((await deploy('model', check, { replicas: 2 })).outputs['status']).toBe('deployed');
  const probe = { exec: { command: ['/server', 'job'] }, periodSeconds: 1 };
  const result = await deploy('model', check, {
    replicas: 2,
    env: { START_DELAY: '2m' },
    readinessProbe: probe,
    timeout: '20s',
  });
  expect(failureOf(result).message).toMatch(/new pods never answered correctly: Pod "model-[^"]+": connection refused/);
  expect(result.outputs['status']).toBe('undone');
});

test('too few samples until the deadline are no pass, and the failure says how many it takes', async () => {
  expect((await deploy('few', '')).outputs['status']).toBe('deployed');
  const result = await deploy('few', '- path: /\n  max-error-rate: 1%', { env: { LATENCY: '1s' }, timeout: '20s' });
  expect(failureOf(result).message).toMatch(
    /check "\/" stayed inconclusive: too few samples: \d+ requests, at least 339 needed, and the deadline has passed/,
  );
  expect(result.outputs['status']).toBe('undone');
  expect(await environmentOf('few')).toBe('SHUTDOWN_DELAY');
});

describe('an input that is wrong changes nothing', () => {
  test.each([
    ['- path: /a\n  max-eror-rate: 1%', 'line 2 of the input "verify": there is no key "max-eror-rate"'],
    ['/a\nservice/nobody/healthz', 'line 2 of the input "verify": there is no Service "nobody"'],
    ['service/untouched:81/healthz', 'line 1 of the input "verify": Service "untouched" has no port "81"'],
  ])('%j', async (check, words) => {
    const result = await deploy('untouched', check);
    expect(result.exit).toBe(1);
    expect(failureOf(result).message).toContain(words);
    expect(await kubectl(['get', 'deployment,service', 'untouched', '-n', namespace, '--ignore-not-found'])).toBe('');
  });

  test('when there is no one Service that a path could mean', async () => {
    const result = await deploy('untouched', '/healthz', { objects: [service('untouched'), service('second')] });
    expect(failureOf(result).message).toContain('it is not clear which Service to check: the manifests have 2');
  });
});
