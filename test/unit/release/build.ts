import type { JsonObject } from '../../../src/base/json.ts';
import type { KubernetesClient } from '../../../src/kubernetes/client.ts';
import type { KubernetesObject, ManagedFieldsEntry } from '../../../src/kubernetes/object.ts';
import type { Manifest } from '../../../src/manifests/manifest.ts';
import { Journal } from '../../../src/release/journal.ts';
import type { Outcome, Revision } from '../../../src/release/revision-shape.ts';

/** An entry of managedFields; by default an apply of ours. */
export function owner(fieldsV1: JsonObject, more: Partial<ManagedFieldsEntry> = {}): ManagedFieldsEntry {
  return { manager: 'gke-rollout', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1, ...more };
}

export function updater(manager: string, fieldsV1: JsonObject, more: Partial<ManagedFieldsEntry> = {}) {
  return owner(fieldsV1, { manager, operation: 'Update', ...more });
}

/** `fields('data', 'a')` → `{"f:data": {"f:a": {}}}` */
export function fields(...path: string[]): JsonObject {
  return path.reduceRight<JsonObject>((inner, step) => ({ [`f:${step}`]: inner }), {});
}

/** A revision of the release `web`; without objects, unless told otherwise. */
export function revision(number: number, outcome: Outcome, more: Partial<Revision> = {}): Revision {
  return {
    release: 'web',
    revision: number,
    outcome,
    strategy: 'rolling',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:01:00.000Z',
    images: {},
    objects: [],
    ...more,
  };
}

interface Parts {
  name?: string;
  managedFields?: ManagedFieldsEntry[];
  uid?: string;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
}

export function configMap(data: Record<string, string>, parts: Parts = {}): KubernetesObject {
  return objectOf('v1', 'ConfigMap', { data }, parts);
}

export function objectOf(apiVersion: string, kind: string, body: JsonObject, parts: Parts = {}): KubernetesObject {
  return { apiVersion, kind, metadata: { name: 'a', namespace: 'shop', ...parts }, ...body };
}

export function manifestOf(object: KubernetesObject, line = 1): Manifest {
  const locate = (path: readonly (string | number)[]) => ({ file: `${path.join('.')}.yaml`, line });
  return { object, source: { file: 'a.yaml', line, locate } };
}

/** The journal of a deploy that has not planned anything yet. */
export function journalIn(api: KubernetesClient): Journal {
  return new Journal(api, 'shop', {
    release: 'web',
    command: 'deploy',
    run: { holder: 'run-1' },
    startedAt: '2026-01-01T00:00:00.000Z',
    undoOnFailure: true,
    entries: [],
  });
}
