import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { createNamespace, deleteNamespace, kubectl } from '../../support/kubectl.ts';
import { limitedUser, rulesIn, rulesOfKinds, documentedRules, type RbacRule } from '../../support/limited-user.ts';
import { configMap, deployment, service } from '../../support/objects.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace('rights');
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

type Inputs = Record<string, string>;

/** A run of a user for one release; without a command it deploys the objects. */
async function run(
  kubeconfig: string,
  release: string,
  inputs: Inputs,
  objects: readonly object[] = [],
): Promise<StepResult> {
  const workspace = createWorkspace({ 'app.yaml': objects });
  const { command } = inputs;
  const fixed = {
    kubeconfig,
    namespace,
    release,
    ...(command === undefined ? { manifests: '.', timeout: '60s' } : {}),
  };
  try {
    return await runStep({ ...fixed, ...inputs }, { workspace });
  } finally {
    removeWorkspace(workspace);
  }
}

function app(name: string, version = '1.0.0', more: readonly object[] = []): object[] {
  return [deployment(name, { image: `registry.test/ctwoc:${version}` }), service(name), ...more];
}

interface Told {
  reason: string;
  message: string;
  manifest: string;
}

function told(result: StepResult): Told {
  return JSON.parse(result.outputs['failure'] ?? '{}') as Told;
}

/** The Secrets, Leases and objects that a release has left. */
async function left(name: string): Promise<string> {
  const kinds = 'deployments,services,configmaps,secrets,leases';
  const all = await kubectl(['get', kinds, '-n', namespace, '-o', 'name', '--ignore-not-found']);
  return all
    .split('\n')
    .filter((line) => line.includes(name))
    .join(' ');
}

function covered(rules: readonly RbacRule[]): string[] {
  return rules
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}.${group}`)),
      ),
    )
    .sort();
}

test('a user without any right is told one manifest, and with it deploys, undoes, scales, restarts, pauses and rolls back', async () => {
  const name = 'nobody';
  const kubeconfig = await limitedUser(namespace, name, []);
  const first = await run(kubeconfig, name, {}, app(name, '1.0.0', [configMap(name, { a: '1' })]));
  expect(first.exit).toBe(1);
  expect(told(first).reason).toBe('MissingRights');
  expect(first.summary).toContain('kind: RoleBinding');
  expect(first.log).toContain('kind: RoleBinding');
  expect(await left(name)).toBe('');
  await kubectl(['apply', '-f', '-'], told(first).manifest);
  const second = await run(kubeconfig, name, {}, app(name, '1.0.0', [configMap(name, { a: '1' })]));
  expect(second.log).not.toMatch(/^::warning/m);
  expect(second.outputs['status']).toBe('deployed');
  const broken = [...app(name), configMap(`${name}-new`, { b: '1' })];
  broken[0] = deployment(name, { image: 'registry.test/pulled/ctwoc:9.9.9' });
  const failed = await run(kubeconfig, name, { 'undo-timeout': '60s', timeout: '10s' }, broken);
  expect(failed.outputs['status']).toBe('undone');
  expect(await left(`${name}-new`)).toBe('');
  const third = await run(kubeconfig, name, {}, app(name, '2.0.0', [configMap(`${name}-new`, { b: '1' })]));
  expect(third.outputs['status']).toBe('deployed');
  for (const [command, status, more] of [
    ['scale', 'scaled', { replicas: '2', timeout: '60s' }],
    ['restart', 'restarted', { timeout: '60s' }],
    ['pause', 'paused', {}],
    ['resume', 'resumed', { timeout: '60s' }],
    ['rollback', 'rolled-back', { prune: 'true', timeout: '60s' }],
    ['status', 'reported', {}],
  ] as const) {
    const result = await run(kubeconfig, name, { command, ...more });
    expect({ command, status: result.outputs['status'] }).toEqual({ command, status });
  }
  expect(await left(`${name}-new`)).toBe('');
});

const { base, strategies } = documentedRules();
const optional = ['events', 'pods/log', 'horizontalpodautoscalers', 'resourcequotas', 'poddisruptionbudgets'];
const isOptional = ({ resources, verbs }: RbacRule) =>
  resources.some((name) => optional.includes(name)) ||
  verbs.includes(resources.includes('replicasets') ? 'watch' : 'none') ||
  (resources.includes('pods') && verbs.includes('patch'));
const needed = [...base.filter((rule) => !isOptional(rule)), ...rulesOfKinds()];

test.each(needed.map((rule, index) => [rule.resources.join('-'), rule, index] as const))(
  'without the rule on %s nothing is written, and exactly this rule is named',
  async (_, missing, index) => {
    const name = `lacks-${index}`;
    const rules = [...base, ...rulesOfKinds()].filter((rule) => JSON.stringify(rule) !== JSON.stringify(missing));
    const kubeconfig = await limitedUser(namespace, name, rules);
    const result = await run(kubeconfig, name, {}, app(name, '1.0.0', [configMap(name, { a: '1' })]));
    expect(result.exit).toBe(1);
    expect(told(result).message).toContain(`user "system:serviceaccount:${namespace}:${name}" lacks rights`);
    expect(covered(rulesIn(told(result).manifest))).toEqual(covered([missing]));
    expect(await left(name)).toBe('');
  },
);

test.each(base.filter(isOptional).map((rule, index) => [rule.resources.join('-'), rule, index] as const))(
  'without the optional rule on %s it deploys, with one warning',
  async (_, missing, index) => {
    const name = `optional-${index}`;
    const rules = [...base, ...rulesOfKinds()].filter((rule) => rule !== missing);
    const kubeconfig = await limitedUser(namespace, name, rules);
    const result = await run(kubeconfig, name, {}, app(name));
    expect(result.outputs['status']).toBe('deployed');
    const warnings = result.log.split('\n').filter((line) => line.startsWith('::warning'));
    expect(warnings).toEqual([expect.stringContaining('Some optional rights are missing')]);
  },
);

test('one verb less is one verb named, also where the object is to be changed and not made', async () => {
  const name = 'verbs';
  const full = [...base, ...rulesOfKinds()];
  const whole = await limitedUser(namespace, `${name}-all`, full);
  expect((await run(whole, name, {}, app(name))).outputs['status']).toBe('deployed');
  const without = (verb: string, resource: string) =>
    full.flatMap((rule) =>
      rule.resources.includes(resource)
        ? rule.resources.map((one) => ({
            ...rule,
            resources: [one],
            verbs: one === resource ? rule.verbs.filter((each) => each !== verb) : rule.verbs,
          }))
        : [rule],
    );
  for (const verb of ['update', 'patch', 'watch', 'get']) {
    const kubeconfig = await limitedUser(namespace, `${name}-${verb}`, without(verb, 'deployments'));
    const result = await run(kubeconfig, name, {}, app(name, '2.0.0'));
    expect({ verb, rules: covered(rulesIn(told(result).manifest)) }).toEqual({
      verb,
      rules: [`${verb} deployments.apps`],
    });
  }
  const image = [
    'get',
    'deployment',
    name,
    '-n',
    namespace,
    '-o',
    'jsonpath={.spec.template.spec.containers[0].image}',
  ];
  expect(await kubectl(image)).toBe('registry.test/ctwoc:1.0.0');
  // What exists is brought back and not deleted: then this right is of no matter.
  const kubeconfig = await limitedUser(namespace, `${name}-delete`, without('delete', 'deployments'));
  const broken = [deployment(name, { image: 'registry.test/pulled/ctwoc:9.9.9' }), service(name)];
  const undone = await run(kubeconfig, name, { timeout: '10s' }, broken);
  expect(undone.outputs['status']).toBe('undone');
  expect(await kubectl(image)).toBe('registry.test/ctwoc:1.0.0');
});

test('commands on workloads are refused before their first write, and by one message', async () => {
  const name = 'commands';
  const whole = await limitedUser(namespace, `${name}-all`, [...base, ...rulesOfKinds()]);
  expect((await run(whole, name, {}, app(name))).outputs['status']).toBe('deployed');
  const looking = [
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] },
    { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get'] },
  ];
  const viewer = await limitedUser(namespace, `${name}-viewer`, [
    ...looking,
    ...base.filter(isOptional),
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: [''], resources: ['services'], verbs: ['get'] },
  ]);
  const locking = [
    'create secrets.',
    'patch secrets.',
    'delete secrets.',
    'create leases.coordination.k8s.io',
    'update leases.coordination.k8s.io',
  ];
  const expected = {
    scale: [...locking, 'patch deployments.apps', 'update deployments.apps'],
    restart: [...locking, 'patch deployments.apps', 'update deployments.apps'],
    // That it is in the history is optional, and told with the rest.
    pause: ['patch deployments.apps', 'patch secrets.'],
  };
  for (const [command, verbs] of Object.entries(expected)) {
    const result = await run(viewer, name, { command, ...(command === 'scale' ? { replicas: '2' } : {}) });
    expect(result.exit).toBe(1);
    expect({ command, rules: covered(rulesIn(told(result).manifest)) }).toEqual({ command, rules: [...verbs].sort() });
  }
  expect((await run(viewer, name, { command: 'status' })).outputs['status']).toBe('reported');
  const nobody = await limitedUser(namespace, `${name}-nobody`, []);
  const blind = await run(nobody, name, { command: 'status' });
  // What it would look at beside is optional, and told with it.
  const beside = [
    ...base.filter(isOptional),
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list'] },
  ];
  expect(covered(rulesIn(told(blind).manifest))).toEqual(covered([...looking, ...beside]));
});

test('a canary asks for what it makes beside the stable pods, before the first write', async () => {
  const name = 'steps';
  const kinds = rulesOfKinds();
  const whole = await limitedUser(namespace, `${name}-all`, [...base, ...kinds, ...strategies]);
  const objects = (version: string) => app(name, version);
  expect((await run(whole, name, {}, objects('1.0.0'))).outputs['status']).toBe('deployed');
  const canary = { strategy: 'canary', 'step-duration': '0s' };
  const plain = await limitedUser(namespace, `${name}-plain`, [...base, ...kinds, ...strategies.filter(isOptional)]);
  const refused = await run(plain, name, canary, objects('2.0.0'));
  expect(refused.exit).toBe(1);
  expect(covered(rulesIn(told(refused).manifest))).toEqual(['list endpointslices.discovery.k8s.io', 'list services.']);
  expect(await left(`${name}-canary`)).toBe('');
  const brought = await run(whole, name, { ...canary, 'auto-promote': 'false' }, objects('2.0.0'));
  expect(brought.outputs['status']).toBe('waiting');
  const abort = await run(plain, name, { command: 'abort' });
  expect(abort.exit).toBe(1);
  expect(covered(rulesIn(told(abort).manifest))).toEqual(['list endpointslices.discovery.k8s.io', 'list services.']);
  expect((await run(whole, name, { command: 'abort' })).outputs['status']).toBe('aborted');
});
