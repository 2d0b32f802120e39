import { expect, test } from '@jest/globals';

import { refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { untilResumed } from '../../../src/rollout/until-resumed.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { listeningReporter } from '../../support/silent-reporter.ts';
import { objectOf } from '../release/build.ts';

const web = (paused: boolean): KubernetesObject =>
  objectOf('apps/v1', 'Deployment', { spec: { paused } }, { name: 'web' });

function waiting(api: FakeApi, keepsState = true) {
  const clock = new FakeClock();
  const reporter = listeningReporter();
  let stoodStillMs = 0;
  const options = { clock, reporter, signal: new AbortController().signal, timeoutMs: 600_000, keepsState };
  const ended = untilResumed(api, [refOf(web(true))], {
    ...options,
    onStandStill: (ms) => {
      stoodStillMs += ms;
    },
  });
  return { clock, lines: reporter.lines, ended, stoodStillMs: () => stoodStillMs };
}

test('what nobody has paused, or what is gone, holds nothing up', async () => {
  const api = new FakeApi();
  await waiting(api).ended;
  api.put(web(false));
  const { ended, lines, stoodStillMs } = waiting(api);
  await ended;
  expect([lines, stoodStillMs()]).toEqual([[], 0]);
});

test('the next step begins when it is resumed, and the run has lost none of its time', async () => {
  const api = new FakeApi();
  api.put(web(true));
  const { clock, lines, ended, stoodStillMs } = waiting(api);
  await clock.runFor(70_000);
  api.put(web(false));
  await clock.runFor(2_000);
  await ended;
  expect(lines).toEqual([
    'info Deployment "web" is paused by somebody: no further step begins until "resume"; 10m left for that',
    'info Deployment "web" is paused by somebody: no further step begins until "resume"; 9m left for that',
    'info Resumed after 1m12s: the next step begins',
  ]);
  expect(stoodStillMs()).toBe(72_000);
});

test.each([
  ['undoes nothing', true],
  ['is undone where nothing that serves has changed', false],
])('a pause that lasts too long ends the run, which %s', async (_, keepsState) => {
  const api = new FakeApi();
  api.put(web(true));
  const { clock, ended } = waiting(api, keepsState);
  const failure = ended.catch((error: unknown) => error);
  await clock.runFor(602_000);
  expect(await failure).toMatchObject({
    message: 'Deployment "web" has been paused by somebody for 10m',
    keepsState,
  });
});
