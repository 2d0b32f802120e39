import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { deployment, sampleImage } from '../../support/objects.ts';
import type { StepResult } from '../../support/step.ts';
import { app, image, Stage, until } from '../../support/strategy-stage.ts';

/** What is ready by its status, although its pods are not what was applied, or there are none. */

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('rolling');
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
});

function headingOf({ summary }: StepResult): string {
  return summary.split('\n')[0] ?? '';
}

const status = async (release: string) => await stage.command(release, 'status');

describe('pods that stay as they are', () => {
  test.each([
    ['ReplicaSet', 'loose'],
    ['ReplicationController', 'classic'],
  ])('of a %s with another image are said to be old, by each run until they are gone', async (kind, name) => {
    const set = (version: string) => {
      const { selector, ...spec } = deployment(name, { image: image(version), replicas: 2 }).spec;
      const isClassic = kind === 'ReplicationController';
      return {
        apiVersion: isClassic ? 'v1' : 'apps/v1',
        kind,
        metadata: { name },
        spec: { ...spec, selector: isClassic ? selector.matchLabels : selector },
      };
    };
    const held = (updated: number) =>
      `${kind} "${name}": its controller replaces no pods: ${updated} of 2 pods updated`;
    await stage.given(name, [set('1.0.0')]);
    const result = await stage.deploy(name, [set('2.0.0')]);
    expect(result.outputs['status']).toBe('paused');
    expect(headingOf(result)).toContain(`but not all pods run it: ${held(0)}`);

    const again = await stage.deploy(name, [set('2.0.0')]);
    expect(again.outputs['status']).toBe('paused');
    expect(headingOf(again)).toContain(`but not all pods run it: ${held(0)}`);
    expect(headingOf(await status(name))).toContain(held(0));

    await stage.kubectl('delete', 'pod', '--wait', '--selector', `app=${name}`);
    expect((await stage.deploy(name, [set('2.0.0')])).outputs['status']).toBe('unchanged');
    expect(headingOf(await status(name))).not.toContain('updated');
  });

  test('of a StatefulSet with OnDelete are named by status, too', async () => {
    const set = (version: string) => ({
      ...deployment('ondelete'),
      kind: 'StatefulSet',
      spec: {
        ...deployment('ondelete', { image: image(version), replicas: 2 }).spec,
        serviceName: 'ondelete',
        updateStrategy: { type: 'OnDelete' },
      },
    });
    await stage.given('ondelete', [set('1.0.0')]);
    expect((await stage.deploy('ondelete', [set('2.0.0')])).outputs['status']).toBe('paused');
    const heading = headingOf(await status('ondelete'));
    expect(heading).toContain('⚠️');
    expect(heading).toContain('StatefulSet "ondelete": its update strategy is OnDelete: 0 of 2 pods updated');
  });
});

test('a Pod with another image is awaited until its container is replaced', async () => {
  const bare = (tag: string) => {
    const { metadata, spec } = deployment('bare', { image: tag }).spec.template;
    return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', ...metadata }, spec };
  };
  await stage.given('bare', [bare(image('1.0.0'))]);
  const result = await stage.deploy('bare', [bare(image('2.0.0'))]);
  expect(result.outputs['status']).toBe('deployed');
  expect(result.log).toContain('Pod "bare": container "web" still runs its old image');
  const broken = await stage.deploy('bare', [bare('registry.test/pulled/ctwoc:9.9.9')]);
  expect(broken.exit).toBe(1);
});

test('a DaemonSet that no node wants any more is named in the headings', async () => {
  const agent = (nodeSelector: object) => {
    const { selector, template } = deployment('agent').spec;
    return {
      ...deployment('agent'),
      kind: 'DaemonSet',
      spec: { selector, template: { ...template, spec: { ...template.spec, nodeSelector } } },
    };
  };
  await stage.given('agent', [agent({})]);
  const result = await stage.deploy('agent', [agent({ pool: 'mistyped' })]);
  expect(result.exit).toBe(0);
  expect(headingOf(result)).toContain('applied as revision 2; DaemonSet "agent" has no pods: no node matches');
  expect(headingOf(await status('agent'))).toContain('DaemonSet "agent" has no pods: no node matches');
});

describe('a Job', () => {
  const job = (name: string, spec: object = {}) => ({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name },
    spec: {
      template: {
        spec: {
          restartPolicy: 'Never',
          containers: [{ name: 'job', image: sampleImage, args: ['job', '-exit', '0'] }],
        },
      },
      ...spec,
    },
  });

  test('that is suspended is said not to be waited for', async () => {
    const result = await stage.deploy('later', [job('later', { suspend: true })]);
    expect(result.exit).toBe(0);
    expect(result.log).toContain('Job "later" is not waited for: it is suspended');
  });

  test('that has run and is gone is not missed', async () => {
    await stage.given('ran', [...app('ran', '1.0.0'), job('migrate')]);
    await stage.kubectl('delete', 'job', 'migrate');
    await until('the Job is gone', async () => !(await stage.exists('job', 'migrate')));
    const result = await status('ran');
    expect(result.outputs['healthy']).toBe('true');
    expect(result.log).toContain('Job "migrate" is no longer in the cluster: it runs only once, so nothing is wrong');
  });
});
