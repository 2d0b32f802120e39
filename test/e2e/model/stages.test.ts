import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { app, Stage } from '../../support/strategy-stage.ts';

/** A model server starts in stages, takes minutes, and says in its log how far it is. */
let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

const shards = (done: number, total: number) =>
  `Loading safetensors checkpoint shards: ${Math.floor((done / total) * 100)}% Completed | ${done}/${total} [00:04<00:06,  2.1s/it]`;
const from = (first: number, last: number, total: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => shards(first + index, total));

/** One that prints these lines before it listens. */
const server = (name: string, lines: readonly string[], env: Record<string, string>) =>
  app(name, '1.0.0', {
    replicas: 1,
    env: { START_LOG: lines.join('\n'), ...env },
    startupProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, failureThreshold: 600 },
  });

describe('a start in stages', () => {
  test.concurrent(
    'that takes longer than the limit goes on while its shards do, and the log says how far it is',
    async () => {
      const lines = [...from(0, 5, 5), 'INFO [default_loader.py:384] Loading weights took 84.2 seconds'];
      const result = await stage.deploy('steady', server('steady', lines, { START_LOG_EVERY: '12s' }), {
        timeout: '180s',
        'no-progress-timeout': '45s',
      });
      expect([result.exit, result.outputs['status']]).toEqual([0, 'deployed']);
      expect(result.log).toMatch(
        /Deployment "steady": pod steady-\S+: container "web" has been loading weights for \S+: \d+ %, \d of 5 shards/,
      );
      expect(result.log).toMatch(
        /still waiting \(\S+ left\) for Deployment "steady": .*loading weights for \S+: \d+ %/,
      );
    },
  );

  test.concurrent('that stops is ended and named by its stage, long before the time-out', async () => {
    const begun = Date.now();
    const env = { START_LOG_EVERY: '5s', START_DELAY: '600s' };
    const result = await stage.deploy('stuck', server('stuck', from(0, 2, 5), env), {
      timeout: '300s',
      'no-progress-timeout': '40s',
    });
    expect([result.exit, result.outputs['status']]).toEqual([1, 'undone']);
    expect(Date.now() - begun).toBeLessThan(150_000);
    expect(JSON.parse(result.outputs['failure'] ?? '{}')).toMatchObject({ reason: 'NoProgress' });
    expect(result.log).toMatch(
      /Deployment "stuck": no progress for 40s: pod stuck-\S+ is at stage "weights" \(40 %, 2 of 5 shards\) since \d\d:\d\d UTC/,
    );
    expect(result.log).toContain('Check its log; raise the input "no-progress-timeout"');
  });

  test.concurrent('that runs out of time says how far it was', async () => {
    const env = { START_LOG_EVERY: '2s', START_DELAY: '600s' };
    const result = await stage.deploy('late', server('late', from(0, 4, 5), env), { timeout: '45s' });
    expect([result.exit, result.outputs['status']]).toEqual([1, 'undone']);
    expect(result.log.replaceAll('%25', '%')).toMatch(
      /not ready in time: Deployment "late": container "web" has been loading weights for \S+: 80 %, 4 of 5 shards/,
    );
  });

  test.concurrent('that waits in a queue of Kueue is not stuck: only the time-out ends it', async () => {
    const [queued = {}, ...others] = app('queued', '1.0.0', {
      replicas: 1,
      pod: { schedulingGates: [{ name: 'kueue.x-k8s.io/admission' }] },
    });
    const result = await stage.deploy('queued', [queued, ...others], { timeout: '30s', 'no-progress-timeout': '5s' });
    expect([result.exit, result.outputs['status']]).toEqual([1, 'undone']);
    expect(result.log).toContain('not ready in time: Deployment "queued": queued by Kueue until there is quota for it');
  });
});
