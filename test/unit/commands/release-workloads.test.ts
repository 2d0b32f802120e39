import { describe, expect, test } from '@jest/globals';

import { InvalidInput } from '../../../src/base/errors.ts';
import { releaseWorkloads } from '../../../src/commands/release-workloads.ts';
import { scale } from '../../../src/commands/scale.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { recordRevision } from '../../../src/release/record-revision.ts';
import { FakeApi } from '../../support/fake-api.ts';
import { revision } from '../release/build.ts';
import { contextOf, options } from './build.ts';

const containers = [{ name: 'vllm', image: 'r.test/vllm:1' }];
const groups = of('leaderworkerset.x-k8s.io/v1', 'LeaderWorkerSet', 'llm');
const training = of('jobset.x-k8s.io/v1alpha2', 'JobSet', 'train');
const web = of('apps/v1', 'Deployment', 'web');

function of(apiVersion: string, kind: string, name: string): KubernetesObject {
  return { apiVersion, kind, metadata: { name, namespace: 'shop' }, spec: { template: { spec: { containers } } } };
}

async function cluster(objects: readonly KubernetesObject[]): Promise<FakeApi> {
  const api = new FakeApi();
  await recordRevision(api, 'shop', revision(1, 'live', { objects: [...objects] }), []);
  for (const object of objects) api.put(object);
  return api;
}

const restarting = {
  kinds: ['Deployment', 'StatefulSet'],
  command: 'restart',
  instead: 'Deploy it with another annotation.',
};

async function found(api: FakeApi, workload?: string): Promise<{ names: string[]; warnings: string[] }> {
  const warnings: string[] = [];
  const acting = { ...restarting, report: { warn: (text: string) => void warnings.push(text) } };
  const named = { release: 'web', ...(workload === undefined ? {} : { workload }) };
  const workloads = await releaseWorkloads(contextOf(api, 'a test'), 'shop', named, acting);
  return { names: workloads.map(({ kind, metadata }) => `${kind}/${metadata.name}`), warnings };
}

describe('a command that acts on Deployments', () => {
  test('says what to do instead where a release has custom resources alone', async () => {
    const error: unknown = await found(await cluster([groups])).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidInput);
    expect(error).toMatchObject({
      message: 'LeaderWorkerSet "llm" is a custom resource, but the command "restart" acts on Deployment, StatefulSet',
      hint: 'Deploy it with another annotation.',
    });
  });

  test.each(['llm', 'LeaderWorkerSet/llm', 'leaderworkerset/llm'])('says so where "%s" is named', async (name) => {
    await expect(found(await cluster([groups, web]), name)).rejects.toThrow(
      'LeaderWorkerSet "llm" is a custom resource, but the command "restart" acts on Deployment, StatefulSet',
    );
  });

  test('names what it leaves as it is beside them; what does its work once is none of it', async () => {
    expect(await found(await cluster([groups, training, web]))).toStrictEqual({
      names: ['Deployment/web'],
      warnings: [
        'LeaderWorkerSet "llm" is left as it is: "restart" acts on Deployment, StatefulSet. Deploy it with another annotation.',
      ],
    });
  });
});

test('what has its number of pods elsewhere is not scaled', async () => {
  const model = of('serving.kserve.io/v1beta1', 'InferenceService', 'iris');
  const api = await cluster([model, web]);
  const running = scale.run(contextOf(api, 'a test'), { ...options, replicas: ['iris=3'] });
  await expect(running).rejects.toMatchObject({
    message: 'the input "replicas" has "iris=3", but InferenceService "iris" has no "spec.replicas" for its pods',
    hint: 'Its number of pods is set by spec.predictor.minReplicas: change that in its manifest, and deploy.',
  });
  expect(api.log).toStrictEqual(['create Secret/gke-rollout.web.v1', 'list Secret/*']);
});
