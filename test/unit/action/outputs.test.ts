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

describe('lists that are longer than GitHub takes', () => {
  const objects = Array.from({ length: 5_000 }, (_, index) => ({
    ref: { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'shop', name: `config-with-quite-a-long-name-${index}` },
    change: 'created' as const,
  }));

  test('are cut to whole entries, and that is said', async () => {
    const said: string[] = [];
    const file = await fileOf('GITHUB_OUTPUT', () => {
      setOutputs(report({ objects }), (text) => said.push(text));
    });
    const changed = valuesOf(file)['changed'] ?? '';
    const entries = JSON.parse(changed) as unknown[];
    expect(changed.length).toBeLessThanOrEqual(100_000);
    expect(entries.length).toBeGreaterThan(900);
    expect(said).toEqual([
      `the output "changed" has only the first ${entries.length} of 5000 entries: GitHub accepts no more`,
    ]);
  });

  test('leave all outputs together below 1 MB of UTF-16, whatever they hold', () => {
    const long = 'ü'.repeat(200_000);
    const containers = Array.from({ length: 5_000 }, () => ({
      name: 'web',
      after: `registry.test/${long.slice(0, 200)}`,
    }));
    const history = Array.from({ length: 5_000 }, (_, revision) => ({
      revision,
      outcome: 'live' as const,
      finishedAt: '2026-01-01T00:00:00Z',
      images: [long.slice(0, 300)],
    }));
    const [workload] = firstDeploy().workloads;
    const failure = { message: long, hint: long, manifest: long, causes: [], problems: [], evidence: [] };
    const outputs = outputsOf(
      report({ objects, history, failure, workloads: workload === undefined ? [] : [{ ...workload, containers }] }),
    );
    expect(2 * Object.values(outputs).join('').length).toBeLessThan(1_000_000);
    for (const id of ['images', 'changed', 'history', 'failure'] as const) {
      expect(() => JSON.parse(outputs[id]) as unknown).not.toThrow();
    }
  });
});
