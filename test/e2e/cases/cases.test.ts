import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { at, numberAt, objectsAt, stringAt } from '../../../src/base/json.ts';
import type { KubernetesObject } from '../../../src/kubernetes/object.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { sampleImage } from '../../support/objects.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

/**
 * Manifests and inputs on which Azure/k8s-deploy 7.0.0 was seen to do the wrong thing, and what is right:
 *
 * | row | manifest      | what it did                                      | what is right                                |
 * | --- | ------------- | ------------------------------------------------ | -------------------------------------------- |
 * | R1  | port.yaml     | both containers got the image of the first       | repositories are compared as a whole         |
 * | R2  | octal.yaml    | `0644` became decimal                            | what kubectl reads                           |
 * | R4  | empty.yaml    | crashed at a document without content            | it is skipped                                |
 * | R5  | list.yaml     | images in a List stayed, and nothing was awaited | as without the List                          |
 * | R6  | ns.yaml       | one namespace twice, the other never             | both                                         |
 * | R7  | canary.yaml   | canary: the ConfigMap was never applied          | all is applied                               |
 * | R8  | bg.yaml       | blue-green: switched before the pods were ready  | wait, then switch                            |
 * | R9  | canary.yaml   | a warning of the server passed for "not found"   | it is shown, and that is all                 |
 * | R10 | canary1.yaml  | promote succeeded although the stable one failed | fails, and the canary stays                  |
 * | R11 | pod.yaml      | succeeded although the Pod had failed            | fails, with the cause                        |
 * | R12 | img.yaml      | passed on two flags that exclude each other      | inputs are checked                           |
 * | R13 | a URL         | "outside the workspace"                          | an error that says what to do                |
 * | R15 | img.yaml      | a blank got into the image                       | lines are trimmed                            |
 * | R16 | img2.yaml     | `docker.io/library/nginx` did not match `nginx`  | it does; a line that matches none is an error |
 * | R18 | tl.yaml       | blue-green: the Service mixed both versions      | selectors are matched with pod labels        |
 * | R19 | kustomize-dir | crashed                                          | it is built                                  |
 * | R20 | canary.yaml   | a percentage "abc" gave `replicas: null`         | an error                                     |
 * | R21 | any           | a misspelt method fell back to another           | an error that lists what there is            |
 * | R22 | port.yaml     | crashed at a Deployment without labels           | works                                        |
 */
const manifests = join(import.meta.dirname, 'manifests');

/** An image that the cluster has, for the repository of most manifests. */
const runnable = `reg.io/foo=${sampleImage}`;

const namespaces: string[] = [];

afterAll(async () => {
  for (const name of namespaces) await deleteNamespace(name);
});

async function fresh(): Promise<string> {
  const name = await createNamespace('case');
  namespaces.push(name);
  return name;
}

async function deploy(
  file: string,
  namespace: string,
  inputs: Record<string, string> = {},
  workspace = manifests,
): Promise<StepResult> {
  return await runStep(
    { kubeconfig: testKubeconfig(), namespace, release: 'case', manifests: file, timeout: '90s', ...inputs },
    { workspace },
  );
}

async function read(kind: string, name: string, namespace: string): Promise<KubernetesObject> {
  return await kubectlJson(['get', kind, name, '-n', namespace]);
}

async function liveWeb(namespace: string): Promise<KubernetesObject> {
  return await read('deployment', 'web', namespace);
}

function imagesOf(object: KubernetesObject): string[] {
  return objectsAt(object, 'spec', 'template', 'spec', 'containers').map(
    (container) => `${stringAt(container, 'name') ?? ''}=${stringAt(container, 'image') ?? ''}`,
  );
}

/* Without pods, an image that nobody can pull is as good as any. */
const noPods = { replicas: '0' };

describe('images', () => {
  test.concurrent(
    'R1 port.yaml: of two repositories of one registry with a port, only the named one changes',
    async () => {
      const namespace = await fresh();
      const result = await deploy('port.yaml', namespace, { images: 'localhost:5000/foo:new', ...noPods });
      expect(result.outputs['status']).toBe('deployed');
      expect(imagesOf(await liveWeb(namespace))).toEqual(['a=localhost:5000/foo:new', 'b=localhost:5000/bar:old']);
    },
  );

  test.concurrent('R5 list.yaml: the image inside of a List is set, and its pods are awaited', async () => {
    const namespace = await fresh();
    const good = await deploy('list.yaml', namespace, { images: runnable });
    expect(good.outputs['status']).toBe('deployed');
    const live = await liveWeb(namespace);
    expect(imagesOf(live)).toEqual([`a=${sampleImage}`]);
    expect(numberAt(live, 'status', 'readyReplicas')).toBe(1);
    const bad = await deploy('list.yaml', namespace, { images: 'reg.io/foo=registry.test/pulled/ctwoc:9.9.9' });
    expect(bad.outputs['status']).toBe('undone');
    expect(bad.outputs['failure']).toContain('not found');
  });

  test.concurrent('R15 img.yaml: a blank at the end of a line is none of the image', async () => {
    const namespace = await fresh();
    const result = await deploy('img.yaml', namespace, { images: 'reg.io/a:1 ', ...noPods });
    expect(result.outputs['status']).toBe('deployed');
    expect(imagesOf(await liveWeb(namespace))).toEqual(['a=reg.io/a:1']);
  });

  test.concurrent(
    'R16 img2.yaml: docker.io/library/nginx is nginx, and a line that matches nothing is an error',
    async () => {
      const namespace = await fresh();
      const none = await deploy('img2.yaml', namespace, { images: 'reg.io/foo:1' });
      expect(none.exit).toBe(1);
      expect(none.outputs['failure']).toContain('reg.io/foo');
      expect(none.outputs['failure']).toContain('nginx');
      const result = await deploy('img2.yaml', namespace, { images: 'docker.io/library/nginx:2', ...noPods });
      expect(result.outputs['status']).toBe('deployed');
      expect(imagesOf(await liveWeb(namespace))[0]).toMatch(/^a=(docker\.io\/library\/)?nginx:2$/);
    },
  );
});

describe('manifests', () => {
  test.concurrent('R2 octal.yaml: values are those that kubectl reads', async () => {
    const [ours, theirs] = [await fresh(), await fresh()];
    // A plain Y is a boolean, which kubectl refuses too, in words about Go.
    const asItIs = await deploy('octal.yaml', ours, noPods);
    expect(asItIs.outputs['failure']).toContain('must be a string, but is the boolean true');
    await expect(kubectl(['apply', '-n', theirs, '-f', join(manifests, 'octal.yaml')])).rejects.toThrow(
      'unmarshal bool',
    );

    const text = readFileSync(join(manifests, 'octal.yaml'), 'utf8').replace('name: Y', 'name: "Y"');
    const workspace = createWorkspace({ 'octal.yaml': text });
    const result = await deploy('octal.yaml', ours, noPods, workspace);
    removeWorkspace(workspace);
    expect(result.outputs['status']).toBe('deployed');
    await kubectl(['apply', '-n', theirs, '-f', '-'], text);
    const template = async (namespace: string) => at(await liveWeb(namespace), 'spec', 'template');
    expect(await template(ours)).toEqual(await template(theirs));
    expect(numberAt(await template(ours), 'spec', 'volumes', 0, 'secret', 'defaultMode')).toBe(0o644);
  });

  test.concurrent('R4 empty.yaml: documents without an object are skipped', async () => {
    const namespace = await fresh();
    expect((await deploy('empty.yaml', namespace)).outputs['status']).toBe('deployed');
    const names = await kubectl(['get', 'configmaps', 'c', 'd', '-n', namespace, '-o', 'name']);
    expect(names).toBe('configmap/c\nconfigmap/d\n');
  });

  test.concurrent('R7 canary.yaml: the ConfigMap beside the Deployment is applied', async () => {
    const namespace = await fresh();
    expect((await deploy('canary.yaml', namespace, noPods)).outputs['status']).toBe('deployed');
    const data = await kubectl(['get', 'configmap', 'cfg', '-n', namespace, '-o', 'jsonpath={.data.a}']);
    expect(data).toBe('b');
  });

  test.concurrent('R13: a URL is an error that says what to do', async () => {
    const result = await deploy('https://example.com/app.yaml', await fresh());
    expect(result.exit).toBe(1);
    expect(result.outputs['failure']).toContain('can only be read from files');
    expect(result.outputs['failure']).toContain('Download it in an earlier step');
  });

  test.concurrent('R19 kustomize-dir: is built', async () => {
    const namespace = await fresh();
    const programs = `${dirname(process.env['TEST_KUBECTL'] ?? '')}:${process.env['PATH'] ?? ''}`;
    const result = await runStep(
      { kubeconfig: testKubeconfig(), namespace, release: 'case', manifests: 'kustomize-dir' },
      { workspace: manifests, env: { PATH: programs } },
    );
    expect(result.outputs['status']).toBe('deployed');
    expect(await read('configmap', 'c', namespace)).toMatchObject({ kind: 'ConfigMap' });
  });

  test.concurrent('R22 port.yaml: a Deployment without labels is one like any other', async () => {
    const namespace = await fresh();
    const result = await deploy('port.yaml', namespace, {
      images: `localhost:5000/foo=${sampleImage}\nlocalhost:5000/bar=${sampleImage}`,
      ...noPods,
    });
    expect(result.outputs['status']).toBe('deployed');
    expect((await liveWeb(namespace)).metadata.labels).toBeUndefined();
  });
});

describe('R6 ns.yaml', () => {
  const teams = ['team-a', 'team-b'];

  beforeAll(async () => {
    for (const name of teams) {
      const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
      await kubectl(['apply', '-f', '-'], JSON.stringify(object));
    }
  });

  afterAll(async () => {
    for (const name of teams) await deleteNamespace(name);
  });

  test('two objects of one kind and name in two namespaces are two objects', async () => {
    const result = await deploy('ns.yaml', await fresh(), { images: runnable });
    expect(result.outputs['status']).toBe('deployed');
    for (const name of teams) expect(numberAt(await liveWeb(name), 'status', 'readyReplicas')).toBe(1);
  });
});

describe('the outcome', () => {
  test.concurrent('R9 canary.yaml: a warning of the server is shown, and that is all', async () => {
    const namespace = await fresh();
    await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/warn=restricted']);
    const result = await deploy('canary.yaml', namespace, noPods);
    expect(result.outputs['status']).toBe('deployed');
    expect(result.log).toMatch(/::warning.*would violate PodSecurity/);
  });

  test.concurrent('R11 pod.yaml: a Pod that does not get to run fails the deploy, with the cause', async () => {
    const result = await deploy('pod.yaml', await fresh(), {
      images: 'nginx=registry.test/pulled/ctwoc:9.9.9',
    });
    expect(result.exit).toBe(1);
    expect(result.outputs['status']).toBe('undone');
    expect(result.outputs['failure']).toContain('registry.test/pulled/ctwoc:9.9.9');
  });
});

describe('inputs', () => {
  test.concurrent('R12 img.yaml: flags that this action does not have are an error, not passed on', async () => {
    const result = await deploy('img.yaml', await fresh(), { force: 'true', 'server-side': 'true' });
    expect(result.exit).toBe(1);
    expect(result.log).toContain('the input "force" has no effect on the command "deploy"');
    expect(result.log).toContain('there is no input "server-side"');
  });

  test.concurrent('R20 canary.yaml: a number that is none is an error', async () => {
    const result = await deploy('canary.yaml', await fresh(), { replicas: 'abc' });
    expect(result.exit).toBe(1);
    expect(result.outputs['failure']).toContain('\\"abc\\", which is not a number of pods');
  });

  test.concurrent('R21: a misspelt strategy is an error that lists what there is', async () => {
    const result = await deploy('bg.yaml', await fresh(), { strategy: 'blue-gren' });
    expect(result.exit).toBe(1);
    expect(result.outputs['failure']).toContain('must be one of');
    expect(result.outputs['failure']).toContain('Did you mean \\"blue-green\\"?');
  });
});

/** Another version of the image that the manifests have. */
const next = 'reg.io/foo=registry.test/ctwoc:2.0.0';

describe('with strategy canary', () => {
  const waiting = { strategy: 'canary', 'auto-promote': 'false', 'step-duration': '0s', replicas: 'web=2' };

  test.concurrent('R7 canary.yaml: the ConfigMap beside the Deployment is applied', async () => {
    const namespace = await fresh();
    await deploy('canary.yaml', namespace, { images: runnable, replicas: 'web=2' });
    await kubectl(['delete', 'configmap', 'cfg', '-n', namespace]);
    const result = await deploy('canary.yaml', namespace, { ...waiting, images: next });
    expect(result.outputs['status']).toBe('waiting');
    expect(at(await read('configmap', 'cfg', namespace), 'data')).toEqual({ a: 'b' });
  });

  test.concurrent(
    'R9 canary.yaml: a warning of the server does not make the stable version pass for absent',
    async () => {
      const namespace = await fresh();
      await kubectl(['label', 'namespace', namespace, 'pod-security.kubernetes.io/warn=restricted']);
      await deploy('canary.yaml', namespace, { images: runnable, replicas: 'web=2' });
      const { uid } = (await liveWeb(namespace)).metadata;
      const result = await deploy('canary.yaml', namespace, { ...waiting, images: next });
      expect(result.outputs['status']).toBe('waiting');
      expect(result.log).toMatch(/::warning.*would violate PodSecurity/);
      expect((await liveWeb(namespace)).metadata.uid).toBe(uid);
    },
  );

  test.concurrent('R20 canary.yaml: a share "abc" is an error', async () => {
    const result = await deploy('canary.yaml', await fresh(), { ...waiting, 'canary-steps': 'abc' });
    expect(result.exit).toBe(1);
    expect(result.outputs['failure']).toContain('\\"abc\\", which is not a list of increasing percentages');
  });

  test.concurrent('R22 port.yaml: a Deployment without labels is one like any other', async () => {
    const namespace = await fresh();
    const images = (version: string) =>
      `localhost:5000/foo=registry.test/ctwoc:${version}\nlocalhost:5000/bar=registry.test/pause:1`;
    await deploy('port.yaml', namespace, { images: images('1.0.0') });
    const result = await deploy('port.yaml', namespace, { ...waiting, images: images('2.0.0') });
    expect(result.outputs['status']).toBe('waiting');
    expect(numberAt(await read('deployment', 'web-canary', namespace), 'status', 'readyReplicas')).toBe(1);
  });

  test.concurrent('W9 sts.yaml: a StatefulSet gets no second one with volumes of its own', async () => {
    const namespace = await fresh();
    await deploy('sts.yaml', namespace, { images: runnable, replicas: 'web=1' });
    const result = await deploy('sts.yaml', namespace, { ...waiting, replicas: 'web=1', images: next });
    expect(result.exit).toBe(1);
    expect(result.outputs['failure']).toContain('which the strategy \\"canary\\" cannot do');
    expect(await kubectl(['get', 'statefulsets', '-n', namespace, '-o', 'name'])).toBe('statefulset.apps/web\n');
  });
});

describe('with strategy blue-green', () => {
  const sided = { strategy: 'blue-green', 'keep-old-for': '0s' };
  const blue = { 'gke-rollout/track': 'blue' };

  async function selectorIn(namespace: string) {
    return at(await read('service', 'web', namespace), 'spec', 'selector');
  }

  test.concurrent('R8 bg.yaml: the Service is switched when the new pods are ready, not before', async () => {
    const namespace = await fresh();
    await deploy('bg.yaml', namespace, { ...sided, images: runnable });
    const broken = await deploy('bg.yaml', namespace, {
      ...sided,
      images: 'reg.io/foo=registry.test/pulled/ctwoc:9.9.9',
    });
    expect(broken.outputs['status']).toBe('undone');
    expect(await selectorIn(namespace)).toEqual({ app: 'web', ...blue });
    const result = await deploy('bg.yaml', namespace, { ...sided, images: next });
    expect(result.outputs['status']).toBe('deployed');
    expect(await selectorIn(namespace)).toEqual({ app: 'web', 'gke-rollout/track': 'green' });
  });

  test.concurrent('R18 tl.yaml: a selector with a label of the pods alone is switched too', async () => {
    const namespace = await fresh();
    await deploy('tl.yaml', namespace, { ...sided, images: runnable });
    expect(await selectorIn(namespace)).toEqual({ app: 'web', tier: 'front', ...blue });
    await deploy('tl.yaml', namespace, { ...sided, images: next });
    expect(await selectorIn(namespace)).toEqual({ app: 'web', tier: 'front', 'gke-rollout/track': 'green' });
  });
});
