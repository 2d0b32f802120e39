import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import type { Fault } from '../../support/github/faults.ts';
import { figure } from '../../support/figure.ts';
import { kubectl } from '../../support/kubectl.ts';
import { configMap } from '../../support/objects.ts';
import { PreviewStage } from '../../support/preview-stage.ts';

let stage: PreviewStage;
const lookalikes: string[] = [];

/** Two have expired, one is closed, one is kept by its label though it has expired, one is open. */
const all = [1, 2, 3, 4, 5];

beforeAll(async () => {
  stage = await PreviewStage.open();
  for (const number of all) {
    const isKept = number === 4;
    stage.github.state.open(number, { labels: isKept ? ['preview-keep'] : [] });
    const ttl = [1, 2, 4].includes(number) ? '1s' : '24h';
    const result = await stage.preview(number, [configMap('a', {})], { 'preview-ttl': ttl });
    if (result.exit !== 0) throw new Error(`what the sweep begins with fails: ${result.log}`);
  }
  // One of another repository, and one that only looks like it.
  const labels = {
    'app.kubernetes.io/managed-by': 'gke-rollout',
    'gke-rollout/preview': 'true',
    'gke-rollout/release': stage.release,
  };
  const foreign = {
    ...labels,
    'gke-rollout/github-server': 'github.com',
    'gke-rollout/repository-id': '1',
    'gke-rollout/pull-request': '9',
  };
  for (const [name, given] of [
    [`${stage.release}-pr-98`, foreign],
    [`${stage.release}-pr-99`, labels],
  ] as const) {
    lookalikes.push(name);
    await kubectl(
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels: given } }),
    );
  }
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

async function left(): Promise<number[]> {
  const there = await Promise.all(all.map(async (number) => ({ number, isThere: await stage.isThere(number) })));
  return there.filter(({ isThere }) => isThere).map(({ number }) => number);
}

async function untouched(): Promise<string[]> {
  const names = await kubectl([
    'get',
    'namespaces',
    '-l',
    `gke-rollout/release=${stage.release}`,
    '-o',
    'jsonpath={range .items[?(@.status.phase=="Active")]}{.metadata.name}{"\\n"}{end}',
  ]);
  return names.split('\n').filter((name) => lookalikes.includes(name));
}

describe('a sweep', () => {
  test('says what it would remove, and removes nothing of it', async () => {
    stage.github.state.close(3, 'merged');
    const result = await stage.teardown({ teardown: 'all-closed', 'dry-run': 'true' });
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'swept' } });
    const removed = JSON.parse(result.outputs['removed'] ?? '[]') as { pullRequest: number }[];
    expect(removed.map(({ pullRequest }) => pullRequest)).toEqual([1, 2, 3]);
    expect(await left()).toEqual(all);
  });

  test.each<[string, Fault]>([
    ['500', { status: 500 }],
    ['403', { status: 403, message: 'Resource not accessible by integration' }],
    ['429', { status: 429, headers: { 'retry-after': '3600' } }],
    ['an empty page', 'empty page'],
    ['a page for people', { html: 200 }],
  ])('removes none whose state is not known: GitHub answers %s (inkeep/agents#2930)', async (_, fault) => {
    stage.github.failAlways('*', fault);
    try {
      const result = await stage.teardown({ teardown: 'all-closed', 'dry-run': 'true' });
      expect(result).toMatchObject({ exit: 0, outputs: { status: 'swept' } });
      const removed = JSON.parse(result.outputs['removed'] ?? '[]') as { pullRequest: number }[];
      // Their time is over whatever GitHub says.
      expect(removed.map(({ pullRequest }) => pullRequest)).toEqual([1, 2]);
    } finally {
      stage.github.failAlways('*', undefined);
    }
  });

  test('removes what has expired or is closed although no event ever came, and nothing else (Activiti/activiti-cloud-application#803, kamp-us/phoenix#2299)', async () => {
    const result = await stage.teardown({ teardown: 'all-closed' });
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'swept' } });
    expect(result.log).toContain('Removed 3 previews, 2 kept');
    expect(await left()).toEqual([4, 5]);
    expect(await untouched()).toEqual(lookalikes);
    expect(stage.commentsOf(3)[0]).toContain('merged');
    expect(stage.commentsOf(1)[0]).toContain('expired');
    figure('previews-swept', 3);
    figure('foreign-namespaces-touched', lookalikes.length - (await untouched()).length);
  });

  test('a preview that has expired is brought back by running its workflow again', async () => {
    const result = await stage.preview(1, [configMap('a', {})]);
    expect(result).toMatchObject({ exit: 0, outputs: { status: 'deployed' } });
    expect(await stage.isThere(1)).toBe(true);
    expect(stage.commentsOf(1)).toHaveLength(1);
    expect(stage.commentsOf(1)[0]).toContain('is ready');
  });
});
