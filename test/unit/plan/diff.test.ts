import { describe, expect, test } from '@jest/globals';

import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/kubernetes/object.ts';
import type { Prepared } from '../../../src/apply/prepared.ts';
import { describeFields } from '../../../src/plan/describe-diff.ts';
import { diffOf, maxFields } from '../../../src/plan/diff.ts';
import type { ObjectDiff } from '../../../src/report/field-diff.ts';
import { configMap, fields, manifestOf, objectOf, owner, updater } from '../release/build.ts';

/** What the server adds to the container of a Deployment. */
const containerDefaults = {
  imagePullPolicy: 'IfNotPresent',
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
};

const podDefaults = { dnsPolicy: 'ClusterFirst', restartPolicy: 'Always', terminationGracePeriodSeconds: 30 };

interface Web {
  /** Of the container "web", beside its name. */
  container?: JsonObject;
  /** After it. */
  containers?: JsonObject[];
  pod?: JsonObject;
  spec?: JsonObject;
  metadata?: JsonObject;
  template?: JsonObject;
}

/** As a user writes it. */
function web({ container, containers = [], pod, spec, metadata, template }: Web = {}): KubernetesObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace: 'shop', ...metadata },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: {
        metadata: { labels: { app: 'web' }, ...template },
        spec: { containers: [{ name: 'web', image: 'shop/web:1', ...container }, ...containers], ...pod },
      },
      ...spec,
    },
  };
}

/** As the server keeps it. */
function stored(parts: Web = {}, managedFields: ManagedFieldsEntry[] = []): KubernetesObject {
  const { container, containers = [], pod, spec, metadata } = parts;
  return {
    ...web({
      ...parts,
      container: { ...containerDefaults, ...container },
      containers: containers.map((other) => ({ ...containerDefaults, ...other })),
      pod: { ...podDefaults, ...pod },
      spec: { progressDeadlineSeconds: 600, strategy: { type: 'RollingUpdate' }, ...spec },
      metadata: {
        uid: 'u',
        resourceVersion: '7',
        generation: 3,
        creationTimestamp: '2026-01-01T00:00:00Z',
        managedFields,
        ...metadata,
      },
    }),
    status: { observedGeneration: 3, replicas: 2 },
  };
}

function prepared(
  manifest: KubernetesObject,
  live: KubernetesObject | undefined,
  predicted: KubernetesObject | undefined,
  more: Partial<Prepared> = {},
): Prepared {
  const change = live === undefined ? 'created' : 'configured';
  return { manifest: manifestOf(manifest), live, predicted, change, takeover: false, warnings: [], ...more };
}

/** What is told where the user's Deployment goes from one to the other, and the server adds its defaults. */
function told(before: Web, after: Web, managedFields: ManagedFieldsEntry[] = []): string[] {
  return describeFields(diffOf(prepared(web(after), stored(before, managedFields), stored(after, managedFields))));
}

/** The same for objects that the server stores as they are. */
function toldOf(before: KubernetesObject, after: KubernetesObject, more: Partial<Prepared> = {}): string[] {
  return describeFields(diffOf(prepared(after, before, after, more)));
}

const settings = (data: Record<string, string>) => configMap(data, { name: 'settings' });

describe('what is told of a workload', () => {
  test('its image, before all else, and the number of pods', () => {
    expect(
      told(
        { metadata: { labels: { team: 'a' } } },
        { container: { image: 'shop/web:2' }, spec: { replicas: 3 }, metadata: { labels: { team: 'b' } } },
      ),
    ).toEqual(['image of container "web": shop/web:1 → shop/web:2', 'replicas: 2 → 3', 'metadata.labels.team: a → b']);
  });

  test('an image by digest, without a tag, and of a container that is called like a secret', () => {
    const digest = `shop/web@sha256:${'3f2a9c1d'.repeat(8)}`;
    expect(told({}, { container: { image: digest } })).toEqual([`image of container "web": shop/web:1 → ${digest}`]);
    expect(told({ container: { image: 'ghcr.io/org/model2serving' } }, {})).toEqual([
      'image of container "web": ghcr.io/org/model2serving → shop/web:1',
    ]);
    const auth = (image: string) => ({ containers: [{ name: 'auth-token', image }] });
    expect(told(auth('auth:1'), auth('auth:2'))).toEqual(['image of container "auth-token": auth:1 → auth:2']);
  });

  test('variables that come, go and change; those that may be a secret without their values', () => {
    const env = (...list: JsonObject[]) => ({ container: { env: list } });
    expect(
      told(
        env(
          { name: 'LOG', value: 'info' },
          { name: 'OLD', value: '1' },
          { name: 'DB_PASSWORD', value: 'hunter2' },
          { name: 'URL', value: 'https://user:hunter2@db.example.com' },
        ),
        env(
          { name: 'LOG', value: 'debug' },
          { name: 'DB_PASSWORD', value: 'hunter3' },
          { name: 'URL', value: 'https://user:hunter3@db.example.com' },
          { name: 'API_TOKEN', value: 'short' },
          { name: 'NEW', value: '2' },
        ),
      ),
    ).toEqual([
      'env LOG of container "web": info → debug',
      'env OLD of container "web": removed (1)',
      'env DB_PASSWORD of container "web": changed',
      'env URL of container "web": changed',
      'env API_TOKEN of container "web": added',
      'env NEW of container "web": added (2)',
    ]);
  });

  test('where a variable comes from, which is no secret', () => {
    const from = (key: string) => ({
      container: { env: [{ name: 'DB_PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key } } }] },
    });
    expect(told(from('old'), from('new'))).toEqual([
      'env DB_PASSWORD of container "web": key "old" of Secret "db" → key "new" of Secret "db"',
    ]);
    const plain = { container: { env: [{ name: 'DB_PASSWORD', value: 'hunter2' }] } };
    expect(told(plain, from('new'))).toEqual(['env DB_PASSWORD of container "web": changed']);
  });

  test('containers that come and go, by their images', () => {
    const log = { containers: [{ name: 'log', image: 'fluent:1', ports: [{ containerPort: 2020, protocol: 'TCP' }] }] };
    expect(told({}, log)).toEqual(['container "log": added (fluent:1)']);
    expect(told(log, {})).toEqual(['container "log": removed (fluent:1)']);
    expect(told({}, { pod: { initContainers: [{ name: 'migrate', image: 'shop/web:1' }] } })).toEqual([
      'init container "migrate": added (shop/web:1)',
    ]);
  });

  test('a container that a webhook puts in, but no default of the server', () => {
    const after = stored({
      containers: [{ name: 'istio-proxy', image: 'istio:1' }],
      container: { image: 'shop/web:2' },
    });
    const pair = prepared(web({ container: { image: 'shop/web:2' } }), stored({ spec: { strategy: {} } }), after);
    expect(describeFields(diffOf(pair))).toEqual([
      'image of container "web": shop/web:1 → shop/web:2',
      'container "istio-proxy": added (istio:1)',
    ]);
  });

  test('a probe that changes, comes or goes, without what the server adds to it', () => {
    const probe = (path: string, more: JsonObject = {}) => ({
      container: { livenessProbe: { httpGet: { path, port: 'http', ...more }, periodSeconds: 5 } },
    });
    expect(told(probe('/healthz'), probe('/livez'))).toEqual([
      'livenessProbe.httpGet.path of container "web": /healthz → /livez',
    ]);
    const kept = {
      container: {
        livenessProbe: {
          httpGet: { path: '/livez', port: 'http', scheme: 'HTTP' },
          periodSeconds: 5,
          timeoutSeconds: 1,
        },
      },
    };
    expect(describeFields(diffOf(prepared(web(probe('/livez')), stored(), stored(kept))))).toEqual([
      'livenessProbe of container "web": added ({httpGet: {path: /livez, port: http}, periodSeconds: 5})',
    ]);
    const owned = owner({
      'f:spec': {
        'f:template': {
          'f:spec': {
            'f:containers': {
              'k:{"name":"web"}': {
                'f:livenessProbe': { 'f:httpGet': { 'f:path': {}, 'f:port': {} }, 'f:periodSeconds': {} },
              },
            },
          },
        },
      },
    });
    expect(told(kept, {}, [owned])).toEqual([
      'livenessProbe of container "web": removed ({httpGet: {path: /livez, port: http}, periodSeconds: 5})',
    ]);
  });

  test('what falls back to a default because the manifest says it no more', () => {
    const live = stored({ spec: { replicas: 5 }, pod: { terminationGracePeriodSeconds: 60 } });
    const manifest = web();
    delete (manifest['spec'] as JsonObject)['replicas'];
    expect(describeFields(diffOf(prepared(manifest, live, stored({ spec: { replicas: 1 } }))))).toEqual([
      'replicas: 5 → 1',
      'spec.template.spec.terminationGracePeriodSeconds: 60 → 30',
    ]);
  });

  test('nothing of a default that goes with what it belonged to', () => {
    const live = stored({ spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%' } } } }, [
      owner(fields('spec', 'strategy', 'type')),
    ]);
    const manifest = web({ spec: { strategy: { type: 'Recreate' } } });
    expect(
      describeFields(diffOf(prepared(manifest, live, stored({ spec: { strategy: { type: 'Recreate' } } })))),
    ).toEqual(['spec.strategy.type: RollingUpdate → Recreate']);
  });

  test('no amount that is spelled in another way, but one that is another', () => {
    const limits = (cpu: string | number, memory: string) => ({
      container: { resources: { limits: { cpu, memory } } },
    });
    expect(told(limits('1000m', '1024Mi'), limits(1, '1Gi'))).toEqual([]);
    expect(told(limits('1000m', '1Gi'), limits('1', '2Gi'))).toEqual([
      'resources.limits.memory of container "web": 1Gi → 2Gi',
    ]);
  });

  test('the order of variables, which makes pods anew, and nothing else of the same entries', () => {
    const [a, b] = [
      { name: 'A', value: '1' },
      { name: 'B', value: '2' },
    ];
    expect(told({ container: { env: [a, b] } }, { container: { env: [b, a] } })).toEqual([
      'order of env of container "web": A, B → B, A',
    ]);
  });

  test('arguments as a whole, without the secrets among them', () => {
    const args = (...list: string[]) => ({ container: { args: list } });
    expect(told(args('--level=info', '--token=hunter2'), args('--level=debug', '--token=hunter2'))).toEqual([
      'args of container "web": [--level=info, ***] → [--level=debug, ***]',
    ]);
    expect(told(args('--token', 'hunter2'), args('--token', 'hunter3'))).toEqual(['args of container "web": changed']);
    expect(told(args('--token', 'hunter2'), {})).toEqual(['args of container "web": removed ([--token, ***])']);
  });

  test('annotations, but none of what the server, kubectl and this action keep there', () => {
    const annotations = (one: JsonObject, inTemplate: JsonObject) => ({
      metadata: { annotations: one },
      template: { annotations: inTemplate },
    });
    const before = annotations(
      {
        'gke-rollout/release': 'shop/web',
        'deployment.kubernetes.io/revision': '1',
        'kubectl.kubernetes.io/last-applied-configuration': '{"password":"hunter2"}',
      },
      { 'gke-rollout/config-hash': 'a' },
    );
    const after = annotations(
      { 'gke-rollout/release': 'shop/other', 'deployment.kubernetes.io/revision': '2', owner: 'team-a' },
      { 'gke-rollout/config-hash': 'b', 'gke-rollout/restart-on-config': 'false' },
    );
    expect(told(before, after)).toEqual([
      'spec.template.metadata.annotations.gke-rollout/restart-on-config: added (false)',
      'metadata.annotations.owner: added (team-a)',
    ]);
  });

  test('why it is written when no field is told', () => {
    const hash = (value: string) => stored({ template: { annotations: { 'gke-rollout/config-hash': value } } });
    expect(diffOf(prepared(web(), hash('a'), hash('b')))).toEqual({
      fields: [],
      more: 0,
      basis: 'server',
      only: 'config',
    });
    expect(diffOf(prepared(web(), hash('a'), hash('a')))).toMatchObject({ fields: [], only: 'ownership' });
    expect(diffOf(prepared(web(), stored(), stored(), { change: 'unchanged' }))).toEqual({
      fields: [],
      more: 0,
      basis: 'server',
    });
  });

  test('the images and the number of pods of one that is new', () => {
    const pod = { initContainers: [{ name: 'migrate', image: 'shop/web:1' }] };
    const facts = [
      'image of init container "migrate": added (shop/web:1)',
      'image of container "web": added (shop/web:1)',
      'replicas: added (2)',
    ];
    const tried = diffOf(prepared(web({ pod }), undefined, stored({ pod })));
    expect(describeFields(tried)).toEqual(facts);
    expect(tried.basis).toBe('server');
    const untried = diffOf(prepared(web({ pod }), undefined, undefined));
    expect(describeFields(untried)).toEqual(facts);
    expect(untried.basis).toBe('manifest');
  });

  test('whole paths where an object has containers in several places', () => {
    const cluster = (head: string, worker: string): KubernetesObject => {
      const group = (image: string) => ({ template: { spec: { containers: [{ name: 'ray', image }] } } });
      const spec = { headGroupSpec: group(head), workerGroupSpecs: [{ groupName: 'gpu', ...group(worker) }] };
      return objectOf('ray.io/v1', 'RayCluster', { spec });
    };
    const [head, worker] = [
      'spec.headGroupSpec.template.spec.containers.ray.image: ray:1 → ray:2',
      'spec.workerGroupSpecs.gpu.template.spec.containers.ray.image: ray:1 → ray:2',
    ];
    expect(toldOf(cluster('ray:1', 'ray:1'), cluster('ray:2', 'ray:2'))).toEqual([head, worker]);
    expect(toldOf(cluster('ray:1', 'ray:1'), cluster('ray:1', 'ray:2'))).toEqual([worker]);
  });
});

describe('what is told of config', () => {
  test('keys that come, go and change', () => {
    expect(toldOf(settings({ level: 'info', old: 'x' }), settings({ level: 'debug', new: 'y' }))).toEqual([
      'key "level": info → debug',
      'key "old": removed (x)',
      'key "new": added (y)',
    ]);
  });

  test('the first line that differs of a long text, and how many lines there are', () => {
    const lines = (count: number, at: number, line: string) =>
      Array.from({ length: count }, (_, index) => (index === at ? line : `setting ${index}`)).join('\n');
    const [before, after] = [lines(5_000, 3_210, 'listen 80;'), lines(5_001, 3_210, 'listen 8080;')];
    expect(toldOf(settings({ 'app.conf': before }), settings({ 'app.conf': after }))).toEqual([
      'key "app.conf": line 3211 of 5000: listen 80; → line 3211 of 5001: listen 8080;',
    ]);
    expect(toldOf(settings({}), settings({ 'app.conf': after }))).toEqual(['key "app.conf": added (5001 lines)']);
    expect(toldOf(settings({ a: 'x'.repeat(900_000) }), settings({ a: `${'x'.repeat(900_000)}y` }))).toEqual([
      expect.stringMatching(/^key "a": line 1 of 1: …?x+… → line 1 of 1: …?x+….{0,2}$|^key "a": …x+ → …x+y$/),
    ]);
  });

  test.each([
    ['by the name in it', 'a: 1\npassword: hunter2\n', 'a: 1\npassword: hunter3\n'],
    ['by what it belongs to', 'password:\n  value: hunter2\n', 'password:\n  value: hunter3\n'],
    ['by its section', '[credentials]\nuser = a\n', '[credentials]\nuser = b\n'],
    ['by a word in it', 'port 1\nrequirepass hunter2\n', 'port 1\nrequirepass hunter3\n'],
    ['by its form', 'x: 1\nhttps://a:hunter2@b/\n', 'x: 1\nhttps://a:hunter3@b/\n'],
  ])('a line that is secret %s is not shown', (_, before, after) => {
    expect(toldOf(settings({ f: before }), settings({ f: after })).join('\n')).not.toMatch(/hunter|user/);
    const lengths = /^key "f": 2 lines → 2 lines, another from line 2 on$/;
    expect(toldOf(settings({ f: before }), settings({ f: after }))).toEqual([expect.stringMatching(lengths)]);
  });

  test('sizes of what is no text, and blanks that differ', () => {
    const binary = (text: string) => ({
      ...settings({}),
      binaryData: { 'logo.png': Buffer.from(text).toString('base64') },
    });
    expect(toldOf(binary('abc'), binary('abcd'))).toEqual(['key "logo.png": 3 bytes → 4 bytes']);
    expect(toldOf(binary('abc'), binary('abd'))).toEqual(['key "logo.png": 3 bytes → 3 bytes of other content']);
    expect(toldOf(settings({ a: 'x y' }), settings({ a: 'x  y' }))).toEqual(['key "a": "x y" → "x  y"']);
    expect(
      toldOf(settings({ a: 'x: 1\n y: 2\npassword: hunter2\n' }), settings({ a: 'x: 1\n  y: 2\npassword: hunter2\n' })),
    ).toEqual(['key "a": line 2 of 3: " y: 2" → line 2 of 3: "  y: 2"']);
    expect(toldOf(settings({ a: 'x\ny\n' }), settings({ a: 'x\ny' }))).toEqual([
      'key "a": 2 lines → 2 lines, another from line 3 on',
    ]);
    expect(toldOf(settings({ a: 'requirepass hunter2' }), settings({ a: 'requirepass hunter3' }))).toEqual([
      'key "a": changed',
    ]);
  });

  test('keys of a Secret, and no value of it, not even of its labels', () => {
    const secret = (data: JsonObject, label: string) =>
      objectOf('v1', 'Secret', { data, type: 'Opaque' }, { labels: { a: label } });
    const diff = diffOf(
      prepared(
        secret({ a: 'Yg==', n: 'bmV3' }, 'two'),
        secret({ a: 'YQ==', o: 'b2xk' }, 'one'),
        secret({ a: 'Yg==', n: 'bmV3' }, 'two'),
      ),
    );
    expect(describeFields(diff)).toEqual([
      'key "a": changed',
      'key "o": removed',
      'key "n": added',
      'metadata.labels.a: changed',
    ]);
    expect(diff.fields.every(({ before, after }) => before === undefined && after === undefined)).toBe(true);
  });

  test('what `kubectl apply` had written and the manifest lacks, which the dry run still has', () => {
    const last = { 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"a":"1","b":"2"}}' };
    const live = configMap(
      { a: '1', b: '2' },
      {
        annotations: last,
        managedFields: [updater('kubectl-client-side-apply', { 'f:data': { 'f:a': {}, 'f:b': {} } })],
      },
    );
    const pair = prepared(configMap({ a: '9' }), live, { ...live, data: { a: '9', b: '2' } }, { takeover: true });
    expect(describeFields(diffOf(pair))).toEqual(['key "a": 1 → 9', 'key "b": removed (2)']);
    const ports = (...list: JsonObject[]) => ({ spec: { ports: list } });
    const [http, grpc] = [
      { name: 'http', port: 80, protocol: 'TCP' },
      { name: 'grpc', port: 90, protocol: 'TCP' },
    ];
    const kept = { 'f:name': {}, 'f:port': {}, '.': {} };
    const entries = { 'k:{"port":80,"protocol":"TCP"}': kept, 'k:{"port":90,"protocol":"TCP"}': kept };
    const service = objectOf('v1', 'Service', ports(http, grpc), {
      managedFields: [updater('kubectl-client-side-apply', { 'f:spec': { 'f:ports': { '.': {}, ...entries } } })],
    });
    const without = prepared(objectOf('v1', 'Service', ports(http)), service, service, { takeover: true });
    expect(describeFields(diffOf(without))).toEqual(['spec.ports.grpc: removed ({name: grpc, port: 90})']);
  });

  test('no default of the server, though `kubectl apply` owns it as the one who has made the object', () => {
    const stated = { spec: { replicas: 2, selector: { matchLabels: { app: 'a' } } } };
    const defaults = { revisionHistoryLimit: 10, strategy: { type: 'RollingUpdate' } };
    const live = objectOf(
      'apps/v1',
      'Deployment',
      { spec: { ...stated.spec, ...defaults } },
      {
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ ...stated, kind: 'Deployment' }),
        },
        managedFields: [
          updater('kubectl-client-side-apply', {
            'f:spec': {
              'f:replicas': {},
              'f:selector': {},
              'f:revisionHistoryLimit': {},
              'f:strategy': { 'f:type': {} },
            },
          }),
        ],
      },
    );
    const next = objectOf('apps/v1', 'Deployment', { spec: { ...stated.spec, replicas: 3 } });
    const predicted = { ...live, spec: { ...stated.spec, ...defaults, replicas: 3 } };
    expect(describeFields(diffOf(prepared(next, live, predicted, { takeover: true })))).toEqual(['replicas: 2 → 3']);
  });

  test('names that JavaScript has for itself, and texts that could be markup or commands, as they are', () => {
    const data = (value: string) =>
      JSON.parse(`{"__proto__": "${value}", "constructor": "${value}"}`) as Record<string, string>;
    const { fields: changed } = diffOf(prepared(settings(data('b')), settings(data('a')), settings(data('b'))));
    expect(changed).toEqual([
      { field: 'key "__proto__"', change: 'changed', before: 'a', after: 'b' },
      { field: 'key "constructor"', change: 'changed', before: 'a', after: 'b' },
    ]);
    expect(toldOf(settings({}), settings(data('a')))).toHaveLength(2);
    const evil = '::error::x <img src=x> | `y` @octocat';
    expect(toldOf(settings({ a: 'x' }), settings({ a: evil }))).toEqual([`key "a": x → ${evil}`]);
    expect(toldOf(settings({ a: 'x' }), settings({ a: 'y\n::error::z' })).join()).not.toContain('\n');
  });
});

describe('what is told of other kinds', () => {
  test('a port of a Service by its name, and where it leads', () => {
    const service = (ports: JsonObject[], more: JsonObject = {}) =>
      objectOf('v1', 'Service', { spec: { type: 'ClusterIP', clusterIP: '10.0.0.1', ports, ...more } });
    const port = (name: string, number: number) => ({ name, port: number, protocol: 'TCP', targetPort: 8080 });
    expect(
      toldOf(service([port('http', 80), port('grpc', 90)]), service([port('grpc', 90), port('http', 8080)]), {}),
    ).toEqual(['spec.ports.http.port: 80 → 8080', 'order of spec.ports: http, grpc → grpc, http']);
    expect(toldOf(service([port('http', 80)], { type: 'LoadBalancer' }), service([port('http', 80)]))).toEqual([
      'spec.type: LoadBalancer → ClusterIP',
    ]);
  });

  test('metrics of an autoscaler by their names, in whatever order', () => {
    const cpu = (averageUtilization: number) => ({
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
    });
    const rps = {
      type: 'Pods',
      pods: { metric: { name: 'rps' }, target: { type: 'AverageValue', averageValue: '10' } },
    };
    const hpa = (maxReplicas: number, metrics: JsonObject[]) =>
      objectOf('autoscaling/v2', 'HorizontalPodAutoscaler', { spec: { minReplicas: 2, maxReplicas, metrics } });
    expect(toldOf(hpa(5, [cpu(70), rps]), hpa(9, [rps, cpu(80)]))).toEqual([
      'spec.maxReplicas: 5 → 9',
      'spec.metrics.cpu.resource.target.averageUtilization: 70 → 80',
    ]);
    expect(describeFields(diffOf(prepared(hpa(5, []), undefined, hpa(5, []))))).toEqual([
      'spec.minReplicas: added (2)',
      'spec.maxReplicas: added (5)',
    ]);
  });

  test('rules of an Ingress by host and path, and the name of its Secret', () => {
    const ingress = (name: string, secretName: string) => {
      const backend = { service: { name, port: { number: 80 } } };
      const paths = [{ path: '/api', pathType: 'Prefix', backend }];
      const rules = [{ host: 'shop.example.com', http: { paths } }];
      return objectOf('networking.k8s.io/v1', 'Ingress', {
        spec: { tls: [{ hosts: ['shop.example.com'], secretName }], rules },
      });
    };
    expect(toldOf(ingress('web', 'old-tls'), ingress('web-2', 'new-tls'))).toEqual([
      'spec.tls: [{hosts: [shop.example.com], secretName: old-tls}] → [{hosts: [shop.example.com], secretName: new-tls}]',
      'spec.rules.shop.example.com.http.paths./api.backend.service.name: web → web-2',
    ]);
  });

  test('a schema of a definition by its paths, also where a property is called "containers"', () => {
    const definition = (type: string, more: JsonObject = {}) =>
      objectOf('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
        spec: {
          versions: [
            {
              name: 'v1',
              schema: { openAPIV3Schema: { properties: { containers: { items: { type } } } } },
              served: true,
              ...more,
            },
          ],
        },
        status: { acceptedNames: { kind: type } },
      });
    expect(toldOf(definition('string'), definition('integer', { deprecated: true }))).toEqual([
      'spec.versions.v1.schema.openAPIV3Schema.properties.containers.items.type: string → integer',
      'spec.versions.v1.deprecated: added (true)',
    ]);
  });

  test('what is secret in a custom resource not even as part of a whole', () => {
    const resource = (spec: JsonObject) => objectOf('example.com/v1', 'Database', { spec });
    const before = resource({ size: '1Gi' });
    const after = resource({
      size: '1024Mi',
      login: { user: 'admin', password: 'hunter2' },
      options: [{ name: 'API_TOKEN', value: 'hunter2' }],
      memory: '2Gi',
    });
    const lines = toldOf(before, after);
    expect(lines.join('\n')).not.toContain('hunter2');
    expect(lines).toContain('spec.login: added ({user: admin, password: ***})');
    expect(toldOf(resource({ memory: '2Gi' }), resource({ memory: '2048Mi' }))).toEqual([]);
    expect(toldOf(resource({ storage: 'fast' }), resource({ storage: 'slow' }))).toEqual(['spec.storage: fast → slow']);
  });

  test('lists without keys as a whole, cut where they begin to differ', () => {
    const policy = (last: string) =>
      objectOf('example.com/v1', 'Policy', {
        spec: { hosts: [...Array.from({ length: 30 }, (_, index) => `host-${index}.example.com`), last] },
      });
    const [line = ''] = toldOf(policy('old.example.com'), policy('new.example.com'));
    expect(line).toMatch(/^spec\.hosts: ….*old\.example\.com\] → ….*new\.example\.com\]$/);
    expect(line.length).toBeLessThan(260);
  });

  test('of a long list without keys the entries that come and go', () => {
    const rule = (resource: string) => ({
      apiGroups: ['apps'],
      resources: [resource],
      verbs: ['get', 'list', 'watch', 'patch'],
    });
    const role = (...resources: string[]) =>
      objectOf('rbac.authorization.k8s.io/v1', 'Role', { rules: resources.map(rule) });
    expect(toldOf(role('deployments', 'statefulsets', 'jobs'), role('deployments', 'jobs'))).toEqual([
      'rules: removed ({apiGroups: [apps], resources: [statefulsets], verbs: [get, list, watch, patch]})',
    ]);
  });

  test('entries without names by their place, as long as none comes or goes', () => {
    const route = (weight: number, ...more: JsonObject[]) =>
      objectOf('gateway.networking.k8s.io/v1', 'HTTPRoute', {
        spec: {
          rules: [
            {
              matches: [{ path: { type: 'PathPrefix', value: '/a/rather/long/prefix/that/fills/the/line' } }],
              backendRefs: [
                { group: '', kind: 'Service', name: 'stable', port: 80, weight: 100 - weight },
                { group: '', kind: 'Service', name: 'canary', port: 80, weight },
              ],
            },
            ...more,
          ],
        },
      });
    expect(toldOf(route(0), route(10))).toEqual([
      'spec.rules.0.backendRefs.stable.weight: 100 → 90',
      'spec.rules.0.backendRefs.canary.weight: 0 → 10',
    ]);
  });
});

describe('what the server could not try', () => {
  const owned = owner({ 'f:spec': { 'f:replicas': {}, 'f:minReadySeconds': {} } });
  const foreign = updater('kubectl-edit', fields('spec', 'paused'));

  test('is told by what the manifest states, and what it states no more', () => {
    const live = stored({ spec: { minReadySeconds: 5, paused: true } }, [owned, foreign]);
    const manifest = web({ container: { image: 'shop/web:2', resources: { limits: { cpu: '0.5' } } } });
    const diff = diffOf(prepared(manifest, live, undefined));
    expect(diff.basis).toBe('manifest');
    expect(describeFields(diff)).toEqual([
      'image of container "web": shop/web:1 → shop/web:2',
      'resources.limits of container "web": added ({cpu: "0.5"})',
      'spec.minReadySeconds: removed (5)',
    ]);
    const same = diffOf(
      prepared(
        web({ container: { resources: { limits: { cpu: '0.5' } } } }),
        stored({ container: { resources: { limits: { cpu: '500m' } } } }, [owned]),
        undefined,
      ),
    );
    expect(same.fields).toEqual([]);
  });

  test('without defaults inside lists that belong to somebody as a whole', () => {
    const rules = (...backends: JsonObject[]) => ({ spec: { rules: [{ name: 'all', backendRefs: backends }] } });
    const route = (body: JsonObject, managedFields: ManagedFieldsEntry[] = []) =>
      objectOf('gateway.networking.k8s.io/v1', 'HTTPRoute', body, { managedFields });
    const live = route(
      rules(
        { name: 'stable', port: 80, kind: 'Service', weight: 1 },
        { name: 'old', port: 80, kind: 'Service', weight: 1 },
      ),
      [owner(fields('spec', 'rules'))],
    );
    const manifest = route(rules({ name: 'stable', port: 81 }));
    expect(describeFields(diffOf(prepared(manifest, live, undefined)))).toEqual([
      'spec.rules.all.backendRefs.stable.port: 80 → 81',
      'spec.rules.all.backendRefs.old: removed ({name: old, port: 80, kind: Service, weight: 1})',
    ]);
  });

  test('but all that goes, where it is deleted and made anew', () => {
    const live = configMap({ a: '1', b: '2' }, { managedFields: [updater('kubectl-edit', fields('data', 'b'))] });
    const diff: ObjectDiff = diffOf(prepared(configMap({ a: '1' }), live, undefined, { remake: true }));
    expect(diff).toEqual({
      fields: [{ field: 'key "b"', change: 'removed', before: '2' }],
      more: 0,
      basis: 'server',
    });
  });
});

test('at most so many fields are told, and how many more there are', () => {
  const all = Object.fromEntries(Array.from({ length: maxFields + 12 }, (_, index) => [`k${index}`, 'x']));
  const diff = diffOf(prepared(settings(all), settings({}), settings(all)));
  expect(diff.fields).toHaveLength(maxFields);
  expect(diff.more).toBe(12);
  expect(describeFields(diff).at(-1)).toBe('and 12 more');
  expect(diffOf(prepared(settings(all), settings({}), settings(all)), 5)).toMatchObject({ more: maxFields + 7 });
});

describe('of a custom resource that runs pods', () => {
  const groups = (leader: string, worker: string): KubernetesObject => ({
    apiVersion: 'leaderworkerset.x-k8s.io/v1',
    kind: 'LeaderWorkerSet',
    metadata: { name: 'llm', namespace: 'shop' },
    spec: {
      leaderWorkerTemplate: {
        leaderTemplate: { spec: { containers: [{ name: 'vllm', image: leader }] } },
        workerTemplate: { spec: { containers: [{ name: 'vllm', image: worker }] } },
      },
    },
  });
  const prepared = (object: KubernetesObject, live: KubernetesObject | undefined): Prepared => ({
    manifest: manifestOf(object),
    live,
    predicted: object,
    change: live === undefined ? 'created' : 'configured',
    takeover: false,
    warnings: [],
  });
  const linesFor = (object: KubernetesObject, live?: KubernetesObject) =>
    diffOf(prepared(object, live)).fields.map(
      ({ field, before = '-', after = '-' }) => `${field}: ${before} → ${after}`,
    );

  test('each image is told by the whole place that it has', () => {
    expect(linesFor(groups('a:2', 'a:2'), groups('a:1', 'a:1'))).toStrictEqual([
      'spec.leaderWorkerTemplate.leaderTemplate.spec.containers.vllm.image: a:1 → a:2',
      'spec.leaderWorkerTemplate.workerTemplate.spec.containers.vllm.image: a:1 → a:2',
    ]);
  });

  test('a new one is told by its images', () => {
    expect(linesFor(groups('a:1', 'b:1'))).toStrictEqual([
      'spec.leaderWorkerTemplate.leaderTemplate.spec.containers.vllm.image: - → a:1',
      'spec.leaderWorkerTemplate.workerTemplate.spec.containers.vllm.image: - → b:1',
    ]);
    const nim = { repository: 'nvcr.io/nim/llama', tag: '1.0.0' };
    const service = { apiVersion: 'apps.nvidia.com/v1alpha1', kind: 'NIMService', metadata: { name: 'llama' } };
    expect(linesFor({ ...service, spec: { image: nim } })).toStrictEqual(['spec.image: - → nvcr.io/nim/llama:1.0.0']);
  });
});
