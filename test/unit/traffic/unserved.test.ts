import { describe, expect, test } from '@jest/globals';

import { describeUnserved, judgeUnserved, withoutPods, type Around } from '../../../src/traffic/unserved.ts';
import { objectOf } from '../release/build.ts';

type Labels = Record<string, string>;

const service = (selector: Labels, name = 'web') => objectOf('v1', 'Service', { spec: { selector } }, { name });
const workload = (labels: Labels, kind = 'Deployment') =>
  objectOf('apps/v1', kind, { spec: { template: { metadata: { labels }, spec: { containers: [{ name: 'web' }] } } } });

const web = workload({ app: 'web' });
const serving = { meant: service({ app: 'web' }), now: service({ app: 'web' }), before: service({ app: 'web' }) };

/** What it means that nobody is behind the first of these Services. */
function judged({
  services,
  workloads = [web],
  before = workloads,
  objects = workloads,
}: Partial<Around> & Pick<Around, 'services'>) {
  const [first] = services;
  if (first === undefined) throw new Error('there is no Service');
  return judgeUnserved(first, { services, workloads, before, objects });
}

const made = (selector: Labels) => ({ meant: service(selector), now: service(selector) });
const found = (selector: Labels) => ({ ...made(selector), before: service(selector) });

describe('a Service without pods of its release', () => {
  test('is one whose selector no template has', () => {
    const services = [serving, made({ app: 'wbe' }), made({}), made({ app: 'web', tier: 'front' })];
    expect(withoutPods({ services, workloads: [web], before: [], objects: [] })).toEqual([services[1], services[3]]);
  });

  test('is none where a Pod, a DaemonSet or a Job has these labels, or an ExternalName leads elsewhere', () => {
    const pod = objectOf('v1', 'Pod', { spec: { containers: [{ name: 'a' }] } }, { labels: { app: 'pod' } });
    const outside = objectOf('v1', 'Service', {
      spec: { type: 'ExternalName', externalName: 'a.test', selector: { app: 'x' } },
    });
    const services = [made({ app: 'pod' }), made({ app: 'agent' }), { meant: outside, now: outside }];
    const workloads = [pod, workload({ app: 'agent' }, 'DaemonSet')];
    expect(withoutPods({ services, workloads, before: [], objects: [] })).toEqual([]);
  });

  test('is broken where it is new and its selector has a wrong letter', () => {
    expect(judged({ services: [made({ app: 'wbe' })] })).toBe('broken');
    expect(judged({ services: [made({ app: 'web', tier: 'front' })] })).toBe('broken');
  });

  test('is broken beside one that serves where it is called like a workload that nobody else leads to', () => {
    const api = { ...workload({ app: 'api' }), metadata: { name: 'api', namespace: 'shop' } };
    const mistyped = { meant: service({ app: 'aip' }, 'api'), now: service({ app: 'aip' }, 'api') };
    expect(judged({ services: [mistyped, serving], workloads: [web, api] })).toBe('broken');
    expect(judged({ services: [mistyped, serving] })).toBe('unknown');
    const all = found({ app: 'api' });
    expect(judged({ services: [mistyped, serving, all], workloads: [web, api] })).toBe('unknown');
  });

  test('is broken where it led to pods before: by another selector, or other labels of the pods', () => {
    const moved = { ...made({ app: 'web', tier: 'front' }), before: service({ app: 'web' }) };
    expect(judged({ services: [moved, serving] })).toBe('broken');
    const [v1, v2] = [workload({ app: 'web', version: '1' }), workload({ app: 'web', version: '2' })];
    const pinned = found({ app: 'web', version: '1' });
    expect(judged({ services: [pinned, serving], workloads: [v2], before: [v1] })).toBe('broken');
  });

  test('was found so where somebody has changed its selector, or where it has long led to nobody', () => {
    const patched = { ...found({ app: 'web', slot: 'b' }), meant: service({ app: 'web' }) };
    expect(judged({ services: [patched, serving] })).toBe('found');
    expect(judged({ services: [found({ app: 'wbe' })] })).toBe('found');
    // Beside one that serves, it may lead to the pods of another release.
    expect(judged({ services: [found({ app: 'other' }), serving] })).toBe('unknown');
    expect(judged({ services: [made({ app: 'other' }), serving] })).toBe('unknown');
  });

  test('stands beside one that leads to the pods where it shares a label with them: a preview, an elected leader', () => {
    expect(judged({ services: [made({ app: 'web', color: 'green' }), serving] })).toBe('beside');
    expect(judged({ services: [found({ app: 'web', role: 'leader' }), serving] })).toBe('beside');
    const own = { ...made({ app: 'web', 'gke-rollout/track': 'green' }), meant: service({ app: 'web' }) };
    expect(judged({ services: [own, serving] })).toBe('beside');
  });

  test('is unknown where the release has no pods, or those of a custom resource, or none in its namespace', () => {
    const job = objectOf('batch/v1', 'Job', { spec: { template: { spec: { containers: [{ name: 'a' }] } } } });
    const custom = objectOf('example.com/v1', 'Server', {
      spec: { template: { spec: { containers: [{ name: 'a' }] } } },
    });
    const elsewhere = { ...web, metadata: { ...web.metadata, namespace: 'other' } };
    for (const workloads of [[], [job], [web, custom], [elsewhere]])
      expect(judged({ services: [made({ app: 'wbe' })], workloads })).toBe('unknown');
  });
});

describe('a Service whose pods no manifest describes', () => {
  test('is unknown where they get the label while they run, and the main Service has no selector (Patroni)', () => {
    const main = made({});
    const replicas = made({ app: 'web', role: 'replica' });
    expect(judged({ services: [replicas, main] })).toBe('unknown');
    expect(judged({ services: [replicas] })).toBe('broken');
    expect(judged({ services: [made({ app: 'wbe' }), main] })).toBe('broken');
  });

  test('is unknown beside a custom resource that nobody knows, and not beside a route or a certificate', () => {
    const custom = objectOf('elasticsearch.k8s.elastic.co/v1', 'Elasticsearch', {});
    const route = objectOf('gateway.networking.k8s.io/v1', 'HTTPRoute', {});
    const services = [made({ app: 'search' })];
    expect(judged({ services, objects: [web, custom] })).toBe('unknown');
    expect(judged({ services, objects: [web, route] })).toBe('broken');
  });

  test('is unknown where it goes by a label that Kubernetes gives each pod of a StatefulSet', () => {
    expect(judged({ services: [found({ 'statefulset.kubernetes.io/pod-name': 'web-0' })] })).toBe('unknown');
    expect(judged({ services: [made({ 'apps.kubernetes.io/pod-index': '0' })] })).toBe('unknown');
  });
});

test('is described with what it selects', () => {
  expect(describeUnserved(service({ app: 'wbe', tier: 'front' }), { selectsNone: true })).toBe(
    'Service "web" has no ready endpoint (app=wbe,tier=front): no pod of the release has the labels that it selects',
  );
});
