import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../../../src/base/json.ts';
import { judge } from '../../../../../src/rollout/readiness/index.ts';
import { custom, decidedOver, ownedBy } from '../../../../support/custom-resource.ts';
import { conditionAt, factsOf, live, timeAt } from '../../../../support/rollout-objects.ts';

const service = (status?: JsonObject, spec: JsonObject = {}) =>
  custom('serving.knative.dev/v1', 'Service', { spec, ...(status && { status }) });

const types = ['ConfigurationsReady', 'RoutesReady', 'Ready'];
const well = types.map((type) => conditionAt(type, 'True', '', '', -3000));

function status(created: string, ready: string, more: JsonObject = {}, serves = ready): JsonObject {
  return {
    observedGeneration: 2,
    latestCreatedRevisionName: created,
    latestReadyRevisionName: ready,
    traffic: [{ revisionName: serves, percent: 100, latestRevision: true }],
    conditions: well,
    ...more,
  };
}

const before = status('web-1', 'web-1', { observedGeneration: 1 });
const failing = (message: string, at: number) => [
  conditionAt('ConfigurationsReady', 'False', 'RevisionFailed', message, at),
  conditionAt('RoutesReady', 'True', '', '', -3000),
  conditionAt('Ready', 'False', 'RevisionFailed', message, at),
];

describe('a Knative Service', () => {
  test('is not ready by conditions that are older than the generation it names (knative/serving#4149)', () => {
    const unknown = [
      conditionAt('ConfigurationsReady', 'Unknown', '', '', 2),
      conditionAt('Ready', 'Unknown', '', '', 2),
    ];
    const moving = [
      conditionAt('ConfigurationsReady', 'True', '', '', 20),
      conditionAt('RoutesReady', 'Unknown', 'TrafficNotMigrated', 'Traffic is not yet migrated', 20),
    ];
    const shown = [
      { at: 1 },
      { at: 2, status: status('web-1', 'web-1') },
      { at: 3, status: status('web-2', 'web-1', { conditions: unknown }) },
      { at: 20, status: status('web-2', 'web-2', { conditions: moving }, 'web-1') },
      { at: 21, status: status('web-2', 'web-2', {}, 'web-1') },
      { at: 22, status: status('web-2', 'web-2') },
      { at: 23 },
    ];
    expect(decidedOver(service(before), shown, 24)).toEqual([
      'progressing: waiting for the controller',
      'progressing: revision "web-1" ready; checking that it stays so',
      'progressing: not ConfigurationsReady yet',
      'progressing: not RoutesReady yet: TrafficNotMigrated: Traffic is not yet migrated',
      'progressing: revision "web-2" gets no traffic yet',
      'progressing: revision "web-2" ready; checking that it stays so',
      'progressing: revision "web-2" ready; checking that it stays so',
      'ready: revision "web-2" ready',
    ]);
  });

  test('is not ready by the revision before, to which it falls back (knative/serving#12078)', () => {
    expect(decidedOver(service(before), [{ at: 1, status: status('web-2', 'web-1') }], 60).at(-1)).toBe(
      'progressing: revision "web-2" is not ready yet',
    );
  });

  test('has failed once its new revision has been failing for 30 s', () => {
    const message = 'Revision "web-2" failed with message: container exited with 1.';
    const shown = [{ at: 5, status: status('web-2', 'web-1', { conditions: failing(message, 5) }) }];
    expect(decidedOver(service(before), shown, 34).at(-1)).toBe(`progressing: ${message}`);
    expect(decidedOver(service(before), shown, 35).at(-1)).toBe(`failed: RevisionFailed: Service "web": ${message}`);
  });

  test('is not held to a revision that failed before the write', () => {
    const stale = status('web-1', 'web-0', { conditions: failing('Revision "web-1" failed', -300) });
    const shown = [{ at: 1, status: stale }];
    expect(decidedOver(service(stale), shown, 90).at(-1)).toBe(
      'progressing: not ConfigurationsReady yet: RevisionFailed: Revision "web-1" failed',
    );
  });

  test('has failed after 10 s when the image of its new revision cannot be found', () => {
    const written = service(before);
    const configuration = ownedBy(
      written,
      live('Configuration', { apiVersion: 'serving.knative.dev/v1', metadata: { name: 'web' } }),
    );
    const message = 'Unable to fetch image "registry.test/web:9": not found';
    const revision = ownedBy(
      configuration,
      live('Revision', {
        apiVersion: 'serving.knative.dev/v1',
        metadata: { name: 'web-2', creationTimestamp: timeAt(1) },
        status: { conditions: [conditionAt('ContainerHealthy', 'False', 'ContainerMissing', message, 2)] },
      }),
    );
    const shown = [{ at: 2, status: status('web-2', 'web-1'), beside: [configuration, revision] }];
    expect(decidedOver(written, shown, 11).at(-1)).toBe(`progressing: ${message}`);
    expect(decidedOver(written, shown, 12).at(-1)).toBe(`failed: ContainerMissing: Service "web": ${message}`);
  });

  test('whose spec keeps all traffic at named revisions is ready, and says so', () => {
    const spec = { traffic: [{ revisionName: 'web-1', percent: 100 }] };
    const shown = [{ at: 1, status: status('web-2', 'web-2', {}, 'web-1') }];
    expect(decidedOver(service(before, spec), shown, 3).at(-1)).toBe(
      'ready: revision "web-2" ready; spec.traffic sends it no requests',
    );
  });

  test('that was not changed is ready at once, and needs no sight of its revisions', () => {
    const now = status('web-1', 'web-1');
    expect(decidedOver(service(now), [{ at: 0 }], 0, { changed: false })).toEqual(['ready: revision "web-1" ready']);
    expect(judge(service(now), factsOf(service(now)))).toMatchObject({ state: 'ready' });
  });
});
