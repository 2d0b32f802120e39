import { describe, expect, test } from '@jest/globals';

import type { Json, Path } from '../../../src/base/json.ts';
import { isAsStated, isSameAmount } from '../../../src/apply/same-value.ts';

const limits: Path = ['spec', 'resources', 'limits', 'cpu'];

test.each<[Json, Json, Path, boolean]>([
  ['1000m', '1', limits, true],
  ['0.5', '500m', limits, true],
  [1, '1', limits, true],
  ['1Gi', '1024Mi', ['spec', 'memory'], true],
  ['1Gi', '1G', ['spec', 'memory'], false],
  ['1k', '1000', ['spec', 'metrics', 'rps', 'pods', 'target', 'averageValue'], true],
  ['fast', 'slow', ['spec', 'storage', 'storageClassName'], false],
  ['', '0', limits, false],
  [{}, [], limits, false],
  ['1000m', '1', ['spec', 'version'], false],
])('whether %j and %j are the same amount at %j: %s', (left, right, path, expected) => {
  expect(isSameAmount(left, right, path)).toBe(expected);
});

describe('a value is as it was stated', () => {
  test.each<[string, Json, Json | undefined, boolean]>([
    ['with defaults in it', [{ port: 80 }], [{ port: 80, protocol: 'TCP' }], true],
    ['where the server leaves out what is empty', {}, undefined, true],
    ['where a number is a text', '80', 80, true],
    ['but not with another number', 80, 81, false],
    ['nor with an entry more', [1], [1, 2], false],
    ['nor of another form', { a: 1 }, 'a', false],
    ['nor without what was there', 'a', undefined, false],
  ])('%s', (_, stated, live, expected) => {
    expect(isAsStated(stated, live, ['spec'])).toBe(expected);
  });

  test('where another name stands for it', () => {
    expect(isAsStated({ name: 'a' }, { name: 'a-green' }, [], (one, other) => other === `${one}-green`)).toBe(true);
  });
});
