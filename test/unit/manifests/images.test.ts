import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, test } from '@jest/globals';

import { stringAt } from '../../../src/base/json.ts';
import { setImages } from '../../../src/manifests/images.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { containersOf, imagesOf as allImagesOf } from '../../../src/manifests/pod-template.ts';
import { parseManifests } from '../../../src/manifests/read/yaml.ts';
import { deployment, manifest, thrownBy } from './build.ts';

const digest = `sha256:${'0123456789abcdef'.repeat(4)}`;
const imagesOf = (manifests: readonly Manifest[]) =>
  manifests.flatMap(({ object }) => containersOf(object).map(({ image }) => image));

/** What the inputs make of the images of one Deployment. */
function changed(images: readonly string[], tag: string | undefined, lines: readonly string[]): (string | undefined)[] {
  const manifests = [deployment(images)];
  setImages(manifests, tag, lines);
  return imagesOf(manifests);
}

describe('images', () => {
  test.each<[string, string[], string[], string[]]>([
    [
      'changes containers of its repository',
      ['r.test/a:1', 'r.test/b:1'],
      ['r.test/a:2'],
      ['r.test/a:2', 'r.test/b:1'],
    ],
    ['takes several lines', ['r.test/a:1', 'r.test/b:1'], ['r.test/b:2', 'r.test/a:3'], ['r.test/a:3', 'r.test/b:2']],
    ['sets a digest', ['r.test/a:1'], [`r.test/a@${digest}`], [`r.test/a@${digest}`]],
    ['sets tag and digest', ['r.test/a:1'], [`r.test/a:2@${digest}`], [`r.test/a:2@${digest}`]],
    ['replaces a digest', [`r.test/a@${digest}`], ['r.test/a:2'], ['r.test/a:2']],
    ['gives a version to an image without one', ['r.test/a'], ['r.test/a:2'], ['r.test/a:2']],
    [
      'replaces the repository (Azure/k8s-deploy#132)',
      ['r.test/a:1', 'web'],
      ['web=r.test/web:2'],
      ['r.test/a:1', 'r.test/web:2'],
    ],
    ['replaces the repository and keeps the version', ['r.test/a:1'], ['r.test/a = s.test/a'], ['s.test/a:1']],
    ['ignores blanks around a line (k8s-deploy R15)', ['r.test/a:1'], ['  r.test/a:2  ', ' '], ['r.test/a:2']],
    ['knows Docker Hub by each of its names (k8s-deploy R16)', ['nginx:1'], ['docker.io/library/nginx:2'], ['nginx:2']],
    ['knows Docker Hub by each of its names', ['index.docker.io/me/a:1'], ['me/a:2'], ['index.docker.io/me/a:2']],
    [
      'leaves repositories alone whose names begin or end alike (microsoft/azure-pipelines-tasks#10646, #12064)',
      ['r.test/team/app:1', 'r.test/team/app-proxy:1', 'r.test/app:1', 'app:1'],
      ['r.test/team/app:2'],
      ['r.test/team/app:2', 'r.test/team/app-proxy:1', 'r.test/app:1', 'app:1'],
    ],
    [
      'does not take the port of a registry for a tag',
      ['r.test:5000/a', 'r.test/a'],
      ['r.test:5000/a:2'],
      ['r.test:5000/a:2', 'r.test/a'],
    ],
  ])('%s', (_, before, lines, after) => {
    expect(changed(before, undefined, lines)).toStrictEqual(after);
  });

  test('changes one of two containers on the same host and port (R1, Azure/k8s-deploy#2)', () => {
    const text = readFileSync(join(import.meta.dirname, 'cases/same-host-and-port.yaml'), 'utf8');
    const manifests = parseManifests(text, 'f.yaml');
    setImages(manifests, undefined, ['localhost:5000/foo:new']);
    expect(imagesOf(manifests)).toStrictEqual(['localhost:5000/foo:new', 'localhost:5000/bar:old']);
  });

  test('changes what is inside of a list (k8s-deploy R5)', () => {
    const manifests = parseManifests(readFileSync(join(import.meta.dirname, 'cases/list.yaml'), 'utf8'), 'f.yaml');
    setImages(manifests, undefined, ['reg.io/foo:new']);
    expect(imagesOf(manifests)).toStrictEqual(['reg.io/foo:new']);
  });

  test.each<[string, string[], string]>([
    [
      'a repository that no container uses (Azure/k8s-deploy#286)',
      ['r.test/c:2'],
      'the input "images" has "r.test/c:2", but no container uses this repository: the containers use "nginx", "r.test/a"',
    ],
    ['a line without version', ['r.test/a'], 'the input "images" has "r.test/a", which has neither tag nor digest'],
    [
      'a line that is no reference',
      ['R.test/A:1'],
      'the input "images" has "R.test/A:1", but "R.test/A:1" is not an image reference',
    ],
    [
      'a version of the old repository',
      ['nginx:1=nginx:2'],
      'the input "images" has "nginx:1=nginx:2", which has a version before the "="',
    ],
    ['two arrows', ['a=b=c'], 'the input "images" has "a=b=c", which has more than one "="'],
    [
      'two lines for one repository',
      ['nginx:1', 'docker.io/nginx:2'],
      'the input "images" has "nginx:1" and "docker.io/nginx:2", which are for the same repository',
    ],
  ])('refuses %s', (_, lines, message) => {
    expect(thrownBy(() => changed(['r.test/a:1', 'nginx'], undefined, lines))).toMatchObject({
      message,
      hint: expect.stringMatching(/\.$/),
    });
  });
});

describe('image-tag', () => {
  test.each<[string, string[], string, string[], string[]]>([
    ['goes to the only repository', ['r.test/a:1', 'r.test/a'], 'v2', [], ['r.test/a:v2', 'r.test/a:v2']],
    [
      'leaves pinned images alone',
      ['r.test/a:1', `r.test/b@${digest}`],
      'v2',
      [],
      ['r.test/a:v2', `r.test/b@${digest}`],
    ],
    ['may be a digest', ['r.test/a:1'], digest, [], [`r.test/a@${digest}`]],
    [
      'goes to what the lines of images leave over',
      ['r.test/a:1', 'r.test/b:1'],
      'v2',
      ['r.test/b:7'],
      ['r.test/a:v2', 'r.test/b:7'],
    ],
    ['goes to a repository that was replaced', ['web'], 'v2', ['web=r.test/web'], ['r.test/web:v2']],
  ])('%s', (_, before, tag, lines, after) => {
    expect(changed(before, tag, lines)).toStrictEqual(after);
  });

  test('is that of the workloads of Kubernetes where a custom resource beside them runs another server', () => {
    const groups = (image: string) =>
      manifest({
        apiVersion: 'leaderworkerset.x-k8s.io/v1',
        kind: 'LeaderWorkerSet',
        metadata: { name: 'model' },
        spec: { leaderWorkerTemplate: { workerTemplate: { spec: { containers: [{ name: 'vllm', image }] } } } },
      });
    const manifests = [deployment(['r.test/app:1']), groups('vllm/vllm-openai:v0.8'), groups('r.test/app:1')];
    const changes = setImages(manifests, 'v2', []);
    expect(changes.map(({ after }) => after)).toEqual(['r.test/app:v2', 'vllm/vllm-openai:v0.8', 'r.test/app:v2']);
  });

  test('lists the lines to write when several repositories are used', () => {
    expect(thrownBy(() => changed(['r.test/b:1', 'nginx'], 'v2', []))).toMatchObject({
      message:
        'the input "image-tag" is "v2", but the containers use several repositories: the containers use "nginx", "r.test/b"',
      hint: 'Use the input "images" instead, one line per repository: r.test/b:v2, nginx:v2.',
    });
  });

  test.each<[string, string[], string, string[], RegExp]>([
    ['manifests without containers', [], 'v2', [], /no container to set it on: the manifests have no containers/],
    [
      'pinned images only',
      [`r.test/a@${digest}`],
      'v2',
      [],
      /no container to set it on: the containers use "r.test\/a"/,
    ],
    ['images that all have a line', ['r.test/a:1'], 'v2', ['r.test/a:3'], /no container to set it on/],
    ['a tag with a slash', ['r.test/a:1'], 'feature/x', [], /"feature\/x" is not a valid image tag/],
    ['an empty tag', ['r.test/a:1'], '', [], /"" is not a valid image tag/],
    ['a short digest', ['r.test/a:1'], 'sha256:12', [], /"sha256:12" is not a valid image tag/],
  ])('refuses %s', (_, before, tag, lines, message) => {
    expect(() => changed(before, tag, lines)).toThrow(message);
  });
});

const template = {
  spec: { initContainers: [{ name: 'i', image: 'r.test/a:1' }], containers: [{ name: 'c', image: 'r.test/a:1' }] },
};

test.each([
  { apiVersion: 'v1', kind: 'Pod', spec: template.spec },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', spec: { template } },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', spec: { template } },
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', spec: { template } },
  { apiVersion: 'v1', kind: 'ReplicationController', spec: { template } },
  { apiVersion: 'batch/v1', kind: 'Job', spec: { template } },
  { apiVersion: 'batch/v1', kind: 'CronJob', spec: { jobTemplate: { spec: { template } } } },
  { apiVersion: 'argoproj.io/v1alpha1', kind: 'Rollout', spec: { template } },
  { apiVersion: 'serving.knative.dev/v1', kind: 'Service', spec: { template } },
])('containers and init containers of a $kind ($apiVersion) are found', (object) => {
  const changes = setImages([manifest({ ...object, metadata: { name: 'w' } })], '2', []);
  expect(changes.map(({ workload, container, after }) => [workload.kind, container, after])).toStrictEqual([
    [object.kind, 'i', 'r.test/a:2'],
    [object.kind, 'c', 'r.test/a:2'],
  ]);
});

test('a change says what was before and what stays, and a template-less object is left alone', () => {
  const config = manifest({ kind: 'ConfigMap', data: { image: 'r.test/a:1' } });
  const web = deployment(['r.test/a:1', 'nginx']);
  const workload = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' };
  expect(setImages([config, web], undefined, ['r.test/a:2'])).toStrictEqual([
    { workload, container: 'c0', before: 'r.test/a:1', after: 'r.test/a:2' },
    { workload, container: 'c1', before: 'nginx', after: 'nginx' },
  ]);
  expect(stringAt(config.object, 'data', 'image')).toBe('r.test/a:1');
});

test('the order of keys does not matter (microsoft/azure-pipelines-tasks#11517)', () => {
  const manifests = parseManifests(
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - image: r.test/a:1\n    name: a\n',
    'f.yaml',
  );
  setImages(manifests, '2', []);
  expect(imagesOf(manifests)).toStrictEqual(['r.test/a:2']);
});

test('an image that no node could pull is refused at its line, whatever the inputs are', () => {
  const text =
    'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n  - name: a\n    image: IMAGE_NAME\n';
  expect(thrownBy(() => setImages(parseManifests(text, 'f.yaml'), undefined, []))).toMatchObject({
    message: 'the image of container "a" in Pod "p": "IMAGE_NAME" is not an image reference',
    location: { file: 'f.yaml', line: 7 },
  });
});

describe('image volumes (kubernetes-sigs/kustomize#6238)', () => {
  const pod = (container: string, ...volumes: string[]) => {
    const spec = {
      containers: [{ name: 'web', image: container }],
      volumes: [
        { name: 'cache', emptyDir: {} },
        ...volumes.map((reference, index) => ({ name: `v${index}`, image: { reference, pullPolicy: 'Always' } })),
      ],
    };
    return manifest({ apiVersion: 'apps/v1', kind: 'StatefulSet', spec: { template: { spec } } });
  };
  const texts = ({ object }: Manifest) => allImagesOf(object).map(({ name, image }) => `${name}=${image ?? ''}`);

  test.each<[string, Manifest, string | undefined, string[], string[]]>([
    [
      'a line of "images"',
      pod('r.test/a:1', 'r.test/m:1'),
      undefined,
      ['r.test/m:2'],
      ['web=r.test/a:1', 'volume v0=r.test/m:2'],
    ],
    [
      '"image-tag", of the same repository',
      pod('r.test/a:1', 'r.test/a:1'),
      '2',
      [],
      ['web=r.test/a:2', 'volume v0=r.test/a:2'],
    ],
    [
      '"image-tag" not, of another repository',
      pod('r.test/a:1', 'r.test/m:1'),
      '2',
      [],
      ['web=r.test/a:2', 'volume v0=r.test/m:1'],
    ],
    [
      '"image-tag" where the containers are settled',
      pod('r.test/a:1', 'r.test/m:1'),
      '2',
      ['r.test/a:9'],
      ['web=r.test/a:9', 'volume v0=r.test/m:2'],
    ],
  ])('get %s', (_, made, tag, lines, wanted) => {
    setImages([made], tag, lines);
    expect(texts(made)).toEqual(wanted);
  });

  test('are named where their reference is none', () => {
    expect(thrownBy(() => setImages([pod('r.test/a:1', 'UPPER case')], undefined, [])).message).toContain(
      'the image of volume "v0" in StatefulSet "test"',
    );
  });
});
