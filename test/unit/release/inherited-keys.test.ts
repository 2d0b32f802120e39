import { describe, expect, test } from '@jest/globals';

import { contentOf } from '../../../src/apply/comparison.ts';
import { extractOwned } from '../../../src/apply/managed-fields.ts';
import { restore } from '../../../src/release/restore.ts';
import { simulateTakeover } from '../../../src/apply/simulate.ts';
import { withValueOf } from '../../../src/apply/refused-fields.ts';
import { configMap, fields, owner, updater } from './build.ts';

/** Keys of a ConfigMap that every object of JavaScript inherits. */
const data = (value: string): Record<string, string> =>
  JSON.parse(`{"__proto__":"${value}","constructor":"${value}","toString":"${value}"}`) as Record<string, string>;
const keys = ['__proto__', 'constructor', 'toString'];
const ours = keys.map((key) => owner(fields('data', key)));
const textOf = (value: unknown) => JSON.stringify(value);

describe('keys that every object inherits', () => {
  test('go back in an undo like all others', () => {
    const live = configMap(data('new'), { managedFields: ours });
    const plan = restore(configMap(data('old'), { managedFields: ours }), live, live);
    expect(plan.conflicts).toEqual([]);
    expect(textOf(contentOf(plan.state === 'changed' ? plan.object : live)['data'])).toBe(textOf(data('old')));
  });

  test('go away in an undo when the run has brought them', () => {
    const live = configMap({ a: '1', ...data('new') }, { managedFields: [...ours, owner(fields('data', 'a'))] });
    const plan = restore(configMap({ a: '1' }, { managedFields: [owner(fields('data', 'a'))] }), live, live);
    expect(textOf(contentOf(plan.state === 'changed' ? plan.object : live)['data'])).toBe('{"a":"1"}');
  });

  test('belong to whoever has set them', () => {
    const owned = extractOwned(configMap(data('x')), updater('somebody', fields('data', '__proto__')));
    expect(textOf(owned['data'])).toBe('{"__proto__":"x"}');
  });

  test('are taken over from kubectl', () => {
    const managedFields = keys.map((key) => updater('kubectl-client-side-apply', fields('data', key)));
    const live = configMap(data('old'), { managedFields });
    expect(textOf(simulateTakeover(live, configMap(data('new')))['data'])).toBe(textOf(data('new')));
    expect(textOf(simulateTakeover(live, configMap({ a: '1' }))['data'])).toBe('{"a":"1"}');
  });

  test('are asked for by themselves', () => {
    const copy = withValueOf(configMap(data('x')), configMap({}), ['data', '__proto__']);
    expect(textOf(copy['data'])).toBe('{"__proto__":"x"}');
  });
});
