import { setTimeout as delay } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { figure } from '../../support/figure.ts';
import { testKubeconfig } from '../../support/kubectl.ts';
import { configMap } from '../../support/objects.ts';
import { shareOf } from '../../support/share.ts';
import { Step, type StepResult } from '../../support/step.ts';
import { app, image, Stage } from '../../support/strategy-stage.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

/**
 * A run whose process is stopped for a while (a sleeping machine, a starved one), and another one that takes its lock over
 * meanwhile. When the first one goes on, it has to find out before it writes anything.
 */
const patienceMs = 240_000;
/** Longer than a holder may be silent until another run takes over, which waits that long and then has to undo and deploy. */
const moments = Array.from({ length: 40 }, (_, index) => 250 + 150 * index);
const chosen = shareOf(moments, (ms) => `stopped ${ms}`, 4);

let stage: Stage;
let written = 0;
let wrong = 0;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  figure('two-writers-stops', chosen.length);
  figure('two-writers-writes-after-loss', written);
  figure('two-writers-stops-wrong', wrong);
});

const configs = 30;

/** An application with many objects, so that a stop comes between two of them. */
function many(name: string, version: string): object[] {
  const maps = Array.from({ length: configs }, (_, index) => configMap(`${name}-${index}`, { version }));
  return [...maps, ...app(name, version)];
}

/** What a write changes, and no controller does. */
async function ofUser(name: string): Promise<object> {
  const { metadata } = await stage.read('deployment', name);
  const maps = await stage.kubectl(
    'get',
    'configmaps',
    '-o',
    'jsonpath={range .items[*]}{.metadata.name} {.data.version} {.metadata.resourceVersion}{"\\n"}{end}',
  );
  const own = maps.split('\n').filter((line) => line.startsWith(`${name}-`));
  return { generation: metadata.generation, labels: metadata.labels, annotations: metadata.annotations, own };
}

/** What the history tells of a revision: the other run has recorded whether it undid it. */
function outcomeOf(status: StepResult, revision: string | undefined): string {
  const history = JSON.parse(status.outputs['history'] ?? '[]') as { revision: number; outcome: string }[];
  return history.find((entry) => entry.revision === Number(revision))?.outcome ?? 'nothing';
}

describe('a run that is stopped while another one takes its lock over', () => {
  test.concurrent.each(chosen)(
    'changes nothing any more when it goes on, stopped after %i ms',
    async (ms) => {
      const name = `stop${ms}`;
      await stage.given(name, many(name, '1.0.0'));
      const workspace = createWorkspace({ 'app.yaml': many(name, '2.0.0') });
      const inputs = { kubeconfig: testKubeconfig(), namespace: stage.namespace, release: name, manifests: '.' };
      const step = new Step({ ...inputs, timeout: '90s' }, { workspace });
      const running = step.main();
      await delay(ms);
      step.signal('SIGSTOP');
      let other: StepResult;
      try {
        other = await stage.deploy(name, many(name, '3.0.0'), { timeout: '120s' });
      } finally {
        step.signal('SIGCONT');
      }
      const before = await ofUser(name);
      const main = await running;
      const post = await step.post();
      step.dispose();
      removeWorkspace(workspace);
      const now = await stage.imageOf(name);
      const status = await stage.command(name, 'status');
      const problems: string[] = [];
      if (other.exit !== 0) problems.push(`the other run failed: ${other.log}`);
      if (main.exit === 0) {
        // It was over before, its lock free again, or had not begun to write and came after: the later revision runs.
        const wasFirst = Number(main.outputs['revision']) < Number(other.outputs['revision']);
        if (now !== image(wasFirst ? '3.0.0' : '2.0.0')) problems.push(`green, and ${now ?? 'nothing'} runs`);
        const recorded = outcomeOf(status, main.outputs['revision']);
        if (recorded !== (wasFirst ? 'superseded' : 'live')) problems.push(`green, and the history says ${recorded}`);
      } else {
        const after = await ofUser(name);
        if (JSON.stringify(after) !== JSON.stringify(before)) {
          written += 1;
          problems.push(`wrote after the loss: ${JSON.stringify(before)} → ${JSON.stringify(after)}`);
        }
        if (now !== image('3.0.0'))
          problems.push(`${now ?? 'nothing'} runs instead of what the other run has deployed`);
        // One that was stopped before it had the lock has none to lose: its questions have waited for too long.
        const wasEarly = !main.log.includes('::group::Deploy') && main.log.includes('cannot reach the API server');
        if (
          !wasEarly &&
          !/the lock of release "\w+" was lost, .* (?:has taken it over|took it over and has finished)/.test(main.log)
        )
          problems.push('does not say so');
      }
      if (status.outputs['healthy'] !== 'true') problems.push(`status: ${status.log}`);
      wrong += problems.length === 0 ? 0 : 1;
      expect(problems.length === 0 ? '' : `${problems.join('\n')}\n${main.log}\n${post.log}`).toBe('');
    },
    patienceMs,
  );
});
