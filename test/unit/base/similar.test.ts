import { expect, test } from '@jest/globals';

import { closest } from '../../../src/base/similar.ts';

test.each([
  ['replcas', ['replicas', 'selector'], 'replicas'],
  ['imgae', ['image', 'images'], 'image'],
  ['Deploymnt', ['DaemonSet', 'Deployment'], 'Deployment'],
  ['prodution', ['staging', 'production'], 'production'],
  ['xyz', ['replicas', 'selector'], undefined],
  ['a', [], undefined],
])('"%s" among %j was meant to be %j', (word, candidates, meant) => {
  expect(closest(word, candidates)).toBe(meant);
});

test('names of a megabyte are not compared', () => {
  const before = process.cpuUsage();
  const long = 'x'.repeat(1_000_000);
  expect(closest(long, [`${long}y`])).toBeUndefined();
  expect(closest('replcas', [long, 'replicas'])).toBe('replicas');
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(200);
});
