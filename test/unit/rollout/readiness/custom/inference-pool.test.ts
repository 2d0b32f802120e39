import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { custom, decidedOver } from '../../../../support/custom-resource.ts';
import { conditionAt } from '../../../../support/rollout-objects.ts';

const pool = (status?: JsonObject, apiVersion = 'inference.networking.k8s.io/v1') =>
  custom(apiVersion, 'InferencePool', status && { status });

const said = (type: string, status: string, reason: string, message = '', generation = 2): JsonObject => ({
  ...conditionAt(type, status, reason, message, 1),
  observedGeneration: generation,
});
const accepted = (generation = 2) => said('Accepted', 'True', 'Accepted', '', generation);
const resolved = (generation = 2) => said('ResolvedRefs', 'True', 'ResolvedRefs', '', generation);
const gateway = (name: string, ...conditions: JsonObject[]): JsonObject => ({ parentRef: { name }, conditions });
const taken = { parents: [gateway('external', accepted(1), resolved(1))] };

describe('an InferencePool', () => {
  test('is ready once each of its gateways accepts this generation of it', () => {
    const open = said('ResolvedRefs', 'False', 'InvalidExtensionRef', 'no Service "epp"');
    const shown = [
      { at: 1 },
      {
        at: 2,
        status: { parents: [gateway('external', accepted(), resolved()), gateway('internal', accepted(), open)] },
      },
      { at: 9, status: { parents: ['external', 'internal'].map((name) => gateway(name, accepted(), resolved())) } },
    ];
    expect(decidedOver(pool(taken), shown, 9)).toEqual([
      'progressing: waiting for the controller',
      'progressing: no Service "epp"',
      'ready: accepted by "external", "internal"',
    ]);
  });

  test.each([
    ['Accepted', 'NotSupportedByParent', 30],
    ['Accepted', 'EndpointPickerRefMissing', 30],
    ['ResolvedRefs', 'InvalidExtensionRef', 120],
  ])('has failed when a gateway says %s False, %s, for %i s', (type, reason, seconds) => {
    const others = [accepted(), resolved()].filter((one) => one['type'] !== type);
    const shown = [
      { at: 5, status: { parents: [gateway('external', ...others, said(type, 'False', reason, 'so it is'))] } },
    ];
    expect(decidedOver(pool(taken), shown, 4 + seconds).at(-1)).toBe('progressing: so it is');
    expect(decidedOver(pool(taken), shown, 5 + seconds).at(-1)).toBe(
      `failed: ${reason}: InferencePool "web": so it is`,
    );
  });

  test('is not held to what a gateway said of the generation before', () => {
    const stale = {
      parents: [gateway('external', said('Accepted', 'False', 'NotSupportedByParent', 'no', 1), resolved(1))],
    };
    expect(decidedOver(pool(stale), [{ at: 0 }], 90).at(-1)).toBe(
      'progressing: not Accepted yet: NotSupportedByParent: no',
    );
  });

  test('waits while the route that uses it is not accepted: the route tells why', () => {
    const refused = said('Accepted', 'False', 'HTTPRouteNotAccepted', 'see HTTPRoute "web"');
    const shown = [{ at: 1, status: { parents: [gateway('external', refused, resolved())] } }];
    expect(decidedOver(pool(), shown, 300).at(-1)).toBe(
      'progressing: not Accepted yet: HTTPRouteNotAccepted: see HTTPRoute "web"',
    );
  });

  test('that no route uses is accepted after 30 s', () => {
    expect(decidedOver(pool(), [{ at: 0 }], 29).at(-1)).toBe(
      'progressing: no route uses it yet; checking that it stays so',
    );
    expect(decidedOver(pool(), [{ at: 0 }], 30).at(-1)).toBe('unchecked: no route uses it yet');
  });

  test('of the older group has its gateways elsewhere, and a parent that stands for none', () => {
    const older = 'inference.networking.x-k8s.io/v1alpha2';
    const pending = conditionAt('Accepted', 'Unknown', 'Pending', 'Waiting for controller', -1_700_000_000);
    const none = { parent: [{ parentRef: { kind: 'Status', name: 'default' }, conditions: [pending] }] };
    const shown = [{ at: 40, status: { parent: [gateway('external', accepted())] } }];
    expect(decidedOver(pool(none, older), [{ at: 0 }], 30).at(-1)).toBe('unchecked: no route uses it yet');
    expect(decidedOver(pool(undefined, older), shown, 40).at(-1)).toBe('ready: accepted by "external"');
  });

  test('that was not changed is judged as it is', () => {
    const now = { parents: [gateway('external', accepted(), resolved())] };
    expect(decidedOver(pool(now), [{ at: 0 }], 0, { changed: false })).toEqual(['ready: accepted by "external"']);
    expect(decidedOver(pool(), [{ at: 0 }], 0, { changed: false })).toEqual(['unchecked: no route uses it yet']);
  });
});
