import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { numberAt, objectAt, objectsAt, stringAt, type Json, type JsonObject } from '../../../src/base/json.ts';
import { figure } from '../../support/figure.ts';
import { journalDuring } from '../../support/journal-watch.ts';
import { kubectl } from '../../support/kubectl.ts';
import { limitedUser } from '../../support/limited-user.ts';
import { autoscaler, configMap, deployment, service } from '../../support/objects.ts';
import type { StepResult } from '../../support/step.ts';
import { app, image, Stage, type Inputs } from '../../support/strategy-stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

async function plan(release: string, objects: readonly object[], inputs: Inputs = {}): Promise<StepResult> {
  const files = { 'app.yaml': objects };
  return await stage.run(release, { command: 'plan', manifests: '.', strategy: 'rolling', ...inputs }, files);
}

function planIn({ outputs }: StepResult): Json {
  return JSON.parse(outputs['plan'] ?? '') as Json;
}

/** `1 create Deployment/web`, step by step: what a plan writes. */
function writesOf(told: Json): string[] {
  return objectsAt(told, 'steps')
    .map((step) => objectsAt(step, 'writes').map((write) => `${kindOf(write)} ${nameIn(write)}`))
    .filter((writes) => writes.length > 0)
    .flatMap((writes, index) => writes.map((write) => `${index + 1} ${write}`).sort());
}

function kindOf(write: JsonObject): string {
  return stringAt(write, 'change') === 'create' ? 'create' : 'change';
}

function nameIn(ref: JsonObject): string {
  return `${stringAt(ref, 'kind') ?? ''}/${stringAt(ref, 'name') ?? ''}`;
}

/** The same of the journal of a deploy. */
function entriesOf(entries: readonly JsonObject[]): string[] {
  const steps = [...new Set(entries.map((entry) => numberAt(entry, 'step') ?? 0))].sort((left, right) => left - right);
  return steps.flatMap((step, index) =>
    entries
      .filter((entry) => (numberAt(entry, 'step') ?? 0) === step)
      .map(
        (entry) => `${index + 1} ${entry['before'] === null ? 'create' : 'change'} ${nameIn(objectAt(entry, 'ref'))}`,
      )
      .sort(),
  );
}

async function records(): Promise<string> {
  // "all" would ask for custom kinds as well, whose definitions come and go with other suites.
  const kinds = 'pods,services,deployments,replicasets,statefulsets,jobs,configmaps,secrets,leases';
  return await kubectl(['-n', stage.namespace, 'get', kinds, '-o', 'name']);
}

describe('what a plan says is what a deploy then does', () => {
  const config = (name: string, value: string) => configMap(name, { GREETING: value });
  const reading = { envFrom: [{ configMapRef: { name: 'all' } }] };
  // Pods that do not end at once are replaced behind their Services; all others behind the candidate.
  const graceful = { lifecycle: { preStop: { sleep: { seconds: 2 } } } };
  const cases: [string, { before?: object[]; after: object[]; inputs: Inputs; waits?: true }][] = [
    ['first', { after: app('first', '1.0.0'), inputs: {} }],
    [
      'all',
      {
        before: [...app('all', '1.0.0', reading), config('all', 'a')],
        after: [...app('all', '2.0.0', reading), config('all', 'b'), config('all-more', 'c')],
        inputs: {},
      },
    ],
    ['canary', { before: app('canary', '1.0.0'), after: app('canary', '2.0.0'), inputs: steps('25,50') }],
    [
      'constant',
      {
        before: app('constant', '1.0.0', { replicas: 4 }),
        after: app('constant', '2.0.0', { replicas: 4 }),
        inputs: { ...steps('25,50'), 'constant-total': 'true' },
      },
    ],
    [
      'waits',
      {
        before: app('waits', '1.0.0'),
        after: app('waits', '2.0.0'),
        inputs: { ...steps('50'), 'auto-promote': 'false' },
        waits: true,
      },
    ],
    [
      'graceful',
      {
        before: app('graceful', '1.0.0', graceful),
        after: app('graceful', '2.0.0', graceful),
        inputs: steps('50'),
      },
    ],
    [
      'green',
      {
        before: app('green', '1.0.0'),
        after: [...app('green', '2.0.0'), config('green-more', 'a')],
        inputs: { strategy: 'blue-green', 'keep-old-for': '0s' },
      },
    ],
    [
      'scaled',
      {
        before: [...app('scaled', '1.0.0'), autoscaler('scaled')],
        after: [...app('scaled', '2.0.0'), autoscaler('scaled')],
        inputs: { strategy: 'blue-green', 'keep-old-for': '0s' },
      },
    ],
  ];

  function steps(percents: string): Inputs {
    return { strategy: 'canary', 'canary-steps': percents, 'step-duration': '1s' };
  }

  test.each(cases)('for "%s"', async (name, { before, after, inputs, waits }) => {
    if (before !== undefined) await stage.given(name, before);
    const untouched = await records();
    const told = await plan(name, after, inputs);
    expect(told.outputs['status']).toBe('planned');
    expect(told.exit).toBe(0);
    expect(await records()).toBe(untouched);
    const entries = await journalDuring({ namespace: stage.namespace, release: name }, async () => {
      const done = await stage.deploy(name, after, inputs);
      expect(done.outputs['status']).toBe(waits === true ? 'waiting' : 'deployed');
      // What is told to change is what has been changed; candidates and sides are told of by their own names afterwards.
      const isInPlace = waits !== true && inputs['strategy'] !== 'blue-green';
      const [done0, told0] = [done, told].map(({ outputs }) => (isInPlace ? sorted(outputs['changed']) : []));
      expect(done0).toEqual(told0);
    });
    // What only the candidate needed goes after the journal is closed.
    const afterwards = ['Remove what only the candidate needed', 'Remove the old side'];
    const own = planIn(told) as JsonObject;
    const before0 = objectsAt(own, 'steps').filter((step) => !afterwards.includes(stringAt(step, 'title') ?? ''));
    expect(writesOf({ ...own, steps: before0 })).toEqual(entriesOf(entries));
    figure(`plan-${name}-writes`, entries.length);
  });

  function sorted(json: string | undefined): string[] {
    return (JSON.parse(json ?? '[]') as JsonObject[])
      .map((one) => `${nameIn(one)} ${stringAt(one, 'change') ?? ''}`)
      .sort();
  }
});

test('tells fields with their values before and after, and never those of Secrets', async () => {
  const secret = (value: string) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'fields' },
    stringData: { token: value },
  });
  await stage.given('fields', [...app('fields', '1.0.0'), secret('sesame-one')]);
  const told = await plan('fields', [...app('fields', '2.0.0', { replicas: 3 }), secret('sesame-two')]);
  expect(told.log).toContain(`image of container "web": ${image('1.0.0')} → ${image('2.0.0')}`);
  expect(told.log).toContain('replicas: 2 → 3');
  expect(told.log).toContain('key "token": changed');
  const everything = [told.log, told.summary, JSON.stringify(told.outputs)]
    .join('\n')
    .replaceAll(/^::add-mask::.*$/gm, '');
  expect(everything).not.toContain('sesame');
  expect(told.summary).toContain('image of container');
});

test('of what is there already is "unchanged"', async () => {
  await stage.given('same', app('same', '1.0.0'));
  const told = await plan('same', app('same', '1.0.0'));
  expect(told.outputs).toMatchObject({ status: 'unchanged', changed: '[]' });
  expect(planIn(told)).toMatchObject({ steps: [], objects: [{ change: 'unchanged' }, { change: 'unchanged' }] });
});

test('is refused for a field that there is not, as a deploy is, at its line', async () => {
  const told = await plan('typo', [{ ...deployment('typo'), spec: { ...deployment('typo').spec, replcas: 2 } }]);
  expect(told.exit).toBe(1);
  expect(told.outputs['failure']).toContain('replcas');
  expect(await stage.exists('deployment', 'typo')).toBe(false);
});

test('warns of what would cut the longest request, at its line, and of nothing while nobody says how long it takes', async () => {
  const objects = app('long', '1.0.0');
  const cut =
    'Deployment "long": a terminating pod is killed after 30 s (the default), which cuts requests of up to 5m';
  const told = await plan('long', objects, { 'longest-request': '5m' });
  expect(told.log).toMatch(/::warning .*file=app\.yaml,line=\d+.*Deployment "long": a terminating pod is killed/);
  expect(told.log).toContain(`${cut}: set "terminationGracePeriodSeconds: 300" in its pod template`);
  expect(told.summary).toContain('terminationGracePeriodSeconds: 300');
  expect((await plan('long', objects)).log).not.toContain('a terminating pod is killed');
});

test('names the rights that a deploy lacks, with the Role that grants them, and writes nothing', async () => {
  const rules = [
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get', 'list', 'watch', 'patch', 'create'] },
    { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'patch', 'create'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list'] },
  ];
  const kubeconfig = await limitedUser(stage.namespace, 'planner', rules);
  const told = await plan('rights', [deployment('rights'), service('rights')], { kubeconfig });
  expect(told.outputs).toMatchObject({ status: 'planned', failure: '' });
  const missing = objectAt(planIn(told), 'missingRights');
  expect(stringAt(missing, 'manifest')).toContain('leases');
  expect(told.summary).toContain('A deploy would be refused');
  expect(await stage.exists('deployment', 'rights')).toBe(false);
});

test('says what an earlier run has left to undo, and neither waits for its lock nor undoes it', async () => {
  await stage.given('left', app('left', '1.0.0'));
  const waits = { strategy: 'canary', 'canary-steps': '50', 'step-duration': '0s', 'auto-promote': 'false' };
  await stage.given('left', app('left', '2.0.0'), waits);
  const told = await plan('left', app('left', '3.0.0'), waits);
  expect(told.outputs['status']).toBe('planned');
  expect(told.log).toContain('a deploy would first remove the waiting candidate (revision 2)');
  expect(await stage.imageOf('left-canary')).toBe(image('2.0.0'));
});
