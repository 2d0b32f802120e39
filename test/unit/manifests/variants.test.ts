import { expect, test } from '@jest/globals';

import { selectVariants } from '../../../src/manifests/variants.ts';
import { strategies, type StrategyName } from '../../../src/strategies/traits.ts';
import { manifest } from './build.ts';

const files = [
  'web.yaml',
  'k8s/web-canary.yaml',
  'web-blue.yml',
  'web-green.v2.json',
  'bluebird.yaml',
  'x-canary.d/web.yaml',
];
const manifests = files.map((file) => manifest({ kind: 'ConfigMap' }, file));
const plain = ['web.yaml', 'bluebird.yaml', 'x-canary.d/web.yaml'];

test.each<[StrategyName, string[]]>([
  ['rolling', []],
  ['canary', ['k8s/web-canary.yaml']],
  ['blue-green', ['web-blue.yml', 'web-green.v2.json']],
])('%s takes the plain manifests and its own variants, and hands the others back', (strategy, variants) => {
  const { taken, left } = selectVariants(manifests, strategies[strategy].variants);
  const own = new Set([...plain, ...variants]);
  expect(taken.map(({ source }) => source.file)).toStrictEqual(files.filter((file) => own.has(file)));
  expect(left.map(({ source }) => source.file)).toStrictEqual(files.filter((file) => !own.has(file)));
});
