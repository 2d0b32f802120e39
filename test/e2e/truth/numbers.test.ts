import { afterAll, beforeAll, expect, test } from '@jest/globals';

import { app, Stage, until } from '../../support/strategy-stage.ts';
import type { StepResult } from '../../support/step.ts';
import { deployment } from '../../support/objects.ts';

/** How many pods there are to be: of none all are ready, and somebody else may want another number. */

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

test('a restart of what is scaled to 0 says that there is nothing to restart, and writes nothing', async () => {
  await stage.given('restart', app('restart', '1.0.0'));
  await stage.kubectl('scale', 'deployment/restart', '--replicas=0');
  const before = await stage.read('deployment', 'restart');
  const result = await stage.command('restart', 'restart');
  expect(result.outputs['status']).toBe('unchanged');
  expect(headingOf(result)).toContain('Nothing to restart: Deployment "restart" is scaled to 0 and has no pods');
  expect((await stage.read('deployment', 'restart')).metadata.generation).toBe(before.metadata.generation);
});

test('a restart leaves out what is scaled to 0, says so, and restarts the rest', async () => {
  await stage.given('some', [...app('some', '1.0.0'), deployment('none', { replicas: 1 })]);
  await stage.kubectl('scale', 'deployment/none', '--replicas=0');
  const before = (await stage.pods('app=some')).map(({ metadata }) => metadata.uid);
  const result = await stage.command('some', 'restart');
  expect(headingOf(result)).toContain('✅ some: restarted some in');
  expect(result.log).toContain('nothing to restart: Deployment "none" is scaled to 0 and has no pods');
  const after = (await stage.pods('app=some')).map(({ metadata }) => metadata.uid);
  expect(after.filter((uid) => before.includes(uid))).toEqual([]);
});

test('a resume of what is scaled to 0 does not call it ready', async () => {
  await stage.given('resume', app('resume', '1.0.0'));
  await stage.kubectl('scale', 'deployment/resume', '--replicas=0');
  await stage.command('resume', 'pause');
  const result = await stage.command('resume', 'resume');
  expect(result.exit).toBe(0);
  expect(headingOf(result)).toContain('resume: resumed resume; Deployment "resume" is scaled to 0 and has no pods');
  expect(headingOf(result)).not.toContain('ready');
});

test('a deploy of no pods says that none runs, also when it is unchanged', async () => {
  const none = app('none-wanted', '1.0.0', { replicas: 0 });
  const first = await stage.deploy('none-wanted', none);
  expect(first.exit).toBe(0);
  expect(headingOf(first)).toContain(
    'none-wanted: none-wanted 1.0.0 (new) applied as revision 1; Deployment "none-wanted" is scaled to 0 and has no pods',
  );
  expect(first.summary).toMatch(/\| Deployment `none-wanted` .* \| 0 \| no pods \|/);
  const again = await stage.deploy('none-wanted', none);
  expect(again.outputs['status']).toBe('unchanged');
  expect(headingOf(again)).toContain('is scaled to 0 and has no pods');
  expect(headingOf(again)).not.toContain('healthy');
});

test('a scale that somebody else has overruled meanwhile is no success', async () => {
  await stage.given('overruled', app('overruled', '1.0.0', { env: { READY_DELAY: '8s' } }));
  const scaling = stage.command('overruled', 'scale', { replicas: '3' });
  await until('three are wanted', async () => (await stage.replicasOf('overruled')) === 3);
  await stage.kubectl('scale', 'deployment/overruled', '--replicas=1');
  const result = await scaling;
  expect([result.exit, result.outputs['status']]).toEqual([1, 'failed']);
  expect(headingOf(result)).toContain('but somebody else has scaled Deployment "overruled" to 1 since');
  expect(await stage.replicasOf('overruled')).toBe(1);
});

test('a candidate that has given its place back is not told of as scaled to 0', async () => {
  await stage.given('places', app('places', '1.0.0'));
  const inputs = { strategy: 'canary', 'constant-total': 'true', 'canary-steps': '50', 'step-duration': '0s' };
  const result = await stage.deploy('places', app('places', '2.0.0'), inputs);
  expect(result.outputs['status']).toBe('deployed');
  expect(headingOf(result)).toMatch(/^### ✅ places: places 1\.0\.0 → 2\.0\.0, live in \S+ \(revision 2\)$/);
  expect(await stage.replicasOf('places')).toBe(2);
});
