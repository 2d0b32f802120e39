import { describe, expect, test } from '@jest/globals';

import type { ManagedFieldsEntry } from '../../../src/kubernetes/object.ts';
import { fieldManager } from '../../../src/apply/field-manager.ts';
import {
  isHeldBack,
  isPausedByManifest,
  pausedBy,
  pausedByAnnotation,
  pauseManager,
  pauseNote,
} from '../../../src/rollout/pause.ts';
import { liveDeployment, start, timeAt, type DeploymentParts } from '../../support/rollout-objects.ts';

function owner(manager: string, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry {
  return {
    manager,
    operation: 'Update',
    apiVersion: 'apps/v1',
    time: timeAt(5),
    fieldsV1: { 'f:spec': { 'f:paused': {} } },
    ...more,
  };
}

const note = pauseNote({ actor: 'octocat', url: 'https://github.com/acme/shop/actions/runs/1' }, start);

function paused(parts: DeploymentParts = {}) {
  return liveDeployment({ ...parts, spec: { paused: true } });
}

const noteWithReason = pauseNote(
  { actor: 'octocat', url: 'https://github.com/acme/shop/actions/runs/1', reason: 'load test' },
  start,
);

describe('who has paused a Deployment', () => {
  test.each([
    [
      'is told with the reason that was given',
      [owner(pauseManager)],
      noteWithReason,
      'by octocat (https://github.com/acme/shop/actions/runs/1) at 2026-01-01T00:00:00Z: "load test"',
    ],
    [
      'is the run and its actor, where our command has',
      [owner(pauseManager)],
      note,
      'by octocat (https://github.com/acme/shop/actions/runs/1) at 2026-01-01T00:00:00Z',
    ],
    [
      'is the field manager otherwise',
      [owner('kubectl-rollout')],
      undefined,
      'by kubectl-rollout at 2026-01-01T00:00:05Z',
    ],
    [
      'is not who had paused it before: somebody has resumed it since',
      [owner('kubectl-rollout')],
      note,
      'by kubectl-rollout at 2026-01-01T00:00:05Z',
    ],
    ['is its manifest', [owner(fieldManager, { operation: 'Apply' })], undefined, 'by its manifest'],
    ['is not known without owners', [], note, 'by somebody'],
    [
      'is our command, where the annotation cannot be read',
      [owner(pauseManager)],
      'gone',
      'by gke-rollout-pause at 2026-01-01T00:00:05Z',
    ],
  ])('%s', (_, managedFields, annotation, expected) => {
    const annotations = annotation === undefined ? {} : { [pausedByAnnotation]: annotation };
    expect(pausedBy(paused({ metadata: { managedFields, annotations } }))).toBe(expected);
  });

  test('is not asked of one that is not paused', () => {
    expect(isPausedByManifest(liveDeployment({ metadata: { managedFields: [owner(fieldManager)] } }))).toBe(false);
  });
});

describe('a pause keeps pods from their version', () => {
  test.each([
    ['while not all have it', paused({ updated: 1, available: 3 }), true],
    ['while old ones are there', paused({ existing: 4, updated: 3 }), true],
    ['as long as its controller has not looked', paused({ generation: 3, observed: 2 }), true],
    ['but not when all have it', paused(), false],
    ['but not when they are merely not ready', paused({ available: 0 }), false],
    ['but not without pods', paused({ replicas: 0 }), false],
    ['but not when it is not paused', liveDeployment({ updated: 1 }), false],
  ])('%s', (_, object, expected) => {
    expect(isHeldBack(object)).toBe(expected);
  });
});
