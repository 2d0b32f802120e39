import { describe, expect, test } from '@jest/globals';

import { outputTable } from '../../../src/action/output-table.ts';
import { outputsOf, setOutputs } from '../../../src/action/outputs.ts';
import { fileOf, valuesOf } from './actions-files.ts';
import { firstDeploy, hostile, report, undoneDeploy } from './reports.ts';

describe('outputs', () => {
  test.each([
    ['nothing was done', report()],
    ['all went well', firstDeploy()],
    ['all went wrong', undoneDeploy()],
  ])('are all set when %s', async (_, run) => {
    const file = await fileOf('GITHUB_OUTPUT', () => {
      setOutputs(run);
    });
    expect(Object.keys(valuesOf(file)).sort()).toEqual(Object.keys(outputTable).sort());
  });

  test('arrive whole with texts that try to end them', async () => {
    const file = await fileOf('GITHUB_OUTPUT', () => {
      setOutputs(hostile());
    });
    expect(valuesOf(file)).toEqual(outputsOf(hostile()));
  });

  test('say what was deployed, and where it answers', () => {
    const outputs = outputsOf(firstDeploy());
    expect(outputs).toMatchObject({
      status: 'deployed',
      release: 'shop',
      namespace: 'shop',
      revision: '1',
      'previous-revision': '',
      url: 'http://203.0.113.20',
      'external-ip': '203.0.113.20',
      failure: '',
      'traffic-share': '',
    });
    expect(JSON.parse(outputs.images)).toContainEqual({
      kind: 'Deployment',
      namespace: 'shop',
      name: 'auth',
      container: 'auth',
      image: 'registry.test/shop/auth:1.1.0',
    });
  });

  test('list what changed, without what did not', () => {
    expect(JSON.parse(outputsOf(undoneDeploy()).changed)).toEqual([
      { kind: 'Deployment', namespace: 'shop', name: 'web', change: 'configured' },
      { kind: 'ConfigMap', namespace: 'shop', name: 'web-flags', change: 'created' },
    ]);
  });

  test('say which share was measured last, and that a check failed', () => {
    const check = { check: '/', verdict: 'fail', message: 'x', via: 'at x', requests: 1, errors: 1 } as const;
    const share = { wanted: 25, measured: 24.4712, requests: 400 };
    const failure = { reason: 'VerificationFailed', message: 'x', causes: [], problems: [], evidence: [] };
    const outputs = outputsOf(report({ checks: [{ ...check, share }, check], failure }));
    expect(outputs['traffic-share']).toBe('24.5');
    expect(JSON.parse(outputs.failure)).toEqual({ reason: 'VerificationFailed', message: 'x' });
  });

  test('name the cause of a failure', () => {
    expect(JSON.parse(outputsOf(undoneDeploy()).failure)).toEqual({
      reason: 'CrashLoopBackOff',
      message: 'container "web" of Deployment "web" keeps crashing: it ended with exit code 1 three times',
      hint: 'Read the last lines of its log below; it ran well in revision 6.',
      object: { kind: 'Pod', namespace: 'shop', name: 'web-5d4c6b7f9-x7k2p' },
      file: 'deployments/web.yaml',
      line: 21,
      namedAfterSeconds: 4,
    });
  });
});
