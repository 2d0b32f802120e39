import { describe, expect, test } from '@jest/globals';

import {
  attemptOf,
  liveHeadline,
  nameChanges,
  nameServing,
  nounOf,
  tellChanges,
  waitingHeadline,
  type Change,
} from '../../../src/report/headline.ts';

const image = (workload: string, before = '1.0.0', after = '2.0.0'): Change => ({
  is: 'image',
  workload,
  before: `registry.test/${workload}:${before}`,
  after: `registry.test/${workload}:${after}`,
});
const config: Change = { is: 'object', ref: { apiVersion: 'v1', kind: 'ConfigMap', name: 'settings' } };
const service: Change = { is: 'object', ref: { apiVersion: 'v1', kind: 'Service', name: 'web' } };
const scaled: Change = { is: 'replicas', workload: 'web', before: '2', after: '3' };
const added: Change = { is: 'new', workload: 'web', image: 'registry.test/web:1.0.0' };
const digest = (digit: string) => `registry.test/web@sha256:${digit.repeat(64)}`;

describe('what changed to what', () => {
  test.each<[string, Change[], string]>([
    ['a version', [image('web')], 'web 1.0.0 → 2.0.0'],
    ['the same versions of several workloads', [image('web'), image('worker')], 'web and worker 1.0.0 → 2.0.0'],
    ['different versions', [image('web'), image('api', '3', '4')], 'web 1.0.0 → 2.0.0 and api 3 → 4'],
    [
      'more than a heading holds',
      [image('a', '1', '2'), image('b', '2', '3'), image('c', '3', '4'), image('d', '4', '5'), image('e', '5', '6')],
      'a 1 → 2, b 2 → 3, c 3 → 4 and 2 more',
    ],
    [
      'two containers of a workload',
      [{ is: 'image', workload: 'web', container: 'app', before: 'app:1', after: 'app:2' }],
      'web/app 1 → 2',
    ],
    [
      'digests',
      [{ is: 'image', workload: 'web', before: digest('a'), after: digest('b') }],
      `web sha256:${'a'.repeat(12)}… → sha256:${'b'.repeat(12)}…`,
    ],
    [
      'another program',
      [{ is: 'image', workload: 'web', before: 'nginx:1.27', after: 'registry.test/caddy:2' }],
      'web nginx:1.27 → caddy:2',
    ],
    [
      'another registry',
      [{ is: 'image', workload: 'web', before: 'a.test/web:1', after: 'b.test/web:1' }],
      'web a.test/web:1 → b.test/web:1',
    ],
    ['no tag', [{ is: 'image', workload: 'web', before: 'web', after: 'web:2' }], 'web web → 2'],
    ['a new workload', [added], 'web 1.0.0 (new)'],
    ['new ones of one version', [added, { ...added, workload: 'api' }], 'web and api 1.0.0 (new)'],
    ['a version before all else', [config, scaled, image('web')], 'web 1.0.0 → 2.0.0'],
    ['a number of pods', [scaled], 'web 2 → 3 replicas'],
    ['config', [config], 'ConfigMap "settings" changed'],
    ['other objects', [config, service], 'ConfigMap "settings" and Service "web" changed'],
    ['many of them', [config, service, config, service], '4 objects changed'],
    ['nothing', [], ''],
  ])('%s', (_, changes, expected) => {
    expect(tellChanges(changes)).toBe(expected);
  });

  test('what was not carried out has not changed', () => {
    expect(nameChanges([config])).toBe('ConfigMap "settings"');
  });
});

describe('the heading of what is live', () => {
  const facts = { subject: 'shop', elapsed: '11s' };

  test.each<[string, Omit<Parameters<typeof liveHeadline>[0], 'subject' | 'elapsed'>, string]>([
    [
      'a deploy',
      { changes: [image('web')], done: 'live', recorded: 'revision 7' },
      'shop: web 1.0.0 → 2.0.0, live in 11s (revision 7)',
    ],
    [
      'a first one',
      { changes: [added], done: 'live', recorded: 'revision 1' },
      'shop: web 1.0.0 (new), live in 11s (revision 1)',
    ],
    ['one without a change', { changes: [], done: 'live', recorded: 'revision 2' }, 'shop: live in 11s (revision 2)'],
    [
      'a promotion',
      { changes: [image('web')], done: 'promoted and live', recorded: 'revision 7' },
      'shop: web 1.0.0 → 2.0.0, promoted and live in 11s (revision 7)',
    ],
    [
      'a rollback',
      { changes: [image('web', '2.0.0', '1.0.0')], done: 'rolled back to revision 6', recorded: 'now revision 8' },
      'shop: web 2.0.0 → 1.0.0, rolled back to revision 6 in 11s (now revision 8)',
    ],
    [
      'a rollback by what Kubernetes keeps',
      { changes: [image('web', '2.0.0', '1.0.0')], done: 'rolled back to ReplicaSet #2', recorded: 'revision 1' },
      'shop: web 2.0.0 → 1.0.0, rolled back to ReplicaSet #2 in 11s (revision 1)',
    ],
  ])('%s', (_, given, expected) => {
    expect(liveHeadline({ ...facts, ...given })).toBe(expected);
  });
});

test.each<[string, Change[], string]>([
  ['deploy', [image('web')], 'shop: deploy of web 1.0.0 → 2.0.0'],
  ['deploy', [], 'shop: deploy'],
  ['promotion', [config], 'shop: promotion of ConfigMap "settings"'],
  ['scaling', [scaled], 'shop: scaling of web 2 → 3 replicas'],
  ['rollback to revision 1', [image('web', '2.0.0', '1.0.0')], 'shop: rollback to revision 1 (web 2.0.0 → 1.0.0)'],
])('what was tried: %s %j', (attempt, changes, expected) => {
  expect(attemptOf('shop', attempt, changes)).toBe(expected);
});

describe('the heading of what waits for approval', () => {
  const step = { workload: 'web', wanted: 20, candidatePods: 1, stablePods: 4 };
  const facts = { subject: 'shop', changes: [image('web')], revision: 3 };

  test.each<[string, Omit<Parameters<typeof waitingHeadline>[0], 'subject' | 'revision' | 'changes'>, string]>([
    [
      'the share that was measured',
      { traffic: [{ ...step, measured: 19.6, requests: 400 }], serving: undefined },
      'shop: web 1.0.0 → 2.0.0 is waiting for approval: 20 % of requests get 2.0.0 (revision 3)',
    ],
    [
      'the pods, where no share was measured',
      { traffic: [{ ...step, wanted: 10 }, step], serving: undefined },
      'shop: web 1.0.0 → 2.0.0 is waiting for approval: 1 of 5 pods run 2.0.0 (revision 3)',
    ],
    [
      'what serves beside a side that gets no requests',
      { traffic: [], serving: 'web 1.0.0' },
      'shop: web 1.0.0 → 2.0.0 is waiting for approval: users still get web 1.0.0 (revision 3)',
    ],
    [
      'nothing of who serves, where that is not known',
      { traffic: [], serving: undefined },
      'shop: web 1.0.0 → 2.0.0 is waiting for approval (revision 3)',
    ],
  ])('tells %s', (_, given, expected) => {
    expect(waitingHeadline({ ...facts, ...given })).toBe(expected);
  });

  test('says once what is the same of several workloads', () => {
    const changes = [image('web'), image('api')];
    const traffic = [step, { ...step, workload: 'api' }];
    expect(waitingHeadline({ ...facts, changes, traffic, serving: undefined })).toBe(
      'shop: web and api 1.0.0 → 2.0.0 is waiting for approval: 1 of 5 pods run 2.0.0 (revision 3)',
    );
  });

  test('has the revision first where no version changes', () => {
    expect(waitingHeadline({ ...facts, changes: [], traffic: [], serving: undefined })).toBe(
      'shop: revision 3 is waiting for approval',
    );
  });
});

test.each([
  [[], undefined],
  [[{ workload: 'web', versions: ['1.0.0'] }], 'web 1.0.0'],
  [[{ workload: 'web', versions: ['1.0.0', '2.0.0'] }], 'web 1.0.0 and 2.0.0'],
  [
    [
      { workload: 'web', versions: ['1.0.0'] },
      { workload: 'web', versions: ['1.0.0'] },
    ],
    'web 1.0.0',
  ],
  [
    [
      { workload: 'web', versions: ['1.0.0'] },
      { workload: 'api', versions: ['3'] },
    ],
    'web 1.0.0 and api 3',
  ],
])('what serves: %j', (serving, expected) => {
  expect(nameServing(serving)).toBe(expected);
});

test.each([
  ['promote', 'Promotion'],
  ['scale', 'Scaling'],
  [undefined, 'Run'],
  ['constructor', 'Run'],
])('the command %s is called %s', (command, noun) => {
  expect(nounOf(command)).toBe(noun);
});
