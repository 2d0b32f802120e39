import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { justMade } from '../../../../support/just-made.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const written = (status?: JsonObject) =>
  custom('autoscaling.k8s.io/v1', 'VerticalPodAutoscaler', {
    spec: { targetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
    ...(status && { status }),
  });

describe('a VerticalPodAutoscaler', () => {
  test('is ready when it is applied: a recommendation may take a day', () => {
    expect(decidedOver(justMade(written()), [{ at: 0 }], 0)).toEqual(['ready: applied']);
    const status = { conditions: [conditionAt('RecommendationProvided', 'False')] };
    expect(decidedOver(written(status), [{ at: 1, status }], 1)).toEqual(['ready: applied']);
  });

  test('that matches no pods is accepted', () => {
    const status = {
      conditions: [conditionAt('NoPodsMatched', 'True', 'NoPodsMatched', 'No pods match this VPA object')],
    };
    expect(decidedOver(written(), [{ at: 1, status }], 1)).toEqual([
      'unchecked: it matches no pods: No pods match this VPA object',
    ]);
  });

  test('that is not supported has failed when two looks of the recommender have not changed that', () => {
    const message = 'Cannot read targetRef. Reason: Deployment shop/web does not exist';
    const status = { conditions: [conditionAt('ConfigUnsupported', 'True', '', message, -900)] };
    expect(decidedOver(written(status), [{ at: 0, status }, { at: 119 }, { at: 120 }], 120)).toEqual([
      `progressing: ${message}`,
      `progressing: ${message}`,
      `failed: ConfigUnsupported: VerticalPodAutoscaler "web": ${message}`,
    ]);
    const healed = { conditions: [conditionAt('ConfigUnsupported', 'False', '', '', 60)] };
    expect(
      decidedOver(
        written(status),
        [
          { at: 0, status },
          { at: 61, status: healed },
        ],
        61,
      ).at(-1),
    ).toBe('ready: applied');
  });

  test('that was not changed is judged as it is', () => {
    const status = { conditions: [conditionAt('RecommendationProvided', 'True', '', '', -900)] };
    expect(decidedOver(written(status), [{ at: 1, status }], 1, { changed: false })).toEqual(['ready: applied']);
  });
});
