import { expect, test } from '@jest/globals';

import { retiringOf } from '../../../src/commands/recording.ts';
import type { Revision } from '../../../src/release/revision-shape.ts';

const ref = (namespace: string, name: string) => ({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name });

test('an old side that is to go still goes where one of the same name serves in another namespace', () => {
  const until = '2026-01-01T00:02:00.000Z';
  const retiring = { refs: [ref('shop', 'web'), ref('b', 'web-green')], until };
  const serving = { 'apps/Deployment/shop/web': 'web-green', 'apps/Deployment/b/web': 'web-green' };
  expect(retiringOf({ serving }, { retiring } as Revision, 0)).toEqual({ refs: [ref('shop', 'web')], until });
});

test('an old side that is to go goes too where it is called like one that serves again elsewhere', () => {
  const retiring = { refs: [ref('shop', 'web')], until: '2026-01-01T00:02:00.000Z' };
  const serving = { 'apps/Deployment/shop/web': 'web-green', 'apps/Deployment/b/web': 'web' };
  expect(retiringOf({ serving }, { retiring } as Revision, 0)).toEqual(retiring);
});
