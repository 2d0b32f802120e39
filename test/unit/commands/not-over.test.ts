import { describe, expect, test } from '@jest/globals';

import { notAwaited, stillEnding } from '../../../src/commands/not-over.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { live } from '../../support/rollout-objects.ts';

const web = live('Deployment');

function pod(phase: string, deletionTimestamp?: string): KubernetesObject {
  return live('Pod', {
    apiVersion: 'v1',
    metadata: deletionTimestamp === undefined ? {} : { deletionTimestamp },
    status: { phase },
  });
}

describe('what a success does not wait for', () => {
  const at = '2026-01-01T00:00:00Z';

  test('are pods that still end: how many, and that they may answer', () => {
    expect(stillEnding(web, [pod('Running', at), pod('Running'), pod('Running', at)])).toBe(
      'Deployment "web": 2 old pods are still terminating, and they may finish requests already sent to them',
    );
    expect(stillEnding(web, [pod('Running', at)])).toBe(
      'Deployment "web": 1 old pod is still terminating, and it may finish requests already sent to it',
    );
  });

  test('are none that have ended, or that serve', () => {
    expect(stillEnding(web, [pod('Running'), pod('Succeeded', at), pod('Failed', at)])).toBeUndefined();
  });

  test('is what was accepted though it is not ready', () => {
    const claim = live('PersistentVolumeClaim', { apiVersion: 'v1', metadata: { name: 'data' } });
    expect(notAwaited(claim, { state: 'unchecked', message: 'pending' })).toBe(
      'PersistentVolumeClaim "data" is not waited for: pending',
    );
    expect(notAwaited(claim, { state: 'ready', message: 'bound' })).toBeUndefined();
  });

  test('is a Job that is suspended, and what the input "await" leaves out', () => {
    const migrate = live('Job', { apiVersion: 'batch/v1', metadata: { name: 'migrate' } });
    expect(notAwaited(migrate, { state: 'unchecked', message: 'it is suspended' })).toBe(
      'Job "migrate" is not waited for: it is suspended',
    );
    expect(notAwaited(web, { state: 'unchecked', message: 'not waited for: the input "await" says "never"' })).toBe(
      'Deployment "web" is not waited for: the input "await" says "never"',
    );
  });

  test('is not what is held back: the headline says that', () => {
    const held = 'its update strategy is OnDelete: 0 of 3 pods updated';
    const set = live('StatefulSet');
    expect(notAwaited(set, { state: 'unchecked', message: `${held}; delete the others`, held })).toBeUndefined();
  });
});
