import { booleanAt } from '../base/json.ts';
import type { KubernetesClient, WriteOptions, Written } from '../kubernetes/client.ts';
import { ApiError } from '../kubernetes/errors.ts';
import { refOf, type KubernetesObject } from '../kubernetes/object.ts';
import { isConfig } from '../manifests/kinds.ts';

/**
 * Whether an object that can no longer be changed can be deleted and made anew instead: a ConfigMap or a Secret holds nothing
 * but what is written into it, and is gone at once where no finalizer holds it.
 */
export function canBeRemade(live: KubernetesObject, error: unknown): boolean {
  return (
    isConfig(live) &&
    (live.metadata.finalizers ?? []).length === 0 &&
    live.metadata.deletionTimestamp === undefined &&
    error instanceof ApiError &&
    (error.isImmutable || (error.status === 422 && booleanAt(live, 'immutable') === true))
  );
}

/** Whether the server would let it be made: asked under another name, before the old one is gone. @throws ApiError when not */
export async function tryRemaking(
  client: KubernetesClient,
  wanted: KubernetesObject,
  options: WriteOptions,
): Promise<Written> {
  const probe = structuredClone(wanted);
  probe.metadata.name = `${wanted.metadata.name.slice(0, 240)}-gke-rollout`;
  for (const key of ['uid', 'resourceVersion', 'managedFields'] as const) Reflect.deleteProperty(probe.metadata, key);
  return await client.create(probe, { ...options, dryRun: true });
}

/** Deletes this very object, which is gone at once; what takes its place has to be written by the caller. */
export async function makeRoom(client: KubernetesClient, live: KubernetesObject): Promise<void> {
  const { uid } = live.metadata;
  await client.delete(refOf(live), uid === undefined ? {} : { uid });
}
