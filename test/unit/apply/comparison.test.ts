import { describe, expect, test } from '@jest/globals';

import { isApplied } from '../../../src/apply/comparison.ts';
import { anew } from '../../../src/apply/recreate.ts';
import { configMap, fields, objectOf, owner, updater } from '../release/build.ts';

describe('an apply can be skipped', () => {
  const entry = owner(fields('data', 'a'));

  test('when we own exactly what the manifest sets, with its values', () => {
    const live = configMap({ a: '1', others: 'x' }, { managedFields: [entry, updater('x', fields('data', 'others'))] });
    expect(isApplied(configMap({ a: '1' }), live)).toBe(true);
  });

  test.each([
    ['a value differs', configMap({ a: '2' })],
    ['the manifest sets more', configMap({ a: '1', others: 'x' })],
    ['the manifest sets less', configMap({})],
    ['it is of another version', { ...configMap({ a: '1' }), apiVersion: 'v2' }],
  ])('but not when %s', (_why, manifest) => {
    const live = configMap({ a: '1', others: 'x' }, { managedFields: [entry] });
    expect(isApplied(manifest, live)).toBe(false);
  });

  test('but not when the same values are somebody else’s', () => {
    const live = configMap({ a: '1' }, { managedFields: [updater('helm', fields('data', 'a'))] });
    expect(isApplied(configMap({ a: '1' }), live)).toBe(false);
  });
});

test('a Job that is made anew gets its own pods, not those of the deleted one', () => {
  const labels = { app: 'x', 'batch.kubernetes.io/controller-uid': 'old', 'batch.kubernetes.io/job-name': 'a' };
  const job = objectOf(
    'batch/v1',
    'Job',
    {
      spec: {
        selector: { matchLabels: { 'batch.kubernetes.io/controller-uid': 'old' } },
        template: { metadata: { labels } },
      },
      status: { succeeded: 1 },
    },
    { uid: 'old' },
  );
  const made = anew(job);
  expect(made).toMatchObject({ spec: { template: { metadata: { labels: { app: 'x' } } } } });
  expect(JSON.stringify(made)).not.toContain('old');
  expect(made['status']).toBeUndefined();
});
