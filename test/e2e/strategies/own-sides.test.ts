import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, stringAt } from '../../../src/base/json.ts';
import { autoscaler, deployment, relabelled, service } from '../../support/objects.ts';
import { testKubeconfig } from '../../support/kubectl.ts';
import { image, Stage, until, type Inputs } from '../../support/strategy-stage.ts';
import { Step, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

const root = join(import.meta.dirname, '../../..');

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('blue-green');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

type Side = 'blue' | 'green';

/** A Deployment of one side, as tutorials have them: told apart by the label `version`. */
function sided(app: string, side: Side, version: string, replicas = 1): object {
  const made = deployment(app, { replicas, image: image(version) });
  return relabelled(made, `${app}-${side}`, { app, version: side });
}

/** One Service for both, which the manifest binds to a side or to neither. */
function shared(app: string, side?: Side): object {
  return service(app, { selector: { app, ...(side === undefined ? {} : { version: side }) } });
}

function files(app: string, blue: string, green: string, side: Side = 'blue'): Record<string, readonly object[]> {
  return {
    'app-blue.yaml': [sided(app, 'blue', blue)],
    'app-green.yaml': [sided(app, 'green', green)],
    'service.yaml': [shared(app, side)],
  };
}

async function scales(name: string): Promise<string | undefined> {
  return stringAt(await stage.read('hpa', name), 'spec', 'scaleTargetRef', 'name');
}

async function serves(app: string): Promise<string> {
  return (await stage.selectorOf(app))['version'] ?? '';
}

async function podsOf(app: string): Promise<(number | undefined)[]> {
  return [await stage.replicasOf(`${app}-blue`), await stage.replicasOf(`${app}-green`)];
}

describe("blue-green with two sides of the user's own", () => {
  test('brings in one, then the one whose manifest is new, and a rollback is a switch back', async () => {
    const first = await stage.run('turn', {}, files('turn', '1.0.0', '1.0.0'));
    expect(first.outputs).toMatchObject({ status: 'deployed', revision: '1' });
    expect(first.log).toContain('turn-blue is the next live side; turn-green is left as it is');
    expect(await stage.exists('deployment', 'turn-green')).toBe(false);

    const same = await stage.run('turn', {}, files('turn', '1.0.0', '1.0.0'));
    expect(same.outputs['status']).toBe('unchanged');

    const before = await stage.read('deployment', 'turn-blue');
    const second = await stage.run('turn', { 'keep-old-for': '1s' }, files('turn', '1.0.0', '2.0.0'));
    expect(second.outputs).toMatchObject({ status: 'deployed', revision: '2' });
    // As the user wrote them: no label of ours, no pod made anew.
    expect(await stage.selectorOf('turn')).toEqual({ app: 'turn', version: 'green' });
    expect(at(await stage.read('deployment', 'turn-blue'), 'spec', 'template')).toEqual(at(before, 'spec', 'template'));
    expect(await podsOf('turn')).toEqual([0, 1]);
    expect(await stage.imageOf('turn-green')).toBe(image('2.0.0'));
    expect(await stage.exists('service', 'turn-preview')).toBe(false);
    expect(second.summary).toContain('`registry.test/ctwoc:1.0.0` → `2.0.0`');

    const again = await stage.run('turn', {}, files('turn', '1.0.0', '2.0.0'));
    expect(again.outputs['status']).toBe('unchanged');
    expect(await serves('turn')).toBe('green');

    const back = await stage.run('turn', { command: 'rollback', 'keep-old-for': '0s' });
    expect(back.outputs).toMatchObject({ status: 'rolled-back', revision: '3' });
    expect(await serves('turn')).toBe('blue');
    expect(await podsOf('turn')).toEqual([1, 0]);
    expect(back.log).not.toContain('was left');

    const forward = await stage.run('turn', {}, files('turn', '1.0.0', '2.0.0'));
    expect(forward.outputs).toMatchObject({ status: 'deployed', revision: '4' });
    expect(await serves('turn')).toBe('green');
  });

  test('brings the image of the inputs to the side that is at rest', async () => {
    const run = async (tag: string): Promise<StepResult> =>
      await stage.run(
        'tag',
        { 'image-tag': tag },
        { ...files('tag', '1.0.0', '1.0.0'), 'scaler.yaml': [autoscaler('tag', 'tag-blue')] },
      );
    await run('1.0.0');
    await run('2.0.0');
    expect([await serves('tag'), await stage.imageOf('tag-green')]).toEqual(['green', image('2.0.0')]);
    // An autoscaler of both follows what serves.
    expect(await scales('tag')).toBe('tag-green');
    expect((await run('2.0.0')).outputs['status']).toBe('unchanged');
    await run('3.0.0');
    expect([await serves('tag'), await stage.imageOf('tag-blue')]).toEqual(['blue', image('3.0.0')]);
    expect(await podsOf('tag')).toEqual([1, 0]);
  });

  test('takes over what kubectl has brought in, and switches to the side that the Service now selects', async () => {
    const objects = [sided('taken', 'blue', '1.0.0'), sided('taken', 'green', '2.0.0'), shared('taken', 'blue')];
    await stage.apply(objects);
    const uid = (await stage.read('deployment', 'taken-green')).metadata.uid;
    const result = await stage.run('taken', {}, files('taken', '1.0.0', '2.0.0', 'green'));
    expect(result.outputs['status']).toBe('deployed');
    expect(await serves('taken')).toBe('green');
    expect((await stage.read('deployment', 'taken-green')).metadata.uid).toBe(uid);
    expect(await podsOf('taken')).toEqual([0, 1]);
  });

  test('takes a Service of each side, as tutorials have them, and binds one that selects both', async () => {
    const each = (green: string) => ({
      'app-blue.yaml': [sided('each', 'blue', '1.0.0'), shared('each', 'blue'), autoscaler('each-blue', 'each-blue')],
      'app-green.yaml': [
        sided('each', 'green', green),
        shared('each', 'green'),
        autoscaler('each-green', 'each-green'),
      ],
      'shared.yaml': [service('each-all', { selector: { app: 'each' } })],
    });
    await stage.run('each', {}, each('1.0.0'));
    const second = await stage.run('each', {}, each('2.0.0'));
    expect(second.outputs['status']).toBe('deployed');
    expect([await serves('each'), await serves('each-all')]).toEqual(['green', 'green']);
    // An autoscaler that is called like one side stays with it.
    expect([await scales('each-blue'), await scales('each-green')]).toEqual(['each-blue', 'each-green']);
    expect((await stage.run('each', {}, each('2.0.0'))).outputs['status']).toBe('unchanged');
  });

  test('left waiting is promoted or aborted without a checkout', async () => {
    await stage.run('wait', {}, files('wait', '1.0.0', '1.0.0'));
    const wait: Inputs = { 'auto-promote': 'false' };
    const waiting = await stage.run('wait', wait, files('wait', '1.0.0', '2.0.0'));
    expect(waiting.outputs['status']).toBe('waiting');
    expect([await serves('wait'), await podsOf('wait')]).toEqual(['blue', [1, 1]]);
    expect(await stage.selectorOf('wait-preview')).toEqual({ app: 'wait', version: 'green' });
    // The Service by which it can be asked is none that says which side serves.
    const newer = await stage.run('wait', wait, files('wait', '1.0.0', '3.0.0'));
    expect(newer.outputs['status']).toBe('waiting');
    expect(await stage.imageOf('wait-green')).toBe(image('3.0.0'));
    const aborted = await stage.run('wait', { command: 'abort' });
    expect(aborted.outputs['status']).toBe('aborted');
    expect(await stage.exists('deployment', 'wait-green')).toBe(false);

    await stage.run('wait', wait, files('wait', '1.0.0', '2.0.0'));
    const promoted = await stage.run('wait', { command: 'promote', 'keep-old-for': '0s' });
    expect(promoted.outputs['status']).toBe('deployed');
    expect([await serves('wait'), await podsOf('wait')]).toEqual(['green', [0, 1]]);
    const status = await stage.run('wait', { command: 'status' });
    expect(status.exit).toBe(0);
    expect(status.log).toContain('wait-green');
  });

  test('with a side that never gets ready moves nothing', async () => {
    await stage.run('sick', {}, files('sick', '1.0.0', '1.0.0'));
    const result = await stage.run('sick', {}, files('sick', '1.0.0', '9.9.9'));
    expect(result.outputs['status']).toBe('undone');
    expect(await serves('sick')).toBe('blue');
    expect(await stage.exists('deployment', 'sick-green')).toBe(false);
  });

  test('refuses to change the side that serves, before anything has changed', async () => {
    await stage.run('place', {}, files('place', '1.0.0', '1.0.0'));
    const result = await stage.run('place', {}, files('place', '2.0.0', '1.0.0'));
    expect(result.exit).toBe(1);
    expect(result.log).toMatch(/app-blue\.yaml.*Deployment "place-blue" serves, and its manifest has changed/s);
    expect(await stage.imageOf('place-blue')).toBe(image('1.0.0'));
  });

  test('is not changed in place by a run that waited while another one switched', async () => {
    await stage.run('race', {}, files('race', '1.0.0', '1.0.0'));
    const versions = ['2.0.0', '3.0.0'];
    const results = await Promise.all(
      versions.map(async (version) => await stage.run('race', {}, files('race', '1.0.0', version))),
    );
    expect(results.map(({ exit }) => exit).sort()).toEqual([0, 1]);
    const won = results.findIndex(({ exit }) => exit === 0);
    const lost = results.find(({ exit }) => exit === 1);
    expect(lost?.log).toMatch(/another run switched to the green side meanwhile|serves, and its manifest has changed/);
    expect([await serves('race'), await stage.imageOf('race-green')]).toEqual(['green', image(versions[won] ?? '')]);
  });

  test('refuses another strategy, which would move the Service as it is written', async () => {
    await stage.run('leave', {}, files('leave', '1.0.0', '2.0.0', 'green'));
    const rolling = { strategy: 'rolling', 'keep-old-for': '' };
    const result = await stage.run('leave', rolling, files('leave', '1.0.0', '2.0.0'));
    expect(result.exit).toBe(1);
    expect(result.log).toContain(
      'release "leave" has a blue and a green side, and the strategy "rolling" would leave out',
    );
    expect(await serves('leave')).toBe('green');
    const whole = { 'app.yaml': [sided('leave', 'green', '2.0.0')], 'service.yaml': [shared('leave', 'green')] };
    expect((await stage.run('leave', rolling, whole)).outputs['status']).toBe('unchanged');
  });

  test('refuses a Service that sends requests to both sides now', async () => {
    const objects = [sided('both', 'blue', '1.0.0'), sided('both', 'green', '2.0.0'), shared('both')];
    await stage.apply(objects);
    const result = await stage.run('both', {}, files('both', '1.0.0', '3.0.0'));
    expect(result.exit).toBe(1);
    expect(result.log).toContain('Service "both" sends its requests to both sides');
  });

  test('deploys the example, and switches when its Service says green', async () => {
    const example = (change: (text: string) => string) =>
      Object.fromEntries(
        ['ctwoc-blue.yaml', 'ctwoc-green.yaml', 'ctwoc.yaml'].map((file) => {
          const text = readFileSync(join(root, 'examples/ctwoc/blue-green', file), 'utf8');
          return [file, file === 'ctwoc.yaml' ? change(text) : text];
        }),
      );
    await stage.run(
      'ctwoc',
      {},
      example((text) => text),
    );
    expect([await serves('ctwoc'), await stage.imageOf('ctwoc-blue')]).toEqual(['blue', image('1.0.0')]);
    const result = await stage.run(
      'ctwoc',
      { verify: '/version contains 2.0.0' },
      example((text) => text.replace('version: blue', 'version: green')),
    );
    expect(result.outputs['status']).toBe('deployed');
    expect([await serves('ctwoc'), await stage.imageOf('ctwoc-green')]).toEqual(['green', image('2.0.0')]);
  });

  test('finds what is wrong with the input before it undoes what a killed run has left; a plan undoes nothing', async () => {
    await stage.run('dead', {}, files('dead', '1.0.0', '1.0.0'));
    const workspace = createWorkspace(files('dead', '1.0.0', '2.0.0'));
    const where = { kubeconfig: testKubeconfig(), namespace: stage.namespace, release: 'dead' };
    const step = new Step({ ...where, manifests: '.', strategy: 'blue-green', timeout: '60s' }, { workspace });
    const running = step.main();
    await until('the green side comes up', async () => await stage.exists('deployment', 'dead-green'));
    step.signal('SIGKILL');
    await running;
    step.dispose();
    removeWorkspace(workspace);
    const left = async () => await stage.kubectl('get', 'secrets', '-o', 'name', 'gke-rollout.dead.journal');
    const journal = await left();

    const wrong = await stage.run('dead', { replicas: 'nobody=3' }, files('dead', '1.0.0', '2.0.0'));
    expect(wrong.exit).toBe(1);
    expect(wrong.log).toContain('nobody');
    const plan = { command: 'plan', manifests: '.', strategy: 'blue-green' };
    const told = await stage.run('dead', plan, files('dead', '1.0.0', '2.0.0'));
    expect(told.log).toContain('is in progress or was killed');
    expect(wrong.log + told.log).not.toMatch(/^(?:::group::Undo|Undo:)$/m);
    expect(await left()).toBe(journal);
    expect(await stage.exists('deployment', 'dead-green')).toBe(true);

    // What is meant for the side that is to serve is right, although that is known only once the rest is undone.
    const again = await stage.run('dead', { replicas: 'dead-green=1' }, files('dead', '1.0.0', '2.0.0'));
    expect(again.outputs['status']).toBe('deployed');
    expect(await serves('dead')).toBe('green');
  });
});
