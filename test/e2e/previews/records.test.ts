import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';

import { at, type Json } from '../../../src/base/json.ts';
import { hashOf, stateOf, type FakeDeployment } from '../../support/github/state.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson } from '../../support/kubectl.ts';
import { configMap, deployment } from '../../support/objects.ts';
import { PreviewStage } from '../../support/preview-stage.ts';
import type { Step, StepResult } from '../../support/step.ts';
import { image, until, type Inputs } from '../../support/strategy-stage.ts';

/** What GitHub shows of what the packaged action does, with the input `environment`: which commit runs, since when, and how it went. */

let stage: PreviewStage;
let namespace: string;
let release: string;
let runs = 0;

beforeAll(async () => {
  stage = await PreviewStage.open();
  namespace = await createNamespace('github-records');
});

afterAll(async () => {
  await deleteNamespace(namespace);
  await stage[Symbol.asyncDispose]();
});

beforeEach(() => {
  runs += 1;
  release = `web-${runs}`;
});

const app = (version: string, env: Record<string, string> = {}) => [
  deployment(release, { image: image(version), replicas: 2, env }),
];
const waits: Inputs = { strategy: 'canary', 'canary-steps': '50', 'step-duration': '0s', 'auto-promote': 'false' };

function pushed(commit: number, objects: readonly object[], inputs: Inputs, env: Record<string, string> = {}): Step {
  const GITHUB_SHA = hashOf(commit);
  return stage.step(
    0,
    objects,
    { command: 'deploy', namespace, release, environment: 'production', ...inputs },
    { event: 'workflow_dispatch', env: { GITHUB_EVENT_NAME: 'push', GITHUB_SHA, ...env } },
  );
}

async function run(
  commit: number,
  objects: readonly object[],
  inputs: Inputs = {},
  env: Record<string, string> = {},
): Promise<StepResult> {
  const step = pushed(commit, objects, inputs, env);
  try {
    const main = await step.main();
    const post = await step.post();
    return { ...main, log: main.log + post.log };
  } finally {
    step.dispose();
  }
}

function records(): FakeDeployment[] {
  return stage.github.state.deployments.filter(({ payload }) => at(payload as Json, 'release') === release);
}

/** `deploy 3 success`: the task, the number of the commit, and the last state of each, oldest first. */
function shown(): string[] {
  return records().map((record) => `${record.task} ${Number.parseInt(record.ref.slice(0, 8), 16)} ${stateOf(record)}`);
}

function lastWords(): string {
  return records().at(-1)?.statuses[0]?.description ?? '';
}

describe('a deploy', () => {
  test('is success, and the one before is inactive; one that changes nothing has no record', async () => {
    const first = await run(1, app('1.0.0'));
    expect(first.exit).toBe(0);
    expect(records()[0]).toMatchObject({
      ref: hashOf(1),
      environment: 'production',
      transient: false,
      payload: { release, namespace, revision: '1' },
    });
    expect(records()[0]?.statuses.map(({ state }) => state)).toEqual(['success', 'in_progress']);
    expect((await run(2, app('2.0.0'))).exit).toBe(0);
    expect(shown()).toEqual(['deploy 1 inactive', 'deploy 2 success']);
    expect((await run(3, app('2.0.0'))).outputs['status']).toBe('unchanged');
    expect(shown()).toEqual(['deploy 1 inactive', 'deploy 2 success']);
  });

  test('that fails and is undone is failure with the cause, and what serves again stays success', async () => {
    await run(1, app('1.0.0'));
    const failed = await run(2, app('9.9.9'));
    expect(failed).toMatchObject({ exit: 1, outputs: { status: 'undone' } });
    expect(shown()).toEqual(['deploy 1 success', 'deploy 2 failure']);
    expect(lastWords()).toMatch(/^undone: .*9\.9\.9/);
    expect(lastWords().length).toBeLessThanOrEqual(140);
  });

  test('that fails and is not to be undone ends the one before: it serves no longer', async () => {
    await run(1, app('1.0.0'));
    const failed = await run(2, app('9.9.9'), { 'undo-on-failure': 'false' });
    expect(failed.exit).toBe(1);
    expect(shown()).toEqual(['deploy 1 inactive', 'deploy 2 failure']);
    expect(lastWords()).toMatch(/^left as it is: /);
  });

  test.each([
    ['cancelled', 'SIGINT'],
    ['killed', 'SIGKILL'],
  ] as const)('that is %s is error once its post step has undone it, and what serves stays success', async (_, how) => {
    await run(1, app('1.0.0'));
    const step = pushed(2, app('2.0.0', { START_DELAY: '60s' }), {});
    const running = step.main();
    await until('the new version begins', async () =>
      (await kubectl(['get', 'pods', '-n', namespace, '-l', `app=${release}`, '-o', 'yaml'])).includes(image('2.0.0')),
    );
    step.signal(how);
    await running;
    await step.post();
    step.dispose();
    expect(shown()).toEqual(['deploy 1 success', 'deploy 2 error']);
    expect(lastWords()).toBe('cancelled, undone');
    const live = await kubectlJson(['-n', namespace, 'get', 'deployment', release]);
    expect(JSON.stringify(live)).toContain(image('1.0.0'));
  });

  test('that is killed before GitHub has answered with the id finds its record again', async () => {
    await run(1, app('1.0.0'));
    const step = pushed(2, app('2.0.0', { START_DELAY: '60s' }), {});
    stage.github.after('repos/create-deployment', () => {
      step.signal('SIGKILL');
    });
    await step.main();
    await step.post();
    step.dispose();
    expect(shown()).toEqual(['deploy 1 success', 'deploy 2 error']);
  });
});

describe('a canary', () => {
  test('that waits is pending; promoted, its commit has a record of the promote and all others are inactive', async () => {
    await run(1, app('1.0.0'));
    const waiting = await run(2, app('2.0.0'), waits);
    expect(waiting.outputs['status']).toBe('waiting');
    expect(shown()).toEqual(['deploy 1 success', 'deploy 2 pending']);
    expect(lastWords()).toMatch(/^waiting for approval/);
    const promoted = await run(7, [], { command: 'promote' });
    expect(promoted.exit).toBe(0);
    expect(shown()).toEqual(['deploy 1 inactive', 'deploy 2 inactive', 'promote 2 success']);
  });

  test('that is aborted leaves no record but its own, inactive', async () => {
    await run(1, app('1.0.0'));
    await run(2, app('2.0.0'), waits);
    const aborted = await run(7, [], { command: 'abort' });
    expect(aborted.exit).toBe(0);
    expect(shown()).toEqual(['deploy 1 success', 'deploy 2 inactive']);
  });
});

describe('other commands', () => {
  test('a rollback carries the old commit, a restart and a scale the live one', async () => {
    await run(1, app('1.0.0'));
    await run(2, app('2.0.0'));
    expect((await run(9, [], { command: 'rollback' })).exit).toBe(0);
    expect(shown()).toEqual(['deploy 1 inactive', 'deploy 2 inactive', 'rollback 1 success']);
    expect((await run(9, [], { command: 'restart' })).exit).toBe(0);
    expect((await run(9, [], { command: 'scale', replicas: `${release}=1` })).exit).toBe(0);
    expect(shown().slice(2)).toEqual(['rollback 1 inactive', 'restart 1 inactive', 'scale 1 success']);
  });

  test('two releases in one environment keep their records apart', async () => {
    const [one, other] = [release, `${release}-b`];
    await run(1, [configMap(one, {})]);
    release = other;
    await run(2, [configMap(other, {})]);
    expect(shown()).toEqual(['deploy 2 success']);
    release = one;
    expect(shown()).toEqual(['deploy 1 success']);
  });
});

describe('GitHub', () => {
  test('that keeps a record of the job itself gets no second one', async () => {
    const { github } = stage;
    const given = { task: 'deploy', environment: 'production', description: '', payload: {}, transient: false };
    const record = github.state.deploy({
      ...given,
      ref: hashOf(5),
      sha: hashOf(5),
      production: true,
      creator: 'github-actions[bot]',
    });
    const logUrl = `${github.serverUrl}/acme/shop/actions/runs/77/job/1`;
    github.state.mark(record, { state: 'in_progress', description: '', environmentUrl: '', logUrl }, false);
    const result = await run(5, [configMap(release, {})], {}, { GITHUB_RUN_ID: '77' });
    expect(result.exit).toBe(0);
    expect(result.log).toContain('deployment: false');
    expect(records()).toEqual([]);
  });

  test.each([
    ['refuses for want of a right', { status: 403, message: 'Resource not accessible by integration' }],
    ['shows a page', { html: 200 }],
    ['has a fault', { status: 500 }],
    ['says nothing', 'silence'],
  ] as const)('that %s costs one warning and no minute', async (_, fault) => {
    stage.github.failAlways('*', fault);
    try {
      const result = await run(6, [configMap(release, {})]);
      expect(result).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
      expect(result.log.match(/::warning[^\n]*deployment record/g)).toHaveLength(1);
      expect(result.durationMs).toBeLessThan(30_000);
    } finally {
      stage.github.failAlways('*', undefined);
    }
  });
});
