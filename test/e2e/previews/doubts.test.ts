import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { objectsAt } from '../../../src/base/json.ts';
import { ApiServer } from '../../support/api-server.ts';
import { FaultProxy } from '../../support/fault-proxy.ts';
import type { Fault } from '../../support/faults.ts';
import { stateOf } from '../../support/github/state.ts';
import { kubectl, kubectlJson } from '../../support/kubectl.ts';
import { configMap, deployment, service } from '../../support/objects.ts';
import { PreviewStage } from '../../support/preview-stage.ts';
import { image } from '../../support/strategy-stage.ts';

/** What is told where nothing, or not all, was done; and runs that meet at one preview. */

let stage: PreviewStage;
let api: ApiServer;

beforeAll(async () => {
  stage = await PreviewStage.open();
  api = await ApiServer.ofTests();
});

afterAll(async () => {
  api.close();
  await stage[Symbol.asyncDispose]();
});

const wrong = () => ({ ...configMap('a', {}), dtaa: {} });

function push(number: number, sha: string): void {
  const pull = stage.github.state.pullRequests.get(number);
  if (pull !== undefined) pull.head.sha = sha.padEnd(40, '0');
}

function recordsOf(number: number) {
  return stage.github.state.deployments.filter(({ task }) => task === `preview:pr-${number}:${stage.release}`);
}

async function annotate(number: number, annotation: string): Promise<void> {
  await kubectl(['annotate', '--overwrite', 'namespace', stage.namespaceOf(number), annotation]);
}

describe('what a run says that changes nothing', () => {
  test('a dry run of a teardown leaves comment and record as they are, and looks whether there is anything', async () => {
    stage.github.state.open(1);
    await stage.preview(1, [configMap('a', {})], { environment: 'preview' });
    const before = stage.commentsOf(1);
    const asked = { number: 1, event: 'pull_request' } as const;
    const dry = { 'dry-run': 'true', environment: 'preview' };
    const result = await stage.teardown(dry, asked);
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'swept' } });
    expect(result.summary).toContain('would be removed');
    expect(stage.commentsOf(1)).toEqual(before);
    expect(recordsOf(1).map(stateOf)).toEqual(['success']);
    expect(await stage.isThere(1)).toBe(true);
    stage.github.state.open(100);
    const none = await stage.teardown(dry, { ...asked, number: 100 });
    expect(none.log).toContain('Would remove nothing');
    expect(none.outputs['removed']).toBe('[]');
  });

  test('one that fails before its first write says so in the comment, and what serves still', async () => {
    stage.github.state.open(2);
    const first = await stage.preview(2, [wrong()]);
    expect(first).toMatchObject({ exit: 1, outputs: { status: 'failed', 'pull-request': '2' } });
    expect(stage.commentsOf(2)).toHaveLength(1);
    expect(stage.commentsOf(2)[0]).toContain('dtaa');
    expect(stage.commentsOf(2)[0]).not.toContain('get pods');
    await stage.preview(2, [configMap('a', {})]);
    push(2, 'bad');
    await stage.preview(2, [wrong()]);
    expect(stage.commentsOf(2)).toHaveLength(1);
    expect(stage.commentsOf(2)[0]).toMatch(/The previous version .*0000000.* still serves/);
  });

  test('a pull request that gets none has no comment about it, and one that stays keeps its own', async () => {
    const rule = { 'preview-when': 'label:preview' };
    stage.github.state.open(3);
    const skipped = await stage.preview(3, [configMap('a', {})], rule);
    expect(skipped).toMatchObject({ exit: 0, outputs: { status: 'skipped' } });
    expect(skipped.summary).toContain('does not have the label');
    expect(skipped.summary).not.toContain('get pods');
    expect(stage.commentsOf(3)).toEqual([]);

    stage.github.state.open(4);
    await stage.preview(4, [configMap('a', {})]);
    const before = stage.commentsOf(4);
    stage.github.state.close(4, 'merged');
    const stays = await stage.preview(4, [], { 'preview-until': 'branch-deleted' }, { action: 'closed' });
    expect(stays).toMatchObject({ exit: 0, outputs: { status: 'skipped' } });
    expect(stage.commentsOf(4)).toEqual(before);
  });

  test('a number that no pull request has costs no warning', async () => {
    const asked = { event: 'workflow_dispatch' } as const;
    const result = await stage.preview(0, [configMap('a', {})], { 'pull-request': '999' }, asked);
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'torn-down' } });
    expect(result.log).toContain('there is no such pull request');
    expect(result.log).not.toContain('::warning');
  });

  test('the comment names the label that keeps previews in this repository', async () => {
    stage.github.state.open(5);
    await stage.preview(5, [configMap('a', {})], { 'preview-keep-label': 'hold' });
    expect(stage.commentsOf(5)[0]).toContain('the label "hold"');
  });
});

describe('one that is ready and does not answer', () => {
  test('is told as left, and its record ends the older one', async () => {
    stage.github.state.open(10);
    const inputs = { environment: 'preview', timeout: '8s' };
    await stage.preview(10, [deployment('web', { image: image('1.0.0') }), service('web')], {
      ...inputs,
      timeout: '60s',
    });
    push(10, 'abc');
    const silent = service('web', { ports: [{ port: 80, targetPort: 9 }] });
    const result = await stage.preview(10, [deployment('web', { image: image('1.0.0') }), silent], inputs);
    expect(result).toMatchObject({ exit: 1, outputs: { status: 'failed' } });
    expect(stage.commentsOf(10)[0]).toContain('is left as it is');
    expect(recordsOf(10).map(stateOf)).toEqual(['inactive', 'failure']);
  });
});

describe('runs that meet', () => {
  test('a teardown whose event of closing comes late leaves the preview of a pull request that is open again', async () => {
    stage.github.state.open(22);
    await stage.preview(22, [configMap('a', {})], {}, { action: 'reopened' });
    const closed = { number: 22, event: 'pull_request_target', action: 'closed' } as const;
    const late = await stage.teardown({}, closed);
    expect(late).toMatchObject({ exit: 0, outputs: { status: 'skipped' } });
    expect(late.log).toContain('open again');
    expect(await stage.isThere(22)).toBe(true);
    stage.github.state.close(22);
    expect((await stage.teardown({}, closed)).outputs['status']).toBe('torn-down');
  });

  test('a sweep does not remove a preview that has expired and is being deployed again', async () => {
    stage.github.state.open(20);
    await stage.preview(20, [configMap('a', {})]);
    await annotate(20, 'gke-rollout/expires-at=2026-01-01T00:00:00.000Z');
    push(20, 'abc');
    let swept = '';
    // Once it holds the lock of the release.
    stage.github.before('pulls/get', () => undefined);
    stage.github.before('pulls/get', async () => {
      swept = (await stage.teardown({ teardown: 'expired' })).log;
    });
    const result = await stage.preview(20, [configMap('a', { b: 'c' })]);
    expect(swept).toContain('Removed 0 previews');
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
    expect(await stage.isThere(20)).toBe(true);
  });

  test('a run whose manifests are wrong does not take the namespace from another one that has come since', async () => {
    stage.github.state.open(21);
    await using proxy = await FaultProxy.start(api);
    // As the other run says at first, between the namespace and the look at the manifests of this one.
    const fault: Fault = {
      name: 'another run comes',
      lasts: 'for good',
      happens: async () => {
        await annotate(21, 'gke-rollout/run-url=https://github.test/acme/shop/actions/runs/1');
      },
      treat: () => ({ do: 'hold' }),
    };
    proxy.arm({ phase: 'preflight', fault });
    const result = await stage.preview(21, [wrong()], { kubeconfig: proxy.kubeconfig });
    await proxy.happened();
    expect(proxy.hasBegun).toBe(true);
    expect(result.exit).toBe(1);
    expect(result.log).toContain('dtaa');
    expect(await stage.isThere(21)).toBe(true);
  });
});

test('a wildcard certificate of an Ingress is that of the hosts of its rules', async () => {
  const number = 30;
  stage.github.state.open(number);
  const backend = { service: { name: 'web', port: { number: 80 } } };
  const ingress = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'web' },
    spec: {
      tls: [{ hosts: ['*.example.com'], secretName: 'wildcard' }],
      rules: [{ host: 'shop.example.com', http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } }],
    },
  };
  const result = await stage.preview(number, [deployment('web', { image: image('1.0.0') }), service('web'), ingress], {
    'preview-host': 'pr-{number}-{release}.preview.invalid',
  });
  const host = `pr-${number}-${stage.release}.preview.invalid`;
  expect(result).toMatchObject({ exit: 0, outputs: { status: 'deployed', url: `https://${host}` } });
  const live = await kubectlJson(['-n', stage.namespaceOf(number), 'get', 'ingress', 'web']);
  expect(objectsAt(live, 'spec', 'tls')).toEqual([{ hosts: [host], secretName: 'wildcard' }]);
});
