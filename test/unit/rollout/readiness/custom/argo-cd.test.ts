import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { timeAt } from '../../../../support/rollout-objects.ts';

const commit = (digit: string) => digit.repeat(40);
const sourceAt = (targetRevision: string) => ({
  repoURL: 'https://git.test/shop.git',
  path: 'deploy',
  targetRevision,
});
const destination = { server: 'https://kubernetes.default.svc', namespace: 'shop' };

const written = (revision = commit('b'), status?: JsonObject, syncPolicy: JsonObject = { automated: {} }) =>
  custom('argoproj.io/v1alpha1', 'Application', {
    spec: { project: 'default', source: sourceAt(revision), destination, syncPolicy },
    ...(status && { status }),
  });

function statusOf(sync: string, health: string, revision = commit('b'), more: JsonObject = {}): JsonObject {
  return {
    sync: { status: sync, revision, comparedTo: { source: sourceAt(revision), destination } },
    health: { status: health },
    ...more,
  };
}

describe('an Application of Argo CD', () => {
  test('is ready once it is synced with the source that it names, and healthy', () => {
    const before = statusOf('Synced', 'Healthy', commit('a'));
    const shown = [
      { at: 1, status: before },
      { at: 3, status: statusOf('OutOfSync', 'Healthy') },
      { at: 6, status: statusOf('Synced', 'Healthy') },
      { at: 7, status: statusOf('Synced', 'Progressing') },
      { at: 40, status: statusOf('Synced', 'Healthy') },
      { at: 44 },
      { at: 45 },
    ];
    expect(decidedOver(written(commit('b'), before), shown, 45)).toEqual([
      'progressing: waiting for the controller',
      'progressing: not Synced yet: OutOfSync',
      'progressing: synced and healthy; checking that it stays so',
      'progressing: synced, not Healthy yet: Progressing',
      'progressing: synced and healthy; checking that it stays so',
      'progressing: synced and healthy; checking that it stays so',
      'ready: synced and healthy',
    ]);
  });

  test('at another commit than the one it names waits for it', () => {
    const status = statusOf('Synced', 'Healthy');
    const other = { ...status, sync: { ...(status['sync'] as JsonObject), revision: commit('a') } };
    expect(decidedOver(written(), [{ at: 2, status: other }], 2)).toEqual([
      'progressing: not Synced yet with the revision that it names',
    ]);
  });

  test('whose status names its source in another way is judged by it after a minute', () => {
    const status = statusOf('Synced', 'Healthy', 'main');
    const shown = [{ at: 1, status }, { at: 59 }, { at: 60 }];
    expect(decidedOver(written('HEAD'), shown, 60).slice(1)).toEqual([
      'progressing: waiting for the controller',
      'ready: synced and healthy',
    ]);
  });

  test('that nobody syncs by itself is accepted as it is', () => {
    const shown = [{ at: 2, status: statusOf('OutOfSync', 'Missing') }];
    expect(decidedOver(written(commit('b'), undefined, {}), shown, 2)).toEqual([
      'unchecked: OutOfSync: it has no automated sync, so someone has to sync it',
    ]);
  });

  test('that is Degraded has 60 s', () => {
    const status = {
      ...statusOf('Synced', 'Degraded'),
      health: { status: 'Degraded', message: 'Deployment web exceeded its progress deadline' },
    };
    expect(decidedOver(written(), [{ at: 5, status }, { at: 64 }, { at: 65 }], 65)).toEqual([
      'progressing: its health is Degraded: Deployment web exceeded its progress deadline',
      'progressing: its health is Degraded: Deployment web exceeded its progress deadline',
      'failed: Degraded: Application "web": its health is Degraded: Deployment web exceeded its progress deadline',
    ]);
  });

  test('whose sync fails has 60 s, and that of before does not count', () => {
    const failedAt = (seconds: number) => ({
      operationState: { phase: 'Failed', message: 'one or more objects failed to apply', finishedAt: timeAt(seconds) },
    });
    const shown = [
      { at: 5, status: statusOf('OutOfSync', 'Healthy', commit('b'), failedAt(5)) },
      { at: 64 },
      { at: 65 },
    ];
    expect(decidedOver(written(), shown, 65)).toEqual([
      'progressing: its sync has failed: one or more objects failed to apply',
      'progressing: its sync has failed: one or more objects failed to apply',
      'failed: Failed: Application "web": its sync has failed: one or more objects failed to apply',
    ]);
    const old = [{ at: 5, status: statusOf('OutOfSync', 'Healthy', commit('b'), failedAt(-900)) }, { at: 200 }];
    expect(decidedOver(written(), old, 200).at(-1)).toBe('progressing: not Synced yet: OutOfSync');
  });

  test('whose source is in error has 60 s', () => {
    const conditions = [
      {
        type: 'ComparisonError',
        message: 'Failed to load target state: path "deploy" does not exist',
        lastTransitionTime: timeAt(4),
      },
    ];
    const shown = [
      { at: 4, status: statusOf('Unknown', 'Healthy', commit('b'), { conditions }) },
      { at: 63 },
      { at: 64 },
    ];
    const message = 'Failed to load target state: path "deploy" does not exist';
    expect(decidedOver(written(), shown, 64)).toEqual([
      `progressing: ${message}`,
      `progressing: ${message}`,
      `failed: ComparisonError: Application "web": ${message}`,
    ]);
  });

  test('that was not changed, is suspended, or has no controller', () => {
    const last = (status: JsonObject) =>
      decidedOver(written(commit('b'), status), [{ at: 1, status }], 1, { changed: false }).at(-1);
    expect(last(statusOf('Synced', 'Healthy'))).toBe('ready: synced and healthy');
    expect(last(statusOf('Synced', 'Suspended'))).toBe('unchecked: synced, and Suspended');
    expect(decidedOver(justMade(written()), [{ at: 59 }, { at: 60 }], 60)).toEqual([
      'progressing: waiting for the controller',
      'unchecked: its controller has set no status; check that it is installed',
    ]);
  });
});
