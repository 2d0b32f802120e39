import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';

import { Failure, messageOf } from '../base/errors.ts';
import { stringAt, stringsAt, type Json } from '../base/json.ts';
import type { KubernetesClient } from '../kubernetes/client.ts';
import { ApiError, ConnectionError } from '../kubernetes/errors.ts';
import { labelSelectorOf } from '../kubernetes/label-selector.ts';
import type { KubernetesObject, ObjectRef } from '../kubernetes/object.ts';
import { fieldManager } from './field-manager.ts';
import { applyPersistently } from './persistent-apply.ts';

/**
 * Records of a release, kept as Secrets in its namespace: compressed JSON, in several Secrets where it is too large for
 * one. A record is read whole or not at all: its parts are named by their content, and the first Secret, which names
 * them, is written last.
 */
export interface StoredRecord<T> {
  /** Of its first Secret. */
  name: string;
  labels: Record<string, string>;
  value: T;
}

/** A record that is there and cannot be read. */
export interface BrokenRecord {
  name: string;
  labels: Record<string, string>;
  /** One sentence, which names the Secret. */
  problem: string;
}

/** Below the API server's limit of 1 MiB, with room for metadata; base64 adds a third. */
const partBytes = 700_000;

const type = 'gke-rollout/record';

export const recordLabels = {
  managedBy: 'app.kubernetes.io/managed-by',
  release: 'gke-rollout/release',
  record: 'gke-rollout/record',
} as const;

export function labelsOf(release: string, record: 'revision' | 'journal' | 'part'): Record<string, string> {
  return { [recordLabels.managedBy]: fieldManager, [recordLabels.release]: release, [recordLabels.record]: record };
}

export async function writeRecord(
  client: KubernetesClient,
  ref: { namespace: string; name: string; release: string },
  labels: Record<string, string>,
  value: Json,
): Promise<void> {
  const data = gzipSync(JSON.stringify(value));
  const digest = createHash('sha256').update(data).digest('hex').slice(0, 12);
  const parts = split(data);
  const names = parts.slice(1).map((_, index) => `${ref.name}.${digest}.${index + 1}`);
  const put = (name: string, partLabels: Record<string, string>, content: Buffer) =>
    applyPersistently(
      client,
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, namespace: ref.namespace, labels: partLabels },
        type,
        data: {
          record: content.toString('base64'),
          parts: Buffer.from(JSON.stringify({ digest, names: name === ref.name ? names : [] })).toString('base64'),
        },
      },
      { fieldManager, force: true },
    );
  await Promise.all(
    names.map((name, index) => put(name, labelsOf(ref.release, 'part'), parts[index + 1] ?? Buffer.alloc(0))),
  );
  await put(ref.name, labels, parts[0] ?? Buffer.alloc(0));
  if (names.length > 0) await deleteParts(client, ref, names);
}

/** Removes the parts of a record but those named: earlier versions of it have left theirs. */
async function deleteParts(
  client: KubernetesClient,
  ref: { namespace: string; name: string; release: string },
  keep: readonly string[],
): Promise<void> {
  const secrets = await client.resource('v1', 'Secret');
  if (secrets === undefined) return;
  const labelSelector = labelSelectorOf(labelsOf(ref.release, 'part'));
  const { items } = await client.list(secrets, { namespace: ref.namespace, labelSelector });
  const names = items.map(({ metadata }) => metadata.name);
  const old = names.filter((name) => name.startsWith(`${ref.name}.`) && !keep.includes(name));
  await Promise.all(old.map((name) => client.delete(secretRef(ref.namespace, name))));
}

/** Undefined when there is no such record; @throws Failure when a part of it is missing */
export async function readRecord(client: KubernetesClient, namespace: string, name: string): Promise<Json | undefined> {
  const head = await client.read(secretRef(namespace, name));
  return head === undefined ? undefined : await decode(client, head);
}

/** All records of one sort, by name; one that cannot be read does not hide the others. */
export async function listRecords(
  client: KubernetesClient,
  namespace: string,
  labels: Record<string, string>,
): Promise<(StoredRecord<Json> | BrokenRecord)[]> {
  const secrets = await client.resource('v1', 'Secret');
  if (secrets === undefined) return [];
  const { items } = await client.list(secrets, { namespace, labelSelector: labelSelectorOf(labels) });
  return await Promise.all(
    items.map(async (head) => {
      const { name } = head.metadata;
      const labels = stringsAt(head, 'metadata', 'labels');
      try {
        return { name, labels, value: await decode(client, head) };
      } catch (error) {
        // What the server does not answer now may be whole.
        if (error instanceof ApiError || error instanceof ConnectionError) throw error;
        return { name, labels, problem: `the record in Secret "${name}" cannot be read: ${messageOf(error)}` };
      }
    }),
  );
}

export async function deleteRecord(
  client: KubernetesClient,
  ref: { namespace: string; name: string; release: string },
): Promise<void> {
  // The first Secret goes first: without it there is no record, only parts that nobody reads.
  const wasThere = await client.delete(secretRef(ref.namespace, ref.name));
  // Also those of earlier versions, which a kill may have left behind.
  if (wasThere) await deleteParts(client, ref, []);
}

async function decode(client: KubernetesClient, head: KubernetesObject): Promise<Json> {
  const { namespace = '', name } = head.metadata;
  const { names, digest } = partsOf(head);
  const parts = await Promise.all(names.map(async (part) => contentOf(await client.read(secretRef(namespace, part)))));
  const data = Buffer.concat([contentOf(head), ...parts]);
  if (createHash('sha256').update(data).digest('hex').slice(0, 12) !== digest) {
    throw new Failure(`the record in Secret "${name}" of namespace "${namespace}" is not complete`, {
      hint: 'A part of it was deleted or changed; delete the Secret to go on without this record.',
    });
  }
  const record = JSON.parse(gunzipSync(data).toString('utf8')) as Json;
  // Pods may write into their logs what the Secrets of an earlier run hold.
  client.learn?.(record);
  return record;
}

function contentOf(secret: KubernetesObject | undefined): Buffer {
  return Buffer.from(stringAt(secret, 'data', 'record') ?? '', 'base64');
}

function partsOf(head: KubernetesObject): { digest: string; names: string[] } {
  const text = Buffer.from(stringAt(head, 'data', 'parts') ?? '', 'base64').toString('utf8');
  return text === '' ? { digest: '', names: [] } : (JSON.parse(text) as { digest: string; names: string[] });
}

function secretRef(namespace: string, name: string): ObjectRef {
  return { apiVersion: 'v1', kind: 'Secret', namespace, name };
}

function split(data: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start < data.length; start += partBytes) parts.push(data.subarray(start, start + partBytes));
  return parts;
}
