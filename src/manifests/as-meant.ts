import { isObject, objectAt, stringAt, stringsAt, type Json, type JsonObject } from '../base/json.ts';
import { describeRef, groupOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { placeOf, type Manifest } from './manifest.ts';
import { isBuiltIn, isLikeBuiltIn } from './kinds.ts';
import { foldStringData } from './string-data.ts';

/**
 * Fields of the metadata that the server alone writes. A manifest that was exported from a cluster has them; applied, they
 * would say that it is meant for that very object in that very state (openshift/origin#19905).
 */
export const serverMetadata = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'generation',
  'managedFields',
  'resourceVersion',
  'selfLink',
  'uid',
];

/** Annotations by which the server, controllers and `kubectl apply` keep their own books. */
const bookkeeping = [
  'deployment.kubernetes.io/revision',
  'deprecated.daemonset.template.generation',
  'kubectl.kubernetes.io/last-applied-configuration',
];

/** Labels by which the Job controller finds the pods of one very Job; a new one gets its own (pkg/registry/batch/job). */
export const jobLabels: ReadonlySet<string> = new Set([
  'controller-uid',
  'batch.kubernetes.io/controller-uid',
  'job-name',
  'batch.kubernetes.io/job-name',
]);

const tokenType = 'kubernetes.io/service-account-token';

/**
 * Leaves out of an object, in place, what no manifest can decide: what the server writes, and what is a controller's to fill
 * in, so that it would be at odds with it at every deploy.
 * @returns the fields that were left out although they said something, such as `metadata.uid`; an empty one says nothing
 */
export function keepWhatIsMeant(object: KubernetesObject): string[] {
  foldStringData(object);
  leaveToControllers(object);
  return dropServerOwned(object);
}

/** Keeps of all manifests what is meant, in place. @returns one sentence where something was left out, for the user */
export function leftOutOf(manifests: readonly Manifest[]): string[] {
  const found = manifests
    .map((manifest) => ({ manifest, dropped: keepWhatIsMeant(manifest.object) }))
    .filter(({ dropped }) => dropped.length > 0);
  const [first, ...others] = found;
  if (first === undefined) return [];
  const fields = [...new Set(found.flatMap(({ dropped }) => dropped))].join(', ');
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  return [
    `${describeRef(refOf(first.manifest.object))} (${placeOf(first.manifest)})${more} looks like an export from a cluster: ` +
      `${fields} is set by the server only and was ignored; remove it from the manifest`,
  ];
}

function dropServerOwned(object: KubernetesObject): string[] {
  const { metadata } = object;
  const dropped = [
    ...drop(metadata, serverMetadata, 'metadata.'),
    // The status of a custom resource without a status of its own is an ordinary field.
    ...(isLikeBuiltIn(object) ? drop(object, ['status'], '') : []),
    ...drop(metadata.annotations, bookkeeping, 'metadata.annotations.'),
  ];
  if (isEmpty(metadata.annotations)) delete metadata.annotations;
  if (object.kind === 'Job' && isBuiltIn(object)) dropped.push(...dropOldJob(object));
  if (isToken(object)) dropped.push(...dropOldToken(object));
  return dropped;
}

/** The selector and the labels that the server has made for one very Job. */
function dropOldJob(object: KubernetesObject): string[] {
  const spec = objectAt(object, 'spec');
  const made = Object.keys(stringsAt(spec, 'selector', 'matchLabels')).filter((key) => jobLabels.has(key));
  if (spec['manualSelector'] === true || made.length === 0) return [];
  delete spec['selector'];
  const labels = objectAt(spec, 'template', 'metadata', 'labels');
  for (const key of jobLabels) Reflect.deleteProperty(labels, key);
  return ['spec.selector'];
}

export function isToken(object: KubernetesObject): boolean {
  return object.apiVersion === 'v1' && object.kind === 'Secret' && stringAt(object, 'type') === tokenType;
}

/** With the uid of an account that was made anew since, the token would be deleted at once. */
function dropOldToken(object: KubernetesObject): string[] {
  const dropped = [
    ...drop(object.metadata.annotations, ['kubernetes.io/service-account.uid'], 'metadata.annotations.'),
    ...drop(objectAt(object, 'data'), ['ca.crt', 'namespace', 'token'], 'data.'),
  ];
  if (isEmpty(object['data'])) delete object['data'];
  return dropped;
}

/**
 * Fields that a controller fills in, and that a manifest has only because a tool or a schema wanted them there
 * (carvel-dev/kapp#227; cert-manager's cainjector).
 */
function leaveToControllers(object: KubernetesObject): void {
  const group = groupOf(object.apiVersion);
  if (group === 'rbac.authorization.k8s.io' && object['aggregationRule'] !== undefined) delete object['rules'];
  for (const holder of trustHolders(object, group)) {
    if (isBlankBundle(stringAt(holder, 'caBundle')) || isInjected(object)) delete holder['caBundle'];
  }
  if (object.apiVersion === 'v1' && object.kind === 'Service') {
    const spec = objectAt(object, 'spec');
    for (const key of ['clusterIP', 'clusterIPs', 'healthCheckNodePort', 'loadBalancerIP'])
      if (isNothing(spec[key])) Reflect.deleteProperty(spec, key);
    for (const port of Array.isArray(spec['ports']) ? spec['ports'] : [])
      if (isObject(port) && isNothing(port['nodePort'])) delete port['nodePort'];
  }
}

/** Where an object says by which certificates the server trusts what it calls. */
function trustHolders(object: KubernetesObject, group: string): JsonObject[] {
  switch (group) {
    case 'admissionregistration.k8s.io': {
      const { webhooks } = object;
      return Array.isArray(webhooks) ? webhooks.map((webhook) => objectAt(webhook, 'clientConfig')) : [];
    }
    case 'apiregistration.k8s.io':
      return [objectAt(object, 'spec')];
    case 'apiextensions.k8s.io':
      return [objectAt(object, 'spec', 'conversion', 'webhook', 'clientConfig')];
    default:
      return [];
  }
}

/** `Cg==` is a line break: what charts write for "to be filled in". */
function isBlankBundle(bundle: string | undefined): boolean {
  return bundle !== undefined && Buffer.from(bundle, 'base64').toString('utf8').trim() === '';
}

function isInjected({ metadata }: KubernetesObject): boolean {
  return Object.keys(metadata.annotations ?? {}).some((key) => key.startsWith('cert-manager.io/inject-'));
}

function drop(holder: JsonObject | undefined, keys: readonly string[], prefix: string): string[] {
  return keys.flatMap((key) => {
    const value = holder?.[key];
    if (holder === undefined || value === undefined) return [];
    Reflect.deleteProperty(holder, key);
    return isNothing(value) ? [] : [`${prefix}${key}`];
  });
}

function isNothing(value: Json | undefined): boolean {
  return value === null || value === '' || value === 0 || isEmpty(value);
}

function isEmpty(value: Json | undefined): boolean {
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}
