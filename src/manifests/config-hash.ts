import { createHash, createHmac, randomBytes } from 'node:crypto';

import { InvalidInput } from '../base/errors.ts';
import { at, isObject, objectAt, setAt, stringAt, type Json } from '../base/json.ts';
import { describeRef, keyOf, refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isConfig, renewsPods } from './kinds.ts';
import { configReferences, type ConfigReference } from './config-references.ts';
import { throwAll, type Manifest } from './manifest.ts';

/**
 * Pods that a controller keeps go on with the config that they have read at their start, until their template changes
 * (kubernetes/kubernetes#22368). So the template carries a hash of what they read of the release's own config.
 */
export const hashAnnotation = 'gke-rollout/config-hash';

/** On a workload: `false` for one that reloads by itself; `true` to be an exception from the input of that name. */
export const restartAnnotation = 'gke-rollout/restart-on-config';

/** Where it stands in a workload. */
export const hashPath = ['spec', 'template', 'metadata', 'annotations', hashAnnotation];

/**
 * The secret part of the hashes of a release. Those who may read workloads, but no Secrets, see the hashes: with a plain one
 * they could try values until one fits, and find a short password.
 */
export function newHashKey(): string {
  return randomBytes(32).toString('base64');
}

/**
 * The manifests with the hash in each pod template that reads config of theirs, and in no other one. ConfigMaps and Secrets
 * that are not among the manifests do not count: when they change, it is somebody else's doing.
 * @param hashKey of `newHashKey`
 * @throws InvalidInput, Failures for workloads whose `restartAnnotation` cannot be read
 */
export function withConfigHashes(manifests: readonly Manifest[], hashKey: string): Manifest[] {
  throwAll(manifests.flatMap(problemOfAnnotation));
  const config = new Map(
    manifests.filter(({ object }) => isConfig(object)).map(({ object }) => [keyOf(refOf(object)), object]),
  );
  return manifests.map((manifest) =>
    renewsPods(manifest.object) ? withHash(manifest, hashOf(manifest.object, config, hashKey)) : manifest,
  );
}

/** The annotation in the pod template of a workload. */
export function hashIn(workload: KubernetesObject | undefined): string | undefined {
  return stringAt(workload, ...hashPath);
}

/** A manifest with this hash in its pod template, or with none; itself where it has that already. */
export function withHash(manifest: Manifest, hash: string | undefined): Manifest {
  if (at(manifest.object, ...hashPath) === hash) return manifest;
  const object = structuredClone(manifest.object);
  if (hash !== undefined) {
    setAt(object, hashPath, hash);
    return { ...manifest, object };
  }
  const template = objectAt(object, 'spec', 'template');
  const metadata = objectAt(template, 'metadata');
  const others = Object.entries(objectAt(metadata, 'annotations')).filter(([key]) => key !== hashAnnotation);
  metadata['annotations'] = Object.fromEntries(others);
  // Nor is a map left that was only made for it.
  if (others.length === 0) delete metadata['annotations'];
  if (Object.keys(metadata).length === 0) delete template['metadata'];
  return { ...manifest, object };
}

/**
 * Whether pods of this workload are made anew when their config changes.
 * @param byInput what holds for workloads that do not say it themselves
 */
export function restartsOnConfig(workload: KubernetesObject, byInput: boolean): boolean {
  const value = workload.metadata.annotations?.[restartAnnotation];
  return value === undefined ? byInput : value === 'true';
}

function problemOfAnnotation({ object, source }: Manifest): InvalidInput[] {
  const value = at(object, 'metadata', 'annotations', restartAnnotation);
  if (value === undefined || value === 'true' || value === 'false') return [];
  return [
    new InvalidInput(
      `${describeRef(refOf(object))} has the annotation "${restartAnnotation}" with the value ${JSON.stringify(value)}`,
      {
        location: source.locate(['metadata', 'annotations', restartAnnotation]),
        hint: 'Use "true" or "false", with the quotes.',
      },
    ),
  ];
}

/** What a hash in a template says: `ID.HASH`, and a number behind it when pods had to read the same config once more. */
interface Parts {
  /** Of the key: hashes with different ones cannot be compared. */
  id: string;
  hash: string;
  round: number;
}

function parse(value: string | undefined): Parts | undefined {
  const match = /^(?<id>[0-9a-f]{8})\.(?<hash>[0-9a-f]{32})(?:\.(?<round>\d{1,9}))?$/.exec(value ?? '')?.groups;
  const { id, hash, round = '0' } = match ?? {};
  return id === undefined || hash === undefined ? undefined : { id, hash, round: Number(round) };
}

/** How the hash that pods have started with relates to the one that they should have. */
export function compareHashes(live: string | undefined, wanted: string): 'same' | 'other' | 'incomparable' {
  const [left, right] = [parse(live), parse(wanted)];
  if (left === undefined || left.id !== right?.id) return 'incomparable';
  return left.hash === right.hash ? 'same' : 'other';
}

/** The same hash with another number, so that pods read the same config once more. */
export function nextRound(value: string): string {
  const parts = parse(value);
  return parts === undefined ? value : `${parts.id}.${parts.hash}.${parts.round + 1}`;
}

function hashOf(
  workload: KubernetesObject,
  config: ReadonlyMap<string, KubernetesObject>,
  hashKey: string,
): string | undefined {
  const read = groupByObject(configReferences(workload)).filter(({ key }) => config.has(key));
  if (read.length === 0) return undefined;
  const content = read
    .sort((left, right) => (left.key < right.key ? -1 : 1))
    .map(({ key, references }) => [key, entriesRead(references, config.get(key))]);
  const id = createHash('sha256').update(hashKey).digest('hex').slice(0, 8);
  return `${id}.${createHmac('sha256', hashKey).update(JSON.stringify(content)).digest('hex').slice(0, 32)}`;
}

function groupByObject(references: readonly ConfigReference[]): { key: string; references: ConfigReference[] }[] {
  const keys = [...new Set(references.map(({ key }) => key))];
  return keys.map((key) => ({ key, references: references.filter((reference) => reference.key === key) }));
}

/**
 * What pods read of a ConfigMap or Secret, however it is written: entries in order of their names, each with its bytes in
 * base64; null for one that is not there.
 */
export function entriesRead(
  references: readonly ConfigReference[],
  config: KubernetesObject | undefined,
): [string, string | null][] {
  const content = contentOf(config);
  const names = references.some(({ entries }) => entries === undefined)
    ? [...content.keys()]
    : [...new Set(references.flatMap(({ entries = [] }) => entries))];
  return names.sort().map((name) => [name, content.get(name) ?? null]);
}

function contentOf(config: KubernetesObject | undefined): Map<string, string> {
  const isSecret = config?.kind === 'Secret';
  const text = (value: Json) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64');
  // As the server stores it: written without line ends and with its padding.
  const bytes = (value: Json) =>
    typeof value === 'string' ? Buffer.from(value, 'base64').toString('base64') : text(value);
  return new Map([
    ...entriesAt(config, 'data', isSecret ? bytes : text),
    ...entriesAt(config, 'binaryData', bytes),
    // It wins over `data` (kubernetes pkg/apis/core/v1 Convert_v1_Secret_To_core_Secret).
    ...entriesAt(config, 'stringData', text),
  ]);
}

function entriesAt(
  config: KubernetesObject | undefined,
  field: string,
  encode: (value: Json) => string,
): [string, string][] {
  const map = config?.[field];
  return Object.entries(isObject(map) ? map : {}).flatMap(([name, value]) =>
    value === undefined || value === null ? [] : [[name, encode(value)]],
  );
}
