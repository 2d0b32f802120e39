import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, objectsAt, stringAt, stringsAt } from '../../../src/base/json.ts';
import { stateOf } from '../../support/github/state.ts';
import { kubectl, kubectlJson } from '../../support/kubectl.ts';
import { autoscaler, configMap, deployment, service } from '../../support/objects.ts';
import { PreviewStage } from '../../support/preview-stage.ts';
import { image, until } from '../../support/strategy-stage.ts';

let stage: PreviewStage;

beforeAll(async () => {
  stage = await PreviewStage.open();
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

function web(version: string, options: Parameters<typeof deployment>[1] = {}): object[] {
  return [deployment('web', { replicas: 2, image: image(version), ...options }), service('web')];
}

/** A pull request at another commit, as after a push. */
function push(number: number, sha: string): void {
  const pull = stage.github.state.pullRequests.get(number);
  if (pull !== undefined) pull.head.sha = sha.padEnd(40, '0');
}

describe('the life of a preview', () => {
  test('opened, pushed to, closed and reopened: it answers with the version of the pull request, and goes', async () => {
    stage.github.state.open(7);
    const opened = await stage.preview(7, web('1.0.0'), { 'preview-ttl': '24h' }, { action: 'opened' });
    expect(opened.log).toContain('Pull request 7 is deployed');
    expect(opened).toMatchObject({ exit: 0, outputs: { status: 'deployed', 'pull-request': '7' } });
    expect(opened.outputs['namespace']).toBe(stage.namespaceOf(7));
    expect(Date.parse(opened.outputs['expires-at'] ?? '') - Date.now()).toBeGreaterThan(23 * 3_600_000);
    expect(await stage.versionOf(7)).toContain('1.0.0');
    expect(stage.commentsOf(7)).toHaveLength(1);

    push(7, 'abc');
    const pushed = await stage.preview(7, web('2.0.0'));
    expect(pushed).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
    expect(await stage.versionOf(7)).toContain('2.0.0');
    expect(await stage.annotation(7, 'head-sha')).toBe('abc'.padEnd(40, '0'));
    expect(stage.commentsOf(7)).toHaveLength(1);
    expect(stage.commentsOf(7)[0]).toContain('abc0000');

    stage.github.state.close(7, 'merged');
    const closed = await stage.preview(7, [], {}, { action: 'closed', event: 'pull_request_target' });
    expect(closed).toMatchObject({ exit: 0, outputs: { status: 'torn-down' } });
    expect(await stage.namespace(7)).toBeUndefined();
    expect(stage.commentsOf(7)[0]).toContain('merged');

    const again = await stage.preview(7, [], {}, { action: 'closed' });
    expect(again).toMatchObject({ exit: 0, outputs: { status: 'torn-down' } });
    expect(again.log).toContain('nothing to remove');

    const pull = stage.github.state.pullRequests.get(7);
    Object.assign(pull ?? {}, { state: 'open', merged: false });
    const reopened = await stage.preview(7, web('2.0.0'), {}, { action: 'reopened' });
    expect(reopened).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
    expect(await stage.versionOf(7)).toContain('2.0.0');
    expect(stage.commentsOf(7)).toHaveLength(1);
  });

  test('a push that fails leaves the version before where it was, and says so (pingdotgg/t3code#8261)', async () => {
    stage.github.state.open(8);
    await stage.preview(8, web('1.0.0'));
    push(8, 'bad');
    const failed = await stage.preview(8, web('9.9.9'));
    expect(failed).toMatchObject({ exit: 1, outputs: { status: 'undone' } });
    expect(await stage.versionOf(8)).toContain('1.0.0');
    expect(stage.commentsOf(8)[0]).toContain('not found');
    expect(stage.commentsOf(8)[0]).toMatch(/still serves/);
  });

  test('a first deploy that fails keeps its namespace with the evidence and an expiry (dollarshaveclub/acyl#42)', async () => {
    stage.github.state.open(9);
    const failed = await stage.preview(9, web('9.9.9'));
    expect(failed).toMatchObject({ exit: 1, outputs: { status: 'undone' } });
    expect(await stage.isThere(9)).toBe(true);
    expect(await stage.annotation(9, 'expires-at')).toBeDefined();
    const mended = await stage.preview(9, web('1.0.0'));
    expect(mended).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
  });

  test('manifests that are wrong are refused, and nothing is left of the namespace', async () => {
    stage.github.state.open(10);
    const wrong = { ...deployment('web'), spec: { ...deployment('web').spec, replicsa: 3 } };
    const failed = await stage.preview(10, [wrong]);
    expect(failed).toMatchObject({ exit: 1, outputs: { status: 'failed' } });
    expect(failed.log).toContain('replicsa');
    expect(await stage.isThere(10)).toBe(false);
    expect(stage.commentsOf(10)[0]).toContain('replicsa');
    expect(stage.commentsOf(10)[0]).toContain('Nothing is serving');
  });
});

describe('events that come late, twice or not at all', () => {
  test('a pull request that is closed while its preview is deployed has none in the end (KeeperHub/keeperhub#1548)', async () => {
    stage.github.state.open(20);
    stage.github.before('pulls/get', () => undefined);
    stage.github.before('pulls/get', () => undefined);
    stage.github.before('pulls/get', () => {
      stage.github.state.close(20);
    });
    const result = await stage.preview(20, web('1.0.0'));
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'torn-down' } });
    expect(await stage.isThere(20)).toBe(false);
  });

  test('a run for a commit that is no longer the newest writes nothing', async () => {
    stage.github.state.open(21);
    push(21, 'fedcba9');
    const result = await stage.preview(21, web('1.0.0'), {}, { sha: '1'.repeat(40) });
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'superseded' } });
    expect(result.log).toContain('fedcba9');
    expect(await stage.namespace(21)).toBeUndefined();
  });

  test('a teardown during a deploy wins: nothing is undone, and nothing is made anew (operately/operately#5287)', async () => {
    stage.github.state.open(22);
    const slow = web('1.0.0', { env: { START_DELAY: '40s' } });
    const running = stage.preview(22, slow, { timeout: '50s' });
    await until('pods are there', async () => {
      if (!(await stage.isThere(22))) return false;
      return (await kubectl(['get', 'pods', '-n', stage.namespaceOf(22), '-o', 'name'])) !== '';
    });
    stage.github.state.close(22);
    const removed = await stage.teardown({}, { number: 22, event: 'pull_request', action: 'closed' });
    expect(removed).toMatchObject({ exit: 0, outputs: { status: 'torn-down' } });
    const result = await running;
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'superseded' } });
    expect(await stage.isThere(22)).toBe(false);
  });

  test('a preview is made anew once the one before is gone', async () => {
    stage.github.state.open(23);
    await stage.preview(23, web('1.0.0'));
    const namespace = stage.namespaceOf(23);
    const held = { ...configMap('held', {}), metadata: { name: 'held', namespace, finalizers: ['shop.test/hold'] } };
    await kubectl(['apply', '-f', '-'], JSON.stringify(held));
    const removed = await stage.teardown({ timeout: '15s' }, { number: 23, event: 'pull_request' });
    expect(removed).toMatchObject({ exit: 0, outputs: { status: 'torn-down' } });
    expect(removed.log).toContain('shop.test/hold');
    const running = stage.preview(23, web('2.0.0'), {}, { action: 'reopened' });
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    await kubectl([
      'patch',
      'configmap',
      'held',
      '-n',
      namespace,
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":null}}',
    ]);
    expect(await running).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
    expect(await stage.versionOf(23)).toContain('2.0.0');
  });

  test('a run that is cancelled takes back what it has changed', async () => {
    stage.github.state.open(24);
    await stage.preview(24, web('1.0.0'));
    push(24, 'abcd');
    const step = stage.step(24, web('2.0.0', { env: { START_DELAY: '60s' } }));
    const running = step.main();
    await until('the new version begins', async () =>
      (await kubectl(['get', 'pods', '-n', stage.namespaceOf(24), '-o', 'yaml'])).includes(image('2.0.0')),
    );
    step.signal('SIGINT');
    expect(await running).toMatchObject({ outputs: { status: 'cancelled' } });
    await step.post();
    step.dispose();
    await until('the old version is back', async () => (await stage.versionOf(24)).includes('1.0.0'));
  });
});

describe('who gets none', () => {
  test.each([
    ['a fork', { head: { sha: 'f'.repeat(40), branch: 'x', repositoryId: 1 } }, {}, 'skipped', 'fork'],
    ['a draft under "ready"', { draft: true }, { 'preview-when': 'ready' }, 'skipped', 'draft'],
    ['one without the label', {}, { 'preview-when': 'label:preview' }, 'skipped', 'label "preview"'],
  ])('%s', async (_, changes, inputs, status, words) => {
    stage.github.state.open(30, changes);
    const result = await stage.preview(30, web('1.0.0'), inputs);
    expect(result).toMatchObject({ exit: 0, outputs: { status } });
    expect(result.log).toContain(words);
    expect(await stage.namespace(30)).toBeUndefined();
  });

  test('a merge queue, which waits for a status all the same (nickel-lang/nickel#1277)', async () => {
    const result = await stage.preview(31, web('1.0.0'), {}, { event: 'merge_group', action: 'checks_requested' });
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'skipped' } });
  });

  test('Dependabot without credentials (KSXGitHub/perfectionist#93)', async () => {
    stage.github.state.open(32, { author: 'dependabot[bot]' });
    const result = await stage.preview(32, web('1.0.0'), { kubeconfig: '' });
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'skipped' } });
    expect(result.log).toContain('Dependabot');
  });

  test('a label that is taken away takes the preview away', async () => {
    const pull = stage.github.state.open(33, { labels: ['preview'] });
    const rule = { 'preview-when': 'label:preview' };
    expect((await stage.preview(33, web('1.0.0'), rule)).outputs['status']).toBe('deployed');
    pull.labels = [];
    expect((await stage.preview(33, web('1.0.0'), rule, { action: 'unlabeled' })).outputs['status']).toBe('torn-down');
    expect(await stage.isThere(33)).toBe(false);
  });

  test('one more than the limit: the run names who holds the places, and its namespace is gone again', async () => {
    const crowd = await PreviewStage.open();
    try {
      for (const number of [1, 2]) {
        crowd.github.state.open(number);
        expect((await crowd.preview(number, [configMap('a', {})])).outputs['status']).toBe('deployed');
      }
      crowd.github.state.open(3);
      const third = await crowd.preview(3, [configMap('a', {})], { 'preview-limit': '2' });
      expect(third).toMatchObject({ exit: 0, outputs: { status: 'skipped' } });
      expect(third.log).toContain('pull requests 1, 2');
      expect(await crowd.isThere(3)).toBe(false);
    } finally {
      await crowd[Symbol.asyncDispose]();
    }
  });
});

describe('what is not its own is left alone', () => {
  test.each([
    ['a namespace that somebody has made', {}],
    [
      'the preview of another repository with the same name',
      {
        'app.kubernetes.io/managed-by': 'gke-rollout',
        'gke-rollout/preview': 'true',
        'gke-rollout/github-server': 'github.com',
        'gke-rollout/repository-id': '99',
        'gke-rollout/pull-request': '40',
        'gke-rollout/release': 'shop',
      },
    ],
  ])('%s', async (_, labels) => {
    const number = 40;
    const name = stage.namespaceOf(number);
    await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }),
    );
    try {
      const before = (await kubectlJson(['get', 'namespace', name])).metadata.resourceVersion;
      stage.github.state.open(number);
      const result = await stage.preview(number, web('1.0.0'));
      expect(result).toMatchObject({ exit: 1, outputs: { status: 'failed' } });
      expect(result.log).toContain(`Namespace "${name}" is`);
      stage.github.state.close(number);
      expect((await stage.preview(number, [], {}, { action: 'closed' })).exit).toBe(0);
      expect((await stage.teardown({}, { number, event: 'pull_request' })).exit).toBe(0);
      expect((await kubectlJson(['get', 'namespace', name])).metadata).toMatchObject({ resourceVersion: before });
    } finally {
      await kubectl(['delete', 'namespace', name]);
    }
  });
});

describe('what is in it', () => {
  test('hosts, numbers, limits and copies are those of a preview, and each change is told', async () => {
    const number = 50;
    stage.github.state.open(number);
    const source = `${stage.release}-source`;
    await kubectl(['create', 'namespace', source]);
    try {
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'pull', namespace: source },
        stringData: { a: 'verysecretvalue' },
      };
      await kubectl(['apply', '-f', '-'], JSON.stringify(secret));
      const ingress = {
        apiVersion: 'networking.k8s.io/v1',
        kind: 'Ingress',
        metadata: { name: 'web' },
        spec: {
          rules: [
            {
              host: 'shop.example.com',
              http: {
                paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 'web', port: { number: 80 } } } }],
              },
            },
          ],
        },
      };
      const cron = {
        apiVersion: 'batch/v1',
        kind: 'CronJob',
        metadata: { name: 'mail' },
        spec: {
          schedule: '* * * * *',
          jobTemplate: {
            spec: {
              template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: image('1.0.0') }] } },
            },
          },
        },
      };
      const result = await stage.preview(number, [...web('1.0.0'), ingress, cron, autoscaler('web')], {
        'preview-host': 'pr-{number}-{release}.preview.invalid',
        'copy-secrets': `${source}/pull as registry`,
        'namespace-labels': 'shared-gateway=true',
      });
      expect(result).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
      const host = `pr-${number}-${stage.release}.preview.invalid`;
      expect(result.outputs['url']).toBe(`http://${host}`);
      const namespace = stage.namespaceOf(number);
      const read = async (kind: string, name: string) => await kubectlJson(['-n', namespace, 'get', kind, name]);
      expect(objectsAt(await read('ingress', 'web'), 'spec', 'rules')[0]).toMatchObject({ host });
      expect(at(await read('deployment', 'web'), 'spec', 'replicas')).toBe(1);
      expect(at(await read('cronjob', 'mail'), 'spec', 'suspend')).toBe(true);
      expect(await kubectl(['-n', namespace, 'get', 'hpa', '-o', 'name'])).toBe('');
      expect(stringAt(await read('secret', 'registry'), 'data', 'a')).toBe(
        Buffer.from('verysecretvalue').toString('base64'),
      );
      expect(await kubectl(['-n', namespace, 'get', 'resourcequota,limitrange,networkpolicy', '-o', 'name'])).toMatch(
        /resourcequota/,
      );
      expect(stringsAt(await stage.namespace(number), 'metadata', 'labels')).toMatchObject({
        'shared-gateway': 'true',
        'pod-security.kubernetes.io/enforce': 'baseline',
      });
      for (const words of ['Ingress "web"', 'CronJob "mail"', 'HorizontalPodAutoscaler "web"', 'Deployment "web"']) {
        expect(result.log).toContain(words);
        expect(result.summary).toContain(words);
      }
      const shown = result.log.split('\n').filter((line) => !line.startsWith('::add-mask::'));
      expect(shown.join('\n')).not.toContain('verysecretvalue');
    } finally {
      await kubectl(['delete', 'namespace', source, '--wait=false']);
    }
  });

  test('objects of the whole cluster are an error that lists them, or left out', async () => {
    stage.github.state.open(51);
    const role = {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name: 'shop-reader' },
      rules: [],
    };
    const failed = await stage.preview(51, [...web('1.0.0'), role]);
    expect(failed).toMatchObject({ exit: 1, outputs: { status: 'failed' } });
    expect(failed.log).toContain('ClusterRole "shop-reader"');
    expect(await stage.namespace(51)).toBeUndefined();
    const skipped = await stage.preview(51, [...web('1.0.0'), role], { 'cluster-scoped': 'skip' });
    expect(skipped).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
    expect(await kubectl(['get', 'clusterrole', 'shop-reader', '--ignore-not-found'])).toBe('');
  });
});

describe('what GitHub is told', () => {
  test('a record of one shared environment, transient, and inactive once the preview is gone', async () => {
    stage.github.state.open(60);
    const inputs = { environment: 'preview' };
    const result = await stage.preview(60, web('1.0.0'), inputs);
    expect(result.exit).toBe(0);
    const records = () =>
      stage.github.state.deployments.filter(({ task }) => task === `preview:pr-60:${stage.release}`);
    expect(records()).toHaveLength(1);
    expect(records()[0]).toMatchObject({
      environment: 'preview',
      transient: true,
      ref: stage.github.state.pullRequests.get(60)?.head.sha,
    });
    expect(records().map(stateOf)).toEqual(['success']);
    stage.github.state.close(60);
    await stage.preview(60, [], inputs, { action: 'closed' });
    expect(records().map(stateOf)).toEqual(['inactive']);
  });

  test.each(['deployments', 'pull-requests'] as const)(
    'without the right to write %s it is one warning, and green',
    async (right) => {
      const number = right === 'deployments' ? 61 : 62;
      stage.github.state.open(number);
      const permissions = {
        contents: 'read',
        deployments: 'write',
        issues: 'none',
        'pull-requests': 'write',
        [right]: 'read',
      } as const;
      stage.github.addToken('limited', { permissions });
      const result = await stage.preview(number, [configMap('a', {})], {
        'github-token': 'limited',
        environment: 'preview',
      });
      expect(result).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
      expect(result.log.match(new RegExp(`::warning.*${right}: write`, 'g'))).toHaveLength(1);
    },
  );

  test('GitHub that does not answer any more while it deploys does no harm', async () => {
    stage.github.state.open(63);
    stage.github.after('pulls/get', () => {
      stage.github.failAlways('*', { status: 503 });
    });
    try {
      const result = await stage.preview(63, [configMap('a', {})]);
      expect(result).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
    } finally {
      stage.github.failAlways('*', undefined);
    }
  });
});
