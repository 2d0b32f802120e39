import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { figure } from '../../support/figure.ts';
import { testKubeconfig } from '../../support/kubectl.ts';
import { shareOf } from '../../support/share.ts';
import { Step } from '../../support/step.ts';
import { app, Stage } from '../../support/strategy-stage.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

let stage: Stage;
let workspaces: string[] = [];

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  workspaces.forEach(removeWorkspace);
  workspaces = [];
});

function stepOf(name: string, env: Record<string, string> = {}): Step {
  const workspace = createWorkspace({ 'app.yaml': app(name, '1.0.0') });
  workspaces.push(workspace);
  const inputs = { kubeconfig: testKubeconfig(), namespace: stage.namespace, release: name, manifests: '.' };
  return new Step({ ...inputs, timeout: '60s' }, { workspace, env });
}

describe('a post step', () => {
  test('whose main step was killed before it had saved anything does nothing, and never deploys', async () => {
    const step = stepOf('unsaved');
    const post = await step.post();
    step.dispose();
    expect(post.exit).toBe(0);
    expect(await stage.exists('deployment', 'unsaved')).toBe(false);
    expect(post.log).not.toContain('Deploy');
  });

  test('whose state somebody else has written says so, and changes nothing', async () => {
    for (const state of ['{', '[]', 'null', '{"finished":"no"}']) {
      const step = stepOf('foreign', { 'STATE_gke-rollout': state });
      const post = await step.post();
      step.dispose();
      expect(post.exit).toBe(1);
      expect(post.log).toContain('::error title=gke-rollout::');
      expect(post.log).toContain('the state "gke-rollout" was not saved by this action');
      expect(post.log).not.toMatch(/TypeError|SyntaxError| at .*\.js/);
    }
    expect(await stage.exists('deployment', 'foreign')).toBe(false);
  });

  const moments = Array.from({ length: 60 }, (_, index) => 10 + Math.round(1.09 ** index * 10));
  const chosen = shareOf(moments, (ms) => `cancelled ${ms}`, 6);
  const wrong: string[] = [];

  afterAll(() => {
    figure('two-writers-cancels', chosen.length);
    figure('two-writers-cancels-wrong', wrong.length);
  });

  test.concurrent.each(chosen)('after a cancel at %i ms leaves nothing of a deploy that did not end', async (ms) => {
    const name = `at${ms}`;
    const step = stepOf(name);
    const running = step.main();
    await delay(ms);
    step.signal('SIGINT');
    const main = await running;
    const post = await step.post();
    step.dispose();
    const isThere = await stage.exists('deployment', name);
    const isRight = main.exit === 0 ? isThere : !isThere;
    if (!isRight) wrong.push(name);
    expect(isRight ? '' : `exit ${main.exit}, Deployment ${isThere ? 'there' : 'gone'}\n${main.log}\n${post.log}`).toBe(
      '',
    );
  });
});

describe('a main step', () => {
  test('that cannot save its state for the post step changes nothing, and says why', async () => {
    const step = stepOf('full', { GITHUB_STATE: '/dev/full' });
    const main = await step.main();
    step.dispose();
    expect(main.exit).toBe(1);
    expect(main.log).toContain('the state for the post step cannot be saved');
    expect(await stage.exists('deployment', 'full')).toBe(false);
  });
});
