import { isObject, objectAt, stringAt, type Json, type JsonObject } from '../base/json.ts';
import type { KubernetesObject } from '../kubernetes/object.ts';
import { isToken } from './as-meant.ts';
import type { Manifest } from './manifest.ts';

/** Kinds by names that fields have for them. */
const shortKinds: Readonly<Record<string, string>> = {
  admissionchecks: 'admissioncheck',
  claim: 'persistentvolumeclaim',
  flavors: 'resourceflavor',
  pool: 'inferencepool',
  volume: 'persistentvolume',
};

/** What an account names (its tokens, its pull secrets) is looked up when it is used; and a token needs the account. */
function isLoose({ apiVersion, kind }: KubernetesObject): boolean {
  return apiVersion === 'v1' && kind === 'ServiceAccount';
}

/**
 * Which manifests each one needs: those that it names. Whatever Kubernetes calls a reference counts: `kind` and `name` side
 * by side (`roleRef`, `scaleTargetRef`, `parentRefs`, `issuerRef`), and a name in a field that says of which kind it is
 * (`serviceAccountName`, `secretStoreRef: {name}`, `clientConfig.service`). An object that is named and not among the
 * manifests is nobody's need here.
 */
export function needsOf(manifests: readonly Manifest[]): Map<Manifest, Set<Manifest>> {
  const index = new Map<string, Manifest[]>();
  for (const manifest of manifests) {
    const key = keyFor(manifest.object.kind, manifest.object.metadata.name);
    index.set(key, [...(index.get(key) ?? []), manifest]);
  }
  const needs = new Map(manifests.map((manifest) => [manifest, new Set<Manifest>()]));
  for (const manifest of manifests) {
    const { object } = manifest;
    if (isLoose(object)) continue;
    for (const { kind, name, namespace } of namesIn(object)) {
      for (const needed of index.get(keyFor(kind, name)) ?? []) {
        const place = needed.object.metadata.namespace;
        const isNear = place === undefined || place === (namespace ?? object.metadata.namespace);
        if (needed !== manifest && isNear) needs.get(manifest)?.add(needed);
      }
    }
  }
  turnVolumes(manifests, needs);
  return needs;
}

/** A claim takes any volume that comes before the one that is kept for it: so that one comes first. */
function turnVolumes(manifests: readonly Manifest[], needs: ReadonlyMap<Manifest, Set<Manifest>>): void {
  for (const volume of manifests.filter(({ object }) => object.kind === 'PersistentVolume')) {
    const own = needs.get(volume);
    for (const claim of own ?? []) {
      if (claim.object.kind !== 'PersistentVolumeClaim') continue;
      own?.delete(claim);
      needs.get(claim)?.add(volume);
    }
  }
}

interface Name {
  kind: string;
  name: string;
  namespace?: string;
}

function keyFor(kind: string, name: string): string {
  return `${kind.toLowerCase()}/${name}`;
}

function namesIn(object: KubernetesObject): Name[] {
  const names: Name[] = [];
  const visit = (value: Json | undefined, field: string) => {
    if (Array.isArray(value)) {
      for (const item of value) visit(item, field);
    } else if (isObject(value)) {
      const name = nameIn(value, field);
      if (name !== undefined) names.push(name);
      for (const [key, inner] of Object.entries(value)) visit(inner, key);
    } else if (typeof value === 'string' && (field.endsWith('Name') || field === 'clusterQueue')) {
      names.push({ kind: kindOf(field), name: value });
    }
  };
  for (const [key, value] of Object.entries(object)) if (!notReferring.has(key)) visit(value, key);
  visit(objectAt(object, 'metadata')['ownerReferences'], 'ownerReferences');
  if (isToken(object)) {
    const account = object.metadata.annotations?.['kubernetes.io/service-account.name'];
    if (account !== undefined) names.push({ kind: 'ServiceAccount', name: account });
  }
  return names;
}

/** Texts of the user's own, and what is no reference by its place. */
const notReferring = new Set(['apiVersion', 'binaryData', 'data', 'kind', 'metadata', 'status']);

/** `{kind, name}`, or a name in a field that is called like a kind. */
function nameIn(value: JsonObject, field: string): Name | undefined {
  const name = stringAt(value, 'name');
  if (name === undefined) return undefined;
  const namespace = stringAt(value, 'namespace');
  const kind = stringAt(value, 'kind') ?? kindOf(field);
  return { kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** `serviceAccountName` → `serviceaccount`, `configMapKeyRef` → `configmap` */
function kindOf(field: string): string {
  const word = field.replace(/(?:KeyRef|Refs?|Name)$/, '').toLowerCase();
  return shortKinds[word] ?? word;
}

/**
 * Parts manifests into waves: each one comes after those of them that it needs. Those that need each other in a circle come
 * together, as nothing could say which is to be first. Within a wave the given order stays.
 */
export function inWaves(
  manifests: readonly Manifest[],
  needs: ReadonlyMap<Manifest, ReadonlySet<Manifest>>,
): Manifest[][] {
  let left = [...manifests];
  const waves: Manifest[][] = [];
  while (left.length > 0) {
    const open = new Set(left);
    const missing = (manifest: Manifest) => [...(needs.get(manifest) ?? [])].filter((needed) => open.has(needed));
    const free = left.filter((manifest) => missing(manifest).length === 0);
    const wave = free.length > 0 ? free : left.filter((manifest) => isInCircleOnly(manifest, missing));
    waves.push(wave);
    left = left.filter((manifest) => !wave.includes(manifest));
  }
  return waves;
}

/** Whether all that it needs, directly or not, needs it in turn. */
function isInCircleOnly(manifest: Manifest, missing: (manifest: Manifest) => readonly Manifest[]): boolean {
  return [...reachable(manifest, missing)].every((needed) => reachable(needed, missing).has(manifest));
}

function reachable(from: Manifest, missing: (manifest: Manifest) => readonly Manifest[]): Set<Manifest> {
  const found = new Set<Manifest>();
  const queue = [...missing(from)];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (found.has(next)) continue;
    found.add(next);
    queue.push(...missing(next));
  }
  return found;
}
