/**
 * Config without pods: a ConfigMap or Secret that changes alone has to reach the pods that read it at their start
 * (kubernetes/kubernetes#22368, argoproj/argo-rollouts#2669). The pods are asked, never the action's own words.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, stringAt } from '../../../src/base/json.ts';
import { configMap, deployment, relabelled, service } from '../../support/objects.ts';
import { app, image, Stage, uids } from '../../support/strategy-stage.ts';

const greeting = '/env?name=GREETING';
const fromMap = (name: string) => ({ envFrom: [{ configMapRef: { name } }] });
const hashOf = (object: object) =>
  stringAt(object as never, 'spec', 'template', 'metadata', 'annotations', 'gke-rollout/config-hash');

describe('in a rolling deploy, config that changes alone', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open('rolling');
  });

  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  });

  /** A Deployment that reads the greeting from a ConfigMap of its name, and that ConfigMap. */
  function greeter(name: string, value: string, options: Parameters<typeof deployment>[1] = {}): object[] {
    return [deployment(name, { ...fromMap(name), ...options }), configMap(name, { GREETING: value })];
  }

  test('reaches the pods by every way of reading it and of every kind, and a rollback brings the old one back', async () => {
    const made = (name: string, options: Parameters<typeof deployment>[1]) =>
      deployment(name, { ...options, pod: { terminationGracePeriodSeconds: 1, ...options?.pod } });
    const frontend = (name: string, volume: object, mount: object) =>
      made(name, {
        env: { ROLE: 'frontend' },
        volumeMounts: [{ name: 'conf', ...mount }],
        pod: { volumes: [{ name: 'conf', ...volume }] },
      });
    const folder = { mountPath: '/etc/frontend' };
    const objects = (value: string) => [
      configMap('settings', { GREETING: value, 'frontend.conf': `# ${value}\n`, NEVER: 'read' }),
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'login' }, stringData: { GREETING: value } },
      made('variable', {
        env: {},
        image: image('1.0.0'),
        envFrom: [{ configMapRef: { name: 'settings', optional: true } }],
      }),
      made('secret', { envFrom: [{ secretRef: { name: 'login' } }] }),
      frontend('projected', { projected: { sources: [{ configMap: { name: 'settings' } }] } }, folder),
      frontend(
        'subpath',
        { configMap: { name: 'settings' } },
        { mountPath: '/etc/frontend/frontend.conf', subPath: 'frontend.conf' },
      ),
      daemonSet(made('daemon', { envFrom: [{ secretRef: { name: 'login' } }] })),
      {
        ...made('stateful', fromMap('settings')),
        kind: 'StatefulSet',
        spec: { ...made('stateful', fromMap('settings')).spec, serviceName: 'stateful' },
      },
      made('bystander', { env: { GREETING: 'none' } }),
      job('once', 'settings'),
    ];
    const answers = async () => ({
      variable: await stage.answers('app=variable', greeting),
      secret: await stage.answers('app=secret', greeting),
      projected: await stage.answers('app=projected', '/config'),
      subpath: await stage.answers('app=subpath', '/config'),
      daemon: await stage.answers('app=daemon', greeting),
      stateful: await stage.answers('app=stateful', greeting),
    });
    const all = (value: string) => ({
      variable: [value],
      secret: [value],
      projected: [`# ${value}`],
      subpath: [`# ${value}`],
      daemon: [value],
      stateful: [value],
    });

    await stage.given('all', objects('one'));
    expect(await answers()).toEqual(all('one'));
    const [bystander, first] = [uids(await stage.pods('app=bystander')), hashOf(await stage.read('deploy', 'secret'))];

    const changed = await stage.deploy('all', objects('two'));
    expect(changed.outputs['status']).toBe('deployed');
    expect(await answers()).toEqual(all('two'));
    expect(changed.log).toContain('Deployment "secret" reads Secret "login", which changes: it gets new pods');
    expect(uids(await stage.pods('app=bystander'))).toEqual(bystander);

    await stage.command('all', 'restart', { workload: 'Deployment/variable' });
    const before = uids(await stage.pods('app'));
    const again = await stage.deploy('all', objects('two'));
    expect(again.outputs['status']).toBe('unchanged');
    expect(uids(await stage.pods('app'))).toEqual(before);

    const back = await stage.command('all', 'rollback');
    expect(back.outputs['status']).toBe('rolled-back');
    expect(await answers()).toEqual(all('one'));
    expect(hashOf(await stage.read('deploy', 'secret'))).toBe(first);
    expect(uids(await stage.pods('app=bystander'))).toEqual(bystander);
  });

  test('leaves pods alone that read other entries of it, and comes from the inputs "configmaps" and "secrets" too', async () => {
    const variable = (key: string) => [{ name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'files', key } } }];
    const reader = (name: string, key: string) => {
      const object = deployment(name, { envFrom: [{ secretRef: { name: 'token' } }] });
      Object.assign(object.spec.template.spec.containers[0] ?? {}, { env: variable(key) });
      return object;
    };
    const run = async (text: string, token: string) =>
      await stage.run(
        'files',
        {
          manifests: 'app.yaml',
          configmaps: 'files=first=a.txt,second=b.txt',
          secrets: 'token=GREETING_TOKEN=token.txt',
        },
        {
          'app.yaml': [reader('first', 'first'), reader('second', 'second')],
          'a.txt': 'same',
          'b.txt': text,
          'token.txt': token,
        },
      );
    expect((await run('one', 'old-token')).exit).toBe(0);
    const first = uids(await stage.pods('app=first'));
    expect((await run('two', 'old-token')).exit).toBe(0);
    expect(await stage.answers('app=second', greeting)).toEqual(['two']);
    expect(uids(await stage.pods('app=first'))).toEqual(first);
    expect((await run('two', 'new-token')).exit).toBe(0);
    expect(await stage.answers('app=first', '/env?name=GREETING_TOKEN')).toEqual(['new-token']);
    expect(await stage.answers('app=second', '/env?name=GREETING_TOKEN')).toEqual(['new-token']);
  });

  test('that is bad is undone, and the pods that served are the same ones', async () => {
    await stage.given('bad', greeter('bad', 'good', { replicas: 2 }));
    const [pods, spec] = [uids(await stage.pods('app=bad')), at(await stage.read('deploy', 'bad'), 'spec')];
    const objects = [deployment('bad', { ...fromMap('bad'), replicas: 2 }), configMap('bad', { CRASH_AFTER: '0' })];
    const result = await stage.deploy('bad', objects);
    expect(result.outputs['status']).toBe('undone');
    expect(at(await stage.read('deploy', 'bad'), 'spec')).toEqual(spec);
    expect(uids(await stage.pods('app=bad'))).toEqual(pods);
    expect(await stage.answers('app=bad', greeting)).toEqual(['good', 'good']);
  });

  test('leaves the pods of workloads that opt out, which is said, by the input and by the annotation, and in a rollback', async () => {
    const opted = (object: ReturnType<typeof deployment>, value: string) => ({
      ...object,
      metadata: { ...object.metadata, annotations: { 'gke-rollout/restart-on-config': value } },
    });
    const objects = (value: string) => [
      configMap('calm', { GREETING: value }),
      opted(deployment('reloads', fromMap('calm')), 'false'),
      deployment('plain', fromMap('calm')),
      opted(deployment('always', fromMap('calm')), 'true'),
      { ...deployment('loose', fromMap('calm')), kind: 'ReplicaSet' },
    ];
    const answers = async () =>
      await Promise.all(['reloads', 'plain', 'always', 'loose'].map((name) => stage.answers(`app=${name}`, greeting)));
    await stage.given('calm', objects('one'));
    const byAnnotation = await stage.deploy('calm', objects('two'));
    expect(await answers()).toEqual([['one'], ['two'], ['two'], ['one']]);
    expect(byAnnotation.log).toContain(
      'Deployment "reloads" reads ConfigMap "calm", which changes; its pods are not replaced, because of its annotation',
    );
    expect(byAnnotation.log).toContain('ReplicaSet "loose" reads ConfigMap "calm", which changes; its pods keep');
    const byInput = await stage.deploy('calm', objects('three'), { 'restart-on-config': 'false' });
    expect(await answers()).toEqual([['one'], ['two'], ['three'], ['one']]);
    expect(byInput.log).toContain('its pods are not replaced, because "restart-on-config" is false');
    const quiet = await stage.deploy('calm', objects('three'), { 'restart-on-config': 'false' });
    expect(quiet.outputs['status']).toBe('unchanged');
    expect(quiet.log).not.toContain('not replaced');

    // What was deployed so is brought back so; the pods that still run with the first config are left, too.
    await stage.given('calm', objects('four'), { 'restart-on-config': 'false' });
    const back = await stage.command('calm', 'rollback');
    expect(back.outputs['status']).toBe('rolled-back');
    expect(await answers()).toEqual([['one'], ['two'], ['three'], ['one']]);

    const wrong = await stage.deploy('calm', [opted(deployment('reloads', fromMap('calm')), 'no')]);
    expect(wrong.exit).toBe(1);
    expect(wrong.log).toContain('has the annotation "gke-rollout/restart-on-config" with the value "no"');
  });

  test('of a release that was deployed before there were hashes: nothing restarts for their sake', async () => {
    const objects = (value: string, version = '1.0.0') => greeter('older', value, { image: image(version) });
    await stage.given('older', objects('one'));
    // An apply of ours without the hash is what an earlier version has left.
    await stage.applyAs('gke-rollout', objects('one'));
    await stage.kubectl('rollout', 'status', 'deploy/older', '--timeout=60s');
    const hash = async () => hashOf(await stage.read('deploy', 'older'));
    expect(await hash()).toBeUndefined();
    const pods = uids(await stage.pods('app=older'));

    expect((await stage.deploy('older', objects('one'))).outputs['status']).toBe('unchanged');
    const scaled = await stage.command('older', 'scale', { replicas: '2' });
    expect(scaled.exit).toBe(0);
    expect(uids(await stage.pods('app=older'))).toEqual(expect.arrayContaining(pods));
    expect(await hash()).toBeUndefined();

    expect((await stage.deploy('older', objects('two'))).exit).toBe(0);
    expect(await stage.answers('app=older', greeting)).toEqual(['two']);
    expect(await hash()).toBeDefined();

    await stage.applyAs('gke-rollout', objects('two'));
    await stage.kubectl('rollout', 'status', 'deploy/older', '--timeout=60s');
    const revision = await stage.revisionOf('older');
    expect((await stage.deploy('older', objects('two', '2.0.0'))).exit).toBe(0);
    expect(await hash()).toBeDefined();
    expect(await stage.revisionOf('older')).toBe(revision + 1);
  });

  test('and that kubectl has undone in the pods reaches them again, with no conflict about the hash', async () => {
    await stage.given('undone', greeter('undone', 'one'));
    await stage.given('undone', greeter('undone', 'two'));
    await stage.kubectl('rollout', 'undo', 'deploy/undone');
    await stage.kubectl('rollout', 'status', 'deploy/undone', '--timeout=60s');
    const pods = uids(await stage.pods('app=undone'));
    expect((await stage.command('undone', 'scale', { replicas: '2' })).exit).toBe(0);
    expect(uids(await stage.pods('app=undone'))).toEqual(expect.arrayContaining(pods));
    await stage.given('undone', greeter('undone', 'three'));
    expect(await stage.answers('app=undone', greeting)).toEqual(['three']);
    expect((await stage.deploy('undone', greeter('undone', 'three'))).outputs['status']).toBe('unchanged');
  });

  test('of objects that kubectl has made reaches the pods; config that stays leaves them', async () => {
    await stage.apply(greeter('adopted', 'one'));
    await stage.kubectl('rollout', 'status', 'deploy/adopted', '--timeout=60s');
    const pods = uids(await stage.pods('app=adopted'));
    await stage.given('adopted', greeter('adopted', 'one'));
    expect(uids(await stage.pods('app=adopted'))).toEqual(pods);
    // Only an entry goes: the server cannot say so before its owner is another one.
    await stage.given('adopted', [deployment('adopted', fromMap('adopted')), configMap('adopted', { OTHER: 'two' })]);
    expect(await stage.answers('app=adopted', greeting)).toEqual(['']);
  });

  test('by somebody else is put back into the pods as well', async () => {
    await stage.given('drift', greeter('drift', 'ours'));
    await stage.patch('configmap', 'drift', { data: { GREETING: 'theirs' } });
    await stage.kubectl('rollout', 'restart', 'deploy/drift');
    await stage.kubectl('rollout', 'status', 'deploy/drift', '--timeout=60s');
    expect((await stage.deploy('drift', greeter('drift', 'ours'), { 'force-conflicts': 'true' })).exit).toBe(0);
    expect(await stage.answers('app=drift', greeting)).toEqual(['ours']);
    expect((await stage.deploy('drift', greeter('drift', 'ours'))).outputs['status']).toBe('unchanged');
  });
});

describe('with a canary, config that changes alone', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open('canary');
  });

  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  });

  const objects = (name: string, value: string) => [
    ...app(name, '1.0.0', fromMap(name)),
    configMap(name, { GREETING: value }),
  ];

  test('is tried by the candidate alone; abort takes it away, and a promotion rolls the pods once', async () => {
    await stage.given('web', objects('web', 'one'));
    const stable = 'app=web,gke-rollout/track!=canary';
    const pods = uids(await stage.pods(stable));
    const waits = await stage.deploy('web', objects('web', 'two'), { 'auto-promote': 'false' });
    expect(waits.outputs['status']).toBe('waiting');
    expect(await stage.answers('gke-rollout/track=canary', greeting)).toEqual(['two']);
    expect(await stage.answers(stable, greeting)).toEqual(['one', 'one']);

    expect((await stage.command('web', 'abort')).outputs['status']).toBe('aborted');
    expect(uids(await stage.pods('app=web'))).toEqual(pods);
    expect(await stage.answers(stable, greeting)).toEqual(['one', 'one']);

    await stage.given('web', objects('web', 'two'), { 'auto-promote': 'false' });
    expect((await stage.command('web', 'promote')).outputs['status']).toBe('deployed');
    expect(await stage.answers('app=web', greeting)).toEqual(['two', 'two']);
    expect(await stage.revisionOf('web')).toBe(2);
    expect((await stage.deploy('web', objects('web', 'two'))).outputs['status']).toBe('unchanged');

    expect((await stage.command('web', 'rollback')).outputs['status']).toBe('rolled-back');
    expect(await stage.answers('app=web', greeting)).toEqual(['one', 'one']);
  });

  test('that is bad never reaches the stable pods', async () => {
    await stage.given('sick', objects('sick', 'one'));
    const pods = uids(await stage.pods('app=sick'));
    const bad = [...app('sick', '1.0.0', fromMap('sick')), configMap('sick', { CRASH_AFTER: '0' })];
    expect((await stage.deploy('sick', bad)).outputs['status']).toBe('undone');
    expect(uids(await stage.pods('app=sick'))).toEqual(pods);
    expect(stringAt(await stage.read('configmap', 'sick'), 'data', 'GREETING')).toBe('one');
  });

  test('and is new, where stable pods would read it too, is not there for them before the promotion', async () => {
    const optional = { envFrom: [{ configMapRef: { name: 'later', optional: true } }] };
    await stage.given('later', app('later', '1.0.0', optional));
    const next = [...app('later', '2.0.0', optional), configMap('later', { GREETING: 'new' })];
    await stage.given('later', next, { 'auto-promote': 'false' });
    expect(await stage.answers('gke-rollout/track=canary', greeting)).toEqual(['new']);
    expect(await stage.exists('configmap', 'later')).toBe(false);
    expect((await stage.command('later', 'promote')).exit).toBe(0);
    expect(await stage.answers('app=later', greeting)).toEqual(['new', 'new']);
  });

  test('is promoted with the setting that it was deployed with', async () => {
    await stage.given('still', objects('still', 'one'));
    const pods = uids(await stage.pods('app=still'));
    const result = await stage.deploy('still', objects('still', 'two'), {
      'restart-on-config': 'false',
      'auto-promote': 'false',
    });
    expect(result.outputs['status']).toBe('deployed');
    expect(uids(await stage.pods('app=still'))).toEqual(pods);
    const next = [...app('still', '2.0.0', fromMap('still')), configMap('still', { GREETING: 'three' })];
    await stage.given('still', next, { 'restart-on-config': 'false', 'auto-promote': 'false' });
    expect((await stage.command('still', 'promote')).exit).toBe(0);
    expect(await stage.answers('app=still', greeting)).toEqual(['three', 'three']);
    expect(await stage.revisionOf('still')).toBe(2);
  });
});

describe('with blue-green, config that changes alone', () => {
  let stage: Stage;

  beforeAll(async () => {
    stage = await Stage.open('blue-green');
  });

  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  });

  const objects = (value: string) => [...app('web', '1.0.0', fromMap('web')), configMap('web', { GREETING: value })];

  /** What the Service answers. */
  async function served(): Promise<string> {
    const url = (await stage.urlOf('web')).replace('/version', greeting);
    return (await (await fetch(url)).text()).trim();
  }

  test('is served by the other side, each side keeps its own, and a rollback only switches back', async () => {
    await stage.given('web', objects('one'));
    expect(await served()).toBe('one');
    const blue = uids(await stage.pods('app=web'));
    const changed = await stage.deploy('web', objects('two'), { 'keep-old-for': '0s', 'auto-promote': 'false' });
    expect(changed.outputs['status']).toBe('waiting');
    expect(await served()).toBe('one');
    expect((await stage.command('web', 'promote', { 'keep-old-for': '1s' })).exit).toBe(0);
    expect(await served()).toBe('two');
    expect(uids(await stage.pods('app=web'))).not.toEqual(expect.arrayContaining(blue));
    expect((await stage.deploy('web', objects('two'))).outputs['status']).toBe('unchanged');

    // Back to blue, whose config has stayed what it was, and on to green again, which starts anew.
    expect((await stage.command('web', 'rollback', { 'keep-old-for': '0s' })).outputs['status']).toBe('rolled-back');
    expect(await served()).toBe('one');
    expect((await stage.deploy('web', objects('three'))).exit).toBe(0);
    expect(await served()).toBe('three');
    expect((await stage.deploy('web', objects('three'))).outputs['status']).toBe('unchanged');
  });

  test('that both sides of the user read reaches the pods of the one that serves, in place', async () => {
    const side = (color: string, version: string) => {
      const labels = { app: 'own', side: color };
      return [relabelled(deployment('own', { image: image(version), ...fromMap('own') }), `own-${color}`, labels)];
    };
    const run = async (value: string) =>
      await stage.run(
        'own',
        {},
        {
          'own-blue.yaml': side('blue', '1.0.0'),
          'own-green.yaml': side('green', '2.0.0'),
          'app.yaml': [
            configMap('own', { GREETING: value }),
            service('own', { selector: { app: 'own', side: 'blue' } }),
          ],
        },
      );
    expect((await run('one')).exit).toBe(0);
    const changed = await run('two');
    expect(changed.exit).toBe(0);
    expect(changed.log).toContain('own-blue serves, and config read by both sides changes');
    expect(await stage.answers('app=own', greeting)).toEqual(['two']);
    expect(await stage.exists('deployment', 'own-green')).toBe(false);
    expect((await run('two')).outputs['status']).toBe('unchanged');
  });
});

/** The same pods, one on each node. */
function daemonSet({ spec, ...made }: ReturnType<typeof deployment>): object {
  const { selector, template } = spec;
  return { ...made, kind: 'DaemonSet', spec: { selector, template } };
}

/** Ends at once; its template can never change. */
function job(name: string, config: string): object {
  const container = { name: 'job', image: image('1.0.0'), args: ['job'], ...fromMap(config) };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [container] } } },
  };
}
