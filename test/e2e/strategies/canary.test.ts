import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, numberAt, stringAt } from '../../../src/base/json.ts';
import { createNamespace, deleteNamespace, kubectl } from '../../support/kubectl.ts';
import { autoscaler, configMap, deployment, relabelled } from '../../support/objects.ts';
import { app as twoOf, image, Stage, uids } from '../../support/strategy-stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('canary');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

function app(name: string, version: string, options: Parameters<typeof deployment>[1] = {}): object[] {
  return twoOf(name, version, { replicas: 3, ...options });
}

async function names(kind: string, selector: string): Promise<string[]> {
  const text = await kubectl(['get', kind, '-n', stage.namespace, '-l', selector, '-o', 'name']);
  return text.split('\n').filter((line) => line !== '');
}

/** UIDs of the pods of the stable Deployment, sorted. */
async function stablePods(name: string): Promise<string[]> {
  return uids(await stage.pods(`app=${name},gke-rollout/track!=canary`));
}

describe('a canary', () => {
  test('of a first deploy is a full rollout, and says so', async () => {
    const result = await stage.run('first', {}, { 'app.yaml': app('first', '1.0.0') });
    expect(result.exit).toBe(0);
    expect(result.outputs['status']).toBe('deployed');
    expect(result.log).toContain('there is no stable version yet');
    expect(await names('deployments', 'gke-rollout/track=canary')).toEqual([]);
  });

  test('left waiting has one pod beside three, and the stable pods are untouched', async () => {
    await stage.run('wait', {}, { 'app.yaml': app('wait', '1.0.0') });
    const before = await stablePods('wait');
    const result = await stage.run('wait', { 'auto-promote': 'false' }, { 'app.yaml': app('wait', '2.0.0') });
    expect(result.exit).toBe(0);
    expect(result.outputs).toMatchObject({ status: 'waiting', revision: '2', 'previous-revision': '1' });
    expect(numberAt(await stage.read('deployment', 'wait-canary'), 'status', 'readyReplicas')).toBe(1);
    expect(await stage.imageOf('wait-canary')).toBe(image('2.0.0'));
    expect(await stablePods('wait')).toEqual(before);

    const promoted = await stage.run('wait', { command: 'promote' });
    expect(promoted.exit).toBe(0);
    expect(promoted.outputs).toMatchObject({ status: 'deployed', revision: '2', 'previous-revision': '1' });
    expect(await stage.imageOf('wait')).toBe(image('2.0.0'));
    expect(await names('deployments', 'gke-rollout/track=canary')).toEqual([]);

    const again = await stage.run('wait', { command: 'promote' });
    expect(again.exit).toBe(1);
    expect(again.log).toContain('there is no candidate of release "wait"');
  });

  test('that is aborted leaves everything as it was, and says what it was', async () => {
    await stage.run('abort', {}, { 'app.yaml': app('abort', '1.0.0') });
    const before = await stage.read('deployment', 'abort');
    await stage.run('abort', { 'auto-promote': 'false' }, { 'app.yaml': app('abort', '2.0.0') });
    const result = await stage.run('abort', { command: 'abort' });
    expect(result.exit).toBe(0);
    expect(result.outputs).toMatchObject({ status: 'aborted', revision: '2' });
    expect(await names('deployments', 'gke-rollout/track=canary')).toEqual([]);
    expect(at(await stage.read('deployment', 'abort'), 'spec')).toEqual(at(before, 'spec'));

    const status = await stage.run('abort', { command: 'status' });
    const history = JSON.parse(status.outputs['history'] ?? '[]') as { revision: number; outcome: string }[];
    expect(history.map(({ revision, outcome }) => `${revision} ${outcome}`)).toEqual(['2 aborted', '1 live']);
  });

  test('that goes through its steps is promoted by itself', async () => {
    await stage.run('auto', {}, { 'app.yaml': app('auto', '1.0.0') });
    const result = await stage.run('auto', { 'canary-steps': '25 50' }, { 'app.yaml': app('auto', '2.0.0') });
    expect(result.exit).toBe(0);
    expect(result.outputs).toMatchObject({ status: 'deployed', revision: '2' });
    expect(result.summary).toMatch(/1 of 4 pods/);
    expect(result.summary).toMatch(/3 of 6 pods/);
    expect(await stage.imageOf('auto')).toBe(image('2.0.0'));
    expect(await names('deployments', 'gke-rollout/track=canary')).toEqual([]);
  });

  test('that never gets ready is taken away, and the stable pods are the same ones', async () => {
    await stage.run('sick', {}, { 'app.yaml': app('sick', '1.0.0') });
    const before = await stablePods('sick');
    const result = await stage.run('sick', {}, { 'app.yaml': app('sick', '9.9.9') });
    expect(result.exit).toBe(1);
    expect(result.outputs['status']).toBe('undone');
    expect(result.log).toContain('registry.test/ctwoc:9.9.9');
    expect(await stablePods('sick')).toEqual(before);
    expect(await names('deployments', 'gke-rollout/track=canary')).toEqual([]);
  });

  test('reads its own copy of config that changes, and the stable one is changed by the promotion', async () => {
    const files = (value: string, version: string) => ({
      'app.yaml': [
        ...app('config', version, { envFrom: [{ configMapRef: { name: 'config' } }] }),
        configMap('config', { GREETING: value }),
      ],
    });
    await stage.run('config', {}, files('one', '1.0.0'));
    await stage.run('config', { 'auto-promote': 'false' }, files('two', '2.0.0'));
    const data = async (name: string) => stringAt(await stage.read('cm', name), 'data', 'GREETING');
    expect([await data('config'), await data('config-canary')]).toEqual(['one', 'two']);
    await stage.run('config', { command: 'promote' });
    expect(await data('config')).toBe('two');
    expect(await names('cm', 'gke-rollout/track=canary')).toEqual([]);
  });

  test('with a constant total takes the place of stable pods, and gives it back', async () => {
    await stage.run('total', {}, { 'app.yaml': app('total', '1.0.0', { replicas: 4 }) });
    const inputs = { 'auto-promote': 'false', 'constant-total': 'true' };
    await stage.run('total', inputs, { 'app.yaml': app('total', '2.0.0', { replicas: 4 }) });
    const replicas = async (name: string) => numberAt(await stage.read('deployment', name), 'spec', 'replicas');
    expect([await replicas('total'), await replicas('total-canary')]).toEqual([3, 1]);
    await stage.run('total', { command: 'abort' });
    expect(await replicas('total')).toBe(4);

    await stage.run('total', inputs, { 'app.yaml': app('total', '2.0.0', { replicas: 4 }) });
    const promoted = await stage.run('total', { command: 'promote' });
    expect(promoted.exit).toBe(0);
    expect([await replicas('total'), await stage.imageOf('total')]).toEqual([4, image('2.0.0')]);
    expect(await names('deployments', 'gke-rollout/track=canary')).toEqual([]);
  });

  test('that waits is replaced by the next deploy, and stable is never touched', async () => {
    await stage.run('third', {}, { 'app.yaml': app('third', '1.0.0') });
    const before = await stablePods('third');
    await stage.run('third', { 'auto-promote': 'false' }, { 'app.yaml': app('third', '2.0.0') });
    const result = await stage.run('third', { 'auto-promote': 'false' }, { 'app.yaml': app('third', '3.0.0') });
    expect(result.outputs).toMatchObject({ status: 'waiting', revision: '3' });
    expect(await stage.imageOf('third-canary')).toBe(image('3.0.0'));
    expect(await stablePods('third')).toEqual(before);
  });

  test('stays when its promotion fails: traffic is on healthy pods throughout (flagger#1898, k8s-deploy R10)', async () => {
    const guarded = (version: string) => ({
      'app.yaml': [
        ...app('stuck', version, { replicas: 2 }),
        {
          apiVersion: 'v1',
          kind: 'ResourceQuota',
          metadata: { name: 'stuck' },
          spec: { hard: { 'count/jobs.batch': '9' } },
        },
      ],
    });
    await stage.run('stuck', {}, guarded('1.0.0'));
    await stage.run('stuck', { 'auto-promote': 'false' }, guarded('2.0.0'));
    // From now on the image of the new version cannot be run by the stable Deployment: no pod of it may be made.
    await kubectl([
      'patch',
      'quota',
      'stuck',
      '-n',
      stage.namespace,
      '--type=merge',
      '-p',
      '{"spec":{"hard":{"pods":"1"}}}',
    ]);
    const result = await stage.run('stuck', { command: 'promote', timeout: '20s', 'force-conflicts': 'true' });
    await kubectl(['delete', 'quota', 'stuck', '-n', stage.namespace]);
    expect(result.exit).toBe(1);
    expect(await stage.imageOf('stuck')).toBe(image('1.0.0'));
    expect(numberAt(await stage.read('deployment', 'stuck-canary'), 'status', 'readyReplicas')).toBe(1);
    const status = await stage.run('stuck', { command: 'status' });
    expect(status.outputs['history']).toContain('"outcome":"waiting"');
  });

  describe('whose stable pods end at once when they are told to', () => {
    /** Deploys one version, lets the next one wait, and promotes it. */
    async function promoted(name: string, objects: (version: string) => object[]) {
      await stage.given(name, objects('1.0.0'));
      await stage.given(name, objects('2.0.0'), { 'auto-promote': 'false' });
      return await stage.command(name, 'promote');
    }

    test('takes all requests while they are replaced, and the Service is then as it was', async () => {
      const result = await promoted('relief', (version) => app('relief', version));
      expect(result.exit).toBe(0);
      expect(result.log).toContain('relief-canary (3 pods) takes all requests');
      expect(at(await stage.read('service', 'relief'), 'spec', 'selector')).toEqual({ app: 'relief' });
      expect(await stage.exists('deployment', 'relief-canary')).toBe(false);
      expect((await stage.endpoints('relief')).length).toBe(3);
    });

    test('are those of its own namespace: a Service of the same name in another one stays as it is', async () => {
      const other = await createNamespace('canary-beside');
      const both = (version: string) => [
        ...app('twice', '1.0.0'),
        ...(app('twice', version) as { metadata: object }[]).map((object) => ({
          ...object,
          metadata: { ...object.metadata, namespace: other },
        })),
      ];
      await stage.given('twice', both('1.0.0'));
      await stage.given('twice', both('2.0.0'), { 'auto-promote': 'false' });
      const before = await stage.read('service', 'twice');
      const result = await stage.command('twice', 'promote');
      const imageBeside = await kubectl(['get', 'deployment', 'twice', '-n', other, '-o', 'jsonpath={..image}']);
      const selector = await kubectl(['get', 'service', 'twice', '-n', other, '-o', 'jsonpath={.spec.selector}']);
      await deleteNamespace(other);
      expect(result.exit).toBe(0);
      expect(result.log).toContain('twice-canary (3 pods) takes all requests');
      expect([imageBeside, await stage.imageOf('twice')]).toEqual([image('2.0.0'), image('1.0.0')]);
      expect(JSON.parse(selector)).toEqual({ app: 'twice' });
      expect((await stage.read('service', 'twice')).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
      expect(await stage.endpoints('twice')).toHaveLength(3);
    });

    test('gives stable back to the Service when the promotion fails, and waits as before', async () => {
      // What comes in with the promotion never gets ready: nobody is there to be scaled.
      const objects = (version: string) => [
        ...app('relieved', version),
        ...(version === '2.0.0' ? [autoscaler('relieved', 'nobody')] : []),
      ];
      await stage.given('relieved', objects('1.0.0'));
      await stage.given('relieved', objects('2.0.0'), { 'auto-promote': 'false' });
      const before = await stage.read('service', 'relieved');
      const result = await stage.command('relieved', 'promote', { timeout: '20s' });
      expect(result.log).toContain('relieved-canary (3 pods) takes all requests');
      expect(result.exit).toBe(1);
      expect(await stage.imageOf('relieved')).toBe(image('1.0.0'));
      expect(at(await stage.read('service', 'relieved'), 'spec')).toEqual(at(before, 'spec'));
      expect(numberAt(await stage.read('deployment', 'relieved-canary'), 'status', 'readyReplicas')).toBe(1);
    });

    test.each([
      [
        'an autoscaler looks after them',
        (name: string) => [autoscaler(name)],
        'a HorizontalPodAutoscaler would scale it down',
      ],
      [
        'others serve behind the same Service',
        (name: string) => [relabelled(deployment('other'), `${name}-beside`, { app: name, other: 'yes' })],
        'serves behind Service',
      ],
    ])('are replaced as in any rolling update where %s, which is said', async (_, more, reason) => {
      const name = `plain${reason.length}`;
      await stage.apply(more(name));
      const result = await promoted(name, (version) => app(name, version));
      expect(result.exit).toBe(0);
      expect(result.log).toMatch(new RegExp(`Deployment "${name}" may lose requests while .*${reason}`));
      expect(result.log).not.toContain('takes all requests while the stable pods');
    });

    test('are replaced as in any rolling update where a hook keeps them', async () => {
      const lifecycle = { preStop: { sleep: { seconds: 1 } } };
      const result = await promoted('hooked', (version) => app('hooked', version, { lifecycle }));
      expect(result.exit).toBe(0);
      expect(result.log).not.toMatch(/may lose requests|takes all requests/);
    });
  });

  test('may be the user own: it is taken as it is, and what it runs is what is promoted', async () => {
    const own = (version: string) => {
      const object = deployment('own-canary', { image: image(version) });
      const labels = { app: 'own', track: 'canary' };
      return [
        {
          ...object,
          spec: {
            ...object.spec,
            selector: { matchLabels: labels },
            template: { ...object.spec.template, metadata: { labels } },
          },
        },
      ];
    };
    const files = { 'app.yaml': app('own', '1.0.0') };
    await stage.run('own', {}, files);
    const result = await stage.run('own', { 'auto-promote': 'false' }, { ...files, 'app-canary.yaml': own('2.0.0') });
    expect(result.outputs['status']).toBe('waiting');
    expect(await names('pods', 'app=own,track=canary')).toHaveLength(1);
    await stage.run('own', { command: 'promote' });
    expect(await stage.imageOf('own')).toBe(image('2.0.0'));
    expect(await names('deployments', 'track=canary')).toEqual([]);
  });
});

describe('a candidate that waits', () => {
  test('is in the way of scale, restart and an unnamed rollback, which say what to do', async () => {
    await stage.run('way', {}, { 'app.yaml': app('way', '1.0.0', { replicas: 1 }) });
    await stage.run('way', { 'auto-promote': 'false' }, { 'app.yaml': app('way', '2.0.0', { replicas: 1 }) });
    for (const inputs of [{ command: 'scale', replicas: '2' }, { command: 'restart' }]) {
      const result = await stage.run('way', inputs);
      expect(result.exit).toBe(1);
      expect(result.log).toMatch(/has been waiting for approval since .*Run the command "promote"/s);
    }
  });
});

describe('before anything is changed', () => {
  test('a StatefulSet that would get new pods is refused', async () => {
    const set = (version: string) => ({
      ...deployment('set', { image: image(version) }),
      kind: 'StatefulSet',
      spec: { ...deployment('set', { image: image(version) }).spec, serviceName: 'set' },
    });
    await stage.run('set', {}, { 'app.yaml': [set('1.0.0')] });
    const result = await stage.run('set', {}, { 'app.yaml': [set('2.0.0')] });
    expect(result.exit).toBe(1);
    expect(result.log).toContain('StatefulSet "set" would get new pods, which the strategy "canary" cannot do');
  });

  test('a candidate whose pods no Service would select is refused', async () => {
    const files = { 'app.yaml': app('lost', '1.0.0', { replicas: 1 }) };
    await stage.run('lost', {}, files);
    const result = await stage.run(
      'lost',
      {},
      { ...files, 'app-canary.yaml': [deployment('lost-canary', { image: image('2.0.0') })] },
    );
    expect(result.exit).toBe(1);
    expect(result.log).toContain('Deployment "lost-canary" would get no requests');
    expect(await names('deployments', 'app=lost-canary')).toEqual([]);
  });

  test('of an autoscaled Deployment brings the new version to the stable pods, at once and promoted later', async () => {
    const scaled = (version: string) => [...twoOf('auto', version), autoscaler('auto')];
    await stage.given('auto', scaled('1.0.0'));
    const direct = await stage.run('auto', { 'canary-steps': '50' }, { 'app.yaml': scaled('2.0.0') });
    expect(direct.outputs['status']).toBe('deployed');
    expect(await stage.imageOf('auto')).toBe(image('2.0.0'));
    await stage.run('auto', { 'canary-steps': '50', 'auto-promote': 'false' }, { 'app.yaml': scaled('3.0.0') });
    const promoted = await stage.run('auto', { command: 'promote' });
    expect(promoted.outputs['status']).toBe('deployed');
    expect(await stage.imageOf('auto')).toBe(image('3.0.0'));
    expect(new Set(await stage.imagesOf('auto'))).toEqual(new Set([image('3.0.0')]));
  });

  test('with a constant total makes a stable Deployment anew that is gone, with as many pods as there were', async () => {
    const inputs = { 'canary-steps': '50', 'constant-total': 'true', 'auto-promote': 'false' };
    await stage.given('gone', twoOf('gone', '1.0.0', { replicas: 4 }));
    await stage.given('gone', twoOf('gone', '2.0.0', { replicas: 4 }), inputs);
    await stage.kubectl('delete', 'deployment', 'gone');
    expect((await stage.run('gone', { command: 'promote' })).outputs['status']).toBe('deployed');
    expect([await stage.replicasOf('gone'), await stage.imageOf('gone')]).toEqual([4, image('2.0.0')]);
  });
});
