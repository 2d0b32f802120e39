import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { deployment, service } from '../../support/objects.ts';
import { image, Stage } from '../../support/strategy-stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

/** The Service selects its pods by their version too, which changes with each deploy. */
function moving(name: string, version: string): object[] {
  const made = deployment(name, { image: image(version), replicas: 2 });
  const { template } = made.spec;
  const labels = { app: name, version };
  const spec = { ...made.spec, template: { ...template, metadata: { labels } } };
  return [{ ...made, spec }, service(name, { selector: labels })];
}

describe('a Service whose selector changes together with the labels of its pods', () => {
  test('has endpoints until the new pods are ready, and only these afterwards; so has a rollback', async () => {
    await stage.given('moving', moving('moving', '1.0.0'));
    const stuck = await stage.deploy('moving', moving('moving', '9.9.9'), {
      'undo-on-failure': 'false',
      timeout: '20s',
    });
    expect(stuck.outputs['status']).toBe('failed');
    expect(await stage.selectorOf('moving')).toEqual({ app: 'moving' });
    expect(await stage.endpoints('moving')).toHaveLength(2);

    await stage.given('moving', moving('moving', '2.0.0'));
    expect(await stage.selectorOf('moving')).toEqual({ app: 'moving', version: '2.0.0' });
    expect(await stage.endpoints('moving')).toHaveLength(2);

    const back = await stage.command('moving', 'rollback');
    expect(back.outputs['status']).toBe('rolled-back');
    expect(await stage.selectorOf('moving')).toEqual({ app: 'moving', version: '1.0.0' });
    expect(await stage.endpoints('moving')).toHaveLength(2);
  });

  test('is as it was where the deploy is undone', async () => {
    await stage.given('undone', moving('undone', '1.0.0'));
    const result = await stage.deploy('undone', moving('undone', '9.9.9'), { timeout: '20s' });
    expect(result.outputs['status']).toBe('undone');
    expect(await stage.selectorOf('undone')).toEqual({ app: 'undone', version: '1.0.0' });
    expect(await stage.endpoints('undone')).toHaveLength(2);
  });

  test('is refused as a canary before anything has changed', async () => {
    await stage.given('tried', moving('tried', '1.0.0'));
    const result = await stage.deploy('tried', moving('tried', '2.0.0'), { strategy: 'canary', 'step-duration': '1s' });
    expect(result.exit).toBe(1);
    expect(result.log).toContain('Deployment "tried-canary" would get no requests');
    expect(await stage.exists('deployment', 'tried-canary')).toBe(false);
    expect(await stage.selectorOf('tried')).toEqual({ app: 'tried', version: '1.0.0' });
  });
});
