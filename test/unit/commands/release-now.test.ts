import { describe, expect, test } from '@jest/globals';

import { readRelease } from '../../../src/commands/release-now.ts';
import { keyOf, refOf, type KubernetesObject } from '../../../src/kubernetes/object.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { objectOf, revision } from '../release/build.ts';

const job = (spec = {}) => objectOf('batch/v1', 'Job', { spec }, { name: 'migrate' });

describe('what a release has no more', () => {
  test('is a problem where it is to be there, and a note of a Job, which must not run again', async () => {
    const gone = await readRelease(
      new FakeApi(),
      revision(1, 'live', { objects: [objectOf('v1', 'Service', {}, { name: 'web' }), job()] }),
    );
    expect(gone.problems.map(({ message }) => message)).toEqual(['Service "web" is missing: somebody has deleted it']);
    expect(gone.notes).toEqual([
      'Job "migrate" is no longer in the cluster: it runs only once, so nothing is wrong; a deploy of it would run it again',
    ]);
  });

  test('is told nothing of a Job that removes itself', async () => {
    const { problems, notes } = await readRelease(
      new FakeApi(),
      revision(1, 'live', { objects: [job({ ttlSecondsAfterFinished: 60 })] }),
    );
    expect({ problems, notes }).toEqual({ problems: [], notes: [] });
  });
});

test('an autoscaler in any namespace of the release counts, and what it has at 0 is meant to be', async () => {
  const elsewhere = (object: KubernetesObject) => ({ ...object, metadata: { ...object.metadata, namespace: 'other' } });
  const config = objectOf('v1', 'ConfigMap', {});
  const web = elsewhere(objectOf('apps/v1', 'Deployment', { spec: { replicas: 0 } }));
  const spec = { minReplicas: 0, scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' } };
  const api = new FakeApi();
  for (const object of [config, web, elsewhere(objectOf('autoscaling/v2', 'HorizontalPodAutoscaler', { spec }))])
    api.put(object);
  const { autoscaled, found } = await readRelease(api, revision(1, 'live', { objects: [config, web] }));
  expect([...autoscaled]).toEqual([keyOf(refOf(web))]);
  expect(found.map(({ object, mayBeEmpty }) => `${object.kind}: ${mayBeEmpty}`)).toEqual([
    'ConfigMap: false',
    'Deployment: true',
  ]);
});
