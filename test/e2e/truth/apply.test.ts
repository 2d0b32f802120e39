import { describe, expect, test } from '@jest/globals';

import { at, numberAt, objectAt, objectsAt, stringAt, stringsAt } from '../../../src/base/json.ts';
import { kubectl, kubectlJson } from '../../support/kubectl.ts';
import { autoscaler, configMap, deployment, service } from '../../support/objects.ts';
import { image, Stage } from '../../support/strategy-stage.ts';

function account(name: string) {
  return { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name } };
}

function token(name: string, of: string) {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, annotations: { 'kubernetes.io/service-account.name': of } },
    type: 'kubernetes.io/service-account-token',
  };
}

function secret(name: string, body: object) {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name }, ...body };
}

describe('order', () => {
  test('a token is applied after its account, and has been filled in when the run ends (carvel-dev/kapp#514)', async () => {
    await using stage = await Stage.open('rolling');
    for (const round of ['a', 'b', 'c']) {
      const objects = [token(`${round}-token`, `${round}-robot`), account(`${round}-robot`)];
      const result = await stage.deploy(`robot-${round}`, objects);
      expect(result).toMatchObject({ exit: 0 });
      const made = await stage.read('secret', `${round}-token`);
      expect(stringAt(made, 'data', 'token')).not.toBe('');
    }
  });

  test('what Kubernetes deletes again at once is an error, and not green', async () => {
    await using stage = await Stage.open('rolling');
    const lost = await stage.deploy('lost', [token('lost', 'nobody'), configMap('beside', { a: '1' })]);
    expect(lost.exit).not.toBe(0);
    expect(lost.log).toContain('Secret "lost"');
    expect(lost.log).toContain('add the account to the manifests');
    expect(await stage.exists('configmap', 'beside')).toBe(false);

    const owned = configMap('owned', { a: '1' });
    const uid = '00000000-0000-4000-8000-000000000000';
    Object.assign(owned.metadata, { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid }] });
    const orphan = await stage.deploy('orphan', [owned]);
    expect(orphan.exit).not.toBe(0);
    expect(orphan.log).toContain('its owner ConfigMap "gone" does not exist');
  });

  test('a pod is not refused beforehand for an account and a priority that come with it', async () => {
    await using stage = await Stage.open('rolling');
    const { spec } = deployment('web').spec.template;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'once' },
      spec: { ...spec, serviceAccountName: 'robot' },
    };
    const result = await stage.deploy('once', [pod, account('robot')]);
    expect(result).toMatchObject({ exit: 0 });
    expect(stringAt(await stage.read('pod', 'once'), 'spec', 'serviceAccountName')).toBe('robot');
  });
});

describe('what the server keeps beside what is written', () => {
  test('a key that leaves stringData leaves the cluster (kubernetes/kubernetes#108008)', async () => {
    await using stage = await Stage.open('rolling');
    const keys = async (name: string) => Object.keys(objectAt(await stage.read('secret', name), 'data')).sort();
    const both = secret('login', { stringData: { user: 'alice-the-user', pass: 'open-sesame' } });
    const first = await stage.given('login', [both]);
    expect(first.log.replaceAll(/^::add-mask::.*$/gm, '')).not.toMatch(
      /alice-the-user|open-sesame|YWxpY2UtdGhlLXVzZXI/,
    );
    expect(first.log).toContain('::add-mask::open-sesame');
    expect((await stage.deploy('login', [both])).outputs['status']).toBe('unchanged');
    const one = secret('login', { stringData: { user: 'alice-the-user' } });
    await stage.given('login', [one]);
    expect(await keys('login')).toEqual(['user']);
    expect(await stage.command('login', 'rollback')).toMatchObject({ exit: 0 });
    expect(await keys('login')).toEqual(['pass', 'user']);
  });

  test('keys that an earlier version of the action, or kubectl, has set by stringData leave too', async () => {
    await using stage = await Stage.open('rolling');
    const before = secret('old', { stringData: { user: 'alice', pass: 'sesame' }, data: { kept: 'MQ==' } });
    for (const manager of ['gke-rollout', 'kubectl']) {
      const args = ['apply', '--server-side', '--force-conflicts', `--field-manager=${manager}`, '-f', '-'];
      await kubectl(['-n', stage.namespace, ...args], JSON.stringify(before));
      const wanted = secret('old', { stringData: { user: 'alice' } });
      expect(await stage.deploy('old', [wanted])).toMatchObject({ exit: 0 });
      expect(Object.keys(objectAt(await stage.read('secret', 'old'), 'data'))).toEqual(['user']);
    }
  });

  test('another update strategy is brought in although defaults of the old one are there', async () => {
    await using stage = await Stage.open('rolling');
    const set = (updateStrategy?: object) => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: 'db' },
      spec: {
        ...deployment('db').spec,
        serviceName: 'db',
        ...(updateStrategy === undefined ? {} : { updateStrategy }),
      },
    });
    const web = (strategy?: object) => deployment('web', strategy === undefined ? {} : { spec: { strategy } });
    await stage.given('shop', [set(), web()]);
    const changed = await stage.deploy('shop', [set({ type: 'OnDelete' }), web({ type: 'Recreate' })]);
    expect(changed).toMatchObject({ exit: 0 });
    const strategies = async () => [
      at(await stage.read('statefulset', 'db'), 'spec', 'updateStrategy'),
      at(await stage.read('deployment', 'web'), 'spec', 'strategy'),
    ];
    expect(await strategies()).toEqual([{ type: 'OnDelete' }, { type: 'Recreate' }]);
    // And back, by an undo and by a rollback.
    const broken = [set(), deployment('web', { image: 'registry.test/pulled/ctwoc:9.9.9' })];
    expect((await stage.deploy('shop', broken)).outputs['status']).toBe('undone');
    expect(await strategies()).toEqual([{ type: 'OnDelete' }, { type: 'Recreate' }]);
    expect(await stage.command('shop', 'rollback')).toMatchObject({ exit: 0 });
    expect((await strategies()).map((strategy) => stringAt(strategy, 'type'))).toEqual([
      'RollingUpdate',
      'RollingUpdate',
    ]);
  });
});

describe('fields of others', () => {
  test('what "kubectl apply --server-side" has made is taken over, and fields that the manifest lacks go', async () => {
    await using stage = await Stage.open('rolling');
    const args = ['apply', '--server-side', '-f', '-'];
    await kubectl(['-n', stage.namespace, ...args], JSON.stringify(configMap('flags', { a: '1', b: '2' })));
    expect(await stage.deploy('flags', [configMap('flags', { a: '3' })])).toMatchObject({ exit: 0 });
    const flags = await kubectlJson(['-n', stage.namespace, 'get', 'configmap', 'flags', '--show-managed-fields']);
    expect(stringsAt(flags, 'data')).toEqual({ a: '3' });
    expect(flags.metadata.managedFields?.map(({ manager }) => manager)).toEqual(['gke-rollout']);
  });

  test('what "kubectl rollout undo" has brought back leaves nothing in the next deploy, and is told', async () => {
    await using stage = await Stage.open('rolling');
    await stage.given('undone', [deployment('undone', { env: { LEFT: 'over' }, workingDir: '/' })]);
    await stage.given('undone', [deployment('undone', { image: image('2.0.0') })]);
    await stage.kubectl('rollout', 'undo', 'deployment/undone');
    const next = await stage.deploy('undone', [deployment('undone', { image: image('3.0.0') })]);
    expect(next.outputs['status']).toBe('deployed');
    expect(next.log).toContain('"kubectl rollout undo" restored an earlier pod template');
    const [container] = objectsAt(await stage.read('deployment', 'undone'), 'spec', 'template', 'spec', 'containers');
    expect(container).not.toHaveProperty('workingDir');
    expect(objectsAt(container, 'env').map(({ name }) => name)).toEqual(['SHUTDOWN_DELAY']);

    // What somebody has added to the present version stays, as with any apply.
    await stage.kubectl('set', 'env', 'deployment/undone', 'ADDED=yes');
    await stage.given('undone', [deployment('undone', { image: image('1.0.0') })]);
    const [after] = objectsAt(await stage.read('deployment', 'undone'), 'spec', 'template', 'spec', 'containers');
    expect(objectsAt(after, 'env').map(({ name }) => name)).toContain('ADDED');
  });

  test("rules of an aggregated ClusterRole are the controller's (carvel-dev/kapp#227)", async () => {
    await using stage = await Stage.open('rolling');
    const name = stage.namespace;
    const group = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' };
    const matchLabels = { [`gke-rollout.test/${name}`]: 'true' };
    const whole = {
      ...group,
      metadata: { name },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels }] },
      rules: [],
    };
    const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get'] }];
    const part = { ...group, metadata: { name: `${name}-part`, labels: matchLabels }, rules };
    try {
      await stage.given('roles', [whole, part]);
      await kubectl(['wait', `clusterrole/${name}`, '--for=jsonpath={.rules[0].verbs[0]}=get', '--timeout=30s']);
      const again = await stage.deploy('roles', [
        whole,
        { ...part, metadata: { ...part.metadata, annotations: { a: 'b' } } },
      ]);
      expect(again).toMatchObject({ exit: 0 });
      expect(at(await kubectlJson(['get', 'clusterrole', name]), 'rules')).toEqual(rules);
    } finally {
      await kubectl(['delete', 'clusterrole', name, `${name}-part`, '--ignore-not-found']);
    }
  });

  test('an exported manifest is applied without what the server writes, and its revision can come back (openshift/origin#19905)', async () => {
    await using stage = await Stage.open('rolling');
    await stage.apply([deployment('web', { image: image('1.0.0') }), service('web'), configMap('web', { a: '1' })]);
    const exported = await Promise.all(
      ['deployment', 'service', 'configmap'].map(
        async (kind) => await kubectlJson(['-n', stage.namespace, 'get', kind, 'web', '--show-managed-fields']),
      ),
    );
    await stage.kubectl('delete', 'configmap', 'web');
    const first = await stage.deploy('web', exported);
    expect(first).toMatchObject({ exit: 0 });
    expect(first.log.match(/looks like an export from a cluster/g)).toHaveLength(1);
    expect(first.log).toContain('metadata.resourceVersion');
    await stage.given('web', [
      deployment('web', { image: image('2.0.0') }),
      service('web'),
      configMap('web', { a: '2' }),
    ]);
    await stage.kubectl('delete', 'configmap,deployment', 'web');
    expect(await stage.command('web', 'rollback', { 'to-revision': '1' })).toMatchObject({ exit: 0 });
    expect(await stage.imageOf('web')).toBe(image('1.0.0'));
    expect(numberAt(await stage.read('deployment', 'web'), 'status', 'readyReplicas')).toBe(1);
  });
});

describe('inputs that would have no effect', () => {
  test('a number of pods for what an autoscaler scales is refused before anything is written', async () => {
    await using stage = await Stage.open('rolling');
    const objects = [deployment('web'), autoscaler('web'), service('web')];
    const refused = await stage.deploy('web', objects, { replicas: '4' });
    expect(refused.exit).not.toBe(0);
    expect(refused.log).toContain('Deployment "web" is scaled by a HorizontalPodAutoscaler');
    expect(refused.log).toContain('minReplicas');
    expect(await stage.exists('deployment', 'web')).toBe(false);
    await stage.given('web', objects);
    // Also where only the cluster has the autoscaler, and for a rollback.
    expect(
      (await stage.deploy('web', [deployment('web', { image: image('2.0.0') })], { replicas: '4' })).exit,
    ).not.toBe(0);
    await stage.given('web', [deployment('web', { image: image('2.0.0') }), autoscaler('web'), service('web')]);
    const back = await stage.command('web', 'rollback', { replicas: '4' });
    expect(back.log).toContain('is scaled by a HorizontalPodAutoscaler');
    expect(await stage.imageOf('web')).toBe(image('2.0.0'));
    expect((await stage.command('web', 'rollback', { 'keep-old-for': '5m' })).log).toContain(
      'the input "keep-old-for" has no effect',
    );
  });

  test('session affinity is set where requests come from outside, or where it is named', async () => {
    await using stage = await Stage.open('rolling');
    const route = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'front' },
      spec: { defaultBackend: { service: { name: 'behind', port: { number: 80 } } } },
    };
    // In the cluster, and in no manifest.
    await stage.apply([route]);
    const services = [service('internal'), service('behind'), service('ported', { type: 'NodePort' })];
    const affinities = async () =>
      await Promise.all(
        ['internal', 'behind', 'ported'].map(async (name) =>
          stringAt(await stage.read('service', name), 'spec', 'sessionAffinity'),
        ),
      );
    await stage.given('affine', services, { 'session-affinity': 'client-ip' });
    expect(await affinities()).toEqual(['None', 'ClientIP', 'ClientIP']);
    const named = { 'session-affinity': 'client-ip', 'session-affinity-services': 'internal' };
    await stage.given('affine', services, named);
    expect(await affinities()).toEqual(['ClientIP', 'None', 'None']);
    const inside = await stage.deploy('affine', [service('internal')], { 'session-affinity': 'client-ip' });
    expect(inside.exit).not.toBe(0);
    expect(inside.log).toContain('no Service in the manifests gets requests from outside: internal');
  });
});
