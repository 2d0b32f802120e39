import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

import { systemClock } from '../../../src/base/clock.ts';
import { at, listAt, numberAt, objectsAt, stringAt } from '../../../src/base/json.ts';
import { createNamespace, deleteNamespace, kubectl, kubectlJson, testKubeconfig } from '../../support/kubectl.ts';
import { deployment, sampleImage } from '../../support/objects.ts';
import { runStep, type StepResult } from '../../support/step.ts';
import { createWorkspace, removeWorkspace } from '../../support/workspace.ts';

/** What nobody has deployed with this action: made with kubectl, broken with kubectl, and rolled back from an empty folder. */

const missing = 'registry.test/pulled/ctwoc:9.9.9';
const second = 'registry.test/ctwoc:2.0.0';

let namespace: string;

beforeAll(async () => {
  namespace = await createNamespace('adopted');
});

afterAll(async () => {
  await deleteNamespace(namespace);
});

async function step(inputs: Record<string, string>, objects: readonly object[] = []): Promise<StepResult> {
  const workspace = createWorkspace(objects.length === 0 ? {} : { 'app.yaml': objects });
  try {
    return await runStep({ kubeconfig: testKubeconfig(), namespace, ...inputs }, { workspace });
  } finally {
    removeWorkspace(workspace);
  }
}

function rollback(name: string, inputs: Record<string, string> = {}): Promise<StepResult> {
  return step({ command: 'rollback', release: name, workload: name, timeout: '60s', ...inputs });
}

function deploy(name: string, object: object, inputs: Record<string, string> = {}): Promise<StepResult> {
  return step({ release: name, manifests: '.', timeout: '60s', ...inputs }, [object]);
}

function stateful(kind: 'StatefulSet' | 'DaemonSet', name: string, replicas: number) {
  const { metadata, spec } = deployment(name);
  const { selector, template } = spec;
  const own = kind === 'StatefulSet' ? { serviceName: name, replicas } : {};
  return { apiVersion: 'apps/v1', kind, metadata, spec: { ...own, selector, template } };
}

async function make(object: object): Promise<void> {
  await kubectl(['apply', '-n', namespace, '-f', '-'], JSON.stringify(object));
}

async function makeReady(kind: string, name: string, object: object): Promise<void> {
  await make(object);
  await rolledOut(kind, name);
}

async function rolledOut(kind: string, name: string): Promise<void> {
  await kubectl(['rollout', 'status', `${kind}/${name}`, '-n', namespace, '--timeout=60s']);
}

async function setImage(kind: string, name: string, image: string): Promise<void> {
  await kubectl(['set', 'image', `${kind}/${name}`, `web=${image}`, '-n', namespace]);
}

/** Until a pod waits for an image that is not there: then the update is stuck. */
async function untilStuck(name: string, image = missing): Promise<void> {
  const until = Date.now() + 90_000;
  for (;;) {
    const list = await kubectlJson(['get', 'pods', '-l', `app=${name}`, '-n', namespace]);
    const waits = objectsAt(list, 'items').some(
      (pod) =>
        stringAt(pod, 'spec', 'containers', 0, 'image') === image &&
        (stringAt(pod, 'status', 'containerStatuses', 0, 'state', 'waiting', 'reason') ?? '').includes('ImagePull'),
    );
    if (waits) return;
    if (Date.now() > until) throw new Error(`no pod of ${name} waits for its image`);
    await systemClock.sleep(250);
  }
}

async function imageOf(kind: string, name: string): Promise<string | undefined> {
  const object = await kubectlJson(['get', kind, name, '-n', namespace]);
  return stringAt(object, 'spec', 'template', 'spec', 'containers', 0, 'image');
}

describe('a Deployment of kubectl', () => {
  test.concurrent('goes back to the version that ran, its history is recorded, and all goes on as usual', async () => {
    await makeReady('deployment', 'web', deployment('web'));
    await kubectl(['annotate', 'deployment/web', '-n', namespace, 'kubernetes.io/change-cause=first version']);
    await setImage('deployment', 'web', missing);
    await kubectl(['annotate', 'deployment/web', '-n', namespace, 'kubernetes.io/change-cause=a typo', '--overwrite']);
    await untilStuck('web');

    const back = await rollback('web');
    expect(back.log).toContain('going back to ReplicaSet #1 of Deployment/web: healthy (1 ready pod)');
    expect(back.log).toContain('change-cause: first version');
    expect(back.log).not.toContain('::warning');
    expect(back.outputs).toMatchObject({ status: 'rolled-back', revision: '1', 'previous-revision': '' });
    expect(await imageOf('deployment', 'web')).toBe(sampleImage);
    const live = await kubectlJson(['get', 'deployment', 'web', '-n', namespace]);
    expect(live.metadata.annotations?.['kubernetes.io/change-cause']).toBe('first version');
    // The pod that had never gone away serves on: the very ReplicaSet of before is scaled.
    const sets = await kubectlJson(['get', 'replicasets', '-n', namespace, '-l', 'app=web']);
    expect(listAt(sets, 'items')).toHaveLength(2);

    const next = await deploy('web', deployment('web', { image: second }));
    expect(next.outputs).toMatchObject({ status: 'deployed', revision: '2', 'previous-revision': '1' });
    const again = await step({ command: 'rollback', release: 'web' });
    expect(again.outputs).toMatchObject({ status: 'rolled-back', revision: '3' });
    expect(await imageOf('deployment', 'web')).toBe(sampleImage);
    const unchanged = await step({ command: 'rollback', release: 'web', 'to-revision': '1' });
    expect(unchanged.outputs['status']).toBe('unchanged');
  });

  test.concurrent(
    'good, bad, bad goes back to the good one, not to the second highest number (R25, kubernetes#49701)',
    async () => {
      await makeReady('deployment', 'twice', deployment('twice'));
      await setImage('deployment', 'twice', missing);
      await untilStuck('twice');
      await setImage('deployment', 'twice', `${missing}-again`);
      await untilStuck('twice', `${missing}-again`);
      const back = await rollback('twice');
      expect(back.log).toContain('going back to ReplicaSet #1 of Deployment/twice: healthy');
      expect(back.outputs['status']).toBe('rolled-back');
      expect(await imageOf('deployment', 'twice')).toBe(sampleImage);
    },
  );

  test.concurrent(
    'loses what had been added with other tools, and a later deploy brings back nothing (R22, kubernetes#94698)',
    async () => {
      await makeReady('deployment', 'mixed', deployment('mixed'));
      await kubectl(['set', 'env', 'deployment/mixed', 'GREETING=oops', '-n', namespace]);
      const container = { name: 'extra', image: missing };
      const patch = { spec: { template: { spec: { containers: [container] } } } };
      await kubectl(['patch', 'deployment', 'mixed', '-n', namespace, '-p', JSON.stringify(patch)]);
      await kubectl(['rollout', 'restart', 'deployment/mixed', '-n', namespace]);
      const back = await rollback('mixed', { 'to-revision': '1' });
      expect(back.outputs['status']).toBe('rolled-back');
      const live = await kubectlJson(['get', 'deployment', 'mixed', '-n', namespace]);
      const pod = at(live, 'spec', 'template');
      expect(objectsAt(pod, 'spec', 'containers')).toHaveLength(1);
      expect(objectsAt(pod, 'spec', 'containers', 0, 'env').map(({ name }) => name)).toEqual(['SHUTDOWN_DELAY']);
      expect(at(pod, 'metadata', 'annotations')).toBeUndefined();
      // What the manifest lacks from now on goes with the next deploy, although kubectl had written it.
      const smaller = deployment('mixed');
      delete (smaller.spec.template.spec.containers[0] as { env?: unknown } | undefined)?.env;
      expect((await deploy('mixed', smaller)).outputs['status']).toBe('deployed');
      const after = await kubectlJson(['get', 'deployment', 'mixed', '-n', namespace]);
      expect(objectsAt(after, 'spec', 'template', 'spec', 'containers', 0, 'env')).toEqual([]);
    },
  );

  test.concurrent(
    'that is paused is resumed by the same write, so that the broken version goes no further',
    async () => {
      await makeReady('deployment', 'halted', deployment('halted', { replicas: 2 }));
      await setImage('deployment', 'halted', missing);
      await kubectl(['rollout', 'pause', 'deployment/halted', '-n', namespace]);
      const back = await rollback('halted', { 'to-revision': '1' });
      expect(back.outputs['status']).toBe('rolled-back');
      expect(back.log).toMatch(/was paused by kubectl-rollout at \S+; the rollback resumes it/);
      const live = await kubectlJson(['get', 'deployment', 'halted', '-n', namespace]);
      expect(at(live, 'spec', 'paused')).toBeUndefined();
      expect(numberAt(live, 'spec', 'replicas')).toBe(2);
    },
  );

  test.concurrent('keeps the replicas that an autoscaler has set (R23, kubernetes#25238)', async () => {
    await makeReady('deployment', 'scaled', deployment('scaled'));
    const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'scaled' };
    await make({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'scaled' },
      spec: { minReplicas: 2, maxReplicas: 3, scaleTargetRef: target },
    });
    await kubectl([
      'wait',
      'deployment/scaled',
      '-n',
      namespace,
      '--for=jsonpath={.status.readyReplicas}=2',
      '--timeout=90s',
    ]);
    await setImage('deployment', 'scaled', missing);
    expect((await rollback('scaled', { 'to-revision': '1' })).outputs['status']).toBe('rolled-back');
    const live = await kubectlJson(['get', 'deployment', 'scaled', '-n', namespace, '--show-managed-fields']);
    expect(numberAt(live, 'spec', 'replicas')).toBe(2);
    const owners = live.metadata.managedFields?.filter(({ fieldsV1 }) => at(fieldsV1, 'f:spec', 'f:replicas'));
    // The autoscaler writes through the subresource, and stays the owner.
    expect(owners?.map(({ manager }) => manager)).toEqual(['kube-controller-manager']);
  });

  test.concurrent('at the revision that is asked for says so, and whether it is healthy', async () => {
    await makeReady('deployment', 'same', deployment('same'));
    const same = await rollback('same', { 'to-revision': '1' });
    expect(same.outputs).toMatchObject({ status: 'unchanged', revision: '' });
    expect(same.log).toContain('Nothing to do: Deployment/same already runs ReplicaSet #1, and it is healthy');
    await setImage('deployment', 'same', missing);
    const broken = await rollback('same', { 'to-revision': '2' });
    expect(broken.exit).toBe(1);
    expect(broken.outputs['status']).toBe('failed');
    expect(broken.log).toContain('already runs ReplicaSet #2, but it is not healthy');
    expect(await kubectl(['get', 'secrets', '-n', namespace, '-o', 'name'])).not.toContain('gke-rollout.same');
  });

  test.concurrent('whose rollback fails is as it was before it, field ownership included', async () => {
    await make(deployment('worse', { image: missing }));
    await setImage('deployment', 'worse', sampleImage);
    await rolledOut('deployment', 'worse');
    const before = await kubectlJson(['get', 'deployment', 'worse', '-n', namespace, '--show-managed-fields']);
    const back = await rollback('worse', { 'to-revision': '1' });
    expect(back.outputs).toMatchObject({ status: 'undone', revision: '1' });
    expect(back.outputs['failure']).toContain('not found');
    const after = await kubectlJson(['get', 'deployment', 'worse', '-n', namespace, '--show-managed-fields']);
    expect(at(after, 'spec')).toEqual(at(before, 'spec'));
    const owners = ({ metadata }: typeof after) =>
      metadata.managedFields
        ?.filter(({ subresource }) => subresource === undefined)
        .map(({ manager, operation, fieldsV1 }) => ({ manager, operation, fieldsV1 }));
    expect(owners(after)).toEqual(owners(before));
    // A rollback that failed is no history to go by: the workload's own still counts.
    const good = await rollback('worse');
    expect(good.exit).toBe(1);
    expect(good.log).toContain('Deployment/worse has no earlier version that could be healthy');
  });

  test.concurrent(
    'past its progress deadline is not judged by that when it goes back (R2, kubernaut#199)',
    async () => {
      await makeReady('deployment', 'late', deployment('late'));
      // Only now, since its first pod may take longer than that to become ready.
      const soon = JSON.stringify({ spec: { progressDeadlineSeconds: 2 } });
      await kubectl(['patch', 'deployment/late', '-n', namespace, '--type=merge', '-p', soon]);
      await setImage('deployment', 'late', missing);
      const reason = '{.status.conditions[?(@.type=="Progressing")].reason}';
      await kubectl([
        'wait',
        'deployment/late',
        '-n',
        namespace,
        `--for=jsonpath=${reason}=ProgressDeadlineExceeded`,
        '--timeout=60s',
      ]);
      expect((await rollback('late')).outputs['status']).toBe('rolled-back');
    },
  );

  test.concurrent('that never ran before has nothing to go back to', async () => {
    await make(deployment('only', { image: missing }));
    const back = await rollback('only');
    expect(back.exit).toBe(1);
    expect(back.log).toContain('Deployment/only has no earlier version that could be healthy: there are #1 (current)');
    const absent = await rollback('only', { 'to-revision': '7' });
    expect(absent.log).toContain('there is no ReplicaSet #7 of Deployment/only: there are #1 (current)');
  });
});

describe('a StatefulSet of kubectl', () => {
  test.concurrent(
    'goes back although it waits for a broken pod, and only that pod is deleted (R10, kubernetes#67250)',
    async () => {
      await makeReady('statefulset', 'db', stateful('StatefulSet', 'db', 2));
      const uid = () => kubectl(['get', 'pod', 'db-0', '-n', namespace, '-o', 'jsonpath={.metadata.uid}']);
      const first = await uid();
      await setImage('statefulset', 'db', missing);
      await untilStuck('db');
      const back = await rollback('db');
      expect(back.log).toContain('going back to ControllerRevision #1 of StatefulSet/db: healthy');
      expect(back.outputs).toMatchObject({ status: 'rolled-back', revision: '1' });
      expect(await uid()).toBe(first);
      expect(await imageOf('statefulset', 'db')).toBe(sampleImage);
      expect((await deploy('db', { ...stateful('StatefulSet', 'db', 2) })).outputs['status']).toBe('deployed');
    },
  );

  test.concurrent('with one pod, broken twice, goes back to the last complete revision (R25)', async () => {
    await makeReady('statefulset', 'one', stateful('StatefulSet', 'one', 1));
    await setImage('statefulset', 'one', missing);
    await untilStuck('one');
    await setImage('statefulset', 'one', `${missing}-again`);
    await kubectl([
      'wait',
      'statefulset/one',
      '-n',
      namespace,
      '--for=jsonpath={.status.observedGeneration}=3',
      '--timeout=30s',
    ]);
    const back = await rollback('one');
    expect(back.log).toContain('going back to ControllerRevision #1 of StatefulSet/one: healthy (rolled out before');
    expect(back.outputs['status']).toBe('rolled-back');
  });
});

test.concurrent('a DaemonSet of kubectl goes back, and the next deploy works as usual', async () => {
  await makeReady('daemonset', 'agent', stateful('DaemonSet', 'agent', 0));
  await setImage('daemonset', 'agent', missing);
  await untilStuck('agent');
  const back = await rollback('agent');
  expect(back.outputs).toMatchObject({ status: 'rolled-back', revision: '1' });
  // On a single node the good pod is gone, and nobody knows any more that it was.
  expect(back.log).toContain('ControllerRevision #1 of DaemonSet/agent may never have been ready');
  expect(await imageOf('daemonset', 'agent')).toBe(sampleImage);
  const { spec } = stateful('DaemonSet', 'agent', 0);
  const [container] = spec.template.spec.containers;
  Object.assign(container ?? {}, { image: second });
  const next = await deploy('agent', { ...stateful('DaemonSet', 'agent', 0), spec });
  expect(next.outputs).toMatchObject({ status: 'deployed', revision: '2' });
});

describe('which workload is meant', () => {
  let other: string;

  beforeAll(async () => {
    other = await createNamespace('meant');
  });

  afterAll(async () => {
    await deleteNamespace(other);
  });

  test('the only one needs no name; among several none is guessed; what another release has deployed is not touched', async () => {
    const apply = (object: object) => kubectl(['apply', '-n', other, '-f', '-'], JSON.stringify(object));
    const run = (inputs: Record<string, string>) => step({ namespace: other, release: 'shop', ...inputs });
    const none = await run({ command: 'rollback' });
    expect(none.exit).toBe(1);
    expect(none.log).toContain('there is no revision of release "shop"');

    await apply(deployment('web'));
    await kubectl(['rollout', 'status', 'deployment/web', '-n', other, '--timeout=60s']);
    await kubectl(['set', 'image', 'deployment/web', `web=${second}`, '-n', other]);
    await kubectl(['rollout', 'status', 'deployment/web', '-n', other, '--timeout=60s']);
    const told = await run({ command: 'status' });
    expect(JSON.parse(told.outputs['history'] ?? '[]')).toMatchObject([
      { workload: 'Deployment/web', revision: 2, state: 'current', images: [second], replicas: 1, ready: 1 },
      { workload: 'Deployment/web', revision: 1, state: 'unknown', images: [sampleImage], replicas: 0 },
    ]);
    expect(told.summary).toContain('| `Deployment/web` | ReplicaSet #&#8203;2 | **current** |');
    expect(told.log).toContain('ReplicaSet #1 of Deployment/web: unknown (no pods left)');

    await apply(stateful('StatefulSet', 'db', 1));
    for (const command of ['rollback', 'restart']) {
      const several = await run({ command });
      expect(several.exit).toBe(1);
      expect(several.log).toContain('has several workloads: Deployment/web, StatefulSet/db');
      expect(several.log).toContain('workload: Deployment/web');
    }
    expect((await run({ command: 'rollback', workload: 'Job/web' })).log).toContain(
      'acts on Deployment, StatefulSet, DaemonSet',
    );
    expect((await run({ command: 'rollback', workload: 'wep' })).log).toContain('there is no workload "wep"');
    // A pause is for Deployments, and there is only one of them.
    expect((await run({ command: 'pause' })).outputs['status']).toBe('paused');
    expect((await run({ command: 'resume' })).outputs['status']).toBe('resumed');
    expect((await run({ command: 'restart', workload: 'StatefulSet/db' })).outputs['status']).toBe('restarted');

    const back = await run({ command: 'rollback', workload: 'web' });
    expect(back.outputs).toMatchObject({ status: 'rolled-back', revision: '1' });
    const foreign = await run({ command: 'rollback', release: 'typo', workload: 'web' });
    expect(foreign.exit).toBe(1);
    expect(foreign.log).toContain('Deployment/web in namespace');
    expect(foreign.log).toContain('belongs to release "shop"');

    // A second workload joins the release, and the first one stays recorded.
    await kubectl(['set', 'image', 'statefulset/db', `web=${second}`, '-n', other]);
    await kubectl(['rollout', 'status', 'statefulset/db', '-n', other, '--timeout=60s']);
    const joined = await run({ command: 'rollback', workload: 'db', 'to-revision': '1' });
    expect(joined.outputs).toMatchObject({ status: 'rolled-back', revision: '2' });
    const both = await run({ command: 'status' });
    const images = JSON.parse(both.outputs['images'] ?? '[]') as { name: string }[];
    expect(images.map(({ name }) => name).sort()).toEqual(['db', 'web']);
  });
});
