import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

import { expect, test } from '@jest/globals';

const module = join(import.meta.dirname, '../../../src/base/young-generation.ts');

/** Megabytes of the young generation after much that lives for a while was made. */
function megabytesAfterWork(first: string): number {
  const work = `
    const kept = [];
    for (let index = 0; index < 3_000_000; index += 1) kept[index % 200_000] = { text: [index, index] };
    const { getHeapSpaceStatistics } = await import('node:v8');
    console.log(getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20);`;
  const argv = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', `${first}\n${work}`];
  return Number(execFileSync(process.execPath, argv, { encoding: 'utf8', timeout: 60_000 }));
}

test('the young generation stays as small as it is', () => {
  const held = `(await import(${JSON.stringify(module)})).holdYoungGeneration();`;
  expect(megabytesAfterWork(held)).toBeLessThanOrEqual(2);
  // Otherwise the flag would do nothing, or not be needed.
  expect(megabytesAfterWork('')).toBeGreaterThan(8);
});
