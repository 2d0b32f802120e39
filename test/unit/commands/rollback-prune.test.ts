import { describe, expect, test } from '@jest/globals';

import type { CommandInputs } from '../../../src/commands/inputs.ts';
import { rollback } from '../../../src/commands/rollback.ts';
import { refOf } from '../../../src/kubernetes/object.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { HastyClock } from '../../support/fake-clock.ts';
import { configMap, fields, objectOf, owner, revision } from '../release/build.ts';
import { contextOf, options, OwningApi } from './build.ts';

const managedFields = [owner(fields('data', 'a'))];
const version = (a: string) => configMap({ a }, { managedFields });
const extra = configMap({ a: '1' }, { name: 'extra', managedFields });
const ofCluster = (apiVersion: string, kind: string, name: string) => ({
  apiVersion,
  kind,
  metadata: { name, managedFields },
});
const holdingData = [
  objectOf('v1', 'PersistentVolumeClaim', {}, { name: 'uploads', managedFields }),
  ofCluster('v1', 'Namespace', 'reports'),
  ofCluster('apiextensions.k8s.io/v1', 'CustomResourceDefinition', 'widgets.example.com'),
];

/** Revision 1 has config alone; revision 2 has brought more, which is in the last live revision or in one in between. */
async function rolledBack(prune: boolean, isBetween: boolean) {
  const api = new OwningApi();
  const [first, second, third] = [
    revision(1, 'superseded'),
    revision(2, isBetween ? 'failed' : 'live'),
    revision(3, 'live'),
  ];
  await recordRevision(api, 'shop', { ...first, objects: [configMap({ a: '1' })] }, []);
  await recordRevision(api, 'shop', { ...second, objects: [configMap({ a: '2' }), extra, ...holdingData] }, []);
  if (isBetween) await recordRevision(api, 'shop', { ...third, objects: [configMap({ a: '2' })] }, []);
  for (const object of [version('2'), extra, ...holdingData]) api.put(object);
  const given = {
    forceConflicts: false,
    keepOldForMs: 60_000,
    replicas: [],
    restartOnConfig: true,
    prune,
    toRevision: '1',
  };
  const inputs = { ...(given as unknown as CommandInputs), ...options };
  const report = await rollback.run({ ...contextOf(api, 'me'), clock: new HastyClock() }, inputs);
  const kept = [extra, ...holdingData].filter((object) => api.get(refOf(object)) !== undefined);
  return { report, kept: kept.map(({ metadata }) => metadata.name) };
}

const names = holdingData.map(({ metadata }) => metadata.name);
const reason = 'is not in revision 1 and was kept, because it may hold data. If it is not needed, remove it with';
const told = [
  `PersistentVolumeClaim "uploads" in namespace "shop" ${reason} "kubectl delete --namespace shop persistentvolumeclaim/uploads".`,
  `Namespace "reports" ${reason} "kubectl delete namespace/reports".`,
  `CustomResourceDefinition "widgets.example.com" ${reason} "kubectl delete customresourcedefinition/widgets.example.com".`,
];

describe('what may hold data and is not in the revision that is restored', () => {
  test.each([
    ['the live revision has', false],
    ['a revision in between has left', true],
  ])('stays with "prune: true", and is named with the command that removes it: what %s', async (_, isBetween) => {
    const { report, kept } = await rolledBack(true, isBetween);
    expect(report.status).toBe('rolled-back');
    expect(kept).toEqual(names);
    expect(report.warnings).toEqual(told);
  });

  test('is not said to go with "prune: true" where all stays', async () => {
    const { report, kept } = await rolledBack(false, false);
    expect(kept).toEqual(['extra', ...names]);
    expect(report.warnings).toEqual([
      'ConfigMap "extra" in namespace "shop" is not in revision 1 and was kept; "prune: true" removes it',
      ...told,
    ]);
  });
});
