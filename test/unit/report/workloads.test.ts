import { describe, expect, test } from '@jest/globals';

import type { Prepared } from '../../../src/apply/prepared.ts';
import { refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { manifestFrom } from '../../../src/manifests/manifest.ts';
import type { WrittenReport } from '../../../src/report/report.ts';
import { goneRow, reportAttempt, reportObjects, workloadRow, writtenOf } from '../../../src/report/workloads.ts';
import { live, liveDeployment as deployment, template } from '../../support/rollout-objects.ts';

const ready = { state: 'ready', message: '' } as const;
const old = deployment({ replicas: 2, spec: { template: template('registry.test/web:1') } });
const now = deployment({ replicas: 3 });

describe('the row of a workload', () => {
  test('has images and replicas before and after', () => {
    expect(workloadRow(now, { ...ready, durationMs: 5 }, old)).toEqual({
      ref: refOf(now),
      containers: [{ name: 'web', before: 'registry.test/web:1', after: 'registry.test/web:2' }],
      replicas: { before: 2, after: 3 },
      durationMs: 5,
      ...ready,
    });
  });

  test('has nothing before for a container that is new, or where nothing was to be changed', () => {
    const initContainers = [{ name: 'proxy', image: 'registry.test/proxy:1' }];
    const more = deployment({ spec: { template: template('registry.test/web:2', { initContainers }) } });
    const [proxy] = workloadRow(more, ready, old).containers;
    expect(proxy).toEqual({ name: 'proxy', after: 'registry.test/proxy:1' });
    expect(workloadRow(now, ready)).toMatchObject({
      containers: [{ name: 'web', after: 'registry.test/web:2' }],
      replicas: { after: 3 },
    });
  });

  test('has no replicas for a DaemonSet, which is not scaled to 0', () => {
    const everywhere = live('DaemonSet', { spec: { template: template() } });
    expect(workloadRow(everywhere, ready)).not.toHaveProperty('replicas');
  });

  test('has no replicas for what was taken away', () => {
    expect(goneRow(now, 'the candidate was aborted')).toEqual({
      ref: refOf(now),
      containers: [{ name: 'web', after: 'registry.test/web:2' }],
      state: 'unchecked',
      message: 'the candidate was aborted',
    });
  });
});

describe('what a change tells', () => {
  const config = live('ConfigMap', { apiVersion: 'v1' });
  const candidate = deployment({ replicas: 1, metadata: { name: 'web-canary' } });
  const watch = {
    latest: ({ name }: { name: string }) => [now, candidate].find(({ metadata }) => metadata.name === name),
    stateOf: () => ({ state: 'ready' as const, message: 'all pods are ready' }),
    durationOf: () => 7,
  };

  function prepared(object: KubernetesObject, change: Prepared['change'], before?: KubernetesObject): Prepared {
    const manifest = manifestFrom(object, 'a.yaml');
    return { manifest, live: before, predicted: undefined, change, takeover: false, warnings: [] };
  }

  function told(tell: (report: { tellWritten: (written: WrittenReport) => void }) => void): WrittenReport[] {
    const all: WrittenReport[] = [];
    tell({ tellWritten: (written) => all.push(written) });
    return all;
  }

  test('of one that is whole: every object, and each workload as it was seen last', () => {
    const objects = [prepared(old, 'configured', old), prepared(config, 'unchanged', config)];
    const whole = told((report) => {
      reportObjects(report, objects, watch);
    });
    expect(whole).toEqual([
      {
        objects: [
          { ref: refOf(old), change: 'configured' },
          { ref: refOf(config), change: 'unchanged' },
        ],
        workloads: [workloadRow(now, { state: 'ready', message: 'all pods are ready', durationMs: 7 }, old)],
        addresses: [],
      },
    ]);
  });

  test('of one that is not whole: what was written, also under another name, and what serves as before', () => {
    const written = writtenOf([
      { ref: refOf(candidate), before: null, after: candidate, done: true },
      { ref: refOf(candidate), before: candidate, after: candidate, done: true },
      { ref: refOf(old), before: old, after: now, done: false },
    ]);
    const attempt = told((report) => {
      reportAttempt(report, [prepared(now, 'configured', old)], written, watch);
    });
    expect(attempt).toEqual([
      {
        objects: [{ ref: refOf(candidate), change: 'created' }],
        workloads: [
          workloadRow(old, { state: 'unchecked', message: 'serves as before' }),
          workloadRow(candidate, { state: 'ready', message: 'all pods are ready', durationMs: 7 }),
        ],
        addresses: [],
      },
    ]);
  });
});
