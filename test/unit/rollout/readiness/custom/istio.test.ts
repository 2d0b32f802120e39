import { describe, expect, test } from '@jest/globals';

import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const kinds: [string, string][] = [
  ['networking.istio.io/v1', 'VirtualService'],
  ['networking.istio.io/v1', 'DestinationRule'],
  ['networking.istio.io/v1', 'Gateway'],
  ['networking.istio.io/v1', 'ServiceEntry'],
  ['security.istio.io/v1', 'AuthorizationPolicy'],
  ['telemetry.istio.io/v1', 'Telemetry'],
];

describe.each(kinds)('%s %s', (apiVersion, kind) => {
  const passed = (seconds: number) => ({
    observedGeneration: '1',
    conditions: [
      conditionAt('Reconciled', 'False', '', '1/3 proxies up to date', seconds),
      conditionAt('PassedAnalysis', 'True', 'NoErrorsFound', '', seconds),
    ],
  });
  const refused = (
    seconds: number,
    validationMessages = [{ type: { name: 'ReferencedResourceNotFound', code: 'IST0101' }, level: 'ERROR' }],
  ) => ({
    observedGeneration: '1',
    conditions: [
      conditionAt('PassedAnalysis', 'False', 'ErrorsFound', 'Errors associated with this resource were found', seconds),
    ],
    validationMessages,
  });

  test('is ready when it is applied, whatever the generation of its status (istio/istio#31931)', () => {
    expect(decidedOver(custom(apiVersion, kind), [{ at: 0 }], 0)).toEqual(['ready: applied']);
    const status = passed(-900);
    expect(decidedOver(custom(apiVersion, kind, { status }), [{ at: 1, status }], 1)).toEqual(['ready: applied']);
  });

  test('tells what the analysis has found since the write, and not what it found before', () => {
    const last = (seconds: number, changed = true) => {
      const status = refused(seconds);
      return decidedOver(custom(apiVersion, kind, { status }), [{ at: 2, status }], 2, { changed }).at(-1);
    };
    const found = 'unchecked: applied, but its analysis found problems: IST0101 ReferencedResourceNotFound';
    expect(last(2)).toBe(found);
    expect(last(-900)).toBe('ready: applied');
    expect(last(-900, false)).toBe(found);
    expect(decidedOver(custom(apiVersion, kind), [{ at: 2, status: refused(2, []) }], 2)).toEqual([
      'unchecked: applied, but its analysis found problems: Errors associated with this resource were found',
    ]);
  });
});
