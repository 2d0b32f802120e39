import { describe, expect, test } from '@jest/globals';

import type { Want } from '../../../src/preview/decide.ts';
import { haveOf, stepsFor, type Have, type PreviewStep } from '../../../src/preview/steps.ts';
import { head, identity, now, previewNamespaceObject } from './build.ts';

const wants = {
  present: { state: 'present', sha: head },
  over: { state: 'absent', reason: 'the pull request was merged', over: true },
  unmeant: { state: 'absent', reason: 'the pull request is a draft', over: false },
  skipped: { state: 'skipped', reason: 'it comes from a fork' },
  superseded: { state: 'superseded', reason: 'the newest commit is a1b2c3d', head },
} as const satisfies Record<string, Want>;

const haves = {
  none: { state: 'none' },
  ours: { state: 'ours', sha: 'b'.repeat(40), expiresAt: now },
  same: { state: 'ours', sha: head, expiresAt: now },
  terminating: { state: 'terminating' },
  foreign: { state: 'foreign', reason: 'is not a preview' },
} as const satisfies Record<string, Have>;

const create: PreviewStep = { do: 'create-namespace' };
const wait: PreviewStep = { do: 'wait-until-gone' };
const deploy: PreviewStep = { do: 'deploy', sha: head };
const nothing = (as: 'skipped' | 'superseded' | 'torn-down', reason: string): PreviewStep => ({
  do: 'nothing',
  as,
  reason,
});
const leave = nothing('skipped', 'it comes from a fork');
const other = nothing('superseded', 'the newest commit is a1b2c3d');

const table: Record<keyof typeof wants, Record<keyof typeof haves, PreviewStep[]>> = {
  present: {
    none: [create, deploy],
    ours: [deploy],
    same: [deploy],
    terminating: [wait, create, deploy],
    foreign: [{ do: 'refuse', reason: 'is not a preview' }],
  },
  over: {
    none: [nothing('torn-down', 'the pull request was merged; there is nothing to remove')],
    ours: [{ do: 'tear-down', reason: 'the pull request was merged' }],
    same: [{ do: 'tear-down', reason: 'the pull request was merged' }],
    terminating: [nothing('torn-down', 'the pull request was merged; its preview is being deleted already')],
    foreign: [
      nothing(
        'torn-down',
        'the pull request was merged; there is nothing to remove: the namespace of that name is not a preview',
      ),
    ],
  },
  unmeant: {
    none: [nothing('skipped', 'the pull request is a draft; there is nothing to remove')],
    ours: [{ do: 'tear-down', reason: 'the pull request is a draft' }],
    same: [{ do: 'tear-down', reason: 'the pull request is a draft' }],
    terminating: [nothing('skipped', 'the pull request is a draft; its preview is being deleted already')],
    foreign: [
      nothing(
        'skipped',
        'the pull request is a draft; there is nothing to remove: the namespace of that name is not a preview',
      ),
    ],
  },
  skipped: { none: [leave], ours: [leave], same: [leave], terminating: [leave], foreign: [leave] },
  superseded: { none: [other], ours: [other], same: [other], terminating: [other], foreign: [other] },
};

const pairs = (Object.keys(wants) as (keyof typeof wants)[]).flatMap((want) =>
  (Object.keys(haves) as (keyof typeof haves)[]).map((have) => [want, have] as const),
);

test.each(pairs)('wanted: %s, there: %s', (want, have) => {
  expect(stepsFor(wants[want], haves[have])).toStrictEqual(table[want][have]);
});

test.each(pairs)(
  'nothing is deleted but what is ours, and nothing is written into it but once it is (%s, %s)',
  (want, have) => {
    const steps = stepsFor(wants[want], haves[have]).map((step) => step.do);
    const isOurs = haves[have].state === 'ours';
    expect(steps.includes('tear-down') && !isOurs).toBe(false);
    expect(steps.includes('deploy') && !isOurs && !steps.includes('create-namespace')).toBe(false);
  },
);

describe('what is there', () => {
  test.each([
    ['nothing', undefined, { state: 'none' }],
    ['ours', previewNamespaceObject(), { state: 'ours', sha: head, expiresAt: now + 71 * 3_600_000 }],
    [
      'ours without facts, after a first deploy that failed (dollarshaveclub/acyl#42)',
      previewNamespaceObject({
        annotations: { 'gke-rollout/head-sha': undefined, 'gke-rollout/expires-at': undefined },
      }),
      { state: 'ours' },
    ],
    [
      'ours with facts that somebody has broken',
      previewNamespaceObject({ annotations: { 'gke-rollout/expires-at': 'tomorrow' } }),
      { state: 'ours' },
    ],
    [
      'going',
      previewNamespaceObject({ metadata: { deletionTimestamp: '2026-03-10T11:00:00Z' } }),
      { state: 'terminating' },
    ],
    [
      'of another pull request',
      previewNamespaceObject({ identity: { number: 8 } }),
      { state: 'foreign', reason: 'is the preview of pull request 8, release "shop"' },
    ],
    [
      'foreign and going, for which nobody waits',
      previewNamespaceObject({
        identity: { repositoryId: 9 },
        metadata: { deletionTimestamp: '2026-03-10T11:00:00Z' },
      }),
      { state: 'foreign', reason: 'is a preview of another repository, "acme/shop" on github.com' },
    ],
  ])('%s', (_, namespace, have) => {
    expect(haveOf(namespace, identity)).toStrictEqual(have);
  });
});
