import { beforeEach, describe, expect, test } from '@jest/globals';

import { TimeLimit } from '../../../src/base/time-limit.ts';
import type { Prepared } from '../../../src/apply/prepared.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { execute } from '../../../src/plan/execute.ts';
import type { Execution } from '../../../src/plan/execution.ts';
import { settled } from '../../../src/plan/plan.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';
import { configMap, journalIn, manifestOf, objectOf } from '../release/build.ts';

const job = objectOf('batch/v1', 'Job', { spec: { ttlSecondsAfterFinished: 0 } }, { name: 'migrate' });

describe('a Job that is created before a candidate, and again with all the rest', () => {
  let api: FakeApi;
  let reporter: ReturnType<typeof listeningReporter>;

  const compared = (manifests: readonly Manifest[]) =>
    manifests.map((manifest): Prepared => {
      const live = api.objects.get(keyOf(refOf(manifest.object)));
      const change = live === undefined ? 'created' : 'unchanged';
      return { manifest, live, predicted: manifest.object, change, takeover: false, warnings: [] };
    });

  /** @param onReady what happens once all of a step is ready */
  const execution = (onReady: () => void): Execution => {
    const clock = new FakeClock();
    return {
      client: api,
      namespace: 'shop',
      look: (manifests) => Promise.resolve(compared(manifests)),
      note: () => undefined,
      onLowCapacity: 'fail',
      reporter,
      journal: journalIn(api),
      force: false,
      clock,
      signal: new AbortController().signal,
      limit: new TimeLimit(clock),
      untilResumed: () => Promise.resolve(),
      wait: () => {
        onReady();
        return Promise.resolve();
      },
      check: () => Promise.resolve(),
      verify: () => Promise.resolve(undefined),
      saw: () => undefined,
      mark: () => undefined,
      onTraffic: () => undefined,
    };
  };

  const created = async (object: KubernetesObject, onReady: () => void) => {
    const before = { do: 'apply', title: 'before', objects: [manifestOf(object)] } as const;
    const all = { do: 'apply', title: 'all', objects: [manifestOf(object), manifestOf(configMap({}))] } as const;
    const { applied } = await execute({ stages: [settled([before]), settled([all])] }, execution(onReady));
    const name = `${object.kind}/${object.metadata.name}`;
    return {
      times: api.log.filter((line) => /^(?:apply|create) /.test(line) && line.endsWith(name)).length,
      applied: applied.map(({ manifest }) => manifest.object.kind),
    };
  };

  beforeEach(() => {
    api = new FakeApi();
    reporter = listeningReporter();
  });

  test('runs once where its time to live is over in between', async () => {
    const gone = () => api.objects.delete(keyOf(refOf(job)));
    expect(await created(job, gone)).toEqual({ times: 1, applied: ['ConfigMap'] });
    expect(reporter.lines).toContain('info Job "migrate" has run and is gone: it is not created again');
  });

  test('stays one of the objects while it is there', async () => {
    expect(await created(job, () => undefined)).toEqual({ times: 1, applied: ['Job', 'ConfigMap'] });
  });
});
