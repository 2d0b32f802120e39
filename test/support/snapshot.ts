import { stringAt, stringsAt, type Json, type JsonObject } from '../../src/base/json.ts';
import type { KubernetesObject } from '../../src/kubernetes/object.ts';
import { hashAnnotation } from '../../src/manifests/config-hash.ts';
import { releaseAnnotation } from '../../src/apply/mark.ts';
import type { ApiServer } from './api-server.ts';
import { differences } from './compare.ts';
import { kubectl } from './kubectl.ts';

/** All that stands in a namespace, but for what controllers make there by themselves. */
export interface Snapshot {
  /** By `Kind/name`: what somebody has put there. */
  objects: Map<string, KubernetesObject>;
  /** Outcomes by revision of the records that the action keeps: `1` → `live`. */
  revisions: Map<string, string>;
  /** Names of other records: a journal, parts of a record. */
  records: string[];
  /** Who holds a lock; empty when all are free. */
  holders: string[];
}

/** Made by controllers, or gone by themselves. */
const derived = new Set([
  'controllerrevisions',
  'endpoints',
  'endpointslices',
  'events',
  'pods',
  'replicasets',
  'serviceaccounts',
]);

let collections: Promise<string[]> | undefined;

export async function snapshot(api: ApiServer, namespace: string): Promise<Snapshot> {
  collections ??= listCollections();
  const all = await Promise.all((await collections).map((collection) => listIn(api, namespace, collection)));
  const result: Snapshot = { objects: new Map(), revisions: new Map(), records: [], holders: [] };
  for (const object of all.flat()) {
    const { kind, metadata } = object;
    const labels = stringsAt(object, 'metadata', 'labels');
    if (kind === 'Lease') {
      const holder = stringAt(object, 'spec', 'holderIdentity') ?? '';
      if (holder !== '') result.holders.push(holder);
    } else if (labels['gke-rollout/record'] === 'revision') {
      result.revisions.set(metadata.name.replace(/^.*\.v/, ''), labels['gke-rollout/outcome'] ?? '');
    } else if (labels['gke-rollout/record'] !== undefined) {
      result.records.push(metadata.name);
    } else if (metadata.name !== 'kube-root-ca.crt') {
      result.objects.set(`${kind}/${metadata.name}`, object);
    }
  }
  return result;
}

/** The objects of a collection such as `apps/v1/deployments`. */
export async function listIn(api: ApiServer, namespace: string, collection: string): Promise<KubernetesObject[]> {
  const [, version = '', plural = ''] = /^(.*)\/([^/]+)$/.exec(collection) ?? [];
  const root = version.includes('/') ? 'apis' : 'api';
  const list = JSON.parse(await api.get(`/${root}/${version}/namespaces/${namespace}/${plural}`)) as JsonObject;
  // The items of a list leave out what all of them have in common.
  const kind = (stringAt(list, 'kind') ?? '').replace(/List$/, '');
  return (list['items'] as KubernetesObject[]).map((item) => ({ ...item, apiVersion: version, kind }));
}

/** All kinds of namespaced objects that there are: `v1/secrets`, `apps/v1/deployments`. */
async function listCollections(): Promise<string[]> {
  const table = await kubectl(['api-resources', '--namespaced', '--verbs=list', '--no-headers']);
  return table.split('\n').flatMap((line) => {
    const [, plural = '', version = ''] = /^(\S+)\s.*?(\S+)\s+true\s/.exec(line) ?? [];
    return plural === '' || derived.has(plural) ? [] : [`${version}/${plural}`];
  });
}

/** What the objects of two snapshots of one namespace differ in, ownership of fields included. */
export function changes(before: Snapshot, after: Snapshot): string[] {
  const names = [...new Set([...before.objects.keys(), ...after.objects.keys()])];
  return names.flatMap((name) => {
    const left = before.objects.get(name);
    const right = after.objects.get(name);
    if (left === undefined) return [`${name} is new`];
    if (right === undefined) return [`${name} is gone`];
    return differences(left, right).map((line) => `${name} ${line}`);
  });
}

/** A snapshot without what is never the same in two namespaces, so that it can be compared with one of another. */
export function portable(found: Snapshot): Snapshot {
  const own = new Set([
    'uid',
    'creationTimestamp',
    'namespace',
    'clusterIP',
    'clusterIPs',
    'nodePort',
    // It is made with a key of the release's own, and changes the hash that Kubernetes makes of the template.
    hashAnnotation,
    'pod-template-hash',
    // It names the namespace of its release.
    releaseAnnotation,
  ]);
  return withValues(found, (key, value) => (own.has(key) ? undefined : value));
}

/**
 * A snapshot without the counter of config hashes: config that has been another one in between, and is as before, gets the next
 * number, since pods may have started meanwhile (docs/config.md).
 */
export function uncounted(found: Snapshot): Snapshot {
  return withValues(found, (key, value) =>
    key === hashAnnotation && typeof value === 'string' ? value.replace(/^(\w+\.\w+)\.\d+$/, '$1') : value,
  );
}

/** A snapshot whose objects have other values at some keys; undefined takes the key away. */
function withValues({ objects, ...rest }: Snapshot, choose: (key: string, value: Json) => Json | undefined): Snapshot {
  const entries = [...objects].map(([name, object]): [string, KubernetesObject] => [
    name,
    JSON.parse(JSON.stringify(object, choose)) as KubernetesObject,
  ]);
  return { ...rest, objects: new Map(entries) };
}
