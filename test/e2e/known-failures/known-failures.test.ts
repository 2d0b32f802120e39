import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';

import { ApiServer } from '../../support/api-server.ts';
import { CrashProxy } from '../../support/crash-proxy.ts';
import { Load } from '../../support/load.ts';
import { configMap, service } from '../../support/objects.ts';
import { Step } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';
import { app, image, imageOf, Stage, uids } from '../../support/strategy-stage.ts';

let stage: Stage;

/** Pods of a release, without those of its candidate. */
async function stablePods(name: string) {
  return await stage.pods(`app=${name},gke-rollout/track!=canary`);
}

describe('a canary', () => {
  beforeAll(async () => {
    stage = await Stage.open('canary');
  });

  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  });

  const waits = { 'auto-promote': 'false' };

  test('that waits is taken away by a deploy of the old manifest (openkruise/rollouts#257)', async () => {
    await stage.given('old', app('old', '1.0.0'));
    const before = await stablePods('old');
    await stage.given('old', app('old', '2.0.0'), waits);
    expect(await stage.exists('deployment', 'old-canary')).toBe(true);
    const result = await stage.deploy('old', app('old', '1.0.0'));
    expect(result.exit).toBe(0);
    expect(await stage.exists('deployment', 'old-canary')).toBe(false);
    expect(uids(await stablePods('old'))).toEqual(uids(before));
    expect(await stage.endpoints('old')).toEqual(before.map(({ metadata }) => metadata.name).sort());
    const promoted = await stage.command('old', 'promote');
    expect(promoted.log).toContain('there is no candidate of release "old"');
  });

  test('with a constant total counts from the full number, whatever waits already (argo-rollouts#3372)', async () => {
    const inputs = { ...waits, 'constant-total': 'true', 'canary-steps': '50' };
    const four = (version: string) => app('total', version, { replicas: 4 });
    const shares = async () => [await stage.replicasOf('total'), await stage.replicasOf('total-canary')];
    await stage.given('total', four('1.0.0'));
    await stage.given('total', four('2.0.0'), inputs);
    expect(await shares()).toEqual([2, 2]);
    const second = await stage.deploy('total', four('3.0.0'), inputs);
    expect(second.outputs).toMatchObject({ status: 'waiting', revision: '3' });
    expect(await shares()).toEqual([2, 2]);
    expect(await stage.imageOf('total-canary')).toBe(image('3.0.0'));
    const sick = await stage.deploy('total', four('9.9.9'), inputs);
    expect(sick.outputs['status']).toBe('undone');
    expect(await stage.replicasOf('total')).toBe(4);
    expect((await stage.pods('app=total')).map(imageOf)).toEqual(Array(4).fill(image('1.0.0')));
    expect(await stage.endpoints('total')).toHaveLength(4);
  });

  describe('whose promotion does not come to its end', () => {
    /** Pods read the switch of the sample server from here when they start; it is in no manifest. */
    async function release(name: string, spec: object, container: object = {}) {
      await stage.kubectl('create', 'configmap', name, '--from-literal=NEVER_READY=false');
      const objects = (version: string) => {
        const [workload, own] = app(name, version, { ...container, envFrom: [{ configMapRef: { name } }] }) as {
          spec: object;
        }[];
        return [{ ...workload, spec: { ...workload?.spec, ...spec } }, { ...own }];
      };
      await stage.given(name, objects('1.0.0'));
      await stage.given(name, objects('2.0.0'), waits);
      const pods = { stable: await stablePods(name), candidate: await stage.pods('gke-rollout/track=canary') };
      await stage.patch('configmap', name, configMap(name, { NEVER_READY: 'true' }));
      return pods;
    }

    async function expectAsBefore(name: string, { stable, candidate }: Awaited<ReturnType<typeof release>>) {
      expect(await stage.imageOf(name)).toBe(image('1.0.0'));
      expect(uids(await stablePods(name))).toEqual(uids(stable));
      expect(uids(await stage.pods(`gke-rollout/workload=${name}`))).toEqual(
        uids(candidate.filter(({ metadata }) => metadata.labels?.['gke-rollout/workload'] === name)),
      );
      const status = await stage.command(name, 'status', { timeout: '' });
      expect(status.outputs['history']).toContain('"outcome":"waiting"');
    }

    test('is undone when its time is over (flagger#1588, flagger#1591)', async () => {
      const before = await release('endless', {});
      const result = await stage.command('endless', 'promote', { timeout: '15s' });
      expect(result.outputs['status']).toBe('undone');
      expect(result.durationMs).toBeLessThan(60_000);
      await expectAsBefore('endless', before);
    });

    test('is undone, whatever the deadline says that it has missed meanwhile (kubernaut#199)', async () => {
      // With a hook Kubernetes rolls the stable pods while all serve; the deadline is then the stable Deployment's.
      const hook = { lifecycle: { preStop: { sleep: { seconds: 1 } } } };
      const before = await release('stale', { progressDeadlineSeconds: 6 }, hook);
      const result = await stage.command('stale', 'promote', { timeout: '45s' });
      expect(result.log).toContain('made no progress for 6s (spec.progressDeadlineSeconds)');
      expect(result.outputs['status']).toBe('undone');
      expect(result.log).not.toContain('not ready again');
      await expectAsBefore('stale', before);
    });
  });

  test('is promoted with what it runs, in every stable pod (Azure/k8s-deploy#240)', async () => {
    await stage.given('same', app('same', '1.0.0'));
    await stage.given('same', app('same', '2.0.0'), waits);
    const tried = (await stage.pods('gke-rollout/workload=same')).map(imageOf);
    const result = await stage.command('same', 'promote');
    expect(result.outputs['status']).toBe('deployed');
    expect((await stage.pods('app=same')).map(imageOf)).toEqual([...tried, ...tried]);
  });

  test('that somebody has changed since is not promoted: nobody has tried what would be (Azure/k8s-deploy#240)', async () => {
    await stage.given('drift', app('drift', '1.0.0'));
    await stage.given('drift', app('drift', '2.0.0'), waits);
    await stage.kubectl('set', 'image', 'deployment/drift-canary', `web=${image('3.0.0')}`);
    await stage.kubectl('rollout', 'status', 'deployment/drift-canary', '--timeout=60s');
    const before = await stablePods('drift');
    const result = await stage.command('drift', 'promote');
    expect(result.exit).toBe(1);
    expect(result.log).toContain(
      `runs the image "${image('3.0.0')}" in its container "web", but the version to promote has "${image('2.0.0')}"`,
    );
    expect(uids(await stablePods('drift'))).toEqual(uids(before));
    const aborted = await stage.command('drift', 'abort');
    expect(aborted.outputs['status']).toBe('aborted');
  });
});

describe('blue-green', () => {
  const proxies: CrashProxy[] = [];

  beforeAll(async () => {
    stage = await Stage.open('blue-green');
  });

  afterEach(async () => {
    for (const proxy of proxies.splice(0)) await proxy[Symbol.asyncDispose]();
  });

  afterAll(async () => {
    await stage[Symbol.asyncDispose]();
  });

  test('sends no request to the candidate before the switch, also when it adopts a Service (openkruise/rollouts#230)', async () => {
    await stage.given('adopt', app('adopt', '1.0.0'), { strategy: 'rolling', 'keep-old-for': '' });
    const before = await stage.pods('app=adopt');
    const load = new Load(await stage.urlOf('adopt'), 40);
    const result = await stage.deploy('adopt', app('adopt', '2.0.0'), { 'auto-promote': 'false' });
    const during = await load.stop();
    expect(result.outputs['status']).toBe('waiting');
    expect([...during.answers.keys()]).toEqual(['200 1.0.0']);
    expect(Object.fromEntries(during.lost)).toEqual({});
    expect(await stage.endpoints('adopt')).toEqual(before.map(({ metadata }) => metadata.name).sort());
    expect(await stage.endpoints('adopt-preview')).toHaveLength(2);
  });

  test('killed between the switches of two Services is repaired by the next run (adapter-k8s#81)', async () => {
    using api = await disposable();
    const objects = (name: string, version: string) => [
      ...app(name, version, { replicas: 1 }),
      service(`${name}-admin`, { selector: { app: name }, ports: [{ port: 81, targetPort: 8080 }] }),
    ];
    const tracks = async () => [
      (await stage.selectorOf('two'))['gke-rollout/track'],
      (await stage.selectorOf('two-admin'))['gke-rollout/track'],
    ];
    // How many writes come before the second switch, from one that nobody kills.
    const proxy = await CrashProxy.start(api);
    proxies.push(proxy);
    await stage.given('ref', objects('ref', '1.0.0'));
    proxy.arm();
    await stage.given('ref', objects('ref', '2.0.0'), { kubeconfig: proxy.kubeconfig });
    const switches = proxy.writes.flatMap((write, index) =>
      /^PATCH services\/ref(-admin)?$/.test(write) ? [index + 1] : [],
    );
    expect(switches).toHaveLength(2);

    await stage.given('two', objects('two', '1.0.0'));
    const workspace = createWorkspace({ 'app.yaml': objects('two', '2.0.0') });
    const step = new Step(
      {
        kubeconfig: proxy.kubeconfig,
        namespace: stage.namespace,
        release: 'two',
        manifests: '.',
        strategy: 'blue-green',
        timeout: '60s',
      },
      { workspace },
    );
    proxy.arm({
      write: switches[1] ?? 0,
      moment: 'before',
      kill: () => {
        step.signal('SIGKILL');
      },
    });
    await step.main();
    await proxy.settled();
    step.dispose();
    removeWorkspace(workspace);
    expect((await tracks()).sort()).toEqual(['blue', 'green']);

    // As if the 15 s had passed for which a dead holder keeps its lock.
    await stage.patch('lease', 'gke-rollout.two', { spec: { leaseDurationSeconds: 1 } });
    const next = await stage.deploy('two', objects('two', '2.0.0'));
    expect(next.log).toContain('was killed before it finished');
    expect(next.outputs['status']).toBe('deployed');
    const [track] = await tracks();
    expect(await tracks()).toEqual([track, track]);
    for (const name of ['two', 'two-admin']) {
      const names = await stage.endpoints(name);
      const pods = (await stage.pods('app=two')).filter(({ metadata }) => names.includes(metadata.name));
      expect(pods.map(imageOf)).toEqual([image('2.0.0')]);
    }
  });
});

async function disposable(): Promise<ApiServer & Disposable> {
  const api = await ApiServer.ofTests();
  return Object.assign(api, {
    [Symbol.dispose]: () => {
      api.close();
    },
  });
}
