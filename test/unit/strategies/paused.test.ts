import { describe, expect, test } from '@jest/globals';

import { messageOf } from '../../../src/base/errors.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { manifestFrom } from '../../../src/manifests/manifest.ts';
import { pausePaths } from '../../../src/apply/adopt.ts';
import { refusePaused, refusePausedManifest } from '../../../src/strategies/paused.ts';
import { liveDeployment, template, type DeploymentParts } from '../../support/rollout-objects.ts';
import type { Prepared } from '../../../src/apply/prepared.ts';

const halted = (parts: DeploymentParts = {}) => liveDeployment({ ...parts, spec: { ...parts.spec, paused: true } });
const newer = { template: template('registry.test/web:3') };

function prepared(live: KubernetesObject, predicted: KubernetesObject, more: Partial<Prepared> = {}): Prepared {
  const { apiVersion, kind, metadata } = live;
  const object = { apiVersion, kind, metadata: { name: metadata.name }, spec: {} };
  return {
    manifest: manifestFrom(object, 'app.yaml'),
    live,
    predicted,
    change: 'configured',
    takeover: false,
    warnings: [],
    ...more,
  };
}

function saysPaused(entry: Prepared): Prepared {
  return { ...entry, manifest: manifestFrom({ ...entry.manifest.object, spec: { paused: true } }, 'app.yaml') };
}

/** What is said of it; undefined when it is not refused. */
function refusalOf(entry: Prepared): string | undefined {
  try {
    refusePaused([entry]);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

const refusal = 'Deployment "web" in namespace "shop" is paused by somebody, so its pods would not change';

describe('what somebody has paused', () => {
  test.each([
    ['is refused when it would need new pods', prepared(halted(), halted({ spec: newer })), refusal],
    ['is refused when it still does', prepared(halted({ updated: 1 }), halted(), { change: 'unchanged' }), refusal],
    [
      'is none of the matter when only its number of pods changes',
      prepared(halted(), halted({ replicas: 5 })),
      undefined,
    ],
    ['is none when the apply takes the pause away', prepared(halted(), liveDeployment({ spec: newer })), undefined],
    [
      'is none when the apply is about to claim it',
      prepared(halted(), halted({ spec: newer }), { claims: pausePaths }),
      undefined,
    ],
    ['is none when its manifest says so', saysPaused(prepared(halted(), halted({ spec: newer }))), undefined],
    ['is none when it is not', prepared(liveDeployment(), liveDeployment({ spec: newer })), undefined],
  ])('%s', (_, entry, expected) => {
    expect(refusalOf(entry)).toBe(expected);
  });
});

test('a manifest that says paused gets no pods beside those that serve', () => {
  const entry = saysPaused(prepared(liveDeployment(), halted({ spec: newer })));
  expect(() => {
    refusePausedManifest([entry], 'canary');
  }).toThrow('says "paused: true", with which the strategy "canary" gets no pods');
});
