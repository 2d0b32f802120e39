import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { deployment, service } from '../../support/objects.ts';
import type { StepResult } from '../../support/step.ts';
import { app, image, Stage, until } from '../../support/strategy-stage.ts';

/** All pods are ready, and the Service leads to none of them (Shopify/krane requires endpoints of a Service for that). */

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

function headingOf({ summary }: StepResult): string {
  return summary.split('\n')[0] ?? '';
}

const selecting = (name: string, selector: Record<string, string>) => {
  const made = service(name);
  return { ...made, spec: { ...made.spec, selector } };
};

describe('a Service whose selector no pod has', () => {
  test('fails its first deploy with the line of the selector, and is undone', async () => {
    const result = await stage.deploy('typo', [deployment('typo'), selecting('typo', { app: 'tpyo' })]);
    expect(result.exit).toBe(1);
    expect(result.log).toMatch(
      /^::error .*file=.*line=\d+.*Service "typo" has no ready endpoint \(app=tpyo\): no pod of the release has the labels/m,
    );
    expect(await stage.kubectl('get', 'service,deployment', '-o', 'name')).not.toContain('typo');
  });

  test('fails the deploy that brings it in, and the one before serves on', async () => {
    await stage.given('moved', app('moved', '1.0.0'));
    const next = [deployment('moved', { image: image('2.0.0') }), selecting('moved', { app: 'moved', tier: 'front' })];
    const result = await stage.deploy('moved', next);
    expect(result.exit).toBe(1);
    expect(result.outputs['status']).toBe('undone');
    expect(result.log).toContain('Service "moved" has no ready endpoint (app=moved,tier=front)');
    await until('the Service leads to its pods again', async () => (await endpointsOf('moved')).length > 0);
  });

  test('is put right by the same deploy where somebody has patched it', async () => {
    await stage.given('patched', app('patched', '1.0.0'));
    await stage.patch('service', 'patched', { spec: { selector: { slot: 'b' } } });
    await until('the Service leads to nobody', async () => (await endpointsOf('patched')).length === 0);
    const same = await stage.deploy('patched', app('patched', '1.0.0'));
    expect([same.exit, same.outputs['status']]).toEqual([0, 'deployed']);
    expect((await endpointsOf('patched')).length).toBeGreaterThan(0);
  });

  test('is named where it has long been so: an unchanged deploy is not healthy, and a new one is no success', async () => {
    await stage.given('long', app('long', '1.0.0'));
    // The pods lose the label, and the Deployment makes others that the Service does not select either.
    const apart = [deployment('long', { image: image('2.0.0') }), selecting('long', { app: 'long', tier: 'front' })];
    const kept = await stage.deploy('long', apart, { 'undo-on-failure': 'false' });
    expect(kept.exit).toBe(1);
    const again = await stage.deploy('long', apart);
    expect(again.exit).toBe(1);
    expect(headingOf(again)).toContain('Service "long" has no ready endpoint (app=long,tier=front)');
  });
});

test('a Service that waits for pods of its own, beside one that serves, is told and fails neither deploy, status nor abort', async () => {
  const preview = selecting('beside-preview', { app: 'beside', color: 'green' });
  const result = await stage.deploy('beside', [...app('beside', '1.0.0'), preview]);
  expect(result.exit).toBe(0);
  expect(headingOf(result)).toContain('; Service "beside-preview" has no ready endpoint (app=beside,color=green)');
  expect(result.log).toMatch(/^::warning .*Service "beside-preview" has no ready endpoint/m);
  const status = await stage.command('beside', 'status');
  expect(status.outputs['healthy']).toBe('true');
  expect(status.summary).toContain('Service "beside-preview" has no ready endpoint');
});

async function endpointsOf(name: string): Promise<string> {
  const selector = `kubernetes.io/service-name=${name}`;
  const path = 'jsonpath={.items[*].endpoints[*].addresses[*]}';
  return await stage.kubectl('get', 'endpointslices', '-l', selector, '-o', path);
}
