import { expect, test } from '@jest/globals';

import { refOf } from '../../../src/kubernetes/object.ts';
import { Report } from '../../../src/report/report.ts';
import { workloadRow } from '../../../src/report/workloads.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { liveDeployment } from '../../support/rollout-objects.ts';
import { contextOf, options } from '../commands/build.ts';

const context = contextOf(new FakeApi(), 'a test');
const web = liveDeployment();

test('a report takes of the options of a command only what the run is about', () => {
  const given = { ...options, checks: [{ url: '/' }], headline: 'no' };
  expect(new Report(context, 'abort', given).finish('aborted', 'Aborted')).toEqual({
    command: 'abort',
    status: 'aborted',
    headline: 'Aborted',
    release: 'web',
    namespace: 'shop',
    server: context.client.server,
    context: 'test',
    objects: [],
    workloads: [],
    addresses: [],
    timeline: [{ atMs: expect.any(Number), text: 'Aborted' }],
    warnings: [],
    durationMs: expect.any(Number),
  });
});

test('a report has what was told last of the same thing', () => {
  const report = new Report(context, 'deploy', options);
  const row = workloadRow(web, { state: 'ready', message: '' });
  report.tellPreviousRevision(1);
  report.tellRevision(2);
  report.tellRevision(3);
  report.tellWorkloads([row, row]);
  report.tellWritten({ objects: [{ ref: refOf(web), change: 'configured' }], workloads: [row], addresses: [] });
  expect(report.finish('deployed', 'Deployed')).toMatchObject({
    previousRevision: 1,
    revision: 3,
    objects: [{ change: 'configured' }],
    workloads: [row],
  });
});
