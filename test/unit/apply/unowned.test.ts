import { describe, expect, test } from '@jest/globals';

import { contentOf } from '../../../src/apply/comparison.ts';
import { simulateTakeover } from '../../../src/apply/simulate.ts';
import { placesOfRefusal, placesOfStringData, unownedAt } from '../../../src/apply/unowned.ts';
import { fields, objectOf, owner, updater } from '../release/build.ts';

const cause = (field: string) => ({ field, message: '', reason: 'FieldValueForbidden' });

describe('defaults of the server that stand in the way', () => {
  const live = objectOf(
    'apps/v1',
    'StatefulSet',
    {
      spec: {
        replicas: 1,
        podManagementPolicy: 'OrderedReady',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      },
    },
    { managedFields: [owner(fields('spec', 'replicas'), { apiVersion: 'apps/v1' })] },
  );
  const wanted = objectOf('apps/v1', 'StatefulSet', { spec: { replicas: 1, updateStrategy: { type: 'OnDelete' } } });
  const places = placesOfRefusal([cause('spec.updateStrategy.rollingUpdate')], live);

  test('are looked for beside the field that was refused, and nowhere else', () => {
    expect(places).toEqual([['spec', 'updateStrategy']]);
    expect(unownedAt(live, wanted, places)).toEqual({
      'f:spec': { 'f:updateStrategy': { 'f:rollingUpdate': { '.': {} } } },
    });
  });

  test('go when they are ours (apache/dolphinscheduler#16388)', () => {
    const spec = contentOf(simulateTakeover(live, wanted, [], unownedAt(live, wanted, places)))['spec'];
    expect(spec).toEqual({ replicas: 1, podManagementPolicy: 'OrderedReady', updateStrategy: { type: 'OnDelete' } });
  });

  test('stay where another manager has set them, or something in them', () => {
    const partition = updater('kubectl-edit', fields('spec', 'updateStrategy', 'rollingUpdate', 'partition'));
    const edited = { ...live, metadata: { ...live.metadata, managedFields: [partition] } };
    expect(unownedAt(edited, wanted, places)).toEqual({});
  });

  test('a field of which we own a part goes as a whole', () => {
    const ours = owner(fields('spec', 'updateStrategy', 'rollingUpdate', 'maxUnavailable'), { apiVersion: 'apps/v1' });
    const mixed = { ...live, metadata: { ...live.metadata, managedFields: [ours] } };
    const taken = unownedAt(mixed, wanted, places);
    expect(contentOf(simulateTakeover(mixed, wanted, [], taken))['spec']).toMatchObject({
      updateStrategy: { type: 'OnDelete' },
    });
    expect(contentOf(simulateTakeover(mixed, wanted, [], taken))['spec']).not.toHaveProperty(
      'updateStrategy.rollingUpdate',
    );
  });

  test.each([
    ['spec', [['spec']]],
    ['spec.template.spec.containers[0].ports[1].hostPort', [['spec', 'template', 'spec']]],
    ['', []],
  ])('a refusal of "%s" is about %j', (field, wantedPlaces) => {
    expect(placesOfRefusal([cause(field), cause(field)], live)).toEqual(wantedPlaces);
  });
});

describe('keys of a Secret that were set by stringData (kubernetes/kubernetes#108008)', () => {
  const secret = (...managedFields: ReturnType<typeof owner>[]) =>
    objectOf('v1', 'Secret', { data: { a: 'MQ==', b: 'Mg==', c: 'Mw==' } }, { managedFields });
  const wanted = objectOf('v1', 'Secret', { data: { a: 'MQ==' } });

  test('belong to nobody, and are taken over but for those of others', () => {
    const live = secret(owner(fields('stringData', 'a')), updater('operator', fields('data', 'c')));
    expect(placesOfStringData(live)).toEqual([['data']]);
    expect(unownedAt(live, wanted, [['data']])).toEqual({ 'f:data': { 'f:b': { '.': {} } } });
  });

  test('are left alone where nobody has used it', () => {
    expect(placesOfStringData(secret(owner(fields('data', 'a'))))).toEqual([]);
    expect(placesOfStringData(secret(updater('operator', fields('stringData', 'a'))))).toEqual([]);
    expect(placesOfStringData(undefined)).toEqual([]);
  });
});
