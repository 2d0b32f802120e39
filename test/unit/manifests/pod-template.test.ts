import { describe, expect, test } from '@jest/globals';

import { podSpecOf, podTemplatePath } from '../../../src/manifests/pod-template.ts';
import { manifest } from './build.ts';

const spec = { containers: [{ name: 'a', image: 'nginx' }] };
const template = { spec };

describe('podTemplatePath', () => {
  test.each([
    [{ apiVersion: 'v1', kind: 'Pod', spec }, []],
    [{ apiVersion: 'apps/v1', kind: 'Deployment', spec: { template } }, ['spec', 'template']],
    [{ apiVersion: 'batch/v1', kind: 'Job', spec: { template } }, ['spec', 'template']],
    [
      { apiVersion: 'batch/v1', kind: 'CronJob', spec: { jobTemplate: { spec: { template } } } },
      ['spec', 'jobTemplate', 'spec', 'template'],
    ],
    [{ apiVersion: 'v1', kind: 'PodTemplate', template }, ['template']],
    [{ apiVersion: 'example.test/v1', kind: 'Anything', spec: { template } }, ['spec', 'template']],
  ])('of $kind leads to the pod spec, which is no copy', (object, path) => {
    const { object: parsed } = manifest(object);
    expect(podTemplatePath(parsed)).toStrictEqual(path);
    const found = podSpecOf(parsed);
    expect(found).toStrictEqual(spec);
    if (found !== undefined) found['hostNetwork'] = true;
    expect(podSpecOf(parsed)).toHaveProperty('hostNetwork', true);
  });

  test.each([
    { kind: 'ConfigMap', data: {} },
    { kind: 'Service', spec: { selector: { app: 'a' } } },
    { apiVersion: 'example.test/v1', kind: 'Anything', spec: { template: { text: 'Hello' } } },
    { apiVersion: 'example.test/v1', kind: 'Pod', spec },
  ])('there is none in a $kind without pods', (object) => {
    const { object: parsed } = manifest(object);
    expect(podTemplatePath(parsed)).toBeUndefined();
    expect(podSpecOf(parsed)).toBeUndefined();
  });
});
