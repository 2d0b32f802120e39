import { expect, test } from '@jest/globals';

import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { describeRollback, previewRollback } from '../../../src/release/rollback-preview.ts';
import { configMap, objectOf } from './build.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';

function web(image: string): KubernetesObject {
  const template = { spec: { containers: [{ name: 'web', image }] } };
  return objectOf('apps/v1', 'Deployment', { spec: { template } }, { name: 'web' });
}

function revision(number: number, objects: KubernetesObject[]): Revision {
  const finishedAt = `2026-01-0${number}T00:00:00Z`;
  const commit = '0123456789abcdef';
  const facts = { release: 'shop', outcome: 'live', strategy: 'rolling', startedAt: finishedAt, images: {} } as const;
  return { ...facts, revision: number, finishedAt, commit, objects };
}

const named = (name: string, a: string) => configMap({ a }, { name });

test('a rollback is told by what runs now, not by what was recorded', () => {
  const live = revision(2, [web('a:2'), named('same', '1'), named('other', '2'), named('new', '1')]);
  const target = revision(1, [web('a:1'), named('same', '1'), named('other', '1'), named('old', '1')]);
  const running = new Map([[keyOf(refOf(web(''))), web('a:3')]]);
  expect(describeRollback(previewRollback(target, live, running))).toBe(
    'revision 1 (2026-01-01T00:00:00Z, commit 0123456): Deployment/web/web a:3 → a:1; changes ConfigMap/other; ' +
      'recreates ConfigMap/old; leaves ConfigMap/new unless "prune: true"',
  );
});

test('a rollback that would change nothing says so', () => {
  const objects = [web('a:1')];
  const running = new Map([[keyOf(refOf(web(''))), web('a:1')]]);
  const preview = previewRollback(revision(1, objects), revision(2, objects), running);
  expect(describeRollback(preview)).toContain('no image or object would change');
});
