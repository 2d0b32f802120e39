import { Failure } from '../base/errors.ts';
import { equal, stringsAt, type Json } from '../base/json.ts';
import { Misshapen } from '../base/shape.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ApiError, isStatus } from '../kubernetes/errors.ts';
import { labelSelectorOf } from '../kubernetes/label-selector.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import { fieldManager } from '../apply/field-manager.ts';
import { applyPersistently } from '../apply/persistent-apply.ts';
import { contentOf, valueOf } from './record-content.ts';

/**
 * Records of a release, kept as Secrets in its namespace: compressed JSON, in several Secrets where it is too large for
 * one. A record is read whole or not at all: its parts are named by their content, and the first Secret, which names
 * them, is written last. It is written over only by whoever has read what is there.
 */
export interface StoredRecord<T> {
  /** Of its first Secret. */
  name: string;
  labels: Record<string, string>;
  value: T;
  version: Version;
  /** How many Secrets it has beside the first. */
  parts: number;
}

/** A record that is there and cannot be read. */
export interface BrokenRecord {
  name: string;
  labels: Record<string, string>;
  /** One sentence, which names the Secret. */
  problem: string;
}

/** Which Secret, and which state of it. */
export interface Version {
  uid: string;
  resourceVersion: string;
}

/** A record that is there and cannot be followed. */
export class UnreadableRecord extends Failure {}

/** A record that somebody else has written meanwhile. */
export class RecordTaken extends Failure {}

export interface RecordRef {
  namespace: string;
  name: string;
  release: string;
}

/** Looks at a value that anybody may have written. @throws Misshapen */
type Check<T> = (value: Json, head: KubernetesObject) => T;

const type = 'gke-rollout/record';

/** How often a write is tried that meets others. */
const maxAttempts = 10;

export const recordLabels = {
  managedBy: 'app.kubernetes.io/managed-by',
  release: 'gke-rollout/release',
  record: 'gke-rollout/record',
} as const;

export function labelsOf(release: string, record: 'revision' | 'journal' | 'part'): Record<string, string> {
  return { [recordLabels.managedBy]: fieldManager, [recordLabels.release]: release, [recordLabels.record]: record };
}

/** What a record may take the place of. */
export interface Expected {
  /** What was read or written last; absent where there was none. */
  version?: Version | undefined;
  /** Whether what is there instead is our own all the same: somebody has changed its labels, or an answer got lost. */
  isOurs: (value: Json) => boolean;
}

/**
 * Writes a record where there is none yet, or in the place of the one that was read.
 * @param value must stay as it is until the promise has settled
 * @returns what is there now
 * @throws RecordTaken when there is another one
 */
export async function writeRecord(
  client: KubernetesClient,
  ref: RecordRef,
  labels: Record<string, string>,
  value: unknown,
  expected: Expected,
): Promise<Version> {
  const { head, parts } = await contentOf(ref.name, value);
  await Promise.all(
    [...parts].map(async ([name, data]) => {
      const part = secretOf({ ...ref, name }, labelsOf(ref.release, 'part'), data);
      await applyPersistently(client, part, { fieldManager, force: true });
    }),
  );
  const version = await putHead(client, secretOf(ref, labels, head), expected);
  if (parts.size > 0) await deleteParts(client, ref, [...parts.keys()]);
  return version;
}

async function putHead(
  client: KubernetesClient,
  secret: KubernetesObject,
  { version, isOurs }: Expected,
): Promise<Version> {
  let known = version;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { metadata } = secret;
      const written =
        known === undefined
          ? await client.create(secret, { fieldManager })
          : await client.apply({ ...secret, metadata: { ...metadata, ...known } }, { fieldManager, force: true });
      return versionOf(written.object);
    } catch (error) {
      // 422: the server has nothing against the version, and sees that it is another Secret (seen in 1.36).
      if (!(isMet(error) || isStatus(error, 422)) || attempt >= maxAttempts) throw error;
      const current = await client.read(refOfSecret(secret));
      if (!isMet(error) && current?.metadata.uid === known?.uid) throw error;
      // An answer got lost: it is there as it should be.
      if (current !== undefined && equal(current['data'], secret['data'])) return versionOf(current);
      const isUntouched = current?.metadata.resourceVersion === known?.resourceVersion;
      // Then it has met another write elsewhere, of a quota that counts Secrets.
      if (!isUntouched && current !== undefined && !(await isOurOwn(client, current, isOurs)))
        throw taken(secret.metadata);
      known = current === undefined ? undefined : versionOf(current);
    }
  }
}

function isMet(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.isWriteConflict || error.isAlreadyExists);
}

async function isOurOwn(
  client: KubernetesClient,
  current: KubernetesObject,
  isOurs: (value: Json) => boolean,
): Promise<boolean> {
  try {
    return isOurs((await decode(client, current)).value);
  } catch (error) {
    if (error instanceof Misshapen) return false;
    throw error;
  }
}

function taken({ name, namespace = '' }: KubernetesObject['metadata']): RecordTaken {
  return new RecordTaken(
    `Secret "${name}" in namespace "${namespace}" was written by another run and is left as it is`,
    { hint: 'Check what is in progress with the command "status", then run it again.' },
  );
}

/** Removes the parts of a record but those named: earlier versions of it have left theirs. */
async function deleteParts(client: KubernetesClient, ref: RecordRef, keep: readonly string[]): Promise<void> {
  const old = (await partsOf(client, ref)).filter((name) => !keep.includes(name));
  await Promise.all(old.map((name) => client.delete(secretRef(ref.namespace, name))));
}

/** Names of the Secrets that are parts of a record, or of what it was before. */
export async function partsOf(client: KubernetesClient, { namespace, name, release }: RecordRef): Promise<string[]> {
  const secrets = await client.resource('v1', 'Secret');
  if (secrets === undefined) return [];
  const labelSelector = labelSelectorOf(labelsOf(release, 'part'));
  const { items } = await client.list(secrets, { namespace, labelSelector });
  return items.map(({ metadata }) => metadata.name).filter((part) => part.startsWith(`${name}.`));
}

/**
 * Undefined when there is no such record.
 * @throws UnreadableRecord when it is not whole, or not what it should be
 */
export async function readRecord<T>(
  client: KubernetesClient,
  namespace: string,
  name: string,
  check: Check<T>,
): Promise<StoredRecord<T> | undefined> {
  const head = await client.read(secretRef(namespace, name));
  if (head === undefined) return undefined;
  const record = await readHead(client, head, check);
  if ('value' in record) return record;
  throw new UnreadableRecord(record.problem, {
    hint: `Nothing was changed. Restore the Secret, or check the release and delete it: kubectl delete secret ${name} -n ${namespace}`,
  });
}

/** All records of one sort, by name; one that cannot be read does not hide the others. */
export async function listRecords<T>(
  client: KubernetesClient,
  namespace: string,
  labels: Record<string, string>,
  check: Check<T>,
): Promise<(StoredRecord<T> | BrokenRecord)[]> {
  const secrets = await client.resource('v1', 'Secret');
  if (secrets === undefined) return [];
  const { items } = await client.list(secrets, { namespace, labelSelector: labelSelectorOf(labels) });
  const records: (StoredRecord<T> | BrokenRecord)[] = [];
  // One after the other: what one of them unpacks to and is of no use is gone before the next.
  for (const head of items) records.push(await readHead(client, head, check));
  return records;
}

async function readHead<T>(
  client: KubernetesClient,
  head: KubernetesObject,
  check: Check<T>,
): Promise<StoredRecord<T> | BrokenRecord> {
  const { name, namespace = '' } = head.metadata;
  const labels = stringsAt(head, 'metadata', 'labels');
  try {
    const { value, parts } = await decode(client, head);
    return { name, labels, value: check(value, head), version: versionOf(head), parts };
  } catch (error) {
    // What the server does not answer now may be whole.
    if (!(error instanceof Misshapen)) throw error;
    const problem = `the record in Secret "${name}" of namespace "${namespace}" cannot be read: ${error.message}`;
    return { name, labels, problem };
  }
}

/**
 * Deletes a record, if it is the one that was read or written last, or one that is ours all the same.
 * @param parts its own and those that earlier versions have left, where they are known
 * @throws RecordTaken when there is another one
 */
export async function deleteRecord(
  client: KubernetesClient,
  ref: RecordRef,
  { version, isOurs }: Expected,
  parts?: readonly string[],
): Promise<void> {
  const secret = secretRef(ref.namespace, ref.name);
  let known = version;
  for (let attempt = 1; ; attempt += 1) {
    if (known === undefined) {
      const current = await client.read(secret);
      // What somebody else has begun is theirs.
      if (current === undefined || !(await isOurOwn(client, current, isOurs))) return;
      known = versionOf(current);
    }
    try {
      // The first Secret goes first: without it there is no record, only parts that nobody reads; also those of earlier versions,
      // which a kill may have left behind.
      const [found] = await Promise.all([parts ?? partsOf(client, ref), client.delete(secret, { ...known })]);
      await Promise.all(found.map((part) => client.delete(secretRef(ref.namespace, part))));
      return;
    } catch (error) {
      if (!isMet(error) || attempt >= maxAttempts) throw error;
      const current = await client.read(secret);
      const isUntouched = current?.metadata.resourceVersion === known.resourceVersion;
      if (current !== undefined && !isUntouched && !(await isOurOwn(client, current, isOurs)))
        throw taken(current.metadata);
      known = current === undefined ? known : versionOf(current);
    }
  }
}

async function decode(client: KubernetesClient, head: KubernetesObject): Promise<{ value: Json; parts: number }> {
  const { namespace = '' } = head.metadata;
  let parts = 0;
  const value = await valueOf(head, (part) => {
    parts += 1;
    return client.read(secretRef(namespace, part));
  });
  // Pods may write into their logs what the Secrets of an earlier run hold.
  client.learn?.(value);
  return { value, parts };
}

export function versionOf({ metadata }: KubernetesObject): Version {
  return { uid: metadata.uid ?? '', resourceVersion: metadata.resourceVersion ?? '' };
}

/** A Secret as records have it. */
export function secretOf(
  { namespace, name }: Pick<RecordRef, 'namespace' | 'name'>,
  labels: Record<string, string>,
  data: Record<string, string>,
): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, labels }, type, data };
}

function refOfSecret({ metadata: { namespace = '', name } }: KubernetesObject): ObjectRef {
  return secretRef(namespace, name);
}

export function secretRef(namespace: string, name: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name };
}
