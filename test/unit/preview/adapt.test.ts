import { describe, expect, test } from '@jest/globals';

import { InvalidInput } from '../../../src/base/errors.ts';
import type { Json } from '../../../src/base/json.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { adaptForPreview, type AdaptOptions } from '../../../src/preview/adapt.ts';
import { manifest, problemsIn, thrownBy } from '../manifests/build.ts';
import { identity } from './build.ts';

const options: AdaptOptions = { identity, namespace: 'shop-pr-7', replicas: [], clusterScoped: 'fail' };
const hosted: AdaptOptions = { ...options, host: 'pr-{number}-{host-label}.preview.example.com' };

/** An object in the namespace of the preview, unless it names another. */
function one(apiVersion: string, kind: string, rest: Record<string, Json>, meta: Record<string, Json> = {}): Manifest {
  return manifest({ apiVersion, kind, metadata: { name: 'web', namespace: 'shop-pr-7', ...meta }, ...rest });
}

const deployment = (replicas: number, name = 'web') => one('apps/v1', 'Deployment', { spec: { replicas } }, { name });
const service = (spec: Record<string, Json>, annotations: Record<string, Json> = {}) =>
  one('v1', 'Service', { spec }, { annotations });
const route = (spec: Record<string, Json>, kind = 'HTTPRoute') => one('gateway.networking.k8s.io/v1', kind, { spec });

/** What becomes of one object, and what is said about it. */
function adapted(given: Manifest, use: AdaptOptions = options) {
  const { manifests, changes } = adaptForPreview([given], use);
  return { object: manifests[0]?.object, changes };
}

test('what is given stays as it is, and what needs no change comes out equal, where it stood', () => {
  const given = [deployment(3), one('v1', 'ConfigMap', { data: { a: 'b' } })];
  const before = structuredClone(given.map(({ object }) => object));
  const { manifests, changes, hosts } = adaptForPreview(given, options);
  expect(given.map(({ object }) => object)).toStrictEqual(before);
  expect(manifests[1]?.object).toStrictEqual(before[1]);
  expect(manifests.map(({ source }) => source)).toStrictEqual(given.map(({ source }) => source));
  expect(changes).toHaveLength(1);
  expect(hosts).toStrictEqual([]);
});

describe('size', () => {
  test.each([
    [3, [], 1],
    [1, [], 1],
    [0, [], 0],
    [3, ['5'], 3],
    [3, ['web=5'], 3],
    [3, ['deployment/web=5'], 3],
    [3, ['StatefulSet/web=5'], 1],
    [3, ['api=5'], 1],
  ])('%d replicas with the input %j become %d', (replicas, lines, expected) => {
    const { object, changes } = adapted(deployment(replicas), { ...options, replicas: lines });
    expect(object?.['spec']).toStrictEqual({ replicas: expected });
    expect(changes).toStrictEqual(
      replicas === expected
        ? []
        : ['Deployment "web": 1 replica instead of 3: a preview needs no more (the input "replicas" overrides it)'],
    );
  });

  test('a number that is not stated stays so, and that of others is not known', () => {
    expect(adapted(one('apps/v1', 'StatefulSet', { spec: {} })).object?.['spec']).toStrictEqual({});
    expect(adapted(one('example.test/v1', 'Widget', { spec: { replicas: 3 } })).changes).toStrictEqual([]);
  });

  test('a CronJob is suspended', () => {
    const { object, changes } = adapted(one('batch/v1', 'CronJob', { spec: { schedule: '@daily' } }));
    expect(object?.['spec']).toStrictEqual({ schedule: '@daily', suspend: true });
    expect(changes).toStrictEqual([
      'CronJob "web": suspended: a preview must not run scheduled jobs meant for real customers',
    ]);
    expect(adapted(one('batch/v1', 'CronJob', { spec: { suspend: true } })).changes).toStrictEqual([]);
  });

  test.each([
    ['autoscaling/v2', 'HorizontalPodAutoscaler', 'a preview has a fixed number of pods'],
    ['keda.sh/v1alpha1', 'ScaledObject', 'a preview has a fixed number of pods'],
    ['keda.sh/v1alpha1', 'ScaledJob', 'a preview must not process a queue that others process'],
    ['autoscaling.k8s.io/v1', 'VerticalPodAutoscaler', 'a preview has a fixed number of pods'],
    ['policy/v1', 'PodDisruptionBudget', 'with one replica it would only block node drains'],
  ])('%s %s is left out', (apiVersion, kind, why) => {
    expect(adapted(one(apiVersion, kind, { spec: {} }))).toStrictEqual({
      object: undefined,
      changes: [`${kind} "web": left out: ${why}`],
    });
  });

  test('requests for GPUs stay: the quota decides on them', () => {
    const spec = { template: { spec: { containers: [{ resources: { limits: { 'nvidia.com/gpu': 1 } } }] } } };
    expect(adapted(one('apps/v1', 'Deployment', { spec }))).toMatchObject({ object: { spec }, changes: [] });
  });

  test('volume claims stay', () => {
    const spec = { resources: { requests: { storage: '1Ti' } } };
    expect(adapted(one('v1', 'PersistentVolumeClaim', { spec }))).toMatchObject({ object: { spec }, changes: [] });
  });
});

describe('Services', () => {
  const lb = {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    loadBalancerSourceRanges: ['10.0.0.0/8'],
    ports: [{ port: 80 }],
  };

  test('of type LoadBalancer stay without a host, and become ClusterIP with one', () => {
    expect(adapted(service(lb))).toMatchObject({ object: { spec: lb }, changes: [] });
    const { object, changes } = adapted(service(lb), hosted);
    expect(object?.['spec']).toStrictEqual({ type: 'ClusterIP', ports: [{ port: 80 }] });
    expect(changes).toStrictEqual([
      'Service "web": type ClusterIP instead of LoadBalancer: the preview is reached through its host and needs no own address',
    ]);
  });

  test.each([options, hosted])('of type NodePort become ClusterIP', (use) => {
    const { object, changes } = adapted(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }), use);
    expect(object?.['spec']).toStrictEqual({ type: 'ClusterIP', ports: [{ port: 80 }] });
    expect(changes).toStrictEqual([
      'Service "web": without nodePort: only one Service of a cluster can have it',
      'Service "web": type ClusterIP instead of NodePort: node ports are shared by the whole cluster',
    ]);
  });

  test('lose addresses and ports that another Service has', () => {
    const { object, changes } = adapted(
      service(
        {
          type: 'LoadBalancer',
          loadBalancerIP: '192.0.2.1',
          externalIPs: ['192.0.2.2'],
          clusterIP: '10.0.0.9',
          clusterIPs: ['10.0.0.9'],
          ports: [
            { port: 80, nodePort: 30080 },
            { port: 81, nodePort: 30081 },
          ],
        },
        { 'networking.gke.io/load-balancer-ip-addresses': 'shop', 'example.com/other': 'x' },
      ),
    );
    expect(object).toMatchObject({ metadata: { annotations: { 'example.com/other': 'x' } } });
    expect(object?.metadata.annotations).toStrictEqual({ 'example.com/other': 'x' });
    expect(object?.['spec']).toStrictEqual({ type: 'LoadBalancer', ports: [{ port: 80 }, { port: 81 }] });
    expect(changes).toStrictEqual([
      'Service "web": without clusterIP, clusterIPs, externalIPs, loadBalancerIP, nodePort: only one Service of a cluster can have it',
      'Service "web": without the annotation networking.gke.io/load-balancer-ip-addresses: only one object can have that address',
    ]);
  });

  test('without an address of their own keep having none', () => {
    expect(adapted(service({ clusterIP: 'None' })).object?.['spec']).toStrictEqual({ clusterIP: 'None' });
  });
});

describe('hosts', () => {
  const ingress = (spec: Record<string, Json>, annotations: Record<string, Json> = {}) =>
    one('networking.k8s.io/v1', 'Ingress', { spec }, { annotations });

  test('of an Ingress are those of the preview, in its rules and in its certificates', () => {
    const given = ingress({
      rules: [{ host: 'shop.example.com', http: {} }, { host: 'api.example.com' }],
      tls: [{ hosts: ['shop.example.com', 'api.example.com'], secretName: 'web-tls' }, { secretName: 'other' }],
    });
    const { object, changes } = adapted(given, hosted);
    expect(object?.['spec']).toStrictEqual({
      rules: [{ host: 'pr-7-shop.preview.example.com', http: {} }, { host: 'pr-7-api.preview.example.com' }],
      tls: [
        { hosts: ['pr-7-shop.preview.example.com', 'pr-7-api.preview.example.com'], secretName: 'web-tls' },
        { secretName: 'other' },
      ],
    });
    expect(changes).toStrictEqual([
      'Ingress "web": host pr-7-shop.preview.example.com instead of shop.example.com',
      'Ingress "web": host pr-7-api.preview.example.com instead of api.example.com',
    ]);
  });

  test.each(['HTTPRoute', 'GRPCRoute', 'TLSRoute'])('of a %s are those of the preview', (kind) => {
    const { object, changes } = adapted(
      route({ hostnames: ['shop.example.com'], parentRefs: [{ name: 'gw' }] }, kind),
      hosted,
    );
    expect(object?.['spec']).toStrictEqual({
      hostnames: ['pr-7-shop.preview.example.com'],
      parentRefs: [{ name: 'gw' }],
    });
    expect(changes).toStrictEqual([`${kind} "web": host pr-7-shop.preview.example.com instead of shop.example.com`]);
  });

  test('a route without any gets one, since it would take the requests of other previews', () => {
    const { manifests, changes, hosts } = adaptForPreview([route({}), ingress({ rules: [{ http: {} }] })], hosted);
    expect(manifests.map(({ object }) => object['spec'])).toStrictEqual([
      { hostnames: ['pr-7-shop.preview.example.com'] },
      { rules: [{ http: {}, host: 'pr-7-shop.preview.example.com' }] },
    ]);
    expect(changes[0]).toBe('HTTPRoute "web": host pr-7-shop.preview.example.com instead of any host');
    expect(hosts).toStrictEqual(['pr-7-shop.preview.example.com']);
  });

  test('of a mesh stay, those from outside do not', () => {
    const given = one('networking.istio.io/v1', 'VirtualService', {
      spec: { hosts: ['web', '*', 'web.shop.svc.cluster.local', 'shop.example.com'] },
    });
    expect(adapted(given, hosted).object?.['spec']).toStrictEqual({
      hosts: ['web', '*', 'web.shop.svc.cluster.local', 'pr-7-shop.preview.example.com'],
    });
  });

  test('that external-dns publishes are those of the preview', () => {
    const annotations = { 'external-dns.alpha.kubernetes.io/hostname': 'shop.example.com, www.example.com' };
    const { object } = adapted(service({ type: 'ClusterIP' }, annotations), hosted);
    expect(object?.metadata.annotations).toStrictEqual({
      'external-dns.alpha.kubernetes.io/hostname': 'pr-7-shop.preview.example.com,pr-7-www.preview.example.com',
    });
  });

  test('that were rewritten get no certificate of their own (pawtograder/platform#822, skkuding/codedang#3088)', () => {
    const given = ingress(
      { rules: [{ host: 'shop.example.com' }], tls: [{ hosts: ['shop.example.com'], secretName: 'web-tls' }] },
      {
        'cert-manager.io/cluster-issuer': 'letsencrypt',
        'kubernetes.io/tls-acme': 'true',
        'kubernetes.io/ingress.global-static-ip-name': 'shop',
        'nginx.ingress.kubernetes.io/rewrite-target': '/',
      },
    );
    const { object, changes } = adapted(given, hosted);
    expect(object?.metadata.annotations).toStrictEqual({ 'nginx.ingress.kubernetes.io/rewrite-target': '/' });
    expect(changes.slice(1)).toStrictEqual([
      'Ingress "web": without the annotation cert-manager.io/cluster-issuer, kubernetes.io/tls-acme: a certificate per preview hits the rate limits of its issuer; copy a wildcard certificate as "web-tls" with "copy-secrets"',
      'Ingress "web": without the annotation kubernetes.io/ingress.global-static-ip-name: only one object can have that address',
    ]);
  });

  test.each([
    ['cert-manager.io/v1', 'Certificate', 'dnsNames'],
    ['networking.gke.io/v1', 'ManagedCertificate', 'domains'],
  ])('with %s %s: it is left out', (apiVersion, kind, field) => {
    const given = one(apiVersion, kind, { spec: { [field]: ['shop.example.com'] } });
    expect(adapted(given, hosted).changes).toStrictEqual([
      `${kind} "web": left out: a certificate per preview hits the rate limits of its issuer; use a wildcard certificate`,
    ]);
    expect(thrownBy(() => adapted(given)).message).toContain('answers for "shop.example.com"');
  });

  test('that would meet stop it before anything is written', () => {
    const use = { ...options, host: 'pr-{number}.example.com' };
    const error = thrownBy(() => adapted(route({ hostnames: ['a.example.com', 'b.example.com'] }), use));
    expect(error).toBeInstanceOf(InvalidInput);
  });

  test('of what runs already are refused without the input, each with its place', () => {
    const given = [route({ hostnames: ['shop.example.com'] }), ingress({ rules: [{ host: 'web7.example.com' }] })];
    const problems = problemsIn(thrownBy(() => adaptForPreview(given, options)));
    expect(problems.map(({ message }) => message)).toStrictEqual([
      'HTTPRoute "web" answers for "shop.example.com", and so would its preview',
      'Ingress "web" answers for "web7.example.com", and so would its preview',
    ]);
    expect(problems[0]).toMatchObject({ location: { file: 'test.yaml', line: 1 } });
  });

  test.each(['pr-7.example.com', 'pr7.example.com', '7.example.com', 'shop-pr-7.example.com'])(
    'that name the pull request, such as %s, were put there for the preview',
    (host) => {
      const given = ingress({ rules: [{ host }] }, { 'cert-manager.io/issuer': 'ca' });
      expect(adapted(given)).toStrictEqual({ object: given.object, changes: [] });
    },
  );
});

describe('what lies outside of the preview', () => {
  const role = manifest({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'web' } });
  const elsewhere = one('v1', 'ConfigMap', {}, { name: 'a', namespace: 'shop' });

  test('is an error that lists it all', () => {
    const problems = problemsIn(thrownBy(() => adaptForPreview([role, elsewhere, deployment(1)], options)));
    expect(problems.map(({ message }) => message)).toStrictEqual([
      'ClusterRole "web" is cluster-scoped: a preview would change it for everyone',
      'ConfigMap "a" names the namespace "shop", but a preview has its own namespace',
    ]);
  });

  test('and belongs to the cluster can be left out', () => {
    expect(adapted(role, { ...options, clusterScoped: 'skip' })).toStrictEqual({
      object: undefined,
      changes: [
        'ClusterRole "web": left out: it is cluster-scoped, and the preview uses the existing one (cluster-scoped: skip)',
      ],
    });
    expect(thrownBy(() => adapted(elsewhere, { ...options, clusterScoped: 'skip' })).message).toContain(
      'names the namespace',
    );
  });

  test.each(['shop-pr-7', 'shop'])('is not the Namespace %s, which the preview has instead', (name) => {
    const namespace = manifest({ kind: 'Namespace', metadata: { name } });
    expect(adapted(namespace, { ...options, from: 'shop' })).toStrictEqual({
      object: undefined,
      changes: [`Namespace "${name}": left out: a preview has its own namespace`],
    });
  });

  test('is another Namespace', () => {
    const namespace = manifest({ kind: 'Namespace', metadata: { name: 'prod' } });
    expect(thrownBy(() => adapted(namespace, { ...options, from: 'shop' })).message).toContain('is cluster-scoped');
  });

  test('is not what the manifests name because they go there otherwise: it moves, and what it names with it', () => {
    const use = { ...options, from: 'shop' };
    expect(adapted(elsewhere, use)).toMatchObject({
      object: { metadata: { name: 'a', namespace: 'shop-pr-7' } },
      changes: ['ConfigMap "a": in namespace "shop-pr-7" instead of "shop": a preview has its own namespace'],
    });
    const binding = one('rbac.authorization.k8s.io/v1', 'RoleBinding', {
      subjects: [
        { kind: 'ServiceAccount', name: 'web', namespace: 'shop' },
        { kind: 'ServiceAccount', name: 'ci', namespace: 'ci' },
      ],
    });
    expect(adapted(binding, use).object?.['subjects']).toMatchObject([{ namespace: 'shop-pr-7' }, { namespace: 'ci' }]);
    const backends = route({
      parentRefs: [{ name: 'gw', namespace: 'shop' }],
      rules: [
        {
          backendRefs: [
            { name: 'web', namespace: 'shop' },
            { name: 'db', namespace: 'data' },
          ],
        },
      ],
    });
    expect(adapted(backends, use).object?.['spec']).toMatchObject({
      parentRefs: [{ namespace: 'shop' }],
      rules: [{ backendRefs: [{ namespace: 'shop-pr-7' }, { namespace: 'data' }] }],
    });
  });
});
