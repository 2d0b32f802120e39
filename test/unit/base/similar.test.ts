import { expect, test } from '@jest/globals';

import { closest } from '../../../src/base/similar.ts';
import { cpuTimeOf, SQUARE_MS } from '../../support/cpu-time.ts';

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

test('names of a megabyte are not compared', async () => {
  const long = 'x'.repeat(1_000_000);
  const took = await cpuTimeOf(() => {
    expect(closest(long, [`${long}y`])).toBeUndefined();
    expect(closest('replcas', [long, 'replicas'])).toBe('replicas');
  });
  expect(took).toBeLessThan(SQUARE_MS);
});
