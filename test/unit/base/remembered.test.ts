import { expect, test } from '@jest/globals';

import { remembered } from '../../../src/base/remembered.ts';
import { applicationsIn } from '../../../src/rollout/readiness/custom/ray.ts';

test('the work is done once for each text of the last few', () => {
  const done: string[] = [];
  const length = remembered(2, (text) => done.push(text) && text.length);
  const ask = (...texts: string[]) => texts.map(length);
  expect(ask('a', 'bb', 'a', 'bb')).toEqual([1, 2, 1, 2]);
  expect(done).toEqual(['a', 'bb']);
  // "bb" was asked for last, so that "a" makes place.
  ask('ccc', 'bb', 'a');
  expect(done).toEqual(['a', 'bb', 'ccc', 'a']);
});

test('that nothing came of it is remembered, too', () => {
  let count = 0;
  const nothing = remembered(2, () => {
    count += 1;
    return null;
  });
  expect([nothing('a'), nothing('a')]).toEqual([null, null]);
  expect(count).toBe(1);
});

test('the applications of a RayService are parsed once per text', () => {
  const text = 'applications:\n  - name: llm\n  - import_path: other:app\n';
  expect(applicationsIn(text)).toEqual(['llm', 'default']);
  expect(applicationsIn(text)).toBe(applicationsIn(text));
  expect(applicationsIn('applications: [')).toBeUndefined();
});
