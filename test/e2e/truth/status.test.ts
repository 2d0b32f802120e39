import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { numberAt } from '../../../src/base/json.ts';
import type { StepResult } from '../../support/step.ts';
import { autoscaler, configMap, deployment, service } from '../../support/objects.ts';
import { app, image, Stage } from '../../support/strategy-stage.ts';

/** `status` says what the cluster shows, never what was written. */

const missing = 'registry.test/pulled/ctwoc:9.9.9';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

async function told(release: string, inputs: Record<string, string> = {}): Promise<StepResult & { heading: string }> {
  const result = await stage.command(release, 'status', inputs);
  return { ...result, heading: result.summary.split('\n')[0] ?? '' };
}

/** Asks until the log says so: what pods show comes a moment after what was done to them. */
async function toldOnce(release: string, text: RegExp): Promise<StepResult & { heading: string }> {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const result = await told(release);
    if (text.test(result.heading) || Date.now() > deadline) return result;
  }
}

describe('of a release that is deployed', () => {
  test('names that it is healthy, the versions, and where a rollback would go', async () => {
    await stage.given('well', [...app('well', '1.0.0'), configMap('well', { a: '1' })]);
    const first = await told('well');
    expect(first.exit).toBe(0);
    expect(first.outputs).toMatchObject({ status: 'reported', healthy: 'true', revision: '1' });
    expect(first.heading).toContain('✅ Revision 1 of well is live: healthy');
    expect(first.log).toContain(`2 pods run ${image('1.0.0')}`);
    expect(first.log).toContain('"rollback" has no target');
    expect(first.log).not.toContain('changed since the deploy');

    await stage.given('well', [...app('well', '2.0.0'), configMap('well', { a: '2' })]);
    const second = await told('well');
    expect(second.log).toContain('"rollback" would go to revision 1');
    expect(second.log).toContain(`Deployment/well/web ${image('2.0.0')} → ${image('1.0.0')}; changes ConfigMap/well`);
    expect(second.summary).toContain('would go to revision 1');
  });

  test('names an image that cannot be pulled, who has set it, and what the pods run', async () => {
    await stage.given('pull', app('pull', '1.0.0'));
    await stage.kubectl('set', 'image', 'deployment/pull', `web=${missing}`);
    const result = await toldOnce('pull', /not found/);
    expect(result.exit).toBe(0);
    expect(result.outputs['healthy']).toBe('false');
    expect(result.heading).not.toContain('✅');
    expect(result.heading).toContain('not healthy: Deployment "pull"');
    expect(result.heading).toMatch(/image .* not found/);
    expect(result.log).toMatch(/image of container "web": .*ctwoc:1\.0\.0 → .*ctwoc:9\.9\.9 \(kubectl-set, since 20/);
    expect(result.log).toContain(`2 pods run ${image('1.0.0')}, 1 pod ${missing} (not ready)`);
  });

  test('names a container that crashes, with the end of its log, also while it runs between two crashes', async () => {
    await stage.given('crash', app('crash', '1.0.0'));
    await stage.kubectl('set', 'env', 'deployment/crash', 'CRASH_AFTER=3s', 'CRASH_MESSAGE=fatal: no database');
    const result = await toldOnce('crash', /keeps crashing \(exit code/);
    expect(result.outputs['healthy']).toBe('false');
    expect(result.heading).toContain('⚠️');
    expect(result.heading).toMatch(/not healthy: Deployment "crash".*exit code 1/);
    expect(result.log).toContain('env CRASH_AFTER of container "web": (none) → 3s (kubectl-set');
    expect(result.log).toContain('    fatal: no database');
    expect(result.summary).toContain('Evidence: Deployment');
  });

  test('names what is scaled to 0, the Service that leads nowhere, and who did it', async () => {
    await stage.given('zero', app('zero', '1.0.0'));
    await stage.kubectl('scale', 'deployment/zero', '--replicas=1');
    await stage.kubectl('rollout', 'status', 'deployment/zero', '--timeout=60s');
    const less = await told('zero');
    expect(less.outputs['healthy']).toBe('true');
    expect(less.heading).toMatch(/⚠️.*healthy; changed since: Deployment "zero": replicas: 2 → 1 \(kubectl/);

    await stage.kubectl('scale', 'deployment/zero', '--replicas=0');
    await stage.kubectl('wait', '--for=delete', 'pod', '-l', 'app=zero', '--timeout=60s');
    const result = await told('zero');
    expect(result.outputs['healthy']).toBe('false');
    expect(result.heading).toContain('not healthy: Deployment "zero": scaled to 0, so no pods run');
    expect(result.summary).toContain('Service "zero" has no ready endpoint');
    // With 0, the server keeps no owner of the field.
    expect(result.log).toContain('Deployment "zero": replicas: 2 → 0');
  });

  test('leaves the number of pods to an autoscaler', async () => {
    await stage.given('auto', [deployment('auto'), autoscaler('auto')]);
    await stage.kubectl('scale', 'deployment/auto', '--replicas=2');
    await stage.kubectl('rollout', 'status', 'deployment/auto', '--timeout=60s');
    expect((await told('auto')).log).not.toContain('changed since the deploy');
  });

  test('names what is missing, changed config, Secrets by their keys alone, and a Service that leads elsewhere', async () => {
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'drift' },
      stringData: { kept: 'same', word: 'old-value' },
    };
    const gone = configMap('drift-gone', { a: '1' });
    await stage.given('drift', [...app('drift', '1.0.0'), configMap('drift', { level: 'info' }), secret, gone]);
    expect((await told('drift')).log).not.toContain('changed since the deploy');

    await stage.kubectl('delete', 'configmap', 'drift-gone');
    await stage.patch('configmap', 'drift', { data: { level: 'debug', more: 'x' } });
    await stage.patch('secret', 'drift', { data: { word: Buffer.from('new-value').toString('base64') } });
    await stage.patch('service', 'drift', { spec: { selector: { app: 'nothing' } } });
    const result = await told('drift');
    expect(result.exit).toBe(0);
    expect(result.outputs['healthy']).toBe('false');
    expect(result.heading).toContain('ConfigMap "drift-gone" is missing');
    expect(result.log).toMatch(/ConfigMap "drift": key "level": info → debug \(kubectl-patch/);
    expect(result.log).toContain('ConfigMap "drift": key "more": (none) → x');
    expect(result.log).toMatch(/Secret "drift": key "word": changed/);
    expect(result.log).toContain('Service "drift": spec.selector.app: drift → nothing');
    expect(result.summary).toContain('Service "drift" has no ready endpoint (app=nothing)');
    // Masks are how a runner gets to know what to hide.
    const shown = result.log.replaceAll(/^::add-mask::.*$/gm, '');
    for (const text of [shown, result.summary, JSON.stringify(result.outputs)])
      expect(text).not.toMatch(/old-value|new-value|bmV3LXZhbHVl|b2xkLXZhbHVl/);
  });

  test('names who has paused it, and what is held back by that', async () => {
    await stage.given('paused', app('paused', '1.0.0'));
    await stage.kubectl('rollout', 'pause', 'deployment/paused');
    const still = await told('paused');
    expect(still.outputs['healthy']).toBe('true');
    expect(still.heading).toContain('⚠️');
    expect(still.heading).toContain('Deployment "paused" is paused by kubectl-rollout at 20');
    await stage.kubectl('set', 'image', 'deployment/paused', `web=${image('2.0.0')}`);
    const held = await toldOnce('paused', /0 of 2 pods updated/);
    expect(held.outputs['healthy']).toBe('false');
    expect(held.log).toContain(`2 pods run ${image('1.0.0')}`);
  });

  test('tells who has scaled, restarted, paused and resumed it, when and why, and a rollback is as before', async () => {
    await stage.given('acts', app('acts', '1.0.0'), { reason: 'the first version' });
    await stage.given('acts', app('acts', '2.0.0'));
    expect((await stage.command('acts', 'scale', { replicas: '3', reason: 'more visitors' })).exit).toBe(0);
    expect((await stage.command('acts', 'restart')).exit).toBe(0);
    expect((await stage.command('acts', 'pause', { reason: 'load test' })).exit).toBe(0);
    const paused = await told('acts');
    expect(paused.heading).toMatch(/Deployment "acts" is paused by octocat .*: "load test"/);
    expect(paused.summary).toMatch(
      /Last change: pause: acts, (just now|\d+ s ago) \(20.* UTC\) by .*octocat.*: “load test”/,
    );
    expect((await stage.command('acts', 'resume')).exit).toBe(0);

    const result = await told('acts');
    const [live, first] = JSON.parse(result.outputs['history'] ?? '[]') as {
      reason?: string;
      events?: { command: string; outcome: string; actor?: string; reason?: string }[];
    }[];
    expect(first).toMatchObject({ outcome: 'superseded', reason: 'the first version' });
    expect(
      live?.events?.map(({ command, outcome, actor, reason = '' }) => `${command} ${outcome} ${actor} ${reason}`),
    ).toEqual([
      'scale done octocat more visitors',
      'restart done octocat ',
      'pause done octocat load test',
      'resume done octocat ',
    ]);
    expect(result.log).not.toContain('changed since the deploy');
    expect(result.log).toContain(
      'Deployment "acts" was scaled from 2 to 3; the next deploy sets the number of the manifests again',
    );
    expect(result.log).toMatch(
      /^ {4}scale: Deployment acts to 3, (?:just now|.* ago) \(20.*Z\) by octocat, "more visitors"$/m,
    );
    expect(result.log).toContain('"rollback" would go to revision 1');
    expect((await stage.command('acts', 'rollback', { reason: 'too slow' })).outputs['status']).toBe('rolled-back');
    expect((await told('acts')).log).toMatch(
      /^revision 3: live, restores revision 1, .* by octocat from 0123456, "too slow"/m,
    );
  });

  test('names what is going', async () => {
    await stage.given('going', [deployment('going'), configMap('going', { a: '1' })]);
    await stage.patch('configmap', 'going', { metadata: { finalizers: ['example.com/hold'] } });
    await stage.kubectl('delete', 'configmap', 'going', '--wait=false');
    const result = await told('going');
    expect(result.outputs['healthy']).toBe('false');
    expect(result.heading).toMatch(/ConfigMap "going": has been terminating since .* finalizer "example.com\/hold"/);
    await stage.patch('configmap', 'going', { metadata: { finalizers: null } });
  });

  test('of which nothing has ever become live is not healthy', async () => {
    await stage.deploy('never', [deployment('never', { image: missing })]);
    const result = await told('never');
    expect(result.exit).toBe(0);
    expect(result.outputs['healthy']).toBe('false');
    expect(result.heading).toContain('⚠️ No live revision of never');
    expect(result.heading).toContain('undone');
  });
});

test('a release that does not exist is an error, with those that do', async () => {
  await using own = await Stage.open('rolling');
  const none = await own.command('nope', 'status');
  expect(none.exit).toBe(1);
  expect(none.log).toContain('No releases here');
  await own.given('one', [configMap('one', { a: '1' })]);
  await own.given('two', [configMap('two', { a: '1' })]);
  const result = await own.command('nope', 'status');
  expect(result.exit).toBe(1);
  expect(result.outputs).toMatchObject({ status: 'failed', healthy: 'false' });
  expect(result.log).toContain(`no release "nope" in namespace "${own.namespace}". Releases here: one, two`);
  expect(result.summary).not.toContain('✅');
});

describe('a candidate that waits', () => {
  test('is told with its own health', async () => {
    const inputs = { strategy: 'canary', 'step-duration': '1s', 'auto-promote': 'false' };
    await stage.given('wait', app('wait', '1.0.0'));
    await stage.given('wait', app('wait', '2.0.0'), inputs);
    const well = await told('wait');
    expect(well.outputs['healthy']).toBe('true');
    expect(well.heading).toContain('Revision 1 of wait is live: healthy');
    expect(well.heading).toContain('the candidate (revision 2');
    expect(well.heading).toContain('is ready and waiting for approval');
    expect(well.log).not.toContain('changed since the deploy');

    await stage.kubectl('set', 'image', 'deployment/wait-canary', `web=${missing}`);
    const sick = await toldOnce('wait', /not found/);
    expect(sick.outputs['healthy']).toBe('false');
    expect(sick.heading).toContain('Revision 1 of wait is live: healthy; the candidate (revision 2');
    expect(sick.heading).toContain('is not healthy: Deployment "wait-canary"');
    expect(sick.heading).not.toContain('✅');

    await stage.kubectl('delete', 'deployment', 'wait-canary');
    const lost = await told('wait');
    expect(lost.outputs['healthy']).toBe('false');
    expect(lost.heading).toContain('Deployment "wait-canary" is missing');
  });

  test('of blue-green is told beside the side that serves, and both directions are no change by hand', async () => {
    const inputs = { strategy: 'blue-green', 'keep-old-for': '0s' };
    const config = (value: string) => configMap('sides-config', { value });
    const objects = (version: string, value: string) => [
      deployment('sides', {
        replicas: 2,
        image: image(version),
        envFrom: [{ configMapRef: { name: 'sides-config' } }],
      }),
      service('sides'),
      config(value),
    ];
    await stage.given('sides', objects('1.0.0', '1'), inputs);
    await stage.given('sides', objects('2.0.0', '2'), inputs);
    const green = await told('sides');
    expect(green.log).not.toContain('changed since the deploy');
    expect(green.outputs['healthy']).toBe('true');
    expect(green.log).toContain('sides-green serves behind Service "sides"');
    expect(green.log).toContain(`2 pods run ${image('2.0.0')}`);

    const { selector } = (await stage.read('service', 'sides'))['spec'] as { selector: Record<string, string> };
    await stage.kubectl('scale', 'deployment/sides', '--replicas=1');
    await stage.kubectl('rollout', 'status', 'deployment/sides', '--timeout=60s');
    const track = { ...selector, 'gke-rollout/track': 'blue' };
    expect(numberAt(await stage.read('deployment', 'sides'), 'spec', 'replicas')).toBe(1);
    await stage.patch('service', 'sides', { spec: { selector: track } });
    const moved = await told('sides');
    expect(moved.outputs['healthy']).toBe('false');
    expect(moved.heading).toMatch(/not healthy: Service "sides" (sends requests to sides,|has no ready endpoint)/);
  });
});
