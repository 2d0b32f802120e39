import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, objectsAt } from '../../../src/base/json.ts';
import { configMap, container, deployment, service } from '../../support/objects.ts';
import { image, imageOf, Stage } from '../../support/strategy-stage.ts';

/** A rollback starts from what is in the cluster, and one object does not keep the others from going back. */

const none = 'registry.test/pulled/ctwoc:9.9.9';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

function web(name: string, version: string, env: Record<string, string> = {}) {
  return deployment(name, { image: image(version), env });
}

/** The images that the pods of a Deployment run. */
async function running(name: string): Promise<string[]> {
  return [...new Set((await stage.pods(`app=${name}`)).map((pod) => imageOf(pod) ?? ''))];
}

function job(name: string, version: string) {
  const containers = [container({ image: image(version), env: { CRASH_AFTER: '0.1s', EXIT_CODE: '0' } })];
  const template = { spec: { containers, restartPolicy: 'Never' } };
  return { apiVersion: 'batch/v1', kind: 'Job', metadata: { name }, spec: { template } };
}

describe('a rollback without a number', () => {
  test('after a failed deploy that was kept goes to the live version, then further back (helm/helm#1796)', async () => {
    await stage.given('kept', [web('kept', '1.0.0')]);
    await stage.given('kept', [web('kept', '2.0.0')]);
    const broken = deployment('kept', { image: none });
    const failed = await stage.deploy('kept', [broken], { 'undo-on-failure': 'false' });
    expect(failed.outputs['status']).toBe('failed');
    const first = await stage.command('kept', 'rollback');
    expect(first.outputs['status']).toBe('rolled-back');
    expect(await running('kept')).toEqual([image('2.0.0')]);
    expect((await stage.command('kept', 'rollback')).outputs['status']).toBe('rolled-back');
    expect(await running('kept')).toEqual([image('1.0.0')]);
  });

  test('after changes by hand goes to the live version, puts it back as a whole, and says whose changes are gone', async () => {
    const objects = (version: string) => [
      web('hand', version),
      service('hand'),
      configMap('hand', { GREETING: version }),
    ];
    await stage.given('hand', objects('1.0.0'));
    await stage.given('hand', objects('2.0.0'));
    await stage.kubectl('set', 'image', 'deployment/hand', `web=${image('3.0.0')}`);
    await stage.kubectl('set', 'env', 'deployment/hand', 'DEBUG=1');
    await stage.kubectl('set', 'selector', 'service/hand', 'app=nobody');
    await stage.patch('configmap', 'hand', { data: { GREETING: 'by hand', MORE: 'x' } });
    await stage.kubectl('label', 'deployment/hand', 'team=shop');
    const back = await stage.command('hand', 'rollback');
    expect(back.outputs['status']).toBe('rolled-back');
    expect(await running('hand')).toEqual([image('2.0.0')]);
    const live = await stage.read('deployment', 'hand');
    const env = objectsAt(live, 'spec', 'template', 'spec', 'containers', 0, 'env').map(({ name }) => name);
    expect(env).not.toContain('DEBUG');
    expect(live.metadata.labels?.['team']).toBe('shop');
    expect(await stage.selectorOf('hand')).toEqual({ app: 'hand' });
    expect(at(await stage.read('configmap', 'hand'), 'data')).toEqual({ GREETING: '2.0.0' });
    for (const manager of ['kubectl-set', 'kubectl-patch']) expect(back.summary).toContain(manager);

    expect((await stage.command('hand', 'rollback')).outputs['status']).toBe('rolled-back');
    expect(await running('hand')).toEqual([image('1.0.0')]);
    const good = await stage.deploy('hand', objects('2.0.0'));
    expect(good.outputs['status']).toBe('deployed');
  });

  test('after a deletion goes to the live version first, as status says', async () => {
    await stage.given('missed', [web('missed', '1.0.0'), service('missed')]);
    await stage.given('missed', [web('missed', '2.0.0'), service('missed')]);
    await stage.kubectl('delete', 'service,deployment', 'missed');
    expect((await stage.command('missed', 'status')).log).toContain('"rollback" would go to revision 2');
    const back = await stage.command('missed', 'rollback');
    expect(back.outputs['status']).toBe('rolled-back');
    expect(back.log).toContain('a manual change was dropped: Deployment "missed": someone deleted it');
    expect(back.log).toContain('a manual change was dropped: Service "missed": someone deleted it');
    expect(await running('missed')).toEqual([image('2.0.0')]);
    expect((await stage.command('missed', 'rollback')).outputs['status']).toBe('rolled-back');
    expect(await running('missed')).toEqual([image('1.0.0')]);
  });
});

describe('a rollback to a number', () => {
  test('passes over what another manager has applied, added and taken away', async () => {
    await stage.given('mixed', [web('mixed', '1.0.0', { KEEP: 'x' })]);
    await stage.given('mixed', [web('mixed', '2.0.0', { KEEP: 'x' })]);
    const sidecar = { ...container({ image: image('3.0.0'), env: { PORT: '9090' } }), name: 'extra' };
    Reflect.deleteProperty(sidecar, 'readinessProbe');
    await stage.patch('deployment', 'mixed', { spec: { template: { spec: { terminationGracePeriodSeconds: 7 } } } });
    await stage.kubectl('set', 'env', 'deployment/mixed', 'KEEP-');
    await stage.kubectl(
      'patch',
      'deployment',
      'mixed',
      '-p',
      JSON.stringify({ spec: { template: { spec: { containers: [sidecar] } } } }),
    );
    const back = await stage.command('mixed', 'rollback', { 'to-revision': '1' });
    expect(back.outputs['status']).toBe('rolled-back');
    const spec = at(await stage.read('deployment', 'mixed'), 'spec', 'template', 'spec');
    expect(objectsAt(spec, 'containers').map(({ name }) => name)).toEqual(['web']);
    expect(objectsAt(spec, 'containers', 0, 'env').map(({ name }) => name)).toContain('KEEP');
    expect(at(spec, 'terminationGracePeriodSeconds')).toBe(30);
    expect(await running('mixed')).toEqual([image('1.0.0')]);
  });
});

describe('one object that cannot go back', () => {
  test('does not keep the others: a migration Job that has run (IBM/mcp-context-forge#1546)', async () => {
    await stage.given('jobs', [job('jobs', '1.0.0'), web('jobs', '1.0.0')]);
    await stage.kubectl('delete', 'job', 'jobs');
    await stage.given('jobs', [job('jobs', '2.0.0'), web('jobs', '2.0.0')]);
    const uid = (await stage.read('job', 'jobs')).metadata.uid;
    const back = await stage.command('jobs', 'rollback');
    expect(back.outputs['status']).toBe('rolled-back');
    expect(back.summary).toContain('except Job "jobs"');
    expect(back.summary).toContain('it has already run');
    expect(await running('jobs')).toEqual([image('1.0.0')]);
    expect((await stage.read('job', 'jobs')).metadata.uid).toBe(uid);

    await stage.kubectl('delete', 'job', 'jobs');
    const forth = await stage.command('jobs', 'rollback', { 'to-revision': '2' });
    expect(forth.outputs['status']).toBe('rolled-back');
    expect(forth.summary).toContain('a rollback does not run it again');
    expect(await stage.exists('job', 'jobs')).toBe(false);
    expect(await running('jobs')).toEqual([image('2.0.0')]);
  });

  test('comes back under another name where it is config that has become immutable: pods would not see it', async () => {
    const reads = (version: string) =>
      deployment('sealed', { image: image(version), envFrom: [{ configMapRef: { name: 'sealed' } }] });
    await stage.given('sealed', [configMap('sealed', { GREETING: 'one' }), reads('1.0.0')]);
    const two = { ...configMap('sealed', { GREETING: 'two' }), immutable: true };
    await stage.given('sealed', [two, reads('2.0.0')]);
    const back = await stage.command('sealed', 'rollback');
    expect(back.outputs['status']).toBe('rolled-back');
    expect(at(await stage.read('configmap', 'sealed'), 'data')).toEqual({ GREETING: 'two' });
    expect(back.log).toContain('its earlier content is restored as "sealed-r1"');
    expect(await stage.answers('app=sealed', '/env?name=GREETING')).toEqual(['one']);
    expect((await stage.deploy('sealed', [two, reads('2.0.0')])).outputs['status']).toBe('deployed');
    expect(await stage.answers('app=sealed', '/env?name=GREETING')).toEqual(['two']);
  });

  test('and runs the version is an error in one short sentence, before anything is written', async () => {
    await stage.given('bound', [web('bound', '1.0.0')]);
    await stage.kubectl('delete', 'deployment', 'bound');
    const other = web('bound', '2.0.0');
    other.spec.selector.matchLabels = { app: 'bound', v: '2' } as never;
    other.spec.template.metadata.labels = { app: 'bound', v: '2' } as never;
    await stage.given('bound', [other]);
    const back = await stage.command('bound', 'rollback');
    expect(back.exit).toBe(1);
    expect(back.log).toContain('revision 1 cannot be restored: Deployment "bound": spec.selector');
    expect(back.log.split('\n').filter((line) => line.startsWith('::error'))).toHaveLength(1);
    expect(await running('bound')).toEqual([image('2.0.0')]);
  });
});

describe('a deploy', () => {
  test('says what the manifest says where kubectl has scaled, labelled, annotated or restarted', async () => {
    const app = (version: string) => {
      const made = web('scaled', version);
      return { ...made, metadata: { name: 'scaled', labels: { team: 'shop' }, annotations: { note: 'ours' } } };
    };
    await stage.given('scaled', [app('1.0.0')]);
    await stage.kubectl('scale', 'deployment/scaled', '--replicas=2');
    await stage.kubectl('label', '--overwrite', 'deployment/scaled', 'team=other', 'more=kept');
    await stage.kubectl('annotate', '--overwrite', 'deployment/scaled', 'note=theirs');
    await stage.kubectl('rollout', 'restart', 'deployment/scaled');
    const next = await stage.deploy('scaled', [app('2.0.0')]);
    expect(next.outputs['status']).toBe('deployed');
    expect(await stage.replicasOf('scaled')).toBe(1);
    const { labels, annotations } = (await stage.read('deployment', 'scaled')).metadata;
    expect(labels).toMatchObject({ team: 'shop', more: 'kept' });
    expect(annotations).toMatchObject({ note: 'ours' });
    expect(next.log).toContain('spec.replicas was 2 by "kubectl');

    await stage.kubectl('autoscale', 'deployment/scaled', '--min=2', '--max=3', '--cpu=80');
    const scaled = await stage.deploy('scaled', [app('1.0.0')]);
    expect(scaled.outputs['status']).toBe('deployed');
  });
});
